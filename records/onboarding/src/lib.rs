//! A bank's own records: its customers, their accounts and signed orders, the presentations it
//! asked for, the receipts it keeps, and the outbox towards the ledger.
//!
//! Personal data is sealed per customer; every read of it writes an access record in the same
//! transaction. A row and the ledger command it leads to are written together (decision 4).
#![doc = ""]
#![doc = include_str!("../README.md")]

mod account;
mod branch;
mod card;
mod counter;
mod customer;
mod entity;
mod erasing;
mod freeze;
mod guardian;
mod key;
mod linked;
mod message;
mod migrations;
mod order;
mod outbox;
mod phone;
mod pin;
mod preimage;
mod quote;
mod terminal;
mod top_up;
mod verification;
mod waking;

pub use account::{Account, AccountState};
pub use branch::BranchStep;
pub use card::{CardNumber, Counted};
pub use counter::{CardStep, CounterEnrolment};
pub use customer::{Enrolment, NewCustomer};
pub use freeze::{CounterStep, FreezeKey};
pub use guardian::Guardian;
pub use key::{Answered, KeyChange, KeyInForce, KeyWay};
pub use linked::Link;
pub use message::Message;
pub use order::{Order, OrderState};
pub use outbox::OutboxEntry;
pub use phone::CodeOpening;
pub use pin::Pin;
pub use preimage::Opened;
pub use quote::{Funding, MeltQuote, MintQuote};
pub use terminal::Terminal;
pub use top_up::{PaidIn, TOP_UP, UsedToken};
pub use verification::Verification;
pub use yufu_database::Access;

use sea_orm::DbErr;
use std::sync::Arc;
use yufu_database::{Database, DatabaseError, MigrationError, SealError, Sealer, to_column};

/// A bank's records.
#[derive(Clone)]
pub struct Onboarding {
    database: Database,
    sealer: Arc<Sealer>,
}

/// Why a bank's records could not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum OnboardingError {
    /// There is no such row.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The presentation was answered before; each is good once.
    #[error("this request was answered before: ask for a new one")]
    AlreadyAnswered,
    /// An order with this id was taken before, with other contents.
    #[error("an order with this id was taken before, with other contents: use a new id")]
    OrderIdReused,
    /// The key that signed, or against which the step was begun, commands the account no longer.
    #[error(
        "another key commands this account now: use the wallet that holds it, or recover the account with your identity"
    )]
    KeyChanged,
    /// The customer has as many accounts of the class as one may have.
    #[error(
        "the customer has {at_most} account of class {class} here already, as many as one may have: use it, or choose another class"
    )]
    TooManyAccounts {
        /// The class.
        class: String,
        /// How many one may have.
        at_most: u32,
    },
    /// The deposit is linked to another wallet.
    #[error(
        "this bank account is linked to another wallet already: unlink that one, or use another"
    )]
    ReferenceLinked,
    /// Too soon after the last code or wrong answer.
    #[error("too soon: wait {retry_after} s, then try again")]
    TooSoon {
        /// How long to wait, in seconds.
        retry_after: u64,
    },
    /// The code is not the one that was sent.
    #[error(
        "the code is not the one that was sent: {left} answers are left, the next in {retry_after} s"
    )]
    CodeWrong {
        /// How many answers are left.
        left: u32,
        /// How long to wait, in seconds.
        retry_after: u64,
    },
    /// The code was sent too long ago, or another one was sent since.
    #[error("the code is no longer good: answer the newest one, or ask for another")]
    CodeExpired,
    /// The code was answered wrongly as often as it may be.
    #[error("the code was answered wrongly five times: ask for another one")]
    CodeExhausted,
    /// There is no such token for a purse of this class.
    #[error("there is no such token for this class: ask for one at a counter of this bank")]
    TokenUnknown,
    /// The token was used before.
    #[error("the token was used before, and is good once: ask for another one at a counter")]
    TokenUsed,
    /// The token was given out too long ago.
    #[error("the token is too old: ask for another one at a counter")]
    TokenExpired,
    /// The customer's claims were erased: their time had come.
    #[error("what this customer had shown was erased: nobody can read it any more")]
    Erased,
    /// The account is not frozen by its holder.
    #[error("its holder has not had this account frozen: there is nothing to lift")]
    NotFrozen,
    /// There is no telephone number behind the purse.
    #[error("nobody can be reached for this wallet from afar: have it awoken at a branch")]
    NoNumber,
    /// Not a card's number.
    #[error("this is no card number of this bank: type its 16 digits again")]
    CardFormat,
    /// Not a PIN.
    #[error("a PIN has six digits: type it again")]
    PinFormat,
    /// A PIN that anybody would try first.
    #[error(
        "this PIN is easily guessed (one digit, a run, a repetition, a birth date or part of the ID number): choose another one"
    )]
    PinWeak,
    /// The card does not wait for a PIN.
    #[error("no PIN is to be set for this card: change it with the former one, or ask an officer")]
    NoPinDue,
    /// The card is unknown, or the PIN wrong: which, is not told.
    #[error(
        "card and PIN do not fit: {left} attempts are left, the next in {retry_after} s; then the card is blocked"
    )]
    CardRefused {
        /// How many attempts are left.
        left: u32,
        /// How long to wait, in seconds.
        retry_after: u64,
    },
    /// Too soon after a wrong PIN.
    #[error("too soon after the last attempt with this card: wait {retry_after} s, then try again")]
    CardWait {
        /// How long to wait, in seconds.
        retry_after: u64,
    },
    /// The card is blocked.
    #[error("the card is blocked: show your identity card to an officer to have it unblocked")]
    CardBlocked,
    /// The terminal has no session.
    #[error("the terminal has no session, or it lapsed: the officer opens another one")]
    NoSession,
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing of the step was written.
    #[error("the bank's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// Personal data could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Onboarding {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`OnboardingError::Migration`] if the schema cannot be brought up to date.
    pub async fn open(database: Database, sealer: Arc<Sealer>) -> Result<Self, OnboardingError> {
        database.migrate("onboarding", migrations::ALL).await?;
        Ok(Self { database, sealer })
    }
}

fn from_column(millis: i64) -> Result<yufu_base::Timestamp, OnboardingError> {
    yufu_database::from_column(millis).ok_or(OnboardingError::Damaged("time"))
}

impl From<DbErr> for OnboardingError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}
