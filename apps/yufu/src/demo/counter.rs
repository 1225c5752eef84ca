//! The step of somebody without a telephone: identified at the counter, a card and a PIN, cash and
//! a payment at the bank's terminal, and a wrong PIN.

use super::name::{her_counter_wallet, paper_of, the_publics_paper, vault_of};
use super::people_words;
use super::report::Told;
use super::story::Story;
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use yufu_api::bank::{
    CardAndPin, CardChange, CardStepDone, CardStepRequest, CounterOrderDone, CounterOrderKind,
    CounterOrderRequest, CounterStatement, CounterWallet, FirstPin, NewCounterWallet, PinSet,
    PinText, TerminalRequest, TerminalSession,
};
use yufu_api::http::ProblemBody;
use yufu_base::{Amount, InstitutionId};
use yufu_keys::random;
use yufu_profile::{Evidence, Resident};

const TELLER: &str = "teller-3";
const EVIDENCE: &str = "ID card and portrait compared, form 2026-118";

/// A card at a terminal that an officer opened.
struct AtTerminal {
    url: String,
    session: String,
    card: String,
    pin: String,
}

/// What an officer's or a terminal's request came to.
enum Answer<T> {
    Done(T),
    Refused(Box<ProblemBody>),
}

impl<T> Answer<T> {
    fn done(self) -> Result<T> {
        match self {
            Self::Done(done) => Ok(done),
            Self::Refused(problem) => bail!("{}: {}", problem.code, problem.detail),
        }
    }

    fn refused(self, code: &str) -> Result<Box<ProblemBody>> {
        match self {
            Self::Refused(problem) if problem.code == code => Ok(problem),
            Self::Refused(problem) => bail!("refused, but for another reason: {}", problem.code),
            Self::Done(_) => bail!("done, where {code} was to be refused"),
        }
    }
}

impl<'a> Story<'a> {
    pub(super) async fn counter_wallet(&mut self) -> Result<Told> {
        if !self.country.profile.account_opening.in_person() {
            return Ok(Told::new(people_words::not_in_person()));
        }
        let (bank, class) = (self.bank, self.class(Evidence::Identity)?.to_owned());
        let (elder, opened) = self.without_telephone(&class).await?;
        let terminal: TerminalSession = self
            .as_officer(
                &bank.id,
                "terminal-sessions",
                &TerminalRequest { terminal: "counter-3".to_owned() },
            )
            .await?
            .done()?;
        let mut at = AtTerminal {
            url: format!("{}/banks/{}/v1/terminal", self.address(&bank.id), bank.id),
            session: terminal.session,
            card: opened.card,
            pin: String::new(),
        };
        let date = elder.birth_date.strftime("%y%m%d").to_string();
        self.first_pin(&at, &date).await?.refused("card.pin_weak")?;
        self.choose_pin(&mut at).await?;
        let (cash, price, out) = (self.major(500), self.major(18), self.major(100));
        self.order(&at, CounterOrderKind::CashIn, cash).await?.done()?;
        let paid = self.order(&at, CounterOrderKind::Pay, price).await?.done()?;
        let wrong = AtTerminal { pin: other(&at.pin), ..at.at_the_same() };
        let refused = self.order(&wrong, CounterOrderKind::CashOut, out).await?;
        let refused = refused.refused("card.refused")?;
        let wait = refused.more.get("retry_after_seconds").and_then(|s| s.as_u64());
        let wait = wait.context("the refusal does not say how long to wait")?;
        self.order(&at, CounterOrderKind::CashOut, out).await?.refused("card.too_soon")?;
        self.unblock(elder, &class).await?;
        self.choose_pin(&mut at).await?;
        self.order(&at, CounterOrderKind::CashOut, out).await?.done()?;
        let left: CounterStatement =
            self.at_terminal(&at, "statements", &at.typed()).await?.done()?;
        let expected = paid.balance_minor.map(|before| before.saturating_sub(out.minor()));
        ensure!(Some(left.balance_minor) == expected, "{} are left", left.balance_minor);
        ensure!(left.entries.len() == 3, "{} orders are listed", left.entries.len());
        let name = self.tell(&bank.name);
        Ok(Told::new(people_words::at_the_counter(self.years(elder), wait))
            .moved(the_publics_paper(), paper_of(name), cash)
            .moved(vault_of(name), her_counter_wallet(), cash)
            .moved(her_counter_wallet(), self.tell(&self.merchant.name), price)
            .moved(her_counter_wallet(), vault_of(name), out)
            .moved(paper_of(name), the_publics_paper(), out))
    }

