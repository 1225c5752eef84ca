//! Snapshots: what a start from one comes to, which are used, and what is done about the others.

use super::{Add, Counter, RAISE, manual_clock, start, total};
use crate::{
    Engine, MakeError, Replay, ReplayError, Retirement, Settings, SnapshotError, Snapshots,
    StartError, decode_batch, load_snapshot, snapshots_in,
};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use yufu_base::StateMachine;
use yufu_log::{Appended, ChainError, Epoch, Head, Log, LogError, MemoryLog, Seq, WithArchive};

fn snapshots(log: &MemoryLog, folder: &Path, every_records: u64) -> Snapshots {
    let log = log.clone();
    let open = move || Ok(Box::new(log.clone()) as Box<dyn Log>);
    Snapshots { every_records, ..Snapshots::new(folder.to_owned(), Arc::new(open)) }
}

fn try_start(log: &MemoryLog, snapshots: Snapshots) -> Result<(Engine<Counter>, u64), StartError> {
    let mut replayed = 0;
    let engine = Engine::start_with_snapshots(
        Box::new(log.clone()),
        Counter::default(),
        (Arc::new(manual_clock()), Settings::default()),
        snapshots,
        |_, _| replayed = u64::saturating_add(replayed, 1),
    )?;
    Ok((engine, replayed))
}

/// Starts; with how many records were replayed.
fn start_from(log: &MemoryLog, folder: &Path) -> (Engine<Counter>, u64) {
    try_start(log, snapshots(log, folder, u64::MAX)).unwrap()
}

fn seqs(folder: &Path) -> Vec<u64> {
    snapshots_in(folder).unwrap().iter().map(|file| file.seq.get()).collect()
}

/// A log of eight records with a snapshot after the third, the fifth and the eighth, of which two are kept.
async fn written() -> (MemoryLog, TempDir) {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    let (engine, _) = start_from(&log, folder.path());
    let handle = engine.handle();
    for number in 1..=8 {
        handle.submit(Add(number)).await.unwrap();
        if [3, 5, 8].contains(&number) {
            assert_eq!(handle.snapshot().await.unwrap().seq, Seq::new(number));
        }
    }
    assert_eq!(seqs(folder.path()), [8, 5], "older ones are removed");
    (log, folder)
}

fn newest(folder: &Path) -> PathBuf {
    snapshots_in(folder).unwrap().remove(0).path
}

#[tokio::test]
async fn a_start_replays_only_what_follows_the_newest_snapshot() {
    let (log, folder) = written().await;
    let (engine, replayed) = start_from(&log, folder.path());
    assert_eq!((total(&engine.handle()), replayed), (36, 0));
    engine.handle().submit(Add(1)).await.unwrap();
    drop(engine.shutdown());
    let (engine, replayed) = start_from(&log, folder.path());
    assert_eq!((total(&engine.handle()), replayed), (37, 1));
    assert_eq!(total(&start(log).handle()), 37, "as without snapshots");
}

#[tokio::test]
async fn a_damaged_snapshot_is_not_used_and_the_one_before_or_the_whole_log_is() {
    let (log, folder) = written().await;
    let path = newest(folder.path());
    let good = fs::read(&path).unwrap();
    for length in [0, 9, 40, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        let (engine, replayed) = start_from(&log, folder.path());
        assert_eq!((total(&engine.handle()), replayed), (36, 3), "cut to {length} bytes");
    }
    for file in snapshots_in(folder.path()).unwrap() {
        fs::write(file.path, b"rubbish").unwrap();
    }
    let (engine, replayed) = start_from(&log, folder.path());
    assert_eq!((total(&engine.handle()), replayed), (36, 8));
}

#[tokio::test]
async fn every_flipped_bit_is_found() {
    let (log, folder) = written().await;
    let path = newest(folder.path());
    let good = fs::read(&path).unwrap();
    assert_eq!(load_snapshot::<Counter>(&path).unwrap().head(), log.durable_head().unwrap());
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 1 << (byte % 8);
        fs::write(&path, &bad).unwrap();
        let error = load_snapshot::<Counter>(&path).unwrap_err();
        let expected = match byte {
            0..8 => error == SnapshotError::NotASnapshot,
            8..10 => matches!(error, SnapshotError::Format { .. }),
            _ => error == SnapshotError::Damaged,
        };
        assert!(expected, "byte {byte}: {error:?}");
    }
}

/// Writes the checksum anew over what was changed.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(32));
    let mut hasher = blake3::Hasher::new_derive_key("yufu.snapshot.v1");
    hasher.update(&bytes);
    bytes.extend(hasher.finalize().as_bytes());
    bytes
}

