//! The steps about services: a hotel, a train, a gate, a refund.

use super::name::{her_wallet, payment_credential};
use super::report::Told;
use super::services_words::{
    checked_in, payment_credentials, refunded, through_the_gate, travelling,
};
use super::story::Story;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yufu_api::bank::PresentedPaymentFile;
use yufu_api::relying_party::{CheckIn, CheckInRequest, CheckInState, NewDeparture, PassageState};
use yufu_api::relying_party::{TakingsAccount, TicketFile, TicketRequest};
use yufu_profile::{Institution, Role};
use yufu_wallet::presentation::Consent;

/// How many nights she stays.
const NIGHTS: u16 = 2;

impl Story<'_> {
    pub(super) async fn payment_credential(&mut self) -> Result<Told> {
        let received = self.wallet.get_payment_credential().await?;
        ensure!(received.claims.is_empty(), "the payment credential says {:?}", received.claims);
        Ok(Told::new(payment_credentials(received.count))
            .learned(her_wallet(), [payment_credential()]))
    }

    pub(super) async fn hotel(&mut self) -> Result<Told> {
        let hotel = self.the(Role::Hotel)?;
        self.takings_account(hotel).await?;
        let amount = self.major(760);
        let desk = self.desk(&hotel.id)?;
        let url = format!("{}/parties/{}/v1/desk/check-ins", self.address(&hotel.id), hotel.id);
        let room = self.country.profile.city.story.room.clone();
        let request =
            CheckInRequest { room, nights: NIGHTS, amount_minor: amount.minor(), return_to: None };
        let begun: CheckIn = self.client.post(&url, Some(&desk), &request).await?;
        let before = self.balance().await?;
        let mut agree = |_: &Consent| true;
        let shown = self.wallet.present(&begun.authorization_request, &mut agree).await?;
        ensure!(shown.receipt, "the hotel signed no receipt");
        let url = format!("{url}/{}", begun.check_in);
        let state: CheckInState = self.client.get(&url, Some(&desk)).await?;
        ensure!(state.state == "checked_in", "the check-in is {}", state.state);
        let paid = before.saturating_sub(self.balance().await?);
        ensure!(paid == amount.minor(), "{paid} left her wallet, not {}", amount.minor());
        let payment = state.payment.context("the hotel knows of no payment")?;
        let known = serde_json::to_value(&payment)?;
        let known = known.as_object().context("a payment is an object")?;
        let account = self.wallet.first_account().context("she has no account")?.1.to_owned();
        ensure!(!serde_json::to_string(known)?.contains(&account), "the hotel knows her account");
        self.bank_saw_no_claim(&payment.payment).await?;
        let days = hotel.retention_days;
        Ok(Told::new(checked_in(&days.to_string())).moved(
            her_wallet(),
            self.tell(&hotel.name),
            amount,
        ))
    }

    pub(super) async fn ticket(&mut self) -> Result<Told> {
        let railway = self.the(Role::Railway)?;
        self.takings_account(railway).await?;
        let price = self.major(180);
        for (departure, train) in self.departures() {
            let new = NewDeparture {
                id: departure,
                train: train.to_owned(),
                date: "2026-12-01".to_owned(),
                class: self.country.profile.city.story.travel_class.clone(),
                price_minor: price.minor(),
                seats: 3,
            };
            let url =
                format!("{}/parties/{}/v1/desk/departures", self.address(&railway.id), railway.id);
            let _: Value = self.client.post(&url, Some(&self.desk(&railway.id)?), &new).await?;
        }
        let [(departure, _), (later, _)] = self.departures();
        let mut agree = |_: &Consent| true;
        let id = railway.id.as_str();
        let bought = self.wallet.buy_ticket(id, &departure, &mut agree).await?;
        ensure!(bought.shown.claims.is_empty(), "buying showed {:?}", bought.shown.claims);
        self.ticket_is(railway, &bought.booking, "valid").await?;
        let changed = self.wallet.change_ticket(id, &later, &mut agree).await?;
        self.ticket_is(railway, &bought.booking, "changed").await?;
        self.train = Some(changed.booking);
        Ok(Told::new(travelling(changed.ticket.count))
            .learned(her_wallet(), self.attributes(&changed.ticket.claims))
            .moved(her_wallet(), self.tell(&railway.name), price))
    }

    pub(super) async fn gate(&mut self) -> Result<Told> {
        let railway = self.the(Role::Railway)?;
        let mut agree = |_: &Consent| true;
        let request = self.gate_request(railway).await?;
        let shown = self.wallet.present(&request.authorization_request, &mut agree).await?;
        let url = format!("{}/{}", self.gate_url(railway), request.request);
        let desk = self.desk(&railway.id)?;
        let passage: PassageState = self.client.get(&url, Some(&desk)).await?;
        ensure!(passage.open, "the gate stayed shut");
        let ticket = self.train.clone().context("no ticket was bought")?;
        self.ticket_is(railway, &ticket, "used").await?;
        ensure!(shown.claims.iter().any(|claim| claim == "ticket"), "no ticket was shown");
        let again = self.gate_request(railway).await?;
        let refused = self.wallet.present(&again.authorization_request, &mut agree).await;
        let refusal = refused.err().context("a ticket opened the gate twice")?.to_string();
        ensure!(refusal.contains("ticket.used"), "refused, but for another reason: {refusal}");
        Ok(Told::new(through_the_gate()))
    }

    pub(super) async fn refund(&mut self) -> Result<Told> {
        let railway = self.the(Role::Railway)?;
        let [_, (departure, _)] = self.departures();
        let mut agree = |_: &Consent| true;
        let id = railway.id.as_str();
        let used = self.wallet.return_ticket(id, &mut agree).await;
        let refusal = used.err().context("a used ticket was paid back")?.to_string();
        ensure!(refusal.contains("ticket.used"), "refused, but for another reason: {refusal}");
        let before = self.balance().await?;
        let bought = self.wallet.buy_ticket(id, &departure, &mut agree).await?;
        ensure!(before > self.balance().await?, "a ticket was free");
        self.wallet.return_ticket(id, &mut agree).await?;
        self.ticket_is(railway, &bought.booking, "refunded").await?;
        ensure!(before == self.balance().await?, "the ticket was not paid back in full");
        let price = self.major(180);
        Ok(Told::new(refunded()).moved(self.tell(&railway.name), her_wallet(), price))
    }

    fn departures(&self) -> [(String, &str); 2] {
        let trains = &self.country.profile.city.story.trains;
        trains.each_ref().map(|train| (format!("{train}-run{}", self.run), train.as_str()))
    }

    fn gate_url(&self, railway: &Institution) -> String {
        format!("{}/parties/{}/v1/desk/gates/a1/requests", self.address(&railway.id), railway.id)
    }

    async fn gate_request(&self, railway: &Institution) -> Result<TicketRequest> {
        let desk = self.desk(&railway.id)?;
        Ok(self.client.post(&self.gate_url(railway), Some(&desk), &json!({})).await?)
    }

    /// Makes sure that the railway has a ticket on file as being in `state`.
    async fn ticket_is(&self, railway: &Institution, ticket: &str, state: &str) -> Result<()> {
        let url = format!(
            "{}/parties/{}/v1/desk/tickets/{ticket}",
            self.address(&railway.id),
            railway.id
        );
        let desk = self.desk(&railway.id)?;
        let file: TicketFile = self.client.get(&url, Some(&desk)).await?;
        ensure!(file.state == state, "the ticket is {}, not {state}", file.state);
        Ok(())
    }

    /// Makes sure that her bank has no claim on file of a payment that was presented elsewhere.
    async fn bank_saw_no_claim(&self, payment: &str) -> Result<()> {
        let url = format!(
            "{}/banks/{}/v1/desk/presented-payments/{payment}",
            self.address(&self.bank.id),
            self.bank.id
        );
        let desk = self.desk(&self.bank.id)?;
        let file: PresentedPaymentFile = self.client.get(&url, Some(&desk)).await?;
        ensure!(file.claims.is_empty(), "the bank was shown {:?}", file.claims);
        Ok(())
    }

    /// Tells an institution's desk which account takes its payments.
    async fn takings_account(&self, institution: &Institution) -> Result<()> {
        let account = self.business_account(institution).await?.to_string();
        let url =
            format!("{}/parties/{}/v1/desk/account", self.address(&institution.id), institution.id);
        let desk = self.desk(&institution.id)?;
        let _: TakingsAccount =
            self.client.post(&url, Some(&desk), &TakingsAccount { account }).await?;
        Ok(())
    }
}
