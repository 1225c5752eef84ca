//! Presentations that the bank asked for: each has a session that is stored between its request
//! and its answer, and is answered at most once.

use crate::entity::{order, receipt, verification};
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, DatabaseTransaction};
use sea_orm::{EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;

/// A presentation that was asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Verification {
    /// Its id: at least 128 random bits, part of the address that the wallet answers to.
    pub id: String,
    /// What it is for: `account_opening`, `step_up`.
    pub purpose: String,
    /// What it is about, as JSON: the account class asked for, or the order to be paid.
    pub subject: String,
    /// The verifier's session as JSON, secrets included.
    pub session: String,
    /// When the request lapses.
    pub expires_at: Timestamp,
    /// Whether it was answered.
    pub answered: bool,
}

impl Onboarding {
    /// Stores a presentation request before the wallet is told of it.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be stored, for example because the id exists.
    pub async fn start_verification(&self, new: Verification) -> Result<(), OnboardingError> {
        let row = verification::ActiveModel {
            id: Set(new.id),
            purpose: Set(new.purpose),
            subject: Set(new.subject),
            session: Set(new.session),
            expires_at: Set(crate::to_column(new.expires_at)),
            answered_at: Set(None),
        };
        verification::Entity::insert(row)
            .exec_without_returning(self.database.connection())
            .await?;
        Ok(())
    }

    /// The presentation request with this id.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn verification(&self, id: &str) -> Result<Verification, OnboardingError> {
        let row = verification::Entity::find_by_id(id).one(self.database.connection()).await?;
        let row = row.ok_or(OnboardingError::Unknown("presentation request"))?;
        Ok(Verification {
            id: row.id,
            purpose: row.purpose,
            subject: row.subject,
            session: row.session,
            expires_at: crate::from_column(row.expires_at)?,
            answered: row.answered_at.is_some(),
        })
    }

    /// Stores the session of a request that is not answered yet anew.
    ///
    /// # Errors
    /// [`OnboardingError::AlreadyAnswered`] if it was answered in the meantime.
    pub async fn store_session(&self, id: &str, session: &str) -> Result<(), OnboardingError> {
        let changed = verification::Entity::update_many()
            .col_expr(verification::Column::Session, Expr::value(session))
            .filter(verification::Column::Id.eq(id))
            .filter(verification::Column::AnsweredAt.is_null())
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(OnboardingError::AlreadyAnswered) }
    }

    /// Forgets requests that lapsed before `before` without an answer, unless an order refers to them: anybody
    /// can begin one, so they must not pile up. How many there were.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if they cannot be removed.
    pub async fn forget_lapsed(&self, before: Timestamp) -> Result<u64, OnboardingError> {
        let referred = Query::select()
            .column(order::Column::Verification)
            .from(order::Entity)
            .and_where(order::Column::Verification.is_not_null())
            .to_owned();
        let gone = verification::Entity::delete_many()
            .filter(verification::Column::AnsweredAt.is_null())
            .filter(verification::Column::ExpiresAt.lt(crate::to_column(before)))
            .filter(verification::Column::Id.not_in_subquery(referred))
            .exec(self.database.connection())
            .await?;
        Ok(gone.rows_affected)
    }

    /// The receipt that the bank keeps of an answered presentation, as a signed JWS.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn receipt(&self, verification: &str) -> Result<String, OnboardingError> {
        let row = receipt::Entity::find_by_id(verification).one(self.database.connection()).await?;
        row.map(|row| row.receipt).ok_or(OnboardingError::Unknown("receipt"))
    }

    /// What the presentation with this id was for, and until when its claims are kept, if this is the receipt of it,
    /// word for word.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn by_receipt(
        &self,
        verification: &str,
        receipt: &str,
    ) -> Result<(String, Timestamp), OnboardingError> {
        let row = receipt::Entity::find_by_id(verification)
            .filter(receipt::Column::Receipt.eq(receipt))
            .one(self.database.connection())
            .await?;
        let row = row.ok_or(OnboardingError::Unknown("receipt: nothing of it is kept here"))?;
        let until = crate::from_column(row.retained_until)?;
        Ok((self.verification(verification).await?.purpose, until))
    }
}

/// Marks a presentation as answered, and keeps its receipt. The mark is the single-use fence:
/// of two answers at once, one finds it taken. The session, which holds the decryption key, is wiped.
pub(crate) async fn answer(
    transaction: &DatabaseTransaction,
    id: &str,
    signed_receipt: &str,
    at: Timestamp,
    retained_until: Timestamp,
) -> Result<(), OnboardingError> {
    let marked = verification::Entity::update_many()
        .col_expr(verification::Column::AnsweredAt, Expr::value(crate::to_column(at)))
        .col_expr(verification::Column::Session, Expr::value(""))
        .filter(verification::Column::Id.eq(id))
        .filter(verification::Column::AnsweredAt.is_null())
        .exec(transaction)
        .await?;
    if marked.rows_affected != 1 {
        return Err(OnboardingError::AlreadyAnswered);
    }
    let row = receipt::ActiveModel {
        verification: Set(id.to_owned()),
        receipt: Set(signed_receipt.to_owned()),
        created_at: Set(crate::to_column(at)),
        retained_until: Set(crate::to_column(retained_until)),
    };
    receipt::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}
