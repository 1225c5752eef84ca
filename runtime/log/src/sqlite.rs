//! The embedded default: a log in one SQLite file, in WAL mode with `synchronous = FULL`.
//!
//! The primary key on the number is the fence against a second record of it; the epoch
//! table is the fence against a former writer. A second process is told so by a lock that the
//! system lets go of when the first one ends ([`SqliteLog::open_alone`]); no safety rests on it.

mod claim;
mod file;
mod rows;
#[cfg(test)]
mod tests;
mod transaction;

pub use file::{FORMAT_VERSION, OpenError};
pub(crate) use file::{sync_directory, write_archive};

use crate::columns::signed;
use crate::verify::check_newest;
use crate::{
    Appended, Epoch, Head, Log, LogError, MAX_PAYLOAD, PruneError, Record, Refusal, SealError, Seq,
};
use claim::Claim;
use rows::{base, current_epoch, head, storage};
use rusqlite::{Connection, Transaction};
use std::path::Path;
use transaction::{Aborted, Failure};

/// After how many pages in the WAL they are written to the database: 64 MiB.
const CHECKPOINT_PAGES: usize = 1024;

/// How many records are pruned in one step: few enough that a writer waits for milliseconds.
const PRUNE_STEP: u64 = 64;

/// A log in a SQLite file.
#[derive(Debug)]
pub struct SqliteLog {
    connection: Connection,
    /// Set by the first append or seal that ended in doubt. What the connection then shows is
    /// not what the next start will find: after a failed fsync the file may hold the record.
    unusable: bool,
    read_only: bool,
    /// About how many pages this handle wrote since the last checkpoint.
    pages: usize,
    _claim: Option<Claim>,
}

impl SqliteLog {
    /// Opens the log at `path` for writing, creating it if there is none. Whoever wants to
    /// append has to seal an epoch first.
    ///
    /// # Errors
    /// [`OpenError`]: not a log, a version this build does not know, a newest record that does
    /// not verify, or failing storage.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::checked(file::open(path)?, false, None)
    }

    /// The same, for the one process that is to write: a second one is refused as long as this
    /// handle lives. Readers are not held up.
    ///
    /// # Errors
    /// [`OpenError::InUse`], else as [`SqliteLog::open`].
    pub fn open_alone(path: &Path) -> Result<Self, OpenError> {
        let claim = Claim::take(path)?;
        Self::checked(file::open(path)?, false, Some(claim))
    }

    /// Opens the log at `path` for reading only: for an audit, beside a running writer.
    ///
    /// # Errors
    /// As [`SqliteLog::open`]; a missing file is an error too.
    pub fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        Self::checked(file::open_read_only(path)?, true, None)
    }

    fn checked(
        connection: Connection,
        read_only: bool,
        claim: Option<Claim>,
    ) -> Result<Self, OpenError> {
        let log = Self { connection, unusable: false, read_only, pages: 0, _claim: claim };
        check_newest(&log)?;
        Ok(log)
    }

    fn usable(&self) -> Result<(), LogError> {
        if self.unusable { Err(LogError::Unusable) } else { Ok(()) }
    }

    /// Runs `body` in a write transaction; commits if it returns `Ok`. A failure that leaves in
    /// doubt what was written makes the log unusable.
    fn write<T>(
        &mut self,
        body: impl FnOnce(&Transaction<'_>) -> Result<T, Aborted<T>>,
    ) -> Result<T, Failure> {
        let done = transaction::run(&mut self.connection, body);
        self.unusable |= matches!(done, Err(Failure::Doubt(_)));
        done
    }

    /// SQLite would write the WAL back by itself, and ignore it if that fails: done here, so that
    /// a failing disk ends the writer. A busy reader or a full disk only puts it off.
    fn write_back_in_time(&mut self, payload: &[u8]) {
        let pages = payload.len().checked_div(65_536).unwrap_or_default().saturating_add(3);
        self.pages = self.pages.saturating_add(pages);
        if self.pages < CHECKPOINT_PAGES {
            return;
        }
        match self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())) {
            Ok(()) => self.pages = 0,
            Err(error) => {
                self.unusable = matches!(Failure::of(&error), Failure::Doubt(_));
                self.pages = CHECKPOINT_PAGES / 2;
            }
        }
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
            Ok(answer) => {
                if matches!(answer, Appended::Durable(_)) {
                    self.write_back_in_time(payload);
                }
                answer
            }
            Err(Failure::Busy) => Appended::Refused(Refusal::Busy),
            Err(Failure::Full) => Appended::Refused(Refusal::Full),
            Err(Failure::Doubt(error)) => Appended::Unknown(error),
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
            transaction.execute(sql, row)?;
            Ok(Ok(head))
        });
        sealed.unwrap_or_else(|failure| Err(LogError::from(failure).into()))
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
        let from = from.max(Seq::FIRST);
        let rows = statement.query_map((signed(from.get())?, limit), rows::columns);
        let rows = rows.map_err(|e| storage(&e))?;
        let read = rows.map(|row| rows::record(row.map_err(|e| storage(&e))?));
        let records: Vec<Record> = read.collect::<Result<_, _>>()?;
        if records.first().is_none_or(|record| record.seq != from) {
            let first = self.base()?.seq.next();
            if from < first {
                return Err(LogError::Pruned { first });
            }
        }
        Ok(records)
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        self.usable()?;
        head(&self.connection)
    }

    fn base(&self) -> Result<Head, LogError> {
        self.usable()?;
        base(&self.connection)
    }

    fn prune(&mut self, epoch: Epoch, up_to: Head) -> Result<(), PruneError> {
        if self.read_only {
            return Err(PruneError::ReadOnly);
        }
        self.usable()?;
        loop {
            let step = self.write(|transaction| prune_step(transaction, epoch, up_to));
            let done = step.unwrap_or_else(|failure| Err(LogError::from(failure).into()))?;
            self.write_back_in_time(&[]);
            if done {
                return Ok(());
            }
        }
    }
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
    let mut statement = transaction.prepare_cached(sql)?;
    statement.execute((signed(next.seq.get())?, signed(epoch.get())?, next.chain.0, payload))?;
    Ok(Appended::Durable(next))
}

/// Removes a few records and moves the base along with them; tells whether `up_to` is reached.
fn prune_step(
    transaction: &Transaction<'_>,
    epoch: Epoch,
    up_to: Head,
) -> Result<Result<bool, PruneError>, Aborted<Result<bool, PruneError>>> {
    let answer = |answer| Err(Aborted::Answer(answer));
    let current = current_epoch(transaction)?;
    if epoch != current {
        return answer(Err(PruneError::Fenced(current)));
    }
    let from = base(transaction)?;
    if up_to.seq < from.seq || up_to == from {
        return answer(Ok(true));
    }
    if rows::head_of(transaction, up_to.seq)? != Some(up_to) {
        return answer(Err(PruneError::NoSuchHead { seq: up_to.seq }));
    }
    let end = Seq::new(from.seq.get().saturating_add(PRUNE_STEP)).min(up_to.seq);
    let Some(end) = rows::head_of(transaction, end)? else {
        return answer(Err(PruneError::NoSuchHead { seq: end }));
    };
    file::set_base(transaction, end)?;
    transaction.execute("DELETE FROM record WHERE seq <= ?1", [signed(end.seq.get())?])?;
    Ok(Ok(end == up_to))
}
