//! Enrolments: presentations that were asked for, and the member that an answered one makes.

use crate::entity::{enrolment, member};
use crate::member::{MemberState, Payout};
use crate::{Month, Programmes, ProgrammesError, from_column, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::Timestamp;

/// An enrolment that waits for its presentation.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id: at least 128 random bits, part of the address that the wallet answers to.
    pub id: String,
    /// The programme.
    pub programme: String,
    /// The pseudonym that has to be shown: the thumbprint of the key.
    pub pseudonym: String,
    /// The sector key, as a JWK: what it signs, the member says.
    pub key: String,
    /// Where the key's holder wants to be paid.
    pub payout: Payout,
    /// The verifier's session as JSON, secrets included.
    pub session: String,
    /// When the request lapses.
    pub expires_at: Timestamp,
    /// Whether it was answered.
    pub answered: bool,
}

/// What a presented credential says of its holder being alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// The status list that its place is in.
    pub status_uri: String,
    /// The place.
    pub status_index: u64,
    /// Until when the credential says anything.
    pub says_until: Timestamp,
    /// When it was shown.
    pub shown_at: Timestamp,
}

impl Programmes {
    /// Stores an enrolment before the wallet is told of it.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if it cannot be stored.
    pub async fn begin_enrolment(&self, new: Enrolment) -> Result<(), ProgrammesError> {
        let row = enrolment::ActiveModel {
            id: Set(new.id),
            programme: Set(new.programme),
            pseudonym: Set(new.pseudonym),
            holder_key: Set(new.key),
            bank: Set(new.payout.bank),
            account: Set(new.payout.account),
            signed_at: Set(to_column(new.payout.signed_at)),
            session: Set(new.session),
            expires_at: Set(to_column(new.expires_at)),
            answered_at: Set(None),
            receipt: Set(None),
        };
        enrolment::Entity::insert(row).exec_without_returning(self.database.connection()).await?;
        Ok(())
    }

    /// The enrolment with this id.
    ///
    /// # Errors
    /// [`ProgrammesError::Unknown`] if there is none.
    pub async fn enrolment(&self, id: &str) -> Result<Enrolment, ProgrammesError> {
        let row = enrolment::Entity::find_by_id(id).one(self.database.connection()).await?;
        let row = row.ok_or(ProgrammesError::Unknown("enrolment"))?;
        let signed_at = from_column(row.signed_at)?;
        Ok(Enrolment {
            id: row.id,
            programme: row.programme,
            pseudonym: row.pseudonym,
            key: row.holder_key,
            payout: Payout { bank: row.bank, account: row.account, signed_at },
            session: row.session,
            expires_at: from_column(row.expires_at)?,
            answered: row.answered_at.is_some(),
        })
    }

