//! Starting: replay and every reason not to.

use super::{Add, Counter, RAISE, manual_clock, start, start_time};
use crate::{
    Batch, BatchError, Checkpoint, Commitment, Engine, Header, Replay, ReplayError, Settings,
    SettingsError, StartError, decode_batch, outcomes_digest, running_digest,
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

/// A log of these payloads.
fn log_of(payloads: &[Vec<u8>]) -> MemoryLog {
    let mut log = MemoryLog::new();
    let epoch = Epoch::new(1);
    let mut head = log.seal(epoch).unwrap();
    for payload in payloads {
        let Appended::Durable(next) = log.append(head, epoch, payload) else { panic!("refused") };
        head = next;
    }
    log
}

/// A batch of version 2, stamped with so many seconds.
fn batch(at: u64, outcomes: Commitment, numbers: &[u64]) -> Batch<Add> {
    let stamp = Stamp { at: Timestamp::from_seconds(at) };
    let header = Header { machine_version: 2, stamp, outcomes, marked: false, checkpoint: None };
    Batch { header, commands: numbers.iter().copied().map(Add).collect() }
}

fn log_of_batches(batches: &[Batch<Add>]) -> MemoryLog {
    log_of(&batches.iter().map(|batch| batch.payload().unwrap()).collect::<Vec<_>>())
}

const fn through(seq: u64, digest: Digest) -> Commitment {
    Commitment::Through { seq: Seq::new(seq), digest }
}

const NOTHING: Commitment = through(0, Digest::ZERO);

fn not_replayed(log: &MemoryLog) -> ReplayError {
    let StartError::Replay(error) = refused(log) else { panic!("another error") };
    error
}

/// The total in the log's state.
fn replayed(log: &MemoryLog) -> u64 {
    start(log.clone()).handle().read_unconfirmed(|counter, _| counter.total)
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
        let state = handle.read_unconfirmed(|counter, _| counter.state_hash());
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
        assert_eq!(replayed.batch.header.stamp.at, start_time());
        seen.extend(replayed.batch.commands.into_iter().zip(replayed.outcomes));
    }
    let expected = [(Add(1), Some(1)), (Add(2), Some(3)), (Add(u64::MAX - 2), None)];
    assert_eq!(seen, expected);
    let first = running_digest(Digest::ZERO, outcomes_digest(&[Some(1_u64), Some(3)]));
    assert_eq!(replay.outcomes(), running_digest(first, outcomes_digest(&[None::<u64>])));
}

#[test]
fn a_record_of_format_1_that_commits_to_other_outcomes_is_refused() {
    let before = Commitment::Before;
    let first = batch(1, before(Digest::ZERO), &[5]);
    let honest = before(outcomes_digest(&[Some(5_u64)]));
    assert_eq!(replayed(&log_of_batches(&[first.clone(), batch(1, honest, &[6])])), 11);
    let forged = before(outcomes_digest(&[Some(6_u64)]));
    let bad = log_of_batches(&[first, batch(1, forged, &[6])]);
    let expected = ReplayError::Outcomes { seq: Seq::FIRST, by: Seq::new(2) };
    assert_eq!(not_replayed(&bad), expected);
    let bad = log_of_batches(&[batch(1, honest, &[5])]);
    assert_eq!(not_replayed(&bad), ReplayError::Outcomes { seq: Seq::ZERO, by: Seq::FIRST });
}

#[test]
fn a_record_commits_to_all_outcomes_up_to_one_before_it_and_is_refused_if_one_differs() {
    let one = running_digest(Digest::ZERO, outcomes_digest(&[Some(5_u64)]));
    let two = running_digest(one, outcomes_digest(&[Some(11_u64)]));
    let start = [batch(1, NOTHING, &[5]), batch(1, NOTHING, &[6])];
    let log = |third| log_of_batches(&[start[0].clone(), start[1].clone(), batch(1, third, &[7])]);
    for honest in [NOTHING, through(1, one), through(2, two)] {
        assert_eq!(replayed(&log(honest)), 18);
    }
    for (seq, digest) in [(0, one), (1, two), (2, one)] {
        let seq = Seq::new(seq);
        let forged = log(Commitment::Through { seq, digest });
        assert_eq!(not_replayed(&forged), ReplayError::Outcomes { seq, by: Seq::new(3) });
    }
    let ahead = not_replayed(&log(through(3, two)));
    let seq = Seq::new(3);
    assert_eq!(ahead, ReplayError::OutcomesLag { seq, through: seq });
}

