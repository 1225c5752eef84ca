//! Items: one payment each. What is sent is written down before it leaves, and what became of it
//! counts only for the command that was sent: so a crash, a repeat and two runs at once pay once.

use crate::entity::{attempt, item, member};
use crate::envelope::{self, EnvelopeState, Step};
use crate::member::{self as members, Member};
use crate::totals::{Sum, shift};
use crate::{Programmes, ProgrammesError, from_column, from_minor, id, to_column};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;
use yufu_base::{CommandId, Timestamp};

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// Not settled.
    Pending,
    /// Paid, for good.
    Paid,
    /// Came back, or never left.
    Returned,
}

impl ItemState {
    const ALL: [Self; 3] = [Self::Pending, Self::Paid, Self::Returned];

    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Returned => "returned",
        }
    }

    pub(crate) fn parse(word: &str) -> Result<Self, ProgrammesError> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or(ProgrammesError::Damaged("item state"))
    }
}

impl fmt::Display for ItemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a payment came back, or did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The account is closed, or there is none.
    AccountClosed,
    /// The account may not hold that much more.
    AccountFull,
    /// The account cannot be paid for another cause.
    AccountRefused,
    /// The credential that was presented was revoked: its holder died, or replaced it.
    IdentityRevoked,
    /// The last proof of life is too old.
    ProofOfLifeDue,
}

impl Reason {
    const ALL: [Self; 5] = [
        Self::AccountClosed,
        Self::AccountFull,
        Self::AccountRefused,
        Self::IdentityRevoked,
        Self::ProofOfLifeDue,
    ];

    /// The reason's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountClosed => "account_closed",
            Self::AccountFull => "account_full",
            Self::AccountRefused => "account_refused",
            Self::IdentityRevoked => "identity_revoked",
            Self::ProofOfLifeDue => "proof_of_life_due",
        }
    }

    /// What the member is to do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::AccountClosed | Self::AccountRefused => "the member names another account",
            Self::AccountFull => "the member makes room in the account, or names another one",
            Self::IdentityRevoked => {
                "deceased or replaced: the member has to show that it is alive, by enrolling again"
            }
            Self::ProofOfLifeDue => "the member has to show that it is alive, by enrolling again",
        }
    }

    pub(crate) fn parse(word: &str) -> Result<Self, ProgrammesError> {
        let found = Self::ALL.into_iter().find(|reason| reason.as_str() == word);
        found.ok_or(ProgrammesError::Damaged("reason"))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One payment to one member for one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: Uuid,
    /// The envelope that it is in.
    pub envelope: Uuid,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// The id that it is ordered under.
    pub command: CommandId,
    /// The account that it was sent to, once it was sent.
    pub payee: Option<String>,
    /// When it was first sent under that id; none if it never was.
    pub sent_at: Option<Timestamp>,
    /// Where it stands.
    pub state: ItemState,
    /// Why it came back, if it did.
    pub reason: Option<Reason>,
    /// What the bank said last: a code, or nothing.
    pub detail: String,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

/// A pending item, and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The item.
    pub item: Item,
    /// The member, as it is now.
    pub member: Member,
}

/// What is to be done with an item that was not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is sent: to this account, under this id.
    Send {
        /// The account.
        payee: String,
        /// The item's own id, or a fresh one if that has become old.
        command: CommandId,
    },
    /// It does not leave.
    Return(Reason),
}

/// What became of an item that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Paid.
    Paid,
    /// Refused because of the payee's account; nothing moved.
    Returned {
        /// Why.
        reason: Reason,
        /// The code.
        code: String,
    },
    /// Nothing moved, and nothing will under that id; it is to be sent again under this one.
    Anew {
        /// The id from now on.
        command: CommandId,
        /// Why: a code.
        code: String,
    },
    /// Not known yet: it stays pending under the same id.
    Unknown {
        /// What is known: a code.
        code: String,
    },
}

impl Programmes {
    /// Pending items of an envelope with their members: at most `limit`, those after `after` in order.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if they cannot be read.
    pub async fn due(
        &self,
        envelope: Uuid,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Due>, ProgrammesError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let rows = item::Entity::find()
            .filter(item::Column::Envelope.eq(envelope.to_string()))
            .filter(item::Column::State.eq(ItemState::Pending.as_str()))
            .filter(item::Column::Id.gt(after))
            .order_by_asc(item::Column::Id)
            .limit(limit)
            .all(self.database.connection())
            .await?;
        let ids: Vec<&str> = rows.iter().map(|row| row.member.as_str()).collect();
        let found = member::Entity::find().filter(member::Column::Id.is_in(ids));
        let found = found.all(self.database.connection()).await?;
        let found: BTreeMap<String, member::Model> =
            found.into_iter().map(|row| (row.id.clone(), row)).collect();
        let due = |row: item::Model| {
            let member = found.get(&row.member).ok_or(ProgrammesError::Damaged("member"))?;
            Ok(Due { member: members::read(member.clone())?, item: read(row)? })
        };
        rows.into_iter().map(due).collect()
    }

