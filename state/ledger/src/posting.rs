//! Linked postings: one or two entries that succeed or fail together. Checking gives a
//! [`Checked`] value that only the ledger makes; committing one cannot fail.

use crate::account::{Account, AccountKind};
use crate::ledger::{Ledger, Slot};
use crate::spending::Spending;
use borsh::{BorshDeserialize, BorshSerialize};

/// Why a linked posting was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// An account that is to give holds less than it is to give.
    #[error("{words} holds {available}, and {requested} is to be taken", words = account.words())]
    InsufficientFunds {
        /// The kind of account that holds too little.
        account: AccountKind,
        /// What it holds that is not promised to others, in minor units.
        available: u64,
        /// What was to be taken, in minor units.
        requested: u64,
    },
    /// The turnover of an account would not fit 64 bits.
    #[error("the turnover of {words} would pass 2^64 minor units", words = .0.words())]
    OutOfRange(AccountKind),
}

/// One debit and one credit of the same amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Entry {
    pub(crate) debit: Slot,
    pub(crate) credit: Slot,
}

/// Entries that succeed or fail together, all of one amount. No account stands in them twice
/// (a test over every movement of the chart holds it), so each can be checked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
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

/// What was posted: enough to post it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Posted(pub(crate) Linked);

impl Linked {
    /// The same entries, each the other way round.
    const fn reversed(self) -> Self {
        const fn back(entry: Entry) -> Entry {
            Entry { debit: entry.credit, credit: entry.debit }
        }
        let second = match self.second {
            Some(entry) => Some(back(entry)),
            None => None,
        };
        Self { first: back(self.first), second }
    }
}

impl Checked {
    /// What committing it posts.
    #[must_use]
    pub const fn posted(&self) -> Posted {
        Posted(self.linked)
    }

    /// Of what was checked otherwise: held before, or together with more.
    pub(crate) const fn admitted(linked: Linked, amount: u64) -> Self {
        Self { linked, amount, spending: [None, None] }
    }

    pub(crate) fn counting(self, wallet: Slot, spending: Spending) -> Self {
        let [first, _] = self.spending;
        let counted = Some((wallet, spending));
        let spending = if first.is_none() { [counted, None] } else { [first, counted] };
        Self { spending, ..self }
    }
}

impl<C> Ledger<C> {
    /// Checks that `amount` minor units of what was posted go back the way they came.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_back(&self, posted: Posted, amount: u64) -> Result<Checked, PostingError> {
        self.check(posted.0.reversed(), amount)
    }

    pub(crate) fn check(&self, linked: Linked, amount: u64) -> Result<Checked, PostingError> {
        for entry in linked.entries() {
            let (debit, credit) = (self.at(entry.debit), self.at(entry.credit));
            can_give(debit, !debit.kind.debit_balanced(), amount)?;
            can_give(credit, credit.kind.debit_balanced(), amount)?;
            must_fit(debit.kind, debit.debits, debit.held_out(), amount)?;
            must_fit(credit.kind, credit.credits, self.coming_to(entry.credit), amount)?;
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
            let within = self.same_sums(entry.debit, entry.credit);
            let account = self.at_mut(entry.debit);
            account.debits = account.debits.saturating_add(amount);
            if account.kind == AccountKind::Wallet && !within {
                self.wallet_debited(entry.debit, amount);
            }
            let account = self.at_mut(entry.credit);
            account.credits = account.credits.saturating_add(amount);
            if account.kind == AccountKind::Wallet && !within {
                self.wallet_credited(entry.credit, amount);
            }
            if self.trace.is_some() {
                self.note(entry, amount);
            }
        }
        for (slot, spending) in spending.into_iter().flatten() {
            if let Some(wallet) = &mut self.at_mut(slot).wallet {
                wallet.spending = spending;
            }
        }
    }
}

/// A turnover has to fit with what is promised, so that what is promised can always be posted.
pub(crate) fn must_fit(
    kind: AccountKind,
    turnover: u64,
    held: u64,
    amount: u64,
) -> Result<(), PostingError> {
    let sum = turnover.checked_add(held).and_then(|sum| sum.checked_add(amount));
    sum.map(|_| ()).ok_or(PostingError::OutOfRange(kind))
}

/// An account gives when it is posted against its own side.
pub(crate) fn can_give<C>(
    account: &Account<C>,
    gives: bool,
    amount: u64,
) -> Result<(), PostingError> {
    let available = account.available();
    if gives && available < amount {
        return Err(PostingError::InsufficientFunds {
            account: account.kind,
            available,
            requested: amount,
        });
    }
    Ok(())
}
