//! The ledger at the size of a country: millions of accounts, a hundred million transfers, started,
//! stopped, restarted, replayed and audited; what time, memory and disk each of it takes.

use crate::ledger::workload::{Country, LIST, submit, verified};
use crate::memory::{most_resident, resident};
use crate::stopwatch::{Stopwatch, number};
use crate::{Figure, Report, Yardstick};
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use yufu_base::{StateMachine as _, Timestamp};
use yufu_engine::{
    Clock, Engine, Handle, Reading, Replay, Settings, Snapshots, SystemClock, snapshots_in,
};
use yufu_log::{Log, LogError, SqliteLog};
use yufu_machine::Machine;

/// Clients that make, sign and submit lists, each one after another.
const CLIENTS: usize = 4;
/// The ledger's clock runs so many times as fast as the machine's: a day, for which ids are
/// remembered, passes in ten seconds.
const HASTE: u32 = 8_640;
/// Payments of all clients' next pair of lists.
const PAIRS: usize = CLIENTS * 2 * LIST;
/// So often is the memory looked at while payments are made.
const QUARTERS: usize = 4;

/// How many accounts, and how many payments between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    accounts: usize,
    payments: usize,
}

impl Size {
    /// Ten million accounts, a hundred million payments: takes an hour or more, most of it the audit,
    /// 15 GB of disk and 10 GB of memory.
    pub const FULL: Self = Self { accounts: 10_000_000, payments: 100_000_000 };
    /// The same names, a hundredth of the size.
    pub const QUICK: Self = Self { accounts: 100_000, payments: 1_000_000 };
}

/// What is being done.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Accounts are opened and filled.
    Opening(usize),
    /// Payments, of which so many are done.
    Paying(usize),
    /// The engine is started again.
    Restarting,
    /// The whole log is replayed from its first record.
    Replaying,
    /// The whole log is audited.
    Auditing,
    /// Something was measured: told at once, as the whole takes long.
    Measured(Figure),
}

/// Keeps figures, and tells each.
struct Figures<'a>(Vec<Figure>, &'a mut dyn FnMut(Stage));

impl Figures<'_> {
    fn add(&mut self, figures: impl IntoIterator<Item = Figure>) {
        for figure in figures {
            (self.1)(Stage::Measured(figure.clone()));
            self.0.push(figure);
        }
    }

    fn tell(&mut self, stage: Stage) {
        (self.1)(stage);
    }
}

/// Runs it all in `folder`. `tell` hears what is being done.
///
/// # Errors
/// If something cannot be set up, or comes out other than it should.
pub fn run(size: Size, folder: &Path, tell: &mut dyn FnMut(Stage)) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let place = Place { log: folder.join("scale.sqlite"), snapshots: folder.join("snapshots") };
    let clock = HastyClock::new();
    let mut figures = Figures(Vec::new(), tell);
    run_live(&place, (&runtime, clock), size, &mut figures)?;
    figures.tell(Stage::Restarting);
    figures.add(place.restart(&runtime, clock)?);
    figures.tell(Stage::Replaying);
    let watch = Stopwatch::start();
    let mut replay = Replay::new(Machine::new());
    replay.catch_up(&SqliteLog::open_read_only(&place.log)?)?;
    let replayed = watch.seconds();
    let hash = replay.machine().state_hash().to_string();
    drop(replay);
    figures.add([Figure::alone("scale.replay", replayed, "s", "the whole log, from nothing")]);
    figures.tell(Stage::Auditing);
    let watch = Stopwatch::start();
    let report = yufu_audit::audit(&SqliteLog::open_read_only(&place.log)?)?;
    let yardstick = Yardstick { name: "the same log replayed".into(), value: replayed, unit: "s" };
    let target = "every signature checked, the books kept a second time";
    figures.add([Figure::beside("scale.audit", watch.seconds(), "s", yardstick, target)]);
    ensure!(report.ok, "the audit found something: {:?}", report.findings.first());
    ensure!(report.state_hash == hash, "audit and replay come to different states");
    let most = mebibytes(most_resident()?);
    let target = "of one process that did all of this, the auditor's books included";
    figures.add([Figure::alone("scale.memory.most", most, "MiB", target)]);
    Ok(Report { bench: "scale", figures: figures.0 })
}

