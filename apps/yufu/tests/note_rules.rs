//! A ledger that was opened before there were bearer notes gets them: an operator takes the profile with their rules
//! into the data folder, the central bank puts the version in force that has them, and sets the rules.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::notes::MintOf;
use support::{Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, changed_profile, run, text};
use yufu_engine::{Engine, Settings, SystemClock, decode_batch};
use yufu_log::{Head, SqliteLog, VerifiedRecords};
use yufu_machine::{Action, Machine, Submission};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const FUNDS: u64 = 100_000;

/// The profile as it was before there were notes.
fn without_notes(text: String) -> String {
    let (before, rest) = text.split_once("[bearer_notes]\n").unwrap();
    let (_, after) = rest.split_once("\n[").unwrap();
    format!("{before}[{after}")
}

/// The ledger as a program wrote it that knew the rules up to version 3: the same commands, under the same keys.
async fn grown_old(data: &Data) {
    let folder = data.log().parent().unwrap().to_owned();
    let old = folder.join("old.sqlite");
    {
        let (from, to) = (SqliteLog::open_read_only(&data.log()).unwrap(), SqliteLog::open(&old));
        let clock = Arc::new(SystemClock::new());
        let engine =
            Engine::start(Box::new(to.unwrap()), Machine::new(), clock, Settings::default());
        let engine = engine.unwrap();
        for record in VerifiedRecords::new(&from, Head::EMPTY) {
            let batch = decode_batch::<Machine>(&record.unwrap().payload).unwrap();
            let older = |command: &Submission| command.order.action.since() < 4;
            let next = |command: &Submission| {
                !matches!(command.order.action, Action::ActivateVersion { version: 4.. })
            };
            let kept = batch.commands.into_iter().filter(|c| older(c) && next(c)).collect();
            for applied in engine.handle().submit_all(kept).await.unwrap() {
                applied.outcome.unwrap();
            }
        }
        let _ = engine.shutdown();
    }
    for name in ["ledger", "history"] {
        for ending in ["sqlite", "sqlite-wal", "sqlite-shm"] {
            let _ = fs::remove_file(folder.join(format!("{name}.{ending}")));
        }
    }
    let _ = fs::remove_dir_all(folder.join("snapshots"));
    for ending in ["sqlite", "sqlite-wal", "sqlite-shm"] {
        let _ = fs::rename(
            folder.join(format!("old.{ending}")),
            folder.join(format!("ledger.{ending}")),
        );
    }
}

