//! Accounts that the bank operates: which wallet key may give orders, and who stands behind it.

use crate::entity::{account, customer};
use crate::outbox::{self, OutboxEntry};
use crate::{Onboarding, OnboardingError};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Entered here, on its way to the ledger.
    Opening,
    /// In the ledger.
    Open,
    /// The ledger refused to open it.
    Refused,
    /// Closed for good.
    Closed,
}

impl AccountState {
    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Open => "open",
            Self::Refused => "refused",
            Self::Closed => "closed",
        }
    }

    fn parse(word: &str) -> Result<Self, OnboardingError> {
        [Self::Opening, Self::Open, Self::Refused, Self::Closed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(OnboardingError::Damaged("account state"))
    }
}

/// An account as its bank knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id in the ledger, drawn at random by the bank.
    pub id: AccountId,
    /// Who stands behind it; none for a business account, whose papers lie at the branch.
    pub customer: Option<Uuid>,
    /// Its wallet class.
    pub class: String,
    /// The key that may give orders: a JWK; empty for a counter wallet, which a card operates.
    pub wallet_key: String,
    /// Where it stands.
    pub state: AccountState,
}

impl Onboarding {
    /// Enters an account without a customer of its own record (a business), with the command that
    /// opens it in the ledger.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if it cannot be written, for example because the id exists.
    pub async fn open_account(
        &self,
        new: &Account,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        insert(&transaction, new, at).await?;
        outbox::put(&transaction, command, at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// When the account with this id was entered.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if the bank has none.
    pub async fn opened_at(&self, id: AccountId) -> Result<Timestamp, OnboardingError> {
        let row =
            account::Entity::find_by_id(id.to_string()).one(self.database.connection()).await?;
        crate::from_column(row.ok_or(OnboardingError::Unknown("account"))?.created_at)
    }

    /// The account with this id.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if the bank has none.
    pub async fn account(&self, id: AccountId) -> Result<Account, OnboardingError> {
        let row =
            account::Entity::find_by_id(id.to_string()).one(self.database.connection()).await?;
        read(row.ok_or(OnboardingError::Unknown("account"))?)
    }
}

fn read(row: account::Model) -> Result<Account, OnboardingError> {
    let customer = row.customer.map(|c| Uuid::parse_str(&c)).transpose();
    Ok(Account {
        id: row.id.parse().map_err(|_| OnboardingError::Damaged("account id"))?,
        customer: customer.map_err(|_| OnboardingError::Damaged("customer id"))?,
        class: row.class,
        wallet_key: row.wallet_key,
        state: AccountState::parse(&row.state)?,
    })
}

/// The open accounts of the customer whose number has this index.
pub(crate) async fn open_of<C: ConnectionTrait>(
    connection: &C,
    number_index: Vec<u8>,
) -> Result<Vec<Account>, OnboardingError> {
    let found = customer::Entity::find()
        .filter(customer::Column::NumberIndex.eq(number_index))
        .one(connection)
        .await?;
    let Some(found) = found else { return Ok(Vec::new()) };
    let rows = account::Entity::find()
        .filter(account::Column::Customer.eq(found.id))
        .filter(account::Column::State.eq(AccountState::Open.as_str()))
        .all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    new: &Account,
    at: Timestamp,
) -> Result<(), OnboardingError> {
    let row = account::ActiveModel {
        id: Set(new.id.to_string()),
        customer: Set(new.customer.map(|c| c.to_string())),
        class: Set(new.class.clone()),
        wallet_key: Set(new.wallet_key.clone()),
        state: Set(AccountState::Opening.as_str().to_owned()),
        created_at: Set(crate::to_column(at)),
    };
    account::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// States in which an account counts no longer.
const GONE: [&str; 2] = [AccountState::Refused.as_str(), AccountState::Closed.as_str()];

/// How many of these accounts are neither refused nor closed.
pub(crate) async fn count_live<C: ConnectionTrait>(
    connection: &C,
    ids: Vec<String>,
) -> Result<u64, OnboardingError> {
    let live = account::Entity::find()
        .filter(account::Column::Id.is_in(ids))
        .filter(account::Column::State.is_not_in(GONE));
    Ok(live.count(connection).await?)
}

/// How many accounts of a class a customer has, or is about to have.
pub(crate) async fn count<C: ConnectionTrait>(
    connection: &C,
    customer: Uuid,
    class: &str,
) -> Result<u64, OnboardingError> {
    let held = account::Entity::find()
        .filter(account::Column::Customer.eq(customer.to_string()))
        .filter(account::Column::Class.eq(class))
        .filter(account::Column::State.is_not_in(GONE));
    Ok(held.count(connection).await?)
}
