//! Sub-wallets: which wallet lies below which, whom it may pay and within what limits.

use crate::command::SubLimits;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::AccountId;

/// How many sub-wallets one wallet may have at a time.
const MOST_BELOW_ONE: usize = 16;

/// What a sub-wallet is, besides a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct SubWallet {
    /// The wallet above it.
    pub(crate) parent: AccountId,
    /// The one wallet it may pay.
    pub(crate) payee: AccountId,
    /// Its own limits.
    pub(crate) limits: SubLimits,
}

impl SubWallet {
    pub(crate) const fn new(parent: AccountId, payee: AccountId, limits: SubLimits) -> Self {
        Self { parent, payee, limits }
    }
}

/// All that are open. Few wallets have any, so they are kept apart from the wallets.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct SubWallets {
    by_id: BTreeMap<AccountId, SubWallet>,
    below: BTreeMap<AccountId, BTreeSet<AccountId>>,
}

impl SubWallets {
    /// What a wallet is if it lies below another.
    pub(crate) fn get(&self, id: AccountId) -> Option<&SubWallet> {
        self.by_id.get(&id)
    }

    /// The wallets below one.
    pub(crate) fn below(&self, parent: AccountId) -> impl Iterator<Item = AccountId> {
        self.below.get(&parent).into_iter().flatten().copied()
    }

    /// Whether there are as many below a wallet as there may be.
    pub(crate) fn full(&self, parent: AccountId) -> bool {
        self.below.get(&parent).is_some_and(|below| below.len() >= MOST_BELOW_ONE)
    }

    pub(crate) fn insert(&mut self, id: AccountId, new: SubWallet) {
        self.by_id.insert(id, new);
        self.below.entry(new.parent).or_default().insert(id);
    }

    pub(crate) fn remove(&mut self, id: AccountId) {
        let Some(gone) = self.by_id.remove(&id) else { return };
        if let Some(below) = self.below.get_mut(&gone.parent) {
            below.remove(&id);
            if below.is_empty() {
                self.below.remove(&gone.parent);
            }
        }
    }
}
