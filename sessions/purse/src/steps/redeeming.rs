//! Redeeming to an account: a quote, then exactly the notes for it (NUT-05). Nothing is given beyond the
//! amount, so no change comes back.

use super::exchanging::{Swapping, Then};
use super::recovering::Asking;
use super::withdrawing::is_name;
use crate::choosing::{covering, exactly, worth_after_fee};
use crate::keysets::KnownMint;
use crate::message::{Refusal, Reply, Request};
use crate::note::{HeldNote, proofs};
use crate::operation::{Around, Next, OperationId, Outcome, Step, StepError, Waiting, answer};
use crate::purse::{FromBackup, MOST_OUTPUTS, Purse, sizes};
use serde::{Deserialize, Serialize};
use yufu_ecash::message::{ErrorCode, MeltQuote, MeltQuoteRequest, MeltQuoteState, MeltRequest};

/// Why nothing is redeemed. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// The mint's keysets are not known.
    #[error("no notes of this mint are held")]
    MintUnknown,
    /// The purse is from a backup.
    #[error(transparent)]
    FromBackup(#[from] FromBackup),
    /// Nothing, or more than is held with the fee, or more notes than are handed in at once.
    #[error("{amount} and its fee cannot be redeemed of the {held} held: choose a smaller amount")]
    Amount {
        /// What was asked.
        amount: u64,
        /// What is held.
        held: u64,
    },
}

impl RedeemError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MintUnknown => "purse.mint_unknown",
            Self::FromBackup(_) => "purse.from_backup",
            Self::Amount { .. } => "purse.insufficient",
        }
    }
}

/// The quote is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pricing {
    unit: String,
    /// Where the money is to go, in the form of the method.
    request: String,
    amount: u64,
}

/// The notes are handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Melting {
    pub(crate) quote: String,
    pub(crate) amount: u64,
    pub(crate) inputs: Vec<HeldNote>,
}

/// What became of the quote is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settling {
    pub(crate) melting: Melting,
    refused: (Option<u32>, String),
}

/// Notes for exactly an amount and the fee of handing them in.
enum Notes {
    /// They are there.
    There(Vec<usize>),
    /// They come of these by a swap, of these sizes for the mint and for change.
    BySwap { places: Vec<usize>, given: Vec<u64>, kept: Vec<u64> },
}

impl Purse {
    /// Begins to redeem `amount` to where `request` says, in the form of the mint's method `bank`. Notes that
    /// rest are redeemed too: the bank knows whose account it is anyway.
    ///
    /// # Errors
    /// [`RedeemError`]; nothing changes then.
    pub fn redeem(
        &mut self,
        mint: &str,
        amount: u64,
        request: &str,
        now: u64,
    ) -> Result<OperationId, RedeemError> {
        let (mint, known) = self.mint(mint).ok_or(RedeemError::MintUnknown)?;
        self.current(&mint)?;
        let notes = if amount == 0 { None } else { self.notes_for(known, amount, now) };
        if notes.is_none() {
            let held = self.holdings(now).into_iter().find(|holding| holding.mint == mint);
            let held = held.map_or(0, |h| h.ready.saturating_add(h.resting));
            return Err(RedeemError::Amount { amount, held });
        }
        let unit = known.unit.clone();
        let pricing = Pricing { unit, request: request.to_owned(), amount };
        Ok(self.begin(mint, Step::Pricing(pricing), now))
    }

    fn notes_for(&self, known: &KnownMint, amount: u64, now: u64) -> Option<Notes> {
        let places = self.spendable(known, now, true);
        let candidates = self.candidates(known, &places);
        let at = |chosen: &[usize]| -> Vec<usize> {
            chosen.iter().filter_map(|place| places.get(*place).copied()).collect()
        };
        if candidates.iter().all(|note| note.fee_ppk == 0)
            && let Some(chosen) = exactly(&candidates, amount).filter(|c| c.len() <= MOST_OUTPUTS)
        {
            return Some(Notes::There(at(&chosen)));
        }
        let keyset = known.active(now)?;
        let given = worth_after_fee(amount, known.fee_ppk(&keyset.id))?;
        if given.iter().any(|size| keyset.key(*size).is_none()) {
            return None;
        }
        let sum = given.iter().try_fold(0_u64, |sum, size| sum.checked_add(*size))?;
        let chosen = covering(&candidates, sum).filter(|c| c.places.len() <= MOST_OUTPUTS)?;
        let change = chosen.sum.checked_sub(chosen.fee)?.checked_sub(sum)?;
        let kept = sizes(known, &keyset.id, change)?;
        Some(Notes::BySwap { places: at(&chosen.places), given, kept })
    }
}

