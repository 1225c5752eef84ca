//! `yufu backup` and `yufu restore`: all state of a data folder, copied while it is in use, and brought back only
//! if it is what was copied.

mod backup;
mod copying;
mod forgetting;
mod manifest;
mod restore;

pub(crate) use backup::run as backup;
pub(crate) use forgetting::{PERSON_KEYS, run as forget_keys};
pub(crate) use restore::run as restore;

use crate::data::ARCHIVE;
use crate::ledger_log::LedgerLog;
use crate::replaying;
use anyhow::{Context, Result};
use manifest::LedgerState;
use std::path::Path;
use yufu_base::StateMachine;
use yufu_log::Head;

/// Replays the log at `path` to its end, and says where and in what state that is.
fn replayed(path: &Path) -> Result<LedgerState> {
    let archive = Some(path.with_file_name(ARCHIVE)).filter(|folder| folder.is_dir());
    let log = LedgerLog::File(path.to_owned()).open_read_only(archive.as_deref());
    let log = log.with_context(|| path.display().to_string())?;
    let mut replay = replaying::beginning(log.as_ref(), &path.with_file_name("snapshots"))?;
    replaying::through(log.as_ref(), &mut replay, |_, _| Ok(()))?;
    let Head { seq, chain } = replay.head();
    let state_hash = replay.machine().state_hash().to_string();
    Ok(LedgerState { seq: seq.get(), chain: chain.to_string(), state_hash })
}
