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
