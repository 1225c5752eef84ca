//! After a refusal: whether the notes are spent (NUT-07), and what was signed for them (NUT-09). A request
//! that was answered and whose answer got lost ends here at the worst.

use super::exchanging::{Swapping, Then, finished};
use super::{ask_states, is_spent, states};
use crate::message::{Refusal, Reply, Request};
use crate::note::{HeldNote, worth};
use crate::operation::{Around, Next, Outcome, Step, StepError, Waiting, content};
use crate::output::{SignatureError, messages};
use crate::purse::Purse;
use serde::{Deserialize, Serialize};
use yufu_ecash::Seed;
use yufu_ecash::message::{
    BlindSignature, CheckStateResponse, ErrorCode, NoteState, RestoreRequest, RestoreResponse,
};

/// Whether the notes are spent is asked. All at once: the mint has seen them together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asking {
    pub(crate) swap: Swapping,
    /// The protocol's number of the refusal, and its words.
    refused: (Option<u32>, String),
}

/// What was signed for them is asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Regaining {
    pub(crate) swap: Swapping,
}

impl Asking {
    pub(super) fn new(swap: Swapping, refusal: &Refusal) -> Self {
        let refused = (refusal.code.map(ErrorCode::number), refusal.detail.clone());
        Self { swap, refused }
    }

    pub(crate) fn request(&self) -> Result<Request, StepError> {
        ask_states(&self.swap.inputs)
    }

    pub(crate) fn handle(self, purse: &mut Purse, reply: &Reply) -> Result<Next, StepError> {
        let answer: CheckStateResponse = content(reply)?;
        let states = states(&self.swap.inputs, answer)?;
        if states.iter().any(|status| status.state == NoteState::Pending) {
            return Ok(Next::Wait(Step::Asking(self), Waiting::Mint));
        }
        let inputs = self.swap.inputs.iter().cloned().zip(&states);
        let (spent, unspent): (Vec<_>, Vec<_>) = inputs.partition(|(_, status)| is_spent(status));
        if unspent.is_empty() && self.swap.outputs.is_empty() {
            return Ok(Next::Done(Outcome::Lost(worth(&self.swap.inputs))));
        }
        if unspent.is_empty() {
            return Ok(Next::Step(Step::Regaining(Regaining { swap: self.swap })));
        }
        let notes = |all: Vec<(HeldNote, _)>| all.into_iter().map(|(note, _)| note).collect();
        let (spent, unspent): (Vec<HeldNote>, Vec<HeldNote>) = (notes(spent), notes(unspent));
        // An exchange is done whole or not at all: as some are unspent, this one was not.
        if let Some(step) = Swapping::release(self.swap.then, unspent, purse) {
            return Ok(Next::Step(step));
        }
        if spent.is_empty() {
            let code = self.refused.0.and_then(ErrorCode::from_number);
            return Ok(Next::Done(Outcome::Refused(Refusal { code, detail: self.refused.1 })));
        }
        Ok(Next::Done(Outcome::Lost(worth(&spent))))
    }
}

impl Regaining {
    pub(crate) fn request(&self, seed: &Seed) -> Result<Request, StepError> {
        let outputs = messages(&self.swap.outputs, seed)?;
        Ok(Request::post("/v1/restore", &RestoreRequest { outputs }))
    }

    pub(crate) fn handle(
        self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        let answer: RestoreResponse = content(reply)?;
        let pairs: Vec<_> = answer.outputs.iter().zip(&answer.signatures).collect();
        let mut signatures: Vec<BlindSignature> = Vec::new();
        for asked in messages(&self.swap.outputs, around.seed)? {
            let found = pairs.iter().find(|(output, _)| output.blinded == asked.blinded);
            let found = found.filter(|(_, signed)| signed.amount == asked.amount);
            signatures.extend(found.map(|(_, signed)| **signed));
        }
        if signatures.len() == self.swap.outputs.len() {
            return finished(purse, around, &self.swap.outputs, &signatures, self.swap.then);
        }
        Ok(Next::Done(match self.swap.then {
            // Spent, and not by this: the payee was faster. What it showed to do so is asked for.
            Then::TakeBack(given) => {
                return Ok(Next::Step(Step::Given(given.with_left(self.swap.inputs))));
            }
            // The quote is this purse's alone: its notes must come back, and are asked for until they do.
            Then::Withdraw { .. } if self.swap.inputs.is_empty() => {
                return Err(SignatureError::Other.into());
            }
            _ => Outcome::Lost(worth(&self.swap.inputs)),
        }))
    }
}
