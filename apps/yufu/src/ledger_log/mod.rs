//! `yufu log`: what stands in the ledger's log, and whether it is what was written.

mod inspect;
mod telling;
mod verify;

use crate::command_line::{self, LogAction};
use crate::data::DataFolder;
use crate::words::text;
use anyhow::{Context, Result};
use std::process::ExitCode;
use yufu_log::SqliteLog;

pub(crate) fn run(options: &command_line::Log) -> Result<ExitCode> {
    let path = match &options.log {
        Some(path) => path.clone(),
        None => DataFolder::choose(options.data.data.clone(), "city")?.ledger()?,
    };
    let log = SqliteLog::open_read_only(&path).with_context(|| {
        text!(
            "{path} cannot be read: name the log with --log, or the folder with --data",
            path = path.display()
        )
    })?;
    match options.action {
        LogAction::Inspect { from, count, json } => inspect::run(&log, &path, (from, count), json),
        LogAction::Verify => verify::run(&log, &path),
    }
}
