//! HTTP: one module per institution, each with its own keys and records, talking to the others
//! only through their public interfaces. Handlers parse, call and convert.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod account_key;
pub mod agency;
pub mod authority;
pub mod bank;
pub mod central_bank;
pub mod deleting;
pub mod enrolment;
pub mod freezing;
pub mod http;
pub mod issuer;
mod ledger;
pub mod looking;
pub mod openid_provider;
pub mod public;
pub mod recognition;
pub mod registrar;
pub mod relying_party;
mod router;
pub mod signing;
mod status_list;
pub mod trust;
pub mod verifying;
pub mod wallet_provider;
mod wording;

pub use ledger::CommandDone;
pub use router::{Institutions, description, router};
pub use wording::localized;
