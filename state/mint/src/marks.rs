//! A set of marks, each with what is known of it: as many trees as a byte has values, so that each is small.

use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::io;

/// Words of 64 bits, the first weighing most: what is kept of a point. As bytes each word is big-endian, so that marks
/// are in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark<const WORDS: usize>(pub(crate) [u64; WORDS]);

impl<const WORDS: usize> Mark<WORDS> {
    fn first_byte(&self) -> usize {
        let [first, ..] = self.0.first().copied().unwrap_or(0).to_be_bytes();
        first.into()
    }
}

impl<const WORDS: usize> BorshSerialize for Mark<WORDS> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.iter().try_for_each(|word| writer.write_all(&word.to_be_bytes()))
    }
}

impl<const WORDS: usize> BorshDeserialize for Mark<WORDS> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let mut words = [0; WORDS];
        for word in &mut words {
            *word = u64::from_be_bytes(BorshDeserialize::deserialize_reader(reader)?);
        }
        Ok(Self(words))
    }
}

/// How many trees.
const TREES: usize = 256;

/// Marks and what is known of each. One that is sought is in the tree of its first byte: points are like random numbers,
/// so each tree has its share, and two fetches from memory are saved of the five that one tree takes of a million. Where
/// somebody chooses points of one first byte, theirs take as long as in one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marks<const WORDS: usize, V> {
    trees: Box<[BTreeMap<Mark<WORDS>, V>; TREES]>,
    len: usize,
}

impl<const WORDS: usize, V> Default for Marks<WORDS, V> {
    fn default() -> Self {
        Self { trees: Box::new([const { BTreeMap::new() }; TREES]), len: 0 }
    }
}

impl<const WORDS: usize, V> Marks<WORDS, V> {
    pub(crate) fn get(&self, mark: &Mark<WORDS>) -> Option<&V> {
        self.trees.get(mark.first_byte())?.get(mark)
    }

    pub(crate) fn insert(&mut self, mark: Mark<WORDS>, value: V) {
        let Some(tree) = self.trees.get_mut(mark.first_byte()) else { return };
        if tree.insert(mark, value).is_none() {
            self.len = self.len.saturating_add(1);
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

/// As one tree would be: the number of marks, then each with what is known of it, in their order.
impl<const WORDS: usize, V: BorshSerialize> BorshSerialize for Marks<WORDS, V> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let many = |_| io::Error::new(io::ErrorKind::InvalidData, "2^32 notes and more");
        u32::try_from(self.len).map_err(many)?.serialize(writer)?;
        self.trees.iter().flatten().try_for_each(|entry| entry.serialize(writer))
    }
}

// Refuses what was never written: marks out of order, or one twice.
impl<const WORDS: usize, V: BorshDeserialize> BorshDeserialize for Marks<WORDS, V> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let count = u32::deserialize_reader(reader)?;
        let mut marks = Self::default();
        let mut last = None;
        for _ in 0..count {
            let (mark, value) = <(Mark<WORDS>, V)>::deserialize_reader(reader)?;
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

    fn of(bytes: &[u8; 16]) -> Mark<2> {
        let (words, _) = bytes.as_chunks::<8>();
        Mark([u64::from_be_bytes(words[0]), u64::from_be_bytes(words[1])])
    }

    proptest! {
        #[test]
        fn many_trees_are_written_as_one_is_and_find_what_it_finds(
            entries in prop::collection::vec((any::<[u8; 16]>(), any::<u8>()), 0..300),
            others in prop::collection::vec(any::<[u8; 16]>(), 8),
        ) {
            let mut marks = Marks::<2, u8>::default();
            let mut tree = BTreeMap::new();
            for (mark, value) in &entries {
                marks.insert(of(mark), *value);
                tree.insert(*mark, *value);
            }
            let sought = entries.iter().map(|(mark, _)| mark).chain(&others);
            prop_assert!(sought.clone().all(|mark| marks.get(&of(mark)) == tree.get(mark)));
            prop_assert_eq!(marks.len(), tree.len());
            let bytes = borsh::to_vec(&marks).unwrap();
            prop_assert_eq!(&bytes, &borsh::to_vec(&tree).unwrap());
            prop_assert_eq!(borsh::from_slice::<Marks<2, u8>>(&bytes).unwrap(), marks);
        }
    }

    #[test]
    fn marks_out_of_order_or_twice_are_not_read() {
        for [first, second] in [[2_u64, 1], [1, 1]] {
            let marks = [Mark([7, first]), Mark([7, second])];
            let bytes = borsh::to_vec(&marks.to_vec()).unwrap();
            assert!(borsh::from_slice::<Marks<2, ()>>(&bytes).is_err(), "{first} {second}");
        }
        let bytes = borsh::to_vec(&vec![Mark([7, 1]), Mark([7, 2])]).unwrap();
        assert_eq!(borsh::from_slice::<Marks<2, ()>>(&bytes).unwrap().len(), 2);
    }
}
