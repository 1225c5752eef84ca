//! How bearer notes lie in the wallet's file: the purse, and the words that it comes back from.

use super::refusing::PurseFault;
use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yufu_ecash::{Seed, words_from_entropy};
use yufu_jose::Jwk;
use yufu_keys::random;
use yufu_purse::Purse;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The purse of a wallet.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::wallet) struct StoredCash {
    words: Words,
    pub(in crate::wallet) purse: Purse,
    /// By which key central banks signed their list of keysets, by ledger: another one later is refused.
    #[serde(default)]
    pub(super) central_banks: BTreeMap<String, Jwk>,
    /// Whose mint was ever reached under which address.
    #[serde(default)]
    pub(super) mints: BTreeMap<String, String>,
    /// How much is taken without network in notes that are not locked to this wallet, in minor units.
    #[serde(default)]
    pub(super) risk_limit: u64,
}

/// A seed phrase. Never printed but when asked for; wiped when it is dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
struct Words(String);

impl StoredCash {
    fn new(words: &str) -> Self {
        Self {
            words: Words(words.to_owned()),
            purse: Purse::default(),
            central_banks: BTreeMap::new(),
            mints: BTreeMap::new(),
            risk_limit: 0,
        }
    }
}

impl Holder {
    /// The purse; a new one, with words of its own, if there is none.
    pub(super) fn cash(&mut self) -> Result<&mut StoredCash> {
        if self.file.contents.cash.is_none() {
            let words = words_from_entropy(&*Zeroizing::new(random::<16>()))?;
            self.file.contents.cash = Some(StoredCash::new(&words));
            self.file.save()?;
        }
        let cash = self.file.contents.cash.as_mut();
        cash.with_context(|| text!("the wallet has no notes"))
    }

    /// The purse, if there is one.
    pub(super) fn purse(&self) -> Result<&Purse> {
        let cash = self.file.contents.cash.as_ref();
        Ok(&cash.with_context(|| text!("the wallet has no notes"))?.purse)
    }

    /// What every secret of the purse comes from.
    pub(super) fn cash_seed(&mut self) -> Result<Seed> {
        Ok(Seed::from_words(&self.cash()?.words.0, "")?)
    }

    /// The words that bring the notes back.
    ///
    /// # Errors
    /// If the wallet cannot be saved.
    pub fn cash_words(&mut self) -> Result<Zeroizing<String>> {
        Ok(Zeroizing::new(self.cash()?.words.0.clone()))
    }

    /// Has the purse come from these words, where there is none yet.
    pub(super) fn cash_from(&mut self, words: &str) -> Result<()> {
        Seed::from_words(words, "").map_err(PurseFault::from)?;
        if let Some(cash) = &self.file.contents.cash {
            anyhow::ensure!(
                cash.words.0 == words,
                text!(
                    "this wallet has notes from other words: restore under another name with --as"
                )
            );
            return Ok(());
        }
        self.file.contents.cash = Some(StoredCash::new(words));
        Ok(self.file.save()?)
    }
}
