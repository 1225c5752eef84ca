//! `yufu log`: what stands in the ledger's log, and whether it is what was written.

mod inspect;
mod telling;
mod verify;

use crate::command_line::{self, LogAction};
use crate::data::DataFolder;
use crate::ledger_log::LedgerLog;
use crate::words::text;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) fn run(options: &command_line::Log) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data.clone(), "city")?;
    let place = match &options.log {
        Some(text) => LedgerLog::named(text)?,
        None => LedgerLog::File(data.ledger()?),
    };
    let archive = options.archive.clone().or_else(|| place.found_archive(&data));
    let log = place.open_read_only(archive.as_deref()).with_context(|| {
        text!(
            "{path} cannot be read: name the log with --log, or the folder with --data",
            path = place
        )
    })?;
    let snapshots = snapshots_of(&place, &data);
    match options.action {
        LogAction::Inspect { from, count, json } => {
            inspect::run(log.as_ref(), &snapshots, (from, count), json)
        }
        LogAction::Verify => verify::run(log.as_ref(), &snapshots),
    }
}

/// Where the snapshots of a log lie: beside it, or of one in a database in the data folder.
fn snapshots_of(log: &LedgerLog, data: &DataFolder) -> PathBuf {
    match log {
        LedgerLog::File(path) => path.with_file_name("snapshots"),
        LedgerLog::Database(_) => data.found_snapshots(),
    }
}
