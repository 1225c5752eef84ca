//! `yufu demo`: one report and nothing else, state that survives, a fresh start, and a profile that is either
//! taken whole or not at all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{Data, demo, run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../profiles/china");
const STEPS: [&str; 39] = [
    "city",
    "issue-money",
    "authenticate",
    "get-identity",
    "open-account",
    "open-account-twice",
    "paper-to-digital",
    "deposit-to-digital",
    "pay",
    "pay-again-same-order",
    "pay-above-limit",
    "step-up",
    "open-purse",
    "withdraw-cash",
    "pay-anonymously",
    "get-allowance",
    "top-up-anonymously",
    "bicycle-from-purse",
    "counter-wallet",
    "guardian",
    "get-payment-credential",
    "hotel",
    "ticket",
    "gate",
    "refund",
    "enrol-pension",
    "pension",
    "digital-to-paper",
    "merchant-to-deposit",
    "platform",
    "switch-platform",
    "who-read-my-data",
    "history",
    "spare-phone",
    "visitor",
    "revoke",
    "recover-account",
    "synergy",
    "audit",
];

/// The one document on standard output of a demo that went well.
#[track_caller]
fn report(output: &Output) -> Value {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("not exactly one document: {e}\n{out}"))
}

/// What the audit says of the folder's log.
fn audited(data: &Data) -> Value {
    let output = run(&["audit", "--json", "--data", data.path().to_str().unwrap()]);
    report(&output)
}

