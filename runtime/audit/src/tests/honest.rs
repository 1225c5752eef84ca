//! Honest logs pass, also one an engine wrote.

use super::support::*;
use crate::{audit, audit_against};
use std::sync::Arc;
use yufu_engine::{Engine, ManualClock, Settings};
use yufu_log::MemoryLog;
use yufu_machine::Machine;

#[test]
fn an_honest_log_passes_and_the_report_says_what_is_in_it() {
    let log = Doctored::story();
    let report = audit_against(&log, log.0[3].head()).unwrap();
    assert_eq!(report.findings, []);
    assert!(report.ok && report.supply.balanced);
    assert_eq!(report.records, 11);
    assert_eq!((report.commands, report.accepted, report.refused), (32, 27, 5));
    assert_eq!(report.supply.backing, 59_000);
    assert_eq!(report.head.chain, log.head().chain.to_string());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["supply"]["backing"], "59000");
    assert_eq!(json["head"]["seq"], 11);
}

#[test]
fn repeats_are_no_finding() {
    let mut commands = submissions(story());
    commands.extend(commands.clone());
    let once = audit(&Doctored::story()).unwrap();
    let twice = audit(&Doctored::honest(&commands)).unwrap();
    assert_eq!(twice.findings, []);
    assert_eq!(twice.supply, once.supply);
    assert_eq!(twice.commands, 2 * once.commands);
}

#[tokio::test]
async fn what_an_engine_writes_passes() {
    let log = MemoryLog::new();
    let clock = Arc::new(ManualClock::new(START));
    let engine =
        Engine::start(Box::new(log.clone()), Machine::new(), clock, Settings::default()).unwrap();
    let handle = engine.handle();
    for command in submissions(story()) {
        handle.submit(command).await.unwrap();
    }
    drop(engine.shutdown());
    let report = audit(&log).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.commands, 32);
}
