//! The place of every registration in the status list: kept by the same key and use for as long as it stands.

use crate::migrations::registration;
use crate::revoking::{Revocation, standing};
use crate::{Registrations, RegistrationsError, from_column, to_column};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, Set,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use yufu_base::Timestamp;

/// How often a taken place is answered by another draw before the list counts as full.
const DRAWS: usize = 64;

/// What is about to be certified.
#[derive(Clone, Debug)]
pub struct Certifying<'a> {
    /// The relying party's registered id.
    pub party: &'a str,
    /// The thumbprint of its access key (RFC 7638, base64url).
    pub access_key: &'a str,
    /// The uses that it is certified for.
    pub intended_uses: &'a [&'a str],
    /// Until when the certificates hold.
    pub expires_at: Timestamp,
    /// The status list's number, and how many places it has.
    pub list: (i32, i32),
    /// Places whose certificates ended before then are free.
    pub freed_after: Timestamp,
}

/// What came of a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It may be certified, at this place.
    At(i32),
    /// It is revoked, and that was not lifted.
    Revoked(Box<Revocation>),
}

/// A registration that was certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its place in the list.
    pub position: i32,
    /// The relying party's registered id.
    pub party: String,
    /// The use.
    pub intended_use: String,
    /// The thumbprint of the access key.
    pub access_key: String,
    /// When it was first certified.
    pub certified_at: Timestamp,
    /// When it was last certified.
    pub renewed_at: Timestamp,
    /// Until when its newest certificate holds.
    pub expires_at: Timestamp,
    /// By what it was revoked, if it was.
    pub revocation: Option<Uuid>,
}

impl Registrations {
    /// Gives each use its place, or says by what it is revoked: the same key and use keep the place that
    /// they have, others get one by `draw`. What lapsed is forgotten and its place free; revocations are kept apart from it.
    ///
    /// # Errors
    /// [`RegistrationsError::ListFull`]; then nothing was written.
    pub async fn place(
        &self,
        wanted: &Certifying<'_>,
        mut draw: impl FnMut() -> u32 + Send,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Placed>, RegistrationsError> {
        let transaction = self.database.begin().await?;
        registration::Entity::delete_many()
            .filter(registration::Column::ExpiresAt.lt(to_column(wanted.freed_after)))
            .exec(&transaction)
            .await?;
        let mut placed = BTreeMap::new();
        for intended_use in wanted.intended_uses {
            let at = match standing(&transaction, wanted.party, intended_use).await? {
                Some(revocation) => Placed::Revoked(Box::new(revocation)),
                None => {
                    Placed::At(place_one(&transaction, wanted, intended_use, &mut draw, now).await?)
                }
            };
            placed.insert((*intended_use).to_owned(), at);
        }
        transaction.commit().await?;
        Ok(placed)
    }

    /// Every registration, by party, use and time.
    ///
    /// # Errors
    /// [`RegistrationsError::Database`].
    pub async fn all(&self) -> Result<Vec<Registration>, RegistrationsError> {
        let rows = registration::Entity::find()
            .order_by_asc(registration::Column::Party)
            .order_by_asc(registration::Column::IntendedUse)
            .order_by_asc(registration::Column::CertifiedAt)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(Registration::try_from).collect()
    }

    /// The places of a list that are revoked, of certificates that end after `ended`.
    ///
    /// # Errors
    /// [`RegistrationsError::Database`].
    pub async fn revoked_places(
        &self,
        list: i32,
        ended: Timestamp,
    ) -> Result<Vec<i32>, RegistrationsError> {
        let rows = registration::Entity::find()
            .filter(registration::Column::List.eq(list))
            .filter(registration::Column::Revocation.is_not_null())
            .filter(registration::Column::ExpiresAt.gte(to_column(ended)))
            .all(self.database.connection())
            .await?;
        Ok(rows.into_iter().map(|row| row.position).collect())
    }
}

async fn place_one<C: ConnectionTrait>(
    connection: &C,
    wanted: &Certifying<'_>,
    intended_use: &str,
    draw: &mut (impl FnMut() -> u32 + Send),
    now: Timestamp,
) -> Result<i32, RegistrationsError> {
    let known = registration::Entity::find()
        .filter(registration::Column::Party.eq(wanted.party))
        .filter(registration::Column::IntendedUse.eq(intended_use))
        .filter(registration::Column::AccessKey.eq(wanted.access_key))
        .filter(registration::Column::Revocation.is_null())
        .one(connection)
        .await?;
    if let Some(row) = known {
        let position = row.position;
        let mut row = row.into_active_model();
        row.renewed_at = Set(to_column(now));
        row.expires_at = Set(to_column(wanted.expires_at));
        row.update(connection).await?;
        return Ok(position);
    }
    let position = free(connection, wanted.list, draw).await?;
    let row = registration::ActiveModel {
        list: Set(wanted.list.0),
        position: Set(position),
        party: Set(wanted.party.to_owned()),
        intended_use: Set(intended_use.to_owned()),
        access_key: Set(wanted.access_key.to_owned()),
        certified_at: Set(to_column(now)),
        renewed_at: Set(to_column(now)),
        expires_at: Set(to_column(wanted.expires_at)),
        revocation: Set(None),
    };
    registration::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(position)
}

/// A place of the list that nobody has.
async fn free<C: ConnectionTrait>(
    connection: &C,
    (list, size): (i32, i32),
    draw: &mut (impl FnMut() -> u32 + Send),
) -> Result<i32, RegistrationsError> {
    let rows = registration::Entity::find().filter(registration::Column::List.eq(list));
    let rows = rows.all(connection).await?;
    let taken: BTreeSet<i32> = rows.into_iter().map(|row| row.position).collect();
    let size = u32::try_from(size).map_err(|_| RegistrationsError::ListFull)?;
    let drawn = std::iter::repeat_with(|| draw().checked_rem(size));
    let mut places = drawn.take(DRAWS).flatten().filter_map(|place| i32::try_from(place).ok());
    places.find(|place| !taken.contains(place)).ok_or(RegistrationsError::ListFull)
}

impl TryFrom<registration::Model> for Registration {
    type Error = RegistrationsError;

    fn try_from(row: registration::Model) -> Result<Self, RegistrationsError> {
        let revocation = row.revocation.map(|id| id.parse()).transpose();
        Ok(Self {
            position: row.position,
            party: row.party,
            intended_use: row.intended_use,
            access_key: row.access_key,
            certified_at: from_column(row.certified_at),
            renewed_at: from_column(row.renewed_at),
            expires_at: from_column(row.expires_at),
            revocation: revocation.map_err(|_| RegistrationsError::Damaged("revocation"))?,
        })
    }
}
