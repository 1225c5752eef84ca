//! What was paid from a wallet in the current day and year: the counters limits are held against.

use borsh::{BorshDeserialize, BorshSerialize};

/// The day and year a payment falls in, by the caller's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Period {
    /// The day, counted from 1970-01-01.
    pub day: i64,
    /// The Gregorian year.
    pub year: i64,
}

/// Sums paid, in minor units. If the calendar steps back (an offset was changed), the later
/// period stays in force until time has caught up: a step back never renews an allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Spending {
    day: i64,
    year: i64,
    paid_on_day: u64,
    paid_in_year: u64,
}

impl Spending {
    /// Nothing was paid.
    pub const NONE: Self = Self { day: i64::MIN, year: i64::MIN, paid_on_day: 0, paid_in_year: 0 };

    /// What was paid on the day of `now`.
    #[must_use]
    pub const fn on_day(&self, now: Period) -> u64 {
        if now.day > self.day { 0 } else { self.paid_on_day }
    }

    /// What was paid in the year of `now`.
    #[must_use]
    pub const fn in_year(&self, now: Period) -> u64 {
        if now.year > self.year { 0 } else { self.paid_in_year }
    }

    /// The period in which it counts now.
    pub(crate) const fn period(&self) -> Period {
        Period { day: self.day, year: self.year }
    }

    /// The counters without `amount` that was counted in `then`, as far as that day and that year
    /// are still the ones that count.
    pub(crate) fn minus(&self, then: Period, amount: u64) -> Self {
        let (same_day, same_year) = (self.day == then.day, self.year == then.year);
        let left = |same: bool, paid: u64| if same { paid.saturating_sub(amount) } else { paid };
        Self {
            day: self.day,
            year: self.year,
            paid_on_day: left(same_day, self.paid_on_day),
            paid_in_year: left(same_year, self.paid_in_year),
        }
    }

    /// The counters after `amount` more; `None` if a sum does not fit 64 bits.
    #[must_use]
    pub fn plus(&self, now: Period, amount: u64) -> Option<Self> {
        Some(Self {
            day: self.day.max(now.day),
            year: self.year.max(now.year),
            paid_on_day: self.on_day(now).checked_add(amount)?,
            paid_in_year: self.in_year(now).checked_add(amount)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(day: i64, year: i64) -> Period {
        Period { day, year }
    }

    #[test]
    fn a_new_day_forgets_the_day_and_a_new_year_both() {
        let spent = Spending::NONE.plus(at(10, 2026), 5).unwrap().plus(at(10, 2026), 2).unwrap();
        assert_eq!((spent.on_day(at(10, 2026)), spent.in_year(at(10, 2026))), (7, 7));
        assert_eq!((spent.on_day(at(11, 2026)), spent.in_year(at(11, 2026))), (0, 7));
        assert_eq!((spent.on_day(at(375, 2027)), spent.in_year(at(375, 2027))), (0, 0));
    }

    #[test]
    fn a_calendar_that_steps_back_renews_nothing() {
        let spent = Spending::NONE.plus(at(10, 2027), 5).unwrap();
        assert_eq!((spent.on_day(at(9, 2026)), spent.in_year(at(9, 2026))), (5, 5));
        let more = spent.plus(at(9, 2026), 1).unwrap();
        assert_eq!((more.on_day(at(10, 2027)), more.in_year(at(10, 2027))), (6, 6));
    }

    #[test]
    fn what_is_taken_back_counts_in_its_own_day_and_year_only() {
        let spent = Spending::NONE.plus(at(10, 2026), 5).unwrap();
        let same = spent.plus(at(10, 2026), 2).unwrap().minus(at(10, 2026), 5);
        assert_eq!((same.on_day(at(10, 2026)), same.in_year(at(10, 2026))), (2, 2));
        let next = spent.plus(at(11, 2026), 2).unwrap().minus(at(10, 2026), 5);
        assert_eq!((next.on_day(at(11, 2026)), next.in_year(at(11, 2026))), (2, 2));
        let later = spent.plus(at(400, 2027), 2).unwrap().minus(at(10, 2026), 5);
        assert_eq!((later.on_day(at(400, 2027)), later.in_year(at(400, 2027))), (2, 2));
    }

    #[test]
    fn a_sum_beyond_64_bits_is_refused() {
        let spent = Spending::NONE.plus(at(1, 1970), u64::MAX).unwrap();
        assert_eq!(spent.plus(at(1, 1970), 1), None);
    }
}
