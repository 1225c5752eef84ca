//! Logs that were written long ago, opened on every run: whole, flipped, cut off.

use super::{FORMAT_VERSION, OpenError, SqliteLog};
use crate::{Appended, ChainError, Epoch, Head, Log, LogError, Seq, verify_chain};
use std::io::Read;
use std::path::PathBuf;
use tempfile::TempDir;

/// A fixture, unpacked into a file that may be written.
fn unpacked(name: &str) -> (TempDir, PathBuf) {
    let packed = format!("{}/fixtures/{name}.sqlite.gz", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(packed).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

/// The head of the twelve records of format 1, as the build that wrote them told it.
fn head() -> Head {
    let chain = "a60582cc6096872d292eae92962e343a44885227d608a35aa333289be2308af4";
    Head { seq: Seq::new(12), chain: yufu_base::Digest::from_hex(chain).unwrap() }
}

#[test]
fn a_log_of_format_1_is_read_written_pruned_and_read_again() {
    let (_directory, path) = unpacked("format-1");
    assert_eq!(verify_chain(&SqliteLog::open_read_only(&path).unwrap()), Ok(head()));
    let mut log = SqliteLog::open(&path).unwrap();
    assert_eq!(log.epoch(), Ok(Epoch::new(3)));
    let record = log.read(Seq::new(7), 1).unwrap().remove(0);
    assert_eq!((record.epoch, record.payload), (Epoch::new(1), vec![7; 700]));
    let Appended::Durable(next) = log.append(head(), Epoch::new(3), b"by a later build") else {
        panic!("not durable")
    };
    assert_eq!(verify_chain(&log), Ok(next));
    let version = |log: &SqliteLog| -> i64 {
        log.connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    assert_eq!(version(&log), 1, "until it is pruned, the former build can read it");
    let reader = SqliteLog::open_read_only(&path).unwrap();
    log.prune(Epoch::new(3), head()).unwrap();
    assert_eq!(version(&log), FORMAT_VERSION);
    assert_eq!(reader.read(Seq::new(2), 1), Err(LogError::Pruned { first: Seq::new(13) }));
    drop(log);
    assert_eq!(verify_chain(&SqliteLog::open(&path).unwrap()), Ok(next));
}

#[test]
fn a_flipped_bit_in_an_old_log_is_named() {
    let (_directory, path) = unpacked("format-1-flipped");
    let altered = ChainError::Altered { seq: Seq::new(5) };
    assert_eq!(verify_chain(&SqliteLog::open(&path).unwrap()), Err(altered));
    let (_directory, path) = unpacked("format-1-flipped-newest");
    let altered = OpenError::Chain(ChainError::Altered { seq: Seq::new(12) });
    assert_eq!(SqliteLog::open(&path).unwrap_err(), altered);
    assert_eq!(SqliteLog::open_read_only(&path).unwrap_err(), altered);
}

#[test]
fn an_old_log_whose_file_was_cut_off_is_refused_or_does_not_verify() {
    let (_directory, path) = unpacked("format-1-truncated");
    let found = SqliteLog::open(&path).map(|log| verify_chain(&log));
    assert!(!matches!(found, Ok(Ok(_))), "{found:?}");
}
