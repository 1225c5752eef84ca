//! Envelopes: all payments of a programme and month that are prepared by one officer and approved
//! by another. A member has at most one payment in a month, whatever envelope it is in.

use crate::entity::{envelope, item, member, step};
use crate::item::ItemState;
use crate::member::MemberState;
use crate::totals::{Sum, Totals, recount};
use crate::{Month, Programmes, ProgrammesError, id, to_column, to_minor};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use std::fmt;
use uuid::Uuid;
use yufu_base::{CommandId, Timestamp};
use yufu_database::written;

/// How many rows are written by one statement.
const CHUNK: usize = 1_000;

/// Where an envelope stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeState {
    /// Prepared by one officer.
    Prepared,
    /// Approved by another: it may be paid.
    Approved,
    /// Nothing in it is pending.
    Closed,
    /// Given up before it was approved.
    Cancelled,
}

impl EnvelopeState {
    const ALL: [Self; 4] = [Self::Prepared, Self::Approved, Self::Closed, Self::Cancelled];

    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Approved => "approved",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for EnvelopeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its id.
    pub id: Uuid,
    /// The programme.
    pub programme: String,
    /// The month that is paid.
    pub month: Month,
    /// Where it stands.
    pub state: EnvelopeState,
    /// The officer who prepared it.
    pub prepared_by: String,
    /// The officer who approved it.
    pub approved_by: Option<String>,
    /// What it holds, and what became of it.
    pub totals: Totals,
}

/// What officers do with an envelope; each is recorded with the officer's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Prepared.
    Prepared,
    /// Approved.
    Approved,
    /// Cancelled.
    Cancelled,
    /// Paid, or what was left of it.
    Run,
    /// A returned payment was to be sent again.
    Reissued,
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Approved => "approved",
            Self::Cancelled => "cancelled",
            Self::Run => "run",
            Self::Reissued => "reissued",
        }
    }
}

