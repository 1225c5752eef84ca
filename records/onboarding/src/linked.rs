//! Linked bank accounts: which wallet is tied to a deposit at which bank. The statement is sealed
//! under the customer's key; the reference is found again by a keyed digest alone.

use crate::account;
use crate::entity::linked;
use crate::outbox::{self, OutboxEntry};
use crate::{Onboarding, OnboardingError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};

const REFERENCE: &str = "onboarding.linked-reference";
const PLACE: &str = "onboarding.linked_accounts.statement";

/// A wallet that is to be linked to a deposit, and get another class for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The wallet.
    pub account: AccountId,
    /// Its holder.
    pub customer: Uuid,
    /// The bank of the deposit.
    pub bank: String,
    /// The deposit, by that bank's reference.
    pub reference: String,
    /// That bank's signed statement.
    pub statement: String,
}

impl Onboarding {
    /// Notes a link with the ledger command it leads to, in one transaction. `into` is the class,
    /// and how many of it one customer may have.
    ///
    /// # Errors
    /// [`OnboardingError::ReferenceLinked`] if the deposit is linked to another wallet,
    /// [`OnboardingError::TooManyAccounts`] if the customer has as many of the class as allowed.
    pub async fn link(
        &self,
        new: &Link,
        into: (&str, u32),
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<(), OnboardingError> {
        let reference = format!("{}\0{}", new.bank, new.reference);
        let index = self.sealer.blind(REFERENCE, &reference).as_bytes().to_vec();
        let sealed = self.sealer.key(new.customer).await?.seal(PLACE, new.statement.as_bytes())?;
        let transaction = self.database.begin().await?;
        let found = linked::Entity::find_by_id(index.clone()).one(&transaction).await?;
        if found.is_some_and(|row| row.account != new.account.to_string()) {
            return Err(OnboardingError::ReferenceLinked);
        }
        let (class, at_most) = into;
        if account::count(&transaction, new.customer, class).await? >= u64::from(at_most) {
            return Err(OnboardingError::TooManyAccounts { class: class.to_owned(), at_most });
        }
        // The last statement about a wallet is the one that counts.
        linked::Entity::delete_many()
            .filter(linked::Column::Account.eq(new.account.to_string()))
            .exec(&transaction)
            .await?;
        let row = linked::ActiveModel {
            reference_index: Set(index),
            account: Set(new.account.to_string()),
            bank: Set(new.bank.clone()),
            sealed_statement: Set(sealed),
            at: Set(crate::to_column(at)),
        };
        linked::Entity::insert(row).exec_without_returning(&transaction).await?;
        outbox::put(&transaction, command, at).await?;
        transaction.commit().await?;
        Ok(())
    }
}
