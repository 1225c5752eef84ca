//! Money on its way to another ledger: taken from a wallet into the account of the peer, and from
//! there either to the bank that gives the same there, or back to the wallet. Room for both is kept
//! meanwhile, so that neither can fail.

use crate::account::{Account, AccountKind};
use crate::chart::{BankNumber, ChartError, institution_account};
use crate::ledger::{Ledger, Slot, WalletSlot};
use crate::posting::{Checked, Linked, PostingError, must_fit};
use crate::spending::Period;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_base::InstitutionId;

/// What the caller numbers a peer by: another ledger. This one keeps it and does not interpret it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct PeerNumber(pub u32);

/// Money of one wallet that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct InFlight {
    peer: PeerNumber,
    payer: Slot,
    bank: BankNumber,
    amount: u64,
    /// When it was counted as spent.
    counted: Period,
}

impl InFlight {
    /// Whose money it was, and is again if it comes back.
    #[must_use]
    pub const fn payer(&self) -> WalletSlot {
        WalletSlot(self.payer)
    }

    /// How much, in minor units.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }
}

/// The accounts of peers, and what is kept free for what comes out of them. All of it follows from
/// other parts of the state, so no encoding has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flights {
    accounts: BTreeMap<PeerNumber, Slot>,
    /// What may still come into a bank's stock of digital cash.
    coming: BTreeMap<Slot, u64>,
}

impl Flights {
    pub(crate) fn coming(&self, slot: Slot) -> u64 {
        self.coming.get(&slot).copied().unwrap_or(0)
    }
}

/// Money every rule of the ledger lets leave, good for the state it was checked against.
#[derive(Debug)]
#[must_use = "what was checked changes nothing until it is committed"]
pub struct CheckedFlight {
    posting: Checked,
    flight: InFlight,
}

impl<C> Ledger<C> {
    /// Opens the account of a peer.
    ///
    /// # Errors
    /// [`ChartError::AccountExists`] if its id is taken, [`ChartError::Full`]; nothing changes then.
    pub fn open_peer(
        &mut self,
        number: PeerNumber,
        name: &InstitutionId,
    ) -> Result<(), ChartError> {
        let id = institution_account(name, AccountKind::InFlight);
        if self.account(id).is_some() {
            return Err(ChartError::AccountExists(id));
        }
        let [slot] = self.free_slots().ok_or(ChartError::Full)?;
        self.put(slot, id, Account::institutional(AccountKind::InFlight));
        self.flights.accounts.insert(number, slot);
        Ok(())
    }

    /// Finds the account of a peer in books that were read back; whether it is there.
    pub fn restore_peer(&mut self, number: PeerNumber, name: &InstitutionId) -> bool {
        let id = institution_account(name, AccountKind::InFlight);
        let found = self.slot(id).filter(|slot| self.at(*slot).kind == AccountKind::InFlight);
        found.map(|slot| self.flights.accounts.insert(number, slot)).is_some()
    }

    /// What is on its way to a peer, in minor units; `None` if it has no account here.
    #[must_use]
    pub fn in_flight_to(&self, peer: PeerNumber) -> Option<u64> {
        self.flights.accounts.get(&peer).map(|slot| self.at(*slot).balance())
    }

    /// All that is on its way, in minor units.
    pub(crate) fn in_flight_total(&self) -> u128 {
        let balances = self.flights.accounts.values().map(|slot| self.at(*slot).balance());
        balances.map(u128::from).fold(0, u128::saturating_add)
    }

