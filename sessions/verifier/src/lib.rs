//! The verifier's side of a presentation (OpenID4VP 1.0, HAIP 1.0), without I/O:
//! [`Verifier`] -> [`Requested`] -> [`Received`] -> [`Authenticated`] -> [`Verified`].
//! Time and randomness are arguments; each step uses the one before it up.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod authenticated;
mod lists;
mod presented;
mod received;
mod remembered;
mod requested;
mod sent;
mod verified;
mod verifier;

pub use authenticated::{Authenticated, MdocSigner, StatusError};
pub use lists::{Ages, StatusLists};
pub use received::{Received, VerifyError};
pub use requested::{OpenError, RequestError, Requested};
pub use verified::{AuthorisedTransaction, Evidence, Verified, VerifiedCredential};
pub use verifier::{Question, RequestEntropy, SetupError, StartError, Verifier};
