//! Finding an account by its id: hash tables that hold slots only, one for each value of an id's
//! hash's first bits, so that growing one moves few entries. The ids are with the accounts, which
//! whoever looks is about to read anyway. How the tables are seeded and laid out reaches nothing
//! that is encoded or answered.

use crate::ledger::Slot;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use yufu_base::AccountId;

/// 2^10 tables: of ten million accounts each has ten thousand.
const TABLE_BITS: u32 = 10;

#[derive(Clone, Debug)]
pub(crate) struct Index {
    tables: Vec<HashTable<Slot>>,
    hasher: DefaultHashBuilder,
}

impl Index {
    pub(crate) fn new() -> Self {
        let tables = (0..1_u32 << TABLE_BITS).map(|_| HashTable::new()).collect();
        Self { tables, hasher: DefaultHashBuilder::default() }
    }

    /// The slot of the account with `id`; `id_of` says which id an account has.
    pub(crate) fn get(&self, id: AccountId, id_of: impl Fn(Slot) -> AccountId) -> Option<Slot> {
        let hash = self.hasher.hash_one(id);
        self.tables.get(place(hash))?.find(hash, |slot| id_of(*slot) == id).copied()
    }

    /// Adds the account with `id`, which is none that is there.
    pub(crate) fn insert(&mut self, id: AccountId, slot: Slot, id_of: impl Fn(Slot) -> AccountId) {
        let hash = self.hasher.hash_one(id);
        if let Some(table) = self.tables.get_mut(place(hash)) {
            let hasher = &self.hasher;
            table.insert_unique(hash, slot, |slot| hasher.hash_one(id_of(*slot)));
        }
    }
}

/// Which table: by bits that choose no place within a table.
fn place(hash: u64) -> usize {
    let bits = (hash >> 40) & ((1 << TABLE_BITS) - 1);
    usize::try_from(bits).unwrap_or(0)
}
