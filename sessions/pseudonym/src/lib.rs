//! A person whom each party knows by one pseudonym, and no two parties by the same: the issuer's side, the holder's
//! and the verifier's, without I/O. Time is an argument; each step uses the one before it up.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod holding;
mod issuing;
mod publishing;
mod question;
mod showing;

pub use holding::{Committed, Kept, NotHeld};
pub use issuing::{CredentialRequest, Registered, Wanted};
pub use publishing::{PublishedTerms, TERMS, TermsRefused};
pub use question::{NoQuestion, Question};
pub use showing::{Expecting, Known, Unknown};
