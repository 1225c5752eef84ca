//! A month of the calendar, as payments are made for.

use std::fmt;
use std::str::FromStr;

/// A month such as `2026-11`; ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: u16,
    month: u8,
}

/// A text is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a month: expected such as 2026-11")]
pub struct MonthError(String);

impl Month {
    /// The month of a year; `None` beyond January to December of the years 1 to 9999.
    #[must_use]
    pub fn new(year: u16, month: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year) && (1..=12).contains(&month);
        exists.then_some(Self { year, month })
    }
}

impl FromStr for Month {
    type Err = MonthError;
    fn from_str(text: &str) -> Result<Self, MonthError> {
        let read = || {
            let (year, month) = text.split_once('-')?;
            let digits = |part: &str, wide| {
                part.len() == wide && part.bytes().all(|byte| byte.is_ascii_digit())
            };
            let written = digits(year, 4) && digits(month, 2);
            written.then_some(())?;
            Self::new(year.parse().ok()?, month.parse().ok()?)
        };
        read().ok_or_else(|| MonthError(text.to_owned()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_four_digits_a_hyphen_and_two_digits() {
        for good in ["0001-01", "2026-11", "9999-12"] {
            assert_eq!(good.parse::<Month>().unwrap().to_string(), good);
        }
        for bad in ["", "2026", "2026-00", "2026-13", "26-11", "2026-1", "2026-11-01", "+026-11"] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
        assert!("2026-09".parse::<Month>().unwrap() < "2026-10".parse().unwrap());
    }
}
