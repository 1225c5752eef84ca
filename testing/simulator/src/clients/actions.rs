//! One order of each kind, by whoever may give it, but now and then by somebody else.

use super::{Clients, Reference};
use crate::chance::Chance;
use crate::city::{BELOW, City};
use yufu_base::{AccountId, Amount, Digest, Timestamp};
use yufu_machine::{Action, Authorisation, Direction, SubLimits};

/// What may be asked for.
#[derive(Clone, Copy)]
enum Kind {
    Pay,
    PayAvailable,
    Hold,
    Decide,
    Refund,
    Dispute,
    Correct,
    Exchange,
    Issue,
    Freeze,
    Thaw,
    Life,
    Below,
    Rules,
    Abroad,
    Notes,
}

const KINDS: [(u64, Kind); 16] = [
    (20, Kind::Pay),
    (4, Kind::PayAvailable),
    (12, Kind::Hold),
    (16, Kind::Decide),
    (8, Kind::Refund),
    (10, Kind::Dispute),
    (6, Kind::Correct),
    (10, Kind::Exchange),
    (5, Kind::Issue),
    (4, Kind::Freeze),
    (6, Kind::Thaw),
    (6, Kind::Life),
    (5, Kind::Below),
    (2, Kind::Rules),
    (24, Kind::Abroad),
    (20, Kind::Notes),
];

impl Clients {
    pub(super) fn order(&self, chance: &mut Chance, now: Timestamp) -> (&'static str, Action) {
        let (by, action) = match chance.weighted(&KINDS).unwrap_or(Kind::Pay) {
            Kind::Pay => self.pay(chance, Form::Plain, now),
            Kind::PayAvailable => self.pay(chance, Form::Available, now),
            Kind::Hold => self.pay(chance, Form::Held, now),
            Kind::Decide => self.decide(chance),
            Kind::Refund | Kind::Dispute | Kind::Correct if self.payments.is_empty() => {
                self.pay(chance, Form::Plain, now)
            }
            Kind::Refund => {
                let Reference { id: of, takes, .. } = self.recent(chance, &self.payments);
                let (amount, order) = (self.money(chance), Digest::ZERO);
                (takes, Action::Refund { of, amount, order })
            }
            Kind::Dispute => {
                let Reference { id: of, returns, .. } = self.recent(chance, &self.payments);
                let (amount, evidence) = (self.money(chance), Digest::ZERO);
                let expires = deadline(chance, now, 5);
                (returns, Action::DisputePayment { of, amount, expires, evidence })
            }
            Kind::Correct => {
                let Reference { id: of, takes, .. } = self.recent(chance, &self.entries);
                let (amount, reason) = (self.money(chance), Digest::ZERO);
                (takes, Action::Correct { of, amount, reason })
            }
            Kind::Exchange => self.exchange(chance),
            Kind::Issue => self.issue(chance),
            Kind::Freeze => {
                let by = chance.pick(&City::AUTHORITIES).copied().unwrap_or_default();
                let (account, _) = self.wallet(chance);
                let (legal_reference, until) = (Digest::ZERO, deadline(chance, now, 6));
                (by, Action::OrderFreeze { account, legal_reference, until })
            }
            Kind::Thaw => {
                let Reference { id: freeze, takes, returns } = self.recent(chance, &self.freezes);
                match chance.below(9) {
                    0..=2 => (returns, Action::LiftFreeze { freeze }),
                    3 => (returns, Action::ConfirmFreeze { freeze }),
                    _ => (takes, Action::ConfirmFreeze { freeze }),
                }
            }
            Kind::Life => self.life(chance),
            Kind::Below => self.below(chance),
            Kind::Rules => Self::rules_of_the_day(chance),
            Kind::Abroad => self.abroad(chance, now),
            Kind::Notes => self.notes(chance, now),
        };
        let others =
            [City::CENTRAL_BANK, "bank-a", "bank-b", "court", "prosecutor", City::PEER, "stranger"];
        let other = chance.one_in(25).then(|| chance.pick(&others).copied()).flatten();
        (other.unwrap_or(by), action)
    }

    fn pay(&self, chance: &mut Chance, form: Form, now: Timestamp) -> (&'static str, Action) {
        let ((payer, by), (payee, _)) = (self.wallet(chance), self.wallet(chance));
        let (amount, order) = (self.money(chance), Digest::ZERO);
        let authorisation = match chance.below(6) {
            0 => Authorisation::SteppedUp { presentation: Digest::ZERO },
            _ => Authorisation::Ordinary,
        };
        let action = match form {
            Form::Plain => Action::Pay { payer, payee, amount, order, authorisation },
            Form::Available => {
                let (most, close) = (amount, chance.one_in(4));
                Action::PayAvailable { payer, payee, most, close, order, authorisation }
            }
            Form::Held => {
                let expires = deadline(chance, now, 3);
                Action::HoldPayment { payer, payee, amount, expires, order, authorisation }
            }
        };
        (by, action)
    }

    fn decide(&self, chance: &mut Chance) -> (&'static str, Action) {
        let Reference { id: hold, takes, returns } = self.recent(chance, &self.holds);
        if chance.one_in(3) {
            (returns, Action::ReleaseHold { hold })
        } else {
            (takes, Action::PostHold { hold, amount: self.money(chance) })
        }
    }

