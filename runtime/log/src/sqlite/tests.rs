//! The SQLite log: the contract, tampering with the file, torn files, refusals on opening.

mod faults;
mod fixtures;

use super::{FORMAT_VERSION, OpenError, SqliteLog};
use crate::contract::{Faults, Part};
use crate::{
    Appended, ChainError, Epoch, Head, Log, LogError, Refusal, SealError, Seq, verify_chain,
};
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct InDirectory(TempDir);

impl crate::contract::Fixture for InDirectory {
    fn open(&self) -> Box<dyn Log> {
        Box::new(SqliteLog::open(&self.0.path().join("log")).unwrap())
    }
}

impl InDirectory {
    fn path(&self) -> PathBuf {
        self.0.path().join("log")
    }
}

impl Faults for InDirectory {
    fn in_doubt(&self, kept: bool) -> Box<dyn Log> {
        let log = SqliteLog::open(&self.path()).unwrap();
        if kept {
            // Reported as failed although it is committed.
            log.connection.wal_hook(Some(|_, _| Err(rusqlite::Error::InvalidQuery)));
        } else {
            log.connection.commit_hook(Some(|| true));
        }
        Box::new(log)
    }

    fn flip(&self, seq: Seq, part: Part) {
        let connection = Connection::open(self.path()).unwrap();
        let (epoch, mut chain, mut payload): (i64, Vec<u8>, Vec<u8>) = connection
            .query_row(
                "SELECT epoch, chain, payload FROM record WHERE seq = ?1",
                [seq.get().cast_signed()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        match part {
            Part::Payload => payload[0] ^= 1,
            Part::Chain => chain[0] ^= 0x80,
            Part::Epoch => {}
        }
        let epoch = if part == Part::Epoch { epoch ^ 2 } else { epoch };
        let sql = "UPDATE record SET epoch = ?2, chain = ?3, payload = ?4 WHERE seq = ?1";
        connection.execute(sql, (seq.get().cast_signed(), epoch, chain, payload)).unwrap();
    }
}

crate::log_contract!(InDirectory(tempfile::tempdir().unwrap()));
crate::log_faults_contract!(InDirectory(tempfile::tempdir().unwrap()));

/// A closed log of `count` records.
fn written(count: u8) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = SqliteLog::open(&path).unwrap();
    log.seal(Epoch::new(1)).unwrap();
    append(&mut log, count);
    (directory, path)
}

fn append(log: &mut SqliteLog, count: u8) -> Head {
    let mut head = log.durable_head().unwrap();
    let epoch = log.epoch().unwrap();
    for number in 0..count {
        let Appended::Durable(next) = log.append(head, epoch, &[number; 100]) else {
            panic!("not durable")
        };
        head = next;
    }
    head
}

fn execute(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn every_way_to_tamper_with_the_file_is_found_and_named() {
    let altered = |seq| ChainError::Altered { seq: Seq::new(seq) };
    let missing = |seq, found| ChainError::Missing { seq: Seq::new(seq), found: Seq::new(found) };
    let table = [
        ("UPDATE record SET payload = x'00' WHERE seq = 4", altered(4)),
        ("UPDATE record SET payload = zeroblob(99) WHERE seq = 1", altered(1)),
        ("UPDATE record SET chain = zeroblob(32) WHERE seq = 7", altered(7)),
        ("UPDATE record SET epoch = 2 WHERE seq = 3", altered(3)),
        ("DELETE FROM record WHERE seq = 5", missing(5, 6)),
        ("DELETE FROM record WHERE seq = 1", missing(1, 2)),
        ("DELETE FROM record WHERE seq BETWEEN 3 AND 8", missing(3, 9)),
        (
            "UPDATE record SET seq = 100 WHERE seq = 5; UPDATE record SET seq = 5 WHERE seq = 6;
             UPDATE record SET seq = 6 WHERE seq = 100",
            altered(5),
        ),
        (
            "DELETE FROM record WHERE seq = 6; UPDATE record SET seq = seq - 1 WHERE seq > 6",
            altered(6),
        ),
        ("INSERT INTO record VALUES (1000, 1, zeroblob(32), x'00')", missing(11, 1000)),
    ];
    for (sql, expected) in table {
        let (_directory, path) = written(10);
        let log = SqliteLog::open(&path).unwrap();
        assert!(verify_chain(&log).is_ok());
        execute(&path, sql);
        assert_eq!(verify_chain(&log), Err(expected), "{sql}");
    }
}

#[test]
fn a_changed_newest_record_is_found_on_opening() {
    for (sql, seq) in [
        ("UPDATE record SET payload = x'00' WHERE seq = 10", 10),
        ("UPDATE record SET chain = zeroblob(32) WHERE seq = 9", 10),
        ("DELETE FROM record WHERE seq > 1; UPDATE record SET payload = x''", 1),
    ] {
        let (_directory, path) = written(10);
        execute(&path, sql);
        let altered = OpenError::Chain(ChainError::Altered { seq: Seq::new(seq) });
        assert_eq!(SqliteLog::open(&path).unwrap_err(), altered, "{sql}");
        assert_eq!(SqliteLog::open_read_only(&path).unwrap_err(), altered, "{sql}");
    }
    let (_directory, path) = written(10);
    execute(&path, "DELETE FROM record WHERE seq = 9");
    let missing = ChainError::Missing { seq: Seq::new(9), found: Seq::new(10) };
    assert_eq!(SqliteLog::open(&path).unwrap_err(), OpenError::Chain(missing));
}

#[test]
fn a_cut_off_end_shows_only_against_a_head_kept_elsewhere() {
    let (_directory, path) = written(10);
    let log = SqliteLog::open(&path).unwrap();
    let kept = log.durable_head().unwrap();
    execute(&path, "DELETE FROM record WHERE seq > 6");
    assert_eq!(verify_chain(&log).unwrap().seq, Seq::new(6));
    let mut after = crate::VerifiedRecords::new(&log, kept);
    assert_eq!(after.next(), Some(Err(ChainError::CutOff { seq: Seq::new(7) })));
    assert_eq!(after.next(), None);
}

#[test]
fn a_malformed_row_is_an_error_and_not_a_record() {
    let (_directory, path) = written(2);
    let log = SqliteLog::open(&path).unwrap();
    let sql =
        "PRAGMA ignore_check_constraints = 1; UPDATE record SET chain = x'0102' WHERE seq = 1";
    execute(&path, sql);
    let malformed = log.read(Seq::FIRST, 1);
    assert!(matches!(malformed, Err(LogError::Malformed(_))), "{malformed:?}");
}

#[test]
fn an_unknown_format_version_is_refused_precisely() {
    let (_directory, path) = written(1);
    execute(&path, "PRAGMA user_version = 3");
    assert_eq!(SqliteLog::open(&path).unwrap_err(), OpenError::Version { found: 3 });
    let error = SqliteLog::open_read_only(&path).unwrap_err();
    assert_eq!(error, OpenError::Version { found: 3 });
    assert_eq!(FORMAT_VERSION, 2);
    assert_eq!(
        error.to_string(),
        "the log is of format version 3, this build knows 1 to 2: use a build that knows version 3"
    );
}

#[test]
fn what_is_no_log_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("other.db");
    execute(&other, "CREATE TABLE t (x)");
    let before = fs::read(&other).unwrap();
    assert_eq!(SqliteLog::open(&other).unwrap_err(), OpenError::NotALog(other.clone()));
    assert_eq!(fs::read(&other).unwrap(), before);
    let text = directory.path().join("text");
    fs::write(&text, "no database, and long enough to be looked at".repeat(40)).unwrap();
    assert!(matches!(SqliteLog::open(&text), Err(OpenError::File { .. })));
    let nowhere = directory.path().join("missing").join("log");
    assert!(matches!(SqliteLog::open(&nowhere), Err(OpenError::File { .. })));
    let absent = directory.path().join("absent");
    assert!(matches!(SqliteLog::open_read_only(&absent), Err(OpenError::File { .. })));
    assert!(!absent.exists());
}

#[test]
fn a_reader_follows_the_writer_and_can_write_nothing() {
    let (_directory, path) = written(3);
    let mut reader = SqliteLog::open_read_only(&path).unwrap();
    let mut writer = SqliteLog::open(&path).unwrap();
    let head = append(&mut writer, 2);
    assert_eq!(verify_chain(&reader), Ok(head));
    let appended = reader.append(head, Epoch::new(1), b"x");
    assert_eq!(appended, Appended::Refused(Refusal::ReadOnly));
    assert_eq!(reader.seal(Epoch::new(2)), Err(SealError::ReadOnly));
    assert_eq!(writer.epoch(), Ok(Epoch::new(1)));
}

#[test]
fn the_settings_that_durability_rests_on_are_in_force() {
    let (_directory, path) = written(1);
    let log = SqliteLog::open(&path).unwrap();
    let pragma = |name| log.connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    let (synchronous, page_size): (i64, i64) = (pragma("synchronous"), pragma("page_size"));
    assert_eq!((synchronous, page_size), (2, 65_536));
    let mode: String =
        log.connection.pragma_query_value(None, "journal_mode", |r| r.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn another_process_at_work_is_waited_for_and_then_named() {
    let (_directory, path) = written(2);
    let mut log = SqliteLog::open(&path).unwrap();
    log.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    let other = Connection::open(&path).unwrap();

    other.execute_batch("BEGIN; SELECT count(*) FROM record").unwrap();
    let head = append(&mut log, 1);
    let held_back = super::file::write_back(&log.connection);
    assert!(matches!(held_back, Err(super::Failure::Doubt(_))), "{held_back:?}");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(super::file::write_back(&log.connection), Ok(()));

    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(log.append(head, Epoch::new(1), b"x"), Appended::Refused(Refusal::Busy));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(append(&mut log, 1).seq, Seq::new(4));
}

/// A crash leaves the WAL as far as it was written. Whatever was acknowledged when the WAL
/// was at most that long must be there, and nothing that does not verify.
#[test]
fn a_wal_torn_anywhere_keeps_what_was_acknowledged_before_the_tear() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let wal = directory.path().join("log-wal");
    let mut log = SqliteLog::open(&path).unwrap();
    log.seal(Epoch::new(1)).unwrap();
    let mut acknowledged = Vec::new();
    for _ in 0..8 {
        let head = append(&mut log, 1);
        acknowledged.push((fs::metadata(&wal).unwrap().len(), head));
    }
    let (length, last) = *acknowledged.last().unwrap();
    let torn = directory.path().join("torn");
    let torn_wal = directory.path().join("torn-wal");
    let mut shortened = 0;
    for cut in (0..=length).step_by(15_013).chain([length]) {
        fs::copy(&path, &torn).unwrap();
        fs::copy(&wal, &torn_wal).unwrap();
        fs::File::options().write(true).open(&torn_wal).unwrap().set_len(cut).unwrap();
        let promised = acknowledged.iter().rev().find(|(at, _)| *at <= cut);
        let promised = promised.map_or(Head::EMPTY, |(_, head)| *head);
        let reopened = SqliteLog::open(&torn).unwrap();
        let found = verify_chain(&reopened).unwrap();
        assert!(found.seq >= promised.seq, "cut at {cut}: {found:?}, promised {promised:?}");
        assert!(found == Head::EMPTY || acknowledged.iter().any(|(_, head)| *head == found));
        shortened += u32::from(found != last);
        drop(reopened);
        fs::remove_file(&torn).unwrap();
    }
    assert!(shortened > 8, "the tears were real");
}
