//! The ordered, durable, hash-chained log: in memory and in SQLite.
//!
//! [`Log`] is what orders and keeps; [`MemoryLog`] and [`SqliteLog`] implement it;
//! [`VerifiedRecords`] and [`verify_chain`] check that nothing was changed afterwards.
#![doc = include_str!("../README.md")]

mod archive;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod log;
mod memory;
mod record;
mod sqlite;
mod verify;

pub use archive::{ArchiveError, WithArchive, archive};
pub use log::{Appended, Log, LogError, MAX_PAYLOAD, PruneError, Refusal, SealError};
pub use memory::MemoryLog;
pub use record::{Epoch, Head, Record, Seq};
pub use sqlite::{FORMAT_VERSION, OpenError, SqliteLog};
pub use verify::{ChainError, VerifiedRecords, verify_chain};