impl Programmes {
    /// Puts everybody who is due in `month` and has no payment in it into a new envelope, each with a
    /// command id from `fresh`. One that waits for approval stays as it is and is returned; whether
    /// it is new, is said beside it.
    ///
    /// # Errors
    /// [`ProgrammesError::NothingDue`] if nobody is due.
    pub async fn prepare(
        &self,
        (programme, month): (&str, Month),
        amount_minor: u64,
        officer: &str,
        at: Timestamp,
        mut fresh: impl FnMut() -> CommandId + Send,
    ) -> Result<(Envelope, bool), ProgrammesError> {
        let transaction = self.database.begin().await?;
        let waiting = envelope::Entity::find()
            .filter(envelope::Column::Programme.eq(programme))
            .filter(envelope::Column::Month.eq(month.to_string()))
            .filter(
                envelope::Column::State.into_expr().eq(written(EnvelopeState::Prepared.as_str())),
            )
            .one(&transaction)
            .await?;
        if let Some(known) = waiting {
            return Ok((read(known)?, false));
        }
        let due = due(&transaction, programme, month).await?;
        let count = u64::try_from(due.len()).map_err(|_| ProgrammesError::Damaged("count"))?;
        let minor = amount_minor.checked_mul(count).ok_or(ProgrammesError::Damaged("amount"))?;
        if count == 0 {
            return Err(ProgrammesError::NothingDue);
        }
        let sum = Sum { count, minor };
        let made = Envelope {
            id: Uuid::new_v4(),
            programme: programme.to_owned(),
            month,
            state: EnvelopeState::Prepared,
            prepared_by: officer.to_owned(),
            approved_by: None,
            totals: Totals { items: sum, pending: sum, ..Totals::default() },
        };
        insert(&transaction, &made, at).await?;
        let amount = to_minor(amount_minor)?;
        let rows = due.into_iter().map(|member| new_item(&made, member, amount, fresh()));
        let rows: Vec<item::ActiveModel> = rows.collect();
        for chunk in rows.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            item::Entity::insert_many(chunk).exec_without_returning(&transaction).await?;
        }
        recount(&transaction, made.id, &made.totals).await?;
        note(&transaction, made.id, Step::Prepared, officer, at).await?;
        transaction.commit().await?;
        Ok((made, true))
    }

    /// An envelope, its sums compared with its items.
    ///
    /// # Errors
    /// [`ProgrammesError::Unknown`], or [`ProgrammesError::Unbalanced`] if they differ.
    pub async fn envelope(&self, id: Uuid) -> Result<Envelope, ProgrammesError> {
        // In one transaction, so that both are of one instant.
        let transaction = self.database.begin().await?;
        let found = find(&transaction, id).await?;
        recount(&transaction, id, &found.totals).await?;
        Ok(found)
    }

    /// The envelopes of a programme's month, the oldest first.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if they cannot be read.
    pub async fn envelopes(
        &self,
        programme: &str,
        month: Month,
    ) -> Result<Vec<Envelope>, ProgrammesError> {
        let rows = envelope::Entity::find()
            .filter(envelope::Column::Programme.eq(programme))
            .filter(envelope::Column::Month.eq(month.to_string()))
            .order_by_asc(envelope::Column::CreatedAt)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(read).collect()
    }

    /// Approves a prepared envelope. The same officer again changes nothing.
    ///
    /// # Errors
    /// [`ProgrammesError::SameOfficer`], or [`ProgrammesError::EnvelopeState`].
    pub async fn approve(
        &self,
        id: Uuid,
        officer: &str,
        at: Timestamp,
    ) -> Result<Envelope, ProgrammesError> {
        let transaction = self.database.begin().await?;
        let found = find(&transaction, id).await?;
        if same(&found.prepared_by, officer) {
            return Err(ProgrammesError::SameOfficer(found.prepared_by));
        }
        if found.approved_by.as_deref() == Some(officer) {
            return Ok(found);
        }
        if found.state != EnvelopeState::Prepared {
            return Err(ProgrammesError::EnvelopeState { found: found.state });
        }
        recount(&transaction, id, &found.totals).await?;
        envelope::Entity::update_many()
            .col_expr(envelope::Column::State, Expr::value(EnvelopeState::Approved.as_str()))
            .col_expr(envelope::Column::ApprovedBy, Expr::value(officer))
            .filter(envelope::Column::Id.eq(id.to_string()))
            .exec(&transaction)
            .await?;
        note(&transaction, id, Step::Approved, officer, at).await?;
        transaction.commit().await?;
        let (state, approved_by) = (EnvelopeState::Approved, Some(officer.to_owned()));
        Ok(Envelope { state, approved_by, ..found })
    }

    /// Gives up an envelope that was not approved: its payments never were.
    ///
    /// # Errors
    /// [`ProgrammesError::EnvelopeState`] if it is not prepared.
    pub async fn cancel(
        &self,
        id: Uuid,
        officer: &str,
        at: Timestamp,
    ) -> Result<Envelope, ProgrammesError> {
        let transaction = self.database.begin().await?;
        let found = find(&transaction, id).await?;
        if found.state != EnvelopeState::Prepared {
            return Err(ProgrammesError::EnvelopeState { found: found.state });
        }
        item::Entity::delete_many()
            .filter(item::Column::Envelope.eq(id.to_string()))
            .exec(&transaction)
            .await?;
        let mut update = envelope::Entity::update_many()
            .col_expr(envelope::Column::State, Expr::value(EnvelopeState::Cancelled.as_str()));
        use envelope::Column as C;
        for column in [C::Items, C::ItemsMinor, C::Pending, C::PendingMinor] {
            update = update.col_expr(column, Expr::value(0_i64));
        }
        update.filter(envelope::Column::Id.eq(id.to_string())).exec(&transaction).await?;
        note(&transaction, id, Step::Cancelled, officer, at).await?;
        transaction.commit().await?;
        let (state, totals) = (EnvelopeState::Cancelled, Totals::default());
        Ok(Envelope { state, totals, ..found })
    }

    /// Notes that an officer has an approved envelope paid; one that is closed stays as it is.
    ///
    /// # Errors
    /// [`ProgrammesError::EnvelopeState`] if it is neither; [`ProgrammesError::Unbalanced`].
    pub async fn note_run(
        &self,
        id: Uuid,
        officer: &str,
        at: Timestamp,
    ) -> Result<Envelope, ProgrammesError> {
        let transaction = self.database.begin().await?;
        let found = find(&transaction, id).await?;
        if !matches!(found.state, EnvelopeState::Approved | EnvelopeState::Closed) {
            return Err(ProgrammesError::EnvelopeState { found: found.state });
        }
        recount(&transaction, id, &found.totals).await?;
        note(&transaction, id, Step::Run, officer, at).await?;
        transaction.commit().await?;
        Ok(found)
    }
}

