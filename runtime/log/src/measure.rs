//! How fast batches become durable, beside the same bytes without a log: a file and its sync, a
//! row of the same database. For benchmarks: every figure of a run comes from this machine, then.

use crate::{Appended, Epoch, Head, Log};
use postgres::Client;
use rusqlite::Connection;
use std::error::Error;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The times of a number of batches, one after the other.
#[derive(Clone, Debug)]
pub struct Measured {
    /// In order of length.
    times: Vec<Duration>,
    total: Duration,
}

impl Measured {
    fn of(mut times: Vec<Duration>) -> Self {
        let total = times.iter().sum();
        times.sort_unstable();
        Self { times, total }
    }

    /// Batches a second.
    #[must_use]
    #[expect(clippy::float_arithmetic, reason = "a measurement")]
    pub fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.times.len()).unwrap_or(u32::MAX)) / self.total.as_secs_f64()
    }

    /// The time that so many in a thousand take at most.
    #[must_use]
    pub fn per_mille(&self, count: usize) -> Duration {
        let index = self.times.len().saturating_mul(count).checked_div(1000).unwrap_or(0);
        self.times.get(index.min(self.times.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Seals an epoch, and appends `batches` times `payload`, each durable before the next.
///
/// # Errors
/// Whatever keeps an append from being durable.
pub fn appends(
    log: &mut dyn Log,
    payload: &[u8],
    batches: u32,
) -> Result<Measured, Box<dyn Error>> {
    let epoch: Epoch = log.epoch()?.next();
    let mut head: Head = log.seal(epoch)?;
    timed(batches, || match log.append(head, epoch, payload) {
        Appended::Durable(next) => {
            head = next;
            Ok(())
        }
        other => Err(format!("{other:?}").into()),
    })
}

/// The same bytes into a preallocated file, each with an `fdatasync`.
///
/// # Errors
/// The file's.
pub fn bare_syncs(path: &Path, payload: &[u8], batches: u32) -> Result<Measured, Box<dyn Error>> {
    let mut file = File::create(path)?;
    for _ in 0..batches {
        file.write_all(&vec![0; payload.len()])?;
    }
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    timed(batches, || {
        file.write_all(payload)?;
        Ok(file.sync_data()?)
    })
}

/// The same bytes as rows of an SQLite table with the log's settings, a transaction each.
///
/// # Errors
/// The database's.
pub fn bare_sqlite(path: &Path, payload: &[u8], batches: u32) -> Result<Measured, Box<dyn Error>> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA page_size = 65536; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE batch (number INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT",
    )?;
    let mut statement = connection.prepare("INSERT INTO batch (payload) VALUES (?1)")?;
    timed(batches, || Ok(statement.execute([payload]).map(drop)?))
}

/// The same bytes as rows of a PostgreSQL table, a transaction each.
///
/// # Errors
/// The database's.
pub fn bare_postgres(
    client: &mut Client,
    payload: &[u8],
    batches: u32,
) -> Result<Measured, Box<dyn Error>> {
    client.batch_execute(
        "CREATE TABLE batch (number bigserial PRIMARY KEY, payload bytea NOT NULL);
         ALTER TABLE batch ALTER COLUMN payload SET STORAGE EXTERNAL",
    )?;
    let statement = client.prepare("INSERT INTO batch (payload) VALUES ($1)")?;
    timed(batches, || Ok(client.execute(&statement, &[&payload]).map(drop)?))
}

fn timed(
    batches: u32,
    mut batch: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Measured, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..batches {
        let started = now();
        batch()?;
        times.push(started.elapsed());
    }
    Ok(Measured::of(times))
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryLog;

    #[test]
    fn rates_and_percentiles_are_those_of_the_times() {
        let measured = Measured::of((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!(measured.per_mille(500), Duration::from_millis(51));
        assert_eq!(measured.per_mille(1000), Duration::from_millis(100));
        assert!((19.8..19.9).contains(&measured.rate()), "{}", measured.rate());
        assert_eq!(Measured::of(Vec::new()).per_mille(990), Duration::ZERO);
    }

    #[test]
    fn every_yardstick_runs_and_the_log_holds_what_was_measured() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = MemoryLog::new();
        appends(&mut log, &[1; 1000], 5).unwrap();
        assert_eq!(crate::verify_chain(&log).unwrap().seq.get(), 5);
        bare_syncs(&directory.path().join("file"), &[1; 1000], 5).unwrap();
        bare_sqlite(&directory.path().join("rows"), &[1; 1000], 5).unwrap();
    }
}