/// The wallets of residents that played so far.
fn players(data: &Data) -> BTreeSet<String> {
    let files = fs::read_dir(data.path().join("wallets")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("resident-")).collect()
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_report_is_one_document_of_the_stated_shape_and_nothing_else_is_on_standard_output() {
    let data = Data::new();
    let report = report(&demo(&data.path(), &["--json"]));
    assert_eq!(members(&report), BTreeSet::from(["ok", "steps", "supply", "synergy", "speed"]));
    assert_eq!(report["ok"], true);
    let steps = report["steps"].as_array().unwrap();
    let ids: Vec<&str> = steps.iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(ids, STEPS);
    for step in steps {
        let shape = BTreeSet::from(["id", "ok", "ms", "actor", "said", "learned", "moved"]);
        assert_eq!(members(step), shape);
        assert_eq!(step["ok"], true, "{step}");
        assert!(step["ms"].is_u64() && !step["said"].as_str().unwrap().is_empty(), "{step}");
        for learned in step["learned"].as_object().unwrap().values() {
            assert!(learned.as_array().unwrap().iter().all(Value::is_string), "{step}");
        }
        for moved in step["moved"].as_array().unwrap() {
            let shape = BTreeSet::from(["from", "to", "amount_minor", "currency"]);
            assert_eq!(members(moved), shape);
            assert!(moved["amount_minor"].as_u64().unwrap() > 0, "{moved}");
        }
    }
    assert_eq!(report["supply"]["balanced"], true);
}

#[test]
fn the_bank_learns_four_attributes_the_central_bank_no_person_and_a_step_up_one_attribute() {
    let data = Data::new();
    let report = report(&demo(&data.path(), &["--json"]));
    let learned = |id: &str, party: &str| {
        let step = report["steps"].as_array().unwrap().iter().find(|step| step["id"] == id);
        step.unwrap()["learned"][party].clone()
    };
    let personal = ["birthdate", "family_name", "given_name", "personal_administrative_number"];
    let of_the_bank = [&["account id"][..], &personal, &["wallet class", "wallet key"]].concat();
    assert_eq!(learned("open-account", "Bank of Jiangcheng"), json!(of_the_bank));
    assert_eq!(
        learned("open-account", "Central Bank"),
        json!(["account id", "bank", "wallet class"])
    );
    let at_the_step_up = learned("step-up", "Bank of Jiangcheng");
    let at_the_step_up: Vec<&str> =
        at_the_step_up.as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert!(at_the_step_up.contains(&"personal_administrative_number"));
    assert!(
        !personal.iter().take(3).any(|name| at_the_step_up.contains(name)),
        "{at_the_step_up:?}"
    );
}

#[test]
fn with_parts_that_work_together_the_same_ends_take_half_the_steps_and_a_fraction_of_the_disclosures()
 {
    let data = Data::new();
    let report = report(&demo(&data.path(), &["--json"]));
    let of = |way: &str, what: &str| report["synergy"][way][what].as_u64().unwrap();
    // Eight acts: card, code, account, payment credentials, hotel, train chosen, train paid, gate.
    assert_eq!((of("integrated", "steps"), of("siloed", "steps")), (8, 16));
    // Four attributes each at the bank and the hotel; nine on every copy of a card, five times.
    assert_eq!((of("integrated", "disclosures"), of("siloed", "disclosures")), (8, 45));
    assert!(report["synergy"]["integrated"]["seconds"].as_f64().unwrap() > 0.0);
    assert!(report["synergy"]["siloed"]["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn rounds_are_played_by_others_and_the_speeds_are_of_all() {
    let data = Data::new();
    let report = report(&demo(&data.path(), &["--json", "--rounds", "4"]));
    assert_eq!(players(&data).len(), 4);
    let speed = &report["speed"];
    assert_eq!((&speed["rounds"], &speed["residents"]), (&json!(4), &json!(1000)));
    assert_eq!(speed["steps"]["hotel"]["whole"]["count"], 4);
    assert!(speed["start_us"].as_u64().unwrap() > 0);
    let answers = &speed["answers"];
    let us = |name: &str| answers[name].as_u64().unwrap();
    assert!(us("count") > 100 && us("p50_us") <= us("p99_us") && us("p99_us") <= us("slowest_us"));
}

#[test]
fn a_second_run_goes_on_from_the_first_with_another_resident_and_fresh_starts_over() {
    let data = Data::new();
    let first = report(&demo(&data.path(), &["--json"]));
    let after_first = audited(&data);
    assert_eq!(players(&data).len(), 1);

    let second = report(&demo(&data.path(), &["--json"]));
    let after_second = audited(&data);
    assert_eq!(players(&data).len(), 2, "another resident plays");
    let seq = |audited: &Value| audited["head"]["seq"].as_u64().unwrap();
    assert!(seq(&after_second) > seq(&after_first), "the log goes on");
    let in_wallets = |report: &Value| report["supply"]["digital_in_wallets"].as_u64().unwrap();
    assert_eq!(in_wallets(&second), 2 * in_wallets(&first), "the money is still there");

    let fresh = report(&demo(&data.path(), &["--json", "--fresh"]));
    assert_eq!(players(&data).len(), 1);
    // How payments that were made at once fell into records may differ; the commands may not.
    let after_fresh = audited(&data);
    for same in ["commands", "accepted", "refused", "supply"] {
        assert_eq!(after_fresh[same], after_first[same], "{same}");
    }
    assert_eq!(fresh["supply"], first["supply"]);
}

#[test]
fn fresh_removes_nothing_that_is_not_yufus() {
    let data = Data::new();
    fs::create_dir(data.path()).unwrap();
    fs::write(data.path().join("thesis.txt"), "precious").unwrap();
    let refused = demo(&data.path(), &["--fresh"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("--data"), "{}", text(&refused.stderr));
    assert_eq!(fs::read_to_string(data.path().join("thesis.txt")).unwrap(), "precious");
}

/// A copy of the sample profile with one file changed.
fn copy_with(data: &Data, file: &str, change: impl FnOnce(String) -> String) -> PathBuf {
    let copy = data.beside("my-country");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(SAMPLE).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let path = copy.join(file);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, change(text)).unwrap();
    copy
}

/// The demo refuses the profile, says where and why, and leaves nothing.
#[track_caller]
fn refuses(data: &Data, profile: &Path, place: &str, what: &str, expected: &str) {
    let refused = demo(&data.path(), &["--json", "--profile", profile.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(text(&refused.stdout), "");
    let said = text(&refused.stderr);
    for part in [place, what, expected] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert!(!data.path().exists(), "state was made from a profile that was refused");
}

#[test]
fn a_resident_with_a_wrong_check_character_is_refused_with_file_line_and_column() {
    let data = Data::new();
    let mut right = ' ';
    let copy = copy_with(&data, "residents.csv", |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        right = lines[41].chars().nth(17).unwrap();
        let wrong = if right == '0' { "1" } else { "0" };
        lines[41].replace_range(17..18, wrong);
        lines.join("\n")
    });
    let place = format!("{}:42:1:", copy.join("residents.csv").display());
    refuses(&data, &copy, &place, "check character", &format!("expected {right}"));
}

#[test]
fn a_setting_of_the_wrong_kind_is_refused_with_file_line_and_column() {
    let data = Data::new();
    let (mut line, mut column) = (0, 0);
    let copy = copy_with(&data, "profile.toml", |text| {
        let setting = "id_retention_days = ";
        let found = text.lines().position(|line| line.starts_with(setting)).unwrap();
        (line, column) = (found + 1, setting.len() + 1);
        text.replacen(&format!("{setting}7"), &format!("{setting}\"seven\""), 1)
    });
    let place = format!("{}:{line}:{column}:", copy.join("profile.toml").display());
    refuses(&data, &copy, &place, "`id_retention_days`", "expected a whole number");
}

#[test]
fn a_refused_profile_spares_the_state_that_fresh_would_have_removed() {
    let data = Data::new();
    report(&demo(&data.path(), &["--json"]));
    let before = audited(&data);
    let copy = copy_with(&data, "city.toml", |text| format!("{text}\nno such [setting"));
    let refused = demo(&data.path(), &["--fresh", "--profile", copy.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("city.toml:"), "{}", text(&refused.stderr));
    assert_eq!(audited(&data), before);
}

#[test]
fn a_renamed_copy_of_the_profile_is_a_country_and_its_state_is_its_own() {
    let data = Data::new();
    let copy = copy_with(&data, "profile.toml", |text| {
        let (before, rest) = text.split_once("name = {").unwrap();
        let (_, after) = rest.split_once('}').unwrap();
        format!("{before}name = {{ zh = \"桃源\", en = \"Arcadia\" }}{after}")
    });
    let profile = copy.to_str().unwrap();
    let played = demo(&data.path(), &["--profile", profile]);
    assert_eq!(played.status.code(), Some(0), "{}{}", text(&played.stdout), text(&played.stderr));
    assert!(text(&played.stdout).contains("Arcadia"), "{}", text(&played.stdout));
    assert!(text(&played.stdout).contains("Every step did what it must."));
    fits_a_terminal(&text(&played.stdout));

    let other = demo(&data.path(), &["--json"]);
    assert_eq!(other.status.code(), Some(1), "another profile runs on this state");
    assert!(text(&other.stderr).contains("another profile"), "{}", text(&other.stderr));
}

/// Every line is at most as wide as a terminal, in which a Chinese character takes two columns.
#[track_caller]
fn fits_a_terminal(told: &str) {
    for line in told.lines() {
        assert!(textwrap::core::display_width(line) <= 80, "{line}");
    }
}

#[test]
fn the_story_is_told_in_chinese_and_its_report_has_the_same_names_in_every_language() {
    let data = Data::new();
    let told = demo(&data.path(), &["--lang", "zh"]);
    assert_eq!(told.status.code(), Some(0), "{}{}", text(&told.stdout), text(&told.stderr));
    let told = text(&told.stdout);
    fits_a_terminal(&told);
    for said in [
        " open-account 开立账户（居民，",
        "江城银行得知：",
        "她的钱包 → ",
        "各步骤均已按要求完成。",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_alphabetic()) && word.len() > 1;
    for line in told.lines() {
        let words: Vec<&str> = line.split([' ', ',', '.', ':']).collect();
        let english = words.windows(3).find(|words| words.iter().all(is_word));
        assert_eq!(english, None, "{line}");
    }

    let report = report(&demo(&data.path(), &["--json", "--lang", "zh"]));
    let step = &report["steps"].as_array().unwrap()[4];
    assert_eq!((&step["id"], &step["actor"]), (&json!("open-account"), &json!("resident")));
    let of_the_bank = step["learned"]["江城银行"].as_array().unwrap();
    assert!(of_the_bank.contains(&json!("wallet class")), "{step}");
    assert!(step["said"].as_str().unwrap().contains("她的钱包"), "{step}");
    assert_eq!(report["steps"][6]["moved"][1]["from"], "江城银行: digital vault");
    assert_eq!(report["steps"][6]["moved"][1]["to"], "her wallet");
}
