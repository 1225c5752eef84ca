//! A purse without identity: opened by answering the code sent to a telephone number, or by a token
//! from a counter.

use super::contents::{StoredAccount, StoredPurse};
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use yufu_api::bank::{AnonymousOpening, AnonymousOpeningRequest, CodeAnswer};
use yufu_base::Signer;

/// For how long a code is waited for, in seconds; banks take one for less.
const GIVEN_UP: u64 = 3600;

/// A purse whose code was sent, and not answered yet.
pub struct PurseOpening {
    opening: String,
}

impl Holder {
    /// Asks `bank` for a purse of `class`: a code is sent to `phone`.
    ///
    /// # Errors
    /// Whatever the bank refused.
    pub async fn begin_purse(
        &mut self,
        bank: &str,
        class: &str,
        phone: &str,
    ) -> Result<PurseOpening> {
        let (begun, purse) = self.ask_for_purse(bank, class, (Some(phone), None)).await?;
        let opening = begun.opening;
        let now = self.now().seconds();
        let waiting = |purse: &StoredPurse| now <= purse.begun.saturating_add(GIVEN_UP);
        self.file.contents.purses.retain(waiting);
        self.file.contents.purses.push(StoredPurse { opening: opening.clone(), ..purse });
        self.file.save()?;
        Ok(PurseOpening { opening })
    }

    /// The purse that waits for its code: the one asked for last.
    ///
    /// # Errors
    /// If none does.
    pub fn waiting_purse(&self) -> Result<PurseOpening> {
        let last = self.file.contents.purses.last();
        let last = last.with_context(|| {
            text!("no purse waits for a code: ask for one with `yufu wallet purse open`")
        })?;
        Ok(PurseOpening { opening: last.opening.clone() })
    }

    /// Answers the code; the account is kept in this wallet.
    ///
    /// # Errors
    /// A wrong code, one that lapsed, or a number that has a purse.
    pub async fn finish_purse(&mut self, begun: &PurseOpening, code: &str) -> Result<String> {
        let known = self.file.contents.purses.iter().find(|p| p.opening == begun.opening).cloned();
        let purse = known.with_context(|| text!("the purse was not asked for in this wallet"))?;
        let url = format!(
            "{}/banks/{}/v1/anonymous-openings/{}/code",
            self.address(&purse.bank),
            purse.bank,
            purse.opening
        );
        let answer = CodeAnswer { code: code.to_owned() };
        let opened: AnonymousOpening = self.client.post(&url, None, &answer).await?;
        self.file.contents.purses.retain(|other| other.opening != begun.opening);
        self.keep_purse(opened, purse)
    }

    /// Opens a purse of `class` at `bank` with a token from a counter.
    ///
    /// # Errors
    /// Whatever the bank refused.
    pub async fn open_purse(&mut self, bank: &str, class: &str, token: &str) -> Result<String> {
        let (opened, purse) = self.ask_for_purse(bank, class, (None, Some(token))).await?;
        self.keep_purse(opened, purse)
    }

    async fn ask_for_purse(
        &mut self,
        bank: &str,
        class: &str,
        (phone, token): (Option<&str>, Option<&str>),
    ) -> Result<(AnonymousOpening, StoredPurse)> {
        let (key, stored) = Self::fresh_key()?;
        let request = AnonymousOpeningRequest {
            class: class.to_owned(),
            wallet_key: key.public_key().into(),
            phone: phone.map(str::to_owned),
            token: token.map(str::to_owned),
        };
        let opened = self.post_for_key(bank, "anonymous-openings", &key, &request).await?;
        let (bank, class) = (bank.to_owned(), class.to_owned());
        let begun = self.now().seconds();
        Ok((opened, StoredPurse { bank, class, opening: String::new(), key: stored, begun }))
    }

    fn keep_purse(&mut self, opened: AnonymousOpening, purse: StoredPurse) -> Result<String> {
        let account = opened.account.filter(|_| opened.state == "open");
        let account =
            account.with_context(|| text!("the purse is {state}", state = opened.state))?;
        let StoredPurse { bank, class, key, .. } = purse;
        let country = self.country();
        self.keep(StoredAccount { bank, country, account: account.clone(), class, key });
        self.file.save()?;
        Ok(account)
    }
}
