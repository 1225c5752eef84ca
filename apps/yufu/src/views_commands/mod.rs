//! `yufu views`: the history of the ledger, asked, verified, made anew and kept up.

mod asking;
mod keeping;

use crate::command_line::{self, ViewsAction};
use crate::ledger_log::NamedLog;
use anyhow::Result;
use std::process::ExitCode;
use yufu_views::{Place, View};

pub(crate) fn run(options: &command_line::Views) -> Result<ExitCode> {
    let log = NamedLog::of(&options.at)?;
    // Beside the log, or of one in a database beside its snapshots.
    let view = log.snapshots.with_file_name("history.sqlite");
    let place = Place { view, snapshots: log.snapshots.clone() };
    let view = || View::open(&place.view);
    match &options.action {
        ViewsAction::Statement(asked) => asking::statement(&view()?, asked)?,
        ViewsAction::Transfer { command } => asking::transfer(&view()?, command)?,
        ViewsAction::Balance { account, at } => asking::balance(&view()?, account, at)?,
        ViewsAction::Verify => keeping::verify(&log, &place)?,
        ViewsAction::Rebuild => keeping::rebuild(&log, &place)?,
        ViewsAction::Follow => keeping::follow(log, place)?,
    }
    Ok(ExitCode::SUCCESS)
}
