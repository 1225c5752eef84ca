//! The supply: all money by where it is, and whether the identities hold.

use crate::account::AccountKind;
use crate::ledger::Ledger;
use borsh::{BorshDeserialize, BorshSerialize};

/// All money of a ledger by where it is, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Supply {
    /// All M0, by the central bank's counter-account.
    pub backing: u128,
    /// Reserves of all banks.
    pub reserves: u128,
    /// Notes in all vaults.
    pub paper_vaults: u128,
    /// Notes in the public's hands.
    pub paper_public: u128,
    /// Digital cash in all banks' stocks.
    pub vaults: u128,
    /// Digital cash in all wallets.
    pub wallets: u128,
    /// Digital cash that backs bearer notes: as much as is out in them.
    pub bearer: u128,
    /// Money on its way to other ledgers.
    pub in_flight: u128,
    /// Deposits at all banks.
    pub deposits: u128,
    /// The counter-accounts of all deposits.
    pub bank_assets: u128,
    /// Whether M0 equals its backing, and each bank's deposits their counter-account.
    pub balanced: bool,
}

impl Supply {
    /// M0 by where it is held: everything but deposits.
    #[must_use]
    pub fn held(&self) -> u128 {
        let Self { reserves, paper_vaults, paper_public, vaults, wallets, bearer, .. } = self;
        [reserves, paper_vaults, paper_public, vaults, wallets, bearer]
            .into_iter()
            .fold(self.in_flight, |sum, one| sum.saturating_add(*one))
    }
}

impl<C> Ledger<C> {
    /// The supply, in time proportional to the number of banks and peers.
    #[must_use]
    pub fn supply(&self) -> Supply {
        let of_bank = |bank, kind| self.bank_account(bank, kind).map_or(0, |a| a.balance());
        let all = |kind| {
            self.banks()
                .map(|bank| u128::from(of_bank(bank, kind)))
                .fold(0_u128, u128::saturating_add)
        };
        let supply = Supply {
            backing: u128::from(self.at(Self::BACKING).balance()),
            reserves: all(AccountKind::Reserve),
            paper_vaults: all(AccountKind::PaperVault),
            paper_public: u128::from(self.at(Self::PAPER_PUBLIC).balance()),
            vaults: all(AccountKind::Vault),
            wallets: self.wallets_total(),
            bearer: self.bearer_total(),
            in_flight: self.in_flight_total(),
            deposits: all(AccountKind::Deposits),
            bank_assets: all(AccountKind::BankAssets),
            balanced: false,
        };
        let deposits_backed = self.banks().all(|bank| {
            of_bank(bank, AccountKind::BankAssets) == of_bank(bank, AccountKind::Deposits)
        });
        Supply { balanced: deposits_backed && supply.backing == supply.held(), ..supply }
    }
}
