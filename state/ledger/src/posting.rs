//! Linked postings: one or two entries that succeed or fail together. Checking gives a
//! [`Checked`] value that only the ledger makes; committing one cannot fail.

use crate::account::{Account, AccountKind};
use crate::ledger::{Ledger, Slot};
use crate::spending::Spending;

/// Why a linked posting was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// An account that is to give holds less than it is to give.
    #[error("{words} holds {available}, and {requested} is to be taken", words = account.words())]
    InsufficientFunds {
        /// The kind of account that holds too little.
        account: AccountKind,
        /// What it holds, in minor units.
        available: u64,
        /// What was to be taken, in minor units.
        requested: u64,
    },
    /// The turnover of an account would not fit 64 bits.
    #[error("the turnover of {words} would pass 2^64 minor units", words = .0.words())]
    OutOfRange(AccountKind),
}

/// One debit and one credit of the same amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) debit: Slot,
    pub(crate) credit: Slot,
}

/// Entries that succeed or fail together, all of one amount. No account stands in them twice
/// (a test over every movement of the chart holds it), so each can be checked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) first: Entry,
    pub(crate) second: Option<Entry>,
}

/// A posting every rule of the ledger has admitted, good for the state it was checked against.
#[derive(Debug)]
#[must_use = "a checked posting changes nothing until it is committed"]
pub struct Checked {
    linked: Linked,
    amount: u64,
    /// At most the paying wallet and the one it belongs to.
    spending: [Option<(Slot, Spending)>; 2],
}

impl Linked {
    pub(crate) const fn one(debit: Slot, credit: Slot) -> Self {
        Self { first: Entry { debit, credit }, second: None }
    }

    pub(crate) const fn and(self, debit: Slot, credit: Slot) -> Self {
        Self { first: self.first, second: Some(Entry { debit, credit }) }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        std::iter::once(self.first).chain(self.second)
    }
}

impl Checked {
    pub(crate) fn counting(self, wallet: Slot, spending: Spending) -> Self {
        let [first, _] = self.spending;
        let counted = Some((wallet, spending));
        let spending = if first.is_none() { [counted, None] } else { [first, counted] };
        Self { spending, ..self }
    }
}

impl<C> Ledger<C> {
    pub(crate) fn check(&self, linked: Linked, amount: u64) -> Result<Checked, PostingError> {
        for entry in linked.entries() {
            let (debit, credit) = (self.at(entry.debit), self.at(entry.credit));
            can_give(debit, !debit.kind.debit_balanced(), amount)?;
            can_give(credit, credit.kind.debit_balanced(), amount)?;
            let fits = |sum: u64| sum.checked_add(amount).is_some();
            if !fits(debit.debits) {
                return Err(PostingError::OutOfRange(debit.kind));
            }
            if !fits(credit.credits) {
                return Err(PostingError::OutOfRange(credit.kind));
            }
        }
        Ok(Checked { linked, amount, spending: [None, None] })
    }
}

impl<C: Copy + Ord> Ledger<C> {
    /// Posts what was checked. To be called at once: a posting checked against an earlier state
    /// of the books may overdraw.
    pub fn commit(&mut self, checked: Checked) {
        let Checked { linked, amount, spending } = checked;
        for entry in linked.entries() {
            let account = self.at_mut(entry.debit);
            account.debits = account.debits.saturating_add(amount);
            if account.kind == AccountKind::Wallet {
                self.wallet_debited(entry.debit, amount);
            }
            let account = self.at_mut(entry.credit);
            account.credits = account.credits.saturating_add(amount);
            if account.kind == AccountKind::Wallet {
                self.wallet_credited(entry.credit, amount);
            }
        }
        for (slot, spending) in spending.into_iter().flatten() {
            if let Some(wallet) = &mut self.at_mut(slot).wallet {
                wallet.spending = spending;
            }
        }
    }
}

/// An account gives when it is posted against its own side.
fn can_give<C>(account: &Account<C>, gives: bool, amount: u64) -> Result<(), PostingError> {
    let available = account.balance();
    if gives && available < amount {
        return Err(PostingError::InsufficientFunds {
            account: account.kind,
            available,
            requested: amount,
        });
    }
    Ok(())
}
