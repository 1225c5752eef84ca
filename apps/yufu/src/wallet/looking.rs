//! Who read my data: at the authority, proven by a presentation; at each bank, by the account's key.

use super::deleting::Shown;
use super::freezing::is_frozen;
use super::holder::{Decide, Holder};
use crate::words::text;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use yufu_api::authority::{AccessEntry, Look};
use yufu_api::looking::{FileAccess, LooksRequest};
use yufu_trust::Role;

/// Where an authority hands a list over, below its address.
const FETCH: &str = "/v1/looks/accesses";

/// Who read a person's data, as those who hold it recorded.
#[derive(Debug, Serialize)]
pub struct WhoRead {
    /// At the identity authority, oldest first; this very look is the last.
    pub authority: Vec<AccessEntry>,
    /// At the banks, account by account.
    pub banks: Vec<BankAccesses>,
}

/// Who looked into the file behind an account.
#[derive(Debug, Serialize)]
pub struct BankAccesses {
    /// The bank.
    pub bank: String,
    /// The account.
    pub account: String,
    /// Who looked, oldest first.
    pub accesses: Vec<FileAccess>,
}

/// Who looked at what was shown once.
#[derive(Debug, Serialize)]
pub struct Looks {
    /// Whom it was shown to.
    pub party: String,
    /// Who looked, oldest first.
    pub accesses: Vec<FileAccess>,
}

impl Holder {
    /// Asks the party of the history's entry `number` (from 1) who there looked at what it was shown. It is sent the
    /// receipt that it signed, and nothing else; nobody else is asked at the same time, so that no two parties can tell by
    /// the hour that they know the same person.
    ///
    /// # Errors
    /// If the entry is no disclosure with a receipt, or the party keeps nothing of it, or does not answer.
    pub async fn who_looked(&mut self, number: usize) -> Result<Looks> {
        let Shown { party, address, request, receipt } = self.shown(number)?;
        if address.rsplit('/').nth(1) == Some("banks") {
            bail!(text!("at a bank your account's key asks: use `who-read` without `--shown`"));
        }
        let asked = LooksRequest { request, receipt };
        let accesses = self.client.post(&format!("{address}/v1/looks"), None, &asked).await?;
        Ok(Looks { party, accesses })
    }

    /// Asks everybody who holds data of this wallet's owner who read them. The authority is shown the
    /// resident number, for this purpose alone.
    ///
    /// # Errors
    /// If the person declines, has no credential left, or somebody does not answer.
    pub async fn who_read(&mut self, decide: Decide<'_>) -> Result<WhoRead> {
        let authority = self.who_read_at_authority(decide).await?;
        Ok(WhoRead { authority, banks: self.who_read_at_banks().await? })
    }

    /// Who looked into the files behind this wallet's accounts: nothing needs to be shown. Without those that their
    /// holder had frozen: of them nothing is said.
    ///
    /// # Errors
    /// If a bank does not answer.
    pub async fn who_read_at_banks(&self) -> Result<Vec<BankAccesses>> {
        let mut banks = Vec::new();
        for account in self.accounts_here() {
            let path = format!("/banks/{}/v1/accounts/{}/accesses", account.bank, account.account);
            let accesses = match self.get_as_holder(account, path).await {
                Err(error) if is_frozen(&error) => continue,
                accesses => accesses?,
            };
            let (bank, account) = (account.bank.clone(), account.account.clone());
            banks.push(BankAccesses { bank, account, accesses });
        }
        Ok(banks)
    }

    async fn who_read_at_authority(&mut self, decide: Decide<'_>) -> Result<Vec<AccessEntry>> {
        let authority = self.own_authority()?;
        let look: Look = self.client.post(&format!("{authority}/v1/looks"), None, &()).await?;
        let shown = self.present(&look.authorization_request, decide).await?;
        let redirect =
            shown.redirect.with_context(|| text!("the authority did not say where the list is"))?;
        let (address, code) = redirect
            .split_once("#response_code=")
            .with_context(|| text!("the authority's answer carries no code for the list"))?;
        // The code opens a person's list: it goes to the authority that was asked, nowhere else.
        if address != format!("{authority}{FETCH}") {
            bail!(text!(
                "the authority sends to {address}, which is not its own address: report it",
                address = address
            ));
        }
        Ok(self.client.get(address, Some(code)).await?)
    }

    /// The address of the authority that issued this wallet's identity, as the trust list named it.
    pub(super) fn own_authority(&self) -> Result<String> {
        let mut issuers = self.file.contents.usable().map(|(_, stored)| &stored.held.issuer);
        let authority = issuers.find(|issuer| issuer.role == Role::PidIssuer);
        let authority = authority.with_context(|| {
            text!("nothing was shown: no identity credential is left; get a fresh batch with `yufu wallet get`")
        })?;
        Ok(authority.identifier.clone())
    }
}