    /// Stores the session of an enrolment that is not answered yet anew.
    ///
    /// # Errors
    /// [`ProgrammesError::AlreadyAnswered`] if it was answered in the meantime.
    pub async fn store_session(&self, id: &str, session: &str) -> Result<(), ProgrammesError> {
        let changed = enrolment::Entity::update_many()
            .col_expr(enrolment::Column::Session, Expr::value(session))
            .filter(enrolment::Column::Id.eq(id))
            .filter(enrolment::Column::AnsweredAt.is_null())
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(ProgrammesError::AlreadyAnswered) }
    }

    /// The presentation was accepted: the request is marked, its secrets wiped, and its holder is a
    /// member from `month` on; together. Of a member it renews what says that it is alive, and the
    /// account; whoever had left is back from `month` on, and whoever was frozen is free, but guarded.
    ///
    /// # Errors
    /// [`ProgrammesError::AlreadyAnswered`] if the request was answered before.
    pub async fn enrol(
        &self,
        from: &Enrolment,
        receipt: &str,
        life: &Life,
        month: Month,
    ) -> Result<(), ProgrammesError> {
        let transaction = self.database.begin().await?;
        let marked = enrolment::Entity::update_many()
            .col_expr(enrolment::Column::AnsweredAt, Expr::value(to_column(life.shown_at)))
            .col_expr(enrolment::Column::Session, Expr::value(""))
            .col_expr(enrolment::Column::Receipt, Expr::value(receipt))
            .filter(enrolment::Column::Id.eq(&from.id))
            .filter(enrolment::Column::AnsweredAt.is_null())
            .exec(&transaction)
            .await?;
        if marked.rows_affected != 1 {
            return Err(ProgrammesError::AlreadyAnswered);
        }
        let known = member::Entity::find()
            .filter(member::Column::Programme.eq(&from.programme))
            .filter(member::Column::Pseudonym.eq(&from.pseudonym))
            .one(&transaction)
            .await?;
        match known {
            Some(known) => renew(&transaction, known, from, life, month).await?,
            None => {
                let row = new_member(from, life, month)?;
                member::Entity::insert(row).exec_without_returning(&transaction).await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets enrolments that lapsed unanswered before `before`; how many.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if they cannot be removed.
    pub async fn forget_lapsed(&self, before: Timestamp) -> Result<u64, ProgrammesError> {
        let gone = enrolment::Entity::delete_many()
            .filter(enrolment::Column::ExpiresAt.lt(to_column(before)))
            .filter(enrolment::Column::AnsweredAt.is_null())
            .exec(self.database.connection())
            .await?;
        Ok(gone.rows_affected)
    }
}

fn new_member(
    from: &Enrolment,
    life: &Life,
    month: Month,
) -> Result<member::ActiveModel, ProgrammesError> {
    Ok(member::ActiveModel {
        id: Set(Uuid::new_v4().to_string()),
        programme: Set(from.programme.clone()),
        pseudonym: Set(from.pseudonym.clone()),
        holder_key: Set(from.key.clone()),
        state: Set(MemberState::Enrolled.as_str().to_owned()),
        since: Set(month.to_string()),
        bank: Set(from.payout.bank.clone()),
        account: Set(from.payout.account.clone()),
        signed_at: Set(to_column(from.payout.signed_at)),
        payout_set_at: Set(to_column(life.shown_at)),
        status_uri: Set(life.status_uri.clone()),
        status_index: Set(index(life)?),
        says_until: Set(to_column(life.says_until)),
        shown_at: Set(to_column(life.shown_at)),
        next_bank: Set(None),
        next_account: Set(None),
        next_signed_at: Set(None),
        next_from: Set(None),
        frozen_at: Set(None),
        guarded_at: Set(None),
    })
}

async fn renew(
    transaction: &DatabaseTransaction,
    known: member::Model,
    from: &Enrolment,
    life: &Life,
    month: Month,
) -> Result<(), ProgrammesError> {
    let back = known.state == MemberState::Left.as_str();
    let since = if back { month.to_string() } else { known.since };
    let mut update = member::Entity::update_many()
        .col_expr(member::Column::State, Expr::value(MemberState::Enrolled.as_str()))
        .col_expr(member::Column::Since, Expr::value(since))
        .col_expr(member::Column::StatusUri, Expr::value(life.status_uri.as_str()))
        .col_expr(member::Column::StatusIndex, Expr::value(index(life)?))
        .col_expr(member::Column::SaysUntil, Expr::value(to_column(life.says_until)))
        .col_expr(member::Column::ShownAt, Expr::value(to_column(life.shown_at)));
    if known.frozen_at.is_some() {
        // Freed by the identity; the key that somebody else may have too decides alone no more.
        update = update
            .col_expr(member::Column::FrozenAt, Expr::value(Option::<i64>::None))
            .col_expr(member::Column::GuardedAt, Expr::value(to_column(life.shown_at)));
    }
    let signed_at = to_column(from.payout.signed_at);
    // An account that was named later, by the key alone, stays.
    if signed_at >= known.signed_at {
        update = update
            .col_expr(member::Column::Bank, Expr::value(from.payout.bank.as_str()))
            .col_expr(member::Column::Account, Expr::value(from.payout.account.as_str()))
            .col_expr(member::Column::SignedAt, Expr::value(signed_at))
            .col_expr(member::Column::PayoutSetAt, Expr::value(to_column(life.shown_at)));
    }
    update.filter(member::Column::Id.eq(known.id)).exec(transaction).await?;
    Ok(())
}

fn index(life: &Life) -> Result<i64, ProgrammesError> {
    i64::try_from(life.status_index).map_err(|_| ProgrammesError::Damaged("place"))
}
