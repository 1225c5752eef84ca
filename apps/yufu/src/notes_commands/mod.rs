//! `yufu notes`: bearer notes allowed on a ledger that was opened without them, and forbidden.

mod adopting;
mod allowing;
mod desk;
mod forbidding;

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
            runtime()?.block_on(allowing::allow(&data, profile.as_deref(), &url, activate))?;
        }
        NotesAction::Forbid { profile, url } => {
            runtime()?.block_on(forbidding::forbid(&data, profile.as_deref(), &url))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
