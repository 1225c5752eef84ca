//! Every institution alone: a process, a port and a data folder for each, and the whole story across them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use std::fs;
use support::{Data, demo, run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

#[test]
fn the_whole_story_plays_across_a_process_for_each_institution() {
    let data = Data::new();
    let played = demo(&data.path(), &["--json", "--apart"]);
    let (out, err) = (text(&played.stdout), text(&played.stderr));
    assert_eq!(played.status.code(), Some(0), "{out}{err}");
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["supply"]["balanced"], true);

    // Each has its own keys and records, and nobody else's.
    let mut folders = 0;
    for entry in fs::read_dir(data.path().join("apart")).unwrap() {
        let home = entry.unwrap().path();
        let own = home.file_name().unwrap().to_str().unwrap().to_owned();
        let inside = fs::read_dir(&home).unwrap().map(|e| e.unwrap());
        let inside: Vec<String> = inside
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        assert_eq!(inside, std::slice::from_ref(&own), "{own} has a folder of somebody else's");
        let log = fs::read_to_string(home.join("log")).unwrap();
        assert!(log.contains("the state is closed"), "{own} was not stopped cleanly: {log}");
        folders += 1;
    }
    assert!(folders >= 8, "{folders} institutions");

    let ledger = data.path().join("apart").join("central-bank");
    let audited = run(&["audit", "--json", "--data", ledger.to_str().unwrap()]);
    assert_eq!(audited.status.code(), Some(0), "{}", text(&audited.stdout));
}

#[test]
fn a_second_run_across_processes_goes_on_where_the_first_ended() {
    let data = Data::new();
    for _ in 0..2 {
        // Other free ports each time: institutions move, and are found again.
        let played = demo(&data.path(), &["--json", "--apart"]);
        assert_eq!(
            played.status.code(),
            Some(0),
            "{}{}",
            text(&played.stdout),
            text(&played.stderr)
        );
    }
}
