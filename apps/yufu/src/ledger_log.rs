//! Where the ledger's log is: a file in the central bank's folder, or a PostgreSQL database.

use crate::command_line::LogAt;
use crate::data::{ARCHIVE, DataFolder};
use crate::words::text;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yufu_engine::OpenLog;
use yufu_log::{Log, LogError, PostgresAddress, PostgresLog, SqliteLog, WithArchive};

/// The place of a log.
#[derive(Clone, Debug)]
pub(crate) enum LedgerLog {
    /// A file, of SQLite.
    File(PathBuf),
    /// A database, of PostgreSQL.
    Database(PostgresAddress),
}

impl LedgerLog {
    /// A place as it is typed: an address, else the name of a file.
    pub(crate) fn named(text: &str) -> Result<Self> {
        if PostgresAddress::is_one(text) {
            return Ok(Self::Database(text.parse()?));
        }
        Ok(Self::File(PathBuf::from(text)))
    }

    /// For the one process that writes. Blocks: not for an asynchronous task.
    pub(crate) fn open(&self) -> Result<Box<dyn Log>> {
        Ok(match self {
            Self::File(path) => {
                Box::new(SqliteLog::open_alone(path).with_context(|| self.to_string())?)
            }
            Self::Database(address) => Box::new(PostgresLog::open_alone(address)?),
        })
    }

    /// For taking records out, beside the process that writes. Blocks: not for an asynchronous task.
    pub(crate) fn open_beside(&self) -> Result<Box<dyn Log>> {
        Ok(match self {
            Self::File(path) => Box::new(SqliteLog::open(path).with_context(|| self.to_string())?),
            Self::Database(address) => Box::new(PostgresLog::open(address)?),
        })
    }

    /// Where records lie that were moved out of it, if any were: beside the file, or in a data folder.
    pub(crate) fn found_archive(&self, data: &DataFolder) -> Option<PathBuf> {
        let archive = match self {
            Self::File(path) => path.with_file_name(ARCHIVE),
            Self::Database(_) => data.found_snapshots().with_file_name(ARCHIVE),
        };
        archive.is_dir().then_some(archive)
    }

    /// For reading, beside the process that writes; with what was moved into an archive, if that
    /// is named. Blocks: not for an asynchronous task.
    pub(crate) fn open_read_only(&self, archive: Option<&Path>) -> Result<Box<dyn Log>> {
        let log: Box<dyn Log> = match self {
            Self::File(path) => Box::new(SqliteLog::open_read_only(path)?),
            Self::Database(address) => Box::new(PostgresLog::open_read_only(address)?),
        };
        Ok(match archive {
            Some(folder) => Box::new(WithArchive::open(folder, log)?),
            None => log,
        })
    }

    /// Whom a database waits for before it confirms, in words; or why it cannot hold the log.
    /// Nothing is made. Blocks.
    pub(crate) fn described(address: &PostgresAddress) -> Result<String> {
        let standbys = PostgresLog::check(address)?;
        Ok(if standbys.is_empty() {
            text!(
                "the log at {address}, which waits for no standby: what it confirms is on its own disk only",
                address = address
            )
        } else {
            text!(
                "the log at {address}, which waits for {standbys}",
                address = address,
                standbys = standbys
            )
        })
    }
}

/// Opens a log whenever the engine or the history asks for it.
pub(crate) fn whenever_asked(
    open: impl Fn() -> Result<Box<dyn Log>> + Send + Sync + 'static,
) -> OpenLog {
    Arc::new(move || open().map_err(|error| LogError::Storage(format!("{error:#}"))))
}

/// A log as it is named on the command line, and what lies beside it.
pub(crate) struct NamedLog {
    place: LedgerLog,
    /// Where records lie that were moved out of it, if any were.
    archive: Option<PathBuf>,
    /// The folder of its snapshots: beside it, or of one in a database in the data folder.
    pub(crate) snapshots: PathBuf,
}

impl NamedLog {
    /// The one named, else that of the central bank in the data folder.
    pub(crate) fn of(at: &LogAt) -> Result<Self> {
        let data = DataFolder::choose(at.data.data.clone(), "city")?;
        let place = match &at.log {
            Some(text) => LedgerLog::named(text)?,
            None => LedgerLog::File(data.ledger()?),
        };
        let archive = at.archive.clone().or_else(|| place.found_archive(&data));
        let snapshots = match &place {
            LedgerLog::File(path) => path.with_file_name("snapshots"),
            LedgerLog::Database(_) => data.found_snapshots(),
        };
        Ok(Self { place, archive, snapshots })
    }

    /// For reading, with the archive. Blocks: not for an asynchronous task.
    pub(crate) fn open(&self) -> Result<Box<dyn Log>> {
        self.place.open_read_only(self.archive.as_deref()).with_context(|| {
            text!(
                "{path} cannot be read: name the log with --log, or the folder with --data",
                path = self.place
            )
        })
    }
}

impl fmt::Display for LedgerLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Database(address) => address.fmt(f),
        }
    }
}

/// An address as settings hold it, with a password perhaps: not to be shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}
