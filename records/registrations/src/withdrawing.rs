//! A party withdraws an access key of its own: what was certified for that key is revoked, and the key is certified no
//! more. Its uses are not: it goes on with another key.

use crate::migrations::{registration, revocation};
use crate::{Deed, Registrations, RegistrationsError, to_column};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

/// Who is noted as the officer: the party itself, which no member of the staff is called.
fn by_party(party: &str) -> String {
    format!("party:{party}")
}

impl Registrations {
    /// Revokes what was certified for an access key (by its RFC 7638 thumbprint), because its party withdrew it. How many
    /// registrations that ended; again it is none. The deed's officer is the party itself.
    ///
    /// # Errors
    /// [`RegistrationsError::Database`]; then nothing was written.
    pub async fn withdraw_key(
        &self,
        party: &str,
        access_key: &str,
        deed: &Deed,
    ) -> Result<usize, RegistrationsError> {
        let transaction = self.database.begin().await?;
        let standing = registration::Entity::find()
            .filter(registration::Column::Party.eq(party))
            .filter(registration::Column::AccessKey.eq(access_key))
            .filter(registration::Column::Revocation.is_null())
            .all(&transaction)
            .await?;
        let count = standing.len();
        for row in standing {
            end_one(&transaction, row, &Deed { officer: by_party(party), ..deed.clone() }).await?;
        }
        transaction.commit().await?;
        Ok(count)
    }

    /// Whether a party withdrew an access key.
    ///
    /// # Errors
    /// [`RegistrationsError::Database`].
    pub async fn is_withdrawn(
        &self,
        party: &str,
        access_key: &str,
    ) -> Result<bool, RegistrationsError> {
        let rows = registration::Entity::find()
            .filter(registration::Column::Party.eq(party))
            .filter(registration::Column::AccessKey.eq(access_key))
            .filter(registration::Column::Revocation.is_not_null())
            .all(self.database.connection())
            .await?;
        for id in rows.into_iter().filter_map(|row| row.revocation) {
            let by = revocation::Entity::find_by_id(id).one(self.database.connection()).await?;
            if by.is_some_and(|row| row.officer == by_party(party)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Ends a registration by a revocation that is lifted at once: the use may be certified for another key.
async fn end_one<C: ConnectionTrait>(
    connection: &C,
    row: registration::Model,
    deed: &Deed,
) -> Result<(), RegistrationsError> {
    let id = Uuid::new_v4().to_string();
    let (officer, reason, at) = (deed.officer.clone(), deed.reason.clone(), to_column(deed.at));
    let revoked = revocation::ActiveModel {
        id: Set(id.clone()),
        party: Set(row.party.clone()),
        intended_use: Set(row.intended_use.clone()),
        reason: Set(reason.clone()),
        officer: Set(officer.clone()),
        at: Set(at),
        lift_reason: Set(Some(reason)),
        lift_officer: Set(Some(officer)),
        lifted_at: Set(Some(at)),
    };
    revocation::Entity::insert(revoked).exec_without_returning(connection).await?;
    registration::Entity::update_many()
        .col_expr(registration::Column::Revocation, sea_orm::sea_query::Expr::value(id))
        .filter(registration::Column::List.eq(row.list))
        .filter(registration::Column::Position.eq(row.position))
        .exec(connection)
        .await?;
    Ok(())
}
