//! `yufu backup` and `yufu restore`: all state of a data folder, copied while it is in use, and brought back only
//! if it is what was copied.

mod backup;
mod copying;
mod manifest;
mod restore;

pub(crate) use backup::run as backup;
pub(crate) use restore::run as restore;

use crate::bars::Bars;
use crate::city::Progress;
use crate::words::text;
use anyhow::{Context, Result};
use manifest::LedgerState;
use std::path::Path;
use yufu_base::StateMachine;
use yufu_engine::Replay;
use yufu_log::{Head, Log, SqliteLog};
use yufu_machine::Machine;

/// Replays the log at `path` to its end, and says where and in what state that is.
fn replayed(path: &Path) -> Result<LedgerState> {
    let log = SqliteLog::open_read_only(path).with_context(|| path.display().to_string())?;
    let last = usize::try_from(log.durable_head()?.seq.get())?;
    let mut bars = Bars::new(true);
    let mut replay = Replay::new(Machine::new());
    let mut tell = |done: yufu_log::Seq| {
        let done = usize::try_from(done.get()).unwrap_or(usize::MAX);
        let progress = Progress::Counted { what: "replaying the log", done, of: last };
        bars.show(&progress, &|line| eprintln!("{line}"));
    };
    let replayed = replay.catch_up_telling(&log, &mut tell);
    replayed.with_context(|| text!("{path}: the log does not replay", path = path.display()))?;
    let Head { seq, chain } = replay.head();
    let state_hash = replay.machine().state_hash().to_string();
    Ok(LedgerState { seq: seq.get(), chain: chain.to_string(), state_hash })
}
