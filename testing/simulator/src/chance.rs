//! Chance from a seed: the same on every build and machine.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of choices that follow from a seed.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The choices of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound.max(1))
    }

    /// Whether something that happens once in `many` times happens.
    pub fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// One of them; `None` if there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let last = u64::try_from(from.len()).unwrap_or(u64::MAX);
        from.get(usize::try_from(self.below(last)).unwrap_or(0))
    }

    /// One of them by weight.
    pub fn weighted<T: Copy>(&mut self, of: &[(u64, T)]) -> Option<T> {
        let all = of.iter().fold(0, |sum: u64, (weight, _)| sum.saturating_add(*weight));
        let mut place = self.below(all);
        for (weight, one) in of {
            match place.checked_sub(*weight) {
                Some(left) => place = left,
                None => return Some(*one),
            }
        }
        None
    }

    /// 128 bits.
    pub fn bits(&mut self) -> u128 {
        self.0.random()
    }
}
