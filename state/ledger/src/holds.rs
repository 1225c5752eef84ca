//! Pending transfers between wallets: first held, then posted in full or in part, released, or
//! lapsed when their time is over. What is held is neither the payer's to spend nor the payee's yet.

use crate::chart::BankNumber;
use crate::ledger::{Ledger, Slot, WalletSlot};
use crate::posting::{Checked, Linked, PostingError, can_give, must_fit};
use crate::spending::{Period, Spending};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{CommandId, Timestamp};

/// What a hold is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum HoldPurpose {
    /// A payment whose amount is not final yet.
    Payment,
    /// A payment is disputed: its payee's money is held until that is decided.
    Dispute {
        /// The payment.
        of: CommandId,
    },
}

/// A pending transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hold {
    payer: Slot,
    payee: Slot,
    amount: u64,
    /// When it was counted as spent, and for which wallet above the payer's; `None` if it was not.
    counted: Option<(Period, Option<Slot>)>,
    expires: Timestamp,
    purpose: HoldPurpose,
}

impl Hold {
    /// Whose money is held.
    #[must_use]
    pub const fn payer(&self) -> WalletSlot {
        WalletSlot(self.payer)
    }

    /// Who gets it.
    #[must_use]
    pub const fn payee(&self) -> WalletSlot {
        WalletSlot(self.payee)
    }

    /// The wallet above the payer's, if it counts for that one too.
    pub(crate) fn above(&self) -> Option<WalletSlot> {
        self.counted.and_then(|(_, above)| above).map(WalletSlot)
    }

    /// How much is held, in minor units.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// From when on it has lapsed.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> HoldPurpose {
        self.purpose
    }
}

/// All that are pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holds<C> {
    by_id: BTreeMap<CommandId, Hold>,
    due: BTreeSet<(Timestamp, CommandId)>,
    /// What is promised to all wallets of a class at a bank together.
    pub(crate) promised: BTreeMap<(BankNumber, C), u128>,
}

impl<C> Default for Holds<C> {
    fn default() -> Self {
        Self { by_id: BTreeMap::new(), due: BTreeSet::new(), promised: BTreeMap::new() }
    }
}

impl<C> Holds<C> {
    pub(crate) fn insert(&mut self, id: CommandId, hold: Hold) {
        self.by_id.insert(id, hold);
        self.due.insert((hold.expires, id));
    }

    pub(crate) fn remove(&mut self, id: CommandId) -> Option<Hold> {
        let hold = self.by_id.remove(&id)?;
        self.due.remove(&(hold.expires, id));
        Some(hold)
    }
}

/// A hold every rule of the ledger has admitted, good for the state it was checked against.
#[derive(Debug)]
#[must_use = "a checked hold changes nothing until it is committed"]
pub struct CheckedHold {
    hold: Hold,
    spending: [Option<(Slot, Spending)>; 2],
}

impl<C> Ledger<C> {
    /// Checks that `amount` minor units of the payer are held for the payee until `expires`, and
    /// counted as spent in the period `counted`, for the wallet above the payer's too.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_hold(
        &self,
        (payer, payee): (WalletSlot, WalletSlot),
        amount: u64,
        counted: Option<(Period, Option<WalletSlot>)>,
        (expires, purpose): (Timestamp, HoldPurpose),
    ) -> Result<CheckedHold, PostingError> {
        let (from, to) = (self.at(payer.0), self.at(payee.0));
        can_give(from, true, amount)?;
        must_fit(from.kind, from.debits, from.held_out(), amount)?;
        must_fit(to.kind, to.credits, to.held_in(), amount)?;
        let above = counted.and_then(|(_, above)| above);
        let spent = |wallet: WalletSlot| match counted {
            Some((period, _)) => self.spent_more(wallet, amount, period),
            None => Ok(None),
        };
        let spending = [spent(payer)?, above.map(spent).transpose()?.flatten()];
        let period = spending.iter().flatten().next().map(|(_, spending)| spending.period());
        let counted = period.map(|period| (period, above.map(|above| above.0)));
        let (payer, payee) = (payer.0, payee.0);
        Ok(CheckedHold { hold: Hold { payer, payee, amount, counted, expires, purpose }, spending })
    }

    /// A pending transfer by its id.
    #[must_use]
    pub fn hold(&self, id: CommandId) -> Option<&Hold> {
        self.holds.by_id.get(&id)
    }

    /// All that are pending, ordered by id.
    pub fn holds(&self) -> impl ExactSizeIterator<Item = (CommandId, &Hold)> {
        self.holds.by_id.iter().map(|(id, hold)| (*id, hold))
    }

    /// The pending transfer that lapses first, if it has by `now`.
    #[must_use]
    pub fn lapsed_hold(&self, now: Timestamp) -> Option<(CommandId, Hold)> {
        let (expires, id) = self.holds.due.first()?;
        (*expires <= now).then_some(())?;
        Some((*id, *self.hold(*id)?))
    }
}

