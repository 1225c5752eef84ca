//! One account: what it is for, and the sums of what was debited and credited to it.

use crate::chart::BankNumber;
use crate::spending::Spending;
use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{AccountId, Timestamp};

/// What an account is for (the chart of accounts, ADR 0002).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum AccountKind {
    /// The central bank's counter-account of all M0. Debit-balanced.
    Backing,
    /// A bank's reserves at the central bank.
    Reserve,
    /// Notes in a bank's vault.
    PaperVault,
    /// Notes in the hands of the public.
    PaperPublic,
    /// A bank's stock of digital cash.
    Vault,
    /// The counter-account of a bank's deposits. Debit-balanced.
    BankAssets,
    /// What a bank owes its depositors, in all.
    Deposits,
    /// Digital cash of a person or merchant.
    Wallet,
    /// Money that left a wallet for another ledger, which has not said yet what became of it.
    InFlight,
    /// What backs a bank's bearer notes: as much as is out in them.
    BearerNotes,
}

impl AccountKind {
    /// Every kind, in the order of the chart.
    pub const ALL: [Self; 10] = [
        Self::Backing,
        Self::Reserve,
        Self::PaperVault,
        Self::PaperPublic,
        Self::Vault,
        Self::BankAssets,
        Self::Deposits,
        Self::Wallet,
        Self::InFlight,
        Self::BearerNotes,
    ];

    /// Whether its balance is what was debited beyond what was credited.
    #[must_use]
    pub const fn debit_balanced(self) -> bool {
        matches!(self, Self::Backing | Self::BankAssets)
    }

    /// The kind in plain words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Backing => "the backing of the money",
            Self::Reserve => "the bank's reserves",
            Self::PaperVault => "the notes in the bank's vault",
            Self::PaperPublic => "the notes in the public's hands",
            Self::Vault => "the bank's stock of digital cash",
            Self::BankAssets => "the bank's counter-account of deposits",
            Self::Deposits => "the bank's deposits",
            Self::Wallet => "the wallet",
            Self::InFlight => "the money on its way to the other ledger",
            Self::BearerNotes => "what backs the bank's bearer notes",
        }
    }
}

/// Where a wallet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Standing {
    /// In use.
    Open,
    /// Nothing moved for long: what is in it stays until its holder comes forward.
    Dormant,
    /// Closed for good, empty.
    Closed,
}

/// What only a wallet has. `C` is what the caller knows its class by; the ledger keeps it and
/// does not interpret it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Wallet<C> {
    /// The bank that operates it.
    pub bank: BankNumber,
    /// Its class.
    pub class: C,
    /// What was paid from it.
    pub spending: Spending,
    /// Where it stands.
    pub standing: Standing,
    /// When something last moved in or out; at first, when it was opened.
    pub moved: Timestamp,
    /// Of what it holds, what pending transfers promise to others, in minor units. It follows
    /// from the holds, so no encoding has it; nor the next one.
    #[borsh(skip)]
    pub held_out: u64,
    /// What pending transfers promise to it, in minor units.
    #[borsh(skip)]
    pub held_in: u64,
    /// Whether a freeze order is in force: nothing leaves it. It follows from the orders.
    #[borsh(skip)]
    pub frozen: bool,
}

/// An account, in minor units of the ledger's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account<C> {
    /// Its id, which is written apart (`encoding.rs`).
    pub(crate) id: AccountId,
    pub(crate) kind: AccountKind,
    pub(crate) debits: u64,
    pub(crate) credits: u64,
    pub(crate) wallet: Option<Wallet<C>>,
}

impl<C> Account<C> {
    /// Until it is put among the others.
    pub(crate) const UNNAMED: AccountId = AccountId::new(0);

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> AccountKind {
        self.kind
    }

    /// All that was ever debited.
    #[must_use]
    pub const fn debits(&self) -> u64 {
        self.debits
    }

    /// All that was ever credited.
    #[must_use]
    pub const fn credits(&self) -> u64 {
        self.credits
    }

    /// What only a wallet has; `None` for an institution's account.
    #[must_use]
    pub const fn wallet(&self) -> Option<&Wallet<C>> {
        self.wallet.as_ref()
    }

    /// The balance on its own side; never negative, because no posting overdraws.
    #[must_use]
    pub const fn balance(&self) -> u64 {
        if self.kind.debit_balanced() {
            self.debits.saturating_sub(self.credits)
        } else {
            self.credits.saturating_sub(self.debits)
        }
    }

    /// Of the balance, what is not promised to others.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.balance().saturating_sub(self.held_out())
    }

    pub(crate) fn held_out(&self) -> u64 {
        self.wallet.as_ref().map_or(0, |wallet| wallet.held_out)
    }

    pub(crate) fn held_in(&self) -> u64 {
        self.wallet.as_ref().map_or(0, |wallet| wallet.held_in)
    }

    pub(crate) const fn institutional(kind: AccountKind) -> Self {
        Self { id: Self::UNNAMED, kind, debits: 0, credits: 0, wallet: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_takes_no_more_memory_than_stated() {
        assert_eq!(size_of::<Account<[u8; 16]>>(), 128);
    }
}
