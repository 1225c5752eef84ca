//! `yufu bench`: what this build costs on this machine.

use crate::command_line::{self, Benched};
use crate::profile;
use crate::words::text;
use anyhow::{Context, Result, bail};
use std::process::ExitCode;
use yufu_bench::ledger::{self, Size, Stage};
use yufu_bench::{card, ecash, identity, scale};
use yufu_engine::{Clock as _, SystemClock};

pub(crate) fn run(options: &command_line::Bench) -> Result<ExitCode> {
    if cfg!(debug_assertions) {
        eprintln!("  {}", text!("this is a debug build: its figures mean little"));
    }
    if options.mint.is_some() && options.what != Benched::Ecash {
        bail!(text!("--mint goes with ecash: yufu bench ecash --mint URL"));
    }
    let folder = match &options.dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    let folder = folder.with_context(|| text!("no folder for what is made durable"))?;
    let report = match options.what {
        Benched::Ledger => {
            let size = if options.quick { Size::QUICK } else { Size::FULL };
            ledger::run(size, folder.path(), &mut |stage| eprintln!("  {}", words(stage)))?
        }
        Benched::Scale => {
            let size = if options.quick { scale::Size::QUICK } else { scale::Size::FULL };
            scale::run(size, folder.path(), &mut |stage| eprintln!("  {}", scale_words(stage)))?
        }
        Benched::Ecash => {
            let size = if options.quick { ecash::Size::QUICK } else { ecash::Size::FULL };
            let mut tell = |stage| eprintln!("  {}", ecash_words(stage));
            match &options.mint {
                Some(mint) => ecash::run_at(size, mint, options.process, &mut tell)?,
                None => {
                    let program = std::env::current_exe()?;
                    ecash::run(size, &program, folder.path(), &mut tell)?
                }
            }
        }
        Benched::Card => {
            let size = if options.quick { card::Size::QUICK } else { card::Size::FULL };
            card::run(size, folder.path(), &mut |stage| eprintln!("  {}", card_words(stage)))?
        }
        Benched::Identity => {
            let size = if options.quick { identity::Size::QUICK } else { identity::Size::FULL };
            let program = std::env::current_exe()?;
            let country = profile::load(None, SystemClock::new().read().wall)?;
            let numbers =
                country.residents.iter().map(|resident| resident.number.as_str().to_owned());
            let numbers: Vec<String> = numbers.collect();
            let mut tell = |stage| eprintln!("  {}", identity_words(stage));
            identity::run(size, &program, folder.path(), &numbers, &mut tell)?
        }
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
        Stage::DurableInPostgres => text!("the same with the log in PostgreSQL"),
        Stage::Postgres => text!("a ledger in the tables of PostgreSQL, for comparison"),
        Stage::Views => text!("the history, kept up behind the log"),
        Stage::Authenticated => text!("payments whose orders wallets signed"),
    }
}

/// What is being measured of notes, in words.
fn ecash_words(stage: ecash::Stage) -> String {
    match stage {
        ecash::Stage::Preparing => text!("making the notes that are exchanged then"),
        ecash::Stage::Swapping(notes) => {
            text!("swaps of {notes} notes for as many", notes = notes)
        }
        ecash::Stage::Withdrawing => text!("withdrawals from an account"),
        ecash::Stage::Redeeming => text!("redemptions into an account"),
        ecash::Stage::Refused(notes) => {
            text!("the mint did not do swaps of {notes} notes for as many", notes = notes)
        }
        ecash::Stage::Spent(notes) => {
            text!("the rules alone, with {notes} notes spent before", notes = notes)
        }
    }
}

/// What is measured of chip cards, in words.
fn card_words(stage: card::Stage) -> String {
    match stage {
        card::Stage::Reading => text!("chip cards opened, read and proven"),
        card::Stage::Personalising => text!("chip cards personalised"),
    }
}

/// What is measured of identity, in words.
fn identity_words(stage: identity::Stage) -> String {
    match stage {
        identity::Stage::Preparing => text!("identifying the residents at a counter"),
        identity::Stage::Issuing => text!("credentials issued, in both formats"),
        identity::Stage::Presenting => text!("credentials presented to a verifier"),
    }
}

/// What is being done at the size of a country, in words.
fn scale_words(stage: scale::Stage) -> String {
    match stage {
        scale::Stage::Opening(accounts) => {
            text!("opening and filling {accounts} accounts", accounts = accounts)
        }
        scale::Stage::Paying(done) => text!("paying: {done} payments are made", done = done),
        scale::Stage::Restarting => text!("stopping and starting again"),
        scale::Stage::Replaying => text!("replaying the whole log"),
        scale::Stage::Measured(figure) => {
            format!("{} {:.2} {}", figure.name, figure.value.unwrap_or_default(), figure.unit)
        }
        scale::Stage::Auditing => text!("auditing the whole log"),
    }
}
