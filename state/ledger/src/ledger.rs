//! The books: every account in the order it was opened, found by its id.

use crate::account::{Account, AccountKind, Standing, Wallet};
use crate::chart::{BankNumber, ChartError, Desk, institution_account};
use crate::index::Index;
use crate::spending::Spending;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_base::{AccountId, InstitutionId, Timestamp};

/// The books of one currency. `C` is what the caller knows the class of a wallet by.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ledger<C> {
    accounts: Vec<Account<C>>,
    slots: Index,
    desks: BTreeMap<BankNumber, Desk>,
    pub(crate) wallets: u128,
    /// What all wallets of a class at a bank hold together.
    #[borsh(bound(deserialize = "C: BorshDeserialize + Ord"))]
    pub(crate) holdings: BTreeMap<(BankNumber, C), u128>,
}

/// The place of an account among all, in the order they were opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(crate) struct Slot(u32);

/// A wallet that was found: saves finding it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletSlot(pub(crate) Slot);

impl Slot {
    #[cfg(test)]
    pub(crate) const fn at_place(place: u32) -> Self {
        Self(place)
    }
}

impl<C> Ledger<C> {
    pub(crate) const BACKING: Slot = Slot(0);
    pub(crate) const PAPER_PUBLIC: Slot = Slot(1);

    /// Empty books: the two accounts of the central bank, and no money.
    #[must_use]
    pub fn new(central_bank: &InstitutionId) -> Self {
        let mut ledger = Self {
            accounts: Vec::new(),
            slots: Index::new(),
            desks: BTreeMap::new(),
            wallets: 0,
            holdings: BTreeMap::new(),
        };
        for (slot, kind) in
            [(Self::BACKING, AccountKind::Backing), (Self::PAPER_PUBLIC, AccountKind::PaperPublic)]
        {
            let id = institution_account(central_bank, kind);
            ledger.put(slot, id, Account::institutional(kind));
        }
        ledger
    }

    /// Opens a wallet at `now`.
    ///
    /// # Errors
    /// [`ChartError`], the first in the order of its variants; nothing changes then.
    pub fn open_wallet(
        &mut self,
        id: AccountId,
        bank: BankNumber,
        class: C,
        now: Timestamp,
    ) -> Result<WalletSlot, ChartError> {
        if self.desk(bank).is_none() {
            return Err(ChartError::BankUnknown);
        }
        if self.slots.get(id).is_some() {
            return Err(ChartError::AccountExists(id));
        }
        let [slot] = self.free_slots().ok_or(ChartError::Full)?;
        let (spending, standing) = (Spending::NONE, Standing::Open);
        let wallet = Wallet { bank, class, spending, standing, moved: now };
        let kind = AccountKind::Wallet;
        self.put(slot, id, Account { kind, debits: 0, credits: 0, wallet: Some(wallet) });
        Ok(WalletSlot(slot))
    }

    /// Moves a wallet to another standing.
    pub fn set_standing(&mut self, wallet: WalletSlot, standing: Standing) {
        if let Some(wallet) = &mut self.at_mut(wallet.0).wallet {
            wallet.standing = standing;
        }
    }

    /// Notes that something moved in or out of a wallet, or its holder came forward.
    pub fn set_moved(&mut self, wallet: WalletSlot, now: Timestamp) {
        if let Some(wallet) = &mut self.at_mut(wallet.0).wallet {
            wallet.moved = now;
        }
    }

    /// An account by its id.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account<C>> {
        self.slots.get(id).map(|slot| self.at(slot))
    }

    /// A wallet by its id: where it is, its balance in minor units, and what only wallets have.
    #[must_use]
    pub fn wallet(&self, id: AccountId) -> Option<(WalletSlot, u64, &Wallet<C>)> {
        let slot = self.slots.get(id)?;
        let account = self.at(slot);
        Some((WalletSlot(slot), account.balance(), account.wallet.as_ref()?))
    }

    /// The balance of a wallet that was found, in minor units.
    #[must_use]
    pub fn balance(&self, wallet: WalletSlot) -> u64 {
        self.at(wallet.0).balance()
    }

    /// Every account, ordered by id.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account<C>)> {
        self.slots.iter().map(|(id, slot)| (id, self.at(slot)))
    }

    /// Every bank that has accounts here.
    pub fn banks(&self) -> impl Iterator<Item = BankNumber> {
        self.desks.keys().copied()
    }

    /// How many accounts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are none: never, as the central bank's are there from the start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// The running sum of all wallets, in minor units.
    pub(crate) const fn wallets_total(&self) -> u128 {
        self.wallets
    }

    pub(crate) fn desk(&self, bank: BankNumber) -> Option<&Desk> {
        self.desks.get(&bank)
    }

    pub(crate) fn put_desk(&mut self, bank: BankNumber, desk: Desk) {
        self.desks.insert(bank, desk);
    }

    /// The next `N` slots; `None` if they do not fit 32 bits.
    pub(crate) fn free_slots<const N: usize>(&self) -> Option<[Slot; N]> {
        let first = u32::try_from(self.accounts.len()).ok()?;
        let mut slots = [Slot(first); N];
        for (slot, step) in slots.iter_mut().zip(0..) {
            *slot = Slot(first.checked_add(step)?);
        }
        Some(slots)
    }

    /// Adds an account at the next free slot.
    pub(crate) fn put(&mut self, slot: Slot, id: AccountId, account: Account<C>) {
        debug_assert_eq!(usize::try_from(slot.0), Ok(self.accounts.len()));
        self.accounts.push(account);
        self.slots.insert(id, slot);
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "INVARIANT: slots are made only with their account, and accounts are never removed"
    )]
    pub(crate) fn at(&self, slot: Slot) -> &Account<C> {
        &self.accounts[slot.0 as usize]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "INVARIANT: slots are made only with their account, and accounts are never removed"
    )]
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut Account<C> {
        &mut self.accounts[slot.0 as usize]
    }
}
