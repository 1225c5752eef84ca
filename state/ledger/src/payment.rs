//! A payment from wallet to wallet, counted in what the payer has spent; and money that only
//! changes places between wallets of one holder, which counts as no payment.

use crate::AccountKind;
use crate::ledger::{Ledger, Slot, WalletSlot};
use crate::posting::{Checked, Linked, PostingError};
use crate::spending::{Period, Spending};

impl<C> Ledger<C> {
    /// Checks a payment of `amount` minor units in the period `now` between two different wallets.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_payment(
        &self,
        payer: WalletSlot,
        payee: WalletSlot,
        amount: u64,
        now: Period,
    ) -> Result<Checked, PostingError> {
        let checked = self.check(Linked::one(payer.0, payee.0), amount)?;
        self.counted(checked, payer, amount, now)
    }

    /// Checks a payment that counts for two wallets: the one that pays, and the one it belongs to.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_payment_below(
        &self,
        (payer, above): (WalletSlot, WalletSlot),
        payee: WalletSlot,
        amount: u64,
        now: Period,
    ) -> Result<Checked, PostingError> {
        let checked = self.check_payment(payer, payee, amount, now)?;
        self.counted(checked, above, amount, now)
    }

    /// Checks that `amount` minor units change places between two wallets of one holder.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_transfer(
        &self,
        from: WalletSlot,
        to: WalletSlot,
        amount: u64,
    ) -> Result<Checked, PostingError> {
        self.check(Linked::one(from.0, to.0), amount)
    }

    fn counted(
        &self,
        checked: Checked,
        wallet: WalletSlot,
        amount: u64,
        now: Period,
    ) -> Result<Checked, PostingError> {
        Ok(match self.spent_more(wallet, amount, now)? {
            Some((wallet, spending)) => checked.counting(wallet, spending),
            None => checked,
        })
    }

    /// The counters of a wallet after `amount` more was spent in `period`.
    pub(crate) fn spent_more(
        &self,
        wallet: WalletSlot,
        amount: u64,
        period: Period,
    ) -> Result<Option<(Slot, Spending)>, PostingError> {
        let Some(found) = &self.at(wallet.0).wallet else { return Ok(None) };
        let spending = found.spending.plus(period, amount);
        let spending = spending.ok_or(PostingError::OutOfRange(AccountKind::Wallet))?;
        Ok(Some((wallet.0, spending)))
    }
}
