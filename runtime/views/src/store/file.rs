//! Opening and creating the file, and its format.

use crate::error::ViewError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The version of the file's form that this build reads and writes (SQLite's `user_version`).
/// There is no way from one to another but `rebuild`: all of it is in the log.
pub const FORMAT_VERSION: i64 = 1;

/// SQLite's `application_id` of a view: the bytes `YFVW`.
const APPLICATION_ID: i64 = 0x5946_5657;

/// How long to wait for another's lock.
const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE progress (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seq INTEGER NOT NULL, chain BLOB NOT NULL, at INTEGER NOT NULL, rows INTEGER NOT NULL,
        begins_seq INTEGER NOT NULL, begins_chain BLOB NOT NULL, begins_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE account (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
        debit_balanced INTEGER NOT NULL,
        opened INTEGER NOT NULL,
        opening INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE head (
        number INTEGER PRIMARY KEY,
        newest INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        balance INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE block (
        first INTEGER PRIMARY KEY,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        rows BLOB NOT NULL
    ) STRICT;
    CREATE TABLE mark (
        account INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        row INTEGER NOT NULL,
        PRIMARY KEY (account, entry)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE ids (
        number INTEGER PRIMARY KEY,
        created INTEGER NOT NULL,
        first INTEGER NOT NULL,
        list BLOB NOT NULL
    ) STRICT;
    CREATE INDEX ids_created ON ids (created);
";

/// Held by whoever writes the file; the system lets go of it when the process ends, however it ends.
pub(crate) struct Claim {
    _file: File,
}

impl Claim {
    /// Takes it, by a lock on a file beside the view's.
    pub(crate) fn take(path: &Path) -> Result<Self, ViewError> {
        let failed =
            |error: std::io::Error| ViewError::Storage(format!("{}: {error}", path.display()));
        let mut options = File::options();
        let lock = beside(path, ".lock");
        let file = options.write(true).create(true).truncate(false).open(lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(ViewError::OtherFollower),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens the file for its one follower, and makes it if there is none.
pub(crate) fn open(path: &Path) -> Result<Connection, ViewError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(path, flags)?;
    if is_blank(&connection)? {
        connection.execute_batch("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL")?;
        create(&mut connection)?;
    }
    check_format(&connection, path)?;
    // What a crash of the machine takes back is a whole transaction with its cursor: it is done anew.
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536")?;
    Ok(connection)
}

/// Opens the file for reading, beside whoever writes it.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, ViewError> {
    if !path.exists() {
        return Err(ViewError::Missing(path.to_owned()));
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if is_blank(&connection)? {
        return Err(ViewError::Missing(path.to_owned()));
    }
    check_format(&connection, path)?;
    Ok(connection)
}

/// Removes the file, and what SQLite keeps beside it.
pub(crate) fn delete(path: &Path) -> Result<(), ViewError> {
    for suffix in ["-wal", "-shm", ""] {
        match std::fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ViewError::Storage(format!("{}: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, ViewError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error| ViewError::Storage(format!("{}: {error}", path.display()));
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

fn is_blank(connection: &Connection) -> Result<bool, ViewError> {
    let sql = "SELECT count(*) FROM sqlite_schema";
    Ok(connection.query_row(sql, (), |row| row.get::<_, i64>(0))? == 0)
}

/// Whether the tables are those of this format, to the letter: a flipped one may show only to whoever writes.
pub(super) fn has_own_tables(connection: &Connection) -> Result<bool, ViewError> {
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(SCHEMA)?;
    Ok(tables(connection)? == tables(&fresh)?)
}

fn tables(connection: &Connection) -> Result<Vec<(String, Option<String>)>, ViewError> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let named = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(named.collect::<Result<_, _>>()?)
}

fn create(connection: &mut Connection) -> Result<(), ViewError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have created it while this one waited for the lock.
    if is_blank(&transaction)? {
        transaction.execute_batch(SCHEMA)?;
        let zeros = [0_u8; 32];
        let sql = "INSERT INTO progress VALUES (1, 0, ?1, 0, 0, 0, ?1, 0)";
        transaction.execute(sql, [zeros])?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", FORMAT_VERSION)?;
    }
    Ok(transaction.commit()?)
}

fn check_format(connection: &Connection, path: &Path) -> Result<(), ViewError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("application_id")? != APPLICATION_ID {
        return Err(ViewError::NotAView(path.to_owned()));
    }
    match pragma("user_version")? {
        FORMAT_VERSION => Ok(()),
        found => Err(ViewError::Format { found, known: FORMAT_VERSION }),
    }
}
