//! Presentations that were asked for: stored between request and answer, answered at most once.

use crate::entity::asked;
use crate::{Services, ServicesError, from_column, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;

/// A presentation that was asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its id: at least 128 random bits, part of the address that the wallet answers to.
    pub id: String,
    /// What it is for: the name of the registration.
    pub purpose: String,
    /// What it is about: a stay, a ticket, a gate.
    pub subject: String,
    /// The verifier's session as JSON, secrets included.
    pub session: String,
    /// When the request lapses.
    pub expires_at: Timestamp,
    /// Whether it was answered.
    pub answered: bool,
}

impl Services {
    /// Stores a request before the wallet is told of it.
    ///
    /// # Errors
    /// [`ServicesError::Database`] if it cannot be stored.
    pub async fn ask(&self, new: Asked) -> Result<(), ServicesError> {
        let row = asked::ActiveModel {
            id: Set(new.id),
            purpose: Set(new.purpose),
            subject: Set(new.subject),
            session: Set(new.session),
            expires_at: Set(to_column(new.expires_at)),
            answered_at: Set(None),
            receipt: Set(None),
        };
        asked::Entity::insert(row).exec_without_returning(self.database.connection()).await?;
        Ok(())
    }

    /// The request with this id.
    ///
    /// # Errors
    /// [`ServicesError::Unknown`] if there is none.
    pub async fn asked(&self, id: &str) -> Result<Asked, ServicesError> {
        let row = asked::Entity::find_by_id(id).one(self.database.connection()).await?;
        let row = row.ok_or(ServicesError::Unknown("presentation request"))?;
        Ok(Asked {
            id: row.id,
            purpose: row.purpose,
            subject: row.subject,
            session: row.session,
            expires_at: from_column(row.expires_at)?,
            answered: row.answered_at.is_some(),
        })
    }

    /// The request with this id, if its answer got this receipt, word for word.
    ///
    /// # Errors
    /// [`ServicesError::Unknown`] if there is none.
    pub async fn asked_by_receipt(&self, id: &str, receipt: &str) -> Result<Asked, ServicesError> {
        let row = asked::Entity::find_by_id(id)
            .filter(asked::Column::Receipt.eq(receipt))
            .one(self.database.connection())
            .await?;
        let row = row.ok_or(ServicesError::Unknown("receipt: nothing of it is kept here"))?;
        self.asked(&row.id).await
    }

    /// Stores the session of a request that is not answered yet anew.
    ///
    /// # Errors
    /// [`ServicesError::AlreadyAnswered`] if it was answered in the meantime.
    pub async fn store_session(&self, id: &str, session: &str) -> Result<(), ServicesError> {
        let changed = asked::Entity::update_many()
            .col_expr(asked::Column::Session, Expr::value(session))
            .filter(asked::Column::Id.eq(id))
            .filter(asked::Column::AnsweredAt.is_null())
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(ServicesError::AlreadyAnswered) }
    }
}

/// Marks a request as answered and keeps its receipt: of two answers at once, one finds it taken.
/// The session, which holds the decryption key, is wiped.
pub(crate) async fn answer(
    transaction: &DatabaseTransaction,
    id: &str,
    receipt: &str,
    at: Timestamp,
) -> Result<(), ServicesError> {
    let marked = asked::Entity::update_many()
        .col_expr(asked::Column::AnsweredAt, Expr::value(to_column(at)))
        .col_expr(asked::Column::Session, Expr::value(""))
        .col_expr(asked::Column::Receipt, Expr::value(receipt))
        .filter(asked::Column::Id.eq(id))
        .filter(asked::Column::AnsweredAt.is_null())
        .exec(transaction)
        .await?;
    if marked.rows_affected == 1 { Ok(()) } else { Err(ServicesError::AlreadyAnswered) }
}
