//! A process killed with SIGKILL in the middle of appending loses nothing it acknowledged.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use yufu_log::{Appended, Head, Log, Seq, SqliteLog, verify_chain};

/// Names the log to the process that is to be killed, which is this test run once more.
const VICTIM: &str = "YUFU_LOG_VICTIM";

type Failure = Box<dyn std::error::Error>;

#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    if let Some(path) = std::env::var_os(VICTIM) {
        return append_until_killed(Path::new(&path)).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut before = Head::EMPTY;
    for round in 1..=3 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "a_killed_writer_loses_nothing_it_acknowledged"])
            .env(VICTIM, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let acknowledged =
            |line: std::io::Result<String>| line.ok()?.strip_prefix("at ")?.parse().ok();
        let mut last: u64 = lines.by_ref().filter_map(acknowledged).nth(20 * round).unwrap();
        victim.kill().unwrap();
        // What it still said before it died counts too.
        last = lines.filter_map(acknowledged).last().unwrap_or(last);
        victim.wait().unwrap();

        let log = SqliteLog::open(&path).unwrap();
        let head = verify_chain(&log).unwrap();
        assert!(head.seq >= Seq::new(last), "{head:?}, but {last} was acknowledged");
        assert!(head.seq > before.seq);
        before = head;
    }
}

fn append_until_killed(path: &Path) -> Result<(), Failure> {
    let mut log = SqliteLog::open(path)?;
    let epoch = log.epoch()?.next();
    let mut head = log.seal(epoch)?;
    println!();
    while let Appended::Durable(next) = log.append(head, epoch, &[7; 5000]) {
        head = next;
        println!("at {}", head.seq);
    }
    Err("an append was not durable".into())
}
