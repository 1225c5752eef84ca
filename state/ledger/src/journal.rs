//! What to put back if a chain fails: each account and each hold as it was before the chain.

use crate::account::Account;
use crate::chart::BankNumber;
use crate::holds::{Hold, Holds};
use crate::ledger::{Ledger, Slot};
use std::collections::BTreeMap;
use yufu_base::CommandId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Journal<C> {
    accounts: Vec<(Slot, Account<C>)>,
    holds: Vec<(CommandId, Option<Hold>)>,
    wallets: u128,
    holdings: BTreeMap<(BankNumber, C), u128>,
    promised: BTreeMap<(BankNumber, C), u128>,
    /// How much was noted before it.
    traced: usize,
}

impl<C: Clone> Journal<C> {
    /// Keeps an account as it is. The first entry of an account is the one that counts.
    pub(crate) fn account(&mut self, slot: Slot, account: &Account<C>) {
        self.accounts.push((slot, account.clone()));
    }
}

impl<C> Journal<C> {
    /// Keeps what is known by an id of a hold.
    pub(crate) fn hold(&mut self, id: CommandId, hold: Option<Hold>) {
        self.holds.push((id, hold));
    }
}

impl<C: Copy + Ord> Ledger<C> {
    /// Begins a chain: what follows is kept by [`Ledger::keep_chain`] or undone by
    /// [`Ledger::undo_chain`]. No account is opened meanwhile.
    pub fn begin_chain(&mut self) {
        self.journal = Some(Box::new(Journal {
            accounts: Vec::new(),
            holds: Vec::new(),
            wallets: self.wallets,
            holdings: self.holdings.clone(),
            promised: self.holds.promised.clone(),
            traced: self.traced(),
        }));
    }

    /// The chain succeeded.
    pub fn keep_chain(&mut self) {
        self.journal = None;
    }

    /// The chain failed: all is as it was before it began.
    pub fn undo_chain(&mut self) {
        let Some(journal) = self.journal.take() else { return };
        let Journal { accounts, holds, wallets, holdings, promised, traced } = *journal;
        self.untrace(traced);
        for (slot, account) in accounts.into_iter().rev() {
            *self.at_mut(slot) = account;
        }
        for (id, hold) in holds.into_iter().rev() {
            self.holds.put(id, hold);
        }
        (self.wallets, self.holdings) = (wallets, holdings);
        self.holds.promised = promised;
    }
}

impl<C> Holds<C> {
    fn put(&mut self, id: CommandId, hold: Option<Hold>) {
        match hold {
            Some(hold) => self.insert(id, hold),
            None => drop(self.remove(id)),
        }
    }
}