/// Accounts are opened and payments made, durable, and the engine is stopped.
fn run_live(
    place: &Place,
    (runtime, clock): (&Runtime, HastyClock),
    size: Size,
    figures: &mut Figures<'_>,
) -> Result<()> {
    let engine = place.start(clock)?;
    let handle = engine.handle();
    figures.tell(Stage::Opening(size.accounts));
    let watch = Stopwatch::start();
    runtime.block_on(open(&handle, clock, size.accounts))?;
    let opened = number(size.accounts) / watch.seconds();
    let before = bytes_in(&place.log)?;
    let mut in_use = vec![resident()?];
    let (mut clients, watch) = (clients(size, clock)?, Stopwatch::start());
    let pairs = size.payments / (QUARTERS * PAIRS);
    let mut made = 0_usize;
    for _ in 0..QUARTERS {
        figures.tell(Stage::Paying(made));
        clients = runtime.block_on(pay(&handle, clock, clients, pairs))?;
        made = made.saturating_add(pairs.saturating_mul(PAIRS));
        in_use.push(resident()?);
    }
    let paid = number(made) / watch.seconds();
    drop(handle);
    drop(engine.shutdown());
    let bytes = (bytes_in(&place.log)? - before) / number(made);
    figures.add([
        Figure::alone("scale.open", opened, "accounts/s", "opened and filled, durable"),
        Figure::alone("scale.pay", paid, "transfers/s", "made, signed, checked, durable, applied"),
        Figure::alone("scale.log", bytes, "bytes", "of log for each payment"),
    ]);
    let names = ["opened", "quarter", "half", "three_quarters", "all"];
    let target = "does not grow with history: after the ids of a day it stays";
    figures.add(names.into_iter().zip(in_use).map(|(name, kib)| {
        Figure::alone(format!("scale.memory.{name}"), mebibytes(kib), "MiB", target)
    }));
    Ok(())
}

/// Opens the ledger and its accounts.
async fn open(handle: &Handle<Machine>, clock: HastyClock, accounts: usize) -> Result<()> {
    let mut country = Country::new(accounts)?;
    country.now = clock.read().wall;
    for submission in country.beginning()? {
        submit(handle, vec![submission]).await?;
    }
    for first in (0..accounts).step_by(8 * LIST) {
        country.now = clock.read().wall;
        let lists = country.furnishing_of(first..first.saturating_add(8 * LIST).min(accounts))?;
        // What fills a wallet waits for what opens it.
        let (opening, filling) =
            lists.into_iter().enumerate().partition::<Vec<_>, _>(|(n, _)| n % 2 == 0);
        for lists in [opening, filling] {
            let mut waiting = JoinSet::new();
            for (_, list) in lists {
                let handle = handle.clone();
                waiting.spawn(async move { submit(&handle, vec![list]).await });
            }
            while let Some(done) = waiting.join_next().await {
                done??;
            }
        }
    }
    Ok(())
}

/// Countries that pay by turns of their own.
fn clients(size: Size, clock: HastyClock) -> Result<Vec<Country>> {
    (0..CLIENTS)
        .map(|client| {
            let mut country = Country::new(size.accounts)?;
            country.reseed(client.saturating_add(1).saturating_mul(1 << 40));
            country.now = clock.read().wall;
            Ok(country)
        })
        .collect()
}

/// Each client makes, signs and submits so many pairs of lists.
async fn pay(
    handle: &Handle<Machine>,
    clock: HastyClock,
    clients: Vec<Country>,
    pairs: usize,
) -> Result<Vec<Country>> {
    let mut paying = JoinSet::new();
    for mut country in clients {
        let handle = handle.clone();
        paying.spawn(async move {
            for _ in 0..pairs {
                country.now = clock.read().wall;
                for list in country.payments(2 * LIST)? {
                    ensure!(verified(&list), "a signature does not verify");
                    submit(&handle, vec![list]).await?;
                }
            }
            Ok(country)
        });
    }
    let mut clients = Vec::new();
    while let Some(client) = paying.join_next().await {
        clients.push(client??);
    }
    Ok(clients)
}

