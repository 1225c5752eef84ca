//! Durable batches of 128 KiB a second on SQLite, beside the yardstick of the same run: the
//! same bytes written to a preallocated file with a bare `fdatasync` each.
//! `cargo run --release -p yufu-log --example append [-- DIRECTORY]`

use std::error::Error;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use yufu_log::{Appended, Log, SqliteLog, verify_chain};

const BATCH: usize = 128 << 10;
const BATCHES: u32 = 1000;
const ROUNDS: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let directory =
        tempfile::tempdir_in(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()))?;
    let payload = vec![0xa5; BATCH];
    for round in 1..=ROUNDS {
        let path = |name: &str| directory.path().join(format!("{name}-{round}"));
        let mut bare = bare(&path("bare"), &payload)?;
        let (mut log, verified) = log(&path("log"), &payload)?;
        let (bare_total, log_total) = (total(&bare), total(&log));
        println!(
            "round {round}: log {:.0} batches/s, bare fdatasync {:.0}/s, ratio {:.2}; \
             log p50 {:?} p99 {:?}, bare p50 {:?} p99 {:?}; chain verified at {:.0} MiB/s",
            rate(log_total),
            rate(bare_total),
            ratio(bare_total, log_total),
            percentile(&mut log, 50),
            percentile(&mut log, 99),
            percentile(&mut bare, 50),
            percentile(&mut bare, 99),
            mebibytes(verified),
        );
    }
    Ok(())
}

/// The time of each append, and of verifying them all.
fn log(path: &Path, payload: &[u8]) -> Result<(Vec<Duration>, Duration), Box<dyn Error>> {
    let mut log = SqliteLog::open(path)?;
    let epoch = log.epoch()?.next();
    let mut head = log.seal(epoch)?;
    let mut times = Vec::new();
    for _ in 0..BATCHES {
        let started = now();
        match log.append(head, epoch, payload) {
            Appended::Durable(next) => head = next,
            other => return Err(format!("{other:?}").into()),
        }
        times.push(started.elapsed());
    }
    let started = now();
    verify_chain(&log)?;
    Ok((times, started.elapsed()))
}

/// The time of each write with its `fdatasync`.
fn bare(path: &PathBuf, payload: &[u8]) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut file = File::create(path)?;
    for _ in 0..BATCHES {
        file.write_all(&vec![0; payload.len()])?;
    }
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let mut times = Vec::new();
    for _ in 0..BATCHES {
        let started = now();
        file.write_all(payload)?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    Ok(times)
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}

fn total(times: &[Duration]) -> Duration {
    times.iter().sum()
}

#[expect(clippy::float_arithmetic, reason = "a measurement")]
fn rate(total: Duration) -> f64 {
    f64::from(BATCHES) / total.as_secs_f64()
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let index = times.len().saturating_mul(percent).checked_div(100).unwrap_or(0);
    times.get(index).copied().unwrap_or_default()
}

#[expect(clippy::float_arithmetic, reason = "a measurement")]
fn ratio(yardstick: Duration, measured: Duration) -> f64 {
    yardstick.as_secs_f64() / measured.as_secs_f64()
}

/// Mebibytes a second: a batch is an eighth of one.
#[expect(clippy::float_arithmetic, reason = "a measurement")]
fn mebibytes(total: Duration) -> f64 {
    rate(total) / 8.0
}
