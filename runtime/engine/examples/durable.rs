//! Commands a second through the engine over SQLite, submitted, encoded, logged, applied and answered,
//! beside the yardstick of the same run: the same bytes appended to a log without an engine. Then how long a start
//! takes that replays all of it, and one from a snapshot.
//! `cargo run --release -p yufu-engine --example durable [-- DIRECTORY]`

use borsh::{BorshDeserialize, BorshSerialize};
use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yufu_base::{Digest, Snapshot, Stamp, StateMachine};
use yufu_engine::{Engine, Settings, Snapshots, SystemClock};
use yufu_log::{Appended, Log, LogError, SqliteLog};

const ACCOUNTS: u32 = 100_000;
const CLIENTS: u32 = 8;
/// Commands of one submission.
const TOGETHER: u32 = 2_000;
const ROUNDS: u32 = 3;
const SUBMISSIONS: u32 = 100;

/// Moves money, and hashes each command as a ledger does.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
struct Books {
    balances: Vec<u64>,
    seen: Digest,
}

/// 64 bytes.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
struct Transfer {
    id: u128,
    from: u32,
    to: u32,
    amount: u64,
    order: [u8; 32],
}

impl StateMachine for Books {
    type Command = Transfer;
    type Outcome = Option<u64>;
    const VERSION: u16 = 1;

    fn apply(&mut self, _: Stamp, transfer: &Transfer) -> Option<u64> {
        let mut bytes = [0; 48];
        let (id, order) = bytes.split_at_mut(16);
        id.copy_from_slice(&transfer.id.to_le_bytes());
        order.copy_from_slice(&transfer.order);
        self.seen = Digest::of(&bytes);
        let (from, to) = (index(transfer.from), index(transfer.to));
        let left = self.balances.get(from)?.checked_sub(transfer.amount)?;
        let more = self.balances.get(to)?.checked_add(transfer.amount)?;
        *self.balances.get_mut(from)? = left;
        *self.balances.get_mut(to)? = more;
        Some(left)
    }

    fn state_hash(&self) -> Digest {
        self.seen
    }
}

impl Snapshot for Books {
    fn write_state(&self, writer: &mut dyn io::Write) -> io::Result<()> {
        borsh::to_writer(writer, self)
    }

    fn read_state(mut reader: &mut dyn io::Read) -> io::Result<Self> {
        Self::deserialize_reader(&mut reader)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory =
        tempfile::tempdir_in(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()))?;
    for round in 1..=ROUNDS {
        let path = |name: &str| directory.path().join(format!("{name}-{round}"));
        let (commands, took) = engine(&path("engine")).await?;
        let (bare, bare_took) = bare(&path("bare"), &path("engine"))?;
        println!(
            "round {round}: engine {:.0} commands/s; the same {bare} records without one {:.0}/s; ratio {:.2}",
            rate(commands, took),
            rate(commands, bare_took),
            ratio(bare_took, took),
        );
        let folder = path("snapshots");
        let whole = restart(&path("engine"), &folder).await?;
        let from_snapshot = restart(&path("engine"), &folder).await?;
        println!("  a start that replays all {whole:.1?}, from a snapshot {from_snapshot:.1?}");
    }
    Ok(())
}

fn opening() -> Books {
    Books { balances: vec![1 << 40; index(ACCOUNTS)], seen: Digest::ZERO }
}

/// How long a start takes; leaves a snapshot of the newest record.
async fn restart(path: &Path, folder: &Path) -> Result<Duration, Box<dyn Error>> {
    let log = Box::new(SqliteLog::open(path)?);
    let again = path.to_owned();
    let open = move || -> Result<Box<dyn Log>, LogError> {
        let log = SqliteLog::open_read_only(&again);
        Ok(Box::new(log.map_err(|error| LogError::Storage(error.to_string()))?))
    };
    let snapshots = Snapshots::new(folder.to_owned(), Arc::new(open));
    let clock = (Arc::new(SystemClock::new()) as Arc<_>, Settings::default());
    let started = now();
    let engine = Engine::start_with_snapshots(log, opening(), clock, snapshots, |_, _| {})?;
    let took = started.elapsed();
    engine.handle().snapshot().await?;
    drop(engine.shutdown());
    Ok(took)
}

async fn engine(path: &Path) -> Result<(u32, Duration), Box<dyn Error>> {
    let machine = opening();
    let log = Box::new(SqliteLog::open(path)?);
    let engine = Engine::start(log, machine, Arc::new(SystemClock::new()), Settings::default())?;
    let started = now();
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let handle = engine.handle();
        clients.push(tokio::spawn(async move {
            for submission in 0..SUBMISSIONS {
                let commands = (0..TOGETHER).map(|n| transfer(client, submission, n)).collect();
                handle.submit_all(commands).await?;
            }
            Ok::<_, yufu_engine::SubmitError>(())
        }));
    }
    for client in clients {
        client.await??;
    }
    let took = started.elapsed();
    drop(engine.shutdown());
    Ok((CLIENTS.saturating_mul(SUBMISSIONS).saturating_mul(TOGETHER), took))
}

fn transfer(client: u32, submission: u32, number: u32) -> Transfer {
    let seed = client.wrapping_mul(7_919).wrapping_add(submission).wrapping_mul(104_729);
    let seed = seed.wrapping_add(number.wrapping_mul(2_654_435_761));
    let id = u128::from(client) << 64 | u128::from(submission) << 32 | u128::from(number);
    let account = |seed: u32| seed.checked_rem(ACCOUNTS).unwrap_or(0);
    Transfer {
        id,
        from: account(seed),
        to: account(seed.rotate_left(13)),
        amount: 1,
        order: [7; 32],
    }
}

/// The payloads of the log at `written`, appended to another one by one.
fn bare(path: &Path, written: &Path) -> Result<(usize, Duration), Box<dyn Error>> {
    let source = SqliteLog::open_read_only(written)?;
    let records = source.read(yufu_log::Seq::FIRST, usize::MAX)?;
    let mut log = SqliteLog::open(path)?;
    let epoch = log.epoch()?.next();
    let mut head = log.seal(epoch)?;
    let started = now();
    for record in &records {
        match log.append(head, epoch, &record.payload) {
            Appended::Durable(next) => head = next,
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok((records.len(), started.elapsed()))
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[expect(clippy::float_arithmetic, reason = "a measurement")]
fn rate(commands: u32, took: Duration) -> f64 {
    f64::from(commands) / took.as_secs_f64()
}

#[expect(clippy::float_arithmetic, reason = "a measurement")]
fn ratio(yardstick: Duration, measured: Duration) -> f64 {
    yardstick.as_secs_f64() / measured.as_secs_f64()
}