impl Pricing {
    pub(crate) fn request(&self) -> Request {
        let content = MeltQuoteRequest {
            request: self.request.clone(),
            unit: self.unit.clone(),
            method: Some("bank".to_owned()),
            amount: Some(self.amount),
            options: None,
        };
        Request::post("/v1/melt/quote/bank", &content)
    }

    pub(crate) fn handle(
        self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        let refused = |code, detail: &str| {
            Ok(Next::Done(Outcome::Refused(Refusal { code, detail: detail.to_owned() })))
        };
        let quote: MeltQuote = match answer(reply)? {
            Ok(quote) => quote,
            Err(refusal) => return Ok(Next::Done(Outcome::Refused(refusal))),
        };
        if quote.amount != self.amount || quote.fee_reserve != 0 || !is_name(&quote.quote) {
            return refused(None, "the mint asks more than the amount, or quoted another one");
        }
        let (_, known) = purse.mint(around.mint).ok_or(StepError::MintUnknown)?;
        let keyset = known.active(around.now).map(|keyset| keyset.id);
        let Some(notes) = purse.notes_for(known, self.amount, around.now) else {
            return refused(None, "the notes went elsewhere meanwhile");
        };
        let (quote, amount) = (quote.quote, self.amount);
        match notes {
            Notes::There(places) => {
                let inputs = purse.take_out(&places);
                Ok(Next::Step(Step::Melting(Melting { quote, amount, inputs })))
            }
            Notes::BySwap { places, given, kept } => {
                let keyset = keyset.ok_or(StepError::NoKeyset)?;
                let given = given.into_iter().map(|size| (size, true));
                let sizes = given.chain(kept.into_iter().map(|size| (size, false)));
                let outputs = purse.plan(around.seed, keyset, sizes);
                let inputs = purse.take_out(&places);
                let then = Then::Redeem { quote, amount };
                let swap = Swapping { inputs, outputs, keys: Vec::new(), preimage: None, then };
                Ok(Next::Step(Step::Swapping(swap)))
            }
        }
    }
}

impl Melting {
    pub(crate) fn request(&self) -> Request {
        let content = MeltRequest {
            quote: self.quote.clone(),
            inputs: proofs(&self.inputs),
            outputs: None,
            prefer_async: false,
        };
        Request::post("/v1/melt/bank", &content)
    }

    pub(crate) fn handle(self, reply: &Reply) -> Result<Next, StepError> {
        let settling = |melting, code, detail| {
            Next::Step(Step::Settling(Settling { melting, refused: (code, detail) }))
        };
        Ok(match answer::<MeltQuote>(reply)? {
            Ok(MeltQuote { state: MeltQuoteState::Paid, .. }) => {
                Next::Done(Outcome::Redeemed(self.amount))
            }
            Ok(_) => settling(self, None, "the mint did not pay".to_owned()),
            Err(refusal) => settling(self, refusal.code.map(ErrorCode::number), refusal.detail),
        })
    }
}

impl Settling {
    pub(crate) fn request(&self) -> Request {
        Request::get(format!("/v1/melt/quote/bank/{}", self.melting.quote))
    }

    pub(crate) fn handle(self, reply: &Reply) -> Result<Next, StepError> {
        // A quote that the mint knows no more was not paid: it forgets no others. The notes themselves say the rest.
        let state = match answer::<MeltQuote>(reply)? {
            Ok(quote) => quote.state,
            Err(_) => MeltQuoteState::Unpaid,
        };
        Ok(match state {
            MeltQuoteState::Paid => Next::Done(Outcome::Redeemed(self.melting.amount)),
            MeltQuoteState::Pending => Next::Wait(Step::Settling(self), Waiting::Mint),
            MeltQuoteState::Unpaid => {
                let (code, detail) = self.refused;
                let code = code.and_then(ErrorCode::from_number);
                let Melting { inputs, .. } = self.melting;
                let (outputs, keys, then) = (Vec::new(), Vec::new(), Then::Renew { rest: 0 });
                let swap = Swapping { inputs, outputs, keys, preimage: None, then };
                Next::Step(Step::Asking(Asking::new(swap, &Refusal { code, detail })))
            }
        })
    }
}
