//! What is no read, and stands in the list of accesses all the same: the person is to see it there.

use crate::access::{Access, Deed};
use crate::entity::access;
use crate::population::{PersonId, Population, PopulationError};
use sea_orm::EntityTrait;

impl Population {
    /// Notes that the person had frozen what a wallet had got.
    ///
    /// # Errors
    /// [`PopulationError::Access`], [`PopulationError::Database`].
    pub async fn note_freeze(
        &self,
        person: PersonId,
        access: &Access,
    ) -> Result<(), PopulationError> {
        access.check(Deed::Frozen)?;
        let row = access.row(Deed::Frozen, Some(person.uuid()));
        access::Entity::insert(row).exec_without_returning(self.database().connection()).await?;
        Ok(())
    }
}
