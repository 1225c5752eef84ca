//! What an envelope adds up to, and the one place where something moves within it.

use crate::entity::{envelope, item};
use crate::item::ItemState;
use crate::{ProgrammesError, from_minor, to_minor};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
};
use uuid::Uuid;

/// How many, and how much together in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// How much, in minor units.
    pub minor: u64,
}

/// What an envelope holds, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All of it: fixed when it is prepared.
    pub items: Sum,
    /// Paid, for good.
    pub paid: Sum,
    /// Came back, or never left: it is with the agency.
    pub returned: Sum,
    /// Not settled yet.
    pub pending: Sum,
}

impl Sum {
    /// Together with another.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let count = self.count.checked_add(other.count)?;
        Some(Self { count, minor: self.minor.checked_add(other.minor)? })
    }
}

impl Totals {
    /// Whether items are what was paid, returned and pending, in count and in amount.
    #[must_use]
    pub fn balance(&self) -> bool {
        let parts = self.paid.plus(self.returned).and_then(|sum| sum.plus(self.pending));
        parts == Some(self.items)
    }

    pub(crate) fn of(row: &envelope::Model) -> Result<Self, ProgrammesError> {
        let sum = |count, minor| {
            Ok::<_, ProgrammesError>(Sum { count: from_minor(count)?, minor: from_minor(minor)? })
        };
        Ok(Self {
            items: sum(row.items, row.items_minor)?,
            paid: sum(row.paid, row.paid_minor)?,
            returned: sum(row.returned, row.returned_minor)?,
            pending: sum(row.pending, row.pending_minor)?,
        })
    }
}

const fn columns(state: ItemState) -> (envelope::Column, envelope::Column) {
    use envelope::Column as C;
    match state {
        ItemState::Pending => (C::Pending, C::PendingMinor),
        ItemState::Paid => (C::Paid, C::PaidMinor),
        ItemState::Returned => (C::Returned, C::ReturnedMinor),
    }
}

/// Moves `what` of an envelope from one state to another, within the transaction in which the
/// items move, and checks that all still adds up.
pub(crate) async fn shift<C: ConnectionTrait>(
    connection: &C,
    envelope: Uuid,
    (from, to): (ItemState, ItemState),
    what: Sum,
) -> Result<(), ProgrammesError> {
    if what == Sum::default() {
        return Ok(());
    }
    let (count, minor) = (to_minor(what.count)?, to_minor(what.minor)?);
    let (from_count, from_minor) = columns(from);
    let (to_count, to_minor) = columns(to);
    let changed = envelope::Entity::update_many()
        .col_expr(from_count, Expr::col(from_count).sub(count))
        .col_expr(from_minor, Expr::col(from_minor).sub(minor))
        .col_expr(to_count, Expr::col(to_count).add(count))
        .col_expr(to_minor, Expr::col(to_minor).add(minor))
        .filter(envelope::Column::Id.eq(envelope.to_string()))
        .filter(from_count.gte(count))
        .filter(from_minor.gte(minor))
        .exec(connection)
        .await?;
    if changed.rows_affected != 1 {
        return Err(ProgrammesError::Unbalanced(envelope));
    }
    let row = envelope::Entity::find_by_id(envelope.to_string()).one(connection).await?;
    let row = row.ok_or(ProgrammesError::Unknown("envelope"))?;
    if Totals::of(&row)?.balance() { Ok(()) } else { Err(ProgrammesError::Unbalanced(envelope)) }
}

#[derive(FromQueryResult)]
struct Counted {
    state: String,
    count: i64,
    minor: i64,
}

/// What the items themselves add up to, each looked at: the envelope's own sums must agree.
pub(crate) async fn recount<C: ConnectionTrait>(
    connection: &C,
    envelope: Uuid,
    stated: &Totals,
) -> Result<(), ProgrammesError> {
    let rows = item::Entity::find()
        .select_only()
        .column(item::Column::State)
        .column_as(item::Column::Id.count(), "count")
        .column_as(item::Column::AmountMinor.sum(), "minor")
        .filter(item::Column::Envelope.eq(envelope.to_string()))
        .group_by(item::Column::State)
        .into_model::<Counted>()
        .all(connection)
        .await?;
    let mut found = Totals::default();
    for row in rows {
        let sum = Sum { count: from_minor(row.count)?, minor: from_minor(row.minor)? };
        match ItemState::parse(&row.state)? {
            ItemState::Paid => found.paid = sum,
            ItemState::Returned => found.returned = sum,
            ItemState::Pending => found.pending = sum,
        }
        found.items = found.items.plus(sum).ok_or(ProgrammesError::Damaged("amount"))?;
    }
    if found == *stated && found.balance() {
        Ok(())
    } else {
        Err(ProgrammesError::Unbalanced(envelope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_balance_in_count_and_in_amount() {
        let sum = |count, minor| Sum { count, minor };
        let good = Totals {
            items: sum(6, 60),
            paid: sum(1, 10),
            returned: sum(2, 20),
            pending: sum(3, 30),
        };
        assert!(good.balance() && Totals::default().balance());
        assert!(!Totals { paid: sum(1, 11), ..good }.balance());
        assert!(!Totals { returned: sum(3, 20), ..good }.balance());
        assert!(!Totals { pending: sum(u64::MAX, 30), ..good }.balance());
    }
}
