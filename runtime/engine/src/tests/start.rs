//! Starting: replay and every reason not to.

use super::{Add, Counter, manual_clock, start, start_time};
use crate::batch::encode_batch;
use crate::{
    BatchError, Engine, Replay, ReplayError, Settings, SettingsError, StartError, outcomes_digest,
};
use std::sync::Arc;
use yufu_base::{Digest, Stamp, StateMachine, Timestamp};
use yufu_log::{Appended, Epoch, Head, Log, MemoryLog, Seq, SqliteLog, VerifiedRecords};

fn refused(log: &MemoryLog) -> StartError {
    let before = log.epoch().unwrap();
    let started = Engine::start(
        Box::new(log.clone()),
        Counter::default(),
        Arc::new(manual_clock()),
        Settings::default(),
    );
    assert_eq!(log.epoch().unwrap(), before, "a log that does not replay keeps its writer");
    started.err().unwrap()
}

/// A log of hand-made batches: version, stamp in seconds, outcomes before, numbers.
fn log_of(batches: &[(u16, u64, Digest, &[u64])]) -> MemoryLog {
    let mut log = MemoryLog::new();
    let epoch = Epoch::new(1);
    let mut head = log.seal(epoch).unwrap();
    for &(version, at, previous, numbers) in batches {
        let encoded: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        let count = u32::try_from(numbers.len()).unwrap();
        let stamp = Stamp { at: Timestamp::from_seconds(at) };
        let payload = encode_batch(version, stamp, previous, count, &encoded);
        let Appended::Durable(next) = log.append(head, epoch, &payload) else { panic!("refused") };
        head = next;
    }
    log
}

#[tokio::test]
async fn replay_gives_the_same_state_in_memory_and_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let memory = MemoryLog::new();
    let open: [&dyn Fn() -> Box<dyn Log>; 2] =
        [&|| Box::new(memory.clone()), &|| Box::new(SqliteLog::open(&path).unwrap())];
    let mut ends = Vec::new();
    for open in open {
        let machine = Counter::default();
        let engine =
            Engine::start(open(), machine, Arc::new(manual_clock()), Settings::default()).unwrap();
        let handle = engine.handle();
        for number in 0..40 {
            handle.submit(Add(number)).await.unwrap();
        }
        let state = handle.read(|counter, _| counter.state_hash());
        let head = handle.head();
        drop(engine.shutdown());
        let mut replay = Replay::new(Counter::default());
        replay.catch_up(open().as_ref()).unwrap();
        assert_eq!((replay.machine().state_hash(), replay.head()), (state, head));
        ends.push((state, head));
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0].1.seq, Seq::new(40));
}

#[tokio::test]
async fn an_auditor_sees_every_command_with_its_outcome() {
    let log = MemoryLog::new();
    let engine = start(log.clone());
    let handle = engine.handle();
    handle.submit_all(vec![Add(1), Add(2)]).await.unwrap();
    handle.submit(Add(u64::MAX - 2)).await.unwrap();
    let mut replay = Replay::new(Counter::default());
    let mut seen = Vec::new();
    for record in VerifiedRecords::new(&log, Head::EMPTY) {
        let replayed = replay.apply(&record.unwrap()).unwrap();
        assert_eq!(replayed.batch.stamp.at, start_time());
        seen.extend(replayed.batch.commands.into_iter().zip(replayed.outcomes));
    }
    let expected = [(Add(1), Some(1)), (Add(2), Some(3)), (Add(u64::MAX - 2), None)];
    assert_eq!(seen, expected);
    assert_eq!(replay.outcomes(), outcomes_digest(&[None::<u64>]));
}

#[test]
fn a_record_that_commits_to_other_outcomes_is_refused() {
    let honest = outcomes_digest(&[Some(5_u64)]);
    let good = log_of(&[(3, 1, Digest::ZERO, &[5]), (3, 1, honest, &[6])]);
    assert_eq!(start(good).handle().read(|c, _| c.total), 11);
    let forged = outcomes_digest(&[Some(6_u64)]);
    let bad = log_of(&[(3, 1, Digest::ZERO, &[5]), (3, 1, forged, &[6])]);
    let StartError::Replay(error) = refused(&bad) else { panic!("another error") };
    assert_eq!(error, ReplayError::Outcomes { seq: Seq::FIRST, by: Seq::new(2) });
    let first = log_of(&[(3, 1, honest, &[5])]);
    let StartError::Replay(error) = refused(&first) else { panic!("another error") };
    assert_eq!(error, ReplayError::Outcomes { seq: Seq::ZERO, by: Seq::FIRST });
}

#[test]
fn another_machine_version_is_refused_by_record() {
    let log =
        log_of(&[(3, 1, Digest::ZERO, &[]), (4, 1, outcomes_digest::<Option<u64>>(&[]), &[])]);
    let StartError::Replay(error) = refused(&log) else { panic!("another error") };
    let source = BatchError::MachineVersion { found: 4, known: 3 };
    assert_eq!(error, ReplayError::Batch { seq: Seq::new(2), source });
}

#[test]
fn a_stamp_before_the_last_is_refused() {
    let empty = outcomes_digest::<Option<u64>>(&[]);
    let log = log_of(&[(3, 9, Digest::ZERO, &[]), (3, 8, empty, &[])]);
    let StartError::Replay(error) = refused(&log) else { panic!("another error") };
    assert_eq!(error, ReplayError::StampDecreased { seq: Seq::new(2) });
}

#[test]
fn a_payload_that_is_no_batch_is_refused() {
    let mut log = MemoryLog::new();
    let head = log.seal(Epoch::new(1)).unwrap();
    assert!(matches!(log.append(head, Epoch::new(1), b"not a batch"), Appended::Durable(_)));
    let StartError::Replay(error) = refused(&log) else { panic!("another error") };
    let source = BatchError::Format { found: Some(b'n') };
    assert_eq!(error, ReplayError::Batch { seq: Seq::FIRST, source });
}

#[test]
fn a_record_out_of_turn_is_refused() {
    let log = log_of(&[(3, 1, Digest::ZERO, &[]), (3, 1, Digest::ZERO, &[])]);
    let second = log.read(Seq::new(2), 1).unwrap().remove(0);
    assert!(matches!(Replay::new(Counter::default()).apply(&second), Err(ReplayError::Chain(_))));
}

#[test]
fn settings_are_checked_before_anything_is_touched() {
    let settings = Settings { max_batch_commands: 0, ..Settings::default() };
    let log = MemoryLog::new();
    let started = Engine::start(
        Box::new(log.clone()),
        Counter::default(),
        Arc::new(manual_clock()),
        settings,
    );
    assert!(matches!(started, Err(StartError::Settings(SettingsError::EmptyBatch))));
    assert_eq!(log.epoch().unwrap(), Epoch::NONE);
}
