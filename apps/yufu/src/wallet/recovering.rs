//! An account recovered after its wallet was lost: the holder shows her identity, and signs with it
//! that a key of this wallet commands the account. The key is stored before anything is shown, so
//! that an answer that got lost leaves no account without it.

use super::contents::StoredRecovery;
use super::holder::{Awaited, Decide, Holder};
use super::paying::QUERY;
use super::showing::Shown;
use crate::words::text;
use anyhow::{Context, Result};
use yufu_api::bank::{Recovery, RecoveryRequest, RecoveryStatus};
use yufu_base::Signer;
use yufu_jose::Jwk;
use yufu_openid4vc::presentation::{KeyChange, KeyChangeOf, TransactionData};

/// After how long a recovery that the bank still waits for is given up, in seconds.
const GIVEN_UP: u64 = 3600;

/// An account that was recovered.
#[derive(Debug)]
pub struct Recovered {
    /// Its id: the same as before.
    pub account: String,
    /// What was shown to recover it.
    pub shown: Shown,
}

impl Holder {
    /// Recovers an account in the person's name at `bank` with a fresh key: the one named, or the one
    /// of a class.
    ///
    /// # Errors
    /// Whatever the bank refused, or the wallet refused of the bank.
    pub async fn recover_account(
        &mut self,
        bank: &str,
        which: &KeyChangeOf,
        decide: Decide<'_>,
    ) -> Result<Recovered> {
        self.settle_recoveries().await?;
        let (key, stored) = Self::fresh_key()?;
        let wallet_key: Jwk = key.public_key().into();
        let awaited = TransactionData::KeyChange(KeyChange {
            credential_ids: vec![QUERY.to_owned()],
            bank: bank.to_owned(),
            account: which.clone(),
            wallet_key_thumbprint: wallet_key.thumbprint_base64url(),
        });
        let (account, class) = match which {
            KeyChangeOf::Account(id) => (Some(id.to_string()), None),
            KeyChangeOf::Class(class) => (None, Some(class.clone())),
        };
        let request = RecoveryRequest { account, class, wallet_key };
        let begun: Recovery = self.post_for_key(bank, "key-recoveries", &key, &request).await?;
        self.file.contents.recoveries.push(StoredRecovery {
            bank: bank.to_owned(),
            recovery: begun.recovery.clone(),
            key: stored,
            begun: self.now().seconds(),
        });
        self.file.save()?;
        let awaited = Awaited::Transaction(Box::new(awaited));
        let link = &begun.authorization_request;
        let shown = self.present_for(link, &awaited, decide).await?;
        self.bring_back(link, &shown).await?;
        let account = self.settle_recovery(&begun.recovery).await?;
        let account = account.with_context(|| {
            text!("the bank has not changed the key yet: `yufu wallet show` takes the account up once it has")
        })?;
        Ok(Recovered { account, shown })
    }

    /// Takes up accounts whose recovery was begun here and whose end was not heard of.
    ///
    /// # Errors
    /// If a bank does not answer, or the wallet cannot be saved.
    pub async fn settle_recoveries(&mut self) -> Result<()> {
        let known = self.file.contents.recoveries.iter();
        let waiting: Vec<String> = known.map(|known| known.recovery.clone()).collect();
        for recovery in waiting {
            self.settle_recovery(&recovery).await?;
        }
        Ok(())
    }

    /// Asks where a recovery stands: a recovered account is kept, a lapsed recovery forgotten.
    async fn settle_recovery(&mut self, recovery: &str) -> Result<Option<String>> {
        let known = self.file.contents.recoveries.iter().find(|known| known.recovery == recovery);
        let Some(known) = known.cloned() else { return Ok(None) };
        let bank = &known.bank;
        let url = format!("{}/banks/{bank}/v1/key-recoveries/{recovery}", self.address(bank));
        let status: RecoveryStatus = self.client.get(&url, None).await?;
        let account = status.account.filter(|_| status.state == "recovered");
        let lapsed = self.now().seconds() > known.begun.saturating_add(GIVEN_UP);
        if account.is_none() && !lapsed {
            return Ok(None);
        }
        self.file.contents.recoveries.retain(|other| other.recovery != recovery);
        match &account {
            Some(account) => {
                let class = status.class.unwrap_or_default();
                self.took_over(&known.bank, account, &class, known.key)?;
            }
            None => self.file.save()?,
        }
        Ok(account)
    }
}
