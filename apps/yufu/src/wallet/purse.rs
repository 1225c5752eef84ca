//! A purse without identity: opened by answering the code sent to a telephone number.

use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use yufu_api::bank::{AnonymousOpening, AnonymousOpeningRequest, CodeAnswer};
use yufu_base::Signer;
use yufu_jose::SoftwareKey;
use yufu_keys::random;

/// A purse whose code was sent, and not answered yet.
pub struct PurseOpening {
    bank: String,
    class: String,
    opening: String,
    key: SoftwareKey,
}

impl Holder {
    /// Asks `bank` for a purse of `class`: a code is sent to `phone`.
    ///
    /// # Errors
    /// Whatever the bank refused.
    pub async fn begin_purse(&self, bank: &str, class: &str, phone: &str) -> Result<PurseOpening> {
        let key = SoftwareKey::from_seed(&random())?;
        let request = AnonymousOpeningRequest {
            class: class.to_owned(),
            wallet_key: key.public_key().into(),
            phone: Some(phone.to_owned()),
            token: None,
        };
        let url = format!("{}/banks/{bank}/v1/anonymous-openings", self.address(bank));
        let begun: AnonymousOpening = self.client.post(&url, None, &request).await?;
        let (bank, class) = (bank.to_owned(), class.to_owned());
        Ok(PurseOpening { bank, class, opening: begun.opening, key })
    }

    /// Answers the code; the account is kept in this wallet.
    ///
    /// # Errors
    /// A wrong code, one that lapsed, or a number that has a purse.
    pub async fn finish_purse(&mut self, begun: &PurseOpening, code: &str) -> Result<String> {
        let url = format!(
            "{}/banks/{}/v1/anonymous-openings/{}/code",
            self.address(&begun.bank),
            begun.bank,
            begun.opening
        );
        let answer = CodeAnswer { code: code.to_owned() };
        let opened: AnonymousOpening = self.client.post(&url, None, &answer).await?;
        let account = opened.account.filter(|_| opened.state == "open");
        let account =
            account.with_context(|| text!("the purse is {state}", state = opened.state))?;
        self.keep_account(&begun.bank, &account, &begun.class, &begun.key)?;
        Ok(account)
    }
}
