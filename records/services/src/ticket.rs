//! A railway's departures and tickets. No row says who travels.

use crate::entity::{charge as charge_row, departure, ticket};
use crate::{ChargeState, Services, ServicesError, asked, charge, to_column};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use std::collections::BTreeSet;
use std::fmt;
use uuid::Uuid;
use yufu_base::Timestamp;

/// For how long a seat is held unpaid, in seconds: longer than a payment may be answered.
const HELD_SECONDS: u64 = 900;

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// A seat is held; it is not paid for.
    Booked,
    /// Paid for, and not used.
    Valid,
    /// It opened a gate.
    Used,
    /// Given back; the money is on its way.
    Refunding,
    /// Given back, and the money with it.
    Refunded,
    /// Changed into another ticket.
    Changed,
    /// Never paid for, and its seat given up.
    Lapsed,
}

impl TicketState {
    const ALL: [Self; 7] = [
        Self::Booked,
        Self::Valid,
        Self::Used,
        Self::Refunding,
        Self::Refunded,
        Self::Changed,
        Self::Lapsed,
    ];
    /// The states in which a ticket has its seat.
    const SEATED: [Self; 4] = [Self::Booked, Self::Valid, Self::Used, Self::Refunding];

    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Valid => "valid",
            Self::Used => "used",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
            Self::Changed => "changed",
            Self::Lapsed => "lapsed",
        }
    }
}

impl fmt::Display for TicketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A departure of a train, in one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Its id.
    pub id: String,
    /// The train's number.
    pub train: String,
    /// The day, as `2026-11-24`.
    pub date: String,
    /// The class.
    pub class: String,
    /// The price of a seat, in minor units.
    pub price_minor: u64,
    /// How many seats it has.
    pub seats: u16,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its number.
    pub id: Uuid,
    /// Which departure.
    pub departure: String,
    /// Which seat, from 1.
    pub seat: u32,
    /// Where it stands.
    pub state: TicketState,
    /// The ticket that was paid for: itself, or the one that it was changed from.
    pub paid_by: Uuid,
}

impl Services {
    /// Enters a departure into the timetable.
    ///
    /// # Errors
    /// [`ServicesError::Database`] also if its id is taken.
    pub async fn add_departure(&self, new: &Departure) -> Result<(), ServicesError> {
        let row = departure::ActiveModel {
            id: Set(new.id.clone()),
            train: Set(new.train.clone()),
            date: Set(new.date.clone()),
            class: Set(new.class.clone()),
            price_minor: Set(i64::try_from(new.price_minor).unwrap_or(i64::MAX)),
            seats: Set(i32::from(new.seats)),
        };
        departure::Entity::insert(row).exec_without_returning(self.database.connection()).await?;
        Ok(())
    }

    /// The departure with this id.
    ///
    /// # Errors
    /// [`ServicesError::Unknown`] if there is none.
    pub async fn departure(&self, id: &str) -> Result<Departure, ServicesError> {
        let row = departure::Entity::find_by_id(id).one(self.database.connection()).await?;
        let row = row.ok_or(ServicesError::Unknown("departure"))?;
        let damaged = |_| ServicesError::Damaged("departure");
        Ok(Departure {
            id: row.id,
            train: row.train,
            date: row.date,
            class: row.class,
            price_minor: u64::try_from(row.price_minor).map_err(damaged)?,
            seats: u16::try_from(row.seats).map_err(damaged)?,
        })
    }

