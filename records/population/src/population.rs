//! The register: every way to a person's data writes an access record in the same
//! transaction, and gives nothing unless that is durable.

use crate::access::{Access, AccessError, AccessRecord, Deed};
use crate::entity::{COMPONENT, MIGRATIONS, access, person};
use crate::excerpt::{Excerpt, decode};
use crate::import::{self, Imported};
use crate::reading::{Reading, Readings};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::SectorId;
use yufu_database::{
    BlindIndex, Database, DatabaseError, Group, MigrationError, PersonKey, SealError, Sealer,
};
use yufu_profile::{Column, Resident, ResidentNumber};
use zeroize::Zeroizing;

/// A person in the authority's records: random, so that other records can refer to somebody
/// without the resident number. It is no pseudonym to be shown to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(Uuid);

impl PersonId {
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// From a column of another table.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// For a column of another table.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PersonId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// Why the register did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PopulationError {
    /// The access does not state what it must.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There is no such person; also after an erasure.
    #[error("nobody has this number or id in the register: compare with the card")]
    NotFound,
    /// Nobody is recorded as this guardian of this ward.
    #[error("no guardianship between these two is in force: record it first")]
    NoGuardianship,
    /// Another population was imported before.
    #[error(
        "the register holds another population ({persons} imported, {offered} offered): \
         import into an empty database, or offer the same residents"
    )]
    AnotherCity {
        /// How many were imported.
        persons: usize,
        /// How many are offered.
        offered: usize,
    },
    /// A row of the register does not hold what it should.
    #[error("a row of the register is damaged: restore the database from its backup")]
    Damaged,
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The person's death is recorded.
    #[error("this person's death is recorded: if that is wrong, an officer withdraws it")]
    Deceased,
    /// The database failed; nothing was given out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The tables could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl From<DbErr> for PopulationError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

/// The place that sealed bytes are bound to.
pub(crate) const SEALED: &str = "person.sealed";

/// The population register of the identity authority.
#[derive(Debug)]
pub struct Population {
    database: Database,
    sealer: Arc<Sealer>,
    readings: Group<Readings>,
}

impl Population {
    /// Opens the register in `database`, its data sealed by `sealer`.
    ///
    /// # Errors
    /// [`PopulationError::Migration`].
    pub async fn open(database: Database, sealer: Sealer) -> Result<Self, PopulationError> {
        database.migrate(COMPONENT, &MIGRATIONS).await?;
        let sealer = Arc::new(sealer);
        let readings = Group::new(Readings::new(database.clone(), Arc::clone(&sealer)));
        Ok(Self { database, sealer, readings })
    }

    /// Imports the whole register: all residents or none. The same ones again change nothing;
    /// others are refused. `progress` is told how many of how many are done.
    ///
    /// # Errors
    /// [`PopulationError::AnotherCity`]; a number given twice, or a failure of the database,
    /// as [`PopulationError::Database`].
    pub async fn import(
        &self,
        residents: &[Resident],
        progress: impl FnMut(usize, usize),
    ) -> Result<Imported, PopulationError> {
        import::run(self, residents, progress).await
    }

    /// How many persons the register has. Says nothing of any of them: not recorded.
    ///
    /// # Errors
    /// [`PopulationError::Database`].
    pub async fn count(&self) -> Result<u64, PopulationError> {
        Ok(person::Entity::find().count(self.database.connection()).await?)
    }

    /// Reads the fields that `access` names of the person with that number.
    ///
    /// # Errors
    /// [`PopulationError::Access`], [`PopulationError::NotFound`] (the attempt is recorded,
    /// without a person), and failures; nothing is given unless the record is durable.
    pub async fn read(
        &self,
        number: &ResidentNumber,
        access: &Access,
    ) -> Result<Excerpt, PopulationError> {
        access.check(Deed::Read)?;
        let transaction = self.database.begin().await?;
        let row = self.find(&transaction, number).await?;
        record(&transaction, access, Deed::Read, row.as_ref()).await?;
        let values = match &row {
            Some(row) => Some(opened(&self.sealer.key(row.id).await?, row, access)?),
            None => None,
        };
        transaction.commit().await?;
        let (row, values) = row.zip(values).ok_or(PopulationError::NotFound)?;
        Ok(Excerpt::new(PersonId(row.id), values))
    }

    /// Reads the fields that `access` names of the person with that id; recorded alike, together with other
    /// readings that come at the same time.
    ///
    /// # Errors
    /// As [`Population::read`].
    pub async fn read_person(
        &self,
        id: PersonId,
        access: &Access,
    ) -> Result<Excerpt, PopulationError> {
        self.read_by_id(id, access, false).await
    }

