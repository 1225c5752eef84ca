//! What an agency keeps of its programmes: members by pseudonym, envelopes, payments and returns.
//!
//! No row has a name or a number, and none ties a member of one programme to one of another.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod enrolment;
mod entity;
mod envelope;
mod freeze;
mod item;
mod member;
mod migrations;
mod month;
mod resting;
mod totals;

pub use enrolment::{Enrolment, Life};
pub use envelope::{Envelope, EnvelopeState, Step};
pub use freeze::FreezeKey;
pub use item::{Decision, Due, Item, ItemState, Outcome, Reason};
pub use member::{Member, MemberState, Payment, Payout};
pub use month::{Month, MonthError};
pub use resting::NextPayout;
pub use totals::{Sum, Totals};

use sea_orm::sea_query::OnConflict;
use sea_orm::{DbErr, EntityTrait, Set};
use yufu_base::Timestamp;
use yufu_database::{Database, DatabaseError, MigrationError, to_column};

/// The account that payments leave from.
const ACCOUNT: &str = "account";

/// An agency's records.
#[derive(Clone)]
pub struct Programmes {
    database: Database,
}

/// Why an agency's records could not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum ProgrammesError {
    /// There is no such row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The presentation was answered before; each is good once.
    #[error("this request was answered before: ask for a new one")]
    AlreadyAnswered,
    /// No account to pay from is set.
    #[error("no account pays yet: the desk sets one first")]
    NoAccount,
    /// A newer instruction names the account.
    #[error("a newer instruction names the account: sign a new one")]
    PayoutOlder,
    /// Whoever prepared an envelope may not approve it.
    #[error("{0} prepared this envelope: another officer has to approve it")]
    SameOfficer(String),
    /// An envelope's state does not allow the step.
    #[error("the envelope is {found}: {}", remedy(*.found))]
    EnvelopeState {
        /// The state it is in.
        found: EnvelopeState,
    },
    /// Everybody who is due has a payment in this month.
    #[error("nobody is due: every member enrolled by this month has a payment in it")]
    NothingDue,
    /// Only what came back is sent again.
    #[error("the payment is {0}, not returned: only what came back is sent again")]
    NotReturned(ItemState),
    /// The cause of a return still stands.
    #[error("the cause stands ({reason}): {}", reason.remedy())]
    NothingCorrected {
        /// Why it came back.
        reason: Reason,
    },
    /// An envelope's items would not be what was paid, returned and pending: nothing was changed.
    #[error(
        "envelope {0} does not add up (items = paid + returned + pending): nothing was changed; keep a copy of the records and compare them with the bank's"
    )]
    Unbalanced(uuid::Uuid),
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing of the step was written.
    #[error("the agency's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

const fn remedy(found: EnvelopeState) -> &'static str {
    match found {
        EnvelopeState::Prepared => "another officer approves it first",
        EnvelopeState::Approved => "it is paid, and cannot be cancelled or approved again",
        EnvelopeState::Closed => "nothing in it is pending",
        EnvelopeState::Cancelled => "prepare a new one",
    }
}

impl Programmes {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`ProgrammesError::Migration`] if the schema cannot be brought up to date.
    pub async fn open(database: Database) -> Result<Self, ProgrammesError> {
        database.migrate("programmes", migrations::ALL).await?;
        Ok(Self { database })
    }

    /// Sets the account that payments leave from.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if it cannot be written.
    pub async fn set_account(&self, account: &str) -> Result<(), ProgrammesError> {
        let row = entity::setting::ActiveModel {
            name: Set(ACCOUNT.to_owned()),
            value: Set(account.to_owned()),
        };
        let update = OnConflict::column(entity::setting::Column::Name)
            .update_column(entity::setting::Column::Value)
            .to_owned();
        entity::setting::Entity::insert(row)
            .on_conflict(update)
            .exec_without_returning(self.database.connection())
            .await?;
        Ok(())
    }

    /// The account that payments leave from.
    ///
    /// # Errors
    /// [`ProgrammesError::NoAccount`] if none is set.
    pub async fn account(&self) -> Result<String, ProgrammesError> {
        self.named_account().await?.ok_or(ProgrammesError::NoAccount)
    }

    /// The same, if one was named.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`].
    pub async fn named_account(&self) -> Result<Option<String>, ProgrammesError> {
        let row = entity::setting::Entity::find_by_id(ACCOUNT);
        let row = row.one(self.database.connection()).await?;
        Ok(row.map(|row| row.value))
    }
}

fn from_column(millis: i64) -> Result<Timestamp, ProgrammesError> {
    yufu_database::from_column(millis).ok_or(ProgrammesError::Damaged("time"))
}

fn to_minor(minor: u64) -> Result<i64, ProgrammesError> {
    i64::try_from(minor).map_err(|_| ProgrammesError::Damaged("amount"))
}

fn from_minor(minor: i64) -> Result<u64, ProgrammesError> {
    u64::try_from(minor).map_err(|_| ProgrammesError::Damaged("amount"))
}

fn id(text: &str) -> Result<uuid::Uuid, ProgrammesError> {
    uuid::Uuid::parse_str(text).map_err(|_| ProgrammesError::Damaged("id"))
}

impl From<DbErr> for ProgrammesError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}
