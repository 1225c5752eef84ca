//! Asking a party to delete what it was shown, with the receipt that it signed.

use super::collecting::receipt_address;
use super::history::Event;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use yufu_api::deleting::{DeletionAnswer, DeletionRequest};
use yufu_jose::Unverified;

/// What came of asking for deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Whom it was asked of.
    pub party: String,
    /// Until when it is kept all the same, in seconds since the epoch; none if it is erased.
    pub kept_until: Option<u64>,
}

/// A presentation that its party signed a receipt of.
pub(super) struct Shown {
    pub(super) party: String,
    /// Where the party is: what its addresses begin with.
    pub(super) address: String,
    /// The request's id there.
    pub(super) request: String,
    pub(super) receipt: String,
}

impl Holder {
    /// Asks the party of the history's entry `number` (from 1) to delete what it was shown there. It is sent the
    /// receipt that it signed, and nothing else.
    ///
    /// # Errors
    /// If the entry is no disclosure with a receipt, or the party keeps nothing of it, or does not answer.
    pub async fn ask_deletion(&mut self, number: usize) -> Result<Deletion> {
        let Shown { party, address, request, receipt } = self.shown(number)?;
        let wish = DeletionRequest { request, receipt };
        let url = format!("{address}/v1/deletions");
        let answer: DeletionAnswer = self.client.post(&url, None, &wish).await?;
        let deletion = Deletion { party, kept_until: answer.kept_until };
        self.note(Event::DeletionAsked {
            party: deletion.party.clone(),
            state: answer.state,
            kept_until: deletion.kept_until,
        })?;
        Ok(deletion)
    }

    /// What the history's entry `number` (from 1) showed, and where.
    pub(super) fn shown(&self, number: usize) -> Result<Shown> {
        let entry = number.checked_sub(1).and_then(|index| self.history().get(index));
        let shown = entry.and_then(|entry| match &entry.event {
            Event::Disclosed { party, request, signed_receipt: Some(receipt), .. } => {
                Some((party.clone(), request.clone(), receipt.clone()))
            }
            _ => None,
        });
        let (party, request, receipt) = shown.with_context(|| {
            text!(
                "entry {number} is no disclosure with a receipt: see `yufu wallet history`",
                number = number
            )
        })?;
        // The wallet answered there, after it had held the address against the party's registration.
        let asked: serde_json::Value = Unverified::parse(&request)?.unverified_claims()?;
        let answered = asked.get("response_uri").and_then(serde_json::Value::as_str);
        // What was shown to a page went through the browser: there the receipt's address says who keeps it.
        let answered = answered.map(str::to_owned).or_else(|| receipt_address(&request));
        let parts = answered.as_deref().and_then(|address| address.split_once("/openid4vp/"));
        let place = parts.and_then(|(party, rest)| Some((party, rest.split_once('/')?.0)));
        let (address, id) = place.with_context(|| {
            text!(
                "this party has no address for the wishes of persons: write to it, with the receipt"
            )
        })?;
        let (address, request) = (address.to_owned(), id.to_owned());
        Ok(Shown { party, address, request, receipt })
    }
}
