//! A write transaction, and the ways in which it fails: not begun, nothing written, in doubt.

use super::rows::storage;
use crate::LogError;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

/// Why the body of a transaction did not reach its end.
pub(super) enum Aborted<T> {
    /// The answer is known and nothing is to be written.
    Answer(T),
    /// Something failed.
    Failed(Failure),
}

impl<T> From<LogError> for Aborted<T> {
    fn from(error: LogError) -> Self {
        Self::Failed(Failure::Doubt(error))
    }
}

impl<T> From<rusqlite::Error> for Aborted<T> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Failure::of(&error))
    }
}

/// How a transaction failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The write lock was not to be had: nothing was written.
    Busy,
    /// The disk is full. Nothing was written: a commit's last write is the frame that makes it
    /// valid, and SQLite says "full" only of a write, before the sync; what comes after fails
    /// with an I/O error.
    Full,
    /// Something failed on the way: whether it was written is unknown.
    Doubt(LogError),
}

impl Failure {
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Doubt(storage(error)),
        }
    }
}

impl From<Failure> for LogError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Busy => Self::Storage("it stays locked".to_owned()),
            Failure::Full => Self::Storage("its disk is full".to_owned()),
            Failure::Doubt(error) => error,
        }
    }
}

/// Runs `body` in a write transaction; commits if it returns `Ok`, else rolls back.
pub(super) fn run<T>(
    connection: &mut Connection,
    body: impl FnOnce(&Transaction<'_>) -> Result<T, Aborted<T>>,
) -> Result<T, Failure> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = begun.map_err(|e| Failure::of(&e))?;
    let failure = match body(&transaction) {
        Ok(done) => match transaction.commit() {
            Ok(()) => return Ok(done),
            // A commit that finds the store busy is none of ours: there is no other writer.
            Err(error) => match Failure::of(&error) {
                Failure::Full => Failure::Full,
                Failure::Busy | Failure::Doubt(_) => Failure::Doubt(storage(&error)),
            },
        },
        // Nothing was written: dropping the transaction only lets go of the lock.
        Err(Aborted::Answer(answer)) => return Ok(answer),
        Err(Aborted::Failed(failure)) => {
            drop(transaction);
            failure
        }
    };
    // "Nothing was written" holds only if it was in fact rolled back.
    if connection.is_autocommit() {
        return Err(failure);
    }
    Err(Failure::Doubt(LogError::Storage("a transaction could not be rolled back".to_owned())))
}
