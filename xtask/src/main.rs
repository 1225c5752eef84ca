//! The project's own tasks, one entry point for people and for continuous integration:
//! `cargo xtask test`, `lint`, `tidy`, `simulate`, `openapi`, `messages`, `city`.

mod lint;
mod run;
mod test;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what the tests need, runs all of them, prints what ran, passed and was skipped.
    Test {
        /// Treat a skipped test as a failure (as continuous integration does).
        #[arg(long, env = "YUFU_TEST_STRICT")]
        strict: bool,
    },
    /// Formatting, clippy with every warning an error, and tidy.
    Lint,
    /// The rules no compiler checks: who imports whom, file sizes, documents kept true.
    Tidy,
    /// Seeded schedules of commands and faults over a simulated log; stops at the first that finds something.
    Simulate {
        /// How many schedules.
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Writes docs/openapi.json anew from the handlers.
    Openapi,
    /// Writes docs/messages.md anew from api/messages.
    Messages,
    /// Writes the sample cities of profiles/ anew from their seed.
    City,
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    std::env::set_current_dir(run::root()?)?;
    match task {
        Task::Test { strict } => test::test(strict),
        Task::Lint => lint::lint(),
        Task::Tidy => tidy::tidy(),
        Task::Simulate { seeds, from } => test::simulate(seeds, from),
        Task::Openapi => test::regenerate_openapi(),
        Task::Messages => test::regenerate_messages(),
        Task::City => test::regenerate_city(),
    }
}
