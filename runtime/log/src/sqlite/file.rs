//! The file: opening, creating, its format version, and what is checked on the way.

use super::Failure;
use super::rows::storage;
use crate::columns::signed;
use crate::{ChainError, Epoch, Head, LogError, Record};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The newest version of the file format that this build reads and writes (SQLite's
/// `user_version`). A file is of version 1 until it is pruned, and of version 2 from then on.
pub const FORMAT_VERSION: i64 = 2;

/// The oldest version that this build reads and writes.
const OLDEST_VERSION: i64 = 1;

/// The version from which on a file states its base.
pub(super) const WITH_BASE: i64 = 2;

/// SQLite's `application_id` of a Yufu log: the bytes `YFLG`.
const APPLICATION_ID: i64 = 0x5946_4c47;

/// How often to ask for another process's write lock, and for how long: five seconds and more.
const LOCK_STEP: Duration = Duration::from_millis(1);
const LOCK_STEPS: i32 = 5_000;

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

/// What version 2 has beyond version 1: the head that the oldest record follows from, one row.
const BASE_SCHEMA: &str = "
    CREATE TABLE base (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seq INTEGER NOT NULL CHECK (seq > 0),
        chain BLOB NOT NULL CHECK (length(chain) = 32)
    ) STRICT;
    PRAGMA user_version = 2;
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
        "the log is of format version {found}, this build knows {OLDEST_VERSION} to \
         {FORMAT_VERSION}: use a build that knows version {found}"
    )]
    Version {
        /// The file's version.
        found: i64,
    },
    /// There is no space to make durable what a crash or a full disk left in the WAL.
    #[error("the disk of {0} is full: make space, then start again")]
    Full(PathBuf),
    /// Another process writes it.
    #[error("{path} is written by another process{}: stop that one first", Holder(.process))]
    InUse {
        /// The log.
        path: PathBuf,
        /// Its number, if it could be told.
        process: Option<u32>,
    },
    /// The newest record does not verify.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The storage failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// The number of a process, in brackets.
struct Holder<'a>(&'a Option<u32>);

impl fmt::Display for Holder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |process| write!(f, " (number {process})"))
    }
}

/// Opens for writing, creates if needed, and makes durable what a crash left in the WAL.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(path, flags)?;
    let settings = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0";
    connection.execute_batch(settings).map_err(|e| file_error(path, &e))?;
    if is_blank(&connection).map_err(|e| file_error(path, &e))? {
        // Read first, changed after: another program's database is left as it is.
        connection.execute_batch("PRAGMA page_size = 65536").map_err(|e| storage(&e))?;
        connection.execute_batch("PRAGMA journal_mode = WAL").map_err(|e| storage(&e))?;
        create(&mut connection).map_err(|e| storage(&e))?;
        sync_directory(path)?;
    }
    check_format(&connection, path)?;
    write_back(&connection).map_err(|failure| match failure {
        Failure::Full => OpenError::Full(path.to_owned()),
        other => OpenError::Log(other.into()),
    })?;
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
pub(super) fn write_back(connection: &Connection) -> Result<(), Failure> {
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(FULL)", (), |row| row.get(0))
        .map_err(|e| Failure::of(&e))?;
    if busy == 0 {
        return Ok(());
    }
    let reason = "another process keeps a long transaction open on it";
    Err(Failure::Doubt(LogError::Storage(reason.to_owned())))
}

/// States that everything up to `head` was pruned. The first time makes the file version 2.
pub(super) fn set_base(connection: &Connection, head: Head) -> rusqlite::Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < WITH_BASE {
        connection.execute_batch(BASE_SCHEMA)?;
    }
    let sql = "INSERT INTO base (one, seq, chain) VALUES (1, ?1, ?2)
               ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, chain = excluded.chain";
    connection.execute(sql, (head.seq.get(), head.chain.0)).map(drop)
}

/// Writes a closed log of its own at `path`, durable when this returns: `records`, which follow
/// from `base` and bring their epochs along.
pub(crate) fn write_archive<E: From<OpenError> + From<LogError>>(
    path: &Path,
    base: Head,
    records: impl Iterator<Item = Result<Record, E>>,
) -> Result<(), E> {
    let mut connection = open(path)?;
    let failed = |error: rusqlite::Error| LogError::from(Failure::of(&error));
    let transaction = connection.transaction().map_err(failed)?;
    if base != Head::EMPTY {
        set_base(&transaction, base).map_err(failed)?;
    }
    let mut epoch = Epoch::NONE;
    for record in records {
        let record = record?;
        let row = (signed(record.seq.get())?, signed(record.epoch.get())?);
        if record.epoch != epoch {
            epoch = record.epoch;
            let sql = "INSERT INTO epoch (number, sealed_after) VALUES (?2, ?1 - 1)";
            transaction.execute(sql, row).map_err(failed)?;
        }
        let sql = "INSERT INTO record (seq, epoch, chain, payload) VALUES (?1, ?2, ?3, ?4)";
        let mut statement = transaction.prepare_cached(sql).map_err(failed)?;
        statement.execute((row.0, row.1, record.chain.0, record.payload)).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    write_back(&connection).map_err(LogError::from)?;
    // A file that is read only needs no WAL beside it, and can lie on a medium that is read-only.
    let mode = connection.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get(0));
    let _: String = mode.map_err(failed)?;
    drop(connection);
    sync_file(path).map_err(Into::into)
}

fn sync_file(path: &Path) -> Result<(), OpenError> {
    let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
    let error = |error: std::io::Error| OpenError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    synced.map_err(error)?;
    sync_directory(path)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| file_error(path, &e))?;
    connection.busy_handler(Some(wait_for_lock)).map_err(|e| file_error(path, &e))?;
    Ok(connection)
}

/// Asks again soon. SQLite's own waiting pauses ever longer, up to a tenth of a second, and can
/// miss every gap that a busy writer leaves between two appends: a take-over would starve.
fn wait_for_lock(times: i32) -> bool {
    std::thread::sleep(LOCK_STEP);
    times < LOCK_STEPS
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
        transaction.pragma_update(None, "user_version", OLDEST_VERSION)?;
    }
    transaction.commit()
}

/// SQLite syncs the directory for its WAL, not for the database file itself.
pub(crate) fn sync_directory(path: &Path) -> Result<(), OpenError> {
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
    if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&found) {
        return Err(OpenError::Version { found });
    }
    Ok(())
}

fn file_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    OpenError::File { path: path.to_owned(), reason: error.to_string() }
}
