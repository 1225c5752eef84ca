//! Guardianships: who acts for a minor, on whose word, and until when. Persons are named by their
//! opaque ids, so that nothing personal lies here.

use crate::entity::guardianship;
use crate::{PersonId, Population, PopulationError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::to_column;

/// Somebody acts for a minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guardianship {
    /// Its id.
    pub id: Uuid,
    /// Who acts.
    pub guardian: PersonId,
    /// For whom.
    pub ward: PersonId,
    /// Whether it is in force.
    pub in_force: bool,
}

/// Who recorded or ended a guardianship, on what basis, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The officer.
    pub officer: String,
    /// What the officer relied on, or why it ends: no personal data.
    pub basis: String,
    /// When.
    pub at: Timestamp,
}

impl Population {
    /// Records that `guardian` acts for `ward`. One that is in force between the two stays as it is.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn record_guardianship(
        &self,
        guardian: PersonId,
        ward: PersonId,
        entry: Entry,
    ) -> Result<Uuid, PopulationError> {
        let transaction = self.database().begin().await?;
        let found = in_force(guardian, ward).one(&transaction).await?;
        if let Some(known) = found {
            return Ok(known.id);
        }
        let id = Uuid::new_v4();
        let row = guardianship::ActiveModel {
            id: Set(id),
            guardian: Set(guardian.uuid()),
            ward: Set(ward.uuid()),
            officer: Set(entry.officer),
            evidence: Set(entry.basis),
            at: Set(to_column(entry.at)),
            ended_at: Set(None),
            ended_by: Set(None),
            end_reason: Set(None),
        };
        guardianship::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Ends the guardianship in force between the two; its id.
    ///
    /// # Errors
    /// [`PopulationError::NoGuardianship`] if there is none.
    pub async fn end_guardianship(
        &self,
        guardian: PersonId,
        ward: PersonId,
        entry: Entry,
    ) -> Result<Uuid, PopulationError> {
        let transaction = self.database().begin().await?;
        let found = in_force(guardian, ward).one(&transaction).await?;
        let known = found.ok_or(PopulationError::NoGuardianship)?;
        guardianship::Entity::update_many()
            .col_expr(guardianship::Column::EndedAt, Expr::value(to_column(entry.at)))
            .col_expr(guardianship::Column::EndedBy, Expr::value(entry.officer))
            .col_expr(guardianship::Column::EndReason, Expr::value(entry.basis))
            .filter(guardianship::Column::Id.eq(known.id))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(known.id)
    }

    /// The guardianship with this id.
    ///
    /// # Errors
    /// [`PopulationError::NoGuardianship`] if there is none.
    pub async fn guardianship(&self, id: Uuid) -> Result<Guardianship, PopulationError> {
        let row = guardianship::Entity::find_by_id(id).one(self.database().connection()).await?;
        let row = row.ok_or(PopulationError::NoGuardianship)?;
        Ok(Guardianship {
            id,
            guardian: PersonId::new(row.guardian),
            ward: PersonId::new(row.ward),
            in_force: row.ended_at.is_none(),
        })
    }
}

fn in_force(guardian: PersonId, ward: PersonId) -> sea_orm::Select<guardianship::Entity> {
    guardianship::Entity::find()
        .filter(guardianship::Column::Guardian.eq(guardian.uuid()))
        .filter(guardianship::Column::Ward.eq(ward.uuid()))
        .filter(guardianship::Column::EndedAt.is_null())
}
