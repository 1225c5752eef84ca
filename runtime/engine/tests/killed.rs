//! A process killed with SIGKILL in the middle of writing a snapshot leaves the one before, and loses nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use borsh::{BorshDeserialize, BorshSerialize};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{Digest, Snapshot, Stamp, StateMachine};
use yufu_engine::{Engine, Settings, Snapshots, SystemClock, snapshots_in};
use yufu_log::{Log, LogError, SqliteLog};

/// Names the folder to the process that is to be killed, which is this test run once more.
const VICTIM: &str = "YUFU_ENGINE_VICTIM";
const TEST: &str = "a_kill_in_the_middle_of_a_snapshot_is_harmless";

/// Adds, and writes its state down slowly.
#[derive(Clone, Default, BorshSerialize, BorshDeserialize)]
struct Slow(u64);

#[derive(Clone, BorshSerialize, BorshDeserialize)]
struct Add(u64);

impl StateMachine for Slow {
    type Command = Add;
    type Outcome = u64;
    const VERSION: u16 = 1;

    fn apply(&mut self, _: Stamp, Add(number): &Add) -> u64 {
        self.0 = self.0.saturating_add(*number);
        self.0
    }

    fn state_hash(&self) -> Digest {
        Digest::of(&self.0.to_le_bytes())
    }
}

/// As many bytes as a buffer holds, a hundred times.
const PADDING: usize = 1 << 20;

impl Snapshot for Slow {
    fn write_state(&self, writer: &mut dyn Write) -> io::Result<()> {
        writer.write_all(&self.0.to_le_bytes())?;
        for _ in 0..100 {
            writer.write_all(&vec![7; PADDING])?;
            if std::env::var_os(VICTIM).is_some() && self.0 > 3 {
                println!("writing");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    fn read_state(reader: &mut dyn Read) -> io::Result<Self> {
        let mut number = [0; 8];
        reader.read_exact(&mut number)?;
        io::copy(reader, &mut io::sink())?;
        Ok(Self(u64::from_le_bytes(number)))
    }
}

fn start(folder: &Path) -> Engine<Slow> {
    let path = folder.join("log");
    let log = Box::new(SqliteLog::open(&path).unwrap());
    let open = move || -> Result<Box<dyn Log>, LogError> {
        Ok(Box::new(SqliteLog::open_read_only(&path).unwrap()))
    };
    let snapshots = Snapshots::new(snapshots(folder), Arc::new(open));
    let clock = (Arc::new(SystemClock::new()) as Arc<_>, Settings::default());
    Engine::start_with_snapshots(log, Slow::default(), clock, snapshots, |_, _| {}).unwrap()
}

fn snapshots(folder: &Path) -> PathBuf {
    folder.join("snapshots")
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_snapshot_is_harmless() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        return snapshot_until_killed(Path::new(&folder)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", TEST])
        .env(VICTIM, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.filter(|line| line.contains("writing")).nth(4).is_some());
    victim.kill().unwrap();
    victim.wait().unwrap();

    let folder = snapshots(directory.path());
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|one| one.unwrap().path()).collect();
    assert_eq!(left.len(), 2, "one whole, one that was being written: {left:?}");
    let whole = snapshots_in(&folder).unwrap();
    assert_eq!(whole.iter().map(|file| file.seq.get()).collect::<Vec<_>>(), [3]);
    let engine = start(directory.path());
    assert_eq!(
        engine.handle().read(|slow, _| slow.0).await,
        Ok(5),
        "what was acknowledged is there"
    );
    assert_eq!(engine.handle().snapshot().await.unwrap().seq.get(), 5);
    assert!(left.iter().filter(|path| path.exists()).count() == 1, "what was unfinished is gone");
}

async fn snapshot_until_killed(folder: &Path) {
    let engine = start(folder);
    let handle = engine.handle();
    println!();
    for _ in 0..3 {
        handle.submit(Add(1)).await.unwrap();
    }
    handle.snapshot().await.unwrap();
    for _ in 0..2 {
        handle.submit(Add(1)).await.unwrap();
    }
    drop(handle.snapshot().await);
}
