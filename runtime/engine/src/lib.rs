//! Runs a state machine over a log: stamps, batches, makes durable, applies, answers.
//!
//! [`Engine::start`] replays the log and takes over as its one writer; [`Handle`] is what
//! request handlers submit to and read from; [`Replay`] is the auditor's way through a log.
#![doc = include_str!("../README.md")]

mod batch;
mod clock;
mod engine;
mod handle;
mod replay;
mod settings;
mod shared;
#[cfg(test)]
mod tests;
mod time_keeper;
mod writer;

pub use batch::{BATCH_FORMAT, Batch, BatchError, decode_batch, outcomes_digest};
pub use clock::{Clock, ManualClock, Reading, SystemClock};
pub use engine::{Engine, StartError};
pub use handle::{Applied, Handle, SubmitError};
pub use replay::{Replay, ReplayError, Replayed};
pub use settings::{Settings, SettingsError};
pub use shared::{Status, StopReason};
pub use time_keeper::ClockJump;
