//! The outbox: ledger commands that were written together with the rows they come from, and
//! what the ledger answered.

use crate::entity::{account, melt_quote, mint_quote, order, outbox};
use crate::top_up;
use crate::{AccountState, Onboarding, OnboardingError, OrderState};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use yufu_base::{CommandId, Timestamp};

/// A command on its way to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The command's id; the ledger gives a repeat its first answer.
    pub command: CommandId,
    /// What it came from: `account:<id>`, `class:<id>:<class>`, `close:<id>`, `order:<id>`, `desk:<id>`,
    /// `mint:<quotes>`, `melt:<quote>`, `top-up:<quote>`.
    pub subject: String,
    /// The signed submission, exactly as it is to be sent.
    pub submission: Vec<u8>,
    /// The ledger's answer as JSON, once there is one.
    pub outcome: Option<String>,
}

impl Onboarding {
    /// The commands that have no answer yet, oldest first: submit them again.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if they cannot be read.
    pub async fn pending(&self) -> Result<Vec<OutboxEntry>, OnboardingError> {
        let rows = outbox::Entity::find()
            .filter(outbox::Column::Outcome.is_null())
            .order_by_asc(outbox::Column::CreatedAt)
            .all(self.database.connection())
            .await?;
        rows.into_iter().map(entry).collect()
    }

    /// The command with this id, if it was ever put in.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be read.
    pub async fn outbox(&self, id: CommandId) -> Result<Option<OutboxEntry>, OnboardingError> {
        let row =
            outbox::Entity::find_by_id(id.to_string()).one(self.database.connection()).await?;
        row.map(entry).transpose()
    }

    /// Puts a command in that comes from no other row (the cash desk's exchanges).
    /// A command that is there already stays as it is, and is returned.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written.
    pub async fn put_outbox(
        &self,
        new: OutboxEntry,
        at: Timestamp,
    ) -> Result<OutboxEntry, OnboardingError> {
        let transaction = self.database.begin().await?;
        let kept = put_once(&transaction, &new, at).await?.unwrap_or(new);
        transaction.commit().await?;
        Ok(kept)
    }

    /// Records the ledger's answer, and with it, in one transaction, what the answer decides:
    /// an account is open (or refused), an order settled (or refused). The answer that was recorded
    /// first stays: a command may be on its way twice, and everybody is to hear the same. It is returned.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] for a command that was never put in.
    pub async fn record_outcome(
        &self,
        id: CommandId,
        outcome: &str,
        accepted: bool,
    ) -> Result<String, OnboardingError> {
        let transaction = self.database.begin().await?;
        let row = outbox::Entity::find_by_id(id.to_string()).one(&transaction).await?;
        let row = row.ok_or(OnboardingError::Unknown("command"))?;
        if let Some(first) = row.outcome {
            return Ok(first);
        }
        outbox::Entity::update_many()
            .col_expr(outbox::Column::Outcome, Expr::value(outcome))
            .filter(outbox::Column::CommandId.eq(&row.command_id))
            .exec(&transaction)
            .await?;
        match row.subject.split_once(':') {
            Some(("account", account)) => {
                let state = if accepted { AccountState::Open } else { AccountState::Refused };
                account::Entity::update_many()
                    .col_expr(account::Column::State, Expr::value(state.as_str()))
                    .filter(account::Column::Id.eq(account))
                    .exec(&transaction)
                    .await?;
            }
            Some(("class", change)) if accepted => {
                let (account, class) =
                    change.split_once(':').ok_or(OnboardingError::Damaged("subject"))?;
                account::Entity::update_many()
                    .col_expr(account::Column::Class, Expr::value(class))
                    .filter(account::Column::Id.eq(account))
                    .exec(&transaction)
                    .await?;
            }
            Some(("close", account)) if accepted => {
                account::Entity::update_many()
                    .col_expr(account::Column::State, Expr::value(AccountState::Closed.as_str()))
                    .filter(account::Column::Id.eq(account))
                    .exec(&transaction)
                    .await?;
            }
            Some(("order", order)) => {
                let state = if accepted { OrderState::Settled } else { OrderState::Refused };
                order::Entity::update_many()
                    .col_expr(order::Column::State, Expr::value(state.as_str()))
                    .filter(order::Column::Id.eq(order))
                    .exec(&transaction)
                    .await?;
            }
            // Refused, it came to nothing: another one may be tried.
            Some(("mint", _)) if !accepted => {
                mint_quote::Entity::update_many()
                    .col_expr(mint_quote::Column::Command, Expr::value(None::<String>))
                    .filter(mint_quote::Column::Command.eq(&row.command_id))
                    .exec(&transaction)
                    .await?;
            }
            Some(("melt", _)) if !accepted => {
                melt_quote::Entity::update_many()
                    .col_expr(melt_quote::Column::Command, Expr::value(None::<String>))
                    .filter(melt_quote::Column::Command.eq(&row.command_id))
                    .exec(&transaction)
                    .await?;
            }
            Some(("top-up", quote)) => top_up::paid_in(&transaction, quote, accepted).await?,
            _ => {}
        }
        transaction.commit().await?;
        Ok(outcome.to_owned())
    }
}

/// Puts a command in unless it is there: then it stays as it is, and is returned.
pub(crate) async fn put_once<C: ConnectionTrait>(
    connection: &C,
    new: &OutboxEntry,
    at: Timestamp,
) -> Result<Option<OutboxEntry>, OnboardingError> {
    match outbox::Entity::find_by_id(new.command.to_string()).one(connection).await? {
        Some(row) => Ok(Some(entry(row)?)),
        None => {
            put(connection, new, at).await?;
            Ok(None)
        }
    }
}

/// Puts a command in, within the transaction of the row it comes from.
pub(crate) async fn put<C: ConnectionTrait>(
    connection: &C,
    new: &OutboxEntry,
    at: Timestamp,
) -> Result<(), OnboardingError> {
    let row = outbox::ActiveModel {
        command_id: Set(new.command.to_string()),
        subject: Set(new.subject.clone()),
        submission: Set(new.submission.clone()),
        outcome: Set(None),
        created_at: Set(crate::to_column(at)),
    };
    outbox::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// When the last of these accounts was closed; `None` if none was.
pub(crate) async fn last_closed<C: ConnectionTrait>(
    connection: &C,
    accounts: &[String],
) -> Result<Option<Timestamp>, OnboardingError> {
    let closings = accounts.iter().map(|account| format!("close:{account}"));
    let last = outbox::Entity::find()
        .filter(outbox::Column::Subject.is_in(closings))
        .order_by_desc(outbox::Column::CreatedAt)
        .one(connection)
        .await?;
    last.map(|row| crate::from_column(row.created_at)).transpose()
}

pub(crate) fn entry(row: outbox::Model) -> Result<OutboxEntry, OnboardingError> {
    let command = row.command_id.parse().map_err(|_| OnboardingError::Damaged("command id"))?;
    Ok(OutboxEntry {
        command,
        subject: row.subject,
        submission: row.submission,
        outcome: row.outcome,
    })
}
