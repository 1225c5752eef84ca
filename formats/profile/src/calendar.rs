//! Civil time as data: from when which offset from UTC holds. The system's time zones are
//! never asked, so that every replica counts the same day.

use crate::section::Section;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use yufu_base::Timestamp;

/// From `from` on, local time is UTC plus `minutes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcOffset {
    /// The first moment it holds.
    pub from: Timestamp,
    /// Minutes east of UTC; negative is west.
    pub minutes: i32,
}

/// The offsets of a country, ascending; the first holds from the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtcOffsets(Vec<UtcOffset>);

impl UtcOffsets {
    /// The entries, ascending, the first at the epoch.
    #[must_use]
    pub fn entries(&self) -> &[UtcOffset] {
        &self.0
    }

    /// Minutes east of UTC at `at`.
    #[must_use]
    pub fn minutes_at(&self, at: Timestamp) -> i32 {
        let after = self.0.partition_point(|entry| entry.from <= at);
        self.0.get(after.saturating_sub(1)).map_or(0, |entry| entry.minutes)
    }

    /// The day that it is in the country at `at`; `None` beyond all calendars.
    #[must_use]
    pub fn date_at(&self, at: Timestamp) -> Option<Date> {
        let seconds = i64::try_from(at.seconds()).ok()?;
        let east = i64::from(self.minutes_at(at)).checked_mul(60)?;
        let local = jiff::Timestamp::from_second(seconds.checked_add(east)?).ok()?;
        Some(local.to_zoned(TimeZone::UTC).date())
    }
}

pub(crate) fn read_offsets(section: &mut Section<'_, '_, '_>) -> Option<UtcOffsets> {
    let mut previous: Option<Timestamp> = None;
    let entries = section.tables("utc_offsets", |mut entry| {
        let from = entry.moment("from");
        let offset = entry.text("offset");
        let minutes = offset.and_then(|(text, span)| {
            let minutes = minutes(&text);
            if minutes.is_none() {
                entry.report(&span, format!("`offset` is {text:?}"), "an offset such as +08:00");
            }
            minutes
        });
        if let Some((at, span)) = &from {
            let in_order = previous.map_or(at.millis() == 0, |before| before < *at);
            if !in_order {
                let expected = "1970-01-01T00:00:00Z first, then each later than the one before";
                entry.report(span, "`from` is out of order", expected);
            }
            previous = Some(*at);
        }
        entry.finish();
        Some(UtcOffset { from: from?.0, minutes: minutes? })
    })?;
    Some(UtcOffsets(entries))
}

fn minutes(offset: &str) -> Option<i32> {
    let (sign, rest) = match offset.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two_digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_a_sign_two_digits_a_colon_two_digits() {
        for (text, expected) in [("+08:00", 480), ("-03:30", -210), ("+00:00", 0)] {
            assert_eq!(minutes(text), Some(expected), "{text}");
        }
        for bad in ["", "08:00", "+8:00", "+08:60", "+15:00", "+08", "+-8:00", "＋08:00"] {
            assert_eq!(minutes(bad), None, "{bad}");
        }
    }
}
