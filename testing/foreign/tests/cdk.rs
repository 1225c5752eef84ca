//! Wallets of the crate `cdk`, as it comes from its registry, hold notes of the running banks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod city;
mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use city::{City, FUNDS, key};
use serde_json::{Value, json};
use std::process::Command;
use support::notes::hex;
use tempfile::TempDir;
use yufu_keys::random;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");
/// Where `cargo xtask test` builds it.
const WALLET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/cdk/debug/cdk-wallet");

/// A wallet and its folder.
struct Wallet {
    mint: String,
    seed: String,
    folder: TempDir,
}

impl Wallet {
    fn new(city: &City, seed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { mint: city.address(), seed: seed.to_owned(), folder }
    }

    /// One step of it, whatever comes of it.
    fn step(&self, step: &str, more: &Value) -> Value {
        let store = self.folder.path().join("wallet.sqlite");
        let mut input = json!({
            "mint": self.mint, "unit": "cny", "seed": self.seed, "store": store, "step": step,
        });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node::program(&mut Command::new(WALLET), &input)
    }

    #[track_caller]
    fn done(&self, step: &str, more: &Value) -> Value {
        let answer = self.step(step, more);
        assert_eq!(answer["ok"], true, "{step}: {answer}");
        answer
    }

    #[track_caller]
    fn refused(&self, step: &str, more: &Value) {
        assert_eq!(self.step(step, more)["ok"], false, "{step}: {more}");
    }

    async fn withdraw(&self, city: &City, amount: u64) {
        let quote = self.done("quote", &json!({"amount": amount}))["quote"].clone();
        self.refused("mint", &json!({"quote": quote["quote"]}));
        city.fund(&quote).await;
        let made = self.done("mint", &json!({"quote": quote["quote"]}));
        assert_eq!((&made["state"], &made["worth"]), (&json!("PAID"), &json!(amount)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_withdrawn_sent_received_and_redeemed_and_every_fen_is_accounted_for() {
    let city = City::start().await;
    let (payer, payee) =
        (Wallet::new(&city, &hex(&random::<64>())), Wallet::new(&city, &hex(&random::<64>())));
    payer.withdraw(&city, 1_800).await;
    assert_eq!(city.caller.balance(&city.payer).await, FUNDS.saturating_sub(1_800));

    let sent = payer.done("send", &json!({"amount": 777}));
    assert_eq!(sent["balance"], 1_023);
    payee.done("verify", &sent);
    let received = payee.done("receive", &sent);
    assert_eq!((&received["received"], &received["balance"]), (&json!(777), &json!(777)));
    payee.refused("receive", &sent);

    let (secret, point) = key();
    let sent = payer.done("send", &json!({"amount": 100, "lock": point}));
    payee.refused("receive", &sent);
    payee.refused("receive", &json!({"token": sent["token"], "privkey": key().0}));
    let received = payee.done("receive", &json!({"token": sent["token"], "privkey": secret}));
    assert_eq!(received["balance"], 877);

    // It names no amount of its own: the request does.
    let request = format!("yufu://{}/accounts/{}?amount_minor=700", city.shop.bank, city.shop.id);
    let paid = payee.done("melt", &json!({"request": request}));
    assert_eq!((&paid["state"], &paid["balance"]), (&json!("PAID"), &json!(177)), "{paid}");
    assert_eq!(city.caller.balance(&city.shop).await, 700);
    assert_eq!(city.audited(), 1_100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_wallet_has_its_unspent_notes_back_from_its_seed() {
    let city = City::start().await;
    let seed = hex(&random::<64>());
    let lost = Wallet::new(&city, &seed);
    lost.withdraw(&city, 1_000).await;
    let sent = lost.done("send", &json!({"amount": 333}));
    let payee = Wallet::new(&city, &hex(&random::<64>()));
    payee.done("receive", &sent);
    drop(lost);

    let found = Wallet::new(&city, &seed);
    let restored = found.done("restore", &json!({}));
    assert_eq!((&restored["unspent"], &restored["balance"]), (&json!(667), &json!(667)));
    // It goes on where the lost one was, with no secret used twice.
    let sent = found.done("send", &json!({"amount": 600}));
    payee.done("receive", &sent);
    let stranger = Wallet::new(&city, &hex(&random::<64>()));
    assert_eq!(stranger.done("restore", &json!({}))["balance"], 0, "another seed");
    assert_eq!(city.audited(), 1_000);
}
