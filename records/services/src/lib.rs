//! What providers of services keep: presentations they asked for, a hotel's stays, a railway's
//! departures and tickets, the payments they await.
//!
//! A guest's identity is sealed per stay, every read of it leaves an access record in the same
//! transaction, and it is erased when its time has come. Tickets know no person.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod asked;
mod charge;
mod entity;
mod lapsed;
mod migrations;
mod stay;
mod ticket;

pub use asked::Asked;
pub use charge::{Charge, ChargeState};
pub use stay::Stay;
pub use ticket::{Departure, Ticket, TicketState};
pub use yufu_database::Access;

use sea_orm::sea_query::OnConflict;
use sea_orm::{DbErr, EntityTrait, Set};
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_database::{Database, DatabaseError, MigrationError, SealError, Sealer, to_column};

/// The account that payments are taken on.
const ACCOUNT: &str = "account";

/// A service provider's records.
#[derive(Clone)]
pub struct Services {
    database: Database,
    sealer: Arc<Sealer>,
}

/// Why a provider's records could not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// There is no such row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The presentation was answered before; each is good once.
    #[error("this request was answered before: ask for a new one")]
    AlreadyAnswered,
    /// No account to take payments on is set.
    #[error("no account takes payments yet: the desk sets one first")]
    NoAccount,
    /// Every seat is sold.
    #[error("every seat of this departure is sold: choose another")]
    SoldOut,
    /// A ticket's state does not allow the step.
    #[error("the ticket is {found}, not {needed}: {}", remedy(*.found))]
    TicketState {
        /// The state it is in.
        found: TicketState,
        /// The state it would have to be in.
        needed: TicketState,
    },
    /// The guest's identity was erased, as it had to be.
    #[error("the guest's identity was erased when its time had come")]
    Erased,
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing of the step was written.
    #[error("the provider's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// Personal data could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
}

const fn remedy(found: TicketState) -> &'static str {
    match found {
        TicketState::Booked => "pay for it first",
        TicketState::Valid => "it can be used, returned or changed",
        TicketState::Used => "a ticket opens a gate once",
        TicketState::Refunding => "its money is on the way back",
        TicketState::Refunded => "buy a new one",
        TicketState::Changed => "use the ticket that it was changed into",
        TicketState::Lapsed => "book again",
    }
}

impl Services {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`ServicesError::Migration`] if the schema cannot be brought up to date.
    pub async fn open(database: Database, sealer: Arc<Sealer>) -> Result<Self, ServicesError> {
        database.migrate("services", migrations::ALL).await?;
        Ok(Self { database, sealer })
    }

    /// Sets the account that payments are taken on.
    ///
    /// # Errors
    /// [`ServicesError::Database`] if it cannot be written.
    pub async fn set_account(&self, account: &str) -> Result<(), ServicesError> {
        let row = entity::setting::ActiveModel {
            name: Set(ACCOUNT.to_owned()),
            value: Set(account.to_owned()),
        };
        let column = entity::setting::Column::Name;
        let update =
            OnConflict::column(column).update_column(entity::setting::Column::Value).to_owned();
        entity::setting::Entity::insert(row)
            .on_conflict(update)
            .exec_without_returning(self.database.connection())
            .await?;
        Ok(())
    }

    /// The account that payments are taken on.
    ///
    /// # Errors
    /// [`ServicesError::NoAccount`] if none is set.
    pub async fn account(&self) -> Result<String, ServicesError> {
        self.named_account().await?.ok_or(ServicesError::NoAccount)
    }

    /// The same, if one was named.
    ///
    /// # Errors
    /// [`ServicesError::Database`].
    pub async fn named_account(&self) -> Result<Option<String>, ServicesError> {
        let row = entity::setting::Entity::find_by_id(ACCOUNT);
        let row = row.one(self.database.connection()).await?;
        Ok(row.map(|row| row.value))
    }
}

fn from_column(millis: i64) -> Result<Timestamp, ServicesError> {
    yufu_database::from_column(millis).ok_or(ServicesError::Damaged("time"))
}

impl From<DbErr> for ServicesError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}
