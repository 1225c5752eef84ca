//! `yufu backup` of a folder in use and `yufu restore`: the same state, or nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server, run, text};
use yufu_base::{AccountId, CommandId};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const FUNDS: u64 = 10_000_000;

fn backup(data: &Data, to: &Path, more: &[&str]) -> Output {
    let (data, to) = (data.path(), to.to_str().unwrap());
    run(&[&["backup", "--data", data.to_str().unwrap(), "--to", to], more].concat())
}

fn restore(from: &Path, to: &Path, more: &[&str]) -> Output {
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    run(&[&["restore", "--from", from, "--to", to], more].concat())
}

#[track_caller]
fn well(output: &Output) -> String {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    out
}

/// What follows `name` on its line.
fn line<'a>(said: &'a str, name: &str) -> &'a str {
    let found = said.lines().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_else(|| panic!("{name} is not in {said}")).trim()
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

/// Pays 1 again and again until told to stop; the ids of what was answered.
async fn pay(
    caller: Caller,
    payer: Account,
    payee: AccountId,
    on: Arc<AtomicBool>,
) -> Vec<CommandId> {
    let mut paid = Vec::new();
    while on.load(Ordering::Relaxed) {
        let id = caller.id();
        caller.pay(&payer, &payer.order(payee, 1, id)).await.unwrap().done();
        paid.push(id);
    }
    paid
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_amid_payments_is_restored_to_its_state_and_served() {
    let data = Data::new();
    let server = Server::start_with(&data, &["--snapshot-records", "15"]);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, FUNDS).await;
    let payee = caller.business(LIANGHU, 0).await;
    let on = Arc::new(AtomicBool::new(true));
    let before = pay(caller.clone(), payer.clone(), payee.id, Arc::clone(&on));
    let stop = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        on.store(false, Ordering::Relaxed);
    };
    let (before, ()) = tokio::join!(before, stop);
    on.store(true, Ordering::Relaxed);
    let during = tokio::spawn(pay(caller, payer.clone(), payee.id, Arc::clone(&on)));
    let to = data.beside("backup");
    let made = tokio::task::spawn_blocking(move || {
        let made = well(&backup(&data, &to, &["--with-keys"]));
        (data, to, made)
    });
    let (data, to, made) = made.await.unwrap();
    on.store(false, Ordering::Relaxed);
    assert!(!during.await.unwrap().is_empty(), "payments went on meanwhile");
    server.kill();

    let restored = Data::new();
    let said = well(&restore(&to, &restored.path(), &[]));
    for what in ["head", "state hash"] {
        assert_eq!(line(&said, what), line(&made, what));
    }
    let audited = run(&["audit", "--json", "--data", restored.path().to_str().unwrap()]);
    let report: Value = serde_json::from_str(&well(&audited)).unwrap();
    assert_eq!(report["state_hash"], line(&said, "state hash"));
    assert!(
        files(&restored.path()).iter().any(|file| file.extension() == Some("snapshot".as_ref()))
    );

    let again = Server::start(&restored);
    let caller = again.caller();
    for id in &before {
        assert_eq!(caller.payment(&payer, *id).await.done()["state"], "settled");
    }
    let had = caller.balance(&payee).await;
    assert!(had >= u64::try_from(before.len()).unwrap(), "{had} of {}", before.len());
    assert_eq!(caller.balance(&payer).await, FUNDS - had);
    let more = payer.order(payee.id, 7, caller.id());
    caller.pay(&payer, &more).await.unwrap().done();
    assert_eq!(caller.balance(&payee).await, had + 7);
    assert_eq!(caller.supply().await["balanced"], true);
    again.kill();
    drop(data);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_copied_only_if_asked_for_and_brought_back_from_where_they_are() {
    let data = Data::new();
    let server = Server::start(&data);
    let payer = server.caller().business(JIANGCHENG, FUNDS).await;
    server.terminate();
    server.ended();
    let (state, keys) = (data.beside("state-only"), data.beside("keys-only"));
    let said = well(&backup(&data, &state, &[]));
    assert!(said.contains("--only-keys"), "{said}");
    well(&backup(&data, &keys, &["--only-keys"]));
    let is_key = |path: &PathBuf| {
        path.ends_with("person-keys.sqlite")
            || path.components().any(|part| part.as_os_str() == "keys")
    };
    assert!(!files(&state).iter().any(is_key), "no key is where none was asked for");
    let of_keys = files(&keys);
    let (all_keys, others): (Vec<_>, Vec<_>) = of_keys.iter().partition(|path| is_key(path));
    assert!(all_keys.len() > 20, "{of_keys:?}");
    assert_eq!(others, [&keys.join("manifest.json")]);
    #[cfg(unix)]
    for file in files(&state).union(&of_keys) {
        use std::os::unix::fs::PermissionsExt;
        let below = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
        let closed = below(file) == 0 || below(file.parent().unwrap()) == 0;
        assert!(closed, "{} is open to others", file.display());
    }

    let alone = restore(&keys, &data.beside("nothing"), &[]);
    assert_eq!(alone.status.code(), Some(1));
    assert!(text(&alone.stderr).contains("--keys"), "{}", text(&alone.stderr));
    let restored = Data::new();
    well(&restore(&state, &restored.path(), &["--keys", keys.to_str().unwrap()]));
    let again = Server::start(&restored);
    assert_eq!(again.caller().balance(&payer).await, FUNDS);
}

