//! `yufu notes`: bearer notes on a ledger that was opened without them.

mod adopting;
mod allowing;

use crate::command_line::{self, NotesAction};
use crate::data::DataFolder;
use anyhow::Result;
use std::process::ExitCode;

pub(crate) fn run(options: command_line::Notes) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data, "city")?;
    match options.action {
        NotesAction::Adopt { former, profile } => {
            adopting::adopt(&data, &former, profile.as_deref())?;
        }
        NotesAction::Allow { profile, url, activate } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(allowing::allow(&data, profile.as_deref(), &url, activate))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
