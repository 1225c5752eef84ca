//! Starting and stopping: snapshot, replay, take-over, the engine's threads.

use crate::appender::Appender;
use crate::applier::Applier;
use crate::handle::{Handle, Message};
use crate::shared::{Shared, State, Status};
use crate::snapshot::{self, Maker, Schedule, Slot, SnapshotError, Snapshots};
use crate::{Clock, Replay, ReplayError, Settings, SettingsError};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use yufu_base::{Snapshot, StateMachine};
use yufu_log::{Log, LogError, SealError, Seq};

/// A running state machine over a log. Dropping it stops it after what waits is done;
/// [`Engine::shutdown`] also waits for that.
pub struct Engine<M: StateMachine> {
    handle: Handle<M>,
    threads: Vec<JoinHandle<()>>,
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
        settings.check()?;
        let taken = take_over(log, Replay::new(machine), &*clock, &mut |_, _| {})?;
        Self::run(taken, clock, settings, |_, _| Ok((None, None)))
    }

    /// The same, but replays only what follows the newest snapshot that can be used, and makes further ones.
    /// `tell` hears which record was replayed, and which is the last.
    ///
    /// # Errors
    /// As [`Engine::start`]; also if the log does not lead through a snapshot.
    pub fn start_with_snapshots(
        log: Box<dyn Log>,
        machine: M,
        (clock, settings): (Arc<dyn Clock>, Settings),
        snapshots: Snapshots,
        mut tell: impl FnMut(Seq, Seq),
    ) -> Result<Self, StartError>
    where
        M: Snapshot + Clone,
    {
        settings.check()?;
        let failed = |path, source| StartError::Snapshot { path, source };
        snapshot::clean(&snapshots.folder).map_err(|error| {
            failed(snapshots.folder.clone(), SnapshotError::File(error.to_string()))
        })?;
        let newest = snapshot::newest_snapshot(&snapshots.folder, log.as_ref(), Seq::new(u64::MAX))
            .map_err(|(path, source)| failed(path, source))?;
        let replay = newest.unwrap_or_else(|| Replay::new(machine.clone()));
        let from = replay.head().seq;
        tracing::info!(seq = from.get(), "the log is replayed from here");
        let taken = take_over(log, replay, &*clock, &mut tell)?;
        let epoch = taken.epoch;
        Self::run(taken, clock, settings, |shared, (head, bytes)| {
            let slot = Arc::new(Mutex::new(Slot::Free));
            let (sender, orders) = std::sync::mpsc::channel();
            let since = (head.get().saturating_sub(from.get()), bytes);
            let schedule = Schedule::new(&snapshots, since, Arc::clone(&slot), sender);
            let shared = Arc::clone(shared);
            let maker = Maker { first: machine, snapshots, epoch, shared, slot, orders };
            Ok((Some(schedule), Some(spawn("yufu-snapshots", move || maker.run())?)))
        })
    }

    /// Starts the threads. `snapshotting` may start one more, told how far the log is and how much was replayed.
    fn run(
        Taken { log, epoch, replay, confirmed }: Taken<M>,
        clock: Arc<dyn Clock>,
        settings: Settings,
        snapshotting: impl FnOnce(
            &Arc<Shared<M>>,
            (Seq, u64),
        )
            -> Result<(Option<Schedule>, Option<JoinHandle<()>>), StartError>,
    ) -> Result<Self, StartError> {
        let Replay { machine, head, at, trail, checkpoint, bytes, .. } = replay;
        let state = State { machine, head };
        let shared = Shared::new(state, trail.newest(), at, (clock, confirmed), settings);
        let shared = Arc::new(shared);
        shared.set_checkpoint(checkpoint);
        if let Status::ClockJumped(jump) = shared.status() {
            tracing::error!(%jump, "the clock is behind the log: commands wait for confirmation");
        }
        let (snapshots, maker) = snapshotting(&shared, (head.seq, bytes))?;
        let (sender, queue) = mpsc::unbounded_channel();
        let ahead = usize::try_from(settings.ahead).unwrap_or_default();
        let (appended, durable) = sync_channel(ahead);
        let applier = Applier { shared: Arc::clone(&shared), durable, trail };
        let appender = Appender {
            log,
            epoch,
            head,
            shared: Arc::clone(&shared),
            queue,
            durable: appended,
            snapshots,
            carried: None,
        };
        let mut threads = vec![
            spawn("yufu-applier", move || applier.run())?,
            spawn("yufu-appender", move || appender.run())?,
        ];
        threads.extend(maker);
        tracing::info!(seq = head.seq.get(), epoch = epoch.get(), "the engine runs");
        Ok(Self { handle: Handle::new(shared, sender), threads })
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
        for thread in self.threads.drain(..) {
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

/// A log with this engine as its one writer, replayed to its end.
struct Taken<M> {
    log: Box<dyn Log>,
    epoch: yufu_log::Epoch,
    replay: Replay<M>,
    /// A moment before the epoch was sealed.
    confirmed: crate::Reading,
}

fn take_over<M: StateMachine>(
    mut log: Box<dyn Log>,
    mut replay: Replay<M>,
    clock: &dyn Clock,
    tell: &mut dyn FnMut(Seq, Seq),
) -> Result<Taken<M>, StartError> {
    let last = log.durable_head()?.seq;
    replay.catch_up_telling(log.as_ref(), &mut |done| tell(done, last))?;
    let epoch = log.epoch()?.next();
    let confirmed = clock.read();
    let sealed = log.seal(epoch)?;
    // What the former writer added while this one replayed.
    replay.catch_up(log.as_ref())?;
    if replay.head() == sealed {
        Ok(Taken { log, epoch, replay, confirmed })
    } else {
        Err(StartError::Overtaken)
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(StartError::Thread)
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot work.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The folder of snapshots cannot be used, or one contradicts the log.
    #[error("{path}: {source}")]
    Snapshot {
        /// The snapshot, or their folder.
        path: PathBuf,
        /// Why.
        source: SnapshotError,
    },
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