#[test]
fn what_is_not_as_it_was_copied_is_refused_and_leaves_nothing() {
    let data = Data::new();
    let server = Server::start(&data);
    server.terminate();
    server.ended();
    let good = data.beside("good");
    well(&backup(&data, &good, &["--with-keys"]));
    let target = data.beside("target");
    let refused = |from: &Path, part: &str| {
        let output = restore(from, &target, &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(part), "{part:?} is not in {said}");
        assert!(!target.exists(), "{said}");
    };
    for path in ["central-bank/ledger.sqlite", "bank-of-lianghu/onboarding.sqlite", "profile"] {
        let path = good.join(path);
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        fs::write(&path, flipped).unwrap();
        refused(&good, "is not what was backed up");
        fs::write(&path, bytes).unwrap();
    }
    let path = good.join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    let mut told: Value = serde_json::from_str(&manifest).unwrap();
    told["ledger"]["state_hash"] = "00".repeat(32).into();
    fs::write(&path, told.to_string()).unwrap();
    refused(&good, "nothing was restored");
    let outside = manifest.replace("\"profile\"", "\"../profile\"");
    assert_ne!(outside, manifest);
    fs::write(&path, outside).unwrap();
    refused(&good, "not below the backup");
    fs::write(&path, manifest.replace("\"format\": 1", "\"format\": 2")).unwrap();
    refused(&good, "use the build that made it");
    fs::remove_file(&path).unwrap();
    refused(&good, "is this a backup?");
    fs::write(&path, manifest).unwrap();
    fs::remove_file(good.join("profile")).unwrap();
    refused(&good, "cannot be read");
}

#[test]
fn nothing_that_is_there_is_written_over() {
    let data = Data::new();
    let server = Server::start(&data);
    let taken = data.beside("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("thesis.txt"), "precious").unwrap();
    let cases = [
        backup(&data, &taken, &[]),
        restore(&data.beside("no-backup"), &taken, &[]),
        restore(&data.beside("no-backup"), &data.path(), &[]),
    ];
    for output in cases {
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("name another folder"), "{said}");
    }
    assert_eq!(fs::read_to_string(taken.join("thesis.txt")).unwrap(), "precious");
    let nowhere = Data::new();
    let none = backup(&nowhere, &data.beside("empty"), &[]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("--data"), "{}", text(&none.stderr));
    drop(server);
}
