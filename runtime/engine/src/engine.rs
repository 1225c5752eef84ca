//! Starting and stopping: replay, take-over, the writer's thread.

use crate::handle::{Handle, Message};
use crate::shared::{Shared, State, Status};
use crate::writer::Writer;
use crate::{Clock, Replay, ReplayError, Settings, SettingsError};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use yufu_base::StateMachine;
use yufu_log::{Log, LogError, SealError, Seq};

/// A running state machine over a log. Dropping it stops it after what waits is done;
/// [`Engine::shutdown`] also waits for that.
pub struct Engine<M: StateMachine> {
    handle: Handle<M>,
    thread: Option<JoinHandle<()>>,
}

impl<M: StateMachine + Send + Sync + 'static> Engine<M> {
    /// Replays `log` into `machine` (as it is before the first command), seals a new epoch, so
    /// that a former writer is fenced, and begins to take commands. Blocks for the replay.
    ///
    /// # Errors
    /// [`StartError`]. A log that does not replay is left with its present writer.
    pub fn start(
        log: Box<dyn Log>,
        machine: M,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Self, StartError> {
        Self::start_telling(log, machine, clock, settings, |_, _| {})
    }

    /// The same; `tell` hears which record was replayed, and which is the last.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn start_telling(
        mut log: Box<dyn Log>,
        machine: M,
        clock: Arc<dyn Clock>,
        settings: Settings,
        mut tell: impl FnMut(Seq, Seq),
    ) -> Result<Self, StartError> {
        settings.check()?;
        let mut replay = Replay::new(machine);
        let last = log.durable_head()?.seq;
        replay.catch_up_telling(log.as_ref(), &mut |done| tell(done, last))?;
        let epoch = log.epoch()?.next();
        let sealed = log.seal(epoch)?;
        // What the former writer added while this one replayed.
        replay.catch_up(log.as_ref())?;
        let (head, at, outcomes) = (replay.head(), replay.at(), replay.outcomes());
        if head != sealed {
            return Err(StartError::Overtaken);
        }
        let state = State { machine: replay.into_machine(), head };
        let shared = Arc::new(Shared::new(state, at, clock, settings));
        if let Status::ClockJumped(jump) = shared.status() {
            tracing::error!(%jump, "the clock is behind the log: commands wait for confirmation");
        }
        let (sender, queue) = mpsc::unbounded_channel();
        let writer = Writer::new(log, epoch, head, outcomes, Arc::clone(&shared), queue);
        let thread = std::thread::Builder::new()
            .name("yufu-engine".to_owned())
            .spawn(move || writer.run())
            .map_err(StartError::Thread)?;
        tracing::info!(seq = head.seq.get(), epoch = epoch.get(), "the engine runs");
        Ok(Self { handle: Handle::new(shared, sender), thread: Some(thread) })
    }

    /// A handle to submit to and read from.
    #[must_use]
    pub fn handle(&self) -> Handle<M> {
        self.handle.clone()
    }

    /// Completes what waits, stops, and returns the final status. Blocks for that time.
    #[must_use]
    pub fn shutdown(mut self) -> Status {
        self.handle.send_stop();
        if let Some(thread) = self.thread.take() {
            // A panic in the thread is told by the status.
            drop(thread.join());
        }
        self.handle.status()
    }
}

impl<M: StateMachine> Drop for Engine<M> {
    fn drop(&mut self) {
        self.handle.send_stop();
    }
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot work.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The log does not replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No new epoch could be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Another writer took over in the same moment.
    #[error("another writer took over the log while this one started: stop one of them")]
    Overtaken,
    /// The system gave no thread.
    #[error("no thread for the engine: {0}")]
    Thread(io::Error),
}

/// The queue's sending half, as the handle keeps it.
pub(crate) type Queue<M> = mpsc::UnboundedSender<Message<M>>;
