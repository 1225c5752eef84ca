//! The registrar's records of what it certified, and of what it revoked. A revoked registration stays
//! revoked; once its revocation is lifted, the use may be certified at a new place.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod migrations;
mod placing;
mod revoking;
mod withdrawing;

pub use placing::{Certifying, Placed, Registration};
pub use revoking::{Deed, Revocation};

use sea_orm::DbErr;
use yufu_base::Timestamp;
use yufu_database::{Database, DatabaseError, MigrationError, to_column};

/// The registrar's records.
#[derive(Clone)]
pub struct Registrations {
    database: Database,
}

/// Why the records could not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationsError {
    /// There is no such row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The status list has no room left.
    #[error("the status list of registrations is full: a new one must be opened")]
    ListFull,
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing of the step was written.
    #[error("the registrar's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl From<DbErr> for RegistrationsError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Registrations {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`RegistrationsError::Migration`].
    pub async fn open(database: Database) -> Result<Self, RegistrationsError> {
        database.migrate("registrations", migrations::ALL).await?;
        Ok(Self { database })
    }
}

fn from_column(at: i64) -> Timestamp {
    yufu_database::from_column(at).unwrap_or(Timestamp::from_millis(0))
}
