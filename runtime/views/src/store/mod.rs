//! The file: SQLite, written by one follower, read by whoever asks.
//!
//! What is written is appended: `block` holds the rows in their order, some to a block, each block
//! with a checksum. `head` is the newest row of each account, from which its entries lead back;
//! `mark` its every 64th, so that a long way back is short. `ids` leads from the millisecond at
//! which an id was made to the rows that it caused. `progress` is written in the same transaction.

mod block;
mod file;
mod read;
mod write;

pub(crate) use block::BlockBuilder;
pub use file::FORMAT_VERSION;
pub(crate) use file::{Claim, delete, open, open_read_only};
pub(crate) use read::{AccountRow, Blocks, Reading, marked_from};
pub(crate) use write::{Batch, Opened, print, write};

use crate::row::RowNumber;
use yufu_base::Timestamp;
use yufu_log::Head;

/// A row of every so manieth entry of an account is found at once.
pub(crate) const MARK_EVERY: u64 = 64;

/// What an id looks like, and the row that it caused first.
pub(crate) type Printed = ([u8; 4], RowNumber);

/// How far a view has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The newest record that is folded.
    pub(crate) head: Head,
    /// Its stamp.
    pub(crate) at: Timestamp,
    /// The newest row.
    pub(crate) rows: u64,
    /// The record from which on there is history; before it are only balances.
    pub(crate) begins: Head,
    /// Its stamp.
    pub(crate) begins_at: Timestamp,
}
