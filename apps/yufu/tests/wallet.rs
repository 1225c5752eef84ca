//! The wallet's commands as another process runs them: passphrases, waits, locks, files.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;
use yufu::wallet::{Holder, Passphrase};
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey};

const RIGHT: &str = Passphrase::OF_THE_DEMO;

/// A data folder with the wallet `mei`, far from any city.
struct Data(TempDir);

impl Data {
    fn new() -> Self {
        let data = Self(tempfile::tempdir().unwrap());
        let jwk = serde_json::to_vec(&Jwk::from(key().public_key())).unwrap();
        std::fs::write(data.path("trust-list-key.json"), jwk).unwrap();
        std::fs::create_dir(data.path("wallets")).unwrap();
        drop(data.open());
        data
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self) -> Holder {
        let (folder, phrase) = (self.path("wallets"), Passphrase::of_the_demo());
        Holder::open(&folder, "mei", &phrase, "http://localhost:1", key().public_key()).unwrap()
    }

    /// `yufu wallet` with a passphrase from the environment, or none.
    fn wallet(&self, passphrase: Option<&str>, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yufu"));
        command.arg("wallet").arg("--data").arg(self.0.path()).args(arguments);
        command.env("YUFU_LANG", "en");
        command.env_remove("YUFU_WALLET_PASSPHRASE").stdin(Stdio::null());
        if let Some(passphrase) = passphrase {
            command.env("YUFU_WALLET_PASSPHRASE", passphrase);
        }
        command.output().unwrap()
    }
}

fn key() -> SoftwareKey {
    SoftwareKey::from_seed(&[1; 32]).unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

fn refused(output: &Output, why: &str) {
    assert!(!output.status.success(), "{}", said(output));
    assert!(said(output).contains(why), "{}", said(output));
}

fn events(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", said(output));
    let entries: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn without_a_terminal_the_passphrase_comes_from_the_environment_or_not_at_all() {
    let data = Data::new();
    let history = ["--as", "mei", "history"];
    refused(&data.wallet(None, &history), "set YUFU_WALLET_PASSPHRASE");
    refused(&data.wallet(Some("short"), &history), "8 characters or more");
    assert!(data.wallet(Some(RIGHT), &history).status.success());
}

#[test]
fn an_address_without_tls_is_not_opened() {
    let data = Data::new();
    for url in ["http://city.example", "ftp://localhost", "city"] {
        let run = ["--as", "mei", "--url", url, "show"];
        refused(&data.wallet(Some(RIGHT), &run), "--url");
    }
}

#[test]
fn a_wrong_passphrase_delays_the_next_process() {
    let data = Data::new();
    let history = ["--as", "mei", "history"];
    refused(&data.wallet(Some("wrong horse"), &history), "does not open the wallet");
    // Wrong again, after the wait, so that the next wait outlasts the start of a process.
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        refused(&data.wallet(Some("wrong horse"), &history), "does not open the wallet");
    }
    refused(&data.wallet(Some(RIGHT), &history), "wrong 3 times in a row");
}

#[test]
fn a_wallet_in_use_is_left_alone() {
    let data = Data::new();
    let held = data.open();
    refused(&data.wallet(Some(RIGHT), &["--as", "mei", "history"]), "in use by another process");
    drop(held);
    assert!(data.wallet(Some(RIGHT), &["--as", "mei", "history"]).status.success());
}

#[test]
fn backup_restore_and_export_write_new_files_only() {
    let data = Data::new();
    let (backup, export) = (data.path("mei.backup"), data.path("mei.json"));
    let (backup, export) = (backup.to_str().unwrap(), export.to_str().unwrap());
    let run = |arguments: &[&str]| data.wallet(Some(RIGHT), arguments);
    assert!(run(&["--as", "mei", "backup", backup]).status.success());
    refused(&run(&["--as", "mei", "backup", backup]), "is not overwritten");
    refused(&run(&["--as", "mei", "restore", backup]), "it was not touched");
    assert!(run(&["--as", "copy", "restore", backup]).status.success());
    // What was done after the backup was written is not in it.
    assert_eq!(events(&run(&["--as", "copy", "history", "--json"])), ["restored"]);
    assert_eq!(events(&run(&["--as", "mei", "history", "--json"])), ["backed_up"]);
    assert!(run(&["--as", "mei", "export", export]).status.success());
    refused(&run(&["--as", "mei", "export", export]), "is not overwritten");
    let exported: Value = serde_json::from_slice(&std::fs::read(export).unwrap()).unwrap();
    assert_eq!(exported["format"], "yufu-wallet-history");
    refused(&run(&["--as", "other", "restore", "/nowhere/mei.backup"]), "/nowhere/mei.backup");
    refused(&run(&["--as", "other", "restore", export]), "damaged");
}
