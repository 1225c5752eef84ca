//! The holder's side of issuance (OpenID4VCI 1.0) and presentation (OpenID4VP 1.0), without
//! I/O. Each state takes what came in and gives the next state with what is to be sent;
//! time, randomness and keys are arguments.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod credential;
mod held;
pub mod issuance;
pub mod presentation;

pub use credential::Credential;
pub use held::HeldCredential;
