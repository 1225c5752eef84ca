//! `old_records`: what no start needs any more leaves the log, while it is in use; audit, verification, backup,
//! restore and the next start do what they did.
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
use std::path::Path;
use support::{Caller, Data, JIANGCHENG, LIANGHU, Server, run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// Twenty payments with a snapshot after every fifth record.
async fn played(what: &str) -> (Data, u64) {
    let data = Data::new();
    let server = Server::start_with(&data, &["--snapshot-records", "5", "--old-records", what]);
    let paid = pay(&server.caller(), &data).await;
    server.terminate();
    assert!(server.ended().success());
    (data, paid)
}

/// Payments until records have left the log; what the payee has then.
async fn pay(caller: &Caller, data: &Data) -> u64 {
    let payer = caller.business(JIANGCHENG, 1_000).await;
    let payee = caller.business(LIANGHU, 0).await;
    let before = first(data);
    let mut paid = 0;
    while paid < 20 || (first(data) == before && paid < 600) {
        let order = payer.order(payee.id, 1, caller.id());
        caller.pay(&payer, &order).await.unwrap().done();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        paid += 1;
    }
    assert!(first(data) > before, "nothing left the log after {paid} payments");
    caller.balance(&payee).await
}

/// The first record that is in the log.
fn first(data: &Data) -> i64 {
    let log = Connection::open(data.log()).unwrap();
    log.query_row("SELECT min(seq) FROM record", (), |row| row.get(0)).unwrap()
}

/// A command on a data folder: whether it ended well, and all that it said.
fn on(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = run(&[arguments, &["--data", folder.to_str().unwrap()]].concat());
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

/// What follows a name on its line.
fn line(said: &str, name: &str) -> String {
    let found = said.lines().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_else(|| panic!("{name} is not in {said}")).trim().to_owned()
}

fn restored(data: &Data) -> Data {
    let (backup, other) = (data.beside("backup"), Data::new());
    let (well, said) =
        on(&data.path(), &["backup", "--with-keys", "--to", backup.to_str().unwrap()]);
    assert!(well, "{said}");
    let (from, to) = (backup.to_str().unwrap(), other.path());
    let output = run(&["restore", "--from", from, "--to", to.to_str().unwrap()]);
    let again = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{again}");
    assert_eq!(line(&again, "state hash"), line(&said, "state hash"));
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_records_and_the_log_are_audited_verified_and_restored_as_one() {
    let (data, paid) = played("archive").await;
    let parts = fs::read_dir(data.path().join("central-bank/archive")).unwrap().count();
    assert!(parts > 0, "the archive is empty");
    let (well, verified) = on(&data.path(), &["log", "verify"]);
    assert!(well && !verified.contains("pruned"), "{verified}");
    let (well, audited) = on(&data.path(), &["audit", "--json"]);
    let report: Value = serde_json::from_str(&audited).unwrap();
    assert!(well && report["ok"] == true, "{audited}");
    assert_eq!(report["records"].to_string(), line(&verified, "records"));
    assert_eq!(report["state_hash"], line(&verified, "state hash"));
    let (well, listed) = on(&data.path(), &["log", "inspect", "--from", "1", "--count", "1"]);
    assert!(well && listed.contains("genesis"), "{listed}");

    let other = restored(&data);
    let (well, again) = on(&other.path(), &["audit", "--json"]);
    assert!(well && again == audited, "{again}");
    let server = Server::start_with(&other, &["--snapshot-records", "5"]);
    let total = server.caller().supply().await["digital_in_wallets"].as_u64().unwrap();
    assert!(total >= paid, "{total} in wallets");
    pay_once(&server.caller()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_old_records_were_removed_starts_verifies_and_is_backed_up_from_its_snapshots()
{
    let (data, _) = played("remove").await;
    assert!(!data.path().join("central-bank/archive").exists());
    let (well, verified) = on(&data.path(), &["log", "verify"]);
    assert!(well, "{verified}");
    assert!(verified.contains("which a snapshot vouches for"), "{verified}");
    let (well, audited) = on(&data.path(), &["audit"]);
    assert!(!well, "an audit without the first records cannot say that everything agrees");
    let from = format!("the log begins at record {}", first(&data));
    assert!(audited.contains(&from), "{audited}");

    let other = restored(&data);
    let server = Server::start(&other);
    pay_once(&server.caller()).await;
    server.terminate();
    assert!(server.ended().success());
    let (well, verified) = on(&other.path(), &["log", "verify"]);
    assert!(well, "{verified}");
    // Without snapshots it cannot be started, and says what is missing.
    fs::remove_dir_all(other.path().join("central-bank/snapshots")).unwrap();
    let (well, said) = on(&other.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!well && said.contains(&from), "{said}");
}

async fn pay_once(caller: &Caller) {
    let (payer, payee) = (caller.business(JIANGCHENG, 10).await, caller.business(LIANGHU, 0).await);
    let order = payer.order(payee.id, 7, caller.id());
    caller.pay(&payer, &order).await.unwrap().done();
    assert_eq!(caller.balance(&payee).await, 7);
}
