//! Linking a bank account to a wallet's account, for the class that it gives.

use super::holder::Holder;
use anyhow::Result;
use yufu_api::CommandDone;
use yufu_api::bank::LinkRequest;
use yufu_base::Signer;
use yufu_jose::Jwk;

impl Holder {
    /// The thumbprint of the acting account's key: what a depositor shows their bank.
    ///
    /// # Errors
    /// If there is no account.
    pub fn key_thumbprint(&self) -> Result<String> {
        let key: Jwk = self.acting()?.key.key()?.public_key().into();
        Ok(key.thumbprint_base64url())
    }

    /// Hands another bank's statement to the bank of the acting account, and asks for `class`.
    ///
    /// # Errors
    /// Whatever the bank refused.
    pub async fn link_account(&mut self, class: &str, statement: &str) -> Result<CommandDone> {
        let (class, statement) = (class.to_owned(), statement.to_owned());
        let request = LinkRequest { class, statement };
        self.post_as_holder("linked-account", &request).await
    }
}
