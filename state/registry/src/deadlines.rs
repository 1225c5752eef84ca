//! How long what is pending may stay so: holds, disputes and freeze orders end by themselves.

use borsh::{BorshDeserialize, BorshSerialize};
use std::io;
use yufu_base::Timestamp;

/// The longest any of them may last.
const MOST_DAYS: u32 = 366;
const DAY_SECONDS: u64 = 86_400;

/// How long what is pending may stay so, in days, before it is validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DeadlineTerms {
    /// A held payment.
    pub hold_days: u32,
    /// What is held while a payment is disputed.
    pub dispute_days: u32,
    /// A freeze that was ordered and not yet confirmed.
    pub freeze_confirm_days: u32,
    /// A freeze in force.
    pub freeze_days: u32,
}

/// Validated terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Deadlines(DeadlineTerms);

/// Why terms are no deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// A deadline of nothing, or of more than a year.
    #[error("{0} days are no deadline: expected 1 to {MOST_DAYS}")]
    OutOfRange(u32),
}

impl Deadlines {
    /// Validates `terms`.
    ///
    /// # Errors
    /// [`DeadlineError`].
    pub fn new(terms: DeadlineTerms) -> Result<Self, DeadlineError> {
        let DeadlineTerms { hold_days, dispute_days, freeze_confirm_days, freeze_days } = terms;
        for days in [hold_days, dispute_days, freeze_confirm_days, freeze_days] {
            if !(1..=MOST_DAYS).contains(&days) {
                return Err(DeadlineError::OutOfRange(days));
            }
        }
        Ok(Self(terms))
    }

    /// What they say.
    #[must_use]
    pub const fn terms(&self) -> &DeadlineTerms {
        &self.0
    }

    /// The latest a payment that is held from `now` on may lapse.
    #[must_use]
    pub fn hold(&self, now: Timestamp) -> Timestamp {
        after(now, self.0.hold_days)
    }

    /// The latest a dispute begun `now` may end.
    #[must_use]
    pub fn dispute(&self, now: Timestamp) -> Timestamp {
        after(now, self.0.dispute_days)
    }

    /// Until when a freeze ordered `now` may be confirmed.
    #[must_use]
    pub fn freeze_confirm(&self, now: Timestamp) -> Timestamp {
        after(now, self.0.freeze_confirm_days)
    }

    /// The latest a freeze ordered `now` may end.
    #[must_use]
    pub fn freeze(&self, now: Timestamp) -> Timestamp {
        after(now, self.0.freeze_days)
    }
}

fn after(now: Timestamp, days: u32) -> Timestamp {
    now.plus_seconds(u64::from(days).saturating_mul(DAY_SECONDS))
}

impl BorshDeserialize for Deadlines {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::new(DeadlineTerms::deserialize_reader(reader)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_day_to_a_year_and_others_do_not_decode() {
        let terms = |freeze_days| DeadlineTerms {
            hold_days: 1,
            dispute_days: 2,
            freeze_confirm_days: 3,
            freeze_days,
        };
        for days in [0, 367] {
            assert_eq!(Deadlines::new(terms(days)), Err(DeadlineError::OutOfRange(days)));
            let bytes = borsh::to_vec(&terms(days)).unwrap();
            assert!(borsh::from_slice::<Deadlines>(&bytes).is_err());
        }
        let deadlines = Deadlines::new(terms(366)).unwrap();
        let now = Timestamp::from_seconds(5);
        let ends = [
            deadlines.hold(now),
            deadlines.dispute(now),
            deadlines.freeze_confirm(now),
            deadlines.freeze(now),
        ];
        let days = ends.map(|end| end.seconds().saturating_sub(5).checked_div(DAY_SECONDS));
        assert_eq!(days, [Some(1), Some(2), Some(3), Some(366)]);
    }
}
