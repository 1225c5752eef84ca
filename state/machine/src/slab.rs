//! Values at numbers that are used again once they are free, in chunks that are never moved.

/// Values in a chunk: 2^12.
const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;

#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    /// How many numbers were ever given out.
    given: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), given: 0 }
    }
}

impl<T> Slab<T> {
    /// Keeps a value, and says under which number. `None` if 2^32 are kept.
    pub(crate) fn insert(&mut self, value: T) -> Option<u32> {
        if let Some(number) = self.free.pop() {
            *self.place_mut(number)? = Some(value);
            return Some(number);
        }
        let number = self.given;
        self.given = number.checked_add(1)?;
        if self.chunks.last().is_none_or(|last| last.len() >= CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks.last_mut()?.push(Some(value));
        Some(number)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let (chunk, place) = split(number);
        self.chunks.get(chunk)?.get(place)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.place_mut(number)?.as_mut()
    }

    /// Lets go of a value; its number is used again.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let value = self.place_mut(number)?.take()?;
        self.free.push(number);
        Some(value)
    }

    fn place_mut(&mut self, number: u32) -> Option<&mut Option<T>> {
        let (chunk, place) = split(number);
        self.chunks.get_mut(chunk)?.get_mut(place)
    }
}

const fn split(number: u32) -> (usize, usize) {
    let number = number as usize;
    (number >> CHUNK_BITS, number & (CHUNK - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_number_leads_to_its_value_until_it_is_let_go(
            steps in proptest::collection::vec((any::<bool>(), any::<u16>()), 0..300),
        ) {
            let mut slab = Slab::default();
            let mut model = BTreeMap::new();
            for (insert, value) in steps {
                if insert || model.is_empty() {
                    let number = slab.insert(value).unwrap();
                    prop_assert!(model.insert(number, value).is_none());
                } else {
                    let place = usize::from(value).checked_rem(model.len()).unwrap();
                    let number = *model.keys().nth(place).unwrap();
                    prop_assert_eq!(slab.remove(number), model.remove(&number));
                    prop_assert_eq!(slab.remove(number), None);
                }
                prop_assert!(model.iter().all(|(number, value)| slab.get(*number) == Some(value)));
            }
        }
    }

    #[test]
    fn more_than_a_chunk_fits() {
        let mut slab = Slab::default();
        let count = u32::try_from(CHUNK).unwrap().saturating_add(2);
        let numbers: Vec<u32> = (0..count).map(|value| slab.insert(value).unwrap()).collect();
        assert!(numbers.iter().zip(0..count).all(|(n, value)| slab.get(*n) == Some(&value)));
        *slab.get_mut(count.saturating_sub(1)).unwrap() = 7;
        assert_eq!(slab.remove(count.saturating_sub(1)), Some(7));
        assert_eq!(slab.get(count.saturating_sub(1)), None);
    }
}