    /// Checks that `amount` minor units leave a wallet for a peer, where `bank` gives the same, and
    /// that they could be given to the bank as well as come back. `None` if one of the two has no
    /// accounts here.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_flight(
        &self,
        payer: WalletSlot,
        (peer, bank): (PeerNumber, BankNumber),
        amount: u64,
        now: Period,
    ) -> Option<Result<CheckedFlight, PostingError>> {
        let (account, vault) = (*self.flights.accounts.get(&peer)?, self.desk(bank)?.vault);
        Some(self.checked_flight(payer, (peer, account), (bank, vault), (amount, now)))
    }

    fn checked_flight(
        &self,
        payer: WalletSlot,
        (peer, account): (PeerNumber, Slot),
        (bank, vault): (BankNumber, Slot),
        (amount, now): (u64, Period),
    ) -> Result<CheckedFlight, PostingError> {
        let posting = self.check(Linked::one(payer.0, account), amount)?;
        for slot in [payer.0, vault] {
            let may_come = self.at(slot);
            must_fit(may_come.kind, may_come.credits, self.coming_to(slot), amount)?;
        }
        let spent = self.spent_more(payer, amount, now)?;
        let counted = spent.as_ref().map_or(now, |(_, spending)| spending.period());
        let posting = match spent {
            Some((wallet, spending)) => posting.counting(wallet, spending),
            None => posting,
        };
        let flight = InFlight { peer, payer: payer.0, bank, amount, counted };
        Ok(CheckedFlight { posting, flight })
    }

    /// Checks that `amount` minor units of a bank's stock are given to a wallet, for what came to
    /// it elsewhere. `None` if the bank has no accounts here.
    ///
    /// # Errors
    /// [`PostingError`], the first in the order of its variants.
    pub fn check_arrival(
        &self,
        bank: BankNumber,
        payee: WalletSlot,
        amount: u64,
    ) -> Option<Result<Checked, PostingError>> {
        Some(self.check(Linked::one(self.desk(bank)?.vault, payee.0), amount))
    }

    /// What may still come into an account, and is to fit.
    pub(crate) fn coming_to(&self, slot: Slot) -> u64 {
        let account = self.at(slot);
        if account.wallet.is_some() { account.held_in() } else { self.flights.coming(slot) }
    }

    /// Whether money in flight that was read back is between accounts that there are.
    #[must_use]
    pub fn is_flight(&self, flight: &InFlight) -> bool {
        let known = self.flights.accounts.contains_key(&flight.peer);
        known && self.desk(flight.bank).is_some() && self.is_wallet(flight.payer())
    }
}

impl<C: Copy + Ord> Ledger<C> {
    /// Takes what was checked from the wallet, at once.
    pub fn commit_flight(&mut self, checked: CheckedFlight) -> InFlight {
        let CheckedFlight { posting, flight } = checked;
        self.commit(posting);
        self.keep_room(&flight);
        flight
    }

    /// It arrived: what was taken is the bank's that gave the same there.
    pub fn deliver(&mut self, flight: &InFlight) {
        let vault = self.desk(flight.bank).map(|desk| desk.vault);
        self.land(flight, vault);
    }

    /// It did not arrive: it is the wallet's again, and counts as not spent.
    pub fn give_back_flight(&mut self, flight: &InFlight) {
        self.land(flight, Some(flight.payer));
        if let Some(wallet) = &mut self.at_mut(flight.payer).wallet {
            wallet.spending = wallet.spending.minus(flight.counted, flight.amount);
        }
    }

    /// Keeps the room that money in flight needs, also in books that were read back.
    pub fn keep_room(&mut self, flight: &InFlight) {
        if let Some(wallet) = &mut self.at_mut(flight.payer).wallet {
            wallet.held_in = wallet.held_in.saturating_add(flight.amount);
        }
        self.promised(flight.payer, flight.amount);
        if let Some(vault) = self.desk(flight.bank).map(|desk| desk.vault) {
            let coming = self.flights.coming.entry(vault).or_default();
            *coming = coming.saturating_add(flight.amount);
        }
    }

    /// What was kept free is used or no longer needed: the money goes to `to`.
    fn land(&mut self, flight: &InFlight, to: Option<Slot>) {
        if let Some(wallet) = &mut self.at_mut(flight.payer).wallet {
            wallet.held_in = wallet.held_in.saturating_sub(flight.amount);
        }
        self.no_longer_promised(flight.payer, flight.amount);
        if let Some(vault) = self.desk(flight.bank).map(|desk| desk.vault)
            && let Some(coming) = self.flights.coming.get_mut(&vault)
        {
            *coming = coming.saturating_sub(flight.amount);
            if *coming == 0 {
                self.flights.coming.remove(&vault);
            }
        }
        if let Some((from, to)) = self.flights.accounts.get(&flight.peer).copied().zip(to) {
            self.commit(Checked::admitted(Linked::one(from, to), flight.amount));
        }
    }
}

#[cfg(test)]
mod tests;
