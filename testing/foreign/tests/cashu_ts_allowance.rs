//! A wallet of `@cashu/cashu-ts` gets blind tokens of the running bank by the device flow of the OpenID provider, and
//! pays in cash with one: NUT-21 and NUT-22 as others read them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{Data, JIANGCHENG, Resident, Server, run};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");

/// A foreign wallet: the tokens that it would keep on disk.
struct Wallet {
    mint: String,
    pool: Value,
}

impl Wallet {
    fn step(&mut self, step: &str, more: &Value) -> Value {
        let mut input = json!({"mint": self.mint, "unit": "cny", "step": step, "pool": self.pool});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = node::run("allowance.mjs", &input);
        if answer["ok"] == true {
            self.pool = answer["pool"].clone();
        }
        answer
    }

    #[track_caller]
    fn done(&mut self, step: &str, more: &Value) -> Value {
        let answer = self.step(step, more);
        assert_eq!(answer["ok"], true, "{step}: {answer}");
        answer
    }
}

/// The presentation request that a page leads to.
fn link_on(page: &str) -> String {
    let link = page.split('"').find(|part| part.starts_with("openid4vp:"));
    link.unwrap().replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn blind_tokens_are_had_by_the_device_flow_and_cash_is_paid_in_with_one() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    // Whoever holds the identity answers the request; the foreign wallet never sees it.
    let mut mei = Resident::identified(&caller, 7).await;
    let mint = format!("{}/banks/{JIANGCHENG}/mint", caller.url);
    let mut wallet = Wallet { mint, pool: Value::Null };
    let refused = wallet.step("quote", &json!({"amount": 1_800}));
    assert_eq!(refused["ok"], false, "without a token: {refused}");
    let begun = wallet.done("begin", &json!({}));
    // The person opens the page on a telephone, and the link on it.
    let page = begun["link"].as_str().unwrap().strip_prefix(&caller.url).unwrap().to_owned();
    let page = caller.get(&page, None).await.done();
    mei.wallet.present(&link_on(page.as_str().unwrap()), &mut |_| true).await.unwrap();
    let got = wallet.done("tokens", &json!({"code": begun["code"]}));
    assert_eq!(got["count"], 10);
    // The next batch with a browser.
    let asked = wallet.done("browse", &json!({"state": "of this wallet"}));
    let (_, page) = caller.browse(asked["url"].as_str().unwrap()).await;
    let (_, shown) = caller.browse(&page).await;
    mei.wallet.present(&link_on(&shown), &mut |_| true).await.unwrap();
    let (_, to) = caller.browse(&page).await;
    let to = url::Url::parse(&to).unwrap();
    let answer: BTreeMap<_, _> = to.query_pairs().collect();
    assert_eq!(answer["state"], "of this wallet");
    let more = json!({"code": answer["code"], "verifier": asked["verifier"]});
    let mut other = Wallet { mint: wallet.mint.clone(), pool: Value::Null };
    assert_eq!(other.done("exchange", &more)["count"], 10);
    assert_eq!(other.step("exchange", &more)["ok"], false, "a code is used once");
    let quote = wallet.done("quote", &json!({"amount": 1_800}))["quote"].clone();
    assert_eq!(wallet.pool.as_array().unwrap().len(), 9, "one is used");
    let path = format!("/banks/{JIANGCHENG}/v1/desk/top-ups");
    let cash = json!({"quote": quote["quote"], "amount_minor": 1_800});
    caller.post(&path, Some(&caller.desk(JIANGCHENG)), &cash).await.done();
    assert_eq!(wallet.done("mint", &json!({"quote": quote}))["amount"], 1_800);
    assert_eq!(caller.supply().await["digital_in_notes"], 1_800);
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{audited:?}");
}
