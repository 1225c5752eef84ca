//! The calendar limits are counted by: UTC plus an offset from a table, and the proleptic
//! Gregorian year, both in exact integers. The system's time zones are never asked.

use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::Timestamp;

const SECONDS_PER_DAY: i64 = 86_400;
/// Days in 400 Gregorian years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const MARCH_ZERO_TO_EPOCH: i64 = 719_468;

/// From a moment on, local time is UTC plus `seconds_east`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UtcOffset {
    /// The first moment it holds for.
    pub from: Timestamp,
    /// Seconds east of Greenwich; negative is west.
    pub seconds_east: i32,
}

/// The local day, counted from 1970-01-01; `offsets` ascend and the first is from the epoch.
pub(crate) fn day_index(offsets: &[UtcOffset], at: Timestamp) -> i64 {
    let offset = offsets.iter().rev().find(|offset| offset.from <= at);
    let east = offset.map_or(0, |offset| i64::from(offset.seconds_east));
    // A millisecond count of 64 bits has seconds that fit 63 bits with room for any offset.
    let seconds = i64::try_from(at.seconds()).unwrap_or(i64::MAX).saturating_add(east);
    seconds.div_euclid(SECONDS_PER_DAY)
}

/// The Gregorian year of a local day.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "INVARIANT: |day| is at most i64::MAX / 86 400 + 1, and every step here divides or adds less than 10^6"
)]
pub(crate) fn year_of(day: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last of its year
    // (E. Reingold, N. Dershowitz, Calendrical Calculations).
    let since_march_zero = day + MARCH_ZERO_TO_EPOCH;
    let era = since_march_zero.div_euclid(DAYS_PER_ERA);
    let day_of_era = since_march_zero.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let january_or_february = day_of_year >= 306;
    era * 400 + year_of_era + i64::from(january_or_february)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;
    use proptest::prelude::*;

    fn fixed(seconds_east: i32) -> [UtcOffset; 1] {
        [UtcOffset { from: Timestamp::from_millis(0), seconds_east }]
    }

    #[test]
    fn an_offset_holds_from_its_moment_on() {
        let noon = Timestamp::from_seconds(43_200);
        let table = [fixed(0)[0], UtcOffset { from: noon, seconds_east: 43_200 }];
        assert_eq!(day_index(&table, Timestamp::from_millis(43_199_999)), 0);
        assert_eq!(day_index(&table, noon), 1);
    }

    #[test]
    fn the_last_moment_of_time_has_a_day_and_a_year() {
        let day = day_index(&fixed(64_800), Timestamp::from_millis(u64::MAX));
        assert!(year_of(day) > 500_000_000);
        assert_eq!(year_of(day_index(&fixed(-1), Timestamp::from_millis(0))), 1969);
    }

    proptest! {
        #[test]
        fn days_and_years_are_those_of_an_independent_calendar(
            seconds in 0u64..250_000_000_000, east in -64_800i32..=64_800
        ) {
            let day = day_index(&fixed(east), Timestamp::from_seconds(seconds));
            let instant = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
            let local = Offset::from_seconds(east).unwrap().to_datetime(instant);
            let epoch = jiff::civil::date(1970, 1, 1);
            prop_assert_eq!(day, i64::from(local.date().since(epoch).unwrap().get_days()));
            prop_assert_eq!(year_of(day), i64::from(local.year()));
        }
    }
}
