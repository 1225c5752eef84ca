//! The log interface: who may append what after which head, and every way it can end.

use crate::{Epoch, Head, Record, Seq};

/// The largest payload a record may carry, in bytes: 64 MiB.
pub const MAX_PAYLOAD: usize = 64 << 20;

/// An ordered, durable, hash-chained log with one writer at a time.
///
/// # Invariants
/// - Records are numbered from 1 without gaps and are never changed. Only [`Log::prune`] removes
///   any, from the beginning on, and the log then states which head the rest follows from.
/// - What [`Appended::Durable`] acknowledged survives a crash of the process, and of the
///   machine as far as the storage beneath keeps what it confirmed.
/// - After [`Log::seal`] of an epoch returns, no record of a lower one is ever added.
/// - `read` and `durable_head` show only what is durable: what a failover could take back is
///   confirmed first. After an append ended in [`Appended::Unknown`], they answer only if they
///   can vouch for that, else with an error.
/// - A writer that was fenced learns so from `append`. What `read` and `durable_head` tell it is
///   the log as it stands, the new writer's records included, or an error; whether it may still
///   answer for the log is for it to ask `append`, not them.
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

    /// The epoch that may write, [`Epoch::NONE`] if none was sealed. A writer asks it to learn
    /// whether it may still answer for the log: like `durable_head` it answers only for what is
    /// durable, and not from a store that was cut off from the one in charge.
    ///
    /// # Errors
    /// [`LogError`] if it cannot be read.
    fn epoch(&self) -> Result<Epoch, LogError>;

    /// At most `max` records in order, from number `from` on. Fewer, or none, only at the end.
    ///
    /// # Errors
    /// [`LogError::Pruned`] if `from` is not in the log any more, else [`LogError`] if they cannot
    /// be read.
    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError>;

    /// The newest durable record, [`Head::EMPTY`] if there is none.
    ///
    /// # Errors
    /// [`LogError`] if it cannot be read.
    fn durable_head(&self) -> Result<Head, LogError>;

    /// What the oldest record follows from: [`Head::EMPTY`] unless older ones were pruned.
    ///
    /// # Errors
    /// [`LogError`] if it cannot be read.
    fn base(&self) -> Result<Head, LogError> {
        Ok(Head::EMPTY)
    }

    /// Removes the records up to and with `up_to`, which becomes the base; the numbers go on.
    /// The caller answers for a durable copy or a snapshot of what they lead to: see `archive`.
    /// Done in small steps, so that a writer in another handle is not held up; a crash between
    /// two leaves a smaller prune. Pruning again what was pruned is no error.
    ///
    /// # Errors
    /// [`PruneError`]; `epoch` has to be the one in force, and `up_to` a head of this log.
    fn prune(&mut self, epoch: Epoch, up_to: Head) -> Result<(), PruneError> {
        let _ = (epoch, up_to);
        Err(PruneError::Unsupported)
    }
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
    /// The disk beneath is full. The log goes on, and an append may succeed when there is space.
    #[error("the disk of the log is full: make space, then try again")]
    Full,
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
    /// What was asked for is not in the log any more.
    #[error("the log begins at record {first}, what was before it was pruned: look in the archive")]
    Pruned {
        /// The first record that is left, or that will be appended.
        first: Seq,
    },
    /// The storage shows something that it does not confirm to be durable.
    #[error("the log's storage does not confirm what it shows: {0}; bring the standby back")]
    Unconfirmed(String),
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

/// Why records were not pruned, or not all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PruneError {
    /// This log keeps everything.
    #[error("this log cannot be pruned")]
    Unsupported,
    /// Another writer is in charge.
    #[error("epoch {0} is in force: its writer decides what is pruned")]
    Fenced(Epoch),
    /// The log does not lead through the head that was named.
    #[error("the log has no record {seq} with that chain value: name one of its own heads")]
    NoSuchHead {
        /// The record named.
        seq: Seq,
    },
    /// The log was opened for reading only.
    #[error("the log was opened read-only: open it for writing")]
    ReadOnly,
    /// The storage failed: the log is whole, and begins at its base.
    #[error(transparent)]
    Log(#[from] LogError),
}
