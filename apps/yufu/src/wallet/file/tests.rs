//! The rules of a wallet's file.

use super::*;
use crate::wallet::contents::{StoredAccount, StoredKey};
use yufu_jose::SoftwareKey;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn phrase() -> Passphrase {
    Passphrase::cheap("correct horse")
}

fn open(folder: &Path, text: &str, now: Timestamp) -> Result<WalletFile, WalletFault> {
    WalletFile::open(&Place::new(folder, "mei").unwrap(), &Passphrase::cheap(text), now)
}

fn account() -> StoredAccount {
    let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
    StoredAccount {
        bank: "b".to_owned(),
        country: None,
        account: "a".to_owned(),
        class: "III".to_owned(),
        key: StoredKey::of(&key).unwrap(),
    }
}

#[test]
fn a_wallet_is_found_as_it_was_left_encrypted_and_by_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut wallet = open(folder.path(), "correct horse", NOW).unwrap();
    wallet.contents.accounts.push(account());
    wallet.save().unwrap();
    drop(wallet);
    assert_eq!(open(folder.path(), "correct horse", NOW).unwrap().contents.accounts.len(), 1);
    let path = folder.path().join("mei.wallet");
    let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
    assert!(!text.contains("accounts") && !text.contains("III"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_wrong_passphrase_waits_longer_each_time_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), "correct horse", NOW).unwrap());
    let mut now = NOW;
    for wait in [1, 2, 4] {
        let wrong = open(folder.path(), "wrong horse", now).err().unwrap();
        assert_eq!(wrong.code(), "wallet.passphrase_wrong");
        // Every opening is a new start: nothing is remembered but the file.
        let early = open(folder.path(), "correct horse", now).err().unwrap();
        assert!(matches!(early, WalletFault::Wait { seconds, .. } if seconds == wait), "{early}");
        now = now.plus_seconds(wait);
    }
    drop(open(folder.path(), "correct horse", now).unwrap());
    assert!(open(folder.path(), "correct horse", now).is_ok(), "the count was not forgotten");
}

#[test]
fn one_process_at_a_time_holds_a_wallet() {
    let folder = tempfile::tempdir().unwrap();
    let held = open(folder.path(), "correct horse", NOW).unwrap();
    assert_eq!(open(folder.path(), "correct horse", NOW).err().unwrap().code(), "wallet.in_use");
    drop(held);
    assert!(open(folder.path(), "correct horse", NOW).is_ok());
}

#[test]
fn a_plain_wallet_is_refused_until_it_is_protected() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), "mei").unwrap();
    let none = WalletFile::protect(&place, &phrase()).err().unwrap();
    assert_eq!(none.code(), "wallet.not_plain");
    let plain = Contents { accounts: vec![account()], ..Contents::default() };
    fs::write(folder.path().join("mei.json"), serde_json::to_vec(&plain).unwrap()).unwrap();
    let refused = open(folder.path(), "correct horse", NOW).err().unwrap();
    assert_eq!(refused.code(), "wallet.plain");
    assert!(refused.to_string().contains("yufu wallet --as mei protect"), "{refused}");
    drop(WalletFile::protect(&place, &phrase()).unwrap());
    assert!(!folder.path().join("mei.json").exists());
    assert_eq!(open(folder.path(), "correct horse", NOW).unwrap().contents.accounts.len(), 1);
    let twice = WalletFile::protect(&place, &phrase()).err().unwrap();
    assert_eq!(twice.code(), "wallet.exists");
}

#[test]
fn a_damaged_wallet_is_not_replaced_and_a_name_stays_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mei.wallet"), "{torn").unwrap();
    assert_eq!(open(folder.path(), "correct horse", NOW).err().unwrap().code(), "wallet.damaged");
    assert_eq!(fs::read(folder.path().join("mei.wallet")).unwrap(), b"{torn");
    for name in ["", "../x", "a/b", "Ä"] {
        assert_eq!(Place::new(folder.path(), name).err().unwrap().code(), "wallet.name", "{name}");
    }
}

#[test]
fn a_crash_while_writing_leaves_the_old_wallet() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), "correct horse", NOW).unwrap());
    fs::write(folder.path().join("mei.new"), "{half of a wal").unwrap();
    assert!(open(folder.path(), "correct horse", NOW).is_ok());
}

#[test]
fn a_new_file_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thesis.txt");
    fs::write(&path, "precious").unwrap();
    assert_eq!(write_new(&path, b"x").err().unwrap().code(), "wallet.file_exists");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}
