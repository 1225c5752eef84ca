//! `yufu views`: the history of the ledger, asked, verified, made anew and kept up.

mod asking;
mod keeping;

use crate::command_line::{self, ViewsAction};
use crate::data::DataFolder;
use crate::ledger_log::LedgerLog;
use crate::words::text;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::ExitCode;
use yufu_log::Log;
use yufu_views::{Place, View};

pub(crate) fn run(options: &command_line::Views) -> Result<ExitCode> {
    let chosen = Chosen::of(options)?;
    match &options.action {
        ViewsAction::Statement(asked) => asking::statement(&chosen.view()?, asked)?,
        ViewsAction::Transfer { command } => asking::transfer(&chosen.view()?, command)?,
        ViewsAction::Balance { account, at } => asking::balance(&chosen.view()?, account, at)?,
        ViewsAction::Verify => keeping::verify(&chosen)?,
        ViewsAction::Rebuild => keeping::rebuild(&chosen)?,
        ViewsAction::Follow => keeping::follow(chosen)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The history that is meant, and the log that it is made from.
struct Chosen {
    log: LedgerLog,
    archive: Option<PathBuf>,
    place: Place,
}

impl Chosen {
    fn of(options: &command_line::Views) -> Result<Self> {
        let data = DataFolder::choose(options.data.data.clone(), "city")?;
        let log = match &options.log {
            Some(text) => LedgerLog::named(text)?,
            None => LedgerLog::File(data.ledger()?),
        };
        // Beside the log, or of one in a database beside its snapshots.
        let snapshots = match &log {
            LedgerLog::File(path) => path.with_file_name("snapshots"),
            LedgerLog::Database(_) => data.found_snapshots(),
        };
        let place = Place { view: snapshots.with_file_name("history.sqlite"), snapshots };
        let archive = options.archive.clone().or_else(|| log.found_archive(&data));
        Ok(Self { log, archive, place })
    }

    fn view(&self) -> Result<View> {
        Ok(View::open(&self.place.view)?)
    }

    fn open(&self) -> Result<Box<dyn Log>> {
        self.log.open_read_only(self.archive.as_deref()).with_context(|| {
            text!(
                "{path} cannot be read: name the log with --log, or the folder with --data",
                path = self.log
            )
        })
    }
}
