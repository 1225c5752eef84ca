//! The source of randomness: everything that must be unpredictable is drawn here, at the edge,
//! and handed down as an argument.

use yufu_jose::encode_base64url;

/// `N` unpredictable bytes from the cryptographic library's generator.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: the operating system has randomness; going on without it would be worse than stopping"
    )]
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// Unpredictable numbers, drawn many at a time: the generator asks as much for one as for a hundred.
pub struct Draws {
    drawn: [u8; DRAWN],
    used: usize,
}

const DRAWN: usize = 1024;

impl Draws {
    /// None is drawn yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { drawn: [0; DRAWN], used: DRAWN }
    }

    /// The next `N` bytes, at most 1,024. They are handed out once and wiped here.
    #[must_use]
    pub fn draw<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= DRAWN) };
        if self.drawn.len().saturating_sub(self.used) < N {
            (self.drawn, self.used) = (random(), 0);
        }
        let mut next = [0; N];
        let rest = self.drawn.get_mut(self.used..).unwrap_or_default();
        for (given, drawn) in next.iter_mut().zip(rest) {
            *given = std::mem::take(drawn);
        }
        self.used = self.used.saturating_add(N);
        next
    }
}

impl Default for Draws {
    fn default() -> Self {
        Self::new()
    }
}

/// An unguessable text of 256 bits in base64url: 43 characters.
#[must_use]
pub fn random_text() -> String {
    encode_base64url(random::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_draws_are_alike() {
        assert_ne!(random::<16>(), random::<16>());
        assert_eq!(random_text().len(), 43);
    }

    #[test]
    fn numbers_drawn_together_are_given_out_once_each() {
        let mut draws = Draws::new();
        let given: BTreeSet<[u8; 16]> = (0..1000).map(|_| draws.draw()).collect();
        assert_eq!(given.len(), 1000);
        assert!(!given.contains(&[0; 16]));
        assert_ne!(draws.draw::<1024>(), draws.draw::<1024>());
    }
}
