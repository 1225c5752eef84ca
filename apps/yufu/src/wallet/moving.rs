//! An account moves to another wallet: the new one shows a key, the old one signs that this key
//! commands the account, and the new one takes the account over. The account stays the same.

use super::contents::{StoredAccount, StoredKey, StoredTaking};
use super::history::Event;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_api::bank::{HandOverRequest, KeyChanged};
use yufu_base::{Signer, Timestamp};
use yufu_jose::{Jwk, decode_base64url, encode_base64url};
use yufu_payment::{HandOverOrder, SignedHandOver};

/// For how long a hand-over may be taken, in seconds.
const HAND_OVER_SECONDS: u64 = 3600;

impl Holder {
    /// Makes the key for an account that is to move here: what the old wallet is shown.
    ///
    /// # Errors
    /// If the wallet cannot be saved.
    pub fn invite(&mut self) -> Result<String> {
        let (key, stored) = Self::fresh_key()?;
        self.file.contents.takings.push(StoredTaking { key: stored });
        self.file.save()?;
        let jwk: Jwk = key.public_key().into();
        Ok(encode_base64url(serde_json::to_vec(&jwk)?))
    }

    /// Signs that the wallet which made `invitation` commands the acting account from now on. What
    /// that wallet takes the account over with; it is good for an hour, once.
    ///
    /// # Errors
    /// If there is no account, or the invitation is none.
    pub fn move_account_to(&mut self, invitation: &str) -> Result<String> {
        let key: Jwk = decode_base64url(invitation)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .with_context(|| {
                text!("this is no invitation: the new wallet makes one with `yufu wallet invite`")
            })?;
        let account = self.acting()?.clone();
        let id = self.fresh_order_id();
        let lapses = id.created().plus_seconds(HAND_OVER_SECONDS).seconds();
        let order = HandOverOrder {
            bank: account.bank.clone(),
            id,
            account: account.account.parse()?,
            key,
            expires: Timestamp::from_seconds(lapses),
        };
        let signed = order.sign(&account.key.key()?)?;
        self.note(Event::HandedOver { bank: account.bank, account: account.account })?;
        Ok(signed)
    }

    /// Takes the account over that `order`, signed by its old wallet, hands to a key of this one.
    ///
    /// # Errors
    /// If the order is for another wallet, or whatever the bank refused.
    pub async fn take_account(&mut self, order: &str) -> Result<KeyChanged> {
        let signed = SignedHandOver::parse(order)?;
        let asked = signed.unverified();
        let own = |taking: &&StoredTaking| {
            taking.key.key().is_ok_and(|key| key.public_key() == asked.key.key)
        };
        let Some(taking) = self.file.contents.takings.iter().find(own).cloned() else {
            bail!(text!(
                "this hand-over is for another wallet: it hands the account to a key that is not here"
            ));
        };
        let key = taking.key.key()?;
        let request = HandOverRequest { order: order.to_owned() };
        let changed: KeyChanged =
            self.post_for_key(&asked.bank, "hand-overs", &key, &request).await?;
        let bank = asked.bank.clone();
        self.file.contents.takings.retain(|other| *other != taking);
        self.took_over(&bank, &changed.account, &changed.class, taking.key)?;
        Ok(changed)
    }

    /// Keeps an account that was taken over, and notes it.
    pub(super) fn took_over(
        &mut self,
        bank: &str,
        account: &str,
        class: &str,
        key: StoredKey,
    ) -> Result<()> {
        let (bank, account) = (bank.to_owned(), account.to_owned());
        let country = self.country();
        // The bank dropped what the former key had left to freeze it.
        if let Some(guard) = &mut self.file.contents.guard {
            guard.dropped(&bank, &account);
        }
        self.keep(StoredAccount {
            bank: bank.clone(),
            country,
            account: account.clone(),
            class: class.to_owned(),
            key,
        });
        Ok(self.note(Event::TookOver { bank, account })?)
    }
}
