//! Opening an account: only what the wallet began itself, and a crash on the way loses no key.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use std::fs;
use support::{Data, JIANGCHENG, Resident, Server, begin_opening};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_open_an_account_that_was_begun_elsewhere_is_refused() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut victim = Resident::identified(&caller, 5).await;
    let left = victim.wallet.credentials_left();
    let (link, opening) = begin_opening(&caller).await;

    let refused = victim.wallet.present(&link, &mut |_| true).await.unwrap_err().to_string();
    assert!(refused.contains("not begun in this wallet"), "{refused}");
    assert_eq!(victim.wallet.credentials_left(), left, "nothing was shown");
    let path = format!("/banks/{JIANGCHENG}/v1/openings/{opening}");
    assert_eq!(caller.get(&path, None).await.done()["state"], "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_opening_was_cut_off_in_the_wallet_is_taken_up_with_its_key() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = Resident::identified(&caller, 5).await;
    let folder = data.path().join("wallets");
    let file = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "wallet"))
        .unwrap();

    // The file as it lies on the disk when the wallet stops between the consent and the bank's answer.
    let mut left_behind = Vec::new();
    let mut agree = |_: &_| {
        left_behind = fs::read(&file).unwrap();
        true
    };
    let opened = resident.wallet.open_account(JIANGCHENG, "III", &mut agree).await.unwrap();
    let whole = resident.file();
    drop(resident);
    fs::write(&file, left_behind).unwrap();

    let mut again = Resident::of(&caller, 5);
    assert!(again.wallet.first_account().is_none(), "the wallet stopped before it heard");
    again.wallet.settle_openings().await.unwrap();
    assert_eq!(again.wallet.first_account().unwrap(), (JIANGCHENG, opened.account.as_str()));
    let key = |contents: &Value| contents["accounts"][0]["key"].clone();
    assert_eq!(key(&again.file()), key(&whole));
    assert!(!again.wallet.accounts().await.unwrap().is_empty(), "the key opens the account");
}
