//! Moments as mdocs write them (`tdate`, ISO 18013-5, 7.1): `2026-11-26T00:00:00Z`, whole seconds, UTC.

use crate::cbor::{ShapeError, Value, expected};
use yufu_base::Timestamp;

/// The tag of a date with a time (RFC 8949, 3.4.1).
const DATE_TIME: u64 = 0;
/// The tag of a day (RFC 8943).
const FULL_DATE: u64 = 1004;

/// A moment with its tag; fractions of a second are cut off.
pub(crate) fn date_time(at: Timestamp) -> Value {
    let seconds = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    Value::tagged(DATE_TIME, Value::text(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))
}

/// The moment that a value with its tag says.
pub(crate) fn read_date_time(of: &'static str, value: Value) -> Result<Timestamp, ShapeError> {
    const SHAPE: &str = "moments as 2026-11-26T00:00:00Z, tagged as dates";
    let Value::Tag(DATE_TIME, inner) = value else { return Err(expected(of, SHAPE)) };
    let text = inner.into_text().ok_or(expected(of, SHAPE))?;
    let parsed: Option<jiff::Timestamp> = text.parse().ok();
    let seconds = parsed.and_then(|at| u64::try_from(at.as_second()).ok());
    let at = Timestamp::from_seconds(seconds.ok_or(expected(of, SHAPE))?);
    // Written in one way only: no fractions, no other zone.
    if date_time(at) == Value::tagged(DATE_TIME, Value::text(text)) {
        Ok(at)
    } else {
        Err(expected(of, SHAPE))
    }
}

/// A day with its tag: the text must be `2026-11-26`.
pub(crate) fn full_date(text: &str) -> Option<Value> {
    let day: jiff::civil::Date = text.parse().ok()?;
    (day.to_string() == text).then(|| Value::tagged(FULL_DATE, Value::text(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_whole_seconds_of_utc_and_read_in_no_other_form() {
        let at = Timestamp::from_millis(1_601_559_002_999);
        let written = date_time(at);
        assert_eq!(written, Value::tagged(0, Value::text("2020-10-01T13:30:02Z")));
        assert_eq!(read_date_time("x", written), Ok(Timestamp::from_seconds(1_601_559_002)));
        for text in [
            "2020-10-01T13:30:02.5Z",
            "2020-10-01T15:30:02+02:00",
            "2020-10-01 13:30:02Z",
            "2020-10-01",
            "1969-12-31T23:59:59Z",
            "",
        ] {
            let value = Value::tagged(0, Value::text(text));
            assert!(read_date_time("x", value).is_err(), "{text}");
        }
        assert!(read_date_time("x", Value::text("2020-10-01T13:30:02Z")).is_err(), "no tag");
        assert!(full_date("2020-10-01").is_some() && full_date("2020-13-01").is_none());
        assert!(full_date("20201001").is_none());
    }
}
