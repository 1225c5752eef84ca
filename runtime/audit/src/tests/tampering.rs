//! Tampering with the records, by an outsider who cannot chain anew and by an insider who can:
//! each is found, and named.

use super::support::*;
use crate::{audit, audit_against};
use yufu_base::{Digest, Timestamp};
use yufu_engine::Commitment;
use yufu_machine::Action;

fn first_finding(log: &Doctored) -> (Option<u64>, &'static str) {
    let report = audit(log).unwrap();
    assert!(!report.ok);
    (report.findings[0].record, report.findings[0].code)
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let honest = Doctored::story();
    for place in [0, 1, 20, 60, honest.0[4].payload.len() - 1] {
        let mut log = honest.clone();
        log.0[4].payload[place] ^= 1;
        assert_eq!(first_finding(&log), (Some(5), "chain.altered"), "byte {place}");
    }
    let mut log = honest;
    log.0[4].chain.0[0] ^= 1;
    assert_eq!(first_finding(&log), (Some(5), "chain.altered"));
}

#[test]
fn a_dropped_record_is_found() {
    let mut log = Doctored::story();
    log.0.remove(4);
    assert_eq!(first_finding(&log), (Some(5), "chain.missing"));
}

#[test]
fn swapped_records_are_found() {
    let mut log = Doctored::story();
    log.0.swap(4, 5);
    assert_eq!(first_finding(&log), (Some(5), "chain.missing"));
}

#[test]
fn a_duplicated_record_is_found() {
    let mut log = Doctored::story();
    log.0.insert(5, log.0[4].clone());
    assert_eq!(first_finding(&log), (Some(6), "chain.missing"));
}

#[test]
fn a_cut_off_tail_is_found_against_a_published_head() {
    let mut log = Doctored::story();
    let published = log.head();
    log.0.truncate(9);
    assert!(audit(&log).unwrap().ok);
    let report = audit_against(&log, published).unwrap();
    assert_eq!(codes(&report), [("chain.checkpoint", 1)].into());
}

#[test]
fn a_rewritten_log_is_found_against_a_published_head() {
    let honest = Doctored::story();
    let log = honest.rewritten(|batches| batches.truncate(10));
    let other = log.rewritten(|batches| batches[9].commands.truncate(1));
    assert!(audit(&other).unwrap().ok);
    let report = audit_against(&other, log.head()).unwrap();
    assert_eq!(codes(&report), [("chain.checkpoint", 1)].into());
}

#[test]
fn an_insiders_changed_amount_breaks_the_signature() {
    let log = Doctored::story().rewritten(|batches| {
        for command in batches.iter_mut().flat_map(|batch| &mut batch.commands) {
            if let Action::Pay { amount, .. } = &mut command.order.action
                && amount.minor() == 150
            {
                *amount = cny(151);
            }
        }
    });
    let report = audit(&log).unwrap();
    assert_eq!(codes(&report)["command.signature"], 1);
    assert!(codes(&report).contains_key("record.outcomes"));
}

#[test]
fn an_insiders_dropped_command_gives_other_outcomes() {
    let log = Doctored::story().rewritten(|batches| {
        batches[8].commands.remove(0);
    });
    let report = audit(&log).unwrap();
    assert_eq!(codes(&report)["record.outcomes"], 1, "and told once, of the first");
    assert_eq!(first_finding(&log), (Some(10), "record.outcomes"));
}

#[test]
fn a_doctored_outcome_is_found_and_named() {
    let log = Doctored::story().rewritten(|batches| {
        let Commitment::Through { digest, .. } = &mut batches[7].header.outcomes else {
            panic!("format 1")
        };
        *digest = Digest::of(b"what the operator says");
    });
    let report = audit(&log).unwrap();
    assert_eq!(codes(&report), [("record.outcomes", 1)].into());
    assert_eq!(report.findings[0].record, Some(8));
    assert!(report.findings[0].message.contains("record 7"));
}

#[test]
fn a_doctored_checkpoint_is_found_and_named() {
    let log = Doctored::story().rewritten(|batches| {
        let checkpoint = batches[6].header.checkpoint.as_mut().unwrap();
        checkpoint.state_root = Digest::of(b"what the operator says");
    });
    let report = audit(&log).unwrap();
    assert_eq!(codes(&report), [("record.checkpoint", 1)].into());
    assert_eq!(report.findings[0].record, Some(7));
    assert!(report.findings[0].message.contains("record 6"));
}

#[test]
fn a_record_written_under_rules_not_in_force_is_found() {
    let log = Doctored::story().rewritten(|batches| batches[5].header.machine_version = 0);
    let report = audit(&log).unwrap();
    assert_eq!(codes(&report), [("record.machine_version", 1)].into());
}

#[test]
fn a_stamp_that_goes_back_is_found() {
    let log = Doctored::story().rewritten(|batches| {
        batches[10].header.stamp.at = Timestamp::from_millis(START.millis() + 1);
    });
    let report = audit(&log).unwrap();
    assert_eq!(codes(&report), [("record.stamp_decreased", 1)].into());
}

#[test]
fn a_record_that_does_not_decode_ends_the_audit_with_a_finding() {
    let log = Doctored::story().rewritten(|batches| batches[5].header.machine_version = 9);
    let report = audit(&log).unwrap();
    assert_eq!(codes(&report), [("record.malformed", 1)].into());
    assert_eq!(report.records, 5);
}
