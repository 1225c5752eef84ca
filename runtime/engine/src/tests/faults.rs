//! What can go wrong with the log while running.

use super::{Add, Fault, FaultyLog, start, total};
use crate::{Handle, ReadError, Status, StopReason, SubmitError};
use yufu_log::{LogError, MemoryLog, Refusal, Seq};

/// Submits one command that gets as far as the append, then another that waits behind it.
async fn two_after(
    log: FaultyLog,
) -> [(Result<Option<u64>, SubmitError>, Handle<super::Counter>); 2] {
    let (log, begun, go) = log.gated();
    let engine = start(log);
    let submit = |number| {
        let handle = engine.handle();
        tokio::spawn(async move {
            let answer = handle.submit(Add(number)).await;
            (answer.map(|applied| applied.outcome), handle)
        })
    };
    let first = submit(1);
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    let second = submit(2);
    tokio::task::yield_now().await;
    drop(go);
    [first.await.unwrap(), second.await.unwrap()]
}

#[tokio::test]
async fn a_former_engine_is_fenced_and_never_applies() {
    let log = MemoryLog::new();
    let former = start(log.clone());
    let old = former.handle();
    assert_eq!(old.submit(Add(1)).await.unwrap().outcome, Some(1));
    let engine = start(log);
    let new = engine.handle();
    assert_eq!(total(&new), 1);
    assert_eq!(new.submit(Add(10)).await.unwrap().outcome, Some(11));
    assert_eq!(old.submit(Add(100)).await, Err(SubmitError::Fenced));
    assert_eq!(old.submit(Add(100)).await, Err(SubmitError::Fenced));
    assert_eq!(old.status(), Status::Stopped(StopReason::Fenced));
    assert_eq!(total(&old), 1);
    assert_eq!(new.submit(Add(1)).await.unwrap().outcome, Some(12));
    assert_eq!(former.shutdown(), Status::Stopped(StopReason::Fenced));
}

#[tokio::test]
async fn in_doubt_and_found_is_durable_and_the_engine_goes_on() {
    let [(first, handle), (second, _)] = two_after(FaultyLog::new([Fault::Written])).await;
    assert_eq!(first, Ok(Some(1)));
    assert_eq!(second, Ok(Some(3)));
    assert_eq!(handle.head().seq, Seq::new(2));
}

#[tokio::test]
async fn in_doubt_and_not_found_stays_in_doubt_and_stops_the_engine() {
    for fault in [Fault::Lost, Fault::Dead] {
        let [(first, handle), (second, _)] = two_after(FaultyLog::new([fault])).await;
        let reason = StopReason::Unknown(LogError::Storage("injected".to_owned()));
        assert_eq!(first, Err(SubmitError::Unknown));
        assert_eq!(second, Err(SubmitError::Stopped(reason.clone())), "it was never appended");
        assert_eq!(handle.status(), Status::Stopped(reason.clone()));
        assert_eq!(handle.failed().await, reason, "whoever runs it hears of it");
        assert_eq!(total(&handle), 0);
    }
}

#[tokio::test]
async fn in_doubt_and_replaced_is_fenced() {
    let [(first, handle), (second, _)] = two_after(FaultyLog::new([Fault::Replaced])).await;
    assert_eq!(first, Err(SubmitError::Fenced));
    assert_eq!(second, Err(SubmitError::Fenced));
    assert_eq!(total(&handle), 0);
}

#[tokio::test]
async fn a_log_that_refuses_for_good_stops_the_engine_with_nothing_applied() {
    let refusal = Refusal::ReadOnly;
    let [(first, handle), (second, _)] = two_after(FaultyLog::new([Fault::Refused(refusal)])).await;
    let stopped = SubmitError::Stopped(StopReason::Refused(refusal));
    assert_eq!(first, Err(stopped.clone()));
    assert_eq!(second, Err(stopped));
    assert_eq!(total(&handle), 0);
}

#[tokio::test]
async fn while_the_log_refuses_for_the_moment_writes_are_refused_reads_answered_and_it_goes_on_after()
 {
    let refusal = Refusal::Busy;
    let full = Fault::Refused(refusal);
    let engine = start(FaultyLog::new([Fault::None, full.clone(), full]));
    let handle = engine.handle();
    assert_eq!(handle.submit(Add(1)).await.unwrap().outcome, Some(1));
    for _ in 0..2 {
        assert_eq!(handle.submit(Add(10)).await, Err(SubmitError::Refused(refusal)));
        assert_eq!(handle.status(), Status::Refusing(refusal));
        assert_eq!(handle.read(|counter, _| counter.total).await, Ok(1));
    }
    assert_eq!(handle.submit(Add(100)).await.unwrap().outcome, Some(101), "it was tried again");
    assert_eq!(handle.status(), Status::Running);
    assert_eq!(handle.head().seq, Seq::new(2), "what was refused is in no record");
}

#[tokio::test]
async fn a_panicking_machine_leaves_its_command_in_doubt_and_hangs_nobody() {
    let engine = start(MemoryLog::new());
    let handle = engine.handle();
    assert_eq!(handle.submit(Add(u64::MAX - 1)).await, Err(SubmitError::Unknown));
    assert_eq!(engine.shutdown(), Status::Stopped(StopReason::Panicked));
    let half_way = handle.read(|counter, _| counter.total).await;
    assert_eq!(half_way, Err(ReadError::Stopped(StopReason::Panicked)));
    let panicked = SubmitError::Stopped(StopReason::Panicked);
    assert_eq!(handle.submit(Add(1)).await, Err(panicked));
}

#[tokio::test]
async fn what_goes_wrong_while_shutting_down_is_told() {
    let (log, begun, go) = FaultyLog::new([Fault::Written, Fault::Lost]).gated();
    let engine = start(log);
    let submit = |number| {
        let handle = engine.handle();
        tokio::spawn(async move { handle.submit(Add(number)).await })
    };
    let first = submit(1);
    tokio::task::yield_now().await;
    begun.recv().unwrap();
    let second = submit(2);
    tokio::task::yield_now().await;
    engine.handle().send_stop();
    go.send(()).unwrap();
    begun.recv().unwrap();
    assert_eq!(engine.handle().status(), Status::Stopped(StopReason::Shutdown));
    drop(go);
    assert_eq!(first.await.unwrap().unwrap().outcome, Some(1));
    assert_eq!(second.await.unwrap(), Err(SubmitError::Unknown));
    let reason = StopReason::Unknown(LogError::Storage("injected".to_owned()));
    assert_eq!(engine.shutdown(), Status::Stopped(reason));
}
