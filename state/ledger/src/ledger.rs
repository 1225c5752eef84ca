//! The books: every account in the order it was opened, found by its id.

use crate::account::{Account, AccountKind, Standing, Wallet};
use crate::accounts::Accounts;
use crate::chart::{BankNumber, ChartError, Desk, institution_account};
use crate::holds::Holds;
use crate::in_flight::Flights;
use crate::index::Index;
use crate::journal::Journal;
use crate::spending::Spending;
use crate::trace::{AccountNumber, Trace};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_base::{AccountId, InstitutionId, Timestamp};

/// The books of one currency. `C` is what the caller knows the class of a wallet by.
#[derive(Clone, Debug)]
pub struct Ledger<C> {
    pub(crate) accounts: Accounts<C>,
    pub(crate) slots: Index,
    pub(crate) desks: BTreeMap<BankNumber, Desk>,
    pub(crate) wallets: u128,
    /// What all wallets of a class at a bank hold together.
    pub(crate) holdings: BTreeMap<(BankNumber, C), u128>,
    /// Pending transfers: a part of the state that is written apart ([`Ledger::holds`]).
    pub(crate) holds: Holds<C>,
    /// Accounts of other ledgers, found again by their names ([`Ledger::restore_peer`]).
    pub(crate) flights: Flights,
    /// What backs the bearer notes of a bank, found again by its name ([`Ledger::restore_bearer`]).
    pub(crate) bearer: BTreeMap<BankNumber, Slot>,
    /// What to put back if a chain fails; no part of the state.
    pub(crate) journal: Option<Box<Journal<C>>>,
    /// What moved, where somebody asked for it; no part of the state.
    pub(crate) trace: Option<Box<Trace>>,
}

/// How accounts are found, and what was noted, is no part of the books.
impl<C: PartialEq> PartialEq for Ledger<C> {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            accounts,
            slots: _,
            desks,
            wallets,
            holdings,
            holds,
            flights,
            bearer,
            journal,
            trace: _,
        } = self;
        *accounts == other.accounts
            && *desks == other.desks
            && *wallets == other.wallets
            && *holdings == other.holdings
            && *holds == other.holds
            && *flights == other.flights
            && *bearer == other.bearer
            && *journal == other.journal
    }
}

impl<C: Eq> Eq for Ledger<C> {}

/// The place of an account among all, in the order they were opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(crate) struct Slot(u32);

/// A wallet that was found: saves finding it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct WalletSlot(pub(crate) Slot);

impl Slot {
    pub(crate) const fn at_place(place: u32) -> Self {
        Self(place)
    }

    pub(crate) const fn place(self) -> usize {
        self.0 as usize
    }

    pub(crate) const fn number(self) -> AccountNumber {
        AccountNumber(self.0)
    }
}

impl<C> Ledger<C> {
    pub(crate) const BACKING: Slot = Slot(0);
    pub(crate) const PAPER_PUBLIC: Slot = Slot(1);

    /// Empty books: the two accounts of the central bank, and no money.
    #[must_use]
    pub fn new(central_bank: &InstitutionId) -> Self {
        let mut ledger = Self {
            accounts: Accounts::new(),
            slots: Index::new(),
            desks: BTreeMap::new(),
            wallets: 0,
            holdings: BTreeMap::new(),
            holds: Holds::default(),
            flights: Flights::default(),
            bearer: BTreeMap::new(),
            journal: None,
            trace: None,
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
        if self.slot(id).is_some() {
            return Err(ChartError::AccountExists(id));
        }
        let [slot] = self.free_slots().ok_or(ChartError::Full)?;
        let (spending, standing) = (Spending::NONE, Standing::Open);
        let wallet = Wallet {
            bank,
            class,
            spending,
            standing,
            moved: now,
            held_out: 0,
            held_in: 0,
            frozen: false,
        };
        let kind = AccountKind::Wallet;
        self.put(slot, id, Account { id, kind, debits: 0, credits: 0, wallet: Some(wallet) });
        Ok(WalletSlot(slot))
    }

    /// An account by its id.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account<C>> {
        self.slot(id).map(|slot| self.at(slot))
    }

    /// A wallet by its id: where it is, its balance in minor units, and what only wallets have.
    #[must_use]
    pub fn wallet(&self, id: AccountId) -> Option<(WalletSlot, u64, &Wallet<C>)> {
        let slot = self.slot(id)?;
        let account = self.at(slot);
        Some((WalletSlot(slot), account.balance(), account.wallet.as_ref()?))
    }

    /// The balance of a wallet that was found, in minor units.
    #[must_use]
    pub fn balance(&self, wallet: WalletSlot) -> u64 {
        self.at(wallet.0).balance()
    }

    /// Of the balance of a wallet that was found, what is not promised to others.
    #[must_use]
    pub fn available(&self, wallet: WalletSlot) -> u64 {
        self.at(wallet.0).available()
    }

    /// What only wallets have, of a wallet that was found.
    #[must_use]
    pub fn wallet_at(&self, wallet: WalletSlot) -> Option<&Wallet<C>> {
        self.at(wallet.0).wallet.as_ref()
    }

    /// Looks at accounts that are about to be used, so that the processor fetches them side by
    /// side and not one after another. Gives what it saw, which means nothing.
    #[must_use]
    pub fn look_ahead(&self, ids: impl Iterator<Item = AccountId>) -> u64 {
        let seen = |id| self.account(id).map_or(0, |a| a.debits ^ a.credits ^ a.held_out());
        ids.map(seen).fold(0, |all, one| all ^ one)
    }

    /// Every account, ordered by id.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account<C>)> {
        self.by_id().into_iter().map(|(id, slot)| (id, self.at(slot)))
    }

    /// Every account's id and slot, ordered by id.
    pub(crate) fn by_id(&self) -> Vec<(AccountId, Slot)> {
        let mut all: Vec<_> = self
            .accounts
            .iter()
            .zip(0..)
            .map(|(account, place)| (account.id, Slot::at_place(place)))
            .collect();
        all.sort_unstable();
        all
    }

    /// The id of a wallet that was found.
    #[must_use]
    pub fn id_of(&self, wallet: WalletSlot) -> AccountId {
        self.at(wallet.0).id
    }

    pub(crate) fn slot(&self, id: AccountId) -> Option<Slot> {
        self.slots.get(id, |slot| self.accounts.at(slot).id)
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
        self.accounts.len() == 0
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
        self.accounts.push(Account { id, ..account });
        let accounts = &self.accounts;
        self.slots.insert(id, slot, |slot| accounts.at(slot).id);
    }

    pub(crate) fn at(&self, slot: Slot) -> &Account<C> {
        self.accounts.at(slot)
    }
}

impl<C: Clone> Ledger<C> {
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

    /// Freezes a wallet, or lifts that.
    pub fn set_frozen(&mut self, wallet: WalletSlot, frozen: bool) {
        if let Some(wallet) = &mut self.at_mut(wallet.0).wallet {
            wallet.frozen = frozen;
        }
    }

    /// An account to be changed; within a chain, as it was is kept.
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut Account<C> {
        let account = self.accounts.at_mut(slot);
        if let Some(journal) = &mut self.journal {
            journal.account(slot, account);
        }
        account
    }
}
