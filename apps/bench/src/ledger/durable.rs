//! Payments made durable: several clients submit signed lists; each is decoded, its signature
//! checked, ordered, on the disk, applied and answered. Beside it the bare database takes batches of
//! the same bytes. Once over SQLite, once over a PostgreSQL that the bench starts for itself.

use super::workload::{Country, LIST, submit, verified};
use crate::stopwatch::{Stopwatch, number};
use crate::{Figure, Yardstick};
use anyhow::{Result, ensure};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use yufu_base::Timestamp;
use yufu_engine::{Engine, Handle, Settings, SystemClock};
use yufu_log::scratch::{Server, ServerError};
use yufu_log::{Appended, Head, Log, PostgresAddress, PostgresLog, SqliteLog};
use yufu_machine::{Machine, Submission};

/// Clients that submit at once, each one list after another.
const CLIENTS: u32 = 8;

/// Opens a log of that name, in an empty database.
type Open<'a> = &'a dyn Fn(&str) -> Result<Box<dyn Log>>;

/// What was measured.
pub(super) struct Durable {
    /// Payments a second.
    pub(super) rate: f64,
    database: f64,
    half_load: [f64; 3],
    full_load: [f64; 3],
}

/// Over SQLite, in a file of `folder`.
pub(super) fn over_sqlite(accounts: usize, payments: usize, folder: &Path) -> Result<Durable> {
    let folder = tempfile::tempdir_in(folder)?;
    let open = |name: &str| -> Result<Box<dyn Log>> {
        Ok(Box::new(SqliteLog::open(&folder.path().join(name))?))
    };
    measure(accounts, payments, &open)
}

/// Over a PostgreSQL in `folder`; `None` if there is none on this machine.
pub(super) fn over_postgres(
    accounts: usize,
    payments: usize,
    folder: &Path,
) -> Result<Option<Durable>> {
    let folder = tempfile::tempdir_in(folder)?;
    let settings = [("shared_buffers", "256MB"), ("max_wal_size", "4GB")];
    let server = match Server::start(&folder.path().join("pg"), &settings) {
        Err(ServerError::Missing) => return Ok(None),
        server => server?,
    };
    let open = |name: &str| -> Result<Box<dyn Log>> {
        server.execute(&format!("CREATE DATABASE {name}"))?;
        let address: PostgresAddress = server.address(name).parse()?;
        Ok(Box::new(PostgresLog::open(&address)?))
    };
    measure(accounts, payments, &open).map(Some)
}

fn measure(accounts: usize, payments: usize, open: Open<'_>) -> Result<Durable> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut country = Country::new(accounts)?;
    country.now = now()?;
    let beginning = country.beginning()?;
    let furnishing = country.furnishing()?;
    let lists = payments / (2 * LIST);
    let mut encoded = Vec::new();
    for _ in 0..lists {
        // Ids carry the time at which they were made: a thousand in a millisecond.
        country.now = Timestamp::from_millis(country.now.millis().saturating_add(4));
        for list in country.payments(2 * LIST)? {
            encoded.push(borsh::to_vec(&list)?);
        }
    }
    let clock = Arc::new(SystemClock::new());
    let engine = Engine::start(open("durable")?, Machine::new(), clock, Settings::default())?;
    let handle = engine.handle();
    let measured = runtime.block_on(async {
        for submission in beginning.into_iter().chain(furnishing) {
            submit(&handle, vec![submission]).await?;
        }
        let half = encoded.len() / 4;
        let (quarter, rest) = encoded.split_at(half);
        let full = load(&handle, rest, None).await?;
        let pause = Duration::from_secs_f64(2.0 / full.lists_per_second);
        let halved = load(&handle, quarter, Some(pause)).await?;
        Ok::<_, anyhow::Error>((full, halved))
    });
    drop(engine.shutdown());
    let (full, halved) = measured?;
    let bytes = encoded.first().map_or(0, Vec::len);
    let database = bare_database(open("bare")?.as_mut(), bytes, encoded.len())?;
    Ok(Durable {
        rate: full.lists_per_second * number(LIST),
        database: database * number(LIST),
        half_load: halved.quantiles(),
        full_load: full.quantiles(),
    })
}

/// What clients saw.
struct Load {
    lists_per_second: f64,
    seconds: Vec<f64>,
}

