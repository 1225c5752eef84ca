//! Disks that are full or fail, a second process, the database's settings.

use super::{InDirectory, append, written};
use crate::contract::{Faults, Fixture};
use crate::{Appended, Epoch, Head, Log, LogError, OpenError, Refusal, SqliteLog, verify_chain};
use std::fs;
use std::path::Path;
use std::process::Command;

const EPOCH: Epoch = Epoch::new(1);

#[test]
fn after_an_append_in_doubt_the_writer_tells_nothing() {
    let fixture = InDirectory(tempfile::tempdir().unwrap());
    fixture.open().seal(EPOCH).unwrap();
    let mut log = fixture.in_doubt(false);
    assert!(matches!(log.append(Head::EMPTY, EPOCH, b"x"), Appended::Unknown(_)));
    assert_eq!(log.read(crate::Seq::FIRST, 1), Err(LogError::Unusable));
    assert_eq!(log.durable_head(), Err(LogError::Unusable));
    assert_eq!(log.epoch(), Err(LogError::Unusable));
    assert_eq!(log.base(), Err(LogError::Unusable));
}

#[test]
fn a_second_process_is_refused_and_told_whom_to_stop() {
    let (_directory, path) = written(2);
    let first = SqliteLog::open_alone(&path).unwrap();
    let refused = SqliteLog::open_alone(&path).unwrap_err();
    let process = Some(std::process::id());
    assert_eq!(refused, OpenError::InUse { path: path.clone(), process });
    let text = format!("number {}", std::process::id());
    assert!(refused.to_string().contains(&text), "{refused}");
    assert!(SqliteLog::open_read_only(&path).is_ok(), "an audit is not held up");
    drop(first);
    SqliteLog::open_alone(&path).unwrap();
}

/// Fills the log to the brim, makes space, and goes on.
fn fill_and_go_on(path: &Path, full: impl Fn(&SqliteLog, bool)) {
    let mut log = SqliteLog::open_alone(path).unwrap();
    let mut head = log.seal(EPOCH).unwrap();
    full(&log, true);
    let refused = loop {
        match log.append(head, EPOCH, &[7; 300_000]) {
            Appended::Durable(next) => head = next,
            other => break other,
        }
    };
    assert_eq!(refused, Appended::Refused(Refusal::Full));
    for _ in 0..3 {
        assert_eq!(log.append(head, EPOCH, &[7; 300_000]), Appended::Refused(Refusal::Full));
        assert_eq!(log.durable_head(), Ok(head), "reading goes on");
        assert_eq!(verify_chain(&log), Ok(head));
    }
    full(&log, false);
    let Appended::Durable(next) = log.append(head, EPOCH, &[8; 300_000]) else {
        panic!("there is space again")
    };
    assert_eq!(verify_chain(&log), Ok(next));
    drop(log);
    let reopened = SqliteLog::open_alone(path).unwrap();
    assert_eq!(verify_chain(&reopened), Ok(next), "nothing refused came back");
}

#[test]
fn a_full_store_refuses_keeps_reading_and_goes_on_when_there_is_space() {
    let directory = tempfile::tempdir().unwrap();
    fill_and_go_on(&directory.path().join("log"), |log, full| {
        let pages = if full { 40 } else { 1_000_000 };
        log.connection.execute_batch(&format!("PRAGMA max_page_count = {pages}")).unwrap();
    });
}

/// A small file system in memory, if this process may mount one.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=16m", "yufu-test"]).arg(at);
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(at))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

/// Where mounting is not permitted (not root, a container without the right), the test above
/// stands alone.
#[test]
fn a_full_disk_refuses_keeps_reading_and_goes_on_when_there_is_space() {
    let directory = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(directory.path()) else { return };
    let ballast = small.0.join("ballast");
    fs::write(&ballast, vec![0; 10 << 20]).unwrap();
    let path = small.0.join("log");
    fill_and_go_on(&path, |_, full| {
        if !full {
            assert_eq!(SqliteLog::open(&path).unwrap_err(), OpenError::Full(path.clone()));
            fs::remove_file(&ballast).unwrap();
        }
    });
}

#[test]
fn the_log_is_written_back_in_time_and_the_wal_stays_small() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = SqliteLog::open(&path).unwrap();
    let mut head = log.seal(EPOCH).unwrap();
    for _ in 0..12 {
        let Appended::Durable(next) = log.append(head, EPOCH, &vec![1; 16 << 20]) else {
            panic!("not durable")
        };
        head = next;
    }
    let wal = fs::metadata(directory.path().join("log-wal")).unwrap().len();
    assert!(wal < 120 << 20, "{wal} bytes");
    assert!(fs::metadata(&path).unwrap().len() > 64 << 20);
    assert_eq!(append(&mut log, 1).seq.get(), 13);
}
