//! Movements between the central bank and a bank, and the credit a bank gives its depositors.

use crate::chart::BankNumber;
use crate::ledger::Ledger;
use crate::posting::{Checked, Linked, PostingError};
use borsh::{BorshDeserialize, BorshSerialize};

/// A movement between institutions' own accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Movement {
    /// New M0 as reserves of a bank: backing to reserves.
    CreateReserves,
    /// Reserves cease to exist: reserves to backing.
    CancelReserves,
    /// Digital cash against reserves: reserves to the bank's vault.
    Issue,
    /// Digital cash back into reserves: vault to reserves.
    Redeem,
    /// Notes against reserves: reserves to the bank's paper vault.
    SupplyPaper,
    /// Notes back into reserves: paper vault to reserves.
    ReturnPaper,
    /// The bank credits its depositors (it lends): bank assets to deposits.
    CreditDeposits,
}

impl<C> Ledger<C> {
    /// Checks a movement of `amount` minor units for a bank; `None` if it has no accounts here.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_movement(
        &self,
        bank: BankNumber,
        movement: Movement,
        amount: u64,
    ) -> Option<Result<Checked, PostingError>> {
        Some(self.check(self.movement(bank, movement)?, amount))
    }

    pub(crate) fn movement(&self, bank: BankNumber, movement: Movement) -> Option<Linked> {
        let desk = self.desk(bank)?;
        Some(match movement {
            Movement::CreateReserves => Linked::one(Self::BACKING, desk.reserve),
            Movement::CancelReserves => Linked::one(desk.reserve, Self::BACKING),
            Movement::Issue => Linked::one(desk.reserve, desk.vault),
            Movement::Redeem => Linked::one(desk.vault, desk.reserve),
            Movement::SupplyPaper => Linked::one(desk.reserve, desk.paper_vault),
            Movement::ReturnPaper => Linked::one(desk.paper_vault, desk.reserve),
            Movement::CreditDeposits => Linked::one(desk.bank_assets, desk.deposits),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKind, BankNumber};

    const BANK: BankNumber = BankNumber(1);

    fn ledger() -> Ledger<u8> {
        let mut ledger = Ledger::new(&"central-bank".parse().unwrap());
        ledger.open_bank(BANK, &"bank".parse().unwrap()).unwrap();
        ledger
    }

    fn post(ledger: &mut Ledger<u8>, movement: Movement, amount: u64) -> Result<(), PostingError> {
        let checked = ledger.check_movement(BANK, movement, amount).unwrap()?;
        ledger.commit(checked);
        Ok(())
    }

    #[test]
    fn issuance_moves_reserves_into_vaults_and_back_and_creates_nothing() {
        let mut ledger = ledger();
        post(&mut ledger, Movement::CreateReserves, 100).unwrap();
        post(&mut ledger, Movement::Issue, 40).unwrap();
        post(&mut ledger, Movement::SupplyPaper, 30).unwrap();
        let supply = ledger.supply();
        assert_eq!((supply.backing, supply.reserves), (100, 30));
        assert_eq!((supply.vaults, supply.paper_vaults), (40, 30));
        post(&mut ledger, Movement::Redeem, 40).unwrap();
        post(&mut ledger, Movement::ReturnPaper, 30).unwrap();
        post(&mut ledger, Movement::CancelReserves, 100).unwrap();
        assert_eq!(ledger.supply().held(), 0);
        assert!(ledger.supply().balanced);
    }

    #[test]
    fn what_is_moved_must_be_there() {
        for (movement, account) in [
            (Movement::CancelReserves, AccountKind::Reserve),
            (Movement::Issue, AccountKind::Reserve),
            (Movement::Redeem, AccountKind::Vault),
            (Movement::SupplyPaper, AccountKind::Reserve),
            (Movement::ReturnPaper, AccountKind::PaperVault),
        ] {
            let expected = PostingError::InsufficientFunds { account, available: 0, requested: 1 };
            assert_eq!(post(&mut ledger(), movement, 1), Err(expected));
        }
    }

    #[test]
    fn turnover_beyond_64_bits_is_refused_and_changes_nothing() {
        let mut ledger = ledger();
        post(&mut ledger, Movement::CreateReserves, u64::MAX).unwrap();
        post(&mut ledger, Movement::CancelReserves, 1).unwrap();
        let before = ledger.clone();
        assert_eq!(
            post(&mut ledger, Movement::CreateReserves, 1),
            Err(PostingError::OutOfRange(AccountKind::Backing))
        );
        assert_eq!(ledger, before);
    }
}