#[test]
fn a_commitment_that_lags_too_far_behind_is_refused() {
    let of = |count: usize| log_of_batches(&vec![batch(1, NOTHING, &[1]); count]);
    assert_eq!(replayed(&of(17)), 17);
    let expected = ReplayError::OutcomesLag { seq: Seq::new(18), through: Seq::ZERO };
    assert_eq!(not_replayed(&of(18)), expected);
}

#[test]
fn a_log_goes_on_in_format_2_after_format_1() {
    let one = outcomes_digest(&[Some(5_u64)]);
    let two = running_digest(running_digest(Digest::ZERO, one), outcomes_digest(&[Some(11_u64)]));
    let log = log_of_batches(&[
        batch(1, Commitment::Before(Digest::ZERO), &[5]),
        batch(1, Commitment::Before(one), &[6]),
        batch(1, through(2, two), &[7]),
    ]);
    assert_eq!(replayed(&log), 18);
}

#[test]
fn a_version_beyond_this_build_or_not_in_force_is_refused_by_record() {
    let mut newer = batch(1, NOTHING, &[]);
    newer.header.machine_version = 4;
    let log = log_of_batches(&[batch(1, NOTHING, &[]), newer.clone()]);
    let source = BatchError::MachineVersion { found: 4, known: 3 };
    assert_eq!(not_replayed(&log), ReplayError::Batch { seq: Seq::new(2), source });
    newer.header.machine_version = 3;
    let log = log_of_batches(&[batch(1, NOTHING, &[]), newer]);
    let expected = ReplayError::MachineVersion { seq: Seq::new(2), found: 3, in_force: 2 };
    assert_eq!(not_replayed(&log), expected);
}

#[tokio::test]
async fn a_version_raised_by_a_command_is_named_by_the_records_that_know_of_it() {
    let log = MemoryLog::new();
    let engine = start(log.clone());
    let handle = engine.handle();
    for command in [Add(1), RAISE, Add(2)] {
        handle.submit(command).await.unwrap();
    }
    let records = log.read(Seq::FIRST, 9).unwrap();
    let version = |payload: &[u8]| decode_batch::<Counter>(payload).unwrap().header.machine_version;
    assert!(records.iter().map(|record| version(&record.payload)).eq([2, 2, 3]));
    assert_eq!(replayed(&log), 3);
}

#[test]
fn a_checkpoint_is_checked_against_the_state_after_the_newest_marked_record() {
    let mut machine = Counter::default();
    let mut marked = batch(1, NOTHING, &[5]);
    marked.header.marked = true;
    machine.apply(marked.header.stamp, &Add(5));
    let state_root = machine.state_hash();
    let log = |checkpoint, marked: &Batch<Add>| {
        let mut last = batch(1, NOTHING, &[7]);
        last.header.checkpoint = Some(checkpoint);
        log_of_batches(&[batch(1, NOTHING, &[]), marked.clone(), batch(1, NOTHING, &[6]), last])
    };
    let honest = Checkpoint { seq: Seq::new(2), state_root };
    assert_eq!(replayed(&log(honest, &marked)), 18);
    let other_root = Checkpoint { state_root: Digest::ZERO, ..honest };
    let other_record = Checkpoint { seq: Seq::new(3), ..honest };
    for forged in [other_root, other_record] {
        let expected = ReplayError::Checkpoint { seq: forged.seq, by: Seq::new(4) };
        assert_eq!(not_replayed(&log(forged, &marked)), expected);
    }
    marked.header.marked = false;
    let expected = ReplayError::Checkpoint { seq: honest.seq, by: Seq::new(4) };
    assert_eq!(not_replayed(&log(honest, &marked)), expected);
}

#[test]
fn a_stamp_before_the_last_is_refused() {
    let log = log_of_batches(&[batch(9, NOTHING, &[]), batch(8, NOTHING, &[])]);
    assert_eq!(not_replayed(&log), ReplayError::StampDecreased { seq: Seq::new(2) });
}

#[test]
fn a_payload_that_is_no_batch_is_refused() {
    let log = log_of(&[b"not a batch".to_vec()]);
    let source = BatchError::Format { found: Some(b'n') };
    assert_eq!(not_replayed(&log), ReplayError::Batch { seq: Seq::FIRST, source });
}

#[test]
fn a_record_out_of_turn_is_refused() {
    let log = log_of_batches(&[batch(1, NOTHING, &[]), batch(1, NOTHING, &[])]);
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
