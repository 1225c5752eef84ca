//! Freezing what was issued to one wallet, by a key that was left for it when it was issued; and all of a person's, by
//! an officer. Suspended, not revoked: an officer lifts it once the person was seen.

use crate::entity::{freeze_handle, grant, issuance, status_entry};
use crate::status::{SUSPENDED, VALID, mark};
use crate::{Credentials, CredentialsError, once, to_column};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, Set};
use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;

/// What may freeze what was issued, left by the wallet that got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeHandle {
    /// The thumbprint of the key (RFC 7638, base64url).
    pub thumbprint: String,
    /// The key: a JWK.
    pub key: String,
    /// The batch, as its places in the status list are known by: an issuance, or a batch under a grant.
    pub batch: String,
    /// The grant that the batch rests on, if it rests on one: it ends with a freeze.
    pub grant: Option<String>,
    /// Whom the batch is about.
    pub person: Uuid,
}

impl Credentials {
    /// Keeps the handle for a batch, in the place of one that was there.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn keep_freeze_handle(
        &self,
        new: FreezeHandle,
        at: Timestamp,
    ) -> Result<(), CredentialsError> {
        let transaction = self.database.begin().await?;
        freeze_handle::Entity::delete_by_id(&new.batch).exec(&transaction).await?;
        let row = freeze_handle::ActiveModel {
            batch: Set(new.batch),
            thumbprint: Set(new.thumbprint),
            freeze_key: Set(new.key),
            grant_id: Set(new.grant),
            person: Set(new.person.to_string()),
            at: Set(to_column(at)),
            frozen_at: Set(None),
        };
        freeze_handle::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The key with this thumbprint, if it was left to freeze something.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be read.
    pub async fn freeze_key(&self, thumbprint: &str) -> Result<Option<String>, CredentialsError> {
        let row = freeze_handle::Entity::find()
            .filter(freeze_handle::Column::Thumbprint.eq(thumbprint))
            .one(self.database.connection())
            .await?;
        Ok(row.map(|row| row.freeze_key))
    }

    /// Suspends every credential of the batches that this key was left for, and ends what is under way for them; whom
    /// those are about. Again is harmless.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn freeze(
        &self,
        thumbprint: &str,
        at: Timestamp,
    ) -> Result<BTreeSet<Uuid>, CredentialsError> {
        let transaction = self.database.begin().await?;
        let left = freeze_handle::Column::Thumbprint.eq(thumbprint);
        let rows = freeze_handle::Entity::find().filter(left.clone()).all(&transaction).await?;
        let batches: Vec<&str> = rows.iter().map(|row| row.batch.as_str()).collect();
        let grants: Vec<&str> = rows.iter().filter_map(|row| row.grant_id.as_deref()).collect();
        let (placed, under_way) = (
            status_entry::Column::Issuance.is_in(batches.iter().copied()),
            issuance::Column::Id.is_in(batches.iter().copied()),
        );
        let granted = grant::Column::Id.is_in(grants);
        suspend(&transaction, placed, under_way, granted).await?;
        freeze_handle::Entity::update_many()
            .col_expr(freeze_handle::Column::FrozenAt, Expr::value(to_column(at)))
            .filter(left)
            .filter(freeze_handle::Column::FrozenAt.is_null())
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        let person = |row: &freeze_handle::Model| Uuid::parse_str(&row.person);
        let persons: Result<BTreeSet<Uuid>, _> = rows.iter().map(person).collect();
        persons.map_err(|_| CredentialsError::Damaged("id"))
    }

    /// Suspends every credential about a person, and ends what is under way for them and what they were granted; how
    /// many credentials are suspended. Again is harmless.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn suspend_all(&self, person: Uuid) -> Result<u64, CredentialsError> {
        let person = person.to_string();
        let transaction = self.database.begin().await?;
        let (placed, under_way) =
            (status_entry::Column::Person.eq(&person), issuance::Column::Person.eq(&person));
        let suspended = suspend(&transaction, placed, under_way, once::of_person(&person)).await?;
        transaction.commit().await?;
        Ok(suspended)
    }

    /// Makes every suspended credential about a person valid again; how many. What was revoked stays revoked, and what
    /// was granted stays ended.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn lift_all(&self, person: Uuid) -> Result<u64, CredentialsError> {
        let person = person.to_string();
        let transaction = self.database.begin().await?;
        let placed = status_entry::Column::Person.eq(&person);
        let lifted = mark(&transaction, placed, &[SUSPENDED], VALID).await?;
        freeze_handle::Entity::update_many()
            .col_expr(freeze_handle::Column::FrozenAt, Expr::value(Option::<i64>::None))
            .filter(freeze_handle::Column::Person.eq(&person))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(lifted)
    }
}

impl Credentials {
    /// Forgets the keys that freeze nothing any more: they were left before `ended`, no credential of their batch is looked
    /// at, nothing is under way for it, and no grant brings others; how many.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if they cannot be removed.
    pub async fn forget_freeze_keys(&self, ended: Timestamp) -> Result<u64, CredentialsError> {
        const NOTHING: [&str; 3] = [
            "NOT EXISTS (SELECT 1 FROM status_entries WHERE issuance = freeze_handles.batch)",
            "NOT EXISTS (SELECT 1 FROM issuances WHERE issuances.id = freeze_handles.batch)",
            "NOT EXISTS (SELECT 1 FROM grants WHERE grants.id = freeze_handles.grant_id)",
        ];
        let mut delete = freeze_handle::Entity::delete_many()
            .filter(freeze_handle::Column::At.lt(to_column(ended)));
        for left in NOTHING {
            delete = delete.filter(Expr::cust(left));
        }
        Ok(delete.exec(self.database.connection()).await?.rows_affected)
    }
}

/// Suspends what is valid of the places, and ends the rest; how many of the places are suspended now.
async fn suspend<C: ConnectionTrait>(
    connection: &C,
    placed: SimpleExpr,
    under_way: SimpleExpr,
    granted: SimpleExpr,
) -> Result<u64, CredentialsError> {
    issuance::Entity::update_many()
        .col_expr(issuance::Column::Lookup, Expr::col(issuance::Column::Id))
        .col_expr(issuance::Column::Session, Expr::value(""))
        .col_expr(issuance::Column::Stage, Expr::col(issuance::Column::Stage).add(1))
        .filter(under_way)
        .exec(connection)
        .await?;
    once::end(connection, granted).await?;
    mark(connection, placed, &[VALID, SUSPENDED], SUSPENDED).await
}
