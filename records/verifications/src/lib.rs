//! What a verifier keeps of what it was shown: results, and where its purpose allows, claims and evidence.
//!
//! Claims and evidence are sealed per verification, every read of them leaves an access record in the
//! same transaction, and they are erased when their time has come.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod keeping;
mod laying;
mod reading;
mod schema;

pub use reading::Kept;
pub use yufu_database::Access;

use keeping::{Finding, Keeping};
use schema::{MIGRATIONS, verification};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, Set};
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::{
    Database, DatabaseError, Group, MigrationError, PersonKey, SealError, Sealer, to_column,
};

/// A verifier's records.
#[derive(Clone)]
pub struct Verifications {
    database: Database,
    sealer: Arc<Sealer>,
    keeping: Group<Keeping>,
    finding: Group<Finding>,
}

/// A presentation that was asked for and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The request's id.
    pub id: String,
    /// What it was for: the name of a registered purpose.
    pub purpose: String,
    /// Whether everything asked was shown, and nothing of it says no.
    pub result: bool,
    /// The receipt that the holder got: names of claims, no values.
    pub receipt: String,
    /// The digest of what the browser that began has to bring, if one did.
    pub code_digest: Option<String>,
    /// When.
    pub answered_at: Timestamp,
    /// Until when it is kept.
    pub retained_until: Timestamp,
}

/// What is kept sealed: nothing, claims, the signed presentation with its request, or both; JSON each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToSeal {
    /// The claims.
    pub claims: Option<String>,
    /// The evidence.
    pub evidence: Option<String>,
}

/// Why a verifier's records could not answer.
#[derive(Debug, thiserror::Error)]
pub enum VerificationsError {
    /// There is no such row; its time may have come.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The purpose does not allow to keep it.
    #[error("the purpose {purpose} keeps no {what}: there is its result, and nothing else")]
    NotKept {
        /// For which purpose it was asked.
        purpose: String,
        /// Claims, or evidence.
        what: &'static str,
    },
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read back: restore the records from a backup")]
    Damaged(&'static str),
    /// The database failed; nothing of the step was written.
    #[error("the verifier's records are unavailable: {0}")]
    Database(#[from] DatabaseError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// Personal data could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Verifications {
    /// The records in `database`, its schema brought up to date.
    ///
    /// # Errors
    /// [`VerificationsError::Migration`].
    pub async fn open(database: Database, sealer: Arc<Sealer>) -> Result<Self, VerificationsError> {
        database.migrate("verifications", MIGRATIONS).await?;
        let keeping = Keeping { database: database.clone(), sealer: Arc::clone(&sealer) };
        let (keeping, finding) = (Group::new(keeping), Group::new(Finding(database.clone())));
        Ok(Self { database, sealer, keeping, finding })
    }

    /// Keeps an answered presentation, in one commit with others that come at the same time. Each is kept once:
    /// an id that is there already is refused.
    ///
    /// # Errors
    /// [`VerificationsError::Database`] or [`VerificationsError::Seal`]; then nothing of it is kept.
    pub async fn keep(&self, one: Verification, to_seal: ToSeal) -> Result<(), VerificationsError> {
        self.keeping.done((one, to_seal)).await
    }

    /// The verification with this id.
    ///
    /// # Errors
    /// [`VerificationsError::Unknown`] if there is none, or none any more.
    pub async fn verification(&self, id: &str) -> Result<Verification, VerificationsError> {
        self.finding.done(id.to_owned()).await
    }

    /// The verification with this id, if this is the receipt of it, word for word.
    ///
    /// # Errors
    /// [`VerificationsError::Unknown`] if there is none, or none any more.
    pub async fn by_receipt(
        &self,
        id: &str,
        receipt: &str,
    ) -> Result<Verification, VerificationsError> {
        let unknown = VerificationsError::Unknown("receipt: nothing of it is kept here");
        match self.verification(id).await {
            Ok(found) if found.receipt == receipt => Ok(found),
            Ok(_) | Err(VerificationsError::Unknown(_)) => Err(unknown),
            Err(error) => Err(error),
        }
    }

    /// Erases one verification, the key of what is sealed first. Again is harmless.
    ///
    /// # Errors
    /// [`VerificationsError::Database`] or [`VerificationsError::Seal`]: then it is to be repeated.
    pub async fn erase(&self, id: &str) -> Result<(), VerificationsError> {
        let connection = self.database.connection();
        let row = verification::Entity::find_by_id(id).one(connection).await?;
        if let Some(key) = row.and_then(|row| row.key_id) {
            let key = Uuid::parse_str(&key).map_err(|_| VerificationsError::Damaged("key id"))?;
            self.sealer.destroy(&[key]).await?;
        }
        verification::Entity::delete_by_id(id).exec(connection).await?;
        Ok(())
    }

    /// Erases everything whose time has come, the keys of what is sealed first; how many those were.
    ///
    /// # Errors
    /// [`VerificationsError::Database`] or [`VerificationsError::Seal`]: then it is to be repeated.
    pub async fn erase_expired(&self, now: Timestamp) -> Result<u64, VerificationsError> {
        let due = || verification::Column::RetainedUntil.lte(to_column(now));
        let rows = verification::Entity::find()
            .filter(due())
            .filter(verification::Column::KeyId.is_not_null())
            .all(self.database.connection())
            .await?;
        let ids = rows.iter().filter_map(|row| row.key_id.as_deref());
        let ids: Result<Vec<Uuid>, _> = ids.map(Uuid::parse_str).collect();
        self.sealer.destroy(&ids.map_err(|_| VerificationsError::Damaged("key id"))?).await?;
        let transaction = self.database.begin().await?;
        let erased = verification::Entity::delete_many().filter(due()).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(erased.rows_affected)
    }
}

impl ToSeal {
    const fn is_nothing(&self) -> bool {
        self.claims.is_none() && self.evidence.is_none()
    }
}

fn row(
    one: &Verification,
    to_seal: &ToSeal,
    key: Option<(Uuid, PersonKey)>,
) -> Result<verification::ActiveModel, VerificationsError> {
    let seal = |place: &str, text: &Option<String>| match (text, &key) {
        (Some(text), Some((_, key))) => key.seal(place, text.as_bytes()).map(Some),
        _ => Ok(None),
    };
    Ok(verification::ActiveModel {
        id: Set(one.id.clone()),
        purpose: Set(one.purpose.clone()),
        result: Set(one.result),
        receipt: Set(one.receipt.clone()),
        code_digest: Set(one.code_digest.clone()),
        sealed_claims: Set(seal(reading::CLAIMS, &to_seal.claims)?),
        sealed_evidence: Set(seal(reading::EVIDENCE, &to_seal.evidence)?),
        key_id: Set(key.as_ref().map(|(id, _)| id.to_string())),
        answered_at: Set(to_column(one.answered_at)),
        retained_until: Set(to_column(one.retained_until)),
    })
}

fn from_column(millis: i64) -> Result<Timestamp, VerificationsError> {
    yufu_database::from_column(millis).ok_or(VerificationsError::Damaged("time"))
}

impl From<DbErr> for VerificationsError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}
