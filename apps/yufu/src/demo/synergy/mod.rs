//! What it is worth that the parts work together: the same person reaches the same three ends twice, an account,
//! a paid night at a hotel, a train ride. First with one identity, one account and one wallet; then with
//! institutions that share nothing. Both are played over HTTP, and counted the same way.

mod silo;

use super::report::Told;
use super::services_words::together;
use super::story::Story;
use crate::wallet::{Bill, Event, Holder, Paid};
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use silo::{
    Attributes, Card, Code, Login, Purchase, Registered, Registration, Session, Silos, Transfer,
};
use std::time::Duration;
use yufu_api::bank::{Exchange, ExchangeDirection};
use yufu_api::relying_party::{CheckIn, CheckInRequest, NewDeparture, PassageState, TicketRequest};
use yufu_base::Amount;
use yufu_profile::{ClaimSource, Evidence, Institution, Resident, Role};
use yufu_wallet::presentation::Consent;

/// What a way to the three ends asks of the person.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Effort {
    /// Acts of the person: showing the card, filling in a form, typing a code, logging in, agreeing, ordering.
    pub(super) steps: usize,
    /// Attributes of her identity that a party got, each time it got them; the issuer of the card had them before.
    pub(super) disclosures: usize,
    /// How long the machines took; people take longer, and take it at every step.
    pub(super) seconds: f64,
}

/// Both ways.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Synergy {
    pub(super) integrated: Effort,
    pub(super) siloed: Effort,
}

/// What a night and a ride cost, in major units.
const NIGHT: u64 = 380;
const RIDE: u64 = 180;

impl Story<'_> {
    pub(super) async fn synergy(&mut self) -> Result<Told> {
        let resident = self.somebody_else()?;
        let mut wallet = self.open_wallet(&format!("synergy-{}", self.run))?;
        let (integrated, took) = Box::pin(timed(self.integrated(resident, &mut wallet))).await?;
        let integrated = Effort { seconds: took.as_secs_f64(), ..integrated };
        let (siloed, took) = timed(self.siloed(resident, &mut wallet)).await?;
        let siloed = Effort { seconds: took.as_secs_f64(), ..siloed };
        let synergy = Synergy { integrated, siloed };
        self.synergy = Some(synergy);
        Ok(Told::new(together(&synergy)))
    }

    /// With one identity, one account, one wallet.
    async fn integrated(&self, resident: &Resident, wallet: &mut Holder) -> Result<Effort> {
        let mut steps = 0_usize;
        let mut act = || steps = steps.saturating_add(1);
        let issued = self.authenticated(resident).await?;
        act();
        wallet.get(&issued.offer, Some(&issued.transaction_code)).await?;
        act();
        let mut agree = |_: &Consent| true;
        let bank = self.other_bank.id.as_str();
        let class = self.class(Evidence::Identity)?;
        wallet.open_account(bank, class, &mut agree).await?;
        act();
        self.fund(wallet, self.major(NIGHT.saturating_add(RIDE).saturating_mul(2))).await?;
        wallet.get_payment_credential().await?;
        act();

        let (hotel, railway) = (self.the(Role::Hotel)?, self.the(Role::Railway)?);
        let desk = self.desk(&hotel.id)?;
        let url = format!("{}/parties/{}/v1/desk/check-ins", self.address(&hotel.id), hotel.id);
        let amount_minor = self.major(NIGHT).minor();
        let request =
            CheckInRequest { room: "404".to_owned(), nights: 1, amount_minor, return_to: None };
        let begun: CheckIn = self.client.post(&url, Some(&desk), &request).await?;
        wallet.present(&begun.authorization_request, &mut agree).await?;
        act();

        let departure = self.departure(railway).await?;
        act();
        wallet.buy_ticket(railway.id.as_str(), &departure, &mut agree).await?;
        act();
        self.through_the_gate(railway, wallet).await?;
        act();
        Ok(Effort { steps, disclosures: self.identity_shown(wallet)?, seconds: 0.0 })
    }

    /// With institutions that share nothing but the money.
    async fn siloed(&self, resident: &Resident, wallet: &mut Holder) -> Result<Effort> {
        let silos = Silos::start().await?;
        let mut customer = Customer {
            story: self,
            url: silos.url.clone(),
            card: self.card(resident)?,
            password: yufu_keys::random_text(),
            wallet,
            steps: 0,
        };
        let account = customer.register("bank").await?;
        let hotel = self.the(Role::Hotel)?;
        customer.buy("hotel", &account, hotel, self.major(NIGHT)).await?;
        let railway = self.the(Role::Railway)?;
        customer.buy("railway", &account, railway, self.major(RIDE)).await?;
        let steps = customer.steps;
        Ok(Effort { steps, disclosures: silos.stop().await?, seconds: 0.0 })
    }

    /// An adult who does not play the journey in this run.
    fn somebody_else(&self) -> Result<&Resident> {
        let adults = self.adults();
        let half = adults.len().checked_div(2).unwrap_or(0);
        let index = self.run.saturating_add(half).checked_rem(adults.len());
        let found = index.and_then(|index| adults.get(index).copied());
        found.filter(|other| other.number != self.resident.number).context("nobody else is adult")
    }

    /// Paper into a wallet, at its bank's counter: the same in both ways, so counted in neither.
    async fn fund(&self, wallet: &Holder, amount: Amount) -> Result<()> {
        let (bank, account) = wallet.first_account().context("no account was opened")?;
        let bank = bank.parse()?;
        let request = Exchange {
            id: None,
            direction: ExchangeDirection::PaperToDigital,
            account: Some(account.to_owned()),
            amount_minor: amount.minor(),
        };
        let url = format!("{}/banks/{bank}/v1/desk/exchanges", self.address(&bank));
        let _: Value = self.client.post(&url, Some(&self.desk(&bank)?), &request).await?;
        Ok(())
    }

    async fn departure(&self, railway: &Institution) -> Result<String> {
        let story = &self.country.profile.city.story;
        let [train, _] = &story.trains;
        let id = format!("{train}-next-day-run{}", self.run);
        let new = NewDeparture {
            id: id.clone(),
            train: train.clone(),
            date: "2026-12-02".to_owned(),
            class: story.travel_class.clone(),
            price_minor: self.major(RIDE).minor(),
            seats: 1,
        };
        let base = self.address(&railway.id);
        let url = format!("{base}/parties/{}/v1/desk/departures", railway.id);
        let _: Value = self.client.post(&url, Some(&self.desk(&railway.id)?), &new).await?;
        Ok(id)
    }

    async fn through_the_gate(&self, railway: &Institution, wallet: &mut Holder) -> Result<()> {
        let (base, desk) = (self.address(&railway.id), self.desk(&railway.id)?);
        let url = format!("{base}/parties/{}/v1/desk/gates/b2/requests", railway.id);
        let asked: TicketRequest = self.client.post(&url, Some(&desk), &json!({})).await?;
        wallet.present(&asked.authorization_request, &mut |_: &Consent| true).await?;
        let url = format!("{url}/{}", asked.request);
        let passage: PassageState = self.client.get(&url, Some(&desk)).await?;
        ensure!(passage.open, "the gate stayed shut");
        Ok(())
    }

    /// How many attributes of the identity a wallet showed in all.
    fn identity_shown(&self, wallet: &Holder) -> Result<usize> {
        let identity: Vec<String> =
            self.identity()?.claims.iter().map(|claim| claim.path.to_string()).collect();
        let shown = wallet.history().iter().filter_map(|entry| match &entry.event {
            Event::Disclosed { claims, .. } => Some(claims),
            _ => None,
        });
        Ok(shown.flatten().filter(|claim| identity.contains(claim)).count())
    }

    /// What stands on a card.
    fn card(&self, resident: &Resident) -> Result<Attributes> {
        let printed = self.identity()?.claims.iter().filter_map(|claim| match claim.source {
            ClaimSource::Column(column) => Some((claim.path.to_string(), resident.value(column))),
            _ => None,
        });
        Ok(printed.collect())
    }
}

