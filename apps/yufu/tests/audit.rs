//! `yufu audit`: passes the log of a demo, names the record that was tampered with, and says what to do
//! when there is none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{Data, demo, run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// A demo's log, and copies of it to tamper with.
struct Log {
    data: Data,
}

impl Log {
    fn of_a_demo() -> Self {
        let data = Data::new();
        let played = demo(&data.path(), &["--json"]);
        assert_eq!(
            played.status.code(),
            Some(0),
            "{}{}",
            text(&played.stdout),
            text(&played.stderr)
        );
        Self { data }
    }

    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.data.beside(name);
        fs::copy(self.data.log(), &copy).unwrap();
        copy
    }

    /// A copy that `tamper` had in hand.
    fn tampered(&self, name: &str, tamper: impl FnOnce(&Connection)) -> PathBuf {
        let copy = self.copy(name);
        let connection = Connection::open(&copy).unwrap();
        tamper(&connection);
        connection.close().unwrap();
        copy
    }
}

fn audit(log: &Path) -> Output {
    run(&["audit", "--log", log.to_str().unwrap()])
}

fn audit_json(log: &Path) -> (Option<i32>, Value) {
    let output = run(&["audit", "--json", "--log", log.to_str().unwrap()]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let report = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    (output.status.code(), report)
}

fn payload(log: &Connection, seq: i64) -> Vec<u8> {
    log.query_row("SELECT payload FROM record WHERE seq = ?1", [seq], |row| row.get(0)).unwrap()
}

fn store(log: &Connection, seq: i64, payload: &[u8]) {
    let changed =
        log.execute("UPDATE record SET payload = ?2 WHERE seq = ?1", (seq, payload)).unwrap();
    assert_eq!(changed, 1);
}

/// Fails the audit, with a finding of `code` at record `seq`; and says so to a person too.
#[track_caller]
fn found(log: &Path, seq: u64, codes: &[&str]) {
    let (exit, report) = audit_json(log);
    assert_eq!((exit, &report["ok"]), (Some(1), &Value::Bool(false)), "{report}");
    let findings = report["findings"].as_array().unwrap();
    let named = findings.iter().any(|finding| {
        finding["record"] == seq && codes.iter().any(|code| finding["code"] == *code)
    });
    assert!(named, "{codes:?} at record {seq} is not among {findings:?}");
    let said = audit(log);
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said.stdout).contains("the log does not agree with itself"));
}

#[test]
fn an_untouched_log_passes_wherever_it_lies() {
    let log = Log::of_a_demo();
    let copy = log.copy("copy.sqlite");
    let (exit, report) = audit_json(&copy);
    assert_eq!((exit, &report["ok"]), (Some(0), &Value::Bool(true)), "{report}");
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    assert!(report["commands"].as_u64().unwrap() > 20, "{report}");
    let in_place = run(&["audit", "--json", "--data", log.data.path().to_str().unwrap()]);
    assert_eq!(
        in_place.status.code(),
        Some(0),
        "{}{}",
        text(&in_place.stdout),
        text(&in_place.stderr)
    );
    let in_place: Value = serde_json::from_slice(&in_place.stdout).unwrap();
    assert_eq!(in_place, report);
    let said = audit(&copy);
    assert_eq!(said.status.code(), Some(0));
    assert!(text(&said.stdout).contains("everything agrees"), "{}", text(&said.stdout));
}

#[test]
fn a_changed_byte_is_found_in_whatever_record_it_is() {
    let log = Log::of_a_demo();
    let last = Connection::open(log.data.log())
        .unwrap()
        .query_row("SELECT max(seq) FROM record", (), |row| row.get::<_, i64>(0))
        .unwrap();
    for seq in 1..last {
        let copy = log.tampered(&format!("byte-{seq}.sqlite"), |log| {
            let mut bytes = payload(log, seq);
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            store(log, seq, &bytes);
        });
        found(&copy, seq.try_into().unwrap(), &["chain.altered"]);
    }
}

#[test]
fn a_changed_newest_record_is_refused_at_once() {
    let log = Log::of_a_demo();
    let copy = log.tampered("newest.sqlite", |log| {
        let sql = "UPDATE record SET payload = CAST(payload || x'00' AS BLOB) WHERE seq = (SELECT max(seq) FROM record)";
        assert_eq!(log.execute(sql, ()).unwrap(), 1);
    });
    let refused = audit(&copy);
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    let seq = Connection::open(&copy)
        .unwrap()
        .query_row("SELECT max(seq) FROM record", (), |row| row.get::<_, i64>(0))
        .unwrap();
    assert!(said.contains(&seq.to_string()), "record {seq} is not named: {said}");
}

#[test]
fn a_missing_record_is_found() {
    let log = Log::of_a_demo();
    let copy = log.tampered("missing.sqlite", |log| {
        assert_eq!(log.execute("DELETE FROM record WHERE seq = 4", ()).unwrap(), 1);
    });
    found(&copy, 4, &["chain.missing"]);
}

#[test]
fn two_records_that_changed_places_are_found() {
    let log = Log::of_a_demo();
    let copy = log.tampered("swapped.sqlite", |log| {
        let sql = "UPDATE record SET seq = CASE seq WHEN 4 THEN -5 ELSE -4 END WHERE seq IN (4, 5)";
        log.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
        assert_eq!(log.execute(sql, ()).unwrap(), 2);
        assert_eq!(log.execute("UPDATE record SET seq = -seq WHERE seq < 0", ()).unwrap(), 2);
    });
    found(&copy, 4, &["chain.altered"]);
}

#[test]
fn where_there_is_no_log_the_audit_says_what_to_do() {
    let data = Data::new();
    let missing = data.beside("nothing.sqlite");
    let folder = data.path();
    let text_file = data.beside("letter.txt");
    fs::write(
        &text_file,
        "not a log, and long enough to have a header of some kind, or so one hopes",
    )
    .unwrap();
    let cases: [(&[&str], &str); 3] = [
        (&["--log", missing.to_str().unwrap()], "--log"),
        (&["--data", folder.to_str().unwrap()], "--data"),
        (&["--log", text_file.to_str().unwrap()], "--log"),
    ];
    for (arguments, advice) in cases {
        let mut all = vec!["audit"];
        all.extend(arguments);
        let refused = run(&all);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert_eq!(text(&refused.stdout), "", "{arguments:?}");
        assert!(text(&refused.stderr).contains(advice), "{}", text(&refused.stderr));
    }
    assert!(!missing.exists() && !folder.exists(), "an audit makes nothing");
}