/// `yufu notes` on the folder: whether it went well, and what it said.
fn notes(data: &Data, arguments: &[&str]) -> (bool, String) {
    let folder = data.path();
    let output = run(&[&["notes"], arguments, &["--data", folder.to_str().unwrap()]].concat());
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

#[track_caller]
fn refused(data: &Data, arguments: &[&str], why: &str) {
    let (well, said) = notes(data, arguments);
    assert!(!well && said.contains(why), "{arguments:?}: {said}");
}

fn serve(data: &Data, profile: &Path) -> Server {
    Server::start_with(data, &["--profile", profile.to_str().unwrap()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_version_3_gets_rules_for_notes_from_its_operator_and_then_notes_are_swapped() {
    let data = Data::new();
    let old = changed_profile(&data, "old", without_notes);
    let new = changed_profile(&data, "new", |text| text);
    let other = changed_profile(&data, "other", |text| {
        text.replacen("valid_years = 10", "valid_years = 9", 1)
    });
    let (old_path, new_path) = (old.to_str().unwrap(), new.to_str().unwrap());
    let server = serve(&data, &old);
    server.terminate();
    assert!(server.ended().success());
    grown_old(&data).await;

    let server = serve(&data, &old);
    let caller = server.caller();
    assert_eq!(caller.get("/central-bank/v1/ledger", None).await.done()["version"], 3);
    let payer = caller.business(JIANGCHENG, FUNDS).await;
    let info = format!("/banks/{JIANGCHENG}/mint/v1/info");
    assert_eq!(caller.get(&info, None).await.status, 404, "there is no mint");
    let adopt = ["adopt", "--former", old_path, "--profile", new_path];
    refused(&data, &adopt, "another server runs on");
    refused(&data, &["allow", "--profile", old_path, "--url", &server.url], "no [bearer_notes]");
    server.terminate();
    assert!(server.ended().success());

    // The profile: nothing but the rules for notes may differ.
    let other = other.to_str().unwrap();
    refused(&data, &["adopt", "--former", old_path, "--profile", other], "in more than");
    refused(&data, &["adopt", "--former", new_path, "--profile", new_path], "was not made with");
    refused(&data, &["adopt", "--former", new_path, "--profile", old_path], "no [bearer_notes]");
    for _ in 0..2 {
        let (well, said) = notes(&data, &adopt);
        assert!(well && said.contains("yufu notes allow"), "{said}");
    }

    let server = serve(&data, &new);
    let caller = server.caller();
    let quote = format!("/banks/{JIANGCHENG}/mint/v1/mint/quote/bank");
    let asked = json!({"amount": 100, "unit": "cny"});
    caller.post(&quote, None, &asked).await.mint_refused("no rules yet", 20003);
    let allow = ["allow", "--profile", new_path, "--url", &server.url];
    refused(&data, &allow, "run this again with --activate");
    let elsewhere = Data::new();
    refused(&elsewhere, &allow, "does not hold the desk token of central-bank");
    let (well, said) = notes(&data, &[&allow[..], &["--activate"]].concat());
    assert!(well && said.contains("version 4") && said.contains("banks make notes"), "{said}");
    assert_eq!(caller.get("/central-bank/v1/ledger", None).await.done()["version"], 4);

    let mint = MintOf::at(&caller, JIANGCHENG).await;
    let held = mint.withdraw(&caller, &payer, &[64, 32, 4]).await;
    let blank = mint.blank(&[64, 32, 4]);
    let swapped = mint.swap(&caller, &held, &blank).await.done();
    mint.notes(&blank, &swapped["signatures"]);
    assert_eq!(caller.balance(&payer).await, FUNDS - 100);
    assert_eq!(caller.supply().await["digital_in_notes"], 100);
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_central_banks_desk_sets_rules_for_notes_and_none_that_let_nothing_through() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (path, desk) = ("/central-bank/v1/note-rules", caller.desk("central-bank"));
    let good = json!({"per_withdrawal_minor": 500, "per_day_minor": 900, "payees": ["I"], "least_promised": 0});
    caller.post(path, None, &good).await.refused("nobody", 401, "request.unauthenticated");
    let bank = caller.desk(JIANGCHENG);
    caller.post(path, Some(&bank), &good).await.refused("a bank", 401, "request.unauthenticated");
    for (case, member, value, code) in [
        ("nothing", "per_withdrawal_minor", json!(0), "notes.rules"),
        ("less in a day", "per_day_minor", json!(499), "notes.rules"),
        ("no such class", "payees", json!(["Z"]), "class.unknown"),
    ] {
        let mut rules = good.clone();
        rules[member] = value;
        caller.post(path, Some(&desk), &rules).await.refused(case, 422, code);
    }
    // Asked and paid for under the rules before.
    let payer = caller.business(LIANGHU, FUNDS).await;
    let mint = MintOf::at(&caller, LIANGHU).await;
    let asked = json!({"amount": 512, "unit": "cny"});
    let quote = mint.post(&caller, "mint/quote/bank", &asked).await.done();
    mint.fund(&caller, &payer, &quote).await.done();
    caller.post(path, Some(&desk), &good).await.done();
    let rules = caller.get("/central-bank/v1/keysets", None).await.done()["rules"].clone();
    assert_eq!(
        (&rules["per_withdrawal_minor"], &rules["per_day_minor"]),
        (&json!(500), &json!(900))
    );
    // They hold from the next command on.
    let minting = json!({"quote": quote["quote"], "outputs": mint.blank(&[512]).messages});
    mint.post(&caller, "mint/bank", &minting).await.mint_refused("above the new limit", 11006);
}

/// Longer than a mint goes by rules that it looked up.
async fn until_mints_look_again() {
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_rules_are_withdrawn_no_notes_are_made_and_those_that_are_out_are_as_good_as_before()
{
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, FUNDS).await;
    let mint = MintOf::at(&caller, JIANGCHENG).await;
    let held = mint.withdraw(&caller, &payer, &[64, 32, 4]).await;
    // Asked and paid for under the rules that go.
    let paid = mint.quote(&caller, 8).await;
    mint.fund(&caller, &payer, &paid).await.done();

    let forbid = ["forbid", "--url", &server.url];
    refused(&Data::new(), &forbid, "does not hold the desk token of central-bank");
    refused(&data, &["forbid", "--url", "http://127.0.0.1:1"], "127.0.0.1:1 did not answer");
    let path = "/central-bank/v1/note-rules/withdraw";
    for desk in [None, Some(caller.desk(JIANGCHENG))] {
        let nobody = caller.post(path, desk.as_deref(), &json!({})).await;
        nobody.refused("not its desk", 401, "request.unauthenticated");
    }
    let (well, said) = notes(&data, &forbid);
    assert!(well && said.contains("banks make no notes from now on"), "{said}");
    assert!(said.contains("1.00 CNY is out in notes"), "{said}");
    let (well, said) = notes(&data, &forbid);
    assert!(well && said.contains("no rules for bearer notes on this ledger"), "{said}");

    until_mints_look_again().await;
    let quote = json!({"amount": 8, "unit": "cny"});
    mint.post(&caller, "mint/quote/bank", &quote).await.mint_refused("no rules", 20003);
    let info = caller.get(&mint.path("info"), None).await.done();
    assert_eq!(info["nuts"]["4"]["disabled"], true);
    let eight = mint.blank(&[8]);
    let minting = json!({"quote": paid["quote"], "outputs": eight.messages});
    mint.post(&caller, "mint/bank", &minting).await.mint_refused("no rules", 20003);
    // What is out changes hands and comes back.
    let halves = mint.blank(&[32, 32]);
    let swapped = mint.swap(&caller, &held[..1], &halves).await.done();
    let halves = mint.notes(&halves, &swapped["signatures"]);
    let back = mint.melt_quote(&caller, &payer, 32).await;
    mint.melt(&caller, &back, &held[1..2]).await.done();
    assert_eq!(caller.supply().await["digital_in_notes"], 68);

    let (well, said) = notes(&data, &["allow", "--url", &server.url]);
    assert!(well, "{said}");
    until_mints_look_again().await;
    mint.swap(&caller, &halves, &mint.blank(&[64])).await.done();
    mint.post(&caller, "mint/quote/bank", &quote).await.done();
    // What was paid for was not lost meanwhile.
    let made = mint.post(&caller, "mint/bank", &minting).await.done();
    mint.notes(&eight, &made["signatures"]);
    assert_eq!(caller.supply().await["digital_in_notes"], 76);
    assert_eq!(caller.balance(&payer).await, FUNDS - 76);
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_registered_payees_alone_redeem_others_hand_notes_on_and_rules_stay_while_any_are_out()
 {
    let data = Data::new();
    let profile = changed_profile(&data, "alone", |text| {
        text.replacen("payees = [\"I\"]", "payees_alone = true\npayees = [\"I\"]", 1)
    });
    let server = serve(&data, &profile);
    let caller = server.caller();
    let shop = caller.business(JIANGCHENG, FUNDS).await;
    let mut mei = Resident::identified(&caller, 7).await;
    let mei = mei.open_account(&caller, FUNDS).await;
    let mint = MintOf::at(&caller, JIANGCHENG).await;
    let held = mint.withdraw(&caller, &mei, &[64, 32]).await;
    let published = caller.get("/central-bank/v1/keysets", None).await.done();
    let kinds = published["keysets"].as_array().unwrap().iter();
    assert!(kinds.clone().count() > 0 && kinds.clone().all(|k| k["registered_payees"] == true));
    // From hand to hand, and into no account but a payee's.
    let blank = mint.blank(&[64]);
    let swapped = mint.swap(&caller, &held[..1], &blank).await.done();
    let handed = mint.notes(&blank, &swapped["signatures"]);
    let own = mint.melt_quote(&caller, &mei, 64).await;
    let told = mint.melt(&caller, &own, &handed).await.mint_refused("no payee", 20004);
    assert!(told["detail"].as_str().unwrap().contains("notes.not_registered_payee"), "{told}");
    let forbid = ["forbid", "--url", &server.url];
    refused(&data, &forbid, "notes.payees_needed");
    for notes in [&handed[..], &held[1..]] {
        let worth = notes.iter().map(|note| note.amount).sum();
        let quote = mint.melt_quote(&caller, &shop, worth).await;
        mint.melt(&caller, &quote, notes).await.done();
    }
    assert_eq!(caller.balance(&shop).await, FUNDS + 96);
    let (well, said) = notes(&data, &forbid);
    assert!(well && !said.contains("is out in notes"), "{said}");
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_ledger_with_other_notes_those_go_to_anybody_still_and_what_they_become_to_payees_alone()
 {
    let data = Data::new();
    let anyone = changed_profile(&data, "anyone", |text| text);
    let alone = changed_profile(&data, "alone", |text| {
        text.replacen("payees = [\"I\"]", "payees_alone = true\npayees = [\"I\"]", 1)
    });
    let server = serve(&data, &anyone);
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let caller = server.caller();
    let shop = caller.business(JIANGCHENG, FUNDS).await;
    let mut mei = Resident::identified(&caller, 7).await;
    let mei = mei.open_account(&caller, FUNDS).await;
    let before = MintOf::at(&caller, JIANGCHENG).await;
    let older = before.withdraw(&caller, &mei, &[64, 32, 16, 8]).await;
    server.terminate();
    assert!(server.ended().success());

    let (anyone, alone) = (anyone.to_str().unwrap(), alone.to_str().unwrap());
    let (well, said) = notes(&data, &["adopt", "--former", anyone, "--profile", alone]);
    assert!(well, "{said}");
    let profile = ["--profile", alone];
    let server = Server::start_at_with(&data, port, &profile);
    // The bank's own: the older keyset signs nothing any more, and stands beside the one for payees.
    let mint = payees_mint(&caller).await;
    assert_ne!(mint.keyset.id, before.keyset.id);
    let newer = mint.withdraw(&caller, &mei, &[4]).await;
    let stale = mint.swap(&caller, &older[3..], &before.blank(&[8])).await;
    stale.mint_refused("the older keyset signs no more", 12002);

    // Older notes go into anybody's account still; the newer ones do not, nor both together.
    let own = mint.melt_quote(&caller, &mei, 64).await;
    mint.melt(&caller, &own, &older[..1]).await.done();
    let both = [&older[1..2], &newer[..]].concat();
    for (case, notes, code) in [("newer", &newer[..], 20004), ("both kinds", &both[..], 11009)] {
        let worth = notes.iter().map(|note| note.amount).sum();
        let own = mint.melt_quote(&caller, &mei, worth).await;
        mint.melt(&caller, &own, notes).await.mint_refused(case, code);
    }
    // Changed, they are as the newer ones are.
    let blank = mint.blank(&[32]);
    let swapped = mint.swap(&caller, &older[1..2], &blank).await.done();
    let changed = mint.notes(&blank, &swapped["signatures"]);
    let own = mint.melt_quote(&caller, &mei, 32).await;
    let told = mint.melt(&caller, &own, &changed).await.mint_refused("changed", 20004);
    assert!(told["detail"].as_str().unwrap().contains("notes.not_registered_payee"), "{told}");
    // A payee takes either, one kind after the other.
    for notes in [&older[2..3], &changed[..], &newer[..]] {
        let worth = notes.iter().map(|note| note.amount).sum();
        let quote = mint.melt_quote(&caller, &shop, worth).await;
        mint.melt(&caller, &quote, notes).await.done();
    }
    assert_eq!(caller.balance(&shop).await, FUNDS + 16 + 32 + 4);
    assert_eq!(caller.balance(&mei).await, FUNDS - 64 - 32 - 16 - 8 - 4 + 64);
    assert_eq!(caller.supply().await["digital_in_notes"], 8);
    assert_eq!(caller.supply().await["balanced"], true);
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}

/// The bank's mint by the keyset that signs for registered payees alone, once that is there.
async fn payees_mint(caller: &Caller) -> MintOf {
    for _ in 0..100 {
        let keys = caller.get(&format!("/banks/{JIANGCHENG}/mint/v1/keys"), None).await.done();
        let known = caller.get("/central-bank/v1/keysets", None).await.done();
        let bound = known["keysets"].as_array().unwrap().iter().any(|one| {
            one["bank"] == JIANGCHENG && one["registered_payees"] == true && one["active"] == true
        });
        let found = keys["keysets"].as_array().unwrap();
        if bound && found.len() == 1 {
            return MintOf::at(caller, JIANGCHENG).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no keyset for registered payees")
}
