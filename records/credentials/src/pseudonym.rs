//! The pseudonyms that holders bring: one live set for each person, and an officer's word before
//! another takes its place. Only keyed digests lie here, so that whoever reads these records
//! recognises no pseudonym that an agency knows.

use crate::entity::{pseudonym, replacement, status_entry};
use crate::status::{INVALID, SUSPENDED, VALID, mark};
use crate::{Credentials, CredentialsError, from_column, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, Set};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use yufu_base::{SectorId, Timestamp};
use yufu_database::written;

/// A pseudonym as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pseudonym {
    /// In which sector.
    pub sector: SectorId,
    /// A keyed digest of it.
    pub digest: Vec<u8>,
}

/// An officer's word that a person may bring new pseudonyms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Its id.
    pub id: Uuid,
    /// Whose pseudonyms.
    pub person: Uuid,
    /// The officer.
    pub officer: String,
    /// What the officer relied on, in their words.
    pub evidence: String,
    /// When it was given.
    pub at: Timestamp,
    /// From when new ones are taken: the beginning of the next epoch.
    pub from: Timestamp,
}

/// What an officer's word came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacing {
    /// From when new pseudonyms are taken.
    pub from: Timestamp,
    /// How many credentials became void.
    pub revoked: u64,
}

/// Where a replacement stands.
const PENDING: i32 = 0;
/// New pseudonyms were registered by it.
const USED: i32 = 1;
/// The person brought the registered ones after all.
const CANCELLED: i32 = 2;

impl Credentials {
    /// Records an officer's word that a person may bring new pseudonyms, from the next epoch on. All
    /// credentials of the person become void at once, for they carry the former ones: so nobody
    /// shows two pseudonyms of one sector within one epoch. Given again while one is pending, the
    /// first one stands.
    ///
    /// # Errors
    /// [`CredentialsError::NoPseudonyms`] if none are registered.
    pub async fn replace_pseudonyms(
        &self,
        wanted: Replacement,
    ) -> Result<Replacing, CredentialsError> {
        let transaction = self.database.begin().await?;
        if live(&transaction, wanted.person).await?.is_empty() {
            return Err(CredentialsError::NoPseudonyms);
        }
        let from = match pending(&transaction, wanted.person).await? {
            Some(row) => from_column(row.effective)?,
            None => {
                let from = wanted.from;
                replacement::Entity::insert(replacement::ActiveModel {
                    id: Set(wanted.id.to_string()),
                    person: Set(wanted.person.to_string()),
                    officer: Set(wanted.officer),
                    evidence: Set(wanted.evidence),
                    at: Set(to_column(wanted.at)),
                    effective: Set(to_column(from)),
                    state: Set(PENDING),
                })
                .exec_without_returning(&transaction)
                .await?;
                from
            }
        };
        let revoked = revoke(&transaction, wanted.person).await?;
        transaction.commit().await?;
        Ok(Replacing { from, revoked })
    }
}

/// Holds the pseudonyms that a person brings against those that are registered, and registers what
/// is new. Refuses before it writes.
pub(crate) async fn register<C: ConnectionTrait>(
    connection: &C,
    person: Uuid,
    brought: &[Pseudonym],
    now: Timestamp,
) -> Result<(), CredentialsError> {
    if brought.is_empty() {
        return Ok(());
    }
    let registered = live(connection, person).await?;
    let of = |one: &Pseudonym| registered.iter().find(|row| row.sector == one.sector.as_str());
    let differs = brought.iter().any(|one| of(one).is_some_and(|row| row.digest != one.digest));
    let replacing = pending(connection, person).await?;
    if differs {
        let from = replacing.as_ref().map(|row| from_column(row.effective)).transpose()?;
        if from.is_none_or(|from| now < from) {
            return Err(CredentialsError::PseudonymDiffers { from });
        }
    }
    let mut fresh = Vec::new();
    for one in brought.iter().filter(|one| differs || of(one).is_none()) {
        let key = (one.sector.to_string(), one.digest.clone());
        let known = pseudonym::Entity::find_by_id(key).one(connection).await?;
        match &known {
            Some(row) if row.person != person.to_string() => {
                return Err(CredentialsError::PseudonymTaken(one.sector.clone()));
            }
            _ => fresh.push((one, known.is_some())),
        }
    }
    // The registered ones, seen again, say that their secret is not lost.
    let settles = brought.iter().any(|one| of(one).is_some());
    if let Some(row) = replacing.filter(|_| settles) {
        settle(connection, &row.id, if differs { USED } else { CANCELLED }).await?;
    }
    if differs {
        // No valid copy carries them: the officer's word voided all, and an issuance of them since
        // would have cancelled it.
        retire(connection, person, now).await?;
    }
    for (one, known) in fresh {
        write(connection, person, one, known).await?;
    }
    Ok(())
}

/// Marks every credential of a person as invalid; how many that were.
pub(crate) async fn revoke<C: ConnectionTrait>(
    connection: &C,
    person: Uuid,
) -> Result<u64, CredentialsError> {
    let placed = status_entry::Column::Person.eq(person.to_string());
    mark(connection, placed, &[VALID, SUSPENDED], INVALID).await
}

async fn live<C: ConnectionTrait>(
    connection: &C,
    person: Uuid,
) -> Result<Vec<pseudonym::Model>, CredentialsError> {
    let rows = pseudonym::Entity::find()
        .filter(pseudonym::Column::Person.eq(person.to_string()))
        .filter(pseudonym::Column::RetiredAt.is_null())
        .all(connection)
        .await?;
    Ok(rows)
}

