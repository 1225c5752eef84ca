//! Which of the wallet's accounts acts: the first, or the one that the person named.

use super::contents::{StoredAccount, StoredKey};
use super::freezing::is_frozen;
use super::history::Event;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_api::bank::AccountState;
use yufu_api::http::{ClientError, ProblemBody};
use yufu_jose::SoftwareKey;

impl Holder {
    /// Has one account act from now on, named by its id, by the beginning of its id, or by its bank.
    ///
    /// # Errors
    /// If no account is meant, or more than one.
    pub fn act_from(&mut self, named: &str) -> Result<()> {
        let meant: Vec<&StoredAccount> = self
            .accounts_here()
            .filter(|account| account.account.starts_with(named) || account.bank == named)
            .collect();
        match meant.as_slice() {
            [] => bail!(text!(
                "no account here is {named}: `yufu wallet show` lists them",
                named = format!("{named:?}")
            )),
            [one] => {
                self.from = Some(one.account.clone());
                Ok(())
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|a| a.account.as_str()).collect();
                bail!(text!(
                    "{named} may be any of {accounts}: name one",
                    named = format!("{named:?}"),
                    accounts = ids.join(", ")
                ))
            }
        }
    }

    /// The account that acts.
    pub(super) fn acting(&self) -> Result<&StoredAccount> {
        let mut accounts = self.accounts_here();
        let acting = match &self.from {
            Some(named) => accounts.find(|account| account.account == *named),
            None => accounts.next(),
        };
        acting.with_context(|| {
            text!("the wallet has no account yet: open one with `yufu wallet open`")
        })
    }

    /// Keeps an account under the key that commands it now.
    pub(super) fn keep(&mut self, new: StoredAccount) {
        let accounts = &mut self.file.contents.accounts;
        accounts.retain(|known| known.bank != new.bank || known.account != new.account);
        accounts.push(new);
    }

    /// Asks the banks whether the accounts are still commanded from here; those that another wallet
    /// took over are let go, and noted. How many that were.
    ///
    /// # Errors
    /// If a bank does not answer.
    pub async fn let_go_of_moved(&mut self) -> Result<usize> {
        let mut moved = Vec::new();
        for account in self.accounts_here() {
            let path = format!("/banks/{}/v1/accounts/{}", account.bank, account.account);
            match self.get_as_holder::<AccountState>(account, path).await {
                Err(error) if refusal(&error).is_some_and(|p| p.code == KEY_CHANGED) => {
                    moved.push((account.bank.clone(), account.account.clone()));
                }
                Err(error) if is_frozen(&error) => {}
                other => drop(other?),
            }
        }
        for (bank, account) in &moved {
            let here = |known: &StoredAccount| known.bank != *bank || known.account != *account;
            self.file.contents.accounts.retain(here);
            self.note(Event::AccountMoved { bank: bank.clone(), account: account.clone() })?;
        }
        Ok(moved.len())
    }

    /// A fresh key, and how it is stored.
    pub(super) fn fresh_key() -> Result<(SoftwareKey, StoredKey)> {
        let key = SoftwareKey::from_seed(&yufu_keys::random())?;
        let stored = StoredKey::of(&key)?;
        Ok((key, stored))
    }
}

/// The code of what a former key asks.
const KEY_CHANGED: &str = "account.key_changed";

/// The other side's refusal, if that is what an error is.
fn refusal(error: &anyhow::Error) -> Option<&ProblemBody> {
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Refused(problem)) => Some(problem),
        _ => None,
    }
}
