//! The tables, their version, and what a server has to hold for durability to rest on it.

use super::connection::describe;
use super::{Access, PostgresAddress};
use crate::{ChainError, LogError};
use postgres::Client;
use postgres::types::ToSql;

/// The version of the tables that this build reads and writes.
const VERSION: i32 = 1;

/// The advisory lock of the one process that writes (the bytes `YFLG`, and 1), and the one under
/// which the tables are made.
pub(super) const CLAIM: [&(dyn ToSql + Sync); 2] = [&0x5946_4c47_i32, &1_i32];
const CREATION: [&(dyn ToSql + Sync); 2] = [&0x5946_4c47_i32, &2_i32];

/// One log to a database. Payloads do not compress: their storage does not try.
const SCHEMA: &str = "
    CREATE SCHEMA yufu_log;
    CREATE TABLE yufu_log.record (
        seq bigint PRIMARY KEY CHECK (seq > 0),
        epoch bigint NOT NULL CHECK (epoch > 0),
        chain bytea NOT NULL CHECK (octet_length(chain) = 32),
        payload bytea NOT NULL
    );
    ALTER TABLE yufu_log.record ALTER COLUMN payload SET STORAGE EXTERNAL;
    CREATE TABLE yufu_log.epoch (
        number bigint PRIMARY KEY CHECK (number > 0),
        sealed_after bigint NOT NULL CHECK (sealed_after >= 0),
        superseded_by bigint CHECK (superseded_by > number)
    );
    CREATE UNIQUE INDEX epoch_in_force ON yufu_log.epoch ((true)) WHERE superseded_by IS NULL;
    CREATE TABLE yufu_log.base (
        one boolean PRIMARY KEY CHECK (one),
        seq bigint NOT NULL CHECK (seq >= 0),
        chain bytea NOT NULL CHECK (octet_length(chain) = 32)
    );
    INSERT INTO yufu_log.base VALUES (true, 0, decode(repeat('00', 32), 'hex'));
    CREATE TABLE yufu_log.format (version integer NOT NULL);
    INSERT INTO yufu_log.format VALUES (1);
";

/// Why a database could not be opened as a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostgresOpenError {
    /// There is no connection.
    #[error("{address} cannot be reached: {reason}; check address, password and pg_hba.conf")]
    Unreachable {
        /// The server.
        address: String,
        /// What it, or the system, says.
        reason: String,
    },
    /// The authorities that certify the server cannot be read.
    #[error("the server cannot be verified: {reason}; name its authority with sslrootcert=FILE")]
    Authorities {
        /// Why.
        reason: String,
    },
    /// The server takes no writes.
    #[error(
        "{0} is a standby: name the primary, or both (postgres://a,b/database), which finds it"
    )]
    Standby(String),
    /// The server would confirm what it can lose.
    #[error("the server has {setting} = {value}, and would confirm what it can lose: set it to on")]
    Unsafe {
        /// The setting.
        setting: String,
        /// Its value.
        value: String,
    },
    /// A table would be empty after a crash.
    #[error("table yufu_log.{0} is not logged, and would be empty after a crash: SET LOGGED")]
    Unlogged(String),
    /// There is no log to be read.
    #[error("{0} holds no log: name another database")]
    NoLog(String),
    /// The role may not make the log.
    #[error("{0} may not make the log: GRANT CREATE ON DATABASE to it, once")]
    Denied(String),
    /// Something else has the log's name.
    #[error("{0} has a schema yufu_log that is none of this program: name another database")]
    NotALog(String),
    /// The tables are of a version this build does not know.
    #[error(
        "the log is of format version {found}, this build knows {VERSION}: \
         use a build that knows version {found}"
    )]
    Version {
        /// The version found.
        found: i32,
    },
    /// Another process writes it.
    #[error("the log is written by another process ({by}): stop that one first")]
    InUse {
        /// Which.
        by: String,
    },
    /// The newest record does not verify.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The storage failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Creates the tables if need be, and checks everything that an answer will rest on.
pub(super) fn ready(
    client: &mut Client,
    address: &PostgresAddress,
    access: Access,
) -> Result<(), PostgresOpenError> {
    check_settings(client)?;
    if !exists(client, "to_regnamespace('yufu_log')")? {
        if access == Access::ReadOnly {
            return Err(PostgresOpenError::NoLog(address.to_string()));
        }
        create(client).map_err(|error| storage(&error))?;
    }
    if !exists(client, "to_regclass('yufu_log.format')")? {
        return Err(PostgresOpenError::NotALog(address.to_string()));
    }
    let version = client.query_one("SELECT version FROM yufu_log.format", &[]);
    let found: i32 = version.map_err(|error| storage(&error))?.get(0);
    if found != VERSION {
        return Err(PostgresOpenError::Version { found });
    }
    let unlogged = client.query_opt(
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('yufu_log')
         AND relkind = 'r' AND relpersistence <> 'p' LIMIT 1",
        &[],
    );
    match unlogged.map_err(|error| storage(&error))? {
        Some(row) => Err(PostgresOpenError::Unlogged(row.get(0))),
        None => Ok(()),
    }
}

/// Whether this role may make the tables.
pub(super) fn may_create(
    client: &mut Client,
    address: &PostgresAddress,
) -> Result<(), PostgresOpenError> {
    let sql = "SELECT has_database_privilege(current_database(), 'CREATE')";
    let row = client.query_one(sql, &[]).map_err(|error| storage(&error))?;
    if row.get(0) { Ok(()) } else { Err(PostgresOpenError::Denied(address.to_string())) }
}

fn exists(client: &mut Client, object: &str) -> Result<bool, LogError> {
    let row = client.query_one(&format!("SELECT {object} IS NOT NULL"), &[]);
    Ok(row.map_err(|error| storage(&error))?.get(0))
}

/// The settings that were asked for are in force, and those that only the server's operator can
/// change are as they have to be.
fn check_settings(client: &mut Client) -> Result<(), PostgresOpenError> {
    let needed = [
        ("synchronous_commit", "on"),
        ("client_min_messages", "warning"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
    ];
    for (setting, wanted) in needed {
        let row = client.query_one("SELECT current_setting($1)", &[&setting]);
        let value: String = row.map_err(|error| storage(&error))?.get(0);
        if value != wanted {
            return Err(PostgresOpenError::Unsafe { setting: setting.to_owned(), value });
        }
    }
    Ok(())
}

/// Two processes that start at once make the tables once.
fn create(client: &mut Client) -> Result<(), postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.execute("SELECT pg_advisory_xact_lock($1, $2)", &CREATION)?;
    let there = "SELECT to_regnamespace('yufu_log') IS NOT NULL";
    if !transaction.query_one(there, &[])?.get::<_, bool>(0) {
        transaction.batch_execute(SCHEMA)?;
    }
    transaction.commit()
}

fn storage(error: &postgres::Error) -> LogError {
    LogError::Storage(describe(error))
}
