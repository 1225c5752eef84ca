//! Services: the payment credential of an account, what was paid with it, and rail tickets.

use super::contents::StoredCredential;
use super::getting::{Received, Wanted};
use super::holder::{Decide, Holder};
use super::paying::Bill;
use super::showing::Shown;
use crate::words::text;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yufu_api::authority::IssuedOffer;
use yufu_api::relying_party::{
    Booking, BookingRequest, BookingState, ChangeRequest, TicketRequest,
};
use yufu_openid4vc::presentation::TransactionData;

/// The query that a payment credential answers.
const PAYMENT: &str = "payment";

/// With what the railway says that a ticket is good for nothing more.
const ENDED: [&str; 3] = ["ticket.used", "ticket.refunded", "ticket.changed"];

/// A ticket that was bought, or that another was changed into.
#[derive(Debug)]
pub struct Bought {
    /// The booking.
    pub booking: String,
    /// What was shown for it.
    pub shown: Shown,
    /// The ticket, as received.
    pub ticket: Received,
}

impl Holder {
    /// Gets payment credentials for the acting account from its bank.
    ///
    /// # Errors
    /// If there is no account, or whatever the bank refused.
    pub async fn get_payment_credential(&mut self) -> Result<Received> {
        let offer: IssuedOffer = self.post_as_holder("payment-credentials", &json!({})).await?;
        self.get(&offer.offer, None).await
    }

    /// Books a seat, pays with the payment credential, and takes the ticket.
    ///
    /// # Errors
    /// Whatever the railway or the bank refused, or the wallet refused of the railway.
    pub async fn buy_ticket(
        &mut self,
        railway: &str,
        departure: &str,
        decide: Decide<'_>,
    ) -> Result<Bought> {
        let url = format!("{}/parties/{railway}/v1/bookings", self.address(railway));
        let request = BookingRequest { departure: departure.to_owned(), return_to: None };
        let booking: Booking = self.client.post(&url, None, &request).await?;
        let shown = self.present_begun(&booking.authorization_request, decide).await?;
        self.take_ticket(railway, booking.booking, shown).await
    }

    /// Gives a ticket back: it is shown, and the money returns to the account that paid.
    ///
    /// # Errors
    /// Whatever the railway refused, or the wallet refused of the railway.
    pub async fn return_ticket(&mut self, railway: &str, decide: Decide<'_>) -> Result<Shown> {
        let url = format!("{}/parties/{railway}/v1/refunds", self.address(railway));
        let asked: TicketRequest = self.client.post(&url, None, &json!({})).await?;
        self.hand_in(&asked.authorization_request, decide).await
    }

    /// Changes a ticket to another departure at the same price.
    ///
    /// # Errors
    /// Whatever the railway refused, or the wallet refused of the railway.
    pub async fn change_ticket(
        &mut self,
        railway: &str,
        departure: &str,
        decide: Decide<'_>,
    ) -> Result<Bought> {
        let url = format!("{}/parties/{railway}/v1/changes", self.address(railway));
        let request = ChangeRequest { departure: departure.to_owned() };
        let asked: TicketRequest = self.client.post(&url, None, &request).await?;
        let shown = self.hand_in(&asked.authorization_request, decide).await?;
        let booking = asked.booking.with_context(|| text!("the railway names no new booking"))?;
        self.take_ticket(railway, booking, shown).await
    }

    /// Shows a ticket that ends with it, or turns out to have ended: its other copies go too.
    async fn hand_in(&mut self, link: &str, decide: Decide<'_>) -> Result<Shown> {
        let before = self.tickets();
        let shown = self.present_begun(link, decide).await;
        let over = match &shown {
            Ok(_) => true,
            Err(error) => ENDED.iter().any(|code| error.to_string().starts_with(code)),
        };
        let after = self.tickets();
        let gone = before.iter().find(|(number, copies)| after.get(*number) != Some(*copies));
        if let Some((number, _)) = gone.filter(|_| over) {
            let kept = |stored: &StoredCredential| ticket(stored) != Some(number.as_str());
            self.file.contents.credentials.retain(kept);
            self.file.save()?;
        }
        shown
    }

    /// The tickets in the wallet by number, and how many copies there are of each.
    fn tickets(&self) -> BTreeMap<String, usize> {
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        for number in self.file.contents.credentials.iter().filter_map(ticket) {
            let count = copies.entry(number.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        copies
    }

    async fn take_ticket(
        &mut self,
        railway: &str,
        booking: String,
        shown: Shown,
    ) -> Result<Bought> {
        let url = format!("{}/parties/{railway}/v1/bookings/{booking}", self.address(railway));
        let state: BookingState = self.client.get(&url, None).await?;
        let offer =
            state.offer.with_context(|| text!("the ticket is {state}", state = state.state))?;
        let links = (offer.as_str(), state.haip_offer.as_deref());
        let ticket = self.take_issued(links, Wanted::default()).await?;
        Ok(Bought { booking, shown, ticket })
    }

    /// Notes the payments that a payment credential was shown for.
    pub(super) fn note_presented(&mut self, transactions: &[TransactionData]) -> Result<()> {
        for transaction in transactions {
            if let TransactionData::Payment(payment) = transaction
                && payment.credential_ids == [PAYMENT]
            {
                let bill = Bill {
                    payee: payment.payee_account,
                    payee_name: payment.payee_name.clone(),
                    amount: payment.amount,
                    id: payment.order_id.parse()?,
                };
                self.note_payment(&bill, false)?;
            }
        }
        Ok(())
    }
}

/// The number of a stored ticket; `None` of anything else.
fn ticket(stored: &StoredCredential) -> Option<&str> {
    stored.held.credential.claims().get("ticket").and_then(Value::as_str)
}
