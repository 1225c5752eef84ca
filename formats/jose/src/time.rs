//! The dates of a JWT (RFC 7519 section 4.1): `iat`, `nbf`, `exp`, in whole seconds.

use serde::{Deserialize, Serialize};
use yufu_base::Timestamp;

/// The dates a token may carry. Flatten it into claims, then [`Validity::check`] it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// `iat`: when it was issued.
    #[serde(
        default,
        rename = "iat",
        with = "optional_numeric_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub issued_at: Option<Timestamp>,
    /// `nbf`: from when it may be accepted.
    #[serde(
        default,
        rename = "nbf",
        with = "optional_numeric_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_before: Option<Timestamp>,
    /// `exp`: from when it must no longer be accepted.
    #[serde(
        default,
        rename = "exp",
        with = "optional_numeric_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<Timestamp>,
}

/// Why a token is not valid now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Its issuance lies in the future.
    #[error("issued in the future, at {0} s: check the clocks of both sides")]
    IssuedInFuture(u64),
    /// It is not valid yet.
    #[error("not valid before {0} s since the epoch")]
    NotYetValid(u64),
    /// It has expired.
    #[error("expired at {0} s since the epoch: ask for a fresh one")]
    Expired(u64),
}

impl Validity {
    /// Checks what dates there are at `now`, granting the other clock `leeway_seconds`
    /// in either direction. Whether a date must be there is the caller's rule.
    ///
    /// # Errors
    /// In this order: [`TimeError::IssuedInFuture`], [`TimeError::NotYetValid`],
    /// [`TimeError::Expired`] (at the very second of `exp`, too: RFC 7519 section 4.1.4).
    pub fn check(&self, now: Timestamp, leeway_seconds: u64) -> Result<(), TimeError> {
        let latest = now.plus_seconds(leeway_seconds);
        if let Some(at) = self.issued_at.filter(|at| *at > latest) {
            return Err(TimeError::IssuedInFuture(at.seconds()));
        }
        if let Some(at) = self.not_before.filter(|at| *at > latest) {
            return Err(TimeError::NotYetValid(at.seconds()));
        }
        match self.expires_at {
            Some(at) if at.plus_seconds(leeway_seconds) <= now => {
                Err(TimeError::Expired(at.seconds()))
            }
            _ => Ok(()),
        }
    }
}

/// For `#[serde(with = "yufu_jose::numeric_date")]`: a [`Timestamp`] as whole seconds.
/// Fractions and dates after the year 9999 are refused.
pub mod numeric_date {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use yufu_base::Timestamp;

    /// The last second of the year 9999.
    const MAX: u64 = 253_402_300_799;

    /// Writes whole seconds, rounding down.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(at.seconds())
    }

    /// Reads whole seconds.
    ///
    /// # Errors
    /// If it is no whole number of seconds up to the year 9999.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        if seconds > MAX {
            return Err(D::Error::custom("a date after the year 9999: expected seconds"));
        }
        Ok(Timestamp::from_seconds(seconds))
    }
}

/// For `#[serde(default, with = "yufu_jose::optional_numeric_date")]`: the same, absent or there.
pub mod optional_numeric_date {
    use super::numeric_date;
    use serde::{Deserialize, Deserializer, Serializer};
    use yufu_base::Timestamp;

    #[derive(Deserialize)]
    struct Date(#[serde(with = "numeric_date")] Timestamp);

    /// Writes whole seconds, or null.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => numeric_date::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads whole seconds, or null.
    ///
    /// # Errors
    /// If it is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<Date>::deserialize(deserializer)?.map(|date| date.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn validity(issued_at: u64, not_before: u64, expires_at: u64) -> Validity {
        Validity {
            issued_at: Some(Timestamp::from_seconds(issued_at)),
            not_before: Some(Timestamp::from_seconds(not_before)),
            expires_at: Some(Timestamp::from_seconds(expires_at)),
        }
    }

    #[test]
    fn each_bound_holds_to_the_second_with_its_leeway() {
        let rows = [
            (validity(106, 0, 200), Err(TimeError::IssuedInFuture(106))),
            (validity(105, 0, 200), Ok(())),
            (validity(0, 106, 200), Err(TimeError::NotYetValid(106))),
            (validity(0, 105, 200), Ok(())),
            (validity(0, 0, 95), Err(TimeError::Expired(95))),
            (validity(0, 0, 96), Ok(())),
        ];
        for (validity, expected) in rows {
            assert_eq!(validity.check(Timestamp::from_seconds(100), 5), expected, "{validity:?}");
        }
        assert_eq!(Validity::default().check(Timestamp::from_seconds(100), 0), Ok(()));
    }

    #[test]
    fn dates_are_whole_seconds_of_this_era() {
        let read = |value| serde_json::from_value::<Validity>(value);
        assert_eq!(read(json!({"iat": 1})).unwrap().issued_at, Some(Timestamp::from_seconds(1)));
        for bad in [json!(1.5), json!(-1), json!("1"), json!(253_402_300_800_u64)] {
            assert!(read(json!({ "exp": bad })).is_err(), "{bad}");
        }
        let written = serde_json::to_value(Validity {
            expires_at: Some(Timestamp::from_millis(1999)),
            ..Validity::default()
        });
        assert_eq!(written.unwrap(), json!({"exp": 1}));
    }
}
