//! The embedded default: a log in one SQLite file, in WAL mode with `synchronous = FULL`.
//!
//! The primary key on the number is the fence against a second record of it; the epoch
//! table is the fence against a former writer. There are no lock files.

mod file;
#[cfg(test)]
mod tests;

pub use file::{FORMAT_VERSION, OpenError};

use crate::{Appended, Epoch, Head, Log, LogError, MAX_PAYLOAD, Record, Refusal, SealError, Seq};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior};
use std::path::Path;
use yufu_base::Digest;

/// A log in a SQLite file.
#[derive(Debug)]
pub struct SqliteLog {
    connection: Connection,
    /// Set by the first append or seal that ended in doubt. What the connection then shows is
    /// not what the next start will find: after a failed fsync the file may hold the record.
    unusable: bool,
    read_only: bool,
}

impl SqliteLog {
    /// Opens the log at `path` for writing, creating it if there is none. Whoever wants to
    /// append has to seal an epoch first.
    ///
    /// # Errors
    /// [`OpenError`]: not a log, a version this build does not know, a newest record that does
    /// not verify, or failing storage.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = file::open(path)?;
        Self::checked(connection, false)
    }

    /// Opens the log at `path` for reading only: for an audit, beside a running writer.
    ///
    /// # Errors
    /// As [`SqliteLog::open`]; a missing file is an error too.
    pub fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        let connection = file::open_read_only(path)?;
        Self::checked(connection, true)
    }

    fn checked(connection: Connection, read_only: bool) -> Result<Self, OpenError> {
        let log = Self { connection, unusable: false, read_only };
        file::check_newest(&log)?;
        Ok(log)
    }

    fn usable(&self) -> Result<(), LogError> {
        if self.unusable { Err(LogError::Unusable) } else { Ok(()) }
    }

    /// Runs `body` in a write transaction; commits if it returns `Ok`.
    fn write<T>(
        &mut self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Aborted<T>>,
    ) -> Result<T, WriteError> {
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => WriteError::Busy,
            _ => WriteError::Failed(storage(&error)),
        })?;
        let done = match body(&transaction) {
            Ok(done) => done,
            // Nothing was written: dropping the transaction only lets go of the lock.
            Err(Aborted::Answer(answer)) => return Ok(answer),
            Err(Aborted::Failed(error)) => return Err(WriteError::Failed(error)),
        };
        transaction.commit().map_err(|error| WriteError::Failed(storage(&error)))?;
        Ok(done)
    }
}

impl Log for SqliteLog {
    fn append(&mut self, after: Head, epoch: Epoch, payload: &[u8]) -> Appended {
        let bytes = payload.len();
        let refusal = match () {
            () if self.read_only => Some(Refusal::ReadOnly),
            () if self.unusable => Some(Refusal::Unusable),
            () if bytes > MAX_PAYLOAD => Some(Refusal::TooLarge { bytes }),
            () => None,
        };
        if let Some(refusal) = refusal {
            return Appended::Refused(refusal);
        }
        match self.write(|transaction| insert(transaction, after, epoch, payload)) {
            Ok(answer) => answer,
            Err(WriteError::Busy) => Appended::Refused(Refusal::Busy),
            Err(WriteError::Failed(error)) => {
                self.unusable = true;
                Appended::Unknown(error)
            }
        }
    }

    fn seal(&mut self, epoch: Epoch) -> Result<Head, SealError> {
        if self.read_only {
            return Err(SealError::ReadOnly);
        }
        self.usable()?;
        let sealed = self.write(|transaction| {
            let current = current_epoch(transaction)?;
            let head = head(transaction)?;
            if epoch <= current {
                let stale = SealError::Stale { asked: epoch, current };
                return Err(Aborted::Answer(Err(stale)));
            }
            let sql = "INSERT INTO epoch (number, sealed_after) VALUES (?1, ?2)";
            let row = (signed(epoch.get())?, signed(head.seq.get())?);
            transaction.execute(sql, row).map_err(|e| storage(&e))?;
            Ok(Ok(head))
        });
        match sealed {
            Ok(answer) => answer,
            Err(WriteError::Busy) => Err(LogError::Storage("it stays locked".to_owned()).into()),
            Err(WriteError::Failed(error)) => {
                self.unusable = true;
                Err(error.into())
            }
        }
    }

