//! Finding an account by its id: an ordered forest, one small tree for each value of an id's
//! first 12 bits. Random ids spread evenly, so a lookup among a million accounts touches two
//! or three cache lines where one tree touches seven; chosen ids can crowd one tree, and then
//! cost what a single tree costs. In order of ids it is, and encodes as, one ordered map.

use crate::ledger::Slot;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::io;
use yufu_base::AccountId;

const TREES: usize = 1 << 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// Always `TREES` of them.
    trees: Vec<BTreeMap<AccountId, Slot>>,
    len: usize,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { trees: vec![BTreeMap::new(); TREES], len: 0 }
    }

    pub(crate) fn get(&self, id: AccountId) -> Option<Slot> {
        self.trees.get(tree_of(id))?.get(&id).copied()
    }

    pub(crate) fn insert(&mut self, id: AccountId, slot: Slot) {
        if let Some(tree) = self.trees.get_mut(tree_of(id))
            && tree.insert(id, slot).is_none()
        {
            self.len = self.len.saturating_add(1);
        }
    }

    /// All, ordered by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AccountId, Slot)> {
        self.trees.iter().flatten().map(|(id, slot)| (*id, *slot))
    }
}

fn tree_of(id: AccountId) -> usize {
    usize::try_from(id.bits() >> 116).unwrap_or(0)
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
