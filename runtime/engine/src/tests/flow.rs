//! The way of commands: order, batches, bounds, shutdown.

use super::{Add, Counter, FaultyLog, manual_clock, start, start_time, start_with, total};
use crate::{Applied, Settings, Status, StopReason, SubmitError, decode_batch};
use proptest::prelude::*;
use std::time::Duration;
use yufu_base::{Stamp, StateMachine};
use yufu_log::{Head, Log, MemoryLog, Seq};

fn small() -> Settings {
    Settings {
        max_batch_commands: 3,
        max_batch_bytes: 24,
        queue_bytes: 3 * 264,
        ..Settings::default()
    }
}

#[tokio::test]
async fn an_answer_tells_outcome_record_and_time() {
    let engine = start(MemoryLog::new());
    let handle = engine.handle();
    assert_eq!(handle.status(), Status::Running);
    assert_eq!(handle.head(), Head::EMPTY);
    let applied = handle.submit(Add(5)).await.unwrap();
    assert_eq!(applied, Applied { outcome: Some(5), seq: Seq::FIRST, at: start_time() });
    assert_eq!(handle.head().seq, Seq::FIRST);
    let refused = handle.submit(Add(u64::MAX - 2)).await.unwrap();
    assert_eq!((refused.outcome, refused.seq), (None, Seq::new(2)));
    assert_eq!(handle.read_unconfirmed(|counter, now| (counter.total, now)), (5, start_time()));
}

#[tokio::test]
async fn an_answer_leaves_only_when_durable_and_applied() {
    let log = MemoryLog::new();
    let (mut gated, begun, go) = FaultyLog::new([]).gated();
    gated.inner = log.clone();
    let engine = start(gated);
    let handle = engine.handle();
    let task = tokio::spawn({
        let handle = handle.clone();
        async move { handle.submit(Add(5)).await }
    });
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    assert!(!task.is_finished());
    assert_eq!(total(&handle), 0);
    go.send(()).unwrap();
    assert_eq!(task.await.unwrap().unwrap().outcome, Some(5));
    assert_eq!(log.durable_head().unwrap(), handle.head());
    assert_eq!(total(&handle), 5);
}

