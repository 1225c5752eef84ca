//! What backs bearer notes: digital cash that left a wallet for notes of a bank, and lies in one
//! account of that bank until notes come back. Who holds the notes no account says.

use crate::account::{Account, AccountKind};
use crate::chart::{BankNumber, ChartError, institution_account};
use crate::ledger::{Ledger, Slot, WalletSlot};
use crate::posting::{Checked, Linked, PostingError, can_give, must_fit};
use crate::spending::Period;
use yufu_base::InstitutionId;

/// What is done with the money behind the notes of one bank, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Whose notes come back.
    pub bank: BankNumber,
    /// Where what they are worth goes, and how much; `None` where it stays for new notes of the
    /// same bank.
    pub to: Option<(BearerTo, u64)>,
    /// What the bank keeps for it.
    pub fee: u64,
}

/// Where the money behind notes goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerTo {
    /// Into a wallet.
    Wallet(WalletSlot),
    /// Behind the notes of another bank.
    Bank(BankNumber),
}

/// Postings every rule of the ledger has admitted, good for the state they were checked against.
#[derive(Debug)]
#[must_use = "what was checked changes nothing until it is committed"]
pub struct CheckedBacking([Option<Checked>; 2]);

impl<C> Ledger<C> {
    /// Opens the account of what backs a bank's notes, if it is not open yet.
    ///
    /// # Errors
    /// [`ChartError`], the first in the order of its variants; nothing changes then.
    pub fn open_bearer(
        &mut self,
        bank: BankNumber,
        name: &InstitutionId,
    ) -> Result<(), ChartError> {
        if self.bearer.contains_key(&bank) {
            return Ok(());
        }
        if self.desk(bank).is_none() {
            return Err(ChartError::BankUnknown);
        }
        let id = institution_account(name, AccountKind::BearerNotes);
        if self.account(id).is_some() {
            return Err(ChartError::AccountExists(id));
        }
        let [slot] = self.free_slots().ok_or(ChartError::Full)?;
        self.put(slot, id, Account::institutional(AccountKind::BearerNotes));
        self.bearer.insert(bank, slot);
        Ok(())
    }

    /// Finds the account of what backs a bank's notes in books that were read back; whether it is
    /// there.
    pub fn restore_bearer(&mut self, bank: BankNumber, name: &InstitutionId) -> bool {
        let id = institution_account(name, AccountKind::BearerNotes);
        let found = self.slot(id).filter(|slot| self.at(*slot).kind == AccountKind::BearerNotes);
        found.map(|slot| self.bearer.insert(bank, slot)).is_some()
    }

    /// What backs a bank's notes, in minor units; `None` if it has no account for that.
    #[must_use]
    pub fn bearer_of(&self, bank: BankNumber) -> Option<u64> {
        self.bearer.get(&bank).map(|slot| self.at(*slot).balance())
    }

    /// All that backs notes, in minor units.
    pub(crate) fn bearer_total(&self) -> u128 {
        let balances = self.bearer.values().map(|slot| self.at(*slot).balance());
        balances.map(u128::from).fold(0, u128::saturating_add)
    }

    /// Checks that `amount` minor units leave a wallet for notes of a bank; they count as spent.
    /// `None` if the bank has no account for that.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_withdrawal(
        &self,
        payer: WalletSlot,
        bank: BankNumber,
        amount: u64,
        now: Period,
    ) -> Option<Result<Checked, PostingError>> {
        let notes = *self.bearer.get(&bank)?;
        let check = || {
            let checked = self.check(Linked::one(payer.0, notes), amount)?;
            Ok(match self.spent_more(payer, amount, now)? {
                Some((wallet, spending)) => checked.counting(wallet, spending),
                None => checked,
            })
        };
        Some(check())
    }

    /// Checks what is done with the money behind notes that come back. `None` if one of the banks
    /// has no account for that.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_backing(&self, backing: Backing) -> Option<Result<CheckedBacking, PostingError>> {
        let (notes, vault) = (*self.bearer.get(&backing.bank)?, self.desk(backing.bank)?.vault);
        let to = match backing.to {
            Some((BearerTo::Wallet(wallet), amount)) => Some((wallet.0, amount)),
            Some((BearerTo::Bank(bank), amount)) => Some((*self.bearer.get(&bank)?, amount)),
            None => None,
        };
        let parts = [to.filter(|(slot, _)| *slot != notes), Some((vault, backing.fee))];
        Some(self.checked_parts(notes, parts.map(|part| part.filter(|(_, amount)| *amount > 0))))
    }

    /// Checks parts that leave one account together.
    fn checked_parts(
        &self,
        from: Slot,
        parts: [Option<(Slot, u64)>; 2],
    ) -> Result<CheckedBacking, PostingError> {
        let giving = self.at(from);
        let sum = parts.iter().flatten().try_fold(0_u64, |sum, (_, part)| sum.checked_add(*part));
        let sum = sum.ok_or(PostingError::OutOfRange(giving.kind))?;
        can_give(giving, true, sum)?;
        must_fit(giving.kind, giving.debits, giving.held_out(), sum)?;
        for (to, part) in parts.iter().flatten() {
            let getting = self.at(*to);
            must_fit(getting.kind, getting.credits, self.coming_to(*to), *part)?;
        }
        let posting = |(to, part)| Checked::admitted(Linked::one(from, to), part);
        Ok(CheckedBacking(parts.map(|part| part.map(posting))))
    }
}

impl<C: Copy + Ord> Ledger<C> {
    /// Posts what was checked, at once.
    pub fn commit_backing(&mut self, checked: CheckedBacking) {
        for posting in checked.0.into_iter().flatten() {
            self.commit(posting);
        }
    }

    /// What was still out of notes that are over is nobody's claim any more: that much M0 ceases to
    /// be, as with paper notes that were called in. What would not fit the counter-account stays.
    pub fn cancel_bearer(&mut self, bank: BankNumber, amount: u64) {
        let Some(notes) = self.bearer.get(&bank).copied().filter(|_| amount > 0) else { return };
        if let Ok(checked) = self.check(Linked::one(notes, Self::BACKING), amount) {
            self.commit(checked);
        }
    }
}

#[cfg(test)]
mod tests;
