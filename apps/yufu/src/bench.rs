//! `yufu bench`: what this build costs on this machine.

use crate::command_line::{self, Benched};
use crate::words::text;
use anyhow::{Context, Result};
use std::process::ExitCode;
use yufu_bench::ledger::{self, Size, Stage};

pub(crate) fn run(options: &command_line::Bench) -> Result<ExitCode> {
    if cfg!(debug_assertions) {
        eprintln!("  {}", text!("this is a debug build: its figures mean little"));
    }
    let folder = match &options.dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    let folder = folder.with_context(|| text!("no folder for what is made durable"))?;
    let size = if options.quick { Size::QUICK } else { Size::FULL };
    let mut tell = |stage: Stage| eprintln!("  {}", words(stage));
    let report = match options.what {
        Benched::Ledger => ledger::run(size, folder.path(), &mut tell)?,
    };
    if let Some(file) = &options.plot {
        yufu_bench::plot(&report, file)?;
    }
    if options.json {
        println!("{}", report.to_json()?);
    } else {
        print!("{}", report.to_table());
    }
    Ok(ExitCode::SUCCESS)
}

/// What is being measured, in words.
fn words(stage: Stage) -> String {
    match stage {
        Stage::Apply(accounts) => {
            text!("the machine alone, with {accounts} accounts", accounts = accounts)
        }
        Stage::Restart => text!("a start from the state as it was written down"),
        Stage::Durable => text!("payments made durable, several clients at once"),
        Stage::Postgres => text!("a ledger in the tables of PostgreSQL, for comparison"),
        Stage::Views => text!("the history, kept up behind the log"),
        Stage::Authenticated => text!("payments whose orders wallets signed"),
    }
}
