//! Freezes by the member: a key that was left for it when the wallet was at hand stops what the pseudonym's key can do. It
//! can do nothing else, and undoes nothing: showing the identity does.

use crate::entity::{freeze_key, member};
use crate::member::without_next;
use crate::{Programmes, ProgrammesError, id, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::Timestamp;

/// The key that may freeze a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeKey {
    /// The member.
    pub member: Uuid,
    /// The key's thumbprint (RFC 7638, base64url).
    pub thumbprint: String,
    /// The key: a JWK.
    pub key: String,
}

impl Programmes {
    /// Keeps the key that may freeze a member, in the place of one that was there.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if it cannot be written.
    pub async fn keep_freeze_key(
        &self,
        new: FreezeKey,
        at: Timestamp,
    ) -> Result<(), ProgrammesError> {
        let transaction = self.database.begin().await?;
        let member = new.member.to_string();
        freeze_key::Entity::delete_by_id(&member).exec(&transaction).await?;
        let row = freeze_key::ActiveModel {
            member: Set(member),
            thumbprint: Set(new.thumbprint),
            freeze_key: Set(new.key),
            at: Set(to_column(at)),
        };
        freeze_key::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The key with this thumbprint and its member, if it may freeze one.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if it cannot be read.
    pub async fn freeze_key(&self, thumbprint: &str) -> Result<Option<FreezeKey>, ProgrammesError> {
        let row = freeze_key::Entity::find()
            .filter(freeze_key::Column::Thumbprint.eq(thumbprint))
            .one(self.database.connection())
            .await?;
        row.map(|row| {
            let member = id(&row.member)?;
            Ok(FreezeKey { member, thumbprint: row.thumbprint, key: row.freeze_key })
        })
        .transpose()
    }

    /// Freezes a member: an account that rests is given up, and the one that is paid stays. One that is frozen stays as
    /// it is. Since when it is.
    ///
    /// # Errors
    /// [`ProgrammesError::Unknown`] if there is no such member.
    pub async fn freeze(&self, member: Uuid, at: Timestamp) -> Result<Timestamp, ProgrammesError> {
        let now = Expr::value(to_column(at));
        let update = member::Entity::update_many().col_expr(member::Column::FrozenAt, now);
        without_next(update)
            .filter(member::Column::Id.eq(member.to_string()))
            .filter(member::Column::FrozenAt.is_null())
            .exec(self.database.connection())
            .await?;
        Ok(self.member_by_id(member).await?.frozen_at.unwrap_or(at))
    }
}