#[tokio::test]
async fn a_state_that_reads_as_another_one_or_under_newer_rules_is_not_used() {
    let (log, folder) = written().await;
    let path = newest(folder.path());
    let good = fs::read(&path).unwrap();
    // After magic and format: number, chain value, stamp, machine version.
    let version = 10 + 8 + 32 + 8;
    let mut newer = good.clone();
    newer[version] = 9;
    fs::write(&path, resealed(newer)).unwrap();
    let error = load_snapshot::<Counter>(&path).unwrap_err();
    assert_eq!(error, SnapshotError::MachineVersion { found: 9, known: 3 });
    let mut other_root = good.clone();
    other_root[version + 2] ^= 1;
    fs::write(&path, resealed(other_root)).unwrap();
    assert_eq!(load_snapshot::<Counter>(&path).unwrap_err(), SnapshotError::Root);
    let (engine, replayed) = start_from(&log, folder.path());
    assert_eq!((total(&engine.handle()), replayed), (36, 3));
}

#[tokio::test]
async fn a_log_that_does_not_lead_through_the_newest_snapshot_is_refused() {
    let (log, folder) = written().await;
    let cut_off = MemoryLog::new();
    let mut writer = cut_off.clone();
    let epoch = Epoch::new(1);
    let mut head = writer.seal(epoch).unwrap();
    for record in log.read(Seq::FIRST, 7).unwrap() {
        let Appended::Durable(next) = writer.append(head, epoch, &record.payload) else {
            panic!("refused")
        };
        head = next;
    }
    let refused = |log: &MemoryLog| {
        let error = try_start(log, snapshots(log, folder.path(), u64::MAX)).err().unwrap();
        let StartError::Snapshot { path, source } = error else { panic!("{error:?}") };
        assert_eq!(source, SnapshotError::NotOfThisLog { seq: Seq::new(8) });
        assert_eq!(path, newest(folder.path()));
    };
    refused(&cut_off);
    let rewritten = MemoryLog::new();
    let other = start(rewritten.clone());
    for _ in 0..9 {
        other.handle().submit(Add(1)).await.unwrap();
    }
    refused(&rewritten);
}

#[tokio::test]
async fn what_a_crash_left_unfinished_is_removed_and_never_used() {
    let (log, folder) = written().await;
    let unfinished = folder.path().join("00000000000000000009.unfinished");
    fs::write(&unfinished, b"YUFUSNAP").unwrap();
    let (engine, _) = start_from(&log, folder.path());
    assert_eq!(total(&engine.handle()), 36);
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn an_engine_without_a_folder_or_a_record_says_that_it_makes_none() {
    let engine = start(MemoryLog::new());
    assert_eq!(engine.handle().snapshot().await, Err(MakeError::NoFolder));
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    let (engine, _) = start_from(&log, folder.path());
    let handle = engine.handle();
    assert_eq!(handle.snapshot().await, Err(MakeError::Empty));
    handle.submit(Add(1)).await.unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    fs::write(folder.path(), b"in the way").unwrap();
    let failed = handle.snapshot().await;
    assert!(matches!(failed, Err(MakeError::Snapshot(SnapshotError::File(_)))), "{failed:?}");
    assert_eq!(handle.submit(Add(1)).await.unwrap().outcome, Some(2), "and goes on");
    fs::remove_file(folder.path()).unwrap();
    drop(engine.shutdown());
    assert_eq!(handle.snapshot().await, Err(MakeError::Stopped));
}

#[tokio::test]
async fn they_are_made_by_themselves_and_their_checkpoints_stand_in_the_log() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    let (engine, _) = try_start(&log, snapshots(&log, folder.path(), 5)).unwrap();
    let handle = engine.handle();
    let mut made = 0;
    for number in 0..400 {
        handle.submit(if number == 7 { RAISE } else { Add(1) }).await.unwrap();
        tokio::time::sleep(Duration::from_micros(500)).await;
        made = seqs(folder.path()).len();
        if made == 2 && number > 30 {
            break;
        }
    }
    assert_eq!(made, 2, "two are kept");
    drop(engine.shutdown());
    let headers: Vec<_> = log
        .read(Seq::FIRST, 1_000)
        .unwrap()
        .iter()
        .map(|record| (record.seq, decode_batch::<Counter>(&record.payload).unwrap().header))
        .collect();
    let marks: Vec<Seq> = headers.iter().filter(|(_, h)| h.marked).map(|(seq, _)| *seq).collect();
    let checkpoints: Vec<_> = headers.iter().filter_map(|(_, h)| h.checkpoint).collect();
    assert_eq!(marks[0], Seq::new(5));
    assert!(!checkpoints.is_empty());
    assert!(checkpoints.iter().zip(&marks).all(|(checkpoint, mark)| checkpoint.seq == *mark));
    // A whole replay meets every one of them.
    let mut whole = Replay::new(Counter::default());
    whole.catch_up(&log).unwrap();
    let (engine, _) = start_from(&log, folder.path());
    let hash = engine.handle().read_unconfirmed(|counter, _| counter.state_hash());
    assert_eq!(whole.machine().state_hash(), hash);
    assert_eq!(whole.checkpoint(), checkpoints.last().copied());
    assert_eq!(engine.handle().checkpoint(), whole.checkpoint(), "also from a snapshot");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn from_any_snapshot_a_start_comes_to_what_a_whole_replay_does(
        records in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![0..1000u64, Just(RAISE.0)], 1..4), 1..20),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let log = MemoryLog::new();
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let picks: Vec<usize> = picks.into_iter().map(|pick| pick.index(records.len())).collect();
        runtime.block_on(async {
            let mut settings = snapshots(&log, folder.path(), u64::MAX);
            settings.keep = std::num::NonZeroUsize::MAX;
            let (engine, _) = try_start(&log, settings).unwrap();
            let handle = engine.handle();
            for (number, numbers) in records.into_iter().enumerate() {
                handle.submit_all(numbers.into_iter().map(Add).collect()).await.unwrap();
                if picks.contains(&number) {
                    handle.snapshot().await.unwrap();
                }
            }
            drop(engine.shutdown());
        });
        let mut whole = Replay::new(Counter::default());
        whole.catch_up(&log).unwrap();
        for file in snapshots_in(folder.path()).unwrap() {
            let mut replay = load_snapshot::<Counter>(&file.path).unwrap();
            prop_assert_eq!(replay.head().seq, file.seq);
            replay.catch_up(&log).unwrap();
            prop_assert_eq!(replay.machine(), whole.machine());
            prop_assert_eq!(replay.head(), whole.head());
            prop_assert_eq!(replay.outcomes(), whole.outcomes());
        }
        prop_assert!(whole.head() != Head::EMPTY);
    }
}

