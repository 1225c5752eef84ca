//! Erasures that stay: a file of keys that is restored from a backup may hold a key that was destroyed since.

use crate::access::Deed;
use crate::entity::{access, person};
use crate::population::{Population, PopulationError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Population {
    /// Destroys again the keys of everybody who was erased, and removes rows of theirs that are left; how many persons
    /// those are. At every start: it costs nothing where nothing came back.
    ///
    /// # Errors
    /// [`PopulationError::Database`], [`PopulationError::Seal`].
    pub async fn erase_again(&self) -> Result<usize, PopulationError> {
        let connection = self.database().connection();
        let rows = access::Entity::find()
            .filter(access::Column::Deed.eq(Deed::Erased.word()))
            .all(connection)
            .await?;
        let erased: BTreeSet<Uuid> = rows.into_iter().filter_map(|row| row.person).collect();
        let erased: Vec<Uuid> = erased.into_iter().collect();
        if erased.is_empty() {
            return Ok(0);
        }
        self.sealer().destroy(&erased).await?;
        person::Entity::delete_many()
            .filter(person::Column::Id.is_in(erased.iter().copied()))
            .exec(connection)
            .await?;
        Ok(erased.len())
    }
}