    /// Opens a counter wallet for somebody old who has no wallet here yet; they come from the end of the
    /// register, so that nobody plays both parts.
    async fn without_telephone(&self, class: &str) -> Result<(&'a Resident, CounterWallet)> {
        let country = self.country;
        for person in country.residents.iter().rev().filter(|r| self.years(r) >= 70) {
            let wish = typed(person, class);
            match self.as_officer(&self.bank.id, "counter-wallets", &wish).await? {
                Answer::Refused(problem) if problem.code == "account.too_many" => {}
                answer => return Ok((person, answer.done()?)),
            }
        }
        bail!("everybody who is old has a wallet here")
    }

    async fn unblock(&self, elder: &Resident, class: &str) -> Result<()> {
        let request = CardStepRequest {
            class: class.to_owned(),
            number: elder.number.as_str().to_owned(),
            step: CardChange::Unblock,
            evidence: EVIDENCE.to_owned(),
        };
        let answer = self.as_officer(&self.bank.id, "counter-wallets/steps", &request).await?;
        let _: CardStepDone = answer.done()?;
        Ok(())
    }

    /// Sets random PINs until one is not easily guessed.
    async fn choose_pin(&self, at: &mut AtTerminal) -> Result<()> {
        for _ in 0..5 {
            let drawn = u64::from_be_bytes(random()).checked_rem(1_000_000).unwrap_or(0);
            let pin = format!("{drawn:06}");
            match self.first_pin(at, &pin).await? {
                Answer::Done(_) => {
                    at.pin = pin;
                    return Ok(());
                }
                weak => weak.refused("card.pin_weak")?,
            };
        }
        bail!("five random PINs were easily guessed")
    }

    async fn first_pin(&self, at: &AtTerminal, pin: &str) -> Result<Answer<PinSet>> {
        let request = FirstPin { card: at.card.clone(), pin: PinText::new(pin) };
        self.at_terminal(at, "pins", &request).await
    }

    async fn order(
        &mut self,
        at: &AtTerminal,
        kind: CounterOrderKind,
        amount: Amount,
    ) -> Result<Answer<CounterOrderDone>> {
        let pays = kind == CounterOrderKind::Pay;
        let payee = if pays { Some(self.merchant_account().await?.to_string()) } else { None };
        let request = CounterOrderRequest {
            id: self.wallet.fresh_order_id().to_string(),
            card: at.card.clone(),
            pin: PinText::new(&at.pin),
            kind,
            amount_minor: amount.minor(),
            payee,
            payee_name: pays.then(|| "Noodles".to_owned()),
            identification: None,
        };
        self.at_terminal(at, "orders", &request).await
    }

    async fn at_terminal<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        at: &AtTerminal,
        path: &str,
        body: &B,
    ) -> Result<Answer<T>> {
        self.send(&format!("{}/{path}", at.url), &at.session, body).await
    }

    /// What an officer, named, posts at a bank's desk.
    async fn as_officer<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        bank: &InstitutionId,
        path: &str,
        body: &B,
    ) -> Result<Answer<T>> {
        let url = format!("{}/banks/{bank}/v1/desk/{path}", self.address(bank));
        self.send(&url, &self.desk(bank)?, body).await
    }

    async fn send<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: &str,
        body: &B,
    ) -> Result<Answer<T>> {
        let headers = [
            ("authorization", format!("Bearer {bearer}")),
            ("content-type", "application/json".to_owned()),
            ("operator", TELLER.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let body = serde_json::to_vec(body)?;
        let (status, _, answer) = self.client.exchange("POST", url, &headers, body).await?;
        if (200..300).contains(&status) {
            return Ok(Answer::Done(serde_json::from_slice(&answer)?));
        }
        Ok(Answer::Refused(Box::new(serde_json::from_slice(&answer)?)))
    }
}

impl AtTerminal {
    fn typed(&self) -> CardAndPin {
        CardAndPin { card: self.card.clone(), pin: PinText::new(&self.pin) }
    }

    fn at_the_same(&self) -> Self {
        let (url, session) = (self.url.clone(), self.session.clone());
        Self { url, session, card: self.card.clone(), pin: self.pin.clone() }
    }
}

/// What the officer types off somebody's card.
fn typed(person: &Resident, class: &str) -> NewCounterWallet {
    NewCounterWallet {
        class: class.to_owned(),
        number: person.number.as_str().to_owned(),
        family_name: person.family_name.clone(),
        given_name: person.given_name.clone(),
        birthdate: person.birth_date.to_string(),
        evidence: EVIDENCE.to_owned(),
    }
}

/// Another PIN than this one, whichever it is: each digit is one more.
fn other(pin: &str) -> String {
    let next = |digit: u32| digit.checked_add(1).and_then(|next| char::from_digit(next, 10));
    pin.chars().map(|digit| digit.to_digit(10).and_then(next).unwrap_or('0')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_pin_is_never_the_right_one() {
        for pin in ["000000", "999999", "235327", "123456", "907090"] {
            let wrong = other(pin);
            assert_ne!(wrong, pin);
            assert_eq!(wrong.len(), 6);
            assert!(wrong.bytes().all(|digit| digit.is_ascii_digit()));
        }
    }
}
