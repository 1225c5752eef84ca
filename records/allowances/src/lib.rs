//! What an OpenID provider keeps of allowances: who asks for one, how many batches each pseudonym was granted in an
//! epoch over all banks, and which keyset each bank signs blind tokens with.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod entity;
mod keysets;
mod quota;
mod returning;

pub use quota::{Grant, Pending, Subject};
pub use returning::Return;

use sea_orm::DbErr;
use yufu_base::Timestamp;
use yufu_database::{Database, DatabaseError, Migration, MigrationError};

/// The schema, in steps that are applied once each and never edited.
const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "allowances",
        sql: "
CREATE TABLE requests (
    id TEXT PRIMARY KEY NOT NULL,
    device TEXT NOT NULL,
    bank TEXT NOT NULL,
    link TEXT NOT NULL,
    session TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    answered_at BIGINT,
    receipt TEXT,
    token TEXT,
    subject TEXT,
    epoch BIGINT
);
CREATE UNIQUE INDEX requests_by_device ON requests(device);
CREATE TABLE grants (
    pseudonym TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (pseudonym, epoch, number)
);
CREATE TABLE keysets (
    bank TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    keyset TEXT NOT NULL,
    PRIMARY KEY (bank, epoch)
);
",
    },
    Migration {
        name: "returns",
        sql: "
CREATE TABLE returns (
    request TEXT PRIMARY KEY NOT NULL,
    redirect_uri TEXT NOT NULL,
    state TEXT,
    challenge TEXT NOT NULL
);
",
    },
];

/// An OpenID provider's records.
#[derive(Clone)]
pub struct Allowances {
    database: Database,
}

/// Why the records could not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum AllowancesError {
    /// There is no such row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The presentation was answered before; each is good once.
    #[error("this request was answered before: ask for a new one")]
    AlreadyAnswered,
    /// All batches of the epoch were granted.
    #[error("the allowance of this epoch is used: all {0} batches of tokens were granted")]
    Used(u32),
    /// A bank shows other keys than it did.
    #[error("the bank signs tokens with another keyset than it showed first in this epoch")]
    KeysetDiffers,
    /// A stored value cannot be one.
    #[error("the records are damaged: {0}")]
    Damaged(&'static str),
    /// The database failed; nothing was written.
    #[error("the OpenID provider's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl From<DbErr> for AllowancesError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Allowances {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`AllowancesError::Migration`].
    pub async fn open(database: Database) -> Result<Self, AllowancesError> {
        database.migrate("allowances", MIGRATIONS).await?;
        Ok(Self { database })
    }
}

fn to_column(at: Timestamp) -> i64 {
    i64::try_from(at.seconds()).unwrap_or(i64::MAX)
}

fn from_column(seconds: i64) -> Result<Timestamp, AllowancesError> {
    let seconds = u64::try_from(seconds).map_err(|_| AllowancesError::Damaged("time"))?;
    Ok(Timestamp::from_seconds(seconds))
}

fn epoch_column(epoch: u64) -> Result<i64, AllowancesError> {
    i64::try_from(epoch).map_err(|_| AllowancesError::Damaged("epoch"))
}
