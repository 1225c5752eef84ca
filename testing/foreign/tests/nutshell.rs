//! A wallet of nutshell, as it comes from its registry, through the adapter `bolt11`: it knows no other way to fund and
//! redeem. It counts in units of a fixed list, so the country's currency is one of them here: the euro.
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
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server, changed_profile, run};
use yufu_base::{Amount, Currency};
use yufu_ecash::InvoiceKey;
use yufu_ledger::{AccountKind, institution_account};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/nutshell/bin/python");
const FUNDS: u64 = 100_000;

/// The sample country with another currency, and the adapter on.
fn profile(data: &Data) -> PathBuf {
    changed_profile(data, "profile", |text| {
        let text = text.replacen("code = \"CNY\"", "code = \"EUR\"", 1);
        let text = text.replacen("[bearer_notes]\n", "[bearer_notes]\nbolt11 = true\n", 1);
        assert!(text.contains("EUR") && text.contains("bolt11 = true"));
        text
    })
}

struct City {
    data: Data,
    server: Server,
    caller: Caller,
    payer: Account,
}

impl City {
    async fn start() -> Self {
        let data = Data::new();
        let profile = profile(&data);
        let server = Server::start_with(&data, &["--profile", profile.to_str().unwrap()]);
        let caller = server.caller();
        let payer = caller.business(JIANGCHENG, FUNDS).await;
        Self { data, server, caller, payer }
    }

    fn wallet(&self, name: &str) -> Wallet {
        let folder = self.data.beside(name);
        fs::create_dir(&folder).unwrap();
        Wallet { folder, mint: format!("{}/banks/{JIANGCHENG}/mint", self.caller.url) }
    }

    /// Has the account pay for the withdrawal that an invoice is for.
    async fn pay(&self, invoice: &str) {
        let (amount, described) = InvoiceKey::described(invoice).unwrap();
        let quote = described.rsplit('/').next().unwrap();
        let payee = institution_account(&JIANGCHENG.parse().unwrap(), AccountKind::BearerNotes);
        let mut order = self.payer.order(payee, amount, self.caller.id());
        order.amount = Amount::new(Currency::new("EUR").unwrap(), amount);
        order.payee_name = quote.to_owned();
        let signed = order.sign(&*self.payer.key).unwrap();
        let path = format!("/banks/{JIANGCHENG}/v1/withdrawals");
        self.caller.post(&path, None, &json!({"order": signed})).await.done();
    }

    /// An invoice that is paid into an account.
    async fn invoice(&self, account: &Account, amount: u64) -> String {
        let path = format!("{}/invoice", account.path());
        let token = account.token(&path);
        let made = self.caller.get(&format!("{path}?amount_minor={amount}"), Some(&token)).await;
        made.done()["invoice"].as_str().unwrap().to_owned()
    }

    fn audited(self) -> u64 {
        self.server.kill();
        let audited = run(&["audit", "--json", "--data", self.data.path().to_str().unwrap()]);
        assert!(audited.status.success(), "{audited:?}");
        let report: Value = serde_json::from_slice(&audited.stdout).unwrap();
        let keysets = report["keysets"].as_array().unwrap().iter();
        keysets.map(|k| k["outstanding"].as_str().unwrap().parse::<u64>().unwrap()).sum()
    }
}

/// A wallet of nutshell: its folder is all that it keeps.
struct Wallet {
    folder: PathBuf,
    mint: String,
}

