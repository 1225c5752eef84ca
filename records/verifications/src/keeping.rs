//! Answers on their way into the records, and out of them again: as many as wait at the same time share a commit, or
//! a query, so that the disk does not bound how many are verified.

use crate::schema::verification;
use crate::{ToSeal, Verification, VerificationsError, from_column, row};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::sync::Arc;
use uuid::Uuid;
use yufu_database::{Answers, Database, PersonKey, Sealer, Together, insert_rows, padded};

/// Keeps answered presentations.
pub(crate) struct Keeping {
    pub(crate) database: Database,
    pub(crate) sealer: Arc<Sealer>,
}

impl Together for Keeping {
    type Step = (Verification, ToSeal);
    type Done = ();
    type Error = VerificationsError;

    async fn perform(&self, all: &mut [(Verification, ToSeal)]) -> Answers<(), VerificationsError> {
        let keys = self.keys(all).await?;
        let ids: Vec<Uuid> = keys.iter().map(|(id, _)| *id).collect();
        let mut rows = Vec::with_capacity(all.len());
        let mut keys = keys.into_iter();
        for (one, to_seal) in all.iter() {
            let key = if to_seal.is_nothing() { None } else { keys.next() };
            rows.push(row(one, to_seal, key)?);
        }
        if let Err(error) = self.insert(rows).await {
            // What was to be sealed with them is nowhere.
            self.sealer.destroy(&ids).await?;
            return Err(error);
        }
        Ok(all.iter().map(|_| Ok(())).collect())
    }
}

impl Keeping {
    async fn insert(&self, rows: Vec<verification::ActiveModel>) -> Result<(), VerificationsError> {
        let transaction = self.database.begin().await?;
        insert_rows(&transaction, rows).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A key for each that has something to seal, with the id it is filed under.
    async fn keys(
        &self,
        all: &[(Verification, ToSeal)],
    ) -> Result<Vec<(Uuid, PersonKey)>, VerificationsError> {
        let sealed = all.iter().filter(|(_, to_seal)| !to_seal.is_nothing());
        let ids: Vec<Uuid> = sealed.map(|_| Uuid::new_v4()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.sealer.create(&ids).await?;
        Ok(ids.into_iter().zip(keys).collect())
    }
}

/// Finds answered presentations by their ids.
pub(crate) struct Finding(pub(crate) Database);

impl Together for Finding {
    type Step = String;
    type Done = Verification;
    type Error = VerificationsError;

    async fn perform(&self, ids: &mut [String]) -> Answers<Verification, VerificationsError> {
        let rows = verification::Entity::find()
            .filter(verification::Column::Id.is_in(padded(ids.iter().map(String::as_str))))
            .all(self.0.connection())
            .await?;
        let found = |id: &mut String| {
            let row = rows.iter().find(|row| row.id == *id);
            let row = row.ok_or(VerificationsError::Unknown("verification"))?;
            Ok(Verification {
                id: row.id.clone(),
                purpose: row.purpose.clone(),
                result: row.result,
                receipt: row.receipt.clone(),
                code_digest: row.code_digest.clone(),
                answered_at: from_column(row.answered_at)?,
                retained_until: from_column(row.retained_until)?,
            })
        };
        Ok(ids.iter_mut().map(found).collect())
    }
}
