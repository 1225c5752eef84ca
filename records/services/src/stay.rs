//! A hotel's stays: the guest's identity sealed, its reads recorded, erased in time.

use crate::entity::{access, stay};
use crate::{Access, Services, ServicesError, asked, charge, from_column, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use serde_json::{Map, Value};
use uuid::Uuid;
use yufu_base::Timestamp;

/// What a sealed guest is bound to, so that it cannot be moved elsewhere.
const PLACE: &str = "services.stays.guest";

/// A stay, without its guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Its id.
    pub id: Uuid,
    /// The room.
    pub room: String,
    /// For how many nights.
    pub nights: u16,
    /// Until when the guest's identity is kept; `None` if there is none.
    pub retained_until: Option<Timestamp>,
}

impl Services {
    /// Prepares a check-in, and the payment that goes with it.
    ///
    /// # Errors
    /// [`ServicesError::Database`] if it cannot be written.
    pub async fn prepare_stay(
        &self,
        new: &Stay,
        (order, amount_minor): (&str, u64),
        at: Timestamp,
    ) -> Result<(), ServicesError> {
        let transaction = self.database.begin().await?;
        let row = stay::ActiveModel {
            id: Set(new.id.to_string()),
            room: Set(new.room.clone()),
            nights: Set(i32::from(new.nights)),
            sealed_guest: Set(None),
            retained_until: Set(None),
            created_at: Set(to_column(at)),
        };
        stay::Entity::insert(row).exec_without_returning(&transaction).await?;
        charge::insert(&transaction, (&new.id.to_string(), order, amount_minor)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The stay with this id.
    ///
    /// # Errors
    /// [`ServicesError::Unknown`] if there is none.
    pub async fn stay(&self, id: Uuid) -> Result<Stay, ServicesError> {
        let row = stay::Entity::find_by_id(id.to_string()).one(self.database.connection()).await?;
        let row = row.ok_or(ServicesError::Unknown("stay"))?;
        Ok(Stay {
            id,
            room: row.room,
            nights: u16::try_from(row.nights).map_err(|_| ServicesError::Damaged("stay"))?,
            retained_until: row.retained_until.map(from_column).transpose()?,
        })
    }

    /// The guest identified themselves and agreed to pay: the request is marked, the identity sealed,
    /// what goes to the bank kept; together.
    ///
    /// # Errors
    /// [`ServicesError::AlreadyAnswered`] if the request was answered before.
    pub async fn register_guest(
        &self,
        request: (&str, &str),
        id: Uuid,
        guest: &Map<String, Value>,
        (bank, forwarded): (&str, &str),
        (at, retained_until): (Timestamp, Timestamp),
    ) -> Result<(), ServicesError> {
        let plain = serde_json::to_vec(guest).map_err(|_| ServicesError::Damaged("guest"))?;
        let transaction = self.database.begin().await?;
        asked::answer(&transaction, request.0, request.1, at).await?;
        charge::forward(&transaction, &id.to_string(), bank, forwarded).await?;
        let keys = self.sealer.create(&[id]).await?;
        let key = keys.first().ok_or(ServicesError::Damaged("guest key"))?;
        stay::Entity::update_many()
            .col_expr(stay::Column::SealedGuest, Expr::value(key.seal(PLACE, &plain)?))
            .col_expr(stay::Column::RetainedUntil, Expr::value(to_column(retained_until)))
            .filter(stay::Column::Id.eq(id.to_string()))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A guest's claims of the names in `access.fields`; the access is recorded with the read.
    ///
    /// # Errors
    /// [`ServicesError::Unknown`] if there is no such stay, [`ServicesError::Erased`] if its guest's
    /// identity is gone.
    pub async fn guest(
        &self,
        id: Uuid,
        mut access: Access,
    ) -> Result<Map<String, Value>, ServicesError> {
        let transaction = self.database.begin().await?;
        let row = stay::Entity::find_by_id(id.to_string()).one(&transaction).await?;
        let sealed = row.ok_or(ServicesError::Unknown("stay"))?.sealed_guest;
        let sealed = sealed.ok_or(ServicesError::Erased)?;
        let plain = self.sealer.key(id).await?.open(PLACE, &sealed)?;
        let mut claims: Map<String, Value> =
            serde_json::from_slice(&plain).map_err(|_| ServicesError::Damaged("guest"))?;
        access.read(&mut claims);
        let record = access::ActiveModel {
            id: Set(Uuid::now_v7().to_string()),
            stay: Set(id.to_string()),
            actor: Set(access.actor),
            purpose: Set(access.purpose),
            fields: Set(access.fields.join(" ")),
            at: Set(to_column(access.at)),
        };
        access::Entity::insert(record).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(claims)
    }

    /// Who read a guest's identity, oldest first.
    ///
    /// # Errors
    /// [`ServicesError::Database`] if it cannot be read.
    pub async fn accesses(&self, id: Uuid) -> Result<Vec<Access>, ServicesError> {
        let rows = access::Entity::find()
            .filter(access::Column::Stay.eq(id.to_string()))
            .order_by_asc(access::Column::Id)
            .all(self.database.connection())
            .await?;
        let read = |row: access::Model| {
            Ok(Access {
                actor: row.actor,
                purpose: row.purpose,
                fields: row.fields.split_whitespace().map(str::to_owned).collect(),
                at: from_column(row.at)?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// Erases one guest's identity, for which there is no ground any more: key first, then row.
    ///
    /// # Errors
    /// [`ServicesError::Database`] or [`ServicesError::Seal`]: then it is to be repeated.
    pub async fn erase_guest(&self, id: Uuid) -> Result<(), ServicesError> {
        self.sealer.destroy(&[id]).await?;
        stay::Entity::update_many()
            .col_expr(stay::Column::SealedGuest, Expr::value(Option::<Vec<u8>>::None))
            .col_expr(stay::Column::RetainedUntil, Expr::value(Option::<i64>::None))
            .filter(stay::Column::Id.eq(id.to_string()))
            .exec(self.database.connection())
            .await?;
        Ok(())
    }

    /// Erases every identity whose time has come; how many those were.
    ///
    /// # Errors
    /// As [`Services::erase_guest`]; those erased before it stay erased.
    pub async fn erase_expired(&self, now: Timestamp) -> Result<usize, ServicesError> {
        let due = stay::Entity::find()
            .filter(stay::Column::RetainedUntil.lte(to_column(now)))
            .all(self.database.connection())
            .await?;
        for row in &due {
            let id = Uuid::parse_str(&row.id).map_err(|_| ServicesError::Damaged("stay id"))?;
            self.erase_guest(id).await?;
        }
        Ok(due.len())
    }
}
