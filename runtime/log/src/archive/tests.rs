//! Archiving: nothing is lost at any step, and log and archive read as one.

use super::{ArchiveError, WithArchive, archive, name};
use crate::{
    Appended, Epoch, Head, Log, LogError, MemoryLog, PruneError, Seq, SqliteLog, verify_chain,
};
use std::fs;
use tempfile::TempDir;

const EPOCH: Epoch = Epoch::new(1);

/// A log of `count` records, and the head after each, the empty one first.
fn written(log: &mut dyn Log, count: u8) -> Vec<Head> {
    let mut heads = vec![log.seal(EPOCH).unwrap()];
    for number in 0..count {
        let after = *heads.last().unwrap();
        let Appended::Durable(head) = log.append(after, EPOCH, &[number; 50]) else { panic!() };
        heads.push(head);
    }
    heads
}

fn sqlite(directory: &TempDir) -> SqliteLog {
    SqliteLog::open(&directory.path().join("log")).unwrap()
}

#[test]
fn log_and_archive_read_as_one_and_the_numbers_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = sqlite(&directory);
    let heads = written(&mut log, 200);
    let folder = directory.path().join("archive");
    fs::create_dir(&folder).unwrap();
    for up_to in [90, 150] {
        let file = archive(&mut log, EPOCH, heads[up_to], &folder).unwrap().unwrap();
        assert_eq!(verify_chain(&SqliteLog::open_read_only(&file).unwrap()), Ok(heads[up_to]));
        assert_eq!(log.base(), Ok(heads[up_to]));
        let first = heads[up_to].seq.next();
        assert_eq!(log.read(Seq::FIRST, 1), Err(LogError::Pruned { first }));
    }
    let Appended::Durable(newest) = log.append(heads[200], EPOCH, b"more") else { panic!() };
    assert_eq!(newest.seq, Seq::new(201));
    drop(log);
    let reopened = sqlite(&directory);
    assert_eq!(verify_chain(&reopened), Ok(newest));

    let whole = WithArchive::open(&folder, Box::new(reopened)).unwrap();
    assert_eq!(whole.base(), Ok(Head::EMPTY));
    assert_eq!(verify_chain(&whole), Ok(newest));
    let across = whole.read(Seq::new(80), 100).unwrap();
    assert!(across.iter().map(|record| record.seq.get()).eq(80..180));
    assert_eq!(whole.read(Seq::FIRST, 1000).unwrap().len(), 201);
    assert_eq!(whole.read(Seq::new(202), 1).unwrap(), []);
}

#[test]
fn a_crash_before_or_amid_the_pruning_is_completed_by_the_same_call() {
    for pruned in [0, 3] {
        let directory = tempfile::tempdir().unwrap();
        let mut log = sqlite(&directory);
        let heads = written(&mut log, 10);
        // The copy was made, and nothing or a part of it was pruned.
        let file = super::copy(&log, Head::EMPTY, heads[6], directory.path()).unwrap();
        if pruned > 0 {
            log.prune(EPOCH, heads[pruned]).unwrap();
        }
        let again = archive(&mut log, EPOCH, heads[6], directory.path()).unwrap();
        assert_eq!(again, Some(file));
        assert_eq!(log.base(), Ok(heads[6]));
        assert_eq!(archive(&mut log, EPOCH, heads[6], directory.path()), Ok(None));
        let whole = WithArchive::open(directory.path(), Box::new(log)).unwrap();
        assert_eq!(verify_chain(&whole), Ok(heads[10]));
    }
}

#[test]
fn a_copy_that_was_broken_off_or_is_damaged_is_not_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = sqlite(&directory);
    let heads = written(&mut log, 10);
    let path = directory.path().join(name(Seq::FIRST, Seq::new(6)));
    fs::write(path.with_extension("part"), "half a copy").unwrap();
    fs::write(path.with_extension("part-journal"), "of it").unwrap();
    super::copy(&log, Head::EMPTY, heads[6], directory.path()).unwrap();
    assert!(!path.with_extension("part").exists());

    let copy = rusqlite::Connection::open(&path).unwrap();
    copy.execute_batch("UPDATE record SET payload = x'00' WHERE seq = 3").unwrap();
    drop(copy);
    let refused = archive(&mut log, EPOCH, heads[6], directory.path());
    assert!(matches!(refused, Err(ArchiveError::Chain(_))), "{refused:?}");
    assert_eq!(verify_chain(&log), Ok(heads[10]));
    assert_eq!(log.base(), Ok(Head::EMPTY));
}

#[test]
fn archives_that_overlap_are_read_as_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = MemoryLog::new();
    let heads = written(&mut log, 9);
    super::copy(&log, Head::EMPTY, heads[3], directory.path()).unwrap();
    archive(&mut log, EPOCH, heads[5], directory.path()).unwrap().unwrap();
    archive(&mut log, EPOCH, heads[8], directory.path()).unwrap().unwrap();
    let whole = WithArchive::open(directory.path(), Box::new(log)).unwrap();
    assert_eq!(verify_chain(&whole), Ok(heads[9]));
}

#[test]
fn what_the_log_does_not_lead_through_is_not_archived() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = sqlite(&directory);
    let heads = written(&mut log, 4);
    let other = heads[1].extend(EPOCH, b"another past");
    let refused = archive(&mut log, EPOCH, other, directory.path());
    let expected = PruneError::NoSuchHead { seq: Seq::new(2) };
    assert_eq!(refused, Err(expected.into()));
    assert!(!directory.path().join(name(Seq::FIRST, Seq::new(2))).exists());
    let fenced = archive(&mut log, EPOCH.next(), heads[2], directory.path());
    assert_eq!(fenced, Err(PruneError::Fenced(EPOCH).into()));
    assert_eq!(verify_chain(&log), Ok(heads[4]));
}

#[test]
fn a_missing_archive_is_named_and_not_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = sqlite(&directory);
    let heads = written(&mut log, 9);
    let first = archive(&mut log, EPOCH, heads[3], directory.path()).unwrap().unwrap();
    archive(&mut log, EPOCH, heads[6], directory.path()).unwrap().unwrap();
    fs::remove_file(first).unwrap();
    let whole = WithArchive::open(directory.path(), Box::new(log)).unwrap();
    assert_eq!(whole.base(), Ok(heads[3]));
    assert_eq!(whole.read(Seq::FIRST, 1), Err(LogError::Pruned { first: Seq::new(7) }));
    assert_eq!(verify_chain(&whole), Ok(heads[9]));
}