/// Starts with a policy for old records, of which readers need those after `read_to`.
fn start_retiring(log: &MemoryLog, folder: &Path, read_to: u64) -> Engine<Counter> {
    let from = log.clone();
    let retirement = Retirement {
        open: Arc::new(move || Ok(Box::new(from.clone()) as Box<dyn Log>)),
        archive: Some(folder.join("archive")),
        read_to: Arc::new(move || Seq::new(read_to)),
    };
    fs::create_dir_all(folder.join("archive")).unwrap();
    let snapshots = snapshots(log, &folder.join("snapshots"), u64::MAX);
    try_start(log, Snapshots { retirement: Some(retirement), ..snapshots }).unwrap().0
}

/// Adds each number up to `last`, with a snapshot after every fourth; stops when what is due is done.
async fn add_and_stop(engine: Engine<Counter>, numbers: std::ops::RangeInclusive<u64>) {
    let handle = engine.handle();
    for number in numbers {
        handle.submit(Add(number)).await.unwrap();
        if number % 4 == 0 {
            handle.snapshot().await.unwrap();
        }
    }
    drop(engine.shutdown());
}

#[tokio::test]
async fn records_that_all_kept_snapshots_are_past_are_archived_and_a_start_goes_on_without_them() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    add_and_stop(start_retiring(&log, folder.path(), u64::MAX), 1..=14).await;
    assert_eq!(seqs(&folder.path().join("snapshots")), [12, 8]);
    assert_eq!(log.base().unwrap().seq, Seq::new(8));
    let whole = WithArchive::open(&folder.path().join("archive"), Box::new(log.clone())).unwrap();
    let mut replay = Replay::new(Counter::default());
    replay.catch_up(&whole).unwrap();
    assert_eq!((replay.head().seq, replay.machine().total), (Seq::new(14), 105));

    add_and_stop(start_retiring(&log, folder.path(), u64::MAX), 15..=16).await;
    assert_eq!(log.base().unwrap().seq, Seq::new(12));
    // The older of two snapshots is enough.
    fs::write(newest(&folder.path().join("snapshots")), b"rubbish").unwrap();
    let engine = start_retiring(&log, folder.path(), u64::MAX);
    assert_eq!(total(&engine.handle()), 136);
}

#[tokio::test]
async fn nothing_is_taken_out_that_a_reader_or_a_snapshot_may_need() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    add_and_stop(start_retiring(&log, folder.path(), u64::MAX), 1..=4).await;
    assert_eq!(log.base().unwrap(), Head::EMPTY, "one snapshot alone is not relied on");
    add_and_stop(start_retiring(&log, folder.path(), 3), 5..=12).await;
    assert_eq!(log.base().unwrap().seq, Seq::new(3), "a reader has come to the third record");
    fs::write(newest(&folder.path().join("snapshots")), b"rubbish").unwrap();
    add_and_stop(start_retiring(&log, folder.path(), u64::MAX), 13..=16).await;
    assert_eq!(log.base().unwrap().seq, Seq::new(3), "a damaged snapshot does not count");
}

#[tokio::test]
async fn a_log_without_its_old_records_needs_a_snapshot_and_says_so() {
    let (log, folder) = (MemoryLog::new(), tempfile::tempdir().unwrap());
    add_and_stop(start_retiring(&log, folder.path(), u64::MAX), 1..=12).await;
    for file in snapshots_in(&folder.path().join("snapshots")).unwrap() {
        fs::remove_file(file.path).unwrap();
    }
    let error = try_start(&log, snapshots(&log, folder.path(), u64::MAX)).err().unwrap();
    let first = Seq::new(9);
    assert!(
        matches!(&error, StartError::Replay(ReplayError::Chain(ChainError::Log(found)))
            if *found == LogError::Pruned { first }),
        "{error:?}"
    );
}
