//! A disk that fails or fills beneath a real writer: system calls that strace makes fail. What was
//! acknowledged is there, what was refused is not, and a failure ends the writing.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use yufu_log::{Appended, Head, Log, Refusal, Seq, SqliteLog, verify_chain};

/// Names the log to the process beneath which the disk fails, which is this test run once more.
const VICTIM: &str = "YUFU_LOG_VICTIM";

type Failure = Box<dyn std::error::Error>;

/// What a writer had to say for itself.
struct Told {
    log: PathBuf,
    /// Each append's end, in order.
    ends: Vec<String>,
    /// The newest record it acknowledged.
    acknowledged: u64,
    _directory: tempfile::TempDir,
}

/// Runs the writer of `test` under strace, with a fault for the file that ends in `file`.
fn run(test: &str, file: &str, fault: &str) -> Told {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    // The file has to be there for strace to know it: an empty log, closed again.
    drop(SqliteLog::open(&log).unwrap());
    let mut traced = log.clone().into_os_string();
    traced.push(file);
    let kept_open = SqliteLog::open(&log).unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={fault}"), "-P"]);
    strace.arg(&traced).arg(std::env::current_exe().unwrap());
    strace.args(["--exact", "--nocapture", test]).env(VICTIM, &log);
    let mut victim = strace.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ends: Vec<String> =
        lines.filter_map(|line| Some(line.strip_prefix("end ")?.to_owned())).collect();
    assert!(victim.wait().unwrap().success(), "{ends:?}");
    drop(kept_open);
    let at = |end: &String| end.strip_prefix("at ")?.parse().ok();
    let acknowledged = ends.iter().filter_map(at).next_back().unwrap_or(0);
    Told { log, ends, acknowledged, _directory: directory }
}

impl Told {
    fn count(&self, end: &str) -> usize {
        self.ends.iter().filter(|found| *found == end).count()
    }

    /// The head that the next start finds.
    fn found(&self) -> Head {
        verify_chain(&SqliteLog::open(&self.log).unwrap()).unwrap()
    }
}

/// Appends whatever comes, and tells each end.
fn append_under_faults(path: &Path, payload: usize, appends: u32) -> Result<(), Failure> {
    let mut log = SqliteLog::open(path)?;
    let epoch = log.epoch()?.next();
    let mut head = log.seal(epoch)?;
    println!();
    for _ in 0..appends {
        let end = match log.append(head, epoch, &vec![7; payload]) {
            Appended::Durable(next) => {
                head = next;
                format!("at {}", head.seq)
            }
            Appended::Refused(Refusal::Full) => {
                if log.durable_head()? != head {
                    return Err("a full disk changed what is read".into());
                }
                "full".to_owned()
            }
            Appended::Refused(Refusal::Unusable) => {
                if log.read(Seq::FIRST, 1).is_ok() || log.durable_head().is_ok() {
                    return Err("a writer in doubt told what it read".into());
                }
                "unusable".to_owned()
            }
            Appended::Unknown(_) => "unknown".to_owned(),
            other => return Err(format!("{other:?}").into()),
        };
        println!("end {end}");
    }
    Ok(())
}

fn victim() -> Option<PathBuf> {
    std::env::var_os(VICTIM).map(PathBuf::from)
}

#[test]
fn a_sync_that_fails_is_in_doubt_and_ends_the_writing() {
    if let Some(log) = victim() {
        return append_under_faults(&log, 5_000, 30).unwrap();
    }
    let test = "a_sync_that_fails_is_in_doubt_and_ends_the_writing";
    let told = run(test, "-wal", "fsync,fdatasync:error=EIO:when=12");
    assert_eq!(told.count("unknown"), 1, "{:?}", told.ends);
    assert!(told.acknowledged >= 5, "{:?}", told.ends);
    // Although only one sync failed: what the disk lost cannot be told by trying again.
    assert_eq!(told.count("unusable"), 29 - usize::try_from(told.acknowledged).unwrap());
    let found = told.found().seq.get();
    assert!(found == told.acknowledged || found == told.acknowledged + 1, "{found}");
}

#[test]
fn a_write_that_fails_is_in_doubt_and_ends_the_writing() {
    if let Some(log) = victim() {
        return append_under_faults(&log, 5_000, 30).unwrap();
    }
    let test = "a_write_that_fails_is_in_doubt_and_ends_the_writing";
    let told = run(test, "-wal", "pwrite64:error=EIO:when=40");
    assert_eq!(told.count("unknown"), 1, "{:?}", told.ends);
    assert!(told.acknowledged > 0 && told.count("unusable") > 0, "{:?}", told.ends);
    assert_eq!(told.found().seq.get(), told.acknowledged);
}

#[test]
fn a_full_disk_writes_nothing_and_the_same_writer_goes_on() {
    if let Some(log) = victim() {
        return append_under_faults(&log, 200_000, 30).unwrap();
    }
    let test = "a_full_disk_writes_nothing_and_the_same_writer_goes_on";
    // Wherever in a record's frames the space ends: in the first, in the middle, in the last.
    for first in [31, 34, 37, 40] {
        let fault = format!("pwrite64:error=ENOSPC:when={first}..{}", first + 5);
        let told = run(test, "-wal", &fault);
        let full = told.count("full");
        assert!((1..=6).contains(&full), "{:?}", told.ends);
        assert_eq!(told.acknowledged, 30 - u64::try_from(full).unwrap(), "{:?}", told.ends);
        assert_eq!(told.ends.last().unwrap(), &format!("at {}", told.acknowledged));
        assert_eq!(told.found().seq.get(), told.acknowledged, "nothing refused came back");
    }
}

#[test]
fn a_failure_while_writing_back_ends_the_writing_and_loses_nothing() {
    if let Some(log) = victim() {
        return append_under_faults(&log, 8 << 20, 12).unwrap();
    }
    let test = "a_failure_while_writing_back_ends_the_writing_and_loses_nothing";
    let told = run(test, "", "fsync,fdatasync:error=EIO:when=1+");
    assert_eq!(told.count("unknown"), 0, "every append was durable before: {:?}", told.ends);
    assert!(told.acknowledged > 0 && told.count("unusable") > 0, "{:?}", told.ends);
    assert_eq!(told.found().seq.get(), told.acknowledged);
}
