//! Sub-wallets: smaller wallets below one's own, each pushed to one payee with limits of its own, whose
//! key pays from it.

use super::contents::{StoredAccount, StoredSubWallet};
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_api::bank::{AccountState, SubWalletDone, SubWalletRequest};
use yufu_api::central_bank::WalletState;
use yufu_base::{CommandId, Timestamp};
use yufu_jose::{Jwk, decode_base64url};
use yufu_payment::{SubWalletOrder, SubWalletStep};

/// How long an order may be taken, in seconds.
const ORDER_SECONDS: u64 = 600;

/// What a sub-wallet may do. Amounts are in minor units.
#[derive(Clone, Debug)]
pub struct SubWalletTerms {
    /// The key that pays from it, as the payee's wallet shows it (`yufu wallet invite`).
    pub key: String,
    /// The one account that it pays.
    pub payee: String,
    /// The payee's name.
    pub payee_name: String,
    /// The most that one payment may be.
    pub per_payment_minor: u64,
    /// The most that may be paid in a day.
    pub per_day_minor: u64,
    /// The most that it may hold.
    pub balance_minor: u64,
}

/// A sub-wallet that was opened here, as its bank has it.
#[derive(Debug)]
pub struct SubWallet {
    /// Its account.
    pub account: String,
    /// Whom it pays.
    pub payee_name: String,
    /// What the ledger says.
    pub state: WalletState,
}

impl Holder {
    /// Opens a sub-wallet below the acting account; its account. `id` is fresh, or that of an order
    /// which was not answered.
    ///
    /// # Errors
    /// Whatever the bank refused.
    pub async fn open_sub_wallet(
        &mut self,
        terms: &SubWalletTerms,
        id: CommandId,
    ) -> Result<String> {
        let key: Jwk = decode_base64url(&terms.key)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .with_context(|| {
                text!("this is no key: the payee's wallet makes one with `yufu wallet invite`")
            })?;
        let step = SubWalletStep::Open {
            key,
            payee: terms.payee.clone(),
            payee_name: terms.payee_name.clone(),
            per_payment_minor: terms.per_payment_minor,
            per_day_minor: terms.per_day_minor,
            balance_minor: terms.balance_minor,
        };
        let done = self.sub_wallet_order(step, id).await?;
        let parent = self.acting()?.clone();
        self.file.contents.sub_wallets.retain(|known| known.account != done.account);
        self.file.contents.sub_wallets.push(StoredSubWallet {
            bank: parent.bank,
            parent: parent.account,
            account: done.account.clone(),
            payee_name: terms.payee_name.clone(),
        });
        self.file.save()?;
        Ok(done.account)
    }

    /// Moves money from the acting account into a sub-wallet below it; what that holds then.
    ///
    /// # Errors
    /// Whatever the bank refused.
    pub async fn fund_sub_wallet(
        &mut self,
        account: &str,
        amount_minor: u64,
        id: CommandId,
    ) -> Result<Option<u64>> {
        let step = SubWalletStep::Fund { account: account.to_owned(), amount_minor };
        Ok(self.sub_wallet_order(step, id).await?.balance_minor)
    }

    /// Closes a sub-wallet below the acting account; what it holds comes back.
    ///
    /// # Errors
    /// Whatever the bank refused.
    pub async fn close_sub_wallet(&mut self, account: &str, id: CommandId) -> Result<()> {
        let step = SubWalletStep::Close { account: account.to_owned() };
        self.sub_wallet_order(step, id).await?;
        self.file.contents.sub_wallets.retain(|known| known.account != account);
        Ok(self.file.save()?)
    }

    /// The sub-wallets that were opened here, as their banks have them.
    ///
    /// # Errors
    /// If a bank does not answer.
    pub async fn sub_wallets(&self) -> Result<Vec<SubWallet>> {
        let mut all = Vec::new();
        for known in &self.file.contents.sub_wallets {
            let accounts = &self.file.contents.accounts;
            let parent = accounts.iter().find(|account| account.account == known.parent);
            // Its wallet moved elsewhere: it is asked for from there.
            let Some(parent) = parent else { continue };
            let path = format!(
                "/banks/{}/v1/accounts/{}/sub-wallets/{}",
                known.bank, known.parent, known.account
            );
            let state = self.get_as_holder(parent, path).await?;
            let (account, payee_name) = (known.account.clone(), known.payee_name.clone());
            all.push(SubWallet { account, payee_name, state });
        }
        Ok(all)
    }

    /// Keeps a sub-wallet that somebody else opened for a key which this wallet showed.
    ///
    /// # Errors
    /// If no key of this wallet commands it.
    pub async fn take_sub_wallet(&mut self, bank: &str, account: &str) -> Result<AccountState> {
        for taking in self.file.contents.takings.clone() {
            let own = StoredAccount {
                bank: bank.to_owned(),
                country: self.country(),
                account: account.to_owned(),
                class: String::new(),
                key: taking.key.clone(),
            };
            let path = format!("/banks/{bank}/v1/accounts/{account}");
            let Ok(state) = self.get_as_holder::<AccountState>(&own, path).await else { continue };
            self.file.contents.takings.retain(|other| *other != taking);
            self.keep(StoredAccount { class: state.wallet.class.clone(), ..own });
            self.file.save()?;
            return Ok(state);
        }
        bail!(text!(
            "no key that this wallet showed commands the account {account} at {bank}",
            account = account,
            bank = bank
        ))
    }

    /// Orders a step about a sub-wallet, with the acting account's key.
    async fn sub_wallet_order(
        &mut self,
        step: SubWalletStep,
        id: CommandId,
    ) -> Result<SubWalletDone> {
        let ledger = self.ledger().await?;
        let account = self.acting()?;
        let lapses = id.created().plus_seconds(ORDER_SECONDS).seconds();
        let order = SubWalletOrder {
            ledger,
            id,
            parent: account.account.parse()?,
            step,
            expires: Timestamp::from_seconds(lapses),
        };
        let request = SubWalletRequest { order: order.sign(&account.key.key()?)? };
        let url = format!("{}/banks/{}/v1/sub-wallets", self.address(&account.bank), account.bank);
        let done = self.client.post(&url, None, &request).await;
        done.with_context(|| {
            text!("the order's id is {id}: repeat with it if no answer came", id = id)
        })
    }
}
