//! What was begun and nobody answered: anybody can begin it, so it must not pile up.

use crate::entity::{asked, charge, ticket};
use crate::{ChargeState, Services, ServicesError, TicketState, to_column};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use yufu_base::Timestamp;

/// How many bookings are forgotten in one step.
const AT_ONCE: u64 = 500;

impl Services {
    /// Forgets requests that ended unanswered before `before`, and bookings of before then that nobody began to pay; how
    /// many.
    ///
    /// # Errors
    /// [`ServicesError::Database`] if they cannot be removed: to be repeated.
    pub async fn forget_lapsed(&self, before: Timestamp) -> Result<u64, ServicesError> {
        let gone = asked::Entity::delete_many()
            .filter(asked::Column::ExpiresAt.lt(to_column(before)))
            .filter(asked::Column::AnsweredAt.is_null())
            .exec(self.database.connection())
            .await?;
        let mut count = gone.rows_affected;
        loop {
            match self.forget_bookings(before).await? {
                0 => return Ok(count),
                gone => count = count.saturating_add(gone),
            }
        }
    }

    /// Some of the bookings, each with the payment that was awaited for it.
    async fn forget_bookings(&self, before: Timestamp) -> Result<u64, ServicesError> {
        let unanswered = Query::select()
            .column(charge::Column::Subject)
            .from(charge::Entity)
            .and_where(Expr::col(charge::Column::State).eq(ChargeState::Waiting.as_str()))
            .to_owned();
        let unpaid = [TicketState::Booked, TicketState::Lapsed].map(TicketState::as_str);
        let transaction = self.database.begin().await?;
        let found: Vec<String> = ticket::Entity::find()
            .select_only()
            .column(ticket::Column::Id)
            .filter(ticket::Column::State.is_in(unpaid))
            .filter(ticket::Column::CreatedAt.lt(to_column(before)))
            .filter(ticket::Column::Id.in_subquery(unanswered))
            .limit(AT_ONCE)
            .into_tuple()
            .all(&transaction)
            .await?;
        let ids = || found.iter().map(String::as_str);
        let charges = charge::Entity::delete_many();
        charges.filter(charge::Column::Subject.is_in(ids())).exec(&transaction).await?;
        let tickets = ticket::Entity::delete_many().filter(ticket::Column::Id.is_in(ids()));
        let gone = tickets.exec(&transaction).await?;
        transaction.commit().await?;
        Ok(gone.rows_affected)
    }
}
