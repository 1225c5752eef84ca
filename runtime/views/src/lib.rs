//! Read models of the ledger: statements, transfers by id, balances at past instants.
//!
//! [`Follower`] keeps a view up behind the log; [`View`] is asked; [`verify`] holds it against the
//! log; [`rebuild`] makes it anew; [`Views`] keeps one up beside a server; [`prunable`] says what it
//! still needs of the log.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod error;
mod fold;
mod follower;
mod pruning;
mod query;
mod rebuild;
mod row;
mod running;
mod store;
#[cfg(test)]
mod tests;
mod traced;
mod varint;
mod verify;

pub use error::{QueryError, ViewError};
pub use follower::{Folded, Follower, Place, Through};
pub use pruning::prunable;
pub use query::{BalanceAt, Entry, Leg, Listing, Statement, StatementQuery, TransferView, View};
pub use rebuild::rebuild;
pub use running::{AskError, Views};
pub use store::FORMAT_VERSION;
pub use verify::{Verified, verify};
pub use yufu_machine::TransferKind;
