//! Deaths: recorded by an officer on evidence, and withdrawn if that was wrong.

use crate::access::{Access, Deed};
use crate::entity::death;
use crate::population::{PersonId, Population, PopulationError, record};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use yufu_database::to_column;
use yufu_profile::ResidentNumber;

impl Population {
    /// Records that the person with that number died; the access states the evidence. Again changes
    /// nothing but the list of accesses.
    ///
    /// # Errors
    /// As [`Population::read`].
    pub async fn record_death(
        &self,
        number: &ResidentNumber,
        access: &Access,
    ) -> Result<PersonId, PopulationError> {
        access.check(Deed::DeathRecorded)?;
        let transaction = self.database().begin().await?;
        let row = self.find(&transaction, number).await?;
        record(&transaction, access, Deed::DeathRecorded, row.as_ref()).await?;
        if let Some(row) = &row {
            let at = to_column(access.at);
            let new = death::ActiveModel { person: Set(row.id), at: Set(at) };
            let once = OnConflict::column(death::Column::Person).do_nothing().to_owned();
            death::Entity::insert(new)
                .on_conflict(once)
                .exec_without_returning(&transaction)
                .await?;
        }
        transaction.commit().await?;
        row.map(|row| PersonId::new(row.id)).ok_or(PopulationError::NotFound)
    }

    /// Withdraws a death that was recorded wrongly: the person can be issued credentials again.
    ///
    /// # Errors
    /// As [`Population::read`].
    pub async fn withdraw_death(
        &self,
        number: &ResidentNumber,
        access: &Access,
    ) -> Result<PersonId, PopulationError> {
        access.check(Deed::DeathWithdrawn)?;
        let transaction = self.database().begin().await?;
        let row = self.find(&transaction, number).await?;
        record(&transaction, access, Deed::DeathWithdrawn, row.as_ref()).await?;
        if let Some(row) = &row {
            death::Entity::delete_by_id(row.id).exec(&transaction).await?;
        }
        transaction.commit().await?;
        row.map(|row| PersonId::new(row.id)).ok_or(PopulationError::NotFound)
    }

    /// Whether a person's death is recorded. For a step whose access to the record is recorded itself.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn is_deceased(&self, person: PersonId) -> Result<bool, PopulationError> {
        let found = death::Entity::find_by_id(person.uuid());
        Ok(found.one(self.database().connection()).await?.is_some())
    }
}
