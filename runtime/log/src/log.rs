//! The log interface: who may append what after which head, and every way it can end.

use crate::{Epoch, Head, Record, Seq};

/// The largest payload a record may carry, in bytes: 64 MiB.
pub const MAX_PAYLOAD: usize = 64 << 20;

/// An ordered, durable, hash-chained log with one writer at a time.
///
/// # Invariants
/// - Records are numbered from 1 without gaps and are never changed or removed.
/// - What [`Appended::Durable`] acknowledged survives a crash of the process, and of the
///   machine as far as the storage beneath keeps what it confirmed.
/// - After [`Log::seal`] of an epoch returns, no record of a lower one is ever added.
/// - `read` and `durable_head` show only what is durable. After an append ended in
///   [`Appended::Unknown`], they answer only if they can vouch for that, else with an error.
///
/// `contract` (behind the feature of that name) tests these on any implementation.
pub trait Log: Send {
    /// Appends one record after the head the writer believes in, in its epoch. The call is
    /// one durable batch: it returns [`Appended::Durable`] only when the record is on
    /// stable storage.
    fn append(&mut self, after: Head, epoch: Epoch, payload: &[u8]) -> Appended;

    /// Makes `epoch` the one that may write, and returns the head no earlier epoch can
    /// move any more.
    ///
    /// # Errors
    /// [`SealError::Stale`] unless `epoch` is higher than every one sealed before, so that
    /// of two candidates for the same epoch exactly one wins.
    fn seal(&mut self, epoch: Epoch) -> Result<Head, SealError>;

    /// The epoch that may write, [`Epoch::NONE`] if none was sealed.
    ///
    /// # Errors
    /// [`LogError`] if it cannot be read.
    fn epoch(&self) -> Result<Epoch, LogError>;

    /// At most `max` records in order, from number `from` on. Fewer, or none, only at the end.
    ///
    /// # Errors
    /// [`LogError`] if they cannot be read.
    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError>;

    /// The newest durable record, [`Head::EMPTY`] if there is none.
    ///
    /// # Errors
    /// [`LogError`] if it cannot be read.
    fn durable_head(&self) -> Result<Head, LogError>;
}

/// How an append ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Appended {
    /// The record is durable; this is the new head.
    Durable(Head),
    /// Nothing was written: the log's head is this one, not the one the writer named.
    Conflict(Head),
    /// Nothing was written: this is the epoch that may write, not the writer's.
    Fenced(Epoch),
    /// Nothing was written, for a reason in the request or the state of the writer.
    Refused(Refusal),
    /// The record may be there or not, now or after the next start. Never append it again
    /// blindly: read back, and if that does not answer, start anew.
    Unknown(LogError),
}

/// Why an append was refused. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payload is too large.
    #[error(
        "a payload of {bytes} bytes is over the limit of {MAX_PAYLOAD}: append a smaller batch"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The log was opened for reading only.
    #[error("the log was opened read-only: open it for writing")]
    ReadOnly,
    /// An earlier append of this writer ended in [`Appended::Unknown`].
    #[error("an earlier append ended in doubt: close this log and open it again")]
    Unusable,
    /// Another process holds the store's write lock for too long.
    #[error("another process keeps the log locked: find it, then try again")]
    Busy,
}

/// Why a log could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The storage failed.
    #[error("the log's storage failed: {0}; check the disk and open the log again")]
    Storage(String),
    /// The storage holds something that no writer of this log wrote.
    #[error("the log is malformed: {0}; restore it from a copy")]
    Malformed(String),
    /// An earlier append ended in doubt, so that what is durable can only be told anew.
    #[error("an earlier append ended in doubt: close this log and open it again")]
    Unusable,
}

/// Why an epoch could not be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The epoch is not higher than the one in force.
    #[error(
        "epoch {asked} cannot be sealed: epoch {current} is in force; another writer took over"
    )]
    Stale {
        /// The epoch asked for.
        asked: Epoch,
        /// The epoch in force.
        current: Epoch,
    },
    /// The log was opened for reading only.
    #[error("the log was opened read-only: open it for writing")]
    ReadOnly,
    /// The storage failed; the epoch may be sealed or not.
    #[error(transparent)]
    Log(#[from] LogError),
}
