//! Runs a state machine over a log: stamps, batches, makes durable, applies, answers.
//!
//! [`Engine::start`] replays the log and takes over as its one writer; [`Handle`] is what
//! request handlers submit to and read from; [`Replay`] is the auditor's way through a log;
//! [`Snapshots`] spare a start the replay of all of it.
#![doc = include_str!("../README.md")]

mod appender;
mod applier;
mod batch;
mod clock;
mod engine;
mod handle;
mod pending;
mod reading;
mod replay;
mod settings;
mod shared;
mod snapshot;
#[cfg(test)]
mod tests;
mod time_keeper;
mod trail;

pub use batch::{BATCH_FORMAT, Batch, BatchError, Checkpoint, Commitment, Header, decode_batch};
pub use clock::{Clock, ManualClock, Reading, SystemClock};
pub use engine::{Engine, StartError};
pub use handle::{Applied, Handle, SubmitError};
pub use reading::ReadError;
pub use replay::{Replay, ReplayError, Replayed};
pub use settings::{Settings, SettingsError};
pub use shared::{Status, StopReason};
pub use snapshot::{
    MakeError, OpenLog, ReadTo, RetireError, Retirement, SNAPSHOT_FORMAT, SnapshotError,
    SnapshotFile, Snapshots, load_snapshot, newest_snapshot, snapshots_in,
};
pub use time_keeper::ClockJump;
pub use trail::{OUTCOMES_LAG, Point, Trail, outcomes_digest, running_digest};
