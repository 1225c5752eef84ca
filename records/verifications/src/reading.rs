//! Reading what is sealed: with a record of who read what, and why, in the same transaction.

use crate::schema::{access, verification};
use crate::{Access, Verifications, VerificationsError, from_column, to_column};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use serde_json::{Map, Value};
use uuid::Uuid;

/// What sealed claims, and sealed evidence, are bound to, so that they cannot be moved elsewhere.
pub(crate) const CLAIMS: &str = "verifications.claims";
pub(crate) const EVIDENCE: &str = "verifications.evidence";

/// What can be kept beside a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The claims, of which the access names those that are read.
    Claims,
    /// The signed presentation with its request; the access names the whole.
    Evidence,
}

impl Verifications {
    /// What is kept of a verification: claims of the names in `access.fields`, or its evidence. The access
    /// is recorded with the read.
    ///
    /// # Errors
    /// [`VerificationsError::Unknown`] if there is no such verification (any more),
    /// [`VerificationsError::NotKept`] if its purpose does not keep that.
    pub async fn read(
        &self,
        id: &str,
        kept: Kept,
        mut access: Access,
    ) -> Result<Map<String, Value>, VerificationsError> {
        let transaction = self.database.begin().await?;
        let row = verification::Entity::find_by_id(id).one(&transaction).await?;
        let row = row.ok_or(VerificationsError::Unknown("verification"))?;
        let (place, what, sealed) = match kept {
            Kept::Claims => (CLAIMS, "claims", row.sealed_claims),
            Kept::Evidence => (EVIDENCE, "evidence", row.sealed_evidence),
        };
        let (Some(sealed), Some(key)) = (sealed, row.key_id) else {
            return Err(VerificationsError::NotKept { purpose: row.purpose, what });
        };
        let key = Uuid::parse_str(&key).map_err(|_| VerificationsError::Damaged("key id"))?;
        let plain = self.sealer.key(key).await?.open(place, &sealed)?;
        let mut found: Map<String, Value> =
            serde_json::from_slice(&plain).map_err(|_| VerificationsError::Damaged("answer"))?;
        if kept == Kept::Claims {
            access.read(&mut found);
        }
        let record = access::ActiveModel {
            id: Set(Uuid::now_v7().to_string()),
            verification: Set(id.to_owned()),
            actor: Set(access.actor),
            purpose: Set(access.purpose),
            fields: Set(access.fields.join(" ")),
            at: Set(to_column(access.at)),
        };
        access::Entity::insert(record).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(found)
    }

    /// Who read what was shown, oldest first.
    ///
    /// # Errors
    /// [`VerificationsError::Database`] if it cannot be read.
    pub async fn accesses(&self, id: &str) -> Result<Vec<Access>, VerificationsError> {
        let rows = access::Entity::find()
            .filter(access::Column::Verification.eq(id))
            .order_by_asc(access::Column::Id)
            .all(self.database.connection())
            .await?;
        let read = |row: access::Model| {
            Ok(Access {
                actor: row.actor,
                purpose: row.purpose,
                fields: row.fields.split_whitespace().map(str::to_owned).collect(),
                at: from_column(row.at)?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}
