//! Stamping: turns readings of the clock into stamps that never decrease, and stops when
//! the clock jumps until an operator has looked at it.

use crate::Reading;
use std::time::Duration;
use yufu_base::Timestamp;

/// A clock that shows another time than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock shows {} ms where {} ms was expected: check it, then confirm it",
    found.millis(), expected.millis()
)]
pub struct ClockJump {
    /// What it would show had it gone on evenly; after a restart, the last stamp.
    pub expected: Timestamp,
    /// What it showed when the jump was noticed.
    pub found: Timestamp,
}

/// The state of stamping.
#[derive(Debug)]
pub(crate) struct TimeKeeper {
    bound: Duration,
    /// The last stamp given, or replayed from the log.
    last: Timestamp,
    /// The last reading that was believed.
    believed: Reading,
    jump: Option<ClockJump>,
}

impl TimeKeeper {
    /// Begins after a (re)start with `last` the newest stamp in the log. That time has passed
    /// since is normal; that it has not is a jump.
    pub(crate) fn new(reading: Reading, last: Timestamp, bound: Duration) -> Self {
        let behind = Duration::from_millis(last.millis().saturating_sub(reading.wall.millis()));
        let jump = (behind > bound).then_some(ClockJump { expected: last, found: reading.wall });
        Self { bound, last, believed: reading, jump }
    }

    /// The stamp for a batch read at `reading`.
    pub(crate) fn stamp(&mut self, reading: Reading) -> Result<Timestamp, ClockJump> {
        if let Err(jump) = self.judge(reading) {
            self.jump = Some(jump);
            return Err(jump);
        }
        self.believed = reading;
        self.last = self.last.max(reading.wall);
        Ok(self.last)
    }

    /// The time to show a reader: what a stamp would be, or the last one if none can be given.
    pub(crate) fn now(&self, reading: Reading) -> Timestamp {
        self.judge(reading).map_or(self.last, |()| self.last.max(reading.wall))
    }

    /// The jump that stops the stamping, if any.
    pub(crate) const fn jump(&self) -> Option<ClockJump> {
        self.jump
    }

    /// Believes the clock as it stands. Stamps still never decrease: behind the last one,
    /// they stand still until the clock has caught up.
    pub(crate) fn confirm(&mut self, reading: Reading) {
        self.believed = reading;
        self.jump = None;
    }

    fn judge(&self, reading: Reading) -> Result<(), ClockJump> {
        if let Some(jump) = self.jump {
            return Err(jump);
        }
        let waited = reading.monotonic.saturating_sub(self.believed.monotonic);
        let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let expected = self.believed.wall.millis().saturating_add(waited);
        let off = Duration::from_millis(expected.abs_diff(reading.wall.millis()));
        if off > self.bound {
            let expected = Timestamp::from_millis(expected);
            return Err(ClockJump { expected, found: reading.wall });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUND: Duration = Duration::from_secs(60);

    fn reading(wall: u64, monotonic: u64) -> Reading {
        let monotonic = Duration::from_secs(monotonic);
        Reading { wall: Timestamp::from_seconds(wall), monotonic }
    }

    #[test]
    fn after_a_restart_a_gap_is_normal_and_a_step_back_is_not() {
        let last = Timestamp::from_seconds(1000);
        for (wall, normal) in [(90_000, true), (1000, true), (940, true), (939, false), (0, false)]
        {
            let keeper = TimeKeeper::new(reading(wall, 0), last, BOUND);
            assert_eq!(keeper.jump().is_none(), normal, "{wall}");
        }
    }

    #[test]
    fn while_running_waiting_is_normal_and_jumping_either_way_is_not() {
        // (wall, monotonic) after a start at (1000, 0)
        let table = [
            ((1000, 0), true),
            ((90_000, 89_000), true),
            ((90_060, 89_000), true),
            ((90_061, 89_000), false),
            ((89_939, 89_000), false),
            ((1060, 0), true),
            ((1061, 0), false),
            ((940, 0), true),
            ((939, 0), false),
        ];
        for ((wall, monotonic), normal) in table {
            let mut keeper = TimeKeeper::new(reading(1000, 0), Timestamp::default(), BOUND);
            let stamp = keeper.stamp(reading(wall, monotonic));
            assert_eq!(stamp.is_ok(), normal, "{wall} {monotonic}");
            assert_eq!(keeper.jump().is_none(), normal, "{wall} {monotonic}");
        }
    }

    #[test]
    fn a_jump_lasts_until_it_is_confirmed_even_if_the_clock_returns() {
        let mut keeper = TimeKeeper::new(reading(1000, 0), Timestamp::default(), BOUND);
        assert_eq!(keeper.stamp(reading(1001, 1)), Ok(Timestamp::from_seconds(1001)));
        let jump = keeper.stamp(reading(5000, 2)).unwrap_err();
        assert_eq!(jump.expected, Timestamp::from_seconds(1002));
        assert_eq!(jump.found, Timestamp::from_seconds(5000));
        assert_eq!(keeper.stamp(reading(1003, 3)), Err(jump));
        assert_eq!(keeper.now(reading(1003, 3)), Timestamp::from_seconds(1001));
        keeper.confirm(reading(1004, 4));
        assert_eq!(keeper.stamp(reading(1005, 5)), Ok(Timestamp::from_seconds(1005)));
    }

    #[test]
    fn a_confirmed_step_back_lets_stamps_stand_still() {
        let mut keeper = TimeKeeper::new(reading(1000, 0), Timestamp::from_seconds(1000), BOUND);
        keeper.stamp(reading(500, 1)).unwrap_err();
        keeper.confirm(reading(501, 2));
        assert_eq!(keeper.stamp(reading(502, 3)), Ok(Timestamp::from_seconds(1000)));
        assert_eq!(keeper.stamp(reading(1001, 502)), Ok(Timestamp::from_seconds(1001)));
    }

    proptest! {
        #[test]
        fn stamps_never_decrease(
            last in 0u64..2000, steps in proptest::collection::vec((0u64..2000, 0u64..100, any::<bool>()), 1..50),
        ) {
            let mut keeper = TimeKeeper::new(reading(1000, 0), Timestamp::from_seconds(last), BOUND);
            let mut newest = Timestamp::from_seconds(last);
            let mut monotonic = 0;
            for (wall, waited, confirm) in steps {
                monotonic = u64::saturating_add(monotonic, waited);
                if confirm {
                    keeper.confirm(reading(wall, monotonic));
                }
                prop_assert!(keeper.now(reading(wall, monotonic)) >= newest);
                if let Ok(stamp) = keeper.stamp(reading(wall, monotonic)) {
                    prop_assert!(stamp >= newest);
                    newest = stamp;
                }
            }
        }
    }
}
