//! Writing ahead of applying: how far, in what order, and how it ends.

use super::{Add, Counter, Fault, FaultyLog, manual_clock, start_with, total};
use crate::{Commitment, Engine, Handle, Settings, Status, StopReason, SubmitError, decode_batch};
use std::sync::mpsc;
use std::time::Duration;
use yufu_log::{Log, MemoryLog, Seq};

/// Keeps a reader in the machine, so that nothing is applied, until the sender is dropped.
fn hold(handle: &Handle<Counter>) -> mpsc::Sender<()> {
    let (sender, let_go) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel();
    let handle = handle.clone();
    std::thread::spawn(move || {
        handle.read_unconfirmed(|_, _| {
            entered.send(()).unwrap();
            let _ = let_go.recv();
        });
    });
    inside.recv().unwrap();
    sender
}

fn ahead(log: impl Log + 'static, ahead: u32) -> Engine<Counter> {
    start_with(log, &manual_clock(), Settings { ahead, ..Settings::default() })
}

type Answer = tokio::task::JoinHandle<Result<Option<u64>, SubmitError>>;

async fn submit(handle: &Handle<Counter>, number: u64) -> Answer {
    let handle = handle.clone();
    let answer =
        tokio::spawn(
            async move { handle.submit(Add(number)).await.map(|applied| applied.outcome) },
        );
    tokio::task::yield_now().await;
    answer
}

/// Waits until the log has so many records.
async fn durable(log: &MemoryLog, records: u64) {
    for _ in 0..2_000 {
        if log.durable_head().unwrap().seq == Seq::new(records) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the log stands at {:?}", log.durable_head());
}

#[tokio::test]
async fn the_next_records_are_written_while_one_is_applied_and_no_further_than_the_bound() {
    let log = MemoryLog::new();
    let engine = ahead(log.clone(), 2);
    let handle = engine.handle();
    let held = hold(&handle);
    let mut answers = Vec::new();
    // One is being applied, two wait, one more is durable and not yet handed over.
    for number in 1..=4 {
        answers.push(submit(&handle, number).await);
        durable(&log, number).await;
    }
    answers.push(submit(&handle, 5).await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    durable(&log, 4).await;
    assert!(answers.iter().all(|answer| !answer.is_finished()), "nothing is applied yet");
    drop(held);
    let mut sum = 0;
    for (number, answer) in (1..).zip(answers) {
        sum += number;
        assert_eq!(answer.await.unwrap(), Ok(Some(sum)), "in their order");
    }
    let records = log.read(Seq::FIRST, 9).unwrap();
    let committed = records.iter().map(|record| {
        let batch = decode_batch::<Counter>(&record.payload).unwrap();
        let Commitment::Through { seq, .. } = batch.header.outcomes else { panic!("format 1") };
        seq.get()
    });
    assert_eq!(committed.take(4).collect::<Vec<_>>(), [0, 0, 0, 0], "what was not applied yet");
    assert_eq!(total(&ahead(log, 2).handle()), sum, "and it replays");
}

#[tokio::test]
async fn what_is_durable_when_the_engine_stops_is_still_applied_and_answered() {
    for (fault, told, reason) in [
        (Fault::Lost, SubmitError::Unknown, "unknown"),
        (Fault::Replaced, SubmitError::Fenced, "fenced"),
    ] {
        let log = MemoryLog::new();
        let mut faulty = FaultyLog::new([Fault::None, Fault::None, fault]);
        faulty.inner = log.clone();
        let engine = ahead(faulty, 4);
        let handle = engine.handle();
        let held = hold(&handle);
        let first = submit(&handle, 1).await;
        durable(&log, 1).await;
        let second = submit(&handle, 2).await;
        durable(&log, 2).await;
        assert_eq!(submit(&handle, 3).await.await.unwrap(), Err(told), "{reason}");
        let late = submit(&handle, 4).await.await.unwrap();
        assert!(matches!(late, Err(SubmitError::Stopped(_) | SubmitError::Fenced)), "{late:?}");
        assert!(!first.is_finished());
        drop(held);
        assert_eq!(first.await.unwrap(), Ok(Some(1)));
        assert_eq!(second.await.unwrap(), Ok(Some(3)));
        assert!(matches!(engine.shutdown(), Status::Stopped(_)));
        assert_eq!(total(&handle), 3, "{reason}");
    }
}

#[tokio::test]
async fn a_shutdown_applies_all_that_is_durable_and_all_that_waits() {
    let log = MemoryLog::new();
    let engine = ahead(log.clone(), 1);
    let handle = engine.handle();
    let held = hold(&handle);
    let mut answers = Vec::new();
    for number in 1..=8 {
        answers.push(submit(&handle, number).await);
    }
    let ended = std::thread::spawn(move || engine.shutdown());
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(held);
    for answer in answers {
        assert!(answer.await.unwrap().is_ok());
    }
    assert_eq!(ended.join().unwrap(), Status::Stopped(StopReason::Shutdown));
    assert_eq!(total(&handle), 36);
}