    /// Writes down what is to be done with items that were not sent: before anything is. Those that
    /// were sent or settled in the meantime stay as they are. Those that are now sent are returned.
    ///
    /// # Errors
    /// [`ProgrammesError::Unbalanced`]; then nothing was written.
    pub async fn decide(
        &self,
        envelope: Uuid,
        decisions: &[(Uuid, Decision)],
        at: Timestamp,
    ) -> Result<Vec<Item>, ProgrammesError> {
        let transaction = self.database.begin().await?;
        let mut returned = Sum::default();
        let mut sent = Vec::new();
        for (item, decision) in decisions {
            let found = find(&transaction, envelope, *item).await?;
            if found.state != ItemState::Pending || found.sent_at.is_some() {
                continue;
            }
            match decision {
                Decision::Send { payee, command } => {
                    let (payee, sent_at) = (Some(payee.clone()), Some(at));
                    let changed = Item { payee, sent_at, command: *command, ..found };
                    write(&transaction, &changed).await?;
                    sent.push(changed);
                }
                Decision::Return(reason) => {
                    let back = came_back(&found, *reason, String::new(), at);
                    write(&transaction, &back).await?;
                    returned = add(returned, &back)?;
                }
            }
        }
        shift(&transaction, envelope, (ItemState::Pending, ItemState::Returned), returned).await?;
        envelope::settle_state(&transaction, envelope).await?;
        transaction.commit().await?;
        Ok(sent)
    }

