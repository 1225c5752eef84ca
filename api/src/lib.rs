//! HTTP: one module per institution, each with its own keys and records, talking to the others
//! only through their public interfaces. Handlers parse, call and convert.

pub mod authority;
pub mod central_bank;
pub mod http;
mod ledger;
pub mod public;

pub use ledger::CommandDone;
