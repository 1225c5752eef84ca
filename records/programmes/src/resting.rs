//! Another account rests before it is paid: whoever has somebody's key, or her whole wallet, is seen in time. What was
//! paid until then is paid until the rest is over.

use crate::entity::member;
use crate::item::{ItemState, Reason};
use crate::member::{Member, Payout, newest, without_next};
use crate::{Programmes, ProgrammesError, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use yufu_base::Timestamp;

/// An account that a member named, and that is not paid yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPayout {
    /// The account.
    pub payout: Payout,
    /// From when on it is paid.
    pub from: Timestamp,
}

impl Programmes {
    /// Takes down the account that a member named, to be paid from `from` on. Another one that rests is given up for it.
    ///
    /// # Errors
    /// [`ProgrammesError::PayoutOlder`] if a newer instruction was taken before.
    pub async fn rest_payout(
        &self,
        member: uuid::Uuid,
        payout: &Payout,
        from: Timestamp,
    ) -> Result<(), ProgrammesError> {
        let signed_at = to_column(payout.signed_at);
        let changed = member::Entity::update_many()
            .col_expr(member::Column::NextBank, Expr::value(payout.bank.as_str()))
            .col_expr(member::Column::NextAccount, Expr::value(payout.account.as_str()))
            .col_expr(member::Column::NextSignedAt, Expr::value(signed_at))
            .col_expr(member::Column::NextFrom, Expr::value(to_column(from)))
            .filter(member::Column::Id.eq(member.to_string()))
            .filter(newest(signed_at))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(ProgrammesError::PayoutOlder) }
    }

    /// Puts the accounts whose rest is over by `now` in the place of those that were paid; how many.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if it cannot be written.
    pub async fn rested(&self, now: Timestamp) -> Result<u64, ProgrammesError> {
        let next = |column: member::Column| Expr::col(column);
        let update = member::Entity::update_many()
            .col_expr(member::Column::Bank, next(member::Column::NextBank))
            .col_expr(member::Column::Account, next(member::Column::NextAccount))
            .col_expr(member::Column::SignedAt, next(member::Column::NextSignedAt))
            .col_expr(member::Column::PayoutSetAt, next(member::Column::NextFrom));
        let changed = without_next(update)
            .filter(member::Column::NextFrom.lte(to_column(now)))
            .exec(self.database.connection())
            .await?;
        Ok(changed.rows_affected)
    }

    /// Whether another account may be paid at once: what was sent to the one that is paid came back, and will again.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if it cannot be read.
    pub async fn is_paid_in_vain(&self, member: &Member) -> Result<bool, ProgrammesError> {
        let payments = self.payments(member.id).await?;
        Ok(payments.iter().any(|payment| {
            let lost =
                matches!(payment.reason, Some(Reason::AccountClosed | Reason::AccountRefused));
            let since = payment.settled_at.is_some_and(|at| member.payout_set_at <= at);
            payment.state == ItemState::Returned && lost && since
        }))
    }
}
