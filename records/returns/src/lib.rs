//! Answers that wait for whoever began: each under a key that its code alone gives, used once, and no longer than its request
//! stands.
#![doc = ""]
#![doc = include_str!("../README.md")]

use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, Set};
use yufu_base::{Digest, Timestamp};
use yufu_database::{
    CodeKey, Database, DatabaseError, Migration, MigrationError, SealError, to_column,
};
use zeroize::Zeroizing;

/// How many answers to one request may wait: whoever has its link can give one.
pub const MOST_HELD: u64 = 4;

/// What an answer is bound to.
const PLACE: &str = "returns.answer";

/// The schema, in steps that are applied once each and never edited.
const MIGRATIONS: &[Migration] = &[Migration {
    name: "answers that wait",
    sql: "
CREATE TABLE held_answers (
    id TEXT PRIMARY KEY NOT NULL,
    request TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX held_answers_by_request ON held_answers(request);
CREATE INDEX held_answers_by_end ON held_answers(ends_at);
",
}];

yufu_database::table!(held, "held_answers", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    request: String,
    sealed: Vec<u8>,
    ends_at: i64,
});

/// The answers that wait at an institution.
#[derive(Clone)]
pub struct Returns {
    database: Database,
}

/// Why an answer was not kept, or not found.
#[derive(Debug, thiserror::Error)]
pub enum ReturnsError {
    /// As many wait as may.
    #[error("{MOST_HELD} answers to this request wait already: start a new one")]
    Full,
    /// What waited was altered.
    #[error("an answer that waits cannot be read back: begin again")]
    Damaged,
    /// The database failed; nothing of the step was written.
    #[error("the answers that wait are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// An answer could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Returns {
    /// Those in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`ReturnsError::Migration`].
    pub async fn open(database: Database) -> Result<Self, ReturnsError> {
        database.migrate("returns", MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Lets an answer to a request wait for its code. What has lapsed makes room.
    ///
    /// # Errors
    /// [`ReturnsError::Full`]; [`ReturnsError::Database`], [`ReturnsError::Seal`]: then nothing waits.
    pub async fn hold(
        &self,
        (request, code): (&str, &str),
        answer: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<(), ReturnsError> {
        let row = held::ActiveModel {
            id: Set(id(request, code)),
            request: Set(request.to_owned()),
            sealed: Set(key(request, code)?.seal(PLACE, answer.as_bytes())?),
            ends_at: Set(to_column(until)),
        };
        let transaction = self.database.begin().await?;
        let lapsed = held::Column::EndsAt.lte(to_column(now));
        held::Entity::delete_many().filter(lapsed).exec(&transaction).await?;
        let of_request = held::Entity::find().filter(held::Column::Request.eq(request));
        if of_request.count(&transaction).await? >= MOST_HELD {
            return Err(ReturnsError::Full);
        }
        held::Entity::insert(row).exec_without_returning(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// The answer to a request that waits for this code, in time. It stays: a step that was cut off is repeated.
    ///
    /// # Errors
    /// [`ReturnsError::Database`]; [`ReturnsError::Damaged`].
    pub async fn answer(
        &self,
        (request, code): (&str, &str),
        now: Timestamp,
    ) -> Result<Option<Zeroizing<String>>, ReturnsError> {
        let found = held::Entity::find_by_id(id(request, code));
        let found = found.one(self.database.connection()).await?;
        let Some(row) = found.filter(|row| to_column(now) < row.ends_at) else { return Ok(None) };
        let plain = key(request, code)?.open(PLACE, &row.sealed);
        let plain = plain.map_err(|_| ReturnsError::Damaged)?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| ReturnsError::Damaged)?;
        Ok(Some(Zeroizing::new(text)))
    }

    /// Whether any answer to a request waits for whoever began.
    ///
    /// # Errors
    /// [`ReturnsError::Database`].
    pub async fn any(&self, request: &str, now: Timestamp) -> Result<bool, ReturnsError> {
        let waiting = held::Entity::find()
            .filter(held::Column::Request.eq(request))
            .filter(held::Column::EndsAt.gt(to_column(now)));
        Ok(waiting.count(self.database.connection()).await? > 0)
    }

    /// Forgets all answers to a request: one of them counted. Again is harmless.
    ///
    /// # Errors
    /// [`ReturnsError::Database`]: then they go with their time.
    pub async fn over(&self, request: &str) -> Result<(), ReturnsError> {
        let of_request = held::Column::Request.eq(request);
        let delete = held::Entity::delete_many().filter(of_request);
        delete.exec(self.database.connection()).await?;
        Ok(())
    }

    /// Forgets what nobody came back for in time; how many.
    ///
    /// # Errors
    /// [`ReturnsError::Database`]: to be repeated.
    pub async fn forget_lapsed(&self, now: Timestamp) -> Result<u64, ReturnsError> {
        let lapsed = held::Column::EndsAt.lte(to_column(now));
        let delete = held::Entity::delete_many().filter(lapsed);
        Ok(delete.exec(self.database.connection()).await?.rows_affected)
    }
}

/// By what a row is found: whoever reads it cannot bring the code.
fn id(request: &str, code: &str) -> String {
    Digest::derive("yufu answer that waits v1", together(request, code).as_bytes()).to_string()
}

/// What opens it. A code is good for its own request.
fn key(request: &str, code: &str) -> Result<CodeKey, SealError> {
    CodeKey::of(&together(request, code))
}

fn together(request: &str, code: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{request} {code}"))
}

impl From<DbErr> for ReturnsError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}