impl<C: Copy + Ord> Ledger<C> {
    /// Holds what was checked, at once, under an id that no other hold has.
    pub fn commit_hold(&mut self, id: CommandId, checked: CheckedHold) {
        let CheckedHold { hold, spending } = checked;
        self.reserve(&hold);
        for (slot, spending) in spending.into_iter().flatten() {
            if let Some(wallet) = &mut self.at_mut(slot).wallet {
                wallet.spending = spending;
            }
        }
        self.note_hold(id);
        self.holds.insert(id, hold);
    }

    /// Posts `amount` minor units of a hold, at most what it holds, and releases the rest.
    /// `None` if nothing is pending under the id.
    pub fn post_hold(&mut self, id: CommandId, amount: u64) -> Option<Hold> {
        let hold = self.end_hold(id)?;
        let amount = amount.min(hold.amount);
        // What was held could be given, and was left room for.
        let linked = Linked::one(hold.payer, hold.payee);
        self.commit(Checked::admitted(linked, amount));
        self.give_back(&hold, hold.amount.saturating_sub(amount));
        Some(hold)
    }

    /// Releases a hold: nothing moves. `None` if nothing is pending under the id.
    pub fn release_hold(&mut self, id: CommandId) -> Option<Hold> {
        let hold = self.end_hold(id)?;
        self.give_back(&hold, hold.amount);
        Some(hold)
    }

    /// Puts back what [`Ledger::holds`] gave, into books that were read back.
    pub fn restore_holds(&mut self, holds: impl IntoIterator<Item = (CommandId, Hold)>) {
        for (id, hold) in holds {
            self.reserve(&hold);
            self.holds.insert(id, hold);
        }
    }

    fn reserve(&mut self, hold: &Hold) {
        if let Some(wallet) = &mut self.at_mut(hold.payer).wallet {
            wallet.held_out = wallet.held_out.saturating_add(hold.amount);
        }
        if let Some(wallet) = &mut self.at_mut(hold.payee).wallet {
            wallet.held_in = wallet.held_in.saturating_add(hold.amount);
        }
        self.promised(hold.payee, hold.amount);
    }

    fn end_hold(&mut self, id: CommandId) -> Option<Hold> {
        self.note_hold(id);
        let hold = self.holds.remove(id)?;
        if let Some(wallet) = &mut self.at_mut(hold.payer).wallet {
            wallet.held_out = wallet.held_out.saturating_sub(hold.amount);
        }
        if let Some(wallet) = &mut self.at_mut(hold.payee).wallet {
            wallet.held_in = wallet.held_in.saturating_sub(hold.amount);
        }
        self.no_longer_promised(hold.payee, hold.amount);
        Some(hold)
    }

    /// What was counted as spent and was not is counted no longer.
    fn give_back(&mut self, hold: &Hold, amount: u64) {
        let Some((period, above)) = hold.counted else { return };
        for slot in std::iter::once(hold.payer).chain(above) {
            if let Some(wallet) = &mut self.at_mut(slot).wallet {
                wallet.spending = wallet.spending.minus(period, amount);
            }
        }
    }

    fn note_hold(&mut self, id: CommandId) {
        let known = self.holds.by_id.get(&id).copied();
        if let Some(journal) = &mut self.journal {
            journal.hold(id, known);
        }
    }
}

#[cfg(test)]
mod tests;
