//! The steps of all operations, one type for each: what it sends, and what it makes of the answer.

mod exchanging;
mod giving;
mod recovering;
mod redeeming;
mod restoring;
mod withdrawing;

pub use giving::{GivenState, Handing, PayError};
pub use redeeming::RedeemError;
pub use restoring::{GAP, RESTORED_AT_ONCE};
pub use withdrawing::WithdrawError;

pub(crate) use exchanging::{Swapping, Then};
pub(crate) use giving::Given;
pub(crate) use recovering::{Asking, Regaining};
pub(crate) use redeeming::{Melting, Pricing, Settling};
pub(crate) use restoring::{Checking, Restoring};
pub(crate) use withdrawing::{Funding, Minting, Quoting};

use crate::message::Request;
use crate::note::{HeldNote, NoteSecret};
use crate::operation::StepError;
use std::collections::BTreeMap;
use yufu_ecash::BlindError;
use yufu_ecash::message::{CheckStateRequest, CheckStateResponse, NoteState, NoteStatus};

/// The most notes that one question about states names: those named together are told to be one person's.
pub const CHECKED_AT_ONCE: usize = 4;

/// Asks whether notes are spent.
fn ask_states<'a>(notes: impl IntoIterator<Item = &'a HeldNote>) -> Result<Request, StepError> {
    let hashed = notes.into_iter().map(|note| note.secret.hashed()).collect::<Result<Vec<_>, _>>();
    let hashed = hashed.map_err(|e| StepError::Signature(BlindError::from(e).into()))?;
    Ok(Request::post("/v1/checkstate", &CheckStateRequest { hashed }))
}

/// The states of notes that were asked for; every one must be there.
fn states<'a>(
    notes: impl IntoIterator<Item = &'a HeldNote>,
    answer: CheckStateResponse,
) -> Result<Vec<NoteStatus>, StepError> {
    let of: BTreeMap<[u8; 33], NoteStatus> =
        answer.states.into_iter().map(|status| (status.hashed.to_bytes(), status)).collect();
    let find = |secret: &NoteSecret| {
        let hashed = secret.hashed().ok()?;
        of.get(&hashed.to_bytes()).cloned()
    };
    let found = notes.into_iter().map(|note| find(&note.secret)).collect::<Option<Vec<_>>>();
    found.ok_or_else(|| StepError::Malformed("not the states of the notes asked for".to_owned()))
}

const fn is_spent(status: &NoteStatus) -> bool {
    matches!(status.state, NoteState::Spent)
}
