//! The wait after wrong attempts in a row (a passphrase, a code, a PIN): twice as long each time,
//! up to a longest. Where the count is kept, and when it is forgotten, is its keeper's affair.

/// How a wait grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrowingDelay {
    /// The wait after the first attempt, in seconds.
    pub first: u64,
    /// The longest wait, in seconds.
    pub longest: u64,
}

impl GrowingDelay {
    /// How long to wait after `times` attempts in a row, in seconds; none before the first.
    #[must_use]
    pub fn seconds(self, times: u32) -> u64 {
        match times.checked_sub(1) {
            None => 0,
            Some(doublings) => {
                self.first.saturating_mul(2_u64.saturating_pow(doublings)).min(self.longest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_the_first_to_the_longest() {
        let seconds = GrowingDelay { first: 1, longest: 3_600 };
        let all: Vec<u64> = (0..15).map(|times| seconds.seconds(times)).collect();
        assert_eq!(all, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]);
        let minutes = GrowingDelay { first: 60, longest: 3_600 };
        assert_eq!([1, 2, 3, 7].map(|times| minutes.seconds(times)), [60, 120, 240, 3_600]);
        assert_eq!(minutes.seconds(u32::MAX), 3_600);
    }
}