impl Wallet {
    fn step(&self, step: &str, more: Value) -> Value {
        let folder = self.folder.to_str().unwrap();
        let mut input = json!({"step": step, "folder": folder, "mint": self.mint, "unit": "eur"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node::program(Command::new(Path::new(PYTHON)).arg("nutshell.py"), &input)
    }

    #[track_caller]
    fn done(&self, step: &str, more: Value) -> Value {
        let answer = self.step(step, more);
        assert_eq!(answer["ok"], true, "{step}: {answer}");
        answer
    }

    #[track_caller]
    fn refused(&self, step: &str, more: Value, why: &str) {
        let answer = self.step(step, more);
        let said = answer["error"].as_str().unwrap_or_default();
        assert!(answer["ok"] == false && said.contains(why), "{step}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_knows_invoices_alone_funds_sends_receives_restores_and_redeems() {
    let city = City::start().await;
    let (payer, payee) = (city.wallet("payer"), city.wallet("payee"));
    let quote = payer.done("quote", json!({"amount": 1_800}));
    assert_eq!(quote["state"], "UNPAID");
    let taking = json!({"amount": 1_800, "quote": quote["quote"]});
    payer.refused("mint", taking.clone(), "20001");
    city.pay(quote["request"].as_str().unwrap()).await;
    assert_eq!(payer.done("quote_state", taking.clone())["state"], "PAID");
    let made = payer.done("mint", taking.clone());
    assert_eq!((&made["amount"], &made["balance"]), (&json!(1_800), &json!(1_800)));
    assert_eq!(city.caller.balance(&city.payer).await, FUNDS - 1_800);

    let sent = payer.done("send", json!({"amount": 777}));
    assert_eq!(payer.done("balance", json!({}))["balance"], 1_023);
    assert_eq!(payee.done("receive", json!({"token": sent["token"]}))["balance"], 777);
    payer.refused("receive", json!({"token": sent["token"]}), "spent");
    // Locked to the payee's key.
    let key = payee.done("key", json!({}))["key"].clone();
    let lock = format!("P2PK:{}", key.as_str().unwrap());
    let sent = payer.done("send", json!({"amount": 23, "lock": lock}));
    assert_eq!(payee.done("receive", json!({"token": sent["token"]}))["balance"], 800);

    // Redeemed to an account whose bank made the invoice: once.
    let shop = city.caller.business(JIANGCHENG, 0).await;
    let invoice = city.invoice(&shop, 300).await;
    let paid = payee.done("melt", json!({"invoice": invoice}));
    assert_eq!((&paid["state"], &paid["balance"]), (&json!("PAID"), &json!(500)), "{paid}");
    assert_eq!(paid["preimage"].as_str().unwrap().len(), 64);
    assert_eq!(city.caller.balance(&shop).await, 300);
    payee.refused("melt", json!({"invoice": invoice}), "20006");
    assert_eq!(payee.done("balance", json!({}))["balance"], 500, "a refusal costs nothing");
    // Not what another bank, or nobody, issued; nor a withdrawal's.
    let elsewhere = city.caller.business(LIANGHU, 0).await;
    let foreign = city.invoice(&elsewhere, 300).await;
    payee.refused("melt", json!({"invoice": foreign}), "20004");
    let own = payer.done("quote", json!({"amount": 5}));
    payee.refused("melt", json!({"invoice": own["request"]}), "20004");

    // A lost wallet has its unspent notes back from its words.
    let words = payer.done("balance", json!({}))["words"].clone();
    let lost = city.wallet("found");
    assert_eq!(lost.done("restore", json!({"words": words}))["balance"], 1_000);
    assert_eq!(city.audited(), 1_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_is_off_unless_the_profile_says_so() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let account = caller.business(JIANGCHENG, 0).await;
    let quote = format!("/banks/{JIANGCHENG}/mint/v1/mint/quote/bolt11");
    let asked = json!({"amount": 100, "unit": "cny"});
    caller.post(&quote, None, &asked).await.mint_other(400, "no way \"bolt11\"");
    let path = format!("{}/invoice", account.path());
    let token = account.token(&path);
    let made = caller.get(&format!("{path}?amount_minor=1"), Some(&token)).await;
    made.refused("no invoices", 404, "request.not_found");
    let info = caller.get(&format!("/banks/{JIANGCHENG}/mint/v1/info"), None).await.done();
    let methods = info["nuts"]["5"]["methods"].as_array().unwrap();
    assert!(methods.iter().all(|method| method["method"] == "bank"), "{info}");
}

impl support::Answer {
    #[track_caller]
    fn mint_other(self, status: u16, why: &str) {
        let said = self.body["detail"].as_str().unwrap_or_default();
        assert!(self.status == status && said.contains(why), "{self:?}");
    }
}
