//! Yufu: every institution of a city, a wallet and an audit in one program.
//! The library is there for the program's own end-to-end tests.

mod audit;
mod bars;
mod bench;
mod card;
mod city;
mod code;
mod command_line;
mod config;
mod data;
mod demo;
mod explaining;
mod keeping;
mod keys_commands;
mod ledger_log;
mod log_commands;
mod manual;
mod notes_commands;
mod profile;
mod replaying;
mod safety;
mod serve;
mod settings;
mod stopping;
mod sweeping;
mod trust_commands;
mod trust_key;
mod unanswered;
mod verifying;
mod verifying_near;
mod views_commands;
pub mod wallet;
mod words;

use clap::Parser;
use command_line::{Arguments, Command};
use std::process::ExitCode;

/// Parses the command line and does what it says. 0 if all went as it must, 1 otherwise, 2 for a
/// command line that cannot be understood.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    words::speak(arguments.lang.as_deref());
    let outcome = match arguments.command {
        Command::Demo(options) => demo::run(options),
        Command::Serve(options) => serve::run(options),
        Command::Keys(options) => keys_commands::run(options),
        Command::Trust(options) => trust_commands::run(options),
        Command::Config(options) => config::run(options),
        Command::Wallet(options) => wallet::run(options),
        Command::Card(options) => card::run(&options),
        Command::Audit(options) => audit::run(&options),
        Command::Notes(options) => notes_commands::run(options),
        Command::Log(options) => log_commands::run(&options),
        Command::Views(options) => views_commands::run(&options),
        Command::Backup(options) => keeping::backup(&options),
        Command::Restore(options) => keeping::restore(&options),
        Command::ForgetKeys(options) => keeping::forget_keys(&options),
        Command::Sweep(options) => sweeping::run(&options),
        Command::Verify(options) => verifying::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { out } => manual::pages(out.as_deref()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("yufu{}{}", words::colon(), explaining::explain(&error));
            ExitCode::FAILURE
        }
    }
}
