//! The file: opening, creating, its format version, and what is checked on the way.

use super::{SqliteLog, storage};
use crate::{ChainError, Head, Log, LogError, Record, Seq};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The version of the file format this build reads and writes (SQLite's `user_version`).
pub const FORMAT_VERSION: i64 = 1;

/// SQLite's `application_id` of a Yufu log: the bytes `YFLG`.
const APPLICATION_ID: i64 = 0x5946_4c47;

/// How long to wait for another process's write lock.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// The format, once and for all of version 1.
const SCHEMA: &str = "
    CREATE TABLE record (
        seq INTEGER PRIMARY KEY CHECK (seq > 0),
        epoch INTEGER NOT NULL CHECK (epoch > 0),
        chain BLOB NOT NULL CHECK (length(chain) = 32),
        payload BLOB NOT NULL
    ) STRICT;
    CREATE TABLE epoch (
        number INTEGER PRIMARY KEY CHECK (number > 0),
        sealed_after INTEGER NOT NULL CHECK (sealed_after >= 0)
    ) STRICT;
";

/// Why a file could not be opened as a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened or created.
    #[error("{path} cannot be opened: {reason}; check the path and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// It is another program's database.
    #[error("{0} is a database, but not a Yufu log: name another file")]
    NotALog(PathBuf),
    /// It was written in a format this build does not know.
    #[error(
        "the log is of format version {found}, this build knows {FORMAT_VERSION}: \
         use a build that knows version {found}"
    )]
    Version {
        /// The file's version.
        found: i64,
    },
    /// The newest record does not verify.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The storage failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Opens for writing, creates if needed, and makes durable what a crash left in the WAL.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(path, flags)?;
    connection.execute_batch("PRAGMA synchronous = FULL").map_err(|e| file_error(path, &e))?;
    if is_blank(&connection).map_err(|e| file_error(path, &e))? {
        // Read first, changed after: another program's database is left as it is.
        connection.execute_batch("PRAGMA page_size = 65536").map_err(|e| storage(&e))?;
        connection.execute_batch("PRAGMA journal_mode = WAL").map_err(|e| storage(&e))?;
        create(&mut connection).map_err(|e| storage(&e))?;
        sync_directory(path)?;
    }
    check_format(&connection, path)?;
    write_back(&connection)?;
    Ok(connection)
}

/// Opens an existing log for reading only.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, OpenError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    check_format(&connection, path)?;
    Ok(connection)
}

/// After a crash the WAL may hold records whose fsync failed or never came, which the page
/// cache shows as if they were safe. A checkpoint writes them again, to the database, and syncs.
pub(super) fn write_back(connection: &Connection) -> Result<(), LogError> {
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(FULL)", (), |row| row.get(0))
        .map_err(|e| storage(&e))?;
    if busy == 0 {
        return Ok(());
    }
    Err(LogError::Storage("another process keeps a long transaction open on it".to_owned()))
}

/// Checks that the newest record follows from the one before it.
pub(super) fn check_newest(log: &SqliteLog) -> Result<(), OpenError> {
    let newest = log.durable_head()?;
    if newest == Head::EMPTY {
        return Ok(());
    }
    let before = Seq::new(newest.seq.get().saturating_sub(1));
    let (previous, record) = match log.read(before, 2)?.as_slice() {
        [only] if only.seq == Seq::FIRST => (Head::EMPTY, only.clone()),
        [previous, record] => (previous.head(), record.clone()),
        _ => return Err(ChainError::Missing { seq: before, found: newest.seq }.into()),
    };
    let Record { seq, epoch, payload, .. } = &record;
    if record.head() == previous.extend(*epoch, payload) {
        Ok(())
    } else {
        Err(ChainError::Altered { seq: *seq }.into())
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| file_error(path, &e))?;
    connection.busy_timeout(LOCK_WAIT).map_err(|e| file_error(path, &e))?;
    Ok(connection)
}

fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema";
    connection.query_row(sql, (), |row| row.get(0)).map(|objects: i64| objects == 0)
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have created it while this one waited for the lock.
    if is_blank(&transaction)? {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", FORMAT_VERSION)?;
    }
    transaction.commit()
}

/// SQLite syncs the directory for its WAL, not for the database file itself.
fn sync_directory(path: &Path) -> Result<(), OpenError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| OpenError::File { path: parent.to_owned(), reason: error.to_string() })
}

fn check_format(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get(0))
            .map_err(|e| file_error(path, &e))
    };
    let application: i64 = pragma("application_id")?;
    let found: i64 = pragma("user_version")?;
    if application != APPLICATION_ID {
        return Err(OpenError::NotALog(path.to_owned()));
    }
    if found != FORMAT_VERSION {
        return Err(OpenError::Version { found });
    }
    Ok(())
}

fn file_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    OpenError::File { path: path.to_owned(), reason: error.to_string() }
}