/// Members who are due in a month and have no payment in it.
async fn due<C: ConnectionTrait>(
    connection: &C,
    programme: &str,
    month: Month,
) -> Result<Vec<String>, ProgrammesError> {
    let has_one = Query::select()
        .column(item::Column::Member)
        .from(item::Entity)
        .and_where(Expr::col(item::Column::Programme).eq(programme))
        .and_where(Expr::col(item::Column::Month).eq(month.to_string()))
        .to_owned();
    let members = member::Entity::find()
        .filter(member::Column::Programme.eq(programme))
        .filter(member::Column::State.eq(MemberState::Enrolled.as_str()))
        .filter(member::Column::Since.lte(month.to_string()))
        .filter(member::Column::Id.not_in_subquery(has_one))
        .order_by_asc(member::Column::Id)
        .all(connection)
        .await?;
    Ok(members.into_iter().map(|member| member.id).collect())
}

fn new_item(
    envelope: &Envelope,
    member: String,
    amount_minor: i64,
    command: CommandId,
) -> item::ActiveModel {
    item::ActiveModel {
        id: Set(Uuid::new_v4().to_string()),
        envelope: Set(envelope.id.to_string()),
        programme: Set(envelope.programme.clone()),
        month: Set(envelope.month.to_string()),
        member: Set(member),
        amount_minor: Set(amount_minor),
        command: Set(command.to_string()),
        payee: Set(None),
        sent_at: Set(None),
        state: Set(ItemState::Pending.as_str().to_owned()),
        reason: Set(None),
        detail: Set(String::new()),
        settled_at: Set(None),
    }
}

async fn insert<C: ConnectionTrait>(
    connection: &C,
    new: &Envelope,
    at: Timestamp,
) -> Result<(), ProgrammesError> {
    let (items, minor) = (to_minor(new.totals.items.count)?, to_minor(new.totals.items.minor)?);
    let row = envelope::ActiveModel {
        id: Set(new.id.to_string()),
        programme: Set(new.programme.clone()),
        month: Set(new.month.to_string()),
        state: Set(new.state.as_str().to_owned()),
        prepared_by: Set(new.prepared_by.clone()),
        approved_by: Set(None),
        created_at: Set(to_column(at)),
        items: Set(items),
        items_minor: Set(minor),
        paid: Set(0),
        paid_minor: Set(0),
        returned: Set(0),
        returned_minor: Set(0),
        pending: Set(items),
        pending_minor: Set(minor),
    };
    envelope::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    id: Uuid,
) -> Result<Envelope, ProgrammesError> {
    let row = envelope::Entity::find_by_id(id.to_string()).one(connection).await?;
    read(row.ok_or(ProgrammesError::Unknown("envelope"))?)
}

fn read(row: envelope::Model) -> Result<Envelope, ProgrammesError> {
    let state = EnvelopeState::ALL.into_iter().find(|state| state.as_str() == row.state);
    Ok(Envelope {
        id: id(&row.id)?,
        totals: Totals::of(&row)?,
        programme: row.programme,
        month: row.month.parse().map_err(|_| ProgrammesError::Damaged("month"))?,
        state: state.ok_or(ProgrammesError::Damaged("envelope state"))?,
        prepared_by: row.prepared_by,
        approved_by: row.approved_by,
    })
}

/// Opens or closes an envelope that is being paid, by whether anything in it is pending.
pub(crate) async fn settle_state<C: ConnectionTrait>(
    connection: &C,
    id: Uuid,
) -> Result<(), ProgrammesError> {
    let pending = find(connection, id).await?.totals.pending.count > 0;
    let (from, to) = if pending {
        (EnvelopeState::Closed, EnvelopeState::Approved)
    } else {
        (EnvelopeState::Approved, EnvelopeState::Closed)
    };
    envelope::Entity::update_many()
        .col_expr(envelope::Column::State, Expr::value(to.as_str()))
        .filter(envelope::Column::Id.eq(id.to_string()))
        .filter(envelope::Column::State.eq(from.as_str()))
        .exec(connection)
        .await?;
    Ok(())
}

pub(crate) async fn note<C: ConnectionTrait>(
    connection: &C,
    envelope: Uuid,
    step: Step,
    officer: &str,
    at: Timestamp,
) -> Result<(), ProgrammesError> {
    let row = step::ActiveModel {
        id: Set(Uuid::now_v7().to_string()),
        envelope: Set(envelope.to_string()),
        step: Set(step.as_str().to_owned()),
        officer: Set(officer.to_owned()),
        at: Set(to_column(at)),
    };
    step::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// Whether two names are one person's: by letters, not by case or blanks around.
fn same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}
