//! The history: how fast a log is folded into it, what a transfer takes there, and how far it is
//! behind while payments go on. Beside it the same log is replayed with nothing kept.

use super::workload::{Country, LIST, submit};
use crate::stopwatch::{Stopwatch, number};
use crate::{Figure, Yardstick};
use anyhow::Result;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yufu_base::Timestamp;
use yufu_engine::{Clock as _, Engine, Handle, Replay, Settings, SystemClock};
use yufu_log::{Log, LogError, Seq, SqliteLog, VerifiedRecords};
use yufu_machine::Machine;
use yufu_views::{Follower, Place, QueryError, Views};

/// Lists that go into one record.
const TOGETHER: usize = 4;
/// While the lag is measured, a list is submitted so often: 100,000 transfers a second.
const PACE: Duration = Duration::from_millis(20);
/// So many lists.
const PACED: usize = 150;
/// How long a list may take to be in the history.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn measure(accounts: usize, payments: usize, folder: &Path) -> Result<Vec<Figure>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let path = folder.join("views-log.sqlite");
    let clock = Arc::new(SystemClock::new());
    let mut country = Country::new(accounts)?;
    country.now = clock.read().wall;
    let log = Box::new(SqliteLog::open(&path)?);
    let engine = Engine::start(log, Machine::new(), clock, Settings::default())?;
    let handle = engine.handle();
    let furnished = runtime.block_on(furnish(&handle, &mut country))?;
    runtime.block_on(pay(&handle, &mut country, payments))?;
    let place = Place { view: folder.join("history.sqlite"), snapshots: folder.join("none") };
    let log = SqliteLog::open_read_only(&path)?;
    let bare = replayed(&log, furnished)?;
    let (folded, bytes) = folded(&place, &log, furnished)?;
    let lag = runtime.block_on(lag(&handle, &mut country, (&place, &path)))?;
    drop(engine.shutdown());
    for file in [&path, &place.view] {
        std::fs::remove_file(file)?;
    }
    let paid = number(payments);
    let yardstick = Yardstick {
        name: "replaying the same log, nothing kept".to_owned(),
        value: paid / bare,
        unit: "transfers/s",
    };
    let target = "beyond any country's peak; the closer to a bare replay the better";
    let [half, most] = lag;
    Ok(vec![
        Figure::beside("views.rate", paid / folded, "transfers/s", yardstick, target),
        Figure::alone("views.transfer", bytes, "bytes", "less than the log takes"),
        Figure::alone("views.lag.p50", half, "ms", "at 100,000 transfers/s, from the answer on"),
        Figure::alone("views.lag.p99", most, "ms", "at 100,000 transfers/s, from the answer on"),
    ])
}

/// Opens the ledger and its wallets; the newest record then.
async fn furnish(handle: &Handle<Machine>, country: &mut Country) -> Result<Seq> {
    let commands = country.beginning()?.into_iter().chain(country.furnishing()?);
    for submission in commands {
        submit(handle, vec![submission]).await?;
    }
    Ok(handle.head().seq)
}

async fn pay(handle: &Handle<Machine>, country: &mut Country, payments: usize) -> Result<()> {
    let every = LIST.saturating_mul(TOGETHER);
    for _ in 0..payments.checked_div(every).unwrap_or_default() {
        later(country);
        submit(handle, country.payments(every)?).await?;
    }
    Ok(())
}

/// Ids carry the time at which they were made: a thousand in a millisecond.
fn later(country: &mut Country) {
    country.now = Timestamp::from_millis(country.now.millis().saturating_add(8));
}

/// Seconds that a replay takes after a record, with nothing kept.
fn replayed(log: &dyn Log, after: Seq) -> Result<f64> {
    let mut replay = Replay::new(Machine::new());
    let mut watch = Stopwatch::start();
    for record in VerifiedRecords::new(log, replay.head()) {
        replay.apply(&record?)?;
        if replay.head().seq == after {
            watch = Stopwatch::start();
        }
    }
    Ok(watch.seconds())
}

/// Seconds that folding takes after a record, and the bytes of a transfer.
fn folded(place: &Place, log: &dyn Log, after: Seq) -> Result<(f64, f64)> {
    let mut follower = Follower::open(place, log)?;
    follower.catch_up(log, &mut |folded| folded.seq < after)?;
    let watch = Stopwatch::start();
    follower.catch_up(log, &mut |_| true)?;
    let seconds = watch.seconds();
    let transfers = follower.transfers();
    drop(follower);
    let bytes = std::fs::metadata(&place.view)?.len();
    Ok((seconds, number(usize::try_from(bytes)?) / number(usize::try_from(transfers)?)))
}

/// Within how many milliseconds after its answer half the lists, and 99 of a hundred, are in the
/// history, kept up beside the engine.
async fn lag(
    handle: &Handle<Machine>,
    country: &mut Country,
    (place, log): (&Place, &Path),
) -> Result<[f64; 2]> {
    let log = log.to_owned();
    let open = move || {
        let opened = SqliteLog::open_read_only(&log);
        let failed = |error| LogError::Storage(format!("{error}"));
        opened.map(|log| Box::new(log) as Box<dyn Log>).map_err(failed)
    };
    let views = Arc::new(Views::start(place.clone(), Arc::new(open))?);
    waited(&views, handle.head().seq).await?;
    let mut tick = tokio::time::interval(PACE);
    let mut asked = Vec::new();
    for _ in 0..PACED {
        tick.tick().await;
        later(country);
        let seq = submit(handle, country.payments(LIST)?).await?;
        let views = Arc::clone(&views);
        asked.push(tokio::spawn(async move { waited(&views, seq).await }));
    }
    let mut milliseconds = Vec::new();
    for one in asked {
        milliseconds.push(one.await?? * 1e3);
    }
    views.shutdown();
    milliseconds.sort_unstable_by(f64::total_cmp);
    Ok([50, 99].map(|percent: usize| {
        let place = milliseconds.len().saturating_mul(percent) / 100;
        milliseconds.get(place).copied().unwrap_or_default()
    }))
}

/// Seconds until a record is in the history.
async fn waited(views: &Arc<Views>, seq: Seq) -> Result<f64> {
    let (views, watch) = (Arc::clone(views), Stopwatch::start());
    let asked = tokio::task::spawn_blocking(move || {
        views.ask((Some(seq), PATIENCE), |view| view.through().map_err(QueryError::from))
    });
    asked.await??;
    Ok(watch.seconds())
}
