//! `yufu log inspect` and `yufu log verify`.
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
use std::path::PathBuf;
use support::{Data, JIANGCHENG, LIANGHU, Server, run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// A ledger of some payments, one of them refused, with snapshots and checkpoints.
async fn played() -> Data {
    let data = Data::new();
    let server = Server::start_with(&data, &["--snapshot-records", "5"]);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, 1_000).await;
    let payee = caller.business(LIANGHU, 0).await;
    for number in 0..20 {
        let minor = if number == 10 { 999_999 } else { 1 };
        let order = payer.order(payee.id, minor, caller.id());
        let _ = caller.pay(&payer, &order).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    server.terminate();
    assert!(server.ended().success());
    data
}

fn log(data: &Data, arguments: &[&str]) -> (Option<i32>, String, String) {
    let path = data.path();
    let output = run(&[&["log"], arguments, &["--data", path.to_str().unwrap()]].concat());
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn records(data: &Data, arguments: &[&str]) -> Vec<Value> {
    let (code, out, err) = log(data, &[&["inspect", "--json"], arguments].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn snapshots(data: &Data) -> Vec<PathBuf> {
    let folder = data.path().join("central-bank/snapshots");
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_listed_with_what_their_commands_came_to_and_without_keys() {
    let data = played().await;
    let all = records(&data, &[]);
    assert!(all.len() > 20, "{} records", all.len());
    assert!(all.iter().enumerate().all(|(at, record)| record["seq"] == at + 1));
    let commands: Vec<&Value> =
        all.iter().flat_map(|record| record["commands"].as_array().unwrap()).collect();
    assert_eq!(commands[0]["kind"], "genesis");
    let of = |kind: &str| commands.iter().filter(|one| one["kind"] == kind).count();
    assert_eq!(of("open_wallet"), 2);
    let paid = |refused: Value| {
        let is = |one: &&&Value| one["kind"] == "pay" && one["refused"] == refused;
        commands.iter().filter(is).count()
    };
    assert_eq!(paid(Value::Null), 19);
    assert_eq!(paid("transfer.insufficient_funds".into()), 1);
    assert!(all.iter().any(|record| record["marked"] == true));
    assert!(all.iter().any(|record| record["checkpoint"]["seq"].is_u64()), "a checkpoint");
    // From the middle on it is the same, though replayed from a snapshot.
    let from = all.len() - 3;
    assert_eq!(records(&data, &["--from", &(from + 1).to_string()]), all[from..]);
    let one = records(&data, &["--from", "2", "--count", "1"]);
    assert_eq!(one, all[1..2]);
    let (code, said, _) = log(&data, &["inspect"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("bank-of-jiangcheng pay: amount_minor 1, payee "), "{said}");
    assert!(said.contains("(transfer.insufficient_funds)"), "{said}");
    let key = fs::read_to_string(data.path().join("central-bank/keys/desk.token")).unwrap();
    assert!(!said.contains(key.trim()) && !said.contains("signature"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_log_verifies_and_what_was_touched_is_named() {
    let data = played().await;
    let (code, said, err) = log(&data, &["verify"]);
    assert_eq!(code, Some(0), "{said}{err}");
    assert!(said.contains("everything is as it was written"), "{said}");
    assert!(said.contains("snapshots   2"), "{said}");
    assert!(!said.contains("checkpoints 0"), "{said}");

    let refused = |part: &str| {
        let (code, said, err) = log(&data, &["verify"]);
        assert_eq!((code, said.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains(part), "{part:?} is not in {err}");
    };
    let newest = snapshots(&data).pop().unwrap();
    let good = fs::read(&newest).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(&newest, &flipped).unwrap();
    refused("is damaged");
    fs::write(&newest, &good).unwrap();
    let change = |sql: &str| {
        assert_eq!(Connection::open(data.log()).unwrap().execute(sql, ()).unwrap(), 1);
    };
    change("UPDATE record SET epoch = epoch + 1 WHERE seq = 7");
    refused("record 7 was altered or moved");
    change("UPDATE record SET epoch = epoch - 1 WHERE seq = 7");
    assert_eq!(log(&data, &["verify"]).0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_cut_off_behind_its_newest_snapshot_is_neither_verified_nor_served() {
    let data = played().await;
    let newest = snapshots(&data).pop().unwrap();
    let seq: i64 = newest.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let sql = "DELETE FROM record WHERE seq >= ?1";
    assert!(Connection::open(data.log()).unwrap().execute(sql, [seq]).unwrap() > 0);
    let (code, _, err) = log(&data, &["verify"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("cut off or rewritten"), "{err}");
    let path = data.path();
    let served = run(&["serve", "--listen", "127.0.0.1:0", "--data", path.to_str().unwrap()]);
    let said = text(&served.stderr);
    assert_eq!(served.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("does not lead through record {seq}")), "{said}");
}
