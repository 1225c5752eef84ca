//! Nonces for proofs of possession: handed out to anyone, each spent at most once.

use crate::entity::nonce;
use crate::once::What;
use crate::{Credentials, CredentialsError, to_column};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;

impl Credentials {
    /// Remembers a nonce that is about to be handed out, and forgets those that expired before `now`.
    ///
    /// # Errors
    /// [`CredentialsError::Database`] if it cannot be written.
    pub async fn remember_nonce(
        &self,
        fresh: &str,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), CredentialsError> {
        let what = What::Remember { nonce: fresh.to_owned(), expires_at: expires };
        self.step(Vec::new(), now, what).await.map(|_| ())
    }
}

/// Remembers a nonce, and forgets those that expired.
pub(crate) async fn remember<C: ConnectionTrait>(
    connection: &C,
    fresh: &str,
    now: Timestamp,
    expires: Timestamp,
) -> Result<(), CredentialsError> {
    nonce::Entity::delete_many()
        .filter(nonce::Column::ExpiresAt.lt(to_column(now)))
        .exec(connection)
        .await?;
    let row =
        nonce::ActiveModel { nonce: Set(fresh.to_owned()), expires_at: Set(to_column(expires)) };
    nonce::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// Spends a nonce: it is gone afterwards.
pub(crate) async fn spend<C: ConnectionTrait>(
    connection: &C,
    spent: &str,
    now: Timestamp,
) -> Result<(), CredentialsError> {
    let gone = nonce::Entity::delete_many()
        .filter(nonce::Column::Nonce.eq(spent))
        .filter(nonce::Column::ExpiresAt.gte(to_column(now)))
        .exec(connection)
        .await?;
    if gone.rows_affected == 1 { Ok(()) } else { Err(CredentialsError::NonceSpent) }
}
