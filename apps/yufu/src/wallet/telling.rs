//! The history in the person's words, entry by entry, and the same for machines.

use super::currency::{Decimals, money};
use super::history::{Entry, Event};
use super::types::Names;
use crate::words::{WIDE, broken, columns_of, comma, known, noted, one_line, padded, sum, text};
use anyhow::Result;
use serde::Serialize;
use yufu_base::{Amount, Currency};

/// Where an entry goes on that has several lines: no entry begins so.
const BELOW: &str = "        ";

/// An entry without its signed documents.
#[derive(Debug, Default, Serialize)]
pub(super) struct Told {
    /// Its number, from 1: what `report` takes.
    pub(super) entry: usize,
    /// When (RFC 3339, UTC).
    pub(super) at: String,
    /// `received`, `disclosed`, `declined`, `refused`, `paid`, `payment_refused`, `reported`, ...
    pub(super) event: &'static str,
    /// With whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) party: Option<String>,
    /// What for, or why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<String>,
    /// The names of the claims shown; never values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) claims: Vec<String>,
    /// Whether the other side signed a receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receipt: Option<bool>,
    /// How much, with its currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<String>,
    /// The order, or the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    /// In the place of `purpose`, for persons: how many of what, by the name that its issuer gave it.
    #[serde(skip)]
    said: Option<String>,
    /// In the place of `claims`, for persons.
    #[serde(skip)]
    shown: Vec<String>,
}

/// Tells the entry with `number`.
pub(super) fn tell(
    number: usize,
    entry: &Entry,
    (decimals, names): (&Decimals, &Names),
) -> Result<Told> {
    let at = jiff::Timestamp::from_second(i64::try_from(entry.at)?)?.to_string();
    let told = of(&entry.event, decimals);
    let (said, shown) = named(&entry.event, names);
    Ok(Told { entry: number, at, said, shown, ..told })
}

/// Credentials and claims by the names that their issuers gave them.
fn named(event: &Event, names: &Names) -> (Option<String>, Vec<String>) {
    match event {
        Event::Received { vct, count, .. }
        | Event::Voided { vct, count, .. }
        | Event::Discarded { vct, count } => {
            let said = text!("{count} of {kind}", count = count, kind = names.kind(vct));
            (Some(said), Vec::new())
        }
        Event::Disclosed { receipt, .. } => (None, names.shown(receipt)),
        _ => (None, Vec::new()),
    }
}

fn of(event: &Event, decimals: &Decimals) -> Told {
    match event {
        Event::Received { issuer, vct, count } => Told {
            event: noted!("received"),
            party: Some(issuer.clone()),
            purpose: Some(format!("{count} of {vct}")),
            ..Told::default()
        },
        Event::Disclosed { party, purpose, claims, signed_receipt, .. } => Told {
            event: noted!("disclosed"),
            party: Some(party.clone()),
            purpose: Some(purpose.clone()),
            claims: claims.clone(),
            receipt: Some(signed_receipt.is_some()),
            ..Told::default()
        },
        Event::Declined { party, reason, .. } => with_reason(noted!("declined"), party, reason),
        Event::Refused { party, reason, .. } => with_reason(noted!("refused"), party, reason),
        Event::Reported { party, reason, report } => {
            Told { reference: report.clone(), ..with_reason(noted!("reported"), party, reason) }
        }
        Event::Paid { payee, amount_minor, currency, order, stepped_up, .. } => Told {
            event: noted!("paid"),
            party: Some(payee.clone()),
            purpose: stepped_up.then(|| noted!("confirmed with identity").to_owned()),
            amount: Some(amount(*amount_minor, currency.as_deref(), decimals)),
            reference: Some(order.clone()),
            ..Told::default()
        },
        Event::PaymentRefused { payee, amount_minor, currency, order, code } => Told {
            event: noted!("payment_refused"),
            party: Some(payee.clone()),
            purpose: Some(code.clone()),
            amount: Some(amount(*amount_minor, Some(currency), decimals)),
            reference: Some(order.clone()),
            ..Told::default()
        },
        Event::Enrolled { agency, programme } => with_reason(noted!("enrolled"), agency, programme),
        Event::PayoutChanged { agency, programme, account } => Told {
            reference: Some(account.clone()),
            ..with_reason(noted!("payout_changed"), agency, programme)
        },
        Event::LeftProgramme { agency, programme } => {
            with_reason(noted!("left"), agency, programme)
        }
        Event::Benefit { .. } => benefit(event, decimals),
        Event::HandedOver { bank, account } => about(noted!("handed_over"), bank, account),
        Event::TookOver { bank, account } => about(noted!("took_over"), bank, account),
        Event::AccountMoved { bank, account } => about(noted!("account_moved"), bank, account),
        Event::CashWithdrawn { .. }
        | Event::CashPaid { .. }
        | Event::CashReceived { .. }
        | Event::CashRedeemed { .. }
        | Event::CashTakenOffline { .. }
        | Event::CashOpened { .. }
        | Event::CashTakenBack { .. }
        | Event::CashLost { .. } => cash(event, decimals),
        Event::Voided { issuer, vct, count } => {
            with_reason(noted!("voided"), issuer, &format!("{count} x {vct}"))
        }
        Event::SheetWritten
        | Event::Froze { .. }
        | Event::DeletionAsked { .. }
        | Event::Discarded { .. } => guarded(event),
        Event::BackedUp => Told { event: noted!("backed_up"), ..Told::default() },
        Event::Restored => Told { event: noted!("restored"), ..Told::default() },
    }
}

