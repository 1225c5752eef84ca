//! Importing the register: everybody or nobody, once.

use crate::entity::{import, person};
use crate::excerpt::encode;
use crate::population::{PersonId, Population, PopulationError, SEALED, number_index};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;
use yufu_database::Sealer;
use yufu_profile::{Resident, write_residents};

/// Persons sealed and inserted at a time; between them the progress is told.
const BATCH: usize = 1000;

/// What an import came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// These persons are in the register now.
    Now(usize),
    /// The same residents were imported before: nothing changed. Who was erased stays erased.
    Before,
}

pub(crate) async fn run(
    population: &Population,
    residents: &[Resident],
    mut progress: impl FnMut(usize, usize),
) -> Result<Imported, PopulationError> {
    let sealer = population.sealer();
    let fingerprint = sealer.blind("population import", &write_residents(residents));
    let transaction = population.database().begin().await?;
    if let Some(before) = import::Entity::find_by_id(1).one(&transaction).await? {
        return if before.fingerprint == fingerprint.as_bytes() {
            Ok(Imported::Before)
        } else {
            let persons = usize::try_from(before.persons).unwrap_or(usize::MAX);
            Err(PopulationError::AnotherCity { persons, offered: residents.len() })
        };
    }
    let mut made = Vec::with_capacity(residents.len());
    let inserted = insert(sealer, &transaction, residents, &mut made, &mut progress).await;
    let done = match inserted {
        Ok(()) => {
            let row = import::ActiveModel {
                id: Set(1),
                fingerprint: Set(fingerprint.as_bytes().to_vec()),
                persons: Set(i64::try_from(residents.len()).unwrap_or(i64::MAX)),
            };
            match import::Entity::insert(row).exec_without_returning(&transaction).await {
                Ok(_) => transaction.commit().await.map_err(PopulationError::from),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        // Keys lie in another database, so they are taken back by hand. Were the program to
        // stop before this, keys would be left over that open nothing.
        sealer.destroy(&made).await?;
        return Err(error);
    }
    Ok(Imported::Now(residents.len()))
}

async fn insert(
    sealer: &Sealer,
    transaction: &impl ConnectionTrait,
    residents: &[Resident],
    made: &mut Vec<Uuid>,
    progress: &mut impl FnMut(usize, usize),
) -> Result<(), PopulationError> {
    let mut done = 0_usize;
    for chunk in residents.chunks(BATCH) {
        let ids: Vec<Uuid> = chunk.iter().map(|_| PersonId::random().uuid()).collect();
        let keys = sealer.create(&ids).await?;
        made.extend(&ids);
        let mut rows = Vec::with_capacity(chunk.len());
        for ((resident, id), key) in chunk.iter().zip(&ids).zip(&keys) {
            rows.push(person::ActiveModel {
                id: Set(*id),
                number_index: Set(number_index(sealer, &resident.number)),
                sealed: Set(key.seal(SEALED, &encode(resident))?),
            });
        }
        person::Entity::insert_many(rows).exec_without_returning(transaction).await?;
        done = done.saturating_add(chunk.len());
        progress(done, residents.len());
    }
    Ok(())
}
