//! What the engine's threads and the handles share: the machine, the time, the status.

use crate::time_keeper::TimeKeeper;
use crate::trail::Point;
use crate::{Checkpoint, Clock, ClockJump, Reading, Settings};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use yufu_base::Timestamp;
use yufu_log::{Head, LogError, Refusal, Seq};

/// Whether the engine takes commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Running,
    /// It tries each, and the log has refused the last one for the moment: the disk is full, or the log is locked.
    Refusing(Refusal),
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
    /// The log refused a batch, and would refuse every other.
    #[error("the log refused a batch: {0}")]
    Refused(Refusal),
    /// The machine panicked, which is a defect.
    #[error("a thread of the engine panicked: report it with the log of the process")]
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
    /// The newest record applied, and what the next one to be written can commit to.
    applied: Mutex<(Seq, Point)>,
    /// The newest checkpoint in the log.
    checkpoint: Mutex<Option<Checkpoint>>,
    clock: Arc<dyn Clock>,
    time: Mutex<TimeKeeper>,
    stopped: watch::Sender<Option<StopReason>>,
    /// Set while the log refuses what it is given.
    refusing: Mutex<Option<Refusal>>,
    /// When the log was last known to be this engine's, by the monotonic clock.
    confirmed: Mutex<Duration>,
}

impl<M> Shared<M> {
    /// `confirmed` is a moment before the epoch was sealed.
    pub(crate) fn new(
        state: State<M>,
        applied: (Seq, Point),
        last: Timestamp,
        (clock, confirmed): (Arc<dyn Clock>, Reading),
        settings: Settings,
    ) -> Self {
        let time = TimeKeeper::new(clock.read(), last, settings.clock_bound);
        let room = usize::try_from(settings.queue_bytes).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            state: RwLock::new(state),
            room: Arc::new(Semaphore::new(room)),
            settings,
            applied: Mutex::new(applied),
            checkpoint: Mutex::new(None),
            clock,
            time: Mutex::new(time),
            stopped: watch::Sender::new(None),
            refusing: Mutex::new(None),
            confirmed: Mutex::new(confirmed.monotonic),
        }
    }

    pub(crate) fn status(&self) -> Status {
        match (self.stop_reason(), self.time().jump(), *held(&self.refusing)) {
            (Some(reason), _, _) => Status::Stopped(reason),
            (None, Some(jump), _) => Status::ClockJumped(jump),
            (None, None, Some(refusal)) => Status::Refusing(refusal),
            (None, None, None) => Status::Running,
        }
    }

    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        self.stopped.borrow().clone()
    }

    /// Notes why the engine stops. The first reason stays, but a shutdown gives way to what
    /// goes wrong on its way.
    pub(crate) fn stop(&self, reason: StopReason) {
        self.stopped.send_if_modified(|stopped| {
            let first = matches!(*stopped, None | Some(StopReason::Shutdown));
            if first {
                *stopped = Some(reason);
            }
            first
        });
    }

    /// Tells of every change of the reason to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<Option<StopReason>> {
        self.stopped.subscribe()
    }

    /// The log refused for the moment, or takes again what it is given.
    pub(crate) fn set_refusing(&self, refusal: Option<Refusal>) {
        *held(&self.refusing) = refusal;
    }

    pub(crate) fn applied(&self) -> (Seq, Point) {
        *held(&self.applied)
    }

    pub(crate) fn set_applied(&self, applied: (Seq, Point)) {
        *held(&self.applied) = applied;
    }

    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        *held(&self.checkpoint)
    }

    pub(crate) fn set_checkpoint(&self, checkpoint: Option<Checkpoint>) {
        *held(&self.checkpoint) = checkpoint;
    }

    /// The log was this engine's at `reading` or later.
    pub(crate) fn set_confirmed(&self, reading: Reading) {
        *held(&self.confirmed) = reading.monotonic;
    }

    /// Whether that the log is this engine's is known from no longer ago than reads may rely on.
    pub(crate) fn is_confirmed(&self) -> bool {
        let ago = self.reading().monotonic.saturating_sub(*held(&self.confirmed));
        ago < self.settings.read_bound
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
        held(&self.time)
    }
}

/// Sets the status if the thread that holds it panics.
pub(crate) struct PanicGuard<M>(pub(crate) Arc<Shared<M>>);

impl<M> Drop for PanicGuard<M> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(StopReason::Panicked);
        }
    }
}

/// What a lock guards is whole even if a thread panicked under it: each change is one assignment.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
