//! What is under way. Each operation is a record of the step it is at: the record gives the request to send, as
//! often as need be, and what comes back gives the next step.

use crate::message::{Refusal, Reply, Request, Unmet};
use crate::note::{HeldNote, NoteSecret, worth};
use crate::output::{Planned, SignatureError};
use crate::purse::Purse;
use crate::steps::{
    Asking, Checking, Funding, Given, Melting, Minting, Pricing, Quoting, Regaining, Restoring,
    Settling, Swapping,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_ecash::message::ErrorCode;
use yufu_ecash::spend::SpendError;
use yufu_ecash::{DeriveError, Seed};

/// Names an operation in its purse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub u64);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An operation under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) mint: String,
    /// When, in Unix seconds.
    pub(crate) begun_at: u64,
    pub(crate) step: Step,
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Withdrawing: the quote is asked for.
    Quoting(Quoting),
    /// Withdrawing: the quote is to be paid from an account.
    Funding(Funding),
    /// Withdrawing: the notes are asked for.
    Minting(Minting),
    /// Notes are changed for others.
    Swapping(Swapping),
    /// After a refusal: are the notes spent?
    Asking(Asking),
    /// They are: what was signed for them is asked for again.
    Regaining(Regaining),
    /// Notes are with a payee, or on their way.
    Given(Given),
    /// Redeeming: the quote is asked for.
    Pricing(Pricing),
    /// Redeeming: the notes are handed in.
    Melting(Melting),
    /// Redeeming: after a refusal, what became of the quote?
    Settling(Settling),
    /// Restoring: what was ever signed?
    Restoring(Restoring),
    /// Restoring: what of it is unspent?
    Checking(Checking),
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Save the purse, then send the next request.
    Next,
    /// Something else must happen first; the request of the step asks whether it has.
    Waiting(Waiting),
    /// It is over; nothing of it is kept.
    Done(Outcome),
}

/// What an operation waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// That an account pays a quote.
    Funding {
        /// The quote.
        quote: String,
        /// What is to be paid, in the form of the method.
        request: String,
        /// How much.
        amount: u64,
        /// Whether cash at a counter pays it, and no account.
        cash: bool,
        /// Until when, in Unix seconds.
        until: Option<u64>,
        /// Why the notes were not given out, if it was tried.
        refused: Option<Refusal>,
    },
    /// That the payee takes what was given.
    Taking {
        /// What is not taken yet.
        left: u64,
    },
    /// That the mint ends what it is about.
    Mint,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Withdrawn.
    Withdrawn(u64),
    /// Changed for notes of a newer keyset.
    Renewed(u64),
    /// The payee took what was given.
    Taken {
        /// How much.
        amount: u64,
        /// The preimage that it showed for a hash lock, in hexadecimal.
        preimage: Option<String>,
    },
    /// What was given is back.
    TakenBack(u64),
    /// Received: so much is the purse's own now, after the mint's fee.
    Received(u64),
    /// Redeemed to an account.
    Redeemed(u64),
    /// Restored: so much is unspent.
    Restored(u64),
    /// Nobody paid the quote in time.
    Lapsed,
    /// Refused; nothing moved, and what was in hand is back where it was.
    Refused(Refusal),
    /// Others spent so much of it before.
    Lost(u64),
}

/// Why an operation did not come further. It is kept as it was: send its request again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// No such operation.
    #[error("no operation {0} is under way: it is over, or was of another purse")]
    Unknown(OperationId),
    /// The mint's keysets are not known.
    #[error("the keysets of this mint are not known: fetch them first")]
    MintUnknown,
    /// Whether it was done is not known.
    #[error("the mint answered {0}, so whether it was done is not known: repeat")]
    Unclear(u16),
    /// The answer cannot be read.
    #[error("the mint's answer cannot be read ({0}): repeat, and report it if that does not help")]
    Malformed(String),
    /// The mint's keysets sign nothing any more.
    #[error("the mint has no keyset in use that is published: fetch its keysets, and repeat")]
    NoKeyset,
    /// The signatures are not good.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The seed gives nothing at a counter.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// A condition cannot be met.
    #[error(transparent)]
    Spend(#[from] SpendError),
}

impl StepError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "purse.operation_unknown",
            Self::MintUnknown => "purse.mint_unknown",
            Self::Unclear(_) | Self::Malformed(_) => "purse.unanswered",
            Self::NoKeyset => "purse.no_keyset",
            Self::Signature(_) => "purse.signature",
            Self::Derive(_) => "purse.seed",
            Self::Spend(_) => "purse.condition",
        }
    }
}

/// What a step leads to.
pub(crate) enum Next {
    Step(Step),
    Wait(Step, Waiting),
    Done(Outcome),
}

/// What a step sees beside the purse.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) seed: &'a Seed,
    pub(crate) mint: &'a str,
    pub(crate) now: u64,
}

impl Purse {
    /// The operations that are under way, oldest first.
    pub fn under_way(&self) -> impl Iterator<Item = OperationId> {
        self.operations.keys().copied()
    }

    /// The mint of an operation.
    #[must_use]
    pub fn mint_of(&self, id: OperationId) -> Option<&str> {
        self.operations.get(&id).map(|operation| operation.mint.as_str())
    }

