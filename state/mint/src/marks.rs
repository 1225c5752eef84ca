//! Marks of points, each with what is known of it: as many hash tables as a byte has values, so that growing one moves few
//! entries. How the tables are seeded and laid out reaches nothing that is encoded or answered.

use borsh::{BorshDeserialize, BorshSerialize};
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::io;

/// Marks, each with what is known of it.
type Table<const N: usize, V> = HashTable<([u8; N], V)>;

/// How many tables.
const TABLES: usize = 256;

/// Marks of `N` bytes and what is known of each. One is in the table of its first byte: points are like random numbers, so
/// each table has its share. Somebody may choose points of one first byte; which entries meet in a table nobody can
/// choose, as each set hashes by a seed of its own.
#[derive(Clone, Debug)]
pub(crate) struct Marks<const N: usize, V> {
    tables: Box<[Table<N, V>; TABLES]>,
    hasher: DefaultHashBuilder,
    len: usize,
}

impl<const N: usize, V> Default for Marks<N, V> {
    fn default() -> Self {
        let tables = Box::new([const { HashTable::new() }; TABLES]);
        Self { tables, hasher: DefaultHashBuilder::default(), len: 0 }
    }
}

impl<const N: usize, V> Marks<N, V> {
    pub(crate) fn get(&self, mark: &[u8; N]) -> Option<&V> {
        let table = self.tables.get(table_of(mark))?;
        let found = table.find(self.hasher.hash_one(mark), |(known, _)| known == mark);
        found.map(|(_, value)| value)
    }

    /// Enters a mark. Of one that is there already the newest value counts, as in a tree: so logs say it.
    pub(crate) fn insert(&mut self, mark: [u8; N], value: V) {
        let Some(table) = self.tables.get_mut(table_of(&mark)) else { return };
        let hasher = &self.hasher;
        let rehash = |(known, _): &([u8; N], V)| hasher.hash_one(known);
        match table.entry(hasher.hash_one(mark), |(known, _)| *known == mark, rehash) {
            Entry::Occupied(mut known) => known.get_mut().1 = value,
            Entry::Vacant(room) => {
                room.insert((mark, value));
                self.len = self.len.saturating_add(1);
            }
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

fn table_of<const N: usize>(mark: &[u8; N]) -> usize {
    mark.first().copied().unwrap_or(0).into()
}

impl<const N: usize, V: PartialEq> PartialEq for Marks<N, V> {
    fn eq(&self, other: &Self) -> bool {
        let mut all = self.tables.iter().flatten();
        self.len == other.len && all.all(|(mark, value)| other.get(mark) == Some(value))
    }
}

impl<const N: usize, V: Eq> Eq for Marks<N, V> {}

/// As a tree of them is: the number of marks, then each with what is known of it, in their order.
impl<const N: usize, V: BorshSerialize> BorshSerialize for Marks<N, V> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let many = |_| io::Error::new(io::ErrorKind::InvalidData, "2^32 notes and more");
        u32::try_from(self.len).map_err(many)?.serialize(writer)?;
        let mut entries = Vec::new();
        for table in self.tables.iter() {
            entries.extend(table);
            entries.sort_unstable_by_key(|(mark, _)| mark);
            entries.drain(..).try_for_each(|entry| entry.serialize(writer))?;
        }
        Ok(())
    }
}

// Refuses what was never written: marks out of order, or one twice.
impl<const N: usize, V: BorshDeserialize> BorshDeserialize for Marks<N, V> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let count = u32::deserialize_reader(reader)?;
        let mut marks = Self::default();
        let mut last = None;
        for _ in 0..count {
            let (mark, value) = <([u8; N], V)>::deserialize_reader(reader)?;
            if last.replace(mark) >= Some(mark) {
                let what = "notes are not in their order";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            marks.insert(mark, value);
        }
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Some of one first byte, and some that differ in their last byte alone.
    fn mark() -> impl Strategy<Value = [u8; 16]> {
        let near = any::<u8>().prop_map(|last| {
            let mut mark = [7; 16];
            mark[15] = last;
            mark
        });
        prop_oneof![any::<[u8; 16]>(), near]
    }

    proptest! {
        #[test]
        fn they_are_written_as_a_tree_is_and_find_what_it_finds(
            entries in prop::collection::vec((mark(), any::<u8>()), 0..300),
            others in prop::collection::vec(mark(), 8),
        ) {
            let mut marks = Marks::<16, u8>::default();
            let mut tree = BTreeMap::new();
            for (mark, value) in &entries {
                marks.insert(*mark, *value);
                tree.insert(*mark, *value);
            }
            let sought = entries.iter().map(|(mark, _)| mark).chain(&others);
            prop_assert!(sought.clone().all(|mark| marks.get(mark) == tree.get(mark)));
            prop_assert_eq!(marks.len(), tree.len());
            let bytes = borsh::to_vec(&marks).unwrap();
            prop_assert_eq!(&bytes, &borsh::to_vec(&tree).unwrap());
            prop_assert_eq!(borsh::from_slice::<Marks<16, u8>>(&bytes).unwrap(), marks);
        }
    }

    #[test]
    fn marks_out_of_order_or_twice_are_not_read() {
        let read = |marks: [[u8; 2]; 2]| {
            let bytes = borsh::to_vec(&marks.to_vec()).unwrap();
            borsh::from_slice::<Marks<2, ()>>(&bytes)
        };
        for bad in [[[7, 2], [7, 1]], [[7, 1], [7, 1]], [[8, 0], [7, 1]]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert_eq!(read([[7, 1], [7, 2]]).unwrap().len(), 2);
    }

    #[test]
    fn sets_that_differ_in_one_mark_or_one_value_are_different() {
        let of = |entries: &[([u8; 2], u8)]| {
            let mut marks = Marks::default();
            entries.iter().for_each(|(mark, value)| marks.insert(*mark, *value));
            marks
        };
        let one = of(&[([1, 1], 1), ([1, 2], 2)]);
        assert_eq!(one, of(&[([1, 2], 2), ([1, 1], 1)]));
        for other in [&[([1, 1], 1)][..], &[([1, 1], 1), ([1, 2], 3)], &[([1, 1], 1), ([1, 3], 2)]]
        {
            assert_ne!(one, of(other));
        }
    }
}
