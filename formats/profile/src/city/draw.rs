//! Draws that stay the same across builds: our own few lines over ChaCha, because the
//! sampling of a library may change with its version.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform below `bound` (0 if `bound` is 0), without bias.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let Some(excess) = (u32::MAX).checked_rem(bound) else { return 0 };
        loop {
            let value = self.0.next_u32();
            // The topmost `excess` values would favour small remainders.
            if value < u32::MAX.saturating_sub(excess) {
                return value.checked_rem(bound).unwrap_or(0);
            }
        }
    }

    pub(super) fn index(&mut self, length: usize) -> usize {
        let bound = u32::try_from(length).unwrap_or(u32::MAX);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.index(list.len()))
    }
}

/// Items with weights, drawn in proportion.
pub(super) struct Weighted<T> {
    /// Ascending upper ends.
    ends: Vec<(u32, T)>,
    total: u32,
}

impl<T: Copy> Weighted<T> {
    pub(super) fn new(items: impl Iterator<Item = (u32, T)>) -> Self {
        let mut total = 0_u32;
        let ends = items.map(|(weight, item)| {
            total = total.saturating_add(weight);
            (total, item)
        });
        Self { ends: ends.collect(), total }
    }

    pub(super) fn draw(&self, draw: &mut Draw) -> Option<T> {
        let value = draw.below(self.total);
        let at = self.ends.partition_point(|(end, _)| *end <= value);
        self.ends.get(at).map(|(_, item)| *item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_hold_within_a_few_percent() {
        let weighted = Weighted::new([(1, 'a'), (3, 'b')].into_iter());
        let mut draw = Draw::new(1);
        let b = (0..10_000).filter(|_| weighted.draw(&mut draw) == Some('b')).count();
        assert!((7_200..7_800).contains(&b), "{b}");
    }

    #[test]
    fn below_stays_below() {
        let mut draw = Draw::new(2);
        assert!((0..1_000).all(|_| draw.below(7) < 7));
        assert_eq!(draw.below(0), 0);
    }
}
