//! What the wallets of a class at a bank hold together: the counter an aggregate cap is held
//! against. It follows every posting and every change of class.

use crate::chart::BankNumber;
use crate::ledger::{Ledger, Slot, WalletSlot};

impl<C: Copy + Ord> Ledger<C> {
    /// What all wallets of `class` at `bank` hold together, in minor units.
    #[must_use]
    pub fn held_by_class(&self, bank: BankNumber, class: C) -> u128 {
        self.holdings.get(&(bank, class)).copied().unwrap_or(0)
    }

    /// Every bank and class whose wallets hold anything, and how much in minor units.
    pub fn holdings(&self) -> impl Iterator<Item = ((BankNumber, C), u128)> {
        self.holdings.iter().map(|(of, held)| (*of, *held))
    }

    /// Gives a wallet another class, and moves what it holds from the one's sum to the other's.
    pub fn set_class(&mut self, wallet: WalletSlot, class: C) {
        let held = self.balance(wallet);
        let promised = self.at(wallet.0).held_in();
        self.wallet_debited(wallet.0, held);
        self.no_longer_promised(wallet.0, promised);
        if let Some(wallet) = &mut self.at_mut(wallet.0).wallet {
            wallet.class = class;
        }
        self.wallet_credited(wallet.0, held);
        self.promised(wallet.0, promised);
    }

    /// Takes `amount` from the running sums that a wallet counts in.
    pub(crate) fn wallet_debited(&mut self, slot: Slot, amount: u64) {
        self.wallets = self.wallets.saturating_sub(u128::from(amount));
        let Some(of) = self.class_at(slot) else { return };
        let Some(held) = self.holdings.get_mut(&of) else { return };
        *held = held.saturating_sub(u128::from(amount));
        // A sum of nothing is not kept, so that equal books have one encoding.
        if *held == 0 {
            self.holdings.remove(&of);
        }
    }

    /// Adds `amount` to the running sums that a wallet counts in.
    pub(crate) fn wallet_credited(&mut self, slot: Slot, amount: u64) {
        self.wallets = self.wallets.saturating_add(u128::from(amount));
        if let Some(of) = self.class_at(slot).filter(|_| amount > 0) {
            let held = self.holdings.entry(of).or_default();
            *held = held.saturating_add(u128::from(amount));
        }
    }

    /// What is held and promised to all wallets of `class` at `bank` together, in minor units.
    #[must_use]
    pub fn held_or_promised_by_class(&self, bank: BankNumber, class: C) -> u128 {
        let promised = self.holds.promised.get(&(bank, class)).copied().unwrap_or(0);
        self.held_by_class(bank, class).saturating_add(promised)
    }

    /// Adds `amount` to what is promised to the wallets of a wallet's class.
    pub(crate) fn promised(&mut self, slot: Slot, amount: u64) {
        if let Some(of) = self.class_at(slot).filter(|_| amount > 0) {
            let promised = self.holds.promised.entry(of).or_default();
            *promised = promised.saturating_add(u128::from(amount));
        }
    }

    /// Takes `amount` from what is promised to the wallets of a wallet's class.
    pub(crate) fn no_longer_promised(&mut self, slot: Slot, amount: u64) {
        let Some(of) = self.class_at(slot) else { return };
        if let Some(promised) = self.holds.promised.get_mut(&of) {
            *promised = promised.saturating_sub(u128::from(amount));
            if *promised == 0 {
                self.holds.promised.remove(&of);
            }
        }
    }

    /// Whether what goes from the one to the other leaves every running sum as it is.
    pub(crate) fn same_sums(&self, one: Slot, other: Slot) -> bool {
        let of = self.class_at(one);
        of.is_some() && of == self.class_at(other)
    }

    fn class_at(&self, slot: Slot) -> Option<(BankNumber, C)> {
        self.at(slot).wallet.as_ref().map(|wallet| (wallet.bank, wallet.class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exchange, Movement};
    use yufu_base::{AccountId, Timestamp};

    #[test]
    fn a_class_holds_what_its_wallets_hold_also_after_a_change_of_class() {
        let mut ledger = Ledger::<u8>::new(&"central-bank".parse().unwrap());
        let bank = BankNumber(1);
        ledger.open_bank(bank, &"bank".parse().unwrap()).unwrap();
        let mut open = |id, class| {
            ledger.open_wallet(AccountId::new(id), bank, class, Timestamp::default()).unwrap()
        };
        let (one, two) = (open(1, 4), open(2, 4));
        for movement in [Movement::CreateReserves, Movement::Issue, Movement::CreditDeposits] {
            let checked = ledger.check_movement(bank, movement, 100).unwrap().unwrap();
            ledger.commit(checked);
        }
        for (wallet, amount) in [(one, 30), (two, 12)] {
            let fill = Exchange::DepositToDigital(wallet);
            let checked = ledger.check_exchange(bank, fill, amount).unwrap().unwrap();
            ledger.commit(checked);
        }
        assert_eq!(ledger.held_by_class(bank, 4), 42);
        ledger.set_class(one, 3);
        assert_eq!((ledger.held_by_class(bank, 4), ledger.held_by_class(bank, 3)), (12, 30));
        ledger.set_class(two, 3);
        assert_eq!(ledger.holdings().collect::<Vec<_>>(), [((bank, 3), 42)]);
        assert_eq!(ledger.supply().wallets, 42);
    }
}
