//! Moments as databases hold them.

use yufu_base::Timestamp;

/// A moment as databases hold it: milliseconds since the epoch, saturating at the end of their range.
#[must_use]
pub fn to_column(at: Timestamp) -> i64 {
    i64::try_from(at.millis()).unwrap_or(i64::MAX)
}

/// What [`to_column`] wrote; `None` of a number that it never writes, one below zero.
#[must_use]
pub fn from_column(millis: i64) -> Option<Timestamp> {
    u64::try_from(millis).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_was_written_and_beyond_the_range_as_its_end() {
        for millis in [0, 1, 1_764_000_000_123, i64::MAX.unsigned_abs()] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(from_column(to_column(at)), Some(at));
        }
        let beyond = Timestamp::from_millis(i64::MAX.unsigned_abs() + 1);
        assert_eq!(to_column(beyond), i64::MAX);
        assert_eq!(from_column(-1), None, "nobody wrote that");
    }
}
