//! Ages that matter to a bank: from which on somebody opens a wallet alone, and has no guardian.
//! A year is completed at midnight of the birthday, by the country's civil time.

use crate::http::Problem;
use axum::http::StatusCode;
use jiff::civil::Date;
use yufu_base::Timestamp;
use yufu_profile::{UtcOffsets, is_over};

/// The country's ages and its civil time.
#[derive(Clone, Debug)]
pub struct AgeRules {
    /// From which age on a wallet in one's name is opened alone.
    pub alone: u8,
    /// From which age on nobody has a guardian.
    pub majority: u8,
    /// The country's civil time.
    pub offsets: UtcOffsets,
}

impl AgeRules {
    /// Refuses somebody who is too young to open a wallet alone.
    pub(super) fn alone(&self, birthdate: &str, now: Timestamp) -> Result<(), Problem> {
        if self.completed(self.alone, birthdate, now)? {
            return Ok(());
        }
        let detail = format!(
            "a wallet in one's own name is opened alone from the age of {} on: until then the guardian opens it, with a guardianship credential from the identity authority",
            self.alone
        );
        Err(Problem::refused("account.guardian_needed", detail))
    }

    /// Whether somebody has no guardian any more.
    pub(super) fn of_age(&self, birthdate: &str, now: Timestamp) -> Result<bool, Problem> {
        self.completed(self.majority, birthdate, now)
    }

    fn completed(&self, years: u8, birthdate: &str, now: Timestamp) -> Result<bool, Problem> {
        let birth: Date = birthdate.parse().map_err(|_| {
            let detail = "the date of birth is no day of the calendar: YYYY-MM-DD";
            Problem::new(StatusCode::BAD_REQUEST, "presentation.rejected", detail)
        })?;
        let today = self.offsets.date_at(now);
        let today = today.ok_or_else(|| Problem::internal("the clock is beyond the calendar"))?;
        Ok(is_over(birth, years, today))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_profile::{Profile, Sources};

    const CHINA: [&str; 3] = [
        include_str!("../../../profiles/china/profile.toml"),
        include_str!("../../../profiles/china/institutions.toml"),
        include_str!("../../../profiles/china/city.toml"),
    ];

    fn china() -> AgeRules {
        let [profile, institutions, city] = CHINA;
        let profile = Profile::read(Sources {
            profile: ("p", profile),
            institutions: ("i", institutions),
            city: ("c", city),
        })
        .unwrap();
        AgeRules {
            alone: profile.account_age,
            majority: profile.majority,
            offsets: profile.utc_offsets,
        }
    }

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(at.as_millisecond().try_into().unwrap())
    }

    #[test]
    fn a_year_is_completed_at_midnight_in_china_and_on_1_march_for_29_february() {
        let ages = china();
        for (birth, last, first) in [
            ("2010-05-02", "2026-05-01T23:59:59.999+08:00", "2026-05-02T00:00:00+08:00"),
            ("2008-02-29", "2024-02-28T23:59:59.999+08:00", "2024-02-29T00:00:00+08:00"),
            ("2012-02-29", "2028-02-28T23:59:59.999+08:00", "2028-02-29T00:00:00+08:00"),
        ] {
            let early = ages.alone(birth, at(last)).unwrap_err();
            assert_eq!(early.code(), "account.guardian_needed", "{birth}");
            assert!(ages.alone(birth, at(first)).is_ok(), "{birth}");
        }
        // Eighteen years after a leap day comes a common year.
        assert!(!ages.of_age("2008-02-29", at("2026-02-28T23:59:59.999+08:00")).unwrap());
        assert!(ages.of_age("2008-02-29", at("2026-03-01T00:00:00+08:00")).unwrap());
        assert_eq!(
            ages.alone("2010-13-01", at("2026-05-01T00:00:00Z")).unwrap_err().code(),
            "presentation.rejected"
        );
    }
}
