//! The ordered, durable, hash-chained log: in memory, in SQLite and in PostgreSQL.
//!
//! [`Log`] is what orders and keeps; [`MemoryLog`], [`SqliteLog`] and [`PostgresLog`] implement it;
//! [`VerifiedRecords`] and [`verify_chain`] check that nothing was changed afterwards.
#![doc = include_str!("../README.md")]

mod archive;
mod columns;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod log;
#[cfg(any(test, feature = "measure"))]
pub mod measure;
mod memory;
mod postgres;
mod record;
#[cfg(any(test, feature = "scratch"))]
pub mod scratch;
mod sqlite;
mod verify;

pub use archive::{ArchiveError, WithArchive, archive};
pub use log::{Appended, Log, LogError, MAX_PAYLOAD, PruneError, Refusal, SealError};
pub use memory::MemoryLog;
pub use postgres::{AddressError, PostgresAddress, PostgresLog, PostgresOpenError};
pub use record::{Epoch, Head, Record, Seq};
pub use sqlite::{FORMAT_VERSION, OpenError, SqliteLog};
pub use verify::{ChainError, VerifiedRecords, verify_chain};