async fn pending<C: ConnectionTrait>(
    connection: &C,
    person: Uuid,
) -> Result<Option<replacement::Model>, CredentialsError> {
    let row = replacement::Entity::find()
        .filter(replacement::Column::Person.eq(person.to_string()))
        .filter(replacement::Column::State.into_expr().eq(written(PENDING)))
        .one(connection)
        .await?;
    Ok(row)
}

async fn settle<C: ConnectionTrait>(
    connection: &C,
    id: &str,
    state: i32,
) -> Result<(), CredentialsError> {
    replacement::Entity::update_many()
        .col_expr(replacement::Column::State, Expr::value(state))
        .filter(replacement::Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

/// A retired pseudonym stays: nobody else can take it.
async fn retire<C: ConnectionTrait>(
    connection: &C,
    person: Uuid,
    now: Timestamp,
) -> Result<(), CredentialsError> {
    pseudonym::Entity::update_many()
        .col_expr(pseudonym::Column::RetiredAt, Expr::value(Some(to_column(now))))
        .filter(pseudonym::Column::Person.eq(person.to_string()))
        .filter(pseudonym::Column::RetiredAt.is_null())
        .exec(connection)
        .await?;
    Ok(())
}

/// Makes a pseudonym live; one that was the person's before comes back.
async fn write<C: ConnectionTrait>(
    connection: &C,
    person: Uuid,
    one: &Pseudonym,
    known: bool,
) -> Result<(), CredentialsError> {
    if known {
        pseudonym::Entity::update_many()
            .col_expr(pseudonym::Column::RetiredAt, Expr::value(None::<i64>))
            .filter(pseudonym::Column::Sector.eq(one.sector.as_str()))
            .filter(pseudonym::Column::Digest.eq(one.digest.clone()))
            .exec(connection)
            .await?;
        return Ok(());
    }
    pseudonym::Entity::insert(row(person, one)).exec_without_returning(connection).await?;
    Ok(())
}

/// The row of a live pseudonym.
pub(crate) fn row(person: Uuid, one: &Pseudonym) -> pseudonym::ActiveModel {
    pseudonym::ActiveModel {
        sector: Set(one.sector.to_string()),
        digest: Set(one.digest.clone()),
        person: Set(person.to_string()),
        retired_at: Set(None),
    }
}

/// What is registered of several persons, and of the pseudonyms that they bring, read together.
#[derive(Default)]
pub(crate) struct Registered {
    live: BTreeMap<String, Vec<pseudonym::Model>>,
    replacing: BTreeSet<String>,
    known: BTreeSet<(String, Vec<u8>)>,
}

impl Registered {
    pub(crate) async fn read<C: ConnectionTrait>(
        connection: &C,
        brought: &[(Uuid, &[Pseudonym])],
    ) -> Result<Self, CredentialsError> {
        let mut found = Self::default();
        if brought.is_empty() {
            return Ok(found);
        }
        let persons: Vec<String> = brought.iter().map(|(person, _)| person.to_string()).collect();
        let live = pseudonym::Entity::find()
            .filter(pseudonym::Column::Person.is_in(&persons))
            .filter(pseudonym::Column::RetiredAt.is_null());
        for row in live.all(connection).await? {
            found.live.entry(row.person.clone()).or_default().push(row);
        }
        let replacing = replacement::Entity::find()
            .filter(replacement::Column::Person.is_in(&persons))
            .filter(replacement::Column::State.into_expr().eq(written(PENDING)));
        found.replacing = replacing.all(connection).await?.into_iter().map(|r| r.person).collect();
        let mut by_sector: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
        for (person, brought) in brought {
            for one in found.unregistered(&person.to_string(), brought) {
                by_sector.entry(one.sector.as_str()).or_default().push(&one.digest);
            }
        }
        let mut known = BTreeSet::new();
        for (sector, digests) in by_sector {
            let rows = pseudonym::Entity::find()
                .filter(pseudonym::Column::Sector.eq(sector))
                .filter(pseudonym::Column::Digest.is_in(digests.into_iter().map(<[u8]>::to_vec)));
            let rows = rows.all(connection).await?.into_iter();
            known.extend(rows.map(|row| (row.sector, row.digest)));
        }
        Ok(Self { known, ..found })
    }

    /// Those for whose sectors nothing is registered.
    fn unregistered<'b>(
        &self,
        person: &str,
        brought: &'b [Pseudonym],
    ) -> impl Iterator<Item = &'b Pseudonym> {
        let live = self.live.get(person);
        let of = move |one: &&Pseudonym| {
            !live.into_iter().flatten().any(|row| row.sector == one.sector.as_str())
        };
        brought.iter().filter(of)
    }

    /// What is to be written for what a person brings: whatever is new. `None` if it is not as simple: others are
    /// registered, an officer's replacement waits, or somebody had it before.
    pub(crate) fn fresh<'b>(
        &self,
        person: Uuid,
        brought: &'b [Pseudonym],
    ) -> Option<Vec<&'b Pseudonym>> {
        if brought.is_empty() {
            return Some(Vec::new());
        }
        let person = person.to_string();
        let live = self.live.get(&person).map(Vec::as_slice).unwrap_or_default();
        let differs = live.iter().any(|row| {
            let same = brought.iter().find(|one| one.sector.as_str() == row.sector);
            same.is_some_and(|one| one.digest != row.digest)
        });
        let fresh: Vec<&Pseudonym> = self.unregistered(&person, brought).collect();
        let had =
            |one: &&Pseudonym| self.known.contains(&(one.sector.to_string(), one.digest.clone()));
        let simple = !differs && !self.replacing.contains(&person) && !fresh.iter().any(had);
        simple.then_some(fresh)
    }
}
