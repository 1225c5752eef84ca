//! Honest logs pass, also one an engine wrote.

use super::support::*;
use crate::{audit, audit_against};
use std::sync::Arc;
use yufu_base::{Digest, StateMachine};
use yufu_engine::{Engine, ManualClock, Replay, Settings};
use yufu_log::{Epoch, MemoryLog, Record, Seq};
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

/// Of a whole journey, by a build that knew format 1 only: a line for each record, epoch, chain value, payload.
const OF_FORMAT_1: &str = include_str!("format-1.log");

#[test]
fn a_log_of_format_1_is_read_and_passes() {
    let hex = |text: &str| -> Vec<u8> {
        let byte =
            |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        text.as_bytes().chunks(2).map(byte).collect()
    };
    let mut log = Doctored::default();
    for (seq, line) in (1..).zip(OF_FORMAT_1.lines()) {
        let [epoch, chain, payload] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("line {seq}")
        };
        let epoch = Epoch::new(epoch.parse().unwrap());
        let chain = Digest::from_hex(chain).unwrap();
        log.0.push(Record { seq: Seq::new(seq), epoch, payload: hex(payload), chain });
    }
    let report = audit(&log).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!((report.records, report.accepted, report.refused), (54, 63, 4));
    assert!(report.supply.balanced);
    let mut replay = Replay::new(Machine::new());
    replay.catch_up(&log).unwrap();
    assert_eq!(replay.machine().state_hash().to_string(), report.state_hash);
}
