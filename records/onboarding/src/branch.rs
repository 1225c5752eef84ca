//! Steps at a branch: what an officer saw before a wallet was given another class, or closed.

use crate::account;
use crate::entity::branch_step;
use crate::outbox::{self, OutboxEntry};
use crate::{Onboarding, OnboardingError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};

/// A step that an officer answers for. The evidence is a reference (the number of a form), no
/// personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchStep {
    /// The account it was about.
    pub account: AccountId,
    /// What was done: `class I`, `close`.
    pub step: String,
    /// The officer's name.
    pub officer: String,
    /// What the officer saw, and where it is filed.
    pub evidence: String,
    /// When.
    pub at: Timestamp,
}

impl Onboarding {
    /// Notes a step with the ledger command it leads to, in one transaction. `into` is the class
    /// an account of a customer moves into, and how many of it one customer may have.
    ///
    /// # Errors
    /// [`OnboardingError::TooManyAccounts`] if the customer has as many of the class as allowed.
    pub async fn branch_step(
        &self,
        new: &BranchStep,
        into: Option<(Uuid, &str, u32)>,
        command: &OutboxEntry,
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        if let Some((customer, class, at_most)) = into
            && account::count(&transaction, customer, class).await? >= u64::from(at_most)
        {
            return Err(OnboardingError::TooManyAccounts { class: class.to_owned(), at_most });
        }
        let row = branch_step::ActiveModel {
            command_id: Set(command.command.to_string()),
            account: Set(new.account.to_string()),
            step: Set(new.step.clone()),
            officer: Set(new.officer.clone()),
            evidence: Set(new.evidence.clone()),
            at: Set(crate::to_column(new.at)),
        };
        branch_step::Entity::insert(row).exec_without_returning(&transaction).await?;
        outbox::put(&transaction, command, new.at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The steps about an account, oldest first.
    ///
    /// # Errors
    /// [`OnboardingError::Database`] if they cannot be read.
    pub async fn branch_steps(
        &self,
        account: AccountId,
    ) -> Result<Vec<BranchStep>, OnboardingError> {
        let rows = branch_step::Entity::find()
            .filter(branch_step::Column::Account.eq(account.to_string()))
            .order_by_asc(branch_step::Column::At)
            .all(self.database.connection())
            .await?;
        let step = |row: branch_step::Model| {
            let (step, officer, evidence) = (row.step, row.officer, row.evidence);
            let at = crate::from_column(row.at)?;
            Ok(BranchStep { account, step, officer, evidence, at })
        };
        rows.into_iter().map(step).collect()
    }
}
