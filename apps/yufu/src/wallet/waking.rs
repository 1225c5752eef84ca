//! Waking a dormant account from here, without a way to a branch.

use super::holder::{Decide, Holder};
use anyhow::Result;
use serde_json::json;
use yufu_api::CommandDone;
use yufu_api::bank::{CodeAnswer, Waking};

/// What waking an account came to.
#[derive(Debug)]
pub enum Woken {
    /// It is awake.
    Awake,
    /// A code was sent to the purse's telephone number: answer it with this id.
    CodeSent(String),
}

impl Holder {
    /// Wakes the acting account: an account in a name by showing the identity behind it; of a purse,
    /// a code is sent to its number.
    ///
    /// # Errors
    /// If the account does not rest; whatever either side refused.
    pub async fn wake(&mut self, decide: Decide<'_>) -> Result<Woken> {
        let begun: Waking = self.post_as_holder("wakings", &json!({})).await?;
        let Some(link) = begun.authorization_request else {
            return Ok(Woken::CodeSent(begun.waking));
        };
        self.present_begun(&link, decide).await?;
        Ok(Woken::Awake)
    }

    /// Answers the code that was sent to wake a purse.
    ///
    /// # Errors
    /// A wrong code, or one that lapsed.
    pub async fn answer_waking(&self, waking: &str, code: &str) -> Result<CommandDone> {
        let bank = self.acting()?.bank.clone();
        let url = format!("{}/banks/{bank}/v1/wakings/{waking}/code", self.address(&bank));
        let answer = CodeAnswer { code: code.to_owned() };
        Ok(self.client.post(&url, None, &answer).await?)
    }
}
