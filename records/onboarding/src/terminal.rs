//! Terminals at the counter: an officer opens a session for one, and for some minutes it may hand in
//! what customers type there. Of a session's secret only a keyed digest is kept.

use crate::entity::terminal;
use crate::{Onboarding, OnboardingError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use yufu_base::Timestamp;

const SESSION: &str = "onboarding.terminal-session";

/// A terminal, and the officer who serves there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// The terminal's name.
    pub name: String,
    /// The officer's name.
    pub officer: String,
}

impl Onboarding {
    /// Notes a session by its secret; those that lapsed are forgotten.
    ///
    /// # Errors
    /// [`OnboardingError::Database`].
    pub async fn open_terminal(
        &self,
        secret: &str,
        new: Terminal,
        (at, expires): (Timestamp, Timestamp),
    ) -> Result<(), OnboardingError> {
        let transaction = self.database.begin().await?;
        terminal::Entity::delete_many()
            .filter(terminal::Column::ExpiresAt.lte(crate::to_column(at)))
            .exec(&transaction)
            .await?;
        let row = terminal::ActiveModel {
            session_index: Set(self.sealer.blind(SESSION, secret).as_bytes().to_vec()),
            terminal: Set(new.name),
            officer: Set(new.officer),
            expires_at: Set(crate::to_column(expires)),
        };
        terminal::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The terminal whose session has this secret.
    ///
    /// # Errors
    /// [`OnboardingError::NoSession`] if there is none, or it lapsed.
    pub async fn terminal(&self, secret: &str, at: Timestamp) -> Result<Terminal, OnboardingError> {
        let index = self.sealer.blind(SESSION, secret).as_bytes().to_vec();
        let row = terminal::Entity::find_by_id(index).one(self.database.connection()).await?;
        let row = row.filter(|row| row.expires_at > crate::to_column(at));
        let row = row.ok_or(OnboardingError::NoSession)?;
        Ok(Terminal { name: row.terminal, officer: row.officer })
    }
}
