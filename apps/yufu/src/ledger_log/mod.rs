//! `yufu log`: what stands in the ledger's log, and whether it is what was written.

mod inspect;
mod telling;
mod verify;

use crate::command_line::{self, LogAction};
use crate::data::DataFolder;
use crate::log_place::LogPlace;
use crate::words::text;
use anyhow::{Context, Result};
use std::process::ExitCode;

pub(crate) fn run(options: &command_line::Log) -> Result<ExitCode> {
    let data = || DataFolder::choose(options.data.data.clone(), "city");
    let place = match &options.log {
        Some(text) => LogPlace::named(text)?,
        None => LogPlace::File(data()?.ledger()?),
    };
    // A database has no folder: the snapshots are in the data folder.
    let path = match &place {
        LogPlace::File(path) => path.clone(),
        LogPlace::Database(_) => data()?.beside_snapshots(),
    };
    let log = place.open_read_only(None).with_context(|| {
        text!(
            "{path} cannot be read: name the log with --log, or the folder with --data",
            path = place
        )
    })?;
    match options.action {
        LogAction::Inspect { from, count, json } => {
            inspect::run(log.as_ref(), &path, (from, count), json)
        }
        LogAction::Verify => verify::run(log.as_ref(), &path),
    }
}
