//! Payment orders that customers' wallets signed.

use crate::entity::order;
use crate::key;
use crate::outbox::{self, OutboxEntry};
use crate::verification;
use crate::{Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use yufu_base::{AccountId, CommandId, Timestamp};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Taken, and on its way to the ledger.
    Taken,
    /// Refused by the ledger's rules; a step-up may lift that.
    Refused,
    /// Paid, for good.
    Settled,
}

impl OrderState {
    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Settled => "settled",
        }
    }

    fn parse(word: &str) -> Result<Self, OnboardingError> {
        [Self::Taken, Self::Refused, Self::Settled]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(OnboardingError::Damaged("order state"))
    }
}

/// A payment order as the bank keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The id that the wallet chose.
    pub id: CommandId,
    /// The account that pays.
    pub account: AccountId,
    /// The order as the wallet signed it: the bank's evidence.
    pub signed: String,
    /// Where it stands.
    pub state: OrderState,
    /// The presentation that was asked for to lift a limit, if any.
    pub verification: Option<String>,
}

impl Onboarding {
    /// Takes an order: its row and its ledger command, in one transaction. The same order again
    /// changes nothing.
    ///
    /// # Errors
    /// [`OnboardingError::OrderIdReused`] if another order has this id.
    pub async fn take_order(
        &self,
        new: &Order,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        self.take(new, None, command, at).await
    }

    /// Takes an order that `key` (a JWK, as stored) authorised, if that key still commands the account.
    ///
    /// # Errors
    /// As [`Onboarding::take_order`]; [`OnboardingError::KeyChanged`] if another key does.
    pub async fn take_order_by(
        &self,
        key: &str,
        new: &Order,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        self.take(new, Some(key), command, at).await
    }

    async fn take(
        &self,
        new: &Order,
        key: Option<&str>,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        let found = order::Entity::find_by_id(new.id.to_string()).one(&transaction).await?;
        match found {
            Some(row) if row.signed == new.signed => {}
            Some(_) => return Err(OnboardingError::OrderIdReused),
            None => {
                if let Some(key) = key {
                    key::hold(&transaction, new.account, key).await?;
                }
                let row = order::ActiveModel {
                    id: Set(new.id.to_string()),
                    account: Set(new.account.to_string()),
                    signed: Set(new.signed.clone()),
                    state: Set(OrderState::Taken.as_str().to_owned()),
                    verification: Set(None),
                    created_at: Set(crate::to_column(at)),
                };
                order::Entity::insert(row).exec_without_returning(&transaction).await?;
                outbox::put(&transaction, command, at).await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The order with this id.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn order(&self, id: CommandId) -> Result<Order, OnboardingError> {
        let row = order::Entity::find_by_id(id.to_string()).one(self.database.connection()).await?;
        let row = row.ok_or(OnboardingError::Unknown("order"))?;
        Ok(Order {
            id,
            account: row.account.parse().map_err(|_| OnboardingError::Damaged("account id"))?,
            signed: row.signed,
            state: OrderState::parse(&row.state)?,
            verification: row.verification,
        })
    }

    /// Notes the presentation that is to lift an order's limit.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such order.
    pub async fn await_step_up(
        &self,
        id: CommandId,
        verification: &str,
    ) -> Result<(), OnboardingError> {
        let changed = order::Entity::update_many()
            .col_expr(order::Column::Verification, Expr::value(verification))
            .filter(order::Column::Id.eq(id.to_string()))
            .exec(self.database.connection())
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(OnboardingError::Unknown("order")) }
    }

    /// Lets a stepped-up order of `signer` (account and key) through: the presentation is marked as answered, its receipt kept,
    /// and the command put in, in one transaction. An order that another presentation let through
    /// before stays as it is: its command is there already.
    ///
    /// # Errors
    /// [`OnboardingError::AlreadyAnswered`] if the presentation was used before,
    /// [`OnboardingError::KeyChanged`] if another key commands the account.
    pub async fn step_up(
        &self,
        signer: (AccountId, &str),
        answered: &str,
        receipt: &str,
        command: &OutboxEntry,
        at: Timestamp,
        retained_until: Timestamp,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        verification::answer(&transaction, answered, receipt, at, retained_until).await?;
        key::hold(&transaction, signer.0, signer.1).await?;
        outbox::put_once(&transaction, command, at).await?;
        transaction.commit().await?;
        Ok(())
    }
}
