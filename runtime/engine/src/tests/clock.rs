//! The clock while running and over a restart.

use super::{Add, manual_clock, start_time, start_with};
use crate::{ClockJump, Settings, Status, SubmitError};
use std::time::Duration;
use yufu_log::{Head, MemoryLog};

#[tokio::test]
async fn stamps_follow_the_clock_and_wait_out_small_steps_back() {
    let clock = manual_clock();
    let engine = start_with(MemoryLog::new(), &clock, Settings::default());
    let handle = engine.handle();
    clock.advance(Duration::from_secs(100_000));
    let later = start_time().plus_seconds(100_000);
    assert_eq!(handle.submit(Add(1)).await.unwrap().at, later);
    clock.set(later.minus_seconds(30));
    assert_eq!(handle.submit(Add(1)).await.unwrap().at, later);
    assert_eq!(handle.read_unconfirmed(|_, now| now), later);
    clock.advance(Duration::from_secs(31));
    assert_eq!(handle.submit(Add(1)).await.unwrap().at, later.plus_seconds(1));
}

#[tokio::test]
async fn a_jump_either_way_stops_stamping_until_it_is_confirmed() {
    let far = 3600;
    for found in [start_time().plus_seconds(far), start_time().minus_seconds(far)] {
        let clock = manual_clock();
        let engine = start_with(MemoryLog::new(), &clock, Settings::default());
        let handle = engine.handle();
        handle.submit(Add(1)).await.unwrap();
        let head = handle.head();
        clock.set(found);
        let jump = ClockJump { expected: start_time(), found };
        for _ in 0..2 {
            assert_eq!(handle.submit(Add(1)).await, Err(SubmitError::ClockJumped(jump)));
        }
        assert_eq!(handle.status(), Status::ClockJumped(jump));
        assert_eq!(handle.head(), head);
        assert_eq!(handle.read_unconfirmed(|_, now| now), start_time());
        handle.confirm_clock();
        assert_eq!(handle.status(), Status::Running);
        assert_eq!(handle.submit(Add(1)).await.unwrap().at, start_time().max(found));
    }
}

#[tokio::test]
async fn after_a_restart_a_gap_is_normal_and_a_step_back_waits_for_confirmation() {
    let log = MemoryLog::new();
    let engine = start_with(log.clone(), &manual_clock(), Settings::default());
    engine.handle().submit(Add(1)).await.unwrap();

    let clock = manual_clock();
    let later = start_time().plus_seconds(1_000_000);
    clock.set(later);
    let engine = start_with(log.clone(), &clock, Settings::default());
    assert_eq!(engine.handle().submit(Add(1)).await.unwrap().at, later);

    let engine = start_with(log, &manual_clock(), Settings::default());
    let handle = engine.handle();
    let jump = ClockJump { expected: later, found: start_time() };
    assert_eq!(handle.status(), Status::ClockJumped(jump));
    assert_eq!(handle.submit(Add(1)).await, Err(SubmitError::ClockJumped(jump)));
    assert_ne!(handle.head(), Head::EMPTY);
    handle.confirm_clock();
    assert_eq!(handle.submit(Add(1)).await.unwrap().at, later);
}
