//! Why a view cannot be kept up or asked.

use std::path::PathBuf;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_engine::{ReplayError, SnapshotError};
use yufu_log::{ChainError, LogError, Seq};

/// Why a view is not what the log says, or cannot be brought there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The file, or what is beneath it, failed.
    #[error("the history's file failed: {0}; check the disk and its space")]
    Storage(String),
    /// There is no file.
    #[error("there is no history at {0} yet: start the server, or run `yufu views rebuild`")]
    Missing(PathBuf),
    /// It is something else.
    #[error(
        "{0} is a database, but no history of a ledger: move it away, the history is made anew"
    )]
    NotAView(PathBuf),
    /// Its form is not one this build knows.
    #[error("the history is of format {found}, this build knows {known}: run `yufu views rebuild`")]
    Format {
        /// Its format.
        found: i64,
        /// The one this build reads and writes.
        known: i64,
    },
    /// The log does not lead through what was read of it.
    #[error(
        "the history is of another log, or the log was cut off or rewritten before record {seq}: \
         `yufu log verify` tells about the log; if it is the right one, run `yufu views rebuild`"
    )]
    OtherLog {
        /// The record up to which the history had come.
        seq: Seq,
    },
    /// The log does not hold what comes next, and no snapshot from before it can be used.
    #[error(
        "the history has come to record {seq}, and the log begins at {first} without a snapshot \
         from before: run `yufu views rebuild`, with --archive if the older records are there"
    )]
    Pruned {
        /// The record up to which the history had come.
        seq: Seq,
        /// The first record that the log holds.
        first: Seq,
    },
    /// Not every bit is as it was written.
    #[error("the history is damaged: {0}; run `yufu views rebuild`, and check the disk")]
    Damaged(String),
    /// What it says is not what the machine came to.
    #[error(
        "the history is not what the log leads to: {0}; run `yufu views rebuild`, and report it"
    )]
    Mismatch(String),
    /// Somebody else writes it.
    #[error("another process keeps up this history: stop one of the two")]
    OtherFollower,
    /// A snapshot contradicts the log.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The log does not replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl ViewError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Storage(_) => "views.storage",
            Self::Missing(_) => "views.missing",
            Self::NotAView(_) => "views.not_a_view",
            Self::Format { .. } => "views.format",
            Self::OtherLog { .. } => "views.other_log",
            Self::Pruned { .. } => "views.pruned",
            Self::Damaged(_) => "views.damaged",
            Self::Mismatch(_) => "views.mismatch",
            Self::OtherFollower => "views.other_follower",
            Self::Snapshot(_) => "views.snapshot",
            Self::Replay(_) => "views.replay",
            Self::Log(_) => "views.log",
        }
    }

    /// Whether it may pass by itself: a disk that is full, a database out of reach.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Storage(_) | Self::Log(LogError::Storage(_)))
            || matches!(self, Self::Log(LogError::Unconfirmed(_)))
    }
}

impl From<ChainError> for ViewError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Log(error) => Self::Log(error),
            other => Self::Replay(other.into()),
        }
    }
}

impl From<rusqlite::Error> for ViewError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Storage(error.to_string()),
        }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// There is no such account, or it is not known here yet.
    #[error("the history knows no account {0}")]
    AccountUnknown(AccountId),
    /// No transfer was caused by that command, or it is not known here yet.
    #[error("the history knows no transfer that command {0} caused")]
    TransferUnknown(CommandId),
    /// The history begins later.
    #[error("the history begins at {}: ask for a later time", .begins.millis())]
    BeforeHistory {
        /// When it begins.
        begins: Timestamp,
    },
    /// The view cannot be asked.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        Self::View(error.into())
    }
}
