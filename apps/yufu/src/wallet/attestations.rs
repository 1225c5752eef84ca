//! Getting what a bank or an agency attests of its own: proven by the account's key, or by the pseudonym's.

use super::contents::StoredAccount;
use super::getting::{Received, Wanted};
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use serde_json::json;
use yufu_api::authority::IssuedOffer;

impl Holder {
    /// Gets the credential that `issuer` issues under this id: a bank of one of this wallet's accounts, or an agency
    /// of a programme that the holder is enrolled in.
    ///
    /// # Errors
    /// If the wallet has no account and no membership there; whatever the issuer refused, or the wallet of it.
    pub async fn get_attestation(
        &mut self,
        issuer: &str,
        credential: &str,
        wanted: Wanted,
    ) -> Result<Received> {
        let offer = match self.account_at(issuer) {
            Some(account) => self.offer_at_bank(&account, credential).await?,
            None => self.offer_at_agency(issuer, credential).await?,
        };
        self.take_issued((&offer.offer, offer.haip_offer.as_deref()), wanted).await
    }

    /// The account at this bank: the one that acts, if it is there.
    fn account_at(&self, bank: &str) -> Option<StoredAccount> {
        let acting = self.acting().ok().filter(|account| account.bank == bank);
        acting.or_else(|| self.accounts_here().find(|account| account.bank == bank)).cloned()
    }

    async fn offer_at_bank(
        &self,
        account: &StoredAccount,
        credential: &str,
    ) -> Result<IssuedOffer> {
        let StoredAccount { bank, account: id, .. } = account;
        let path = format!("/banks/{bank}/v1/accounts/{id}/credentials/{credential}");
        let url = format!("{}{path}", self.address(bank));
        let bearer = self.request_token(account, "POST", path)?;
        Ok(self.client.post(&url, Some(&bearer), &json!({})).await?)
    }

    /// Asks for each programme there: which of them the credential is about is the agency's affair.
    async fn offer_at_agency(&self, agency: &str, credential: &str) -> Result<IssuedOffer> {
        let known = self.file.contents.programmes.iter();
        let mut last = None;
        for known in known.filter(|known| known.agency == agency) {
            let (path, key) = self.membership(known, &format!("/credentials/{credential}"))?;
            let bearer = self.sector_token(agency, &key, "POST", &path)?;
            let url = format!("{}{path}", self.address(agency));
            match self.client.post(&url, Some(&bearer), &json!({})).await {
                Ok(offer) => return Ok(offer),
                Err(error) => last = Some(error),
            }
        }
        let refused = last.with_context(|| {
            text!(
                "this wallet has no account and no membership at {issuer}: open or enrol there first",
                issuer = agency
            )
        })?;
        Err(refused.into())
    }
}
