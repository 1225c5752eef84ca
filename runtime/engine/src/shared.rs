//! What the writer's thread and the handles share: the machine, the time, the status.

use crate::time_keeper::TimeKeeper;
use crate::{Clock, ClockJump, Reading, Settings};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Semaphore;
use yufu_base::Timestamp;
use yufu_log::{Head, LogError, Refusal};

/// Whether the engine takes commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Running,
    /// It does not until the operator confirms the clock.
    ClockJumped(ClockJump),
    /// It does not any more.
    Stopped(StopReason),
}

/// Why the engine stopped. All of it is final: start anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// It was asked to.
    #[error("the engine was shut down")]
    Shutdown,
    /// Another writer took over the log.
    #[error("another writer took over the log: send commands to it")]
    Fenced,
    /// An append ended in doubt and reading back did not resolve it.
    #[error("whether the last batch is in the log is unknown ({0}): check the storage and restart")]
    Unknown(LogError),
    /// The log refused a batch.
    #[error("the log refused a batch: {0}")]
    Refused(Refusal),
    /// The machine panicked, which is a defect.
    #[error("the engine's thread panicked: report it with the log of the process")]
    Panicked,
}

/// The machine with the head it has applied.
pub(crate) struct State<M> {
    pub(crate) machine: M,
    pub(crate) head: Head,
}

pub(crate) struct Shared<M> {
    pub(crate) state: RwLock<State<M>>,
    /// The room left in the queue, in the unit of [`Settings::queue_bytes`].
    pub(crate) room: Arc<Semaphore>,
    pub(crate) settings: Settings,
    clock: Arc<dyn Clock>,
    time: Mutex<TimeKeeper>,
    stopped: Mutex<Option<StopReason>>,
}

impl<M> Shared<M> {
    pub(crate) fn new(
        state: State<M>,
        last: Timestamp,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let time = TimeKeeper::new(clock.read(), last, settings.clock_bound);
        let room = usize::try_from(settings.queue_bytes).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            state: RwLock::new(state),
            room: Arc::new(Semaphore::new(room)),
            settings,
            clock,
            time: Mutex::new(time),
            stopped: Mutex::new(None),
        }
    }

    pub(crate) fn status(&self) -> Status {
        match (self.stop_reason(), self.time().jump()) {
            (Some(reason), _) => Status::Stopped(reason),
            (None, Some(jump)) => Status::ClockJumped(jump),
            (None, None) => Status::Running,
        }
    }

    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes why the engine stops. The first reason stays, but a shutdown gives way to what
    /// goes wrong on its way.
    pub(crate) fn stop(&self, reason: StopReason) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*stopped, None | Some(StopReason::Shutdown)) {
            *stopped = Some(reason);
        }
    }

    pub(crate) fn reading(&self) -> Reading {
        self.clock.read()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.time().now(self.reading())
    }

    pub(crate) fn stamp(&self) -> Result<Timestamp, ClockJump> {
        self.time().stamp(self.reading())
    }

    pub(crate) fn confirm_clock(&self) {
        self.time().confirm(self.reading());
    }

    fn time(&self) -> MutexGuard<'_, TimeKeeper> {
        // Nothing under this lock can panic but the clock, and that before any change.
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
