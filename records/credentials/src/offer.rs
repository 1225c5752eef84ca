//! Offers that a link only refers to: each is read once, and lies here sealed under a key that only the link holds.

use crate::entity::offer;
use crate::{Credentials, CredentialsError, to_column};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;

impl Credentials {
    /// Keeps an offer under the digest of what the link holds.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn keep_offer(
        &self,
        (id, sealed): (String, String),
        expires_at: Timestamp,
    ) -> Result<(), CredentialsError> {
        let row = offer::ActiveModel {
            id: Set(id),
            sealed: Set(sealed),
            expires_at: Set(to_column(expires_at)),
        };
        offer::Entity::insert(row).exec_without_returning(self.database.connection()).await?;
        Ok(())
    }

    /// Takes an offer out, once and in time: of two who ask at the same time, one finds it gone.
    ///
    /// # Errors
    /// [`CredentialsError::Unknown`] if there is none, or none any more.
    pub async fn take_offer(&self, id: &str, now: Timestamp) -> Result<String, CredentialsError> {
        let transaction = self.database.begin().await?;
        let row = offer::Entity::find_by_id(id).one(&transaction).await?;
        let gone = offer::Entity::delete_by_id(id).exec(&transaction).await?;
        transaction.commit().await?;
        let row = row.filter(|row| gone.rows_affected == 1 && to_column(now) < row.expires_at);
        Ok(row.ok_or(CredentialsError::Unknown("offer: it was read before, or has lapsed"))?.sealed)
    }

    pub(crate) async fn forget_offers(&self, before: Timestamp) -> Result<u64, CredentialsError> {
        let gone = offer::Entity::delete_many()
            .filter(offer::Column::ExpiresAt.lt(to_column(before)))
            .exec(self.database.connection())
            .await?;
        Ok(gone.rows_affected)
    }
}
