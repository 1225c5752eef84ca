//! Revocations: a decision of the desk about a party's use, with its reason. It ends every registration
//! of that use for good; lifted, it lets the use be certified anew.

use crate::migrations::{registration, revocation};
use crate::{Registrations, RegistrationsError, from_column, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, Set,
};
use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;

/// What an officer did at the registrar's desk, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Why, in words.
    pub reason: String,
    /// The officer, by staff name.
    pub officer: String,
    /// When.
    pub at: Timestamp,
}

/// A revocation of a party's use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its id.
    pub id: Uuid,
    /// The relying party's registered id.
    pub party: String,
    /// The use.
    pub intended_use: String,
    /// Who revoked it, when and why.
    pub revoked: Deed,
    /// Who lifted it, when and why; none while it stands.
    pub lifted: Option<Deed>,
}

impl Registrations {
    /// Revokes uses of a party: their registrations are revoked for good, and none is certified until that
    /// is lifted. A use whose revocation stands keeps that one. What stands now, in the order of `uses`.
    ///
    /// # Errors
    /// [`RegistrationsError::Database`]; then nothing was written.
    pub async fn revoke(
        &self,
        party: &str,
        intended_uses: &BTreeSet<String>,
        deed: &Deed,
    ) -> Result<Vec<Revocation>, RegistrationsError> {
        let transaction = self.database.begin().await?;
        let mut stand = Vec::new();
        for intended_use in intended_uses {
            stand.push(revoke_one(&transaction, party, intended_use, deed).await?);
        }
        transaction.commit().await?;
        Ok(stand)
    }

    /// Lifts a revocation: the use may be certified again, at a new place. One that was lifted stays as it is.
    ///
    /// # Errors
    /// [`RegistrationsError::Unknown`].
    pub async fn lift(&self, id: Uuid, deed: &Deed) -> Result<Revocation, RegistrationsError> {
        let transaction = self.database.begin().await?;
        let row = revocation::Entity::find_by_id(id.to_string()).one(&transaction).await?;
        let row = row.ok_or(RegistrationsError::Unknown("revocation"))?;
        let lifted = if row.lifted_at.is_some() {
            row
        } else {
            let mut row = row.into_active_model();
            row.lift_reason = Set(Some(deed.reason.clone()));
            row.lift_officer = Set(Some(deed.officer.clone()));
            row.lifted_at = Set(Some(to_column(deed.at)));
            row.update(&transaction).await?
        };
        transaction.commit().await?;
        lifted.try_into()
    }

    /// A number that is another one whenever a registration was revoked. (Lifting changes no registration.)
    ///
    /// # Errors
    /// [`RegistrationsError::Database`].
    pub async fn version(&self) -> Result<i64, RegistrationsError> {
        let count = revocation::Entity::find().count(self.database.connection()).await?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Every revocation, newest first.
    ///
    /// # Errors
    /// [`RegistrationsError::Database`].
    pub async fn revocations(&self) -> Result<Vec<Revocation>, RegistrationsError> {
        let rows = revocation::Entity::find()
            .order_by_desc(revocation::Column::At)
            .order_by_asc(revocation::Column::Party)
            .order_by_asc(revocation::Column::IntendedUse)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(Revocation::try_from).collect()
    }
}

/// The revocation of a party's use that was not lifted.
pub(crate) async fn standing<C: ConnectionTrait>(
    connection: &C,
    party: &str,
    intended_use: &str,
) -> Result<Option<Revocation>, RegistrationsError> {
    let row = revocation::Entity::find()
        .filter(revocation::Column::Party.eq(party))
        .filter(revocation::Column::IntendedUse.eq(intended_use))
        .filter(revocation::Column::LiftedAt.is_null())
        .one(connection)
        .await?;
    row.map(Revocation::try_from).transpose()
}

async fn revoke_one<C: ConnectionTrait>(
    connection: &C,
    party: &str,
    intended_use: &str,
    deed: &Deed,
) -> Result<Revocation, RegistrationsError> {
    if let Some(stands) = standing(connection, party, intended_use).await? {
        return Ok(stands);
    }
    let id = Uuid::new_v4();
    let row = revocation::ActiveModel {
        id: Set(id.to_string()),
        party: Set(party.to_owned()),
        intended_use: Set(intended_use.to_owned()),
        reason: Set(deed.reason.clone()),
        officer: Set(deed.officer.clone()),
        at: Set(to_column(deed.at)),
        lift_reason: Set(None),
        lift_officer: Set(None),
        lifted_at: Set(None),
    };
    revocation::Entity::insert(row).exec_without_returning(connection).await?;
    registration::Entity::update_many()
        .col_expr(registration::Column::Revocation, Expr::value(id.to_string()))
        .filter(registration::Column::Party.eq(party))
        .filter(registration::Column::IntendedUse.eq(intended_use))
        .filter(registration::Column::Revocation.is_null())
        .exec(connection)
        .await?;
    let (party, intended_use) = (party.to_owned(), intended_use.to_owned());
    Ok(Revocation { id, party, intended_use, revoked: deed.clone(), lifted: None })
}

impl TryFrom<revocation::Model> for Revocation {
    type Error = RegistrationsError;

    fn try_from(row: revocation::Model) -> Result<Self, RegistrationsError> {
        let lifted = match (row.lift_reason, row.lift_officer, row.lifted_at) {
            (Some(reason), Some(officer), Some(at)) => {
                Some(Deed { reason, officer, at: from_column(at) })
            }
            (None, None, None) => None,
            _ => return Err(RegistrationsError::Damaged("revocation")),
        };
        Ok(Self {
            id: row.id.parse().map_err(|_| RegistrationsError::Damaged("revocation"))?,
            party: row.party,
            intended_use: row.intended_use,
            revoked: Deed { reason: row.reason, officer: row.officer, at: from_column(row.at) },
            lifted,
        })
    }
}
