//! Commitments to secrets of holders: one live one for each person, kept and replaced as pseudonyms are.

use crate::pseudonym::register;
use crate::{Credentials, CredentialsError, Pseudonym};
use uuid::Uuid;
use yufu_base::Timestamp;

impl Credentials {
    /// Holds the commitment that a person brings against the registered one, or registers it as the first. Another
    /// takes its place only after an officer's word, from the next epoch on.
    ///
    /// # Errors
    /// [`CredentialsError::PseudonymDiffers`] and [`CredentialsError::PseudonymTaken`].
    pub async fn register_commitment(
        &self,
        person: Uuid,
        brought: Pseudonym,
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        let transaction = self.database.begin().await?;
        register(&transaction, person, &[brought], now).await?;
        transaction.commit().await?;
        Ok(())
    }
}
