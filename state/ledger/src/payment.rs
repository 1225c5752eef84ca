//! A payment from wallet to wallet, counted in what the payer has spent.

use crate::AccountKind;
use crate::ledger::{Ledger, WalletSlot};
use crate::posting::{Checked, Linked, PostingError};
use crate::spending::Period;

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
        match &self.at(payer.0).wallet {
            Some(wallet) => {
                let spending = wallet.spending.plus(now, amount);
                let spending = spending.ok_or(PostingError::OutOfRange(AccountKind::Wallet))?;
                Ok(checked.counting(payer.0, spending))
            }
            None => Ok(checked),
        }
    }
}