/// What came of a benefit.
fn benefit(event: &Event, decimals: &Decimals) -> Told {
    let Event::Benefit { agency, programme, month, amount_minor, state, reason } = event else {
        return Told::default();
    };
    let returned = state == "returned";
    let event = if returned { noted!("benefit_returned") } else { noted!("benefit_paid") };
    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Told {
        amount: Some(amount(*amount_minor, None, decimals)),
        ..with_reason(event, agency, &format!("{programme} {month}{why}"))
    }
}

/// What she did about loss, theft, and what others keep.
fn guarded(event: &Event) -> Told {
    match event {
        Event::DeletionAsked { party, state, .. } => {
            let kept = state == "kept";
            let event = if kept { noted!("deletion_later") } else { noted!("deletion_done") };
            Told { event, party: Some(party.clone()), ..Told::default() }
        }
        Event::Discarded { vct, count } => {
            let purpose = Some(format!("{count} x {vct}"));
            Told { event: noted!("discarded"), purpose, ..Told::default() }
        }
        Event::SheetWritten => Told { event: noted!("sheet_written"), ..Told::default() },
        Event::Froze { institutions } => {
            let party = Some(institutions.join(&comma()));
            Told { event: noted!("froze"), party, ..Told::default() }
        }
        _ => Told::default(),
    }
}

fn with_reason(event: &'static str, party: &str, reason: &str) -> Told {
    let (party, purpose) = (Some(party.to_owned()), Some(reason.to_owned()));
    Told { event, party, purpose, ..Told::default() }
}

fn about(event: &'static str, bank: &str, account: &str) -> Told {
    let (party, reference) = (Some(bank.to_owned()), Some(account.to_owned()));
    Told { event, party, reference, ..Told::default() }
}

fn cash(event: &Event, decimals: &Decimals) -> Told {
    let told = |event, bank: Option<&String>, minor: u64, currency: &str| {
        let amount = Some(amount(minor, Some(currency), decimals));
        Told { event, party: bank.cloned(), amount, ..Told::default() }
    };
    match event {
        Event::CashWithdrawn { bank, amount_minor, currency } => {
            told(noted!("cash_withdrawn"), Some(bank), *amount_minor, currency)
        }
        Event::CashReceived { bank, amount_minor, currency } => {
            told(noted!("cash_received"), Some(bank), *amount_minor, currency)
        }
        Event::CashRedeemed { bank, amount_minor, currency } => {
            told(noted!("cash_redeemed"), Some(bank), *amount_minor, currency)
        }
        Event::CashTakenOffline { bank, amount_minor, currency } => {
            told(noted!("cash_pending"), Some(bank), *amount_minor, currency)
        }
        Event::CashTakenBack { bank, amount_minor, currency } => {
            told(noted!("cash_taken_back"), Some(bank), *amount_minor, currency)
        }
        Event::CashLost { bank, amount_minor, currency } => {
            told(noted!("cash_lost"), Some(bank), *amount_minor, currency)
        }
        Event::CashOpened { number, preimage } => Told {
            event: noted!("cash_opened"),
            purpose: Some(preimage.clone()),
            reference: Some(number.to_string()),
            ..Told::default()
        },
        Event::CashPaid { number, amount_minor, currency } => Told {
            reference: Some(number.to_string()),
            ..told(noted!("cash_paid"), None, *amount_minor, currency)
        },
        _ => Told::default(),
    }
}

fn amount(minor: u64, currency: Option<&str>, decimals: &Decimals) -> String {
    match currency.map(Currency::new) {
        Some(Ok(currency)) => money(Amount::new(currency, minor), decimals),
        _ => format!("{minor} minor units"),
    }
}

