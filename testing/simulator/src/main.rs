//! `cargo xtask simulate`: many runs, one after another; stops at the first that finds something.

use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;
use yufu_simulator::{Faults, Simulator};

/// Runs seeded schedules of commands and faults, and checks every run.
#[derive(Parser)]
struct Arguments {
    /// How many schedules.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// So many runs show every fault.
const ENOUGH: u64 = 200;

fn main() -> ExitCode {
    let Arguments { seeds, from } = Arguments::parse();
    let simulator = match Simulator::new() {
        Ok(simulator) => simulator,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    #[expect(clippy::disallowed_methods, reason = "tells how long it took; decides nothing")]
    let started = Instant::now();
    let (mut faults, mut crash_points, mut commands) = (Faults::default(), 0_u64, 0_u64);
    for (done, seed) in (1..=seeds).zip(from..) {
        match simulator.run(seed) {
            Ok(report) => {
                faults.add(&report.faults);
                crash_points = crash_points.saturating_add(report.crash_points);
                commands = commands.saturating_add(report.commands);
            }
            Err(failure) => {
                eprintln!("FAILED {failure}");
                eprintln!("reproduce: cargo xtask simulate --from {seed} --seeds 1");
                return ExitCode::FAILURE;
            }
        }
        if done.is_multiple_of(500) || done == seeds {
            let seconds = started.elapsed().as_secs().max(1);
            let per_second = crash_points.checked_div(seconds).unwrap_or(0);
            println!(
                "{done} of {seeds} seeds, {crash_points} crash points ({per_second} a second), {commands} commands, {seconds} s"
            );
        }
    }
    println!("faults: {faults}");
    let missing = faults.missing();
    if seeds >= ENOUGH && !missing.is_empty() {
        eprintln!("FAILED these faults never came about: {missing:?}");
        return ExitCode::FAILURE;
    }
    println!("nothing found");
    ExitCode::SUCCESS
}
