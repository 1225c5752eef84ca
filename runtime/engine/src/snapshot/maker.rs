//! The maker's thread: replays the log from the newest snapshot in a machine of its own, writes the next one,
//! and lets go of the machine.

use super::file::{SnapshotError, write};
use super::folder::{newest_snapshot, path_of, prune};
use super::{Slot, Snapshots};
use crate::batch::Checkpoint;
use crate::replay::{Replay, ReplayError};
use crate::shared::{Shared, held};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use yufu_base::{Snapshot, StateMachine};
use yufu_log::{Epoch, Head, Log, LogError, VerifiedRecords};

/// A snapshot that is to be made.
pub(crate) struct Order {
    /// After which record; it is durable.
    pub(crate) head: Head,
    /// Whether its checkpoint goes into a record that follows.
    pub(crate) marked: bool,
    /// Who asked for it.
    pub(crate) answer: Option<oneshot::Sender<Result<Head, MakeError>>>,
}

/// Why a snapshot was not made. The engine goes on without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// The engine keeps none.
    #[error("this engine keeps no snapshots: start it with a folder for them")]
    NoFolder,
    /// The engine stops or stopped.
    #[error("the engine stopped before the snapshot was made: the next start makes another")]
    Stopped,
    /// There is nothing to write down.
    #[error("the log is empty: there is nothing to make a snapshot of")]
    Empty,
    /// The log cannot be opened or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log does not replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// It cannot be written, or an older one cannot be built on.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

pub(crate) struct Maker<M: StateMachine> {
    /// The machine before the first command.
    pub(crate) first: M,
    pub(crate) snapshots: Snapshots,
    /// The engine's, in which it may take records out of the log.
    pub(crate) epoch: Epoch,
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) slot: Arc<Mutex<Slot>>,
    pub(crate) orders: Receiver<Order>,
}

impl<M: StateMachine + Snapshot + Clone> Maker<M> {
    /// Until the appender is gone.
    pub(crate) fn run(self) {
        while let Ok(order) = self.orders.recv() {
            let made = self.make(&order);
            match &made {
                Ok(checkpoint) => {
                    tracing::info!(seq = checkpoint.seq.get(), "a snapshot was made");
                }
                Err(MakeError::Stopped) => {}
                Err(error) => {
                    metrics::counter!("yufu_engine_snapshots_failed_total").increment(1);
                    tracing::error!(%error, "no snapshot was made");
                }
            }
            if order.marked {
                *held(&self.slot) = made.as_ref().map_or(Slot::Free, |made| Slot::Made(*made));
            }
            let is_made = made.is_ok();
            if let Some(answer) = order.answer {
                drop(answer.send(made.map(|_| order.head)));
            }
            if is_made {
                self.retire();
            }
        }
    }

    /// Takes out of the log what no start needs any more, if that is wanted.
    fn retire(&self) {
        let Snapshots { folder, keep, retirement, .. } = &self.snapshots;
        let Some(retirement) = retirement else { return };
        match retirement.run(folder, *keep, self.epoch) {
            Ok(Some(head)) => tracing::info!(seq = head.seq.get(), "older records left the log"),
            Ok(None) => {}
            Err(error) => {
                metrics::counter!("yufu_engine_retirements_failed_total").increment(1);
                tracing::error!(%error, "older records stay in the log");
            }
        }
    }

    fn make(&self, order: &Order) -> Result<Checkpoint, MakeError> {
        let started = self.shared.reading().monotonic;
        let go_on = || self.shared.stop_reason().is_none();
        if order.head == Head::EMPTY {
            return Err(MakeError::Empty);
        }
        let log = (self.snapshots.open)()?;
        let folder = &self.snapshots.folder;
        let replay = newest_snapshot::<M>(folder, log.as_ref(), order.head.seq)
            .map_err(|(_, error)| error)?;
        let mut replay = replay.unwrap_or_else(|| Replay::new(self.first.clone()));
        let there = replay.head() == order.head;
        replay_to(&mut replay, log.as_ref(), order.head, &go_on)?;
        let seq = order.head.seq;
        let marked = replay.mark().filter(|mark| mark.seq == seq);
        let checkpoint = marked.unwrap_or_else(|| {
            let state_root = replay.machine().state_hash();
            Checkpoint { seq, state_root }
        });
        if !there {
            let path = path_of(folder, seq);
            let written = write(&replay, checkpoint.state_root, &path, &go_on);
            written.map_err(|error| if go_on() { error.into() } else { MakeError::Stopped })?;
        }
        let kept = self.snapshots.keep.get();
        prune(folder, kept).map_err(|error| SnapshotError::File(error.to_string()))?;
        let took = self.shared.reading().monotonic.saturating_sub(started);
        metrics::histogram!("yufu_engine_snapshot_seconds").record(took.as_secs_f64());
        Ok(checkpoint)
    }
}

/// Replays up to `head`, and no further.
fn replay_to<M: StateMachine>(
    replay: &mut Replay<M>,
    log: &dyn Log,
    head: Head,
    go_on: &dyn Fn() -> bool,
) -> Result<(), MakeError> {
    let mut records = VerifiedRecords::new(log, replay.head());
    while replay.head().seq < head.seq {
        if !go_on() {
            return Err(MakeError::Stopped);
        }
        let Some(record) = records.next() else { break };
        replay.apply(&record.map_err(ReplayError::from)?)?;
    }
    if replay.head() == head {
        Ok(())
    } else {
        Err(SnapshotError::NotOfThisLog { seq: head.seq }.into())
    }
}
