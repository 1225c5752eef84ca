//! Finding an account by its id: an ordered forest, one small tree for each value of an id's
//! first bits, doubled as it grows. Random ids spread evenly, so a lookup among a million
//! accounts touches two or three cache lines where one tree touches seven; chosen ids can crowd
//! one tree, and then cost what a single tree costs. It iterates and encodes as one ordered map.

use crate::ledger::Slot;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::io;
use yufu_base::AccountId;

/// Ids a tree holds on average before the forest doubles: about one node's worth.
const CROWDED: usize = 8;
/// The forest has at most 2^20 trees (25 MB of roots).
const MOST_BITS: u32 = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// 2^`bits` of them; each holds the ids that begin with its number.
    trees: Vec<BTreeMap<AccountId, Slot>>,
    bits: u32,
    len: usize,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { trees: vec![BTreeMap::new()], bits: 0, len: 0 }
    }

    pub(crate) fn get(&self, id: AccountId) -> Option<Slot> {
        self.trees.get(first_bits(id, self.bits))?.get(&id).copied()
    }

    pub(crate) fn insert(&mut self, id: AccountId, slot: Slot) {
        if let Some(tree) = self.trees.get_mut(first_bits(id, self.bits))
            && tree.insert(id, slot).is_none()
        {
            self.len = self.len.saturating_add(1);
        }
        if self.len > self.trees.len().saturating_mul(CROWDED) && self.bits < MOST_BITS {
            self.double();
        }
    }

    /// All, ordered by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AccountId, Slot)> {
        self.trees.iter().flatten().map(|(id, slot)| (*id, *slot))
    }

    /// Splits every tree where the ids' next bit turns to 1.
    fn double(&mut self) {
        self.bits = self.bits.saturating_add(1);
        let mut trees = Vec::with_capacity(self.trees.len().saturating_mul(2));
        for (number, mut lower) in (0_u128..).zip(self.trees.drain(..)) {
            let turn = ((number << 1) | 1) << 128_u32.saturating_sub(self.bits);
            let upper = lower.split_off(&AccountId::new(turn));
            trees.extend([lower, upper]);
        }
        self.trees = trees;
    }
}

fn first_bits(id: AccountId, bits: u32) -> usize {
    let number = id.bits().checked_shr(128_u32.saturating_sub(bits)).unwrap_or(0);
    usize::try_from(number).unwrap_or(0)
}

impl BorshSerialize for Index {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        u32::try_from(self.len).map_err(io::Error::other)?.serialize(writer)?;
        self.iter().try_for_each(|entry| entry.serialize(writer))
    }
}

impl BorshDeserialize for Index {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let mut index = Self::new();
        for (id, slot) in BTreeMap::<AccountId, Slot>::deserialize_reader(reader)? {
            index.insert(id, slot);
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_forest_is_one_ordered_map(ids in proptest::collection::vec(any::<u128>(), 0..200)) {
            let mut index = Index::new();
            let mut map = BTreeMap::new();
            for (id, place) in ids.iter().flat_map(|id| [*id, id & 0xff]).zip(0..) {
                index.insert(AccountId::new(id), Slot::at_place(place));
                map.insert(AccountId::new(id), Slot::at_place(place));
            }
            prop_assert!(index.iter().eq(map.iter().map(|(id, slot)| (*id, *slot))));
            prop_assert!(map.iter().all(|(id, slot)| index.get(*id) == Some(*slot)));
            let bytes = borsh::to_vec(&index).unwrap();
            prop_assert_eq!(&bytes, &borsh::to_vec(&map).unwrap());
            prop_assert_eq!(borsh::from_slice::<Index>(&bytes).unwrap(), index);
        }
    }
}