    /// Holds the next seat of a departure, with the payment that is awaited for it.
    ///
    /// # Errors
    /// [`ServicesError::SoldOut`] if there is none.
    pub async fn book(
        &self,
        id: Uuid,
        on: &Departure,
        order: &str,
        at: Timestamp,
    ) -> Result<(), ServicesError> {
        let transaction = self.database.begin().await?;
        take_seat(&transaction, id, &on.id, (TicketState::Booked, id), at).await?;
        charge::insert(&transaction, (&id.to_string(), order, on.price_minor)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The ticket with this number.
    ///
    /// # Errors
    /// [`ServicesError::Unknown`] if there is none.
    pub async fn ticket(&self, id: Uuid) -> Result<Ticket, ServicesError> {
        find(self.database.connection(), id).await
    }

    /// Moves a ticket from one state to another: of two attempts at once, one finds it moved.
    ///
    /// # Errors
    /// [`ServicesError::TicketState`] if it is in another state.
    pub async fn move_ticket(
        &self,
        id: Uuid,
        from: TicketState,
        to: TicketState,
    ) -> Result<(), ServicesError> {
        move_to(self.database.connection(), id, from, to).await
    }

    /// A presented ticket is used, or given back: its request is marked and it moves; together.
    ///
    /// # Errors
    /// [`ServicesError::AlreadyAnswered`] or [`ServicesError::TicketState`].
    pub async fn take_ticket(
        &self,
        request: (&str, &str),
        id: Uuid,
        to: TicketState,
        at: Timestamp,
    ) -> Result<(), ServicesError> {
        let transaction = self.database.begin().await?;
        asked::answer(&transaction, request.0, request.1, at).await?;
        move_to(&transaction, id, TicketState::Valid, to).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A presented ticket becomes a seat on another departure: request, old and new ticket together.
    ///
    /// # Errors
    /// [`ServicesError::AlreadyAnswered`], [`ServicesError::TicketState`] or [`ServicesError::SoldOut`].
    pub async fn change_ticket(
        &self,
        request: (&str, &str),
        (old, new): (Uuid, Uuid),
        departure: &str,
        at: Timestamp,
    ) -> Result<(), ServicesError> {
        let transaction = self.database.begin().await?;
        asked::answer(&transaction, request.0, request.1, at).await?;
        let paid_by = find(&transaction, old).await?.paid_by;
        move_to(&transaction, old, TicketState::Valid, TicketState::Changed).await?;
        take_seat(&transaction, new, departure, (TicketState::Valid, paid_by), at).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn find<C: ConnectionTrait>(connection: &C, id: Uuid) -> Result<Ticket, ServicesError> {
    let row = ticket::Entity::find_by_id(id.to_string()).one(connection).await?;
    let row = row.ok_or(ServicesError::Unknown("ticket"))?;
    let state = TicketState::ALL.into_iter().find(|state| state.as_str() == row.state);
    Ok(Ticket {
        id,
        departure: row.departure,
        seat: u32::try_from(row.seat).map_err(|_| ServicesError::Damaged("seat"))?,
        state: state.ok_or(ServicesError::Damaged("ticket state"))?,
        paid_by: Uuid::parse_str(&row.paid_by).map_err(|_| ServicesError::Damaged("ticket"))?,
    })
}

async fn move_to<C: ConnectionTrait>(
    connection: &C,
    id: Uuid,
    from: TicketState,
    to: TicketState,
) -> Result<(), ServicesError> {
    let changed = ticket::Entity::update_many()
        .col_expr(ticket::Column::State, Expr::value(to.as_str()))
        .filter(ticket::Column::Id.eq(id.to_string()))
        .filter(ticket::Column::State.eq(from.as_str()))
        .exec(connection)
        .await?;
    if changed.rows_affected == 1 {
        return Ok(());
    }
    let found = find(connection, id).await?.state;
    Err(ServicesError::TicketState { found, needed: from })
}

async fn take_seat(
    transaction: &DatabaseTransaction,
    id: Uuid,
    on: &str,
    (state, paid_by): (TicketState, Uuid),
    at: Timestamp,
) -> Result<(), ServicesError> {
    // Written first, so that one transaction at a time looks for a seat here.
    departure::Entity::update_many()
        .col_expr(departure::Column::Seats, Expr::col(departure::Column::Seats))
        .filter(departure::Column::Id.eq(on))
        .exec(transaction)
        .await?;
    let row = departure::Entity::find_by_id(on).one(transaction).await?;
    let row = row.ok_or(ServicesError::Unknown("departure"))?;
    give_up_unpaid(transaction, on, at).await?;
    let taken = ticket::Entity::find()
        .filter(ticket::Column::Departure.eq(on))
        .filter(ticket::Column::State.is_in(TicketState::SEATED.map(TicketState::as_str)))
        .all(transaction)
        .await?;
    let taken: BTreeSet<i32> = taken.into_iter().map(|ticket| ticket.seat).collect();
    let seat = (1..=row.seats).find(|seat| !taken.contains(seat));
    let seat = seat.ok_or(ServicesError::SoldOut)?;
    let new = ticket::ActiveModel {
        id: Set(id.to_string()),
        departure: Set(on.to_owned()),
        seat: Set(seat),
        state: Set(state.as_str().to_owned()),
        paid_by: Set(paid_by.to_string()),
        created_at: Set(to_column(at)),
    };
    ticket::Entity::insert(new).exec_without_returning(transaction).await?;
    Ok(())
}

/// Seats that were booked and not paid for in time are for sale again.
async fn give_up_unpaid(
    transaction: &DatabaseTransaction,
    on: &str,
    now: Timestamp,
) -> Result<(), ServicesError> {
    let unpaid = [ChargeState::Waiting, ChargeState::Refused].map(ChargeState::as_str);
    let unpaid = Query::select()
        .column(charge_row::Column::Subject)
        .from(charge_row::Entity)
        .and_where(Expr::col(charge_row::Column::State).is_in(unpaid))
        .to_owned();
    ticket::Entity::update_many()
        .col_expr(ticket::Column::State, Expr::value(TicketState::Lapsed.as_str()))
        .filter(ticket::Column::Departure.eq(on))
        .filter(ticket::Column::State.eq(TicketState::Booked.as_str()))
        .filter(ticket::Column::CreatedAt.lte(to_column(now.minus_seconds(HELD_SECONDS))))
        .filter(ticket::Column::Id.in_subquery(unpaid))
        .exec(transaction)
        .await?;
    Ok(())
}
