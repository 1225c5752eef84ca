//! Readings of many persons' records at once: looked up, recorded and committed together.

use crate::access::{Access, Deed};
use crate::entity::{access, death, person};
use crate::excerpt::Excerpt;
use crate::population::{PersonId, PopulationError, opened};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;
use yufu_database::{
    Answers, Database, PersonKey, SealError, Sealer, Together, insert_rows, padded,
};

/// Somebody is about to read a person's record; what must be stated is stated.
pub(crate) struct Reading {
    pub(crate) id: Uuid,
    pub(crate) access: Access,
    /// Whether it is refused if the person's death is recorded.
    pub(crate) living: bool,
}

/// The register, as readings need it.
pub(crate) struct Readings {
    database: Database,
    sealer: Arc<Sealer>,
}

impl Readings {
    pub(crate) const fn new(database: Database, sealer: Arc<Sealer>) -> Self {
        Self { database, sealer }
    }
}

impl Together for Readings {
    type Step = Reading;
    type Done = Excerpt;
    type Error = PopulationError;

    async fn perform(&self, readings: &mut [Reading]) -> Answers<Excerpt, PopulationError> {
        let ids: BTreeSet<Uuid> = readings.iter().map(|reading| reading.id).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let asked = padded(ids.iter().copied());
        let transaction = self.database.begin().await?;
        let rows = person::Entity::find().filter(person::Column::Id.is_in(asked.iter().copied()));
        let rows = rows.all(&transaction).await?.into_iter();
        let rows: BTreeMap<Uuid, person::Model> = rows.map(|row| (row.id, row)).collect();
        let dead = death::Entity::find().filter(death::Column::Person.is_in(asked.iter().copied()));
        let dead = dead.all(&transaction).await?.into_iter();
        let dead: BTreeSet<Uuid> = dead.map(|row| row.person).collect();
        let refused = |reading: &Reading| reading.living && dead.contains(&reading.id);
        let recorded = readings.iter().filter(|reading| !refused(reading)).map(|reading| {
            let known = rows.contains_key(&reading.id).then_some(reading.id);
            reading.access.row(Deed::Read, known)
        });
        let recorded: Vec<access::ActiveModel> = recorded.collect();
        if !recorded.is_empty() {
            insert_rows(&transaction, recorded).await?;
        }
        let keys = self.sealer.keys(&ids).await?;
        transaction.commit().await?;
        let given = |reading: &mut Reading| {
            if refused(reading) {
                return Err(PopulationError::Deceased);
            }
            let row = rows.get(&reading.id).ok_or(PopulationError::NotFound)?;
            excerpt(row, keys.get(&reading.id), &reading.access)
        };
        Ok(readings.iter_mut().map(given).collect())
    }
}

/// What a reading gives, once it is recorded.
fn excerpt(
    row: &person::Model,
    key: Option<&Result<PersonKey, SealError>>,
    access: &Access,
) -> Result<Excerpt, PopulationError> {
    let key = match key {
        Some(Ok(key)) => key,
        // Whoever altered a key altered what it was to open.
        Some(Err(_)) => return Err(SealError::Opening.into()),
        None => return Err(SealError::Erased.into()),
    };
    Ok(Excerpt::new(PersonId::new(row.id), opened(key, row, access)?))
}