    /// As [`Population::read_person`], of somebody whose death is not recorded.
    ///
    /// # Errors
    /// Also [`PopulationError::Deceased`]: then nothing was read.
    pub async fn read_living(
        &self,
        id: PersonId,
        access: &Access,
    ) -> Result<Excerpt, PopulationError> {
        self.read_by_id(id, access, true).await
    }

    async fn read_by_id(
        &self,
        id: PersonId,
        access: &Access,
        living: bool,
    ) -> Result<Excerpt, PopulationError> {
        access.check(Deed::Read)?;
        self.readings.done(Reading { id: id.uuid(), access: access.clone(), living }).await
    }

    /// Who touched the record of the person with that number, the oldest first, for the
    /// person to see. Reading the list is itself recorded and within it, because who looks at
    /// somebody is personal data too.
    ///
    /// # Errors
    /// As [`Population::read`].
    pub async fn accesses_of(
        &self,
        number: &ResidentNumber,
        access: &Access,
    ) -> Result<Vec<AccessRecord>, PopulationError> {
        access.check(Deed::ReadAccesses)?;
        let transaction = self.database.begin().await?;
        let row = self.find(&transaction, number).await?;
        record(&transaction, access, Deed::ReadAccesses, row.as_ref()).await?;
        let rows = match &row {
            Some(row) => Some(
                access::Entity::find()
                    .filter(access::Column::Person.eq(row.id))
                    .order_by_asc(access::Column::At)
                    .all(&transaction)
                    .await?,
            ),
            None => None,
        };
        transaction.commit().await?;
        let records = rows.ok_or(PopulationError::NotFound)?.into_iter();
        records.map(|row| AccessRecord::from_row(row).ok_or(PopulationError::Damaged)).collect()
    }

    /// Erases a person: the data key is destroyed first, which makes every copy of the data
    /// unreadable, then the row goes. The access records stay, with an id that leads nowhere.
    ///
    /// # Errors
    /// As [`Population::read`]. If the database fails after the key is gone, the data are
    /// erased, and erasing again removes the row.
    pub async fn erase(
        &self,
        number: &ResidentNumber,
        access: &Access,
    ) -> Result<(), PopulationError> {
        access.check(Deed::Erased)?;
        let transaction = self.database.begin().await?;
        let row = self.find(&transaction, number).await?;
        record(&transaction, access, Deed::Erased, row.as_ref()).await?;
        if let Some(row) = &row {
            self.sealer.destroy(&[row.id]).await?;
            person::Entity::delete_by_id(row.id).exec(&transaction).await?;
        }
        transaction.commit().await?;
        row.map(|_| ()).ok_or(PopulationError::NotFound)
    }

    /// A keyed digest of somebody's pseudonym in a sector, for the authority's other records: found
    /// again by it, and by nobody who has the records alone.
    #[must_use]
    pub fn pseudonym_digest(&self, sector: &SectorId, pseudonym: &str) -> BlindIndex {
        self.sealer.blind(&format!("pseudonym.{sector}"), pseudonym)
    }

    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(crate) async fn find(
        &self,
        connection: &impl ConnectionTrait,
        number: &ResidentNumber,
    ) -> Result<Option<person::Model>, DbErr> {
        let index = number_index(&self.sealer, number);
        let query = person::Entity::find().filter(person::Column::NumberIndex.eq(index));
        query.one(connection).await
    }
}

/// The fields that an access names, from a row.
pub(crate) fn opened(
    key: &PersonKey,
    row: &person::Model,
    access: &Access,
) -> Result<BTreeMap<Column, Zeroizing<String>>, PopulationError> {
    let bytes = key.open(SEALED, &row.sealed)?;
    decode(&bytes, access.fields.iter()).ok_or(PopulationError::Damaged)
}

pub(crate) async fn record(
    connection: &impl ConnectionTrait,
    access: &Access,
    deed: Deed,
    person: Option<&person::Model>,
) -> Result<(), DbErr> {
    let row = access.row(deed, person.map(|row| row.id));
    access::Entity::insert(row).exec_without_returning(connection).await.map(|_| ())
}

pub(crate) fn number_index(sealer: &Sealer, number: &ResidentNumber) -> Vec<u8> {
    sealer.blind("person.number", number.as_str()).as_bytes().to_vec()
}

#[cfg(test)]
mod tests;
