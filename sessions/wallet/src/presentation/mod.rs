//! Showing credentials: [`open`] -> [`FetchingRequest`] -> [`CheckingStatus`] -> [`Reviewed`] ->
//! [`Answered`] -> [`Done`]; or, if a page asks, [`take`] -> [`CheckingStatus`] -> [`Reviewed`] -> its answer. Both ends are verified: nothing is shown to a verifier that is not
//! registered for exactly what it asks, or no longer.

mod answered;
mod approve;
mod checking;
mod choosing;
mod consent;
mod fetching;
mod otherwise;
mod paged;
mod reviewed;
mod sectors;

pub use answered::{AnswerError, Answered, Done, VerifierReceipt};
pub use approve::{AnswerEntropy, ApproveError, Presenting};
pub use checking::{CheckingStatus, StatusLists, StatusUnknown};
pub use choosing::{Choice, ChoiceError};
pub use consent::{Consent, ConsentCredential, Holding, Warning};
pub use fetching::{FetchingRequest, open, open_with_key};
pub use otherwise::OtherwiseError;
pub use paged::take;
pub use reviewed::{RequestRefused, Reviewed};

use serde::{Deserialize, Serialize};

/// A presentation in any of its states, for storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PresentationState {
    /// The request is being fetched.
    FetchingRequest(FetchingRequest),
    /// The registrar's list of what was withdrawn is being fetched.
    CheckingStatus(Box<CheckingStatus>),
    /// The person decides.
    Reviewed(Box<Reviewed>),
    /// The answer is on its way.
    Answered(Box<Answered>),
}
