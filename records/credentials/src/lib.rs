//! The issuer's records: who was authenticated by which officer, issuances under way, nonces,
//! and the place of every issued credential in a status list. No claim is stored here.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod entity;
mod issuance;
mod migrations;
mod nonce;
mod status;

pub use issuance::{Authentication, Issuance};
pub use status::{Allocation, StatusEntry};

use sea_orm::DbErr;
use yufu_database::{Database, DatabaseError, MigrationError};

/// The issuer's records.
#[derive(Clone)]
pub struct Credentials {
    database: Database,
}

/// Why the issuer's records could not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There is no such row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// Another request moved the issuance on in the meantime: each stage happens once.
    #[error("this stage of the issuance was passed before: ask for a new offer")]
    AlreadyPassed,
    /// The nonce is not one of ours, was spent, or has expired.
    #[error("the nonce is unknown, spent or expired: fetch a fresh one")]
    NonceSpent,
    /// The status list has no room left.
    #[error("the status list is full: a new one must be opened")]
    ListFull,
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing of the step was written.
    #[error("the issuer's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl Credentials {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`CredentialsError::Migration`] if the schema cannot be brought up to date.
    pub async fn open(database: Database) -> Result<Self, CredentialsError> {
        database.migrate("credentials", migrations::ALL).await?;
        Ok(Self { database })
    }
}

/// A timestamp as databases hold it: milliseconds since the epoch, saturating at the end of their range.
fn to_column(at: yufu_base::Timestamp) -> i64 {
    i64::try_from(at.millis()).unwrap_or(i64::MAX)
}

impl From<DbErr> for CredentialsError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}