    fn exchange(&self, chance: &mut Chance) -> (&'static str, Action) {
        let (account, by) = self.wallet(chance);
        let direction = match chance.below(6) {
            0 => Direction::PaperToDigital(account),
            1 => Direction::DigitalToPaper(account),
            2 => Direction::DepositToDigital(account),
            3 => Direction::DigitalToDeposit(account),
            4 => Direction::PaperToDeposit,
            _ => Direction::DepositToPaper,
        };
        (by, Action::Exchange { direction, amount: self.money(chance) })
    }

    fn issue(&self, chance: &mut Chance) -> (&'static str, Action) {
        let by = chance.pick(&City::BANKS).copied().unwrap_or_default();
        let (bank, amount) = (City::name(by), self.money(chance));
        let action = match chance.below(7) {
            0 => Action::CreateReserves { bank, amount },
            1 => Action::CancelReserves { bank, amount },
            2 => Action::Issue { bank, amount },
            3 => Action::Redeem { bank, amount },
            4 => Action::SupplyPaper { bank, amount },
            5 => Action::ReturnPaper { bank, amount },
            _ => return (by, Action::CreditDeposits { amount }),
        };
        (City::CENTRAL_BANK, action)
    }

    fn life(&self, chance: &mut Chance) -> (&'static str, Action) {
        let (account, by) = self.wallet(chance);
        let class = City::class(chance.pick(&["IV", "III", "I"]).copied().unwrap_or("IV"));
        let action = match chance.below(6) {
            0 => Action::OpenWallet { account: self.new_account(), class },
            1 => Action::OpenWallet { account, class },
            2 => Action::SetClass { account, class },
            3 => Action::CloseWallet { account },
            4 => Action::FlagDormant { account },
            _ => Action::Reactivate { account, evidence: Digest::ZERO },
        };
        (by, action)
    }

    fn below(&self, chance: &mut Chance) -> (&'static str, Action) {
        let ((parent, by), (payee, _)) = (self.wallet(chance), self.wallet(chance));
        let (amount, order) = (self.money(chance), Digest::ZERO);
        let authorisation = Authorisation::Ordinary;
        match chance.below(5) {
            0 => {
                let limits = SubLimits { per_payment: 60, per_day: 150, balance: 300 };
                let account = self.new_account();
                (by, Action::OpenSubWallet { account, parent, payee, limits, order })
            }
            1 => ("bank-a", Action::FundSubWallet { account: BELOW, amount, order }),
            2 => ("bank-a", Action::CloseWallet { account: BELOW }),
            _ => {
                let (payer, payee) = (BELOW, AccountId::new(6));
                ("bank-a", Action::Pay { payer, payee, amount, order, authorisation })
            }
        }
    }

    fn rules_of_the_day(chance: &mut Chance) -> (&'static str, Action) {
        let action = match chance.below(4) {
            0 => Action::SetDeadlines { deadlines: None },
            1 | 2 => Action::SetDeadlines { deadlines: Some(City::deadlines()) },
            _ => {
                let cap = chance.below(3_000).saturating_add(1_500);
                Action::SetHoldingRules { rules: City::rules(cap) }
            }
        };
        (City::CENTRAL_BANK, action)
    }

    /// A wallet with its bank; now and then one that nobody has.
    pub(super) fn wallet(&self, chance: &mut Chance) -> (AccountId, &'static str) {
        let nobody = (AccountId::new(99), "bank-a");
        if chance.one_in(40) {
            return nobody;
        }
        if chance.one_in(12) {
            return (BELOW, "bank-a");
        }
        // Some are used more than others.
        let often = self.wallets.get(..2).filter(|_| chance.one_in(2));
        chance.pick(often.unwrap_or(&self.wallets)).copied().unwrap_or(nobody)
    }

    fn new_account(&self) -> AccountId {
        AccountId::new(self.ids.saturating_add(1))
    }

    pub(super) fn money(&self, chance: &mut Chance) -> Amount {
        let minor = match chance.below(24) {
            0 => 0,
            1 => chance.below(30_000),
            2..=6 => chance.below(500),
            _ => chance.below(120).saturating_add(1),
        };
        self.city.amount(minor)
    }

    /// One of the last few.
    fn recent(&self, chance: &mut Chance, of: &[Reference]) -> Reference {
        let last = of.len().saturating_sub(12);
        let one = chance.pick(of.get(last..).unwrap_or_default()).copied();
        // Nothing has this id.
        let id = yufu_base::CommandId::at(City::START, 0);
        one.unwrap_or(Reference { id, takes: "bank-a", returns: "bank-b" })
    }
}

/// The three forms of a payment.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Available,
    Held,
}

/// A deadline within some days; now and then one that lies behind or too far ahead.
pub(super) fn deadline(chance: &mut Chance, now: Timestamp, days: u64) -> Timestamp {
    match chance.below(20) {
        0 => now,
        1 => now.plus_seconds(days.saturating_add(1).saturating_mul(86_400)),
        _ => now.plus_seconds(chance.below(days.saturating_mul(86_400)).saturating_add(1)),
    }
}
