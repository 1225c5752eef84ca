//! `yufu log`: what stands in the ledger's log, and whether it is what was written.

mod inspect;
mod telling;
mod verify;

use crate::command_line::{self, LogAction};
use crate::ledger_log::NamedLog;
use anyhow::Result;
use std::process::ExitCode;

pub(crate) fn run(options: &command_line::Log) -> Result<ExitCode> {
    let named = NamedLog::of(&options.at)?;
    let (log, snapshots) = (named.open()?, named.snapshots);
    match options.action {
        LogAction::Inspect { from, count, json } => {
            inspect::run(log.as_ref(), &snapshots, (from, count), json)
        }
        LogAction::Verify => verify::run(log.as_ref(), &snapshots),
    }
}
