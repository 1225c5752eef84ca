//! A party's accounts, one for each person, who is known by a pseudonym alone.
#![doc = ""]
#![doc = include_str!("../README.md")]

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;
use yufu_database::{
    BlindIndex, Database, DatabaseError, Migration, MigrationError, from_column, table, to_column,
};

/// The schema, in steps that are applied once each and never edited.
const MIGRATIONS: &[Migration] = &[Migration {
    name: "accounts",
    sql: "
CREATE TABLE accounts (
    person {bytes} PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    opened_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_by_id ON accounts(id);
",
}];

table!(account, "accounts", {
    #[sea_orm(primary_key, auto_increment = false)]
    person: Vec<u8>,
    id: String,
    opened_at: i64,
});

/// A party's accounts.
#[derive(Clone)]
pub struct Accounts {
    database: Database,
}

/// An account: all that is known of it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// When it was opened.
    pub opened: Timestamp,
}

/// What became of the wish for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It is the person's first here.
    Opened(Account),
    /// The person has one.
    Known(Account),
}

impl Opening {
    /// The person's account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        match self {
            Self::Opened(account) | Self::Known(account) => account,
        }
    }
}

/// Why the records could not answer.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// There is no such account.
    #[error("there is no such account")]
    Unknown,
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing was written.
    #[error("the records of accounts are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl From<DbErr> for AccountsError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Accounts {
    /// The accounts in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`AccountsError::Migration`].
    pub async fn open(database: Database) -> Result<Self, AccountsError> {
        database.migrate("accounts", MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Opens the account `wanted` for the person with this digest of a pseudonym, unless the person has one: of two
    /// wishes at once, one is the first.
    ///
    /// # Errors
    /// [`AccountsError::Database`].
    pub async fn open_for(
        &self,
        person: &BlindIndex,
        wanted: Account,
    ) -> Result<Opening, AccountsError> {
        let transaction = self.database.begin().await?;
        let row = account::ActiveModel {
            person: Set(person.as_bytes().to_vec()),
            id: Set(wanted.id.clone()),
            opened_at: Set(to_column(wanted.opened)),
        };
        let once = OnConflict::column(account::Column::Person).do_nothing().to_owned();
        let insert = account::Entity::insert(row).on_conflict(once);
        let fresh = insert.exec_without_returning(&transaction).await? == 1;
        transaction.commit().await?;
        if fresh {
            return Ok(Opening::Opened(wanted));
        }
        self.account_of(person).await.map(Opening::Known)
    }

    /// The account of the person with this digest of a pseudonym.
    ///
    /// # Errors
    /// [`AccountsError::Unknown`] if there is none.
    pub async fn account_of(&self, person: &BlindIndex) -> Result<Account, AccountsError> {
        let row = account::Entity::find_by_id(person.as_bytes().to_vec())
            .one(self.database.connection())
            .await?;
        let row = row.ok_or(AccountsError::Unknown)?;
        let opened = from_column(row.opened_at).ok_or(AccountsError::Damaged("time"))?;
        Ok(Account { id: row.id, opened })
    }

    /// Closes an account: the person is forgotten, and may open another.
    ///
    /// # Errors
    /// [`AccountsError::Unknown`] if there is no such account.
    pub async fn close(&self, id: &str) -> Result<(), AccountsError> {
        let transaction = self.database.begin().await?;
        let closed = account::Entity::delete_many()
            .filter(account::Column::Id.eq(id))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        if closed.rows_affected == 0 { Err(AccountsError::Unknown) } else { Ok(()) }
    }
}
