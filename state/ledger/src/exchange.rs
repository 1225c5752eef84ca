//! The cash desk: paper, digital cash and deposits exchanged at par, each an atomic pair of
//! entries, so that what the public holds in all three together stays the same.

use crate::chart::{BankNumber, Desk};
use crate::ledger::{Ledger, Slot, WalletSlot};
use crate::posting::{Checked, Linked, PostingError};

/// An exchange at a bank's desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Notes in, digital cash into the wallet.
    PaperToDigital(WalletSlot),
    /// Digital cash from the wallet, notes out.
    DigitalToPaper(WalletSlot),
    /// From a deposit into the wallet.
    DepositToDigital(WalletSlot),
    /// From the wallet into a deposit.
    DigitalToDeposit(WalletSlot),
    /// Notes in, into a deposit.
    PaperToDeposit,
    /// From a deposit, notes out.
    DepositToPaper,
}

impl<C> Ledger<C> {
    /// Checks an exchange of `amount` minor units; `None` if the bank has no accounts here.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_exchange(
        &self,
        bank: BankNumber,
        exchange: Exchange,
        amount: u64,
    ) -> Option<Result<Checked, PostingError>> {
        Some(self.check(self.exchange(self.desk(bank)?, exchange), amount))
    }

    fn exchange(&self, desk: &Desk, exchange: Exchange) -> Linked {
        // Each side of an exchange is one entry: value in from the public, value out to it.
        let paper_in: (Slot, Slot) = (Self::PAPER_PUBLIC, desk.paper_vault);
        let paper_out = (desk.paper_vault, Self::PAPER_PUBLIC);
        let deposit_in = (desk.deposits, desk.bank_assets);
        let deposit_out = (desk.bank_assets, desk.deposits);
        let (taken, given) = match exchange {
            Exchange::PaperToDigital(wallet) => (paper_in, (desk.vault, wallet.0)),
            Exchange::DigitalToPaper(wallet) => ((wallet.0, desk.vault), paper_out),
            Exchange::DepositToDigital(wallet) => (deposit_in, (desk.vault, wallet.0)),
            Exchange::DigitalToDeposit(wallet) => ((wallet.0, desk.vault), deposit_out),
            Exchange::PaperToDeposit => (paper_in, deposit_out),
            Exchange::DepositToPaper => (deposit_in, paper_out),
        };
        Linked::one(taken.0, taken.1).and(given.0, given.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKind, Movement};
    use std::collections::BTreeSet;
    use yufu_base::AccountId;

    const BANK: BankNumber = BankNumber(1);

    fn stocked() -> (Ledger<u8>, WalletSlot) {
        let mut ledger = Ledger::new(&"central-bank".parse().unwrap());
        ledger.open_bank(BANK, &"bank".parse().unwrap()).unwrap();
        let wallet = ledger
            .open_wallet(AccountId::new(7), BANK, 4, yufu_base::Timestamp::default())
            .unwrap();
        for (movement, amount) in [
            (Movement::CreateReserves, 1000),
            (Movement::Issue, 300),
            (Movement::SupplyPaper, 300),
            (Movement::CreditDeposits, 200),
        ] {
            let checked = ledger.check_movement(BANK, movement, amount).unwrap().unwrap();
            ledger.commit(checked);
        }
        for exchange in [Exchange::DepositToPaper, Exchange::DepositToDigital(wallet)] {
            let checked = ledger.check_exchange(BANK, exchange, 60).unwrap().unwrap();
            ledger.commit(checked);
        }
        (ledger, wallet)
    }

    fn all(wallet: WalletSlot) -> [Exchange; 6] {
        [
            Exchange::PaperToDigital(wallet),
            Exchange::DigitalToPaper(wallet),
            Exchange::DepositToDigital(wallet),
            Exchange::DigitalToDeposit(wallet),
            Exchange::PaperToDeposit,
            Exchange::DepositToPaper,
        ]
    }

    /// Paper, digital cash and deposits in the public's hands.
    fn held_by_the_public(ledger: &Ledger<u8>) -> [u128; 3] {
        let supply = ledger.supply();
        [supply.paper_public, supply.wallets, supply.deposits]
    }

    #[test]
    fn an_exchange_moves_the_public_from_one_form_of_money_to_another() {
        let (start, wallet) = stocked();
        assert_eq!(held_by_the_public(&start), [60, 60, 80]);
        let after =
            [[50, 70, 80], [70, 50, 80], [60, 70, 70], [60, 50, 90], [50, 60, 90], [70, 60, 70]];
        for (exchange, held) in all(wallet).into_iter().zip(after) {
            let mut ledger = start.clone();
            let checked = ledger.check_exchange(BANK, exchange, 10).unwrap().unwrap();
            ledger.commit(checked);
            assert_eq!(held_by_the_public(&ledger), held, "{exchange:?}");
            assert!(ledger.supply().balanced, "{exchange:?}");
        }
    }

    #[test]
    fn an_exchange_takes_no_more_than_either_side_holds() {
        let (ledger, wallet) = stocked();
        let short = [
            (61, AccountKind::PaperPublic),
            (61, AccountKind::Wallet),
            (81, AccountKind::Deposits),
            (61, AccountKind::Wallet),
            (61, AccountKind::PaperPublic),
            (81, AccountKind::Deposits),
        ];
        for (exchange, (requested, account)) in all(wallet).into_iter().zip(short) {
            let refused = ledger.check_exchange(BANK, exchange, requested).unwrap().unwrap_err();
            let available = requested - 1;
            let expected = PostingError::InsufficientFunds { account, available, requested };
            assert_eq!(refused, expected, "{exchange:?}");
        }
    }

    #[test]
    fn a_bank_gives_out_no_more_cash_than_it_has() {
        let (mut ledger, wallet) = stocked();
        for (movement, amount) in
            [(Movement::Redeem, 240), (Movement::ReturnPaper, 240), (Movement::CreditDeposits, 999)]
        {
            let checked = ledger.check_movement(BANK, movement, amount).unwrap().unwrap();
            ledger.commit(checked);
        }
        for (exchange, account) in [
            (Exchange::DepositToDigital(wallet), AccountKind::Vault),
            (Exchange::DepositToPaper, AccountKind::PaperVault),
        ] {
            let refused = ledger.check_exchange(BANK, exchange, 1).unwrap().unwrap_err();
            let expected = PostingError::InsufficientFunds { account, available: 0, requested: 1 };
            assert_eq!(refused, expected, "{exchange:?}");
        }
    }

    #[test]
    fn no_account_stands_twice_in_a_linked_posting() {
        let (ledger, wallet) = stocked();
        for exchange in all(wallet) {
            let linked = ledger.exchange(ledger.desk(BANK).unwrap(), exchange);
            let slots: Vec<Slot> = linked.entries().flat_map(|e| [e.debit, e.credit]).collect();
            assert_eq!(slots.len(), 4);
            assert_eq!(slots.iter().collect::<BTreeSet<_>>().len(), 4, "{exchange:?}");
        }
    }

    #[test]
    fn a_bank_without_accounts_has_no_desk() {
        let (ledger, _) = stocked();
        assert!(ledger.check_exchange(BankNumber(2), Exchange::PaperToDeposit, 1).is_none());
    }
}