    fn epoch(&self) -> Result<Epoch, LogError> {
        self.usable()?;
        current_epoch(&self.connection)
    }

    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
        self.usable()?;
        let sql =
            "SELECT seq, epoch, chain, payload FROM record WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| storage(&e))?;
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let rows =
            statement.query_map((signed(from.get())?, limit), columns).map_err(|e| storage(&e))?;
        rows.map(|row| record(row.map_err(|e| storage(&e))?)).collect()
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        self.usable()?;
        head(&self.connection)
    }
}

/// Why the body of a transaction did not reach its end.
enum Aborted<T> {
    /// The answer is known and nothing is to be written.
    Answer(T),
    /// The storage failed.
    Failed(LogError),
}

impl<T> From<LogError> for Aborted<T> {
    fn from(error: LogError) -> Self {
        Self::Failed(error)
    }
}

enum WriteError {
    /// The write lock was not to be had: nothing was written.
    Busy,
    /// Something failed on the way: whether it was written is unknown.
    Failed(LogError),
}

fn insert(
    transaction: &Transaction<'_>,
    after: Head,
    epoch: Epoch,
    payload: &[u8],
) -> Result<Appended, Aborted<Appended>> {
    let current = current_epoch(transaction)?;
    if epoch != current || epoch == Epoch::NONE {
        return Err(Aborted::Answer(Appended::Fenced(current)));
    }
    let found = head(transaction)?;
    if after != found {
        return Err(Aborted::Answer(Appended::Conflict(found)));
    }
    let next = after.extend(epoch, payload);
    let sql = "INSERT INTO record (seq, epoch, chain, payload) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = transaction.prepare_cached(sql).map_err(|e| storage(&e))?;
    let row = (signed(next.seq.get())?, signed(epoch.get())?, next.chain.0, payload);
    statement.execute(row).map_err(|e| storage(&e))?;
    Ok(Appended::Durable(next))
}

fn current_epoch(connection: &Connection) -> Result<Epoch, LogError> {
    let sql = "SELECT coalesce(max(number), 0) FROM epoch";
    let mut statement = connection.prepare_cached(sql).map_err(|e| storage(&e))?;
    let number: i64 = statement.query_row((), |row| row.get(0)).map_err(|e| storage(&e))?;
    unsigned(number).map(Epoch::new)
}

fn head(connection: &Connection) -> Result<Head, LogError> {
    let sql = "SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql).map_err(|e| storage(&e))?;
    let newest: Option<(i64, Vec<u8>)> = statement
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(|e| storage(&e))?;
    let Some((seq, chain)) = newest else { return Ok(Head::EMPTY) };
    let seq = unsigned(seq)?;
    Ok(Head { seq: Seq::new(seq), chain: digest(seq, &chain)? })
}

type Columns = (i64, i64, Vec<u8>, Vec<u8>);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn record((seq, epoch, chain, payload): Columns) -> Result<Record, LogError> {
    let seq = unsigned(seq)?;
    let epoch = Epoch::new(unsigned(epoch)?);
    Ok(Record { seq: Seq::new(seq), epoch, payload, chain: digest(seq, &chain)? })
}

fn digest(seq: u64, chain: &[u8]) -> Result<Digest, LogError> {
    let malformed = |_| {
        LogError::Malformed(format!(
            "record {seq} has a chain value of {} bytes, not 32",
            chain.len()
        ))
    };
    chain.try_into().map(Digest).map_err(malformed)
}

fn signed(number: u64) -> Result<i64, LogError> {
    i64::try_from(number).map_err(|_| LogError::Malformed(format!("{number} is out of range")))
}

fn unsigned(number: i64) -> Result<u64, LogError> {
    u64::try_from(number).map_err(|_| LogError::Malformed(format!("{number} is out of range")))
}

fn storage(error: &rusqlite::Error) -> LogError {
    LogError::Storage(error.to_string())
}