impl Told {
    /// For a person, in lines that fit a terminal: a line is begun where the next piece does not fit, and a piece
    /// is broken that fits none.
    pub(super) fn lines(&self) -> Vec<String> {
        let event = padded(&known(self.event), 15);
        let mut lines = vec![format!("{:>4}  {}  {event}", self.entry, self.at)];
        for piece in self.pieces() {
            let piece = one_line(&piece);
            match lines.last_mut() {
                Some(last) if fits(last, &piece) => {
                    last.push_str("  ");
                    last.push_str(&piece);
                }
                _ => lines.extend(broken(BELOW, &piece)),
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    /// How much, what, with whom, what for.
    fn pieces(&self) -> Vec<String> {
        let mut pieces = Vec::new();
        let mut add = |text: &str| pieces.push(text.to_owned());
        self.amount.as_deref().map(sum).iter().for_each(|amount| add(amount));
        let shown = if self.shown.is_empty() { &self.claims } else { &self.shown };
        if !shown.is_empty() {
            add(&shown.join(&comma()));
        }
        if let Some(party) = &self.party {
            add(&counterparty(self.event, party));
        }
        let purpose = self.purpose.as_deref().map(known);
        if let Some(purpose) = self.said.clone().or(purpose) {
            add(&format!("({purpose})"));
        }
        match self.receipt {
            Some(true) => add(&text!("receipt signed")),
            Some(false) => add(&text!("NO RECEIPT")),
            None => {}
        }
        self.reference.as_deref().into_iter().for_each(&mut add);
        pieces
    }
}

fn fits(line: &str, piece: &str) -> bool {
    columns_of(line).saturating_add(2).saturating_add(columns_of(piece)) <= WIDE
}

fn counterparty(event: &str, party: &str) -> String {
    match event {
        "received" | "benefit_paid" | "voided" => text!("from {party}", party = party),
        "benefit_returned" | "left" | "handed_over" | "took_over" | "account_moved"
        | "cash_withdrawn" | "cash_received" | "cash_redeemed" | "cash_pending"
        | "cash_taken_back" | "cash_lost" => {
            text!("at {party}", party = party)
        }
        "declined" | "refused" | "reported" => party.to_owned(),
        _ => text!("to {party}", party = party),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_to_whom_what_for_and_how_much() {
        let event = Event::Paid {
            payee: "to the moon".to_owned(),
            account: "a".to_owned(),
            amount_minor: 1_800,
            currency: Some("CNY".to_owned()),
            order: "o".to_owned(),
            stepped_up: true,
        };
        let decimals = [("CNY".to_owned(), 2)].into();
        let known = (&decimals, &Names::default());
        let lines = tell(7, &Entry { at: 0, event }, known).unwrap().lines();
        let expected = [
            "   7  1970-01-01T00:00:00Z  paid             18.00 CNY  to to the moon",
            "        (confirmed with identity)  o",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn an_entry_of_the_first_version_is_still_told() {
        let old = r#"{"at":1,"event":"paid","payee":"p","account":"a","amount_minor":5,"order":"o","stepped_up":false}"#;
        let entry: Entry = serde_json::from_str(old).unwrap();
        let told = tell(1, &entry, (&Decimals::new(), &Names::default())).unwrap();
        assert_eq!(told.amount.unwrap(), "5 minor units");
    }

    #[test]
    fn what_others_wrote_into_an_entry_begins_no_line_as_an_entry_does() {
        let reason = "asks for x\n   9  1970-01-01T00:00:00Z  paid\u{1b}[2J\u{202e}";
        let event =
            Event::Refused { party: "inn\r".to_owned(), reason: reason.to_owned(), request: None };
        let entry = Entry { at: 0, event };
        let lines = tell(1, &entry, (&Decimals::new(), &Names::default())).unwrap().lines();
        let expected = [
            "   1  1970-01-01T00:00:00Z  refused          inn",
            "        (asks for x    9  1970-01-01T00:00:00Z  paid [2J)",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn lines_fit_a_terminal_and_lose_nothing() {
        let long = "x".repeat(100);
        for reason in [
            "asks for what it is not registered for, again".repeat(4),
            "索取的信息超出登记范围，".repeat(9),
            long,
        ] {
            let event = Event::Refused {
                party: "黄鹤楼宾馆".to_owned(),
                reason: reason.clone(),
                request: None,
            };
            let told = tell(1, &Entry { at: 0, event }, (&Decimals::new(), &Names::default()));
            let lines = told.unwrap().lines();
            assert!(
                lines.len() > 2 && lines.iter().all(|line| columns_of(line) <= WIDE),
                "{lines:#?}"
            );
            assert!(lines.iter().skip(1).all(|line| line.starts_with(BELOW)), "{lines:#?}");
            assert!(lines.concat().replace(' ', "").contains(&reason.replace(' ', "")));
        }
    }
}