/// Clients submit all lists: as fast as they are answered, or one at each `pause` in all.
async fn load(
    handle: &Handle<Machine>,
    lists: &[Vec<u8>],
    pause: Option<Duration>,
) -> Result<Load> {
    let watch = Stopwatch::start();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS as usize {
        let every = CLIENTS as usize;
        let own: Vec<Vec<u8>> = lists.iter().skip(client).step_by(every).cloned().collect();
        let handle = handle.clone();
        let pause = pause.map(|pause| pause.saturating_mul(CLIENTS));
        clients.spawn(async move {
            let mut waited = Vec::with_capacity(own.len());
            let mut tick = pause.map(tokio::time::interval);
            for bytes in own {
                if let Some(tick) = &mut tick {
                    tick.tick().await;
                }
                let watch = Stopwatch::start();
                let submission: Submission = borsh::from_slice(&bytes)?;
                ensure!(verified(&submission), "a signature does not verify");
                submit(&handle, vec![submission]).await?;
                waited.push(watch.seconds());
            }
            Ok::<_, anyhow::Error>(waited)
        });
    }
    let mut seconds = Vec::new();
    while let Some(client) = clients.join_next().await {
        seconds.extend(client??);
    }
    Ok(Load { lists_per_second: number(lists.len()) / watch.seconds(), seconds })
}

impl Load {
    /// Half, 99 and 99.9 of a hundred were answered within, in milliseconds.
    fn quantiles(mut self) -> [f64; 3] {
        self.seconds.sort_unstable_by(f64::total_cmp);
        [500, 990, 999].map(|per_mille: usize| {
            let place = self.seconds.len().saturating_mul(per_mille) / 1000;
            let place = place.min(self.seconds.len().saturating_sub(1));
            self.seconds.get(place).copied().unwrap_or(0.0) * 1e3
        })
    }
}

/// The same database with batches of the same bytes and no ledger at all, in batches a second.
fn bare_database(log: &mut dyn Log, bytes: usize, batches: usize) -> Result<f64> {
    let epoch = log.epoch()?.next();
    log.seal(epoch)?;
    // Several lists go into one record, as the engine batches them.
    let most = Settings::default().max_batch_bytes as usize;
    let together = most.checked_div(bytes).unwrap_or(1).clamp(1, CLIENTS as usize);
    let payload = vec![0x5a; bytes.saturating_mul(together)];
    let mut head = Head::EMPTY;
    let records = batches.checked_div(together).unwrap_or(1).max(1);
    let watch = Stopwatch::start();
    for _ in 0..records {
        match log.append(head, epoch, &payload) {
            Appended::Durable(next) => head = next,
            other => anyhow::bail!("the bare database did not take a batch: {other:?}"),
        }
    }
    Ok(number(records.saturating_mul(together)) / watch.seconds())
}

/// The names of the figures, and what is said of them.
const NAMES: [(&str, &str); 7] = [
    ("", "at least 0.6 of the slower of machine and bare database; over 1 million"),
    (".p50", "at half load, lists of 2,000"),
    (".p99", "at half load: a few flushes of the disk"),
    (".p99.9", "at half load"),
    (".full.p50", "at full load"),
    (".full.p99", "at full load"),
    (".full.p99.9", "at full load"),
];

impl Durable {
    /// The figures, whose names begin with `name`.
    pub(super) fn figures(&self, name: &str, machine: f64) -> Vec<Figure> {
        let (stick, value) = if self.database < machine {
            ("the bare database, the same batches", self.database)
        } else {
            ("the machine alone (apply.10k)", machine)
        };
        let yardstick = Yardstick { name: stick.to_owned(), value, unit: "transfers/s" };
        let [rate, latencies @ ..] = NAMES.map(|(end, target)| (format!("{name}{end}"), target));
        let mut figures = vec![Figure::beside(rate.0, self.rate, "transfers/s", yardstick, rate.1)];
        let waited = self.half_load.into_iter().chain(self.full_load);
        let latency = |((name, target), ms)| Figure::alone(name, ms, "ms", target);
        figures.extend(latencies.into_iter().zip(waited).map(latency));
        figures
    }
}

/// The same figures where there is nothing to measure with.
pub(super) fn not_measured(name: &str) -> Vec<Figure> {
    let figure = |(end, target): (&str, &'static str)| {
        let unit = if end.is_empty() { "transfers/s" } else { "ms" };
        Figure { value: None, ..Figure::alone(format!("{name}{end}"), 0.0, unit, target) }
    };
    NAMES.map(figure).into()
}

fn now() -> Result<yufu_base::Timestamp> {
    use yufu_engine::Clock as _;
    Ok(SystemClock::new().read().wall)
}
