//! When a wallet asks for fresh copies by itself: about once a day, at times that are drawn ahead and kept in its file.
//! Nothing that its holder does moves them, so an issuer that is asked learns nothing of when a copy was shown.

use super::haip::Got;
use super::holder::Holder;
use anyhow::Result;
use std::ops::Range;
use yufu_base::Timestamp;
use yufu_keys::random;

const HOUR: u64 = 3_600;
/// The first look, after this is begun: not at once, whatever was shown just before.
const FIRST: Range<u64> = HOUR / 6..24 * HOUR;
/// From one look to the next.
const APART: Range<u64> = 18 * HOUR..30 * HOUR;
/// From a look that failed to the next.
const AGAIN: Range<u64> = HOUR / 6..HOUR;
/// A look that is so late was missed: the machine was off, and whoever switched it on may be about to show something.
const LATE_SECONDS: u64 = 600;
/// From finding that a look was missed to the next.
const MISSED: Range<u64> = HOUR / 6..2 * HOUR;

impl Holder {
    /// When this wallet asks its issuers for fresh copies the next time; drawn, if that was never done or was missed.
    ///
    /// # Errors
    /// If the wallet's file cannot be written.
    pub fn next_renewal(&mut self) -> Result<Timestamp> {
        let now = self.now();
        match self.file.contents.next_renewal.map(Timestamp::from_seconds) {
            None => self.draw_renewal(FIRST),
            Some(at) if stands(at, now) => Ok(at),
            Some(_) => self.draw_renewal(MISSED),
        }
    }

    /// Renews, if the time for it has come; what came, and none if it has not.
    ///
    /// # Errors
    /// As [`Holder::renew`]: then it is tried again within the hour.
    pub async fn renew_in_time(&mut self) -> Result<Option<Vec<Got>>> {
        if self.now() < self.next_renewal()? {
            return Ok(None);
        }
        match self.renew().await {
            Ok(all) => {
                self.draw_renewal(APART)?;
                Ok(Some(all))
            }
            Err(error) => {
                self.draw_renewal(AGAIN)?;
                Err(error)
            }
        }
    }

    fn draw_renewal(&mut self, within: Range<u64>) -> Result<Timestamp> {
        let at = drawn(within, self.now(), u64::from_be_bytes(random()));
        self.file.contents.next_renewal = Some(at.seconds());
        self.file.save()?;
        Ok(at)
    }
}

/// Whether a look is still to come, or just due. One further ahead than any is drawn was planned by another clock.
fn stands(at: Timestamp, now: Timestamp) -> bool {
    now <= at.plus_seconds(LATE_SECONDS) && at <= now.plus_seconds(APART.end)
}

fn drawn(within: Range<u64>, now: Timestamp, random: u64) -> Timestamp {
    let span = within.end.saturating_sub(within.start).max(1);
    let after = within.start.saturating_add(random.checked_rem(span).unwrap_or_default());
    Timestamp::from_seconds(now.seconds().saturating_add(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn a_look_is_drawn_from_all_of_its_span_and_nothing_beyond() {
        for (within, least, most) in [
            (FIRST, 600, 86_399),
            (APART, 64_800, 107_999),
            (AGAIN, 600, 3_599),
            (MISSED, 600, 7_199),
        ] {
            let span = within.end - within.start;
            let at = |random| drawn(within.clone(), NOW, random).seconds() - NOW.seconds();
            assert_eq!((at(0), at(span - 1), at(span)), (least, most, least));
        }
    }

    #[test]
    fn a_look_stands_until_ten_minutes_after_it_and_one_beyond_all_spans_does_not() {
        let late = LATE_SECONDS;
        for (at, stands_yet) in [(0, true), (60, true), (107_999, true), (108_001, false)] {
            assert_eq!(stands(NOW.plus_seconds(at), NOW), stands_yet, "{at}");
        }
        assert!(stands(NOW, NOW.plus_seconds(late)) && !stands(NOW, NOW.plus_seconds(late + 1)));
    }
}