    /// What an operation is to send to its mint: the same bytes each time, until [`Purse::handle`] has the answer.
    /// The purse must have been saved since it last changed.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn request(&self, seed: &Seed, id: OperationId) -> Result<Request, StepError> {
        let operation = self.operations.get(&id).ok_or(StepError::Unknown(id))?;
        match &operation.step {
            Step::Quoting(step) => step.request(seed),
            Step::Funding(step) => Ok(step.request()),
            Step::Minting(step) => step.request(seed),
            Step::Swapping(step) => step.request(seed),
            Step::Asking(step) => step.request(),
            Step::Regaining(step) => step.request(seed),
            Step::Given(step) => step.request(),
            Step::Pricing(step) => Ok(step.request()),
            Step::Melting(step) => Ok(step.request()),
            Step::Settling(step) => Ok(step.request()),
            Step::Restoring(step) => step.request(seed),
            Step::Checking(step) => step.request(),
        }
    }

    /// Takes the mint's answer to an operation's request at `now`, in Unix seconds.
    ///
    /// # Errors
    /// [`StepError`]; nothing changes then.
    pub fn handle(
        &mut self,
        seed: &Seed,
        id: OperationId,
        reply: &Reply,
        now: u64,
    ) -> Result<Progress, StepError> {
        let operation = self.operations.get(&id).ok_or(StepError::Unknown(id))?.clone();
        let around = Around { seed, mint: &operation.mint, now };
        let next = match operation.step {
            Step::Quoting(step) => step.handle(self, around, reply)?,
            Step::Funding(step) => step.handle(self, around, reply)?,
            Step::Minting(step) => step.handle(self, around, reply)?,
            Step::Swapping(step) => step.handle(self, around, reply)?,
            Step::Asking(step) => step.handle(self, reply)?,
            Step::Regaining(step) => step.handle(self, around, reply)?,
            Step::Given(step) => step.handle(reply)?,
            Step::Pricing(step) => step.handle(self, around, reply)?,
            Step::Melting(step) => step.handle(reply)?,
            Step::Settling(step) => step.handle(reply)?,
            Step::Restoring(step) => step.handle(self, around, reply)?,
            Step::Checking(step) => step.handle(self, around, reply)?,
        };
        let (step, progress) = match next {
            Next::Step(step) => (step, Progress::Next),
            Next::Wait(step, waiting) => (step, Progress::Waiting(waiting)),
            Next::Done(outcome) => {
                self.operations.remove(&id);
                return Ok(Progress::Done(outcome));
            }
        };
        if let Some(operation) = self.operations.get_mut(&id) {
            operation.step = step;
        }
        Ok(progress)
    }

    pub(crate) fn begin(&mut self, mint: String, step: Step, now: u64) -> OperationId {
        let id = OperationId(self.begun);
        self.begun = self.begun.saturating_add(1);
        self.operations.insert(id, Operation { mint, begun_at: now, step });
        id
    }
}

impl Operation {
    /// What of it is the purse's own, to be had or to be had back.
    pub(crate) fn own(&self) -> u64 {
        worth(self.notes())
    }

    /// The notes that it has in hand.
    fn notes(&self) -> &[HeldNote] {
        match &self.step {
            Step::Swapping(swap)
            | Step::Asking(Asking { swap, .. })
            | Step::Regaining(Regaining { swap }) => &swap.inputs,
            Step::Given(given) => &given.left,
            Step::Melting(step) | Step::Settling(Settling { melting: step, .. }) => &step.inputs,
            Step::Restoring(step) => &step.found,
            Step::Checking(step) => &step.left,
            Step::Quoting(_) | Step::Funding(_) | Step::Minting(_) | Step::Pricing(_) => &[],
        }
    }

    pub(crate) fn holds(&self, secret: &NoteSecret) -> bool {
        self.notes().iter().any(|note| note.secret == *secret)
    }

    /// The outputs that it may have asked for.
    pub(crate) fn outputs(&self) -> &[Planned] {
        match &self.step {
            Step::Swapping(swap)
            | Step::Asking(Asking { swap, .. })
            | Step::Regaining(Regaining { swap }) => &swap.outputs,
            Step::Minting(step) => &step.outputs,
            Step::Funding(step) => &step.tried,
            _ => &[],
        }
    }
}

/// The content of an answer, or the mint's refusal.
pub(crate) fn answer<T: DeserializeOwned>(reply: &Reply) -> Result<Result<T, Refusal>, StepError> {
    match reply.read() {
        Ok(content) => Ok(Ok(content)),
        // It is about these notes already: its answer is to come.
        Err(Unmet::Refused(Refusal { code: Some(code), .. })) if is_pending(code) => {
            Err(StepError::Unclear(reply.status))
        }
        Err(Unmet::Refused(refusal)) => Ok(Err(refusal)),
        Err(Unmet::Unclear(status)) => Err(StepError::Unclear(status)),
        Err(Unmet::Malformed(reason)) => Err(StepError::Malformed(reason)),
    }
}

/// The same where a refusal says nothing either.
pub(crate) fn content<T: DeserializeOwned>(reply: &Reply) -> Result<T, StepError> {
    answer(reply)?.map_err(|_| StepError::Unclear(reply.status))
}

const fn is_pending(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::ProofsPending | ErrorCode::OutputsPending | ErrorCode::QuotePending)
}
