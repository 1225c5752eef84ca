//! `cargo xtask simulate`: many runs, one after another; stops at the first that finds something.

use clap::Parser;
use std::process::ExitCode;
use std::time::Instant;
use yufu_simulator::{Failure, Faults, Mishaps, Simulator};

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
/// One seed in so many is run between two ledgers too.
const BETWEEN: u64 = 4;

/// What all runs came to together.
#[derive(Default)]
struct Sums {
    faults: Faults,
    mishaps: Mishaps,
    crash_points: u64,
    commands: u64,
    sent: u64,
}

impl Sums {
    fn run(&mut self, simulator: &Simulator, seed: u64) -> Result<(), Failure> {
        let report = simulator.run(seed)?;
        self.faults.add(&report.faults);
        self.crash_points = self.crash_points.saturating_add(report.crash_points);
        self.commands = self.commands.saturating_add(report.commands);
        if seed.is_multiple_of(BETWEEN) {
            let between = simulator.run_between(seed.checked_div(BETWEEN).unwrap_or(seed))?;
            self.mishaps.add(&between.mishaps);
            self.crash_points = self.crash_points.saturating_add(between.crash_points);
            self.sent = self.sent.saturating_add(between.sent);
        }
        Ok(())
    }
}

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
    let mut sums = Sums::default();
    for (done, seed) in (1..=seeds).zip(from..) {
        if let Err(failure) = sums.run(&simulator, seed) {
            eprintln!("FAILED {failure}");
            eprintln!("reproduce: cargo xtask simulate --from {seed} --seeds 1");
            return ExitCode::FAILURE;
        }
        if done.is_multiple_of(500) || done == seeds {
            let seconds = started.elapsed().as_secs().max(1);
            let Sums { crash_points, commands, sent, .. } = sums;
            let per_second = crash_points.checked_div(seconds).unwrap_or(0);
            println!(
                "{done} of {seeds} seeds, {crash_points} crash points ({per_second} a second), {commands} commands, {sent} payments between ledgers, {seconds} s"
            );
        }
    }
    println!("faults: {}", sums.faults);
    println!("between ledgers: {}", sums.mishaps);
    let (missing, between) = (sums.faults.missing(), sums.mishaps.missing());
    if seeds >= ENOUGH && !(missing.is_empty() && between.is_empty()) {
        eprintln!("FAILED these faults never came about: {missing:?} {between:?}");
        return ExitCode::FAILURE;
    }
    println!("nothing found");
    ExitCode::SUCCESS
}