/// Where the log and its snapshots lie.
struct Place {
    log: PathBuf,
    snapshots: PathBuf,
}

impl Place {
    fn start(&self, clock: HastyClock) -> Result<Engine<Machine>> {
        let path = self.log.clone();
        let open = move || -> Result<Box<dyn Log>, LogError> {
            let log = SqliteLog::open_read_only(&path);
            Ok(Box::new(log.map_err(|error| LogError::Storage(error.to_string()))?))
        };
        let mut snapshots = Snapshots::new(self.snapshots.clone(), Arc::new(open));
        // As a ledger of this size would: every ten million payments or so, not every two.
        snapshots.every_bytes = 2 << 30;
        let log = Box::new(SqliteLog::open_alone(&self.log)?);
        let with: (Arc<dyn Clock>, _) = (Arc::new(clock), Settings::default());
        Ok(Engine::start_with_snapshots(log, Machine::new(), with, snapshots, |_, _| {})?)
    }

    /// Starts once more from what lies there; then with a snapshot made of the newest record.
    fn restart(&self, runtime: &Runtime, clock: HastyClock) -> Result<Vec<Figure>> {
        let newest = snapshots_in(&self.snapshots)?.first().map_or(0, |file| file.seq.get());
        let watch = Stopwatch::start();
        let engine = self.start(clock)?;
        let first = watch.seconds();
        let handle = engine.handle();
        let replayed = handle.head().seq.get().saturating_sub(newest);
        let watch = Stopwatch::start();
        runtime.block_on(handle.snapshot())?;
        let made = watch.seconds();
        drop(handle);
        drop(engine.shutdown());
        let watch = Stopwatch::start();
        drop(self.start(clock)?.shutdown());
        let again = watch.seconds();
        let newest = snapshots_in(&self.snapshots)?;
        let bytes = newest.first().map_or(Ok(0.0), |file| bytes_in(&file.path))?;
        Ok(vec![
            Figure::alone("scale.restart", first, "s", "newest snapshot, then the records since"),
            Figure::alone("scale.restart.records", wide(replayed), "records", "since the snapshot"),
            Figure::alone("scale.snapshot", made, "s", "made while the engine runs"),
            Figure::alone(
                "scale.snapshot.size",
                bytes / 1_048_576.0,
                "MiB",
                "of all accounts and a day's ids",
            ),
            Figure::alone(
                "scale.restart.fresh",
                again,
                "s",
                "with a snapshot of the newest record",
            ),
            Figure::alone(
                "scale.log.size",
                bytes_in(&self.log)? / 1_048_576.0,
                "MiB",
                "the whole log",
            ),
        ])
    }
}

/// A clock that begins with the machine's and runs faster, a day in ten seconds.
#[derive(Clone, Copy, Debug)]
struct HastyClock {
    system: SystemClock,
    began: Timestamp,
}

impl HastyClock {
    fn new() -> Self {
        let system = SystemClock::new();
        Self { system, began: system.read().wall }
    }
}

impl Clock for HastyClock {
    fn read(&self) -> Reading {
        let monotonic = self.system.read().monotonic.saturating_mul(HASTE);
        let passed = u64::try_from(monotonic.as_millis()).unwrap_or(u64::MAX);
        Reading {
            wall: Timestamp::from_millis(self.began.millis().saturating_add(passed)),
            monotonic,
        }
    }
}

fn bytes_in(file: &Path) -> Result<f64> {
    Ok(wide(std::fs::metadata(file)?.len()))
}

fn mebibytes(kib: usize) -> f64 {
    number(kib) / 1024.0
}

/// A count beyond 32 bits as a number to divide by.
fn wide(count: u64) -> f64 {
    let part = |part: u64| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    part(count >> 32) * 4_294_967_296.0 + part(count & 0xffff_ffff)
}
