//! Erasing a person, with four eyes: one officer asks, another one confirms in time. The person sees in her list of
//! accesses that it was asked for, and by whom.

use crate::access::{Access, Deed};
use crate::entity::{asked, person};
use crate::population::{PersonId, Population, PopulationError, record};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::{from_column, to_column};
use yufu_profile::ResidentNumber;

/// For how many days an erasure that was asked for can be confirmed.
pub const ERASURE_DAYS: u64 = 7;
const DAY: u64 = 86_400;

/// An erasure that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedErasure {
    /// Its id.
    pub id: Uuid,
    /// Who is to be erased.
    pub person: PersonId,
    /// The officer who asked.
    pub asked_by: String,
    /// On what ground, and where the decision is filed.
    pub evidence: String,
    /// Until when it can be confirmed.
    pub until: Timestamp,
    /// Whether it was.
    pub confirmed: bool,
}

impl AskedErasure {
    /// Whether an officer may confirm it now.
    ///
    /// # Errors
    /// [`PopulationError::ErasureDone`], [`PopulationError::ErasureLapsed`], [`PopulationError::SameOfficer`], in this
    /// order.
    pub fn confirmable(&self, officer: &str, now: Timestamp) -> Result<(), PopulationError> {
        if self.confirmed {
            return Err(PopulationError::ErasureDone);
        }
        if self.until <= now {
            return Err(PopulationError::ErasureLapsed);
        }
        // By letters, not by case or blanks around.
        if self.asked_by.trim().eq_ignore_ascii_case(officer.trim()) {
            return Err(PopulationError::SameOfficer(self.asked_by.clone()));
        }
        Ok(())
    }
}

impl Population {
    /// Asks for the erasure of the person with that number. One that can still be confirmed stays as it is and is
    /// returned; that it was asked for again is recorded too.
    ///
    /// # Errors
    /// As [`Population::read`].
    pub async fn ask_erasure(
        &self,
        number: &ResidentNumber,
        evidence: &str,
        access: &Access,
    ) -> Result<AskedErasure, PopulationError> {
        access.check(Deed::ErasureAsked)?;
        let transaction = self.database().begin().await?;
        let row = self.find(&transaction, number).await?;
        record(&transaction, access, Deed::ErasureAsked, row.as_ref()).await?;
        let Some(person) = row else {
            transaction.commit().await?;
            return Err(PopulationError::NotFound);
        };
        let open = asked::Entity::find()
            .filter(asked::Column::Person.eq(person.id))
            .filter(asked::Column::ConfirmedAt.is_null())
            .filter(asked::Column::Until.gt(to_column(access.at)))
            .order_by_asc(asked::Column::At)
            .one(&transaction)
            .await?;
        let found = match open {
            Some(open) => open,
            None => {
                let until = access.at.plus_seconds(ERASURE_DAYS.saturating_mul(DAY));
                let new = asked::Model {
                    id: Uuid::new_v4(),
                    person: person.id,
                    asked_by: access.actor.clone(),
                    evidence: evidence.to_owned(),
                    at: to_column(access.at),
                    until: to_column(until),
                    confirmed_by: None,
                    confirmed_at: None,
                };
                let row = new.clone().into_active_model().reset_all();
                asked::Entity::insert(row).exec_without_returning(&transaction).await?;
                new
            }
        };
        transaction.commit().await?;
        read(found)
    }

    /// An erasure that was asked for.
    ///
    /// # Errors
    /// [`PopulationError::NoErasure`] if there is none with this id.
    pub async fn asked_erasure(&self, id: Uuid) -> Result<AskedErasure, PopulationError> {
        let row = asked::Entity::find_by_id(id).one(self.database().connection()).await?;
        read(row.ok_or(PopulationError::NoErasure)?)
    }

    /// Erases the person of an erasure that another officer asked for: the data key is destroyed first, which makes every
    /// copy of the data unreadable, then the row goes. The access records stay, with an id that leads nowhere.
    ///
    /// # Errors
    /// As [`AskedErasure::confirmable`], and [`Population::read`]. If the database fails after the key is gone, the data
    /// are erased, and confirming again removes the row.
    pub async fn confirm_erasure(
        &self,
        asked: &AskedErasure,
        access: &Access,
    ) -> Result<(), PopulationError> {
        access.check(Deed::Erased)?;
        asked.confirmable(&access.actor, access.at)?;
        let transaction = self.database().begin().await?;
        let confirmed = asked::Entity::update_many()
            .col_expr(asked::Column::ConfirmedBy, Expr::value(access.actor.as_str()))
            .col_expr(asked::Column::ConfirmedAt, Expr::value(to_column(access.at)))
            .filter(asked::Column::Id.eq(asked.id))
            .filter(asked::Column::ConfirmedAt.is_null())
            .exec(&transaction)
            .await?;
        if confirmed.rows_affected == 0 {
            return Err(PopulationError::ErasureDone);
        }
        let row = person::Entity::find_by_id(asked.person.uuid()).one(&transaction).await?;
        record(&transaction, access, Deed::Erased, row.as_ref()).await?;
        if let Some(row) = &row {
            self.sealer().destroy(&[row.id]).await?;
            person::Entity::delete_by_id(row.id).exec(&transaction).await?;
        }
        transaction.commit().await?;
        row.map(|_| ()).ok_or(PopulationError::NotFound)
    }
}

fn read(row: asked::Model) -> Result<AskedErasure, PopulationError> {
    Ok(AskedErasure {
        id: row.id,
        person: PersonId::new(row.person),
        asked_by: row.asked_by,
        evidence: row.evidence,
        until: from_column(row.until).ok_or(PopulationError::Damaged)?,
        confirmed: row.confirmed_at.is_some(),
    })
}
