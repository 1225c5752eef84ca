//! How the books are written down: the accounts in the order they were opened, then their ids in
//! order with the place of each, then the sums. What follows from other parts is not written.

use crate::account::{Account, AccountKind};
use crate::accounts::Accounts;
use crate::chart::{BankNumber, Desk};
use crate::holds::{Hold, Holds};
use crate::in_flight::Flights;
use crate::index::Index;
use crate::ledger::{Ledger, Slot, WalletSlot};
use crate::posting::Posted;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::io;
use yufu_base::AccountId;

impl<C: BorshSerialize> BorshSerialize for Account<C> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let Self { id: _, kind, debits, credits, wallet } = self;
        (kind, debits, credits).serialize(writer)?;
        wallet.serialize(writer)
    }
}

impl<C: BorshDeserialize> BorshDeserialize for Account<C> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (kind, debits, credits) = <(AccountKind, u64, u64)>::deserialize_reader(reader)?;
        let wallet = Option::deserialize_reader(reader)?;
        Ok(Self { id: Self::UNNAMED, kind, debits, credits, wallet })
    }
}

impl<C: BorshSerialize> BorshSerialize for Ledger<C> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let count = u32::try_from(self.accounts.len()).map_err(io::Error::other)?;
        count.serialize(writer)?;
        for account in self.accounts.iter() {
            account.serialize(writer)?;
        }
        count.serialize(writer)?;
        for (id, slot) in self.by_id() {
            (id, slot).serialize(writer)?;
        }
        self.desks.serialize(writer)?;
        self.wallets.serialize(writer)?;
        self.holdings.serialize(writer)
    }
}

impl<C: BorshDeserialize + Ord> BorshDeserialize for Ledger<C> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let count = u32::deserialize_reader(reader)?;
        let mut accounts = Accounts::new();
        for _ in 0..count {
            accounts.push(Account::deserialize_reader(reader)?);
        }
        let named = u32::deserialize_reader(reader)?;
        let mut named_in_order = Vec::new();
        for _ in 0..named {
            let next = <(AccountId, Slot)>::deserialize_reader(reader)?;
            if named_in_order.last().is_some_and(|(last, _)| *last >= next.0) {
                return Err(invalid("the ids are not in order"));
            }
            named_in_order.push(next);
        }
        let slots = index(&mut accounts, named_in_order)?;
        let desks = BTreeMap::<BankNumber, Desk>::deserialize_reader(reader)?;
        let known = |slot: Slot| slot.place() < accounts.len();
        if accounts.len() < 2 || !desks.values().all(|desk| desk.slots().into_iter().all(known)) {
            return Err(invalid("an institution's account is missing"));
        }
        Ok(Self {
            accounts,
            slots,
            desks,
            wallets: u128::deserialize_reader(reader)?,
            holdings: BTreeMap::deserialize_reader(reader)?,
            holds: Holds::default(),
            flights: Flights::default(),
            bearer: BTreeMap::new(),
            journal: None,
            trace: None,
        })
    }
}

impl<C> Ledger<C> {
    /// Whether a place that was read back is a wallet's.
    #[must_use]
    pub fn is_wallet(&self, wallet: WalletSlot) -> bool {
        self.is_account(wallet.0) && self.at(wallet.0).wallet.is_some()
    }

    /// Whether a posting that was read back is between accounts that there are.
    #[must_use]
    pub fn is_posting(&self, posted: &Posted) -> bool {
        let known = |slot| self.is_account(slot);
        posted.0.entries().all(|entry| known(entry.debit) && known(entry.credit))
    }

    /// Whether a hold that was read back is between wallets.
    #[must_use]
    pub fn is_hold(&self, hold: &Hold) -> bool {
        let above = hold.above().is_none_or(|above| self.is_wallet(above));
        above && self.is_wallet(hold.payer()) && self.is_wallet(hold.payee())
    }

    const fn is_account(&self, slot: Slot) -> bool {
        slot.place() < self.accounts.len()
    }
}

/// Gives each account its id, of which it has exactly one.
fn index<C>(accounts: &mut Accounts<C>, named: Vec<(AccountId, Slot)>) -> io::Result<Index> {
    let mut nameless = vec![true; accounts.len()];
    for (id, slot) in named {
        match nameless.get_mut(slot.place()) {
            Some(nameless) if *nameless => *nameless = false,
            _ => return Err(invalid("an account has two ids, or an id no account")),
        }
        accounts.at_mut(slot).id = id;
    }
    if nameless.contains(&true) {
        return Err(invalid("an account has no id"));
    }
    let mut slots = Index::new();
    for (account, place) in accounts.iter().zip(0_u32..) {
        slots.insert(account.id, Slot::at_place(place), |slot| accounts.at(slot).id);
    }
    Ok(slots)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yufu_base::Timestamp;

    fn opened(ids: &[u128]) -> Ledger<u8> {
        let mut ledger = Ledger::new(&"central-bank".parse().unwrap());
        ledger.open_bank(BankNumber(1), &"bank".parse().unwrap()).unwrap();
        for id in ids {
            let id = AccountId::new(*id);
            ledger.open_wallet(id, BankNumber(1), 4, Timestamp::default()).unwrap_or_else(|_| {
                panic!("{id} is there already");
            });
        }
        ledger
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn books_are_found_by_id_and_read_back_as_they_were(
            ids in proptest::collection::btree_set(any::<u128>(), 0..200),
        ) {
            let ids: Vec<u128> = ids.into_iter().rev().collect();
            let ledger = opened(&ids);
            prop_assert!(ids.iter().all(|id| ledger.wallet(AccountId::new(*id)).is_some()));
                        prop_assert!(ledger.accounts().map(|(id, _)| id).is_sorted());
            let bytes = borsh::to_vec(&ledger).unwrap();
            let read = borsh::from_slice::<Ledger<u8>>(&bytes).unwrap();
            prop_assert_eq!(&read, &ledger);
            prop_assert_eq!(borsh::to_vec(&read).unwrap(), bytes);
        }
    }

    #[test]
    fn books_with_an_account_too_few_or_unnamed_do_not_decode() {
        let bytes = borsh::to_vec(&opened(&[1, 2])).unwrap();
        for place in 0..bytes.len() {
            let cut = bytes.get(..place).unwrap_or_default();
            assert!(borsh::from_slice::<Ledger<u8>>(cut).is_err(), "{place}");
        }
    }
}
