//! The whole story in another country, of which everything is other: nothing of the first country is in
//! the code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use support::{Data, demo, run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../profiles/plain");

/// The report of a demo that went well.
fn played(data: &Data, more: &[&str]) -> Value {
    let output = demo(&data.path(), &[&["--json"], more].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

fn ids(report: &Value) -> Vec<&str> {
    report["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect()
}

#[test]
fn the_whole_story_plays_in_another_country_to_the_end() {
    let (china, plain) = (Data::new(), Data::new());
    let there = played(&plain, &["--profile", PLAIN]);
    assert_eq!(there["ok"], true);
    assert_eq!(ids(&there), ids(&played(&china, &[])), "the same story, step by step");
    assert_eq!(there["supply"]["currency"], "XTS");
    assert_eq!(there["supply"]["balanced"], true);
    // Nobody in it speaks of the other country.
    let said = there["steps"].as_array().unwrap().iter().map(|step| step["said"].as_str().unwrap());
    for said in said.filter(|said| !said.contains("comes from China")) {
        for word in ["China", "CNY", "yuan", "fen", "class III", "class IV", "Jiangcheng"] {
            assert!(!said.contains(word), "{said}");
        }
    }
    // Her wallet shows three digits after the point, offline too.
    let data = plain.path();
    let mut show = support::yufu();
    show.args(["wallet", "--as", "resident-0", "--data", data.to_str().unwrap(), "history"]);
    let shown = show.env("YUFU_WALLET_PASSPHRASE", "yufu-demo").output().unwrap();
    let shown = text(&shown.stdout);
    assert!(shown.contains("4.500 XTS  to The Wheelwright"), "{shown}");
    let audited = run(&["audit", "--data", data.to_str().unwrap()]);
    assert_eq!(audited.status.code(), Some(0), "{}", text(&audited.stdout));
}

#[test]
fn names_are_shown_in_the_language_asked_for_or_in_the_countrys_own() {
    for (language, bank) in
        [("eo", "Havena Banko"), ("eo-XP", "Havena Banko"), ("fr", "Harbour Bank")]
    {
        let data = Data::new();
        let report = played(&data, &["--profile", PLAIN, "--language", language]);
        let step = &report["steps"].as_array().unwrap()[4];
        let said = step["said"].as_str().unwrap();
        assert!(said.contains(&format!("Her wallet checks {bank} before")), "{language}: {said}");
        let moved = report["steps"][1]["moved"][0]["to"].as_str().unwrap();
        assert!(moved.starts_with(bank), "{language}: {moved}");
        let parties: BTreeSet<&String> = step["learned"].as_object().unwrap().keys().collect();
        assert!(parties.contains(&bank.to_owned()), "{language}: {parties:?}");
    }
}
