//! How long notes rest after a withdrawal, and which sums are withdrawn: what keeps a withdrawal, which
//! the bank knows the customer of, from being told by its time or its amount in a payment.

/// The least that withdrawn notes rest, in seconds: an hour.
pub const LEAST_REST: u64 = 3_600;
/// The most that they rest, in seconds: a day and an hour, so that the hour of the day is lost too.
pub const MOST_REST: u64 = 90_000;
/// The most that passes between two state checks of one purse, in seconds.
pub const MOST_BETWEEN_CHECKS: u64 = 600;

/// How long the notes of a withdrawal rest, in seconds, given fresh randomness.
#[must_use]
pub fn rest(randomness: u64) -> u64 {
    LEAST_REST.saturating_add(below(randomness, MOST_REST.saturating_sub(LEAST_REST)))
}

/// How long to wait before the next state check, in seconds, given fresh randomness: checks that follow
/// each other at once tell that their notes are one person's.
#[must_use]
pub fn before_next_check(randomness: u64) -> u64 {
    below(randomness, MOST_BETWEEN_CHECKS)
}

/// The sums that wallets withdraw, in minor units of a currency with so many digits after the point:
/// 50, 100, 200 and 500, so that everybody's withdrawals look alike.
#[must_use]
pub fn standard_sums(decimals: u8) -> [u64; 4] {
    let unit = 10_u64.saturating_pow(decimals.into());
    [50, 100, 200, 500].map(|sum| unit.saturating_mul(sum))
}

/// What withdrawn sums are made up of, in minor units: a sum that is a multiple of it comes in the notes of one, so
/// many times over, so that the sizes of notes do not tell who withdrew more.
#[must_use]
pub fn standard_part(decimals: u8) -> u64 {
    standard_sums(decimals).first().copied().unwrap_or(1)
}

/// The least standard sum that `wanted` fits into; the greatest, if none is.
#[must_use]
pub fn standard_sum(wanted: u64, decimals: u8) -> u64 {
    let sums = standard_sums(decimals);
    let fits = sums.into_iter().find(|sum| *sum >= wanted);
    fits.or(sums.last().copied()).unwrap_or(wanted)
}

/// Uniform below `bound` but for one part in 2^40 or so.
fn below(randomness: u64, bound: u64) -> u64 {
    let product = u128::from(randomness).saturating_mul(u128::from(bound));
    u64::try_from(product >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_between_an_hour_and_a_day_and_an_hour() {
        assert_eq!(rest(0), LEAST_REST);
        assert_eq!(rest(u64::MAX), MOST_REST - 1);
        assert_eq!(rest(1 << 63), (LEAST_REST + MOST_REST) / 2);
    }

    #[test]
    fn a_sum_is_rounded_up_to_one_that_everybody_withdraws() {
        assert_eq!(standard_sum(1, 2), 5_000);
        assert_eq!(standard_sum(5_001, 2), 10_000);
        assert_eq!(standard_sum(99, 0), 100);
        assert_eq!(standard_sum(u64::MAX, 2), 50_000);
    }
}