    /// Writes down what became of items that were sent, each for the command that it is known of. What
    /// is known of another command than the item's, or was known before, changes nothing.
    ///
    /// # Errors
    /// [`ProgrammesError::Unbalanced`]; then nothing was written.
    pub async fn settle(
        &self,
        envelope: Uuid,
        outcomes: &[(Uuid, CommandId, Outcome)],
        at: Timestamp,
    ) -> Result<(), ProgrammesError> {
        let transaction = self.database.begin().await?;
        let (mut paid, mut returned) = (Sum::default(), Sum::default());
        for (item, command, outcome) in outcomes {
            let found = find(&transaction, envelope, *item).await?;
            if found.state != ItemState::Pending || found.command != *command {
                continue;
            }
            let changed = match outcome {
                Outcome::Paid => {
                    let (state, settled_at) = (ItemState::Paid, Some(at));
                    let done = Item { state, settled_at, detail: String::new(), ..found };
                    paid = add(paid, &done)?;
                    done
                }
                Outcome::Returned { reason, code } => {
                    let back = came_back(&found, *reason, code.clone(), at);
                    returned = add(returned, &back)?;
                    back
                }
                Outcome::Anew { command, code } => anew(&found, *command, code),
                Outcome::Unknown { code } => Item { detail: code.clone(), ..found },
            };
            write(&transaction, &changed).await?;
            note(&transaction, *item, *command, outcome, at).await?;
        }
        shift(&transaction, envelope, (ItemState::Pending, ItemState::Paid), paid).await?;
        shift(&transaction, envelope, (ItemState::Pending, ItemState::Returned), returned).await?;
        envelope::settle_state(&transaction, envelope).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The returned items of an envelope, in order: no pseudonym and no account.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if they cannot be read.
    pub async fn returns(&self, envelope: Uuid) -> Result<Vec<Item>, ProgrammesError> {
        self.in_state(envelope, ItemState::Returned).await
    }

    /// The pending items of an envelope whose outcome the bank could not tell.
    ///
    /// # Errors
    /// [`ProgrammesError::Database`] if they cannot be read.
    pub async fn unresolved(&self, envelope: Uuid) -> Result<Vec<Item>, ProgrammesError> {
        let mut pending = self.in_state(envelope, ItemState::Pending).await?;
        pending.retain(|item| item.sent_at.is_some() && !item.detail.is_empty());
        Ok(pending)
    }

    /// Has a returned item sent again under a fresh id, if its cause was removed. It never moved
    /// money: the id that it came back under is settled.
    ///
    /// # Errors
    /// [`ProgrammesError::NotReturned`] or [`ProgrammesError::NothingCorrected`].
    pub async fn reissue(
        &self,
        item: Uuid,
        officer: &str,
        fresh: CommandId,
        at: Timestamp,
    ) -> Result<Item, ProgrammesError> {
        let transaction = self.database.begin().await?;
        let row = item::Entity::find_by_id(item.to_string()).one(&transaction).await?;
        let row = row.ok_or(ProgrammesError::Unknown("payment"))?;
        let member = member::Entity::find_by_id(row.member.as_str()).one(&transaction).await?;
        let member = members::read(member.ok_or(ProgrammesError::Damaged("member"))?)?;
        let found = read(row)?;
        let state = envelope::find(&transaction, found.envelope).await?.state;
        if !matches!(state, EnvelopeState::Approved | EnvelopeState::Closed) {
            return Err(ProgrammesError::EnvelopeState { found: state });
        }
        let reason = match (found.state, found.reason) {
            (ItemState::Returned, Some(reason)) => reason,
            (state, _) => return Err(ProgrammesError::NotReturned(state)),
        };
        if !corrected(&found, reason, &member) {
            return Err(ProgrammesError::NothingCorrected { reason });
        }
        let again = anew(&found, fresh, "");
        let again = Item { state: ItemState::Pending, reason: None, settled_at: None, ..again };
        write(&transaction, &again).await?;
        let what = add(Sum::default(), &again)?;
        let way = (ItemState::Returned, ItemState::Pending);
        shift(&transaction, found.envelope, way, what).await?;
        envelope::settle_state(&transaction, found.envelope).await?;
        envelope::note(&transaction, found.envelope, Step::Reissued, officer, at).await?;
        transaction.commit().await?;
        Ok(again)
    }

    async fn in_state(
        &self,
        envelope: Uuid,
        state: ItemState,
    ) -> Result<Vec<Item>, ProgrammesError> {
        let rows = item::Entity::find()
            .filter(item::Column::Envelope.eq(envelope.to_string()))
            .filter(item::Column::State.eq(state.as_str()))
            .order_by_asc(item::Column::Id)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(read).collect()
    }
}

/// Whether the member removed the cause since the item came back.
fn corrected(item: &Item, reason: Reason, member: &Member) -> bool {
    let since = item.settled_at.unwrap_or_default();
    match reason {
        // There may be room in it now; if not, it comes back again.
        Reason::AccountFull => true,
        Reason::AccountClosed | Reason::AccountRefused => {
            item.payee.as_deref() != Some(member.payout.account.as_str())
        }
        Reason::IdentityRevoked | Reason::ProofOfLifeDue => member.shown_at > since,
    }
}

fn came_back(item: &Item, reason: Reason, detail: String, at: Timestamp) -> Item {
    let (state, settled_at) = (ItemState::Returned, Some(at));
    Item { state, reason: Some(reason), detail, settled_at, ..item.clone() }
}

fn anew(item: &Item, command: CommandId, code: &str) -> Item {
    Item { command, payee: None, sent_at: None, detail: code.to_owned(), ..item.clone() }
}

fn add(sum: Sum, item: &Item) -> Result<Sum, ProgrammesError> {
    let one = Sum { count: 1, minor: item.amount_minor };
    sum.plus(one).ok_or(ProgrammesError::Damaged("amount"))
}

async fn find<C: ConnectionTrait>(
    connection: &C,
    envelope: Uuid,
    item: Uuid,
) -> Result<Item, ProgrammesError> {
    let row = item::Entity::find_by_id(item.to_string()).one(connection).await?;
    let found = read(row.ok_or(ProgrammesError::Unknown("payment"))?)?;
    if found.envelope == envelope { Ok(found) } else { Err(ProgrammesError::Unknown("payment")) }
}

async fn write<C: ConnectionTrait>(connection: &C, item: &Item) -> Result<(), ProgrammesError> {
    item::Entity::update_many()
        .col_expr(item::Column::Command, Expr::value(item.command.to_string()))
        .col_expr(item::Column::Payee, Expr::value(item.payee.clone()))
        .col_expr(item::Column::SentAt, Expr::value(item.sent_at.map(to_column)))
        .col_expr(item::Column::State, Expr::value(item.state.as_str()))
        .col_expr(item::Column::Reason, Expr::value(item.reason.map(Reason::as_str)))
        .col_expr(item::Column::Detail, Expr::value(item.detail.as_str()))
        .col_expr(item::Column::SettledAt, Expr::value(item.settled_at.map(to_column)))
        .filter(item::Column::Id.eq(item.id.to_string()))
        .exec(connection)
        .await?;
    Ok(())
}

/// Keeps what became of a command for good; of one that is not known yet, nothing.
async fn note<C: ConnectionTrait>(
    connection: &C,
    item: Uuid,
    command: CommandId,
    outcome: &Outcome,
    at: Timestamp,
) -> Result<(), ProgrammesError> {
    let outcome = match outcome {
        Outcome::Unknown { .. } => return Ok(()),
        Outcome::Paid => "paid".to_owned(),
        Outcome::Returned { code, .. } | Outcome::Anew { code, .. } => format!("refused:{code}"),
    };
    let row = attempt::ActiveModel {
        command: Set(command.to_string()),
        item: Set(item.to_string()),
        outcome: Set(outcome),
        at: Set(to_column(at)),
    };
    attempt::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

fn read(row: item::Model) -> Result<Item, ProgrammesError> {
    Ok(Item {
        id: id(&row.id)?,
        envelope: id(&row.envelope)?,
        amount_minor: from_minor(row.amount_minor)?,
        command: row.command.parse().map_err(|_| ProgrammesError::Damaged("command id"))?,
        payee: row.payee,
        sent_at: row.sent_at.map(from_column).transpose()?,
        state: ItemState::parse(&row.state)?,
        reason: row.reason.as_deref().map(Reason::parse).transpose()?,
        detail: row.detail,
        settled_at: row.settled_at.map(from_column).transpose()?,
    })
}
