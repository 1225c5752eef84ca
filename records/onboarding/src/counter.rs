//! Counter wallets: opened in person for somebody without a telephone, and what an officer does
//! about their cards after identifying them.

use crate::card::{self, BLOCKED, CardNumber, NEW, REPLACED};
use crate::entity::{attempt, card as cards, card_step};
use crate::outbox::{self, OutboxEntry};
use crate::{Account, NewCustomer, Onboarding, OnboardingError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Set};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};

/// A counter wallet: everything that its opening writes, written together.
pub struct CounterEnrolment {
    /// Who was identified.
    pub customer: NewCustomer,
    /// The account to be opened; its customer is filled in, and no key gives it orders.
    pub account: Account,
    /// How many accounts of its class one customer may have.
    pub at_most: u32,
    /// The command that opens it in the ledger.
    pub command: OutboxEntry,
    /// The number of its card.
    pub card: CardNumber,
    /// What the officer saw.
    pub step: CardStep,
}

/// A step about a card that an officer answers for, after identifying its holder in person. The
/// evidence is a reference, no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardStep {
    /// The account.
    pub account: AccountId,
    /// What was done: `open`, `block`, `unblock`, `replace`, `identify ORDER`.
    pub step: String,
    /// The officer's name.
    pub officer: String,
    /// What the officer saw, and where it is filed.
    pub evidence: String,
    /// When.
    pub at: Timestamp,
}

impl Onboarding {
    /// Enters a counter wallet: customer, account, card, step and ledger command, all or nothing.
    ///
    /// # Errors
    /// [`OnboardingError::TooManyAccounts`] if the customer has as many of the class as allowed.
    pub async fn enrol_at_counter(&self, new: CounterEnrolment) -> Result<Uuid, OnboardingError> {
        let at = new.step.at;
        let index = self.card_index(&new.card);
        let account = new.account.id;
        let transaction = self.database.begin().await?;
        let customer = self
            .enter(&transaction, new.customer, new.account, new.at_most, &new.command, at)
            .await?;
        card::insert(&transaction, index, account, at).await?;
        note(&transaction, &new.step).await?;
        transaction.commit().await?;
        Ok(customer)
    }

    /// The counter wallet of a class that is in somebody's name.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is none.
    pub async fn counter_wallet(
        &self,
        number: &str,
        class: &str,
    ) -> Result<AccountId, OnboardingError> {
        let found = self.accounts_of(number).await?;
        let mut found = found
            .into_iter()
            .filter(|account| account.class == class && account.wallet_key.is_empty());
        found.next().map(|account| account.id).ok_or(OnboardingError::Unknown("counter wallet"))
    }

    /// Blocks the card of a wallet.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn block_card(&self, step: &CardStep) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        set_state(&transaction, step.account, BLOCKED).await?;
        note(&transaction, step).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Unblocks the card of a wallet: wrong PINs are forgotten, the card waits for a PIN to be set.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn unblock_card(&self, step: &CardStep) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        let live = live(&transaction, step.account).await?;
        set_state(&transaction, step.account, NEW).await?;
        for card in live {
            attempt::Entity::delete_by_id(card.card_index).exec(&transaction).await?;
        }
        note(&transaction, step).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a wallet another card, which waits for its PIN: the former number is dead at once.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn replace_card(
        &self,
        step: &CardStep,
        new: &CardNumber,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        set_state(&transaction, step.account, REPLACED).await?;
        card::insert(&transaction, self.card_index(new), step.account, step.at).await?;
        note(&transaction, step).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes that an officer identified the holder for an order above the limit, and puts in the
    /// command that this lets through: once.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn identified_at_counter(
        &self,
        step: &CardStep,
        command: &OutboxEntry,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        if outbox::put_once(&transaction, command, step.at).await?.is_none() {
            note(&transaction, step).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The steps about a wallet's cards, oldest first.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn card_steps(&self, account: AccountId) -> Result<Vec<CardStep>, OnboardingError> {
        let rows = card_step::Entity::find()
            .filter(card_step::Column::Account.eq(account.to_string()))
            .order_by_asc(card_step::Column::Id)
            .all(self.database.connection())
            .await?;
        let step = |row: card_step::Model| {
            let (step, officer, evidence) = (row.step, row.officer, row.evidence);
            let at = crate::from_column(row.at)?;
            Ok(CardStep { account, step, officer, evidence, at })
        };
        rows.into_iter().map(step).collect()
    }
}

async fn live(
    transaction: &DatabaseTransaction,
    account: AccountId,
) -> Result<Vec<cards::Model>, OnboardingError> {
    let found = cards::Entity::find()
        .filter(cards::Column::Account.eq(account.to_string()))
        .filter(cards::Column::State.ne(REPLACED));
    Ok(found.all(transaction).await?)
}

async fn set_state(
    transaction: &DatabaseTransaction,
    account: AccountId,
    state: &str,
) -> Result<(), OnboardingError> {
    cards::Entity::update_many()
        .col_expr(cards::Column::State, Expr::value(state))
        .filter(cards::Column::Account.eq(account.to_string()))
        .filter(cards::Column::State.ne(REPLACED))
        .exec(transaction)
        .await?;
    Ok(())
}

async fn note(transaction: &DatabaseTransaction, step: &CardStep) -> Result<(), OnboardingError> {
    let row = card_step::ActiveModel {
        id: Set(Uuid::now_v7().to_string()),
        account: Set(step.account.to_string()),
        step: Set(step.step.clone()),
        officer: Set(step.officer.clone()),
        evidence: Set(step.evidence.clone()),
        at: Set(crate::to_column(step.at)),
    };
    card_step::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}
