//! Waking a purse from afar: whoever answers a code sent to the number that it was opened with.

use crate::entity::{code, phone};
use crate::outbox::{self, OutboxEntry};
use crate::phone::{WAKING, done, parse_id};
use crate::{CodeOpening, Onboarding, OnboardingError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;
use yufu_base::{AccountId, CommandId, Timestamp};

impl Onboarding {
    /// Notes that `code` is sent to the number behind a purse, to wake it. Which phone it is, for
    /// delivery: the number itself is not read.
    ///
    /// # Errors
    /// [`OnboardingError::NoNumber`] if there is none (a purse of a counter token, or closed),
    /// [`OnboardingError::TooSoon`] while the number has to wait.
    pub async fn send_waking_code(
        &self,
        account: AccountId,
        id: &str,
        code: &str,
        at: Timestamp,
    ) -> Result<Uuid, OnboardingError> {
        let transaction = self.database.begin().await?;
        let opened = code::Entity::find()
            .filter(code::Column::Account.eq(account.to_string()))
            .one(&transaction)
            .await?;
        let opened = opened.ok_or(OnboardingError::NoNumber)?;
        let row = phone::Entity::find_by_id(&opened.phone).one(&transaction).await?;
        let row = row.filter(|row| !row.sealed_number.is_empty());
        let row = row.ok_or(OnboardingError::NoNumber)?;
        let phone = parse_id(&row.id)?;
        let (class, wallet_key) = (String::new(), String::new());
        let new = CodeOpening { id: id.to_owned(), class, wallet_key, account, provider: None };
        self.put_code(&transaction, row, (&new, WAKING), code, at).await?;
        transaction.commit().await?;
        Ok(phone)
    }

    /// The purse that a code is to wake.
    ///
    /// # Errors
    /// [`OnboardingError::Unknown`] if there is no such code.
    pub async fn waking(&self, id: &str) -> Result<AccountId, OnboardingError> {
        let row = code::Entity::find_by_id(id).one(self.database.connection()).await?;
        let row = row.filter(|row| row.purpose == WAKING);
        let row = row.ok_or(OnboardingError::Unknown("waking"))?;
        row.account.parse().map_err(|_| OnboardingError::Damaged("account id"))
    }

    /// Answers a code: the right one puts the command in that wakes the purse, once.
    ///
    /// # Errors
    /// As [`Onboarding::answer_code`], but for the last.
    pub async fn answer_waking_code(
        &self,
        id: &str,
        given: &str,
        command: &OutboxEntry,
        at: Timestamp,
    ) -> Result<CommandId, OnboardingError> {
        let transaction = self.database.begin().await?;
        let (transaction, _) = self.right_code(transaction, (id, WAKING), given, at).await?;
        done(&transaction, id).await?;
        outbox::put(&transaction, command, at).await?;
        transaction.commit().await?;
        Ok(command.command)
    }
}
