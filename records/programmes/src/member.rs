//! Members: known by a pseudonym, paid on an account that they named.

use crate::entity::{item, member};
use crate::item::{ItemState, Reason};
use crate::resting::NextPayout;
use crate::{Month, Programmes, ProgrammesError, from_column, from_minor, id, to_column};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, UpdateMany};
use std::fmt;
use uuid::Uuid;
use yufu_base::Timestamp;

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// Paid every month.
    Enrolled,
    /// Left: paid no further month.
    Left,
}

impl MemberState {
    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Left => "left",
        }
    }

    fn parse(word: &str) -> Result<Self, ProgrammesError> {
        let all = [Self::Enrolled, Self::Left];
        let found = all.into_iter().find(|state| state.as_str() == word);
        found.ok_or(ProgrammesError::Damaged("member state"))
    }
}

impl fmt::Display for MemberState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The account that a member named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The bank that keeps it.
    pub bank: String,
    /// Its id in the ledger.
    pub account: String,
    /// When the member signed for it.
    pub signed_at: Timestamp,
}

/// A member of a programme, as the agency knows it. There is nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id here.
    pub id: Uuid,
    /// The programme.
    pub programme: String,
    /// The pseudonym of the programme's sector.
    pub pseudonym: String,
    /// The sector key, as a JWK.
    pub key: String,
    /// Where it stands.
    pub state: MemberState,
    /// The first month that it is paid for.
    pub since: Month,
    /// Where it is paid.
    pub payout: Payout,
    /// When the agency took that account down.
    pub payout_set_at: Timestamp,
    /// The status list of the credential that was presented.
    pub status_uri: String,
    /// The credential's place in it.
    pub status_index: u64,
    /// Until when that credential says anything.
    pub says_until: Timestamp,
    /// When it was shown: the last proof of life.
    pub shown_at: Timestamp,
    /// The account that it named since, which rests before it is paid.
    pub next: Option<NextPayout>,
    /// Since when it is frozen, if it is.
    pub frozen_at: Option<Timestamp>,
    /// Since when its key alone decides no more: it was frozen once, and somebody else may have the key.
    pub guarded_at: Option<Timestamp>,
}

/// One month's payment to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The month.
    pub month: Month,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// Where it stands.
    pub state: ItemState,
    /// Why it came back, if it did.
    pub reason: Option<Reason>,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

impl Programmes {
    /// The member of a programme with this pseudonym.
    ///
    /// # Errors
    /// [`ProgrammesError::Unknown`] if there is none.
    pub async fn member(
        &self,
        programme: &str,
        pseudonym: &str,
    ) -> Result<Member, ProgrammesError> {
        let row = member::Entity::find()
            .filter(member::Column::Programme.eq(programme))
            .filter(member::Column::Pseudonym.eq(pseudonym))
            .one(self.database.connection())
            .await?;
        read(row.ok_or(ProgrammesError::Unknown("member"))?)
    }

    /// The member with this id.
    ///
    /// # Errors
    /// [`ProgrammesError::Unknown`] if there is none.
    pub async fn member_by_id(&self, id: Uuid) -> Result<Member, ProgrammesError> {
        let row = member::Entity::find_by_id(id.to_string()).one(self.database.connection());
        read(row.await?.ok_or(ProgrammesError::Unknown("member"))?)
    }

    /// A member's payments, the newest month first.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if they cannot be read.
    pub async fn payments(&self, member: Uuid) -> Result<Vec<Payment>, ProgrammesError> {
        let rows = item::Entity::find()
            .filter(item::Column::Member.eq(member.to_string()))
            .order_by_desc(item::Column::Month)
            .all(self.database.connection())
            .await?;
        let payment = |row: item::Model| {
            Ok(Payment {
                month: row.month.parse().map_err(|_| ProgrammesError::Damaged("month"))?,
                amount_minor: from_minor(row.amount_minor)?,
                state: ItemState::parse(&row.state)?,
                reason: row.reason.as_deref().map(Reason::parse).transpose()?,
                settled_at: row.settled_at.map(from_column).transpose()?,
            })
        };
        rows.into_iter().map(payment).collect()
    }

