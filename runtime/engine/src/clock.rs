//! The clock, the one place where time enters: injected, so that tests set it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use yufu_base::Timestamp;

/// What a clock shows at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The time of day. It can be set, forward and back.
    pub wall: Timestamp,
    /// The time since some fixed moment. It cannot be set, so it tells a jump from a wait.
    pub monotonic: Duration,
}

/// A source of time.
pub trait Clock: Send + Sync {
    /// Reads it.
    fn read(&self) -> Reading;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic part begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the injected clock")]
    fn read(&self) -> Reading {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let wall = Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        Reading { wall, monotonic: self.started.elapsed() }
    }
}

/// A clock that moves only when told. Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Reading>>);

impl ManualClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Reading { wall: at, monotonic: Duration::ZERO })))
    }

    /// Lets time pass, as it does.
    pub fn advance(&self, by: Duration) {
        self.change(|reading| {
            let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            reading.wall = Timestamp::from_millis(reading.wall.millis().saturating_add(millis));
            reading.monotonic = reading.monotonic.saturating_add(by);
        });
    }

    /// Sets the time of day, as an operator or a broken time server does.
    pub fn set(&self, at: Timestamp) {
        self.change(|reading| reading.wall = at);
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
