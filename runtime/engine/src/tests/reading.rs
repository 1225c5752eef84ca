//! Who may answer a read: the log's one writer, as far as it can know.

use super::{Add, Fault, FaultyLog, manual_clock, start, start_with, total};
use crate::{ManualClock, ReadError, Settings, Status, StopReason, SubmitError};
use std::time::Duration;
use yufu_log::{LogError, MemoryLog};

const BOUND: Duration = Duration::from_secs(1);

fn settings() -> Settings {
    Settings { read_bound: BOUND, ..Settings::default() }
}

#[tokio::test]
async fn an_engine_that_knows_it_is_fenced_answers_no_read() {
    let log = MemoryLog::new();
    let engines = [start(log.clone()), start(log)];
    let [former, new] = engines.each_ref().map(crate::Engine::handle);
    assert_eq!(former.submit(Add(1)).await, Err(SubmitError::Fenced));
    assert_eq!(former.read(|_, _| ()).await, Err(ReadError::Fenced));
    assert_eq!(former.confirm().await, Err(ReadError::Fenced));
    assert_eq!(new.read(|counter, _| counter.total).await, Ok(0));
}

#[tokio::test]
async fn a_read_finds_out_within_the_bound_that_another_writer_took_over() {
    let (log, clock) = (MemoryLog::new(), manual_clock());
    let engine = start_with(log.clone(), &clock, settings());
    let former = engine.handle();
    former.submit(Add(1)).await.unwrap();
    let new = start(log);
    new.handle().submit(Add(10)).await.unwrap();
    let read = || former.read(|counter, _| counter.total);
    assert_eq!(read().await, Ok(1), "within the bound it cannot know");
    clock.advance(BOUND);
    assert_eq!(read().await, Err(ReadError::Fenced));
    assert_eq!(former.status(), Status::Stopped(StopReason::Fenced));
    assert_eq!(former.failed().await, StopReason::Fenced);
    assert_eq!(former.submit(Add(1)).await, Err(SubmitError::Fenced));
}

#[tokio::test]
async fn with_a_bound_of_nothing_every_read_asks_the_log() {
    let log = MemoryLog::new();
    let settings = Settings { read_bound: Duration::ZERO, ..Settings::default() };
    let former = start_with(log.clone(), &manual_clock(), settings);
    assert_eq!(former.handle().read(|_, _| ()).await, Ok(()));
    let _new = start(log);
    assert_eq!(former.handle().read(|_, _| ()).await, Err(ReadError::Fenced));
}

#[tokio::test]
async fn a_log_that_cannot_be_asked_leaves_reads_without_an_answer_once_the_bound_is_over() {
    let clock = manual_clock();
    let engine = start_with(FaultyLog::new([Fault::Dead]), &clock, settings());
    let handle = engine.handle();
    assert_eq!(handle.submit(Add(1)).await, Err(SubmitError::Unknown));
    assert_eq!(handle.read(|counter, _| counter.total).await, Ok(0));
    clock.advance(BOUND);
    let reason = StopReason::Unknown(LogError::Storage("injected".to_owned()));
    assert_eq!(handle.read(|_, _| ()).await, Err(ReadError::Stopped(reason)));
}

#[tokio::test]
async fn an_append_confirms_and_a_shutdown_ends_reading_with_the_bound() {
    let clock: ManualClock = manual_clock();
    let engine = start_with(MemoryLog::new(), &clock, settings());
    let handle = engine.handle();
    clock.advance(BOUND * 9);
    handle.submit(Add(1)).await.unwrap();
    drop(engine.shutdown());
    assert_eq!(handle.read(|counter, _| counter.total).await, Ok(1), "the append was just now");
    clock.advance(BOUND);
    let stopped = Err(ReadError::Stopped(StopReason::Shutdown));
    assert_eq!(handle.read(|_, _| ()).await, stopped);
    assert_eq!(total(&handle), 1);
}