    /// Takes down the account that a member named, at `at`. The same one again changes nothing but that another one, which
    /// rests, is given up.
    ///
    /// # Errors
    /// [`ProgrammesError::PayoutOlder`] if a newer instruction was taken before.
    pub async fn set_payout(
        &self,
        member: Uuid,
        payout: &Payout,
        at: Timestamp,
    ) -> Result<(), ProgrammesError> {
        let signed_at = to_column(payout.signed_at);
        let changed = member::Entity::update_many()
            .col_expr(member::Column::Bank, Expr::value(payout.bank.as_str()))
            .col_expr(member::Column::Account, Expr::value(payout.account.as_str()))
            .col_expr(member::Column::SignedAt, Expr::value(signed_at))
            .col_expr(member::Column::PayoutSetAt, Expr::value(to_column(at)));
        let changed = without_next(changed)
            .filter(member::Column::Id.eq(member.to_string()))
            .filter(newest(signed_at))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(ProgrammesError::PayoutOlder) }
    }

    /// A member leaves: it is in no envelope that is prepared from now on. Again changes nothing.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if it cannot be written.
    pub async fn leave(&self, member: Uuid) -> Result<(), ProgrammesError> {
        member::Entity::update_many()
            .col_expr(member::Column::State, Expr::value(MemberState::Left.as_str()))
            .filter(member::Column::Id.eq(member.to_string()))
            .exec(self.database.connection())
            .await?;
        Ok(())
    }
}

/// That nothing newer was signed for than what was signed at `signed_at`.
pub(crate) fn newest(signed_at: i64) -> SimpleExpr {
    let next = member::Column::NextSignedAt;
    let resting = next.is_null().or(next.lte(signed_at));
    member::Column::SignedAt.lte(signed_at).and(resting)
}

/// Gives up the account that rests.
pub(crate) fn without_next(update: UpdateMany<member::Entity>) -> UpdateMany<member::Entity> {
    let (text, number) = (Option::<String>::None, Option::<i64>::None);
    update
        .col_expr(member::Column::NextBank, Expr::value(text.clone()))
        .col_expr(member::Column::NextAccount, Expr::value(text))
        .col_expr(member::Column::NextSignedAt, Expr::value(number))
        .col_expr(member::Column::NextFrom, Expr::value(number))
}

fn next(row: &member::Model) -> Result<Option<NextPayout>, ProgrammesError> {
    let (Some(bank), Some(account)) = (&row.next_bank, &row.next_account) else { return Ok(None) };
    let (Some(signed_at), Some(from)) = (row.next_signed_at, row.next_from) else {
        return Err(ProgrammesError::Damaged("account that rests"));
    };
    let signed_at = from_column(signed_at)?;
    let payout = Payout { bank: bank.clone(), account: account.clone(), signed_at };
    Ok(Some(NextPayout { payout, from: from_column(from)? }))
}

pub(crate) fn read(row: member::Model) -> Result<Member, ProgrammesError> {
    Ok(Member {
        next: next(&row)?,
        frozen_at: row.frozen_at.map(from_column).transpose()?,
        guarded_at: row.guarded_at.map(from_column).transpose()?,
        id: id(&row.id)?,
        programme: row.programme,
        pseudonym: row.pseudonym,
        key: row.holder_key,
        state: MemberState::parse(&row.state)?,
        since: row.since.parse().map_err(|_| ProgrammesError::Damaged("month"))?,
        payout: Payout {
            bank: row.bank,
            account: row.account,
            signed_at: from_column(row.signed_at)?,
        },
        payout_set_at: from_column(row.payout_set_at)?,
        status_uri: row.status_uri,
        status_index: u64::try_from(row.status_index)
            .map_err(|_| ProgrammesError::Damaged("place"))?,
        says_until: from_column(row.says_until)?,
        shown_at: from_column(row.shown_at)?,
    })
}