#[tokio::test]
async fn what_waits_becomes_one_record() {
    let (log, begun, go) = FaultyLog::new([]).gated();
    let engine = start(log);
    let handle = engine.handle();
    let first = tokio::spawn({
        let handle = handle.clone();
        async move { handle.submit(Add(1)).await }
    });
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    let rest: Vec<_> = (0..50)
        .map(|_| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.submit(Add(1)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(go);
    assert_eq!(first.await.unwrap().unwrap().seq, Seq::FIRST);
    for (number, task) in (2..).zip(rest) {
        let applied = task.await.unwrap().unwrap();
        assert_eq!((applied.seq, applied.outcome), (Seq::new(2), Some(number)));
    }
}

#[tokio::test]
async fn a_batch_keeps_its_bounds_and_loses_nothing() {
    let log = MemoryLog::new();
    let (mut gated, begun, go) = FaultyLog::new([]).gated();
    gated.inner = log.clone();
    let settings = Settings { queue_bytes: 1 << 20, ..small() };
    let engine = start_with(gated, &manual_clock(), settings);
    let tasks: Vec<_> = [1, 2, 2, 3, 1, 1, 1, 1]
        .map(|commands| {
            let handle = engine.handle();
            tokio::spawn(async move { handle.submit_all(vec![Add(1); commands]).await })
        })
        .into();
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    drop(go);
    let mut expected = 1;
    for task in tasks {
        for applied in task.await.unwrap().unwrap() {
            assert_eq!(applied.outcome, Some(expected));
            expected += 1;
        }
    }
    let sizes: Vec<usize> = log
        .read(Seq::FIRST, 100)
        .unwrap()
        .iter()
        .map(|record| decode_batch::<Counter>(&record.payload).unwrap().commands.len())
        .collect();
    assert!(sizes.iter().all(|size| (1..=3).contains(size)), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 12);
}

#[tokio::test]
async fn a_full_queue_is_overload_and_has_room_again_after() {
    let (log, begun, go) = FaultyLog::new([]).gated();
    let engine = start_with(log, &manual_clock(), small());
    let handle = engine.handle();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.submit(Add(1)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    assert_eq!(handle.submit(Add(1)).await, Err(SubmitError::Overloaded));
    drop(go);
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    assert_eq!(handle.submit(Add(1)).await.unwrap().outcome, Some(4));
}

#[tokio::test]
async fn what_cannot_be_one_record_or_cannot_be_read_back_is_refused_at_once() {
    let engine = start_with(MemoryLog::new(), &manual_clock(), small());
    let handle = engine.handle();
    let too_large = SubmitError::TooLarge { max_commands: 3, max_bytes: 24 };
    assert_eq!(handle.submit_all(vec![Add(1); 4]).await, Err(too_large.clone()));
    let wide = Settings { max_batch_commands: 9, queue_bytes: 1 << 20, ..small() };
    let other = start_with(MemoryLog::new(), &manual_clock(), wide);
    let answer = other.handle().submit_all(vec![Add(1); 4]).await;
    assert!(matches!(answer, Err(SubmitError::TooLarge { .. })));
    let unencodable = handle.submit(Add(u64::MAX)).await;
    assert!(matches!(unencodable, Err(SubmitError::Unencodable(_))), "{unencodable:?}");
    assert_eq!(handle.submit_all(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(handle.head(), Head::EMPTY);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_its_command() {
    let (log, begun, go) = FaultyLog::new([]).gated();
    let engine = start(log);
    let handle = engine.handle();
    let short = Duration::from_millis(1);
    tokio::time::timeout(short, handle.submit(Add(7))).await.unwrap_err();
    begun.recv().unwrap();
    drop(go);
    assert_eq!(handle.submit(Add(1)).await.unwrap().outcome, Some(8));
}

#[tokio::test]
async fn shutdown_completes_what_waits_and_takes_nothing_more() {
    let (log, begun, go) = FaultyLog::new([]).gated();
    let engine = start(log);
    let handle = engine.handle();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.submit(Add(1)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    let opened = std::thread::spawn(move || drop(go));
    let stopped = Status::Stopped(StopReason::Shutdown);
    assert_eq!(engine.shutdown(), stopped);
    opened.join().unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(total(&handle), 20);
    assert_eq!(handle.status(), stopped);
    let late = SubmitError::Stopped(StopReason::Shutdown);
    assert_eq!(handle.submit(Add(1)).await, Err(late));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn commands_through_the_engine_are_commands_applied_directly(
        submissions in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![0..1000u64, Just(u64::MAX / 2)], 1..4), 1..30),
        together: bool,
    ) {
        let mut direct = Counter::default();
        let stamp = Stamp { at: start_time() };
        let expected: Vec<Vec<Option<u64>>> = submissions
            .iter()
            .map(|numbers| numbers.iter().map(|n| direct.apply(stamp, &Add(*n))).collect())
            .collect();
        let log = MemoryLog::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let engine = start(log.clone());
        let handle = engine.handle();
        let answers: Vec<Vec<Option<u64>>> = runtime.block_on(async {
            let mut tasks = Vec::new();
            for numbers in submissions {
                let handle = handle.clone();
                let commands = numbers.into_iter().map(Add).collect();
                let task = tokio::spawn(async move { handle.submit_all(commands).await.unwrap() });
                tasks.push(task);
                if !together {
                    tokio::task::yield_now().await;
                }
            }
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await.unwrap().into_iter().map(|a| a.outcome).collect());
            }
            answers
        });
        prop_assert_eq!(answers, expected);
        prop_assert_eq!(handle.read_unconfirmed(|c, _| c.state_hash()), direct.state_hash());
        let again = start(log).handle();
        prop_assert_eq!(again.read_unconfirmed(|c, _| c.state_hash()), direct.state_hash());
    }
}
