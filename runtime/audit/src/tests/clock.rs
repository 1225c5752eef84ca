//! A jump of the clock breaks no limit: what may be paid in a day stays what it is, whatever the clock shows.

use super::support::*;
use std::sync::Arc;
use yufu_base::{CommandId, Timestamp};
use yufu_engine::{Engine, Handle, ManualClock, Settings, Status, SubmitError};
use yufu_log::MemoryLog;
use yufu_machine::Machine;

const DAY: u64 = 86_400;

/// Pays 200 of the 500 that may be paid in a day; whether it was taken, or nothing if nothing was stamped.
async fn pay(handle: &Handle<Machine>, at: Timestamp, number: u128) -> Option<bool> {
    let command =
        signed("bank-a", CommandId::at(at, number), super::support::pay(ALICE, CAROL, 200));
    match handle.submit(command).await {
        Ok(applied) => Some(applied.outcome.is_ok()),
        Err(SubmitError::ClockJumped(_)) => None,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_clock_that_jumps_to_another_day_gives_nobody_another_days_limit() {
    for there in [START.plus_seconds(DAY), START.minus_seconds(DAY)] {
        let clock = ManualClock::new(START);
        let log = MemoryLog::new();
        let engine = Engine::start(
            Box::new(log.clone()),
            Machine::new(),
            Arc::new(clock.clone()),
            Settings::default(),
        )
        .unwrap();
        let handle = engine.handle();
        for command in submissions(furnishing()) {
            handle.submit(command).await.unwrap().outcome.unwrap();
        }
        for number in [100, 101] {
            assert_eq!(pay(&handle, START, number).await, Some(true));
        }
        assert_eq!(pay(&handle, START, 102).await, Some(false), "beyond 500");
        clock.set(there);
        assert_eq!(pay(&handle, START, 103).await, None);
        assert!(matches!(handle.status(), Status::ClockJumped(_)));
        clock.set(START);
        assert_eq!(pay(&handle, START, 104).await, None, "until an operator has looked");
        handle.confirm_clock();
        assert_eq!(pay(&handle, START, 105).await, Some(false), "the day is the same");
        assert!(crate::audit(&log).unwrap().ok);
    }
}

#[tokio::test]
async fn a_step_back_over_midnight_that_is_confirmed_gives_no_day_twice() {
    let clock = ManualClock::new(START);
    let engine = Engine::start(
        Box::new(MemoryLog::new()),
        Machine::new(),
        Arc::new(clock.clone()),
        Settings::default(),
    )
    .unwrap();
    let handle = engine.handle();
    for command in submissions(furnishing()) {
        handle.submit(command).await.unwrap().outcome.unwrap();
    }
    for number in [100, 101] {
        assert_eq!(pay(&handle, START, number).await, Some(true));
    }
    clock.set(START.minus_seconds(DAY));
    assert_eq!(pay(&handle, START, 102).await, None);
    handle.confirm_clock();
    assert_eq!(
        pay(&handle, START, 103).await,
        Some(false),
        "stamps stand still, and so does the day"
    );
}