/// A person among silos.
struct Customer<'a, 'b> {
    story: &'a Story<'b>,
    url: String,
    card: Attributes,
    password: String,
    wallet: &'a mut Holder,
    steps: usize,
}

impl Customer<'_, '_> {
    async fn act<B: Serialize + Sync, T: serde::de::DeserializeOwned>(
        &mut self,
        silo: &str,
        what: &str,
        content: &B,
    ) -> Result<T> {
        self.steps = self.steps.saturating_add(1);
        let url = format!("{}/{silo}/{what}", self.url);
        Ok(self.story.client.post(&url, None, content).await?)
    }

    /// A form, a copy of the card, a code by telephone.
    async fn register(&mut self, silo: &str) -> Result<String> {
        let names = ["family_name", "given_name", "personal_administrative_number"];
        let filled = |name: &&str| Some(((*name).to_owned(), self.card.get(*name)?.clone()));
        let registration = Registration {
            form: names.iter().filter_map(filled).collect(),
            card: self.card.clone(),
            phone: "+99900000000".to_owned(),
            password: self.password.clone(),
        };
        let Registered { account, code } = self.act(silo, "registrations", &registration).await?;
        let answer = Code { account: account.clone(), code };
        let () = self.act(silo, "codes", &answer).await?;
        Ok(account)
    }

    async fn log_in(&mut self, silo: &str, account: &str) -> Result<Session> {
        let login = Login { account: account.to_owned(), password: self.password.clone() };
        self.act(silo, "sessions", &login).await
    }

    /// Registers, orders, pays by a transfer at the bank, and shows the card where it is used.
    async fn buy(
        &mut self,
        silo: &str,
        bank: &str,
        payee: &Institution,
        price: Amount,
    ) -> Result<()> {
        let account = self.register(silo).await?;
        let session = self.log_in(silo, &account).await?;
        let Purchase { purchase } = self.act(silo, "purchases", &session).await?;
        self.log_in("bank", bank).await?;
        let id = self.wallet.fresh_order_id();
        let bill = Bill {
            payee: self.story.business_account(payee).await?,
            payee_name: payee.name.en().to_owned(),
            amount: price,
            id,
        };
        self.steps = self.steps.saturating_add(1);
        let Paid::Done(_) = self.wallet.pay(&bill).await? else { bail!("a transfer was refused") };
        let made = Transfer { purchase: purchase.clone(), order: id.to_string() };
        let url = format!("{}/{silo}/transfers", self.url);
        let () = self.story.client.post(&url, None, &made).await?;
        let card = Card { purchase, card: self.card.clone() };
        self.act(silo, "cards", &card).await
    }
}

async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<(T, Duration)> {
    #[expect(clippy::disallowed_methods, reason = "a measurement of how long a way takes")]
    let started = std::time::Instant::now();
    let done = work.await?;
    Ok((done, started.elapsed()))
}
