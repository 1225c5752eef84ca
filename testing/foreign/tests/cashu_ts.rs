//! Wallets of `@cashu/cashu-ts`, as they come from their registry, hold notes of the running banks: funded by an
//! account's order, split, sent, locked, received, restored from a seed, and redeemed to an account.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod city;
mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use city::{City, FUNDS, key};
use serde_json::{Value, json};
use std::time::Duration;
use support::notes::hex;
use yufu_keys::random;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");
impl City {
    fn wallet(&self) -> Wallet {
        let (mint, seed) = (self.address(), hex(&random::<64>()));
        Wallet { mint, seed, counters: json!({}), notes: Vec::new() }
    }

    /// Has the account pay for what a wallet wants.
    async fn quote(&self, wallet: &mut Wallet, more: Value) -> Value {
        let quote = wallet.done("quote", &more)["quote"].clone();
        self.fund(&quote).await;
        quote
    }

    async fn withdraw(&self, wallet: &mut Wallet, amount: u64) {
        let quote = self.quote(wallet, json!({"amount": amount})).await;
        let made = wallet.done("mint", &json!({"quote": quote}));
        wallet.keep(&made["proofs"]);
    }
}

/// A foreign wallet: what it would keep on disk.
struct Wallet {
    mint: String,
    seed: String,
    counters: Value,
    notes: Vec<Value>,
}

impl Wallet {
    /// One step of it, whatever comes of it.
    fn step(&mut self, step: &str, more: &Value) -> Value {
        let mut input = json!({
            "mint": self.mint, "unit": "cny", "seed": self.seed, "counters": self.counters,
            "step": step,
        });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = node::run("cashu.mjs", &input);
        if answer["ok"] == true {
            self.counters = answer["counters"].clone();
        }
        answer
    }

    #[track_caller]
    fn done(&mut self, step: &str, more: &Value) -> Value {
        let answer = self.step(step, more);
        assert_eq!(answer["ok"], true, "{step}: {answer}");
        answer
    }

    /// A step that the mint refuses with the protocol's number.
    #[track_caller]
    fn refused(&mut self, step: &str, more: &Value, code: u32) {
        let answer = self.step(step, more);
        assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!(code)), "{answer}");
    }

    fn keep(&mut self, proofs: &Value) {
        self.notes.extend(proofs.as_array().unwrap().iter().cloned());
    }

    /// Gives notes away as a token.
    fn send(&mut self, step: &str, more: &Value) -> Value {
        let mut more = more.clone();
        more["proofs"] = json!(self.notes);
        let sent = self.done(step, &more);
        self.notes = sent["keep"].as_array().unwrap().clone();
        sent
    }

    fn receive(&mut self, sent: &Value, privkey: Option<&str>) {
        let more = json!({"token": sent["token"], "privkey": privkey});
        let received = self.done("receive", &more);
        self.keep(&received["proofs"]);
    }

    fn worth(&self) -> u64 {
        worth(&json!(self.notes))
    }
}

fn worth(proofs: &Value) -> u64 {
    proofs.as_array().unwrap().iter().map(|proof| proof["amount"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_withdrawn_sent_received_and_redeemed_and_every_fen_is_accounted_for() {
    let city = City::start().await;
    let (mut payer, mut payee) = (city.wallet(), city.wallet());
    let seen = payer.done("info", &json!({}));
    assert_eq!(seen["keyset"]["verified"], true, "the id commits to the keys: {seen}");
    assert_eq!(seen["keyset"]["id"], city.mint.keyset.id.to_string());

    let quote = payer.done("quote", &json!({"amount": 1_800}))["quote"].clone();
    assert_eq!((&quote["unit"], &quote["state"]), (&json!("cny"), &json!("UNPAID")));
    payer.refused("mint", &json!({"quote": quote}), 20001);
    city.fund(&quote).await;
    let state = |wallet: &mut Wallet| {
        wallet.done("quote_state", &json!({"quote": quote["quote"]}))["quote"]["state"].clone()
    };
    assert_eq!(state(&mut payer), "PAID");
    let made = payer.done("mint", &json!({"quote": quote}));
    payer.keep(&made["proofs"]);
    assert_eq!(state(&mut payer), "ISSUED");
    assert_eq!((payer.worth(), city.caller.balance(&city.payer).await), (1_800, FUNDS - 1_800));

    // It has no notes for exactly this: it swaps.
    let before = payer.notes.clone();
    let sent = payer.send("send", &json!({"amount": 777}));
    assert_eq!((worth(&sent["send"]), payer.worth()), (777, 1_023));
    let states = payer.done("states", &json!({"proofs": before}));
    assert!(states["states"].as_array().unwrap().contains(&json!("SPENT")), "{states}");
    let states = payee.done("states", &json!({"proofs": sent["send"]}));
    assert!(states["states"].as_array().unwrap().iter().all(|s| s == "UNSPENT"), "{states}");
    let offline = payee.done("dleq", &json!({"token": sent["token"]}));
    assert!(offline["valid"].as_array().unwrap().iter().all(|valid| valid == true), "{offline}");
    payee.receive(&sent, None);
    assert_eq!(payee.worth(), 777);
    payer.refused("receive", &json!({"token": sent["token"]}), 11001);

    // To an account at another bank, with what is too much given back.
    let asked = json!({"request": city.shop.id.to_string(), "amount": 700});
    let quote = payee.done("melt_quote", &asked)["quote"].clone();
    assert_eq!((&quote["amount"], &quote["state"]), (&json!(700), &json!("UNPAID")));
    let melt = json!({"quote": quote, "proofs": payee.notes});
    let before = payee.counters.clone();
    let paid = payee.done("melt", &melt);
    assert_eq!((&paid["quote"]["state"], worth(&paid["change"])), (&json!("PAID"), 77), "{paid}");
    let seen = payee.done("melt_quote_state", &json!({"quote": quote["quote"]}));
    assert_eq!(seen["quote"]["state"], "PAID");
    payee.refused("melt", &melt, 20006);
    payee.counters = before;
    let again = payee.done("melt", &melt);
    assert_eq!(again["change"], paid["change"], "with the same outputs it is the same payment");
    assert_eq!(city.caller.balance(&city.shop).await, 700);
    assert_eq!(city.audited(), 1_100);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_locked_to_a_key_are_spent_by_its_holder_and_after_the_time_by_who_gave_them() {
    let city = City::start().await;
    let (mut payer, mut payee) = (city.wallet(), city.wallet());
    city.withdraw(&mut payer, 512).await;
    let (secret, point) = key();
    let (refund_secret, refund_point) = key();
    let sent = payer.send("send_locked", &json!({"amount": 100, "lock": {"pubkey": point}}));
    assert_eq!((worth(&sent["send"]), payer.worth()), (100, 412));
    let offline = payee.done("dleq", &json!({"token": sent["token"]}));
    assert!(offline["valid"].as_array().unwrap().iter().all(|valid| valid == true), "{offline}");
    payee.refused("receive", &json!({"token": sent["token"]}), 10001);
    let thief = json!({"token": sent["token"], "privkey": key().0});
    assert_eq!(payee.step("receive", &thief)["ok"], false, "another key");
    payee.receive(&sent, Some(&secret));
    assert_eq!(payee.worth(), 100);

    // Locked until a time that is over: the refund key takes it back.
    let lock = json!({"pubkey": point, "locktime": 1_700_000_000, "refundKeys": [refund_point]});
    let sent = payer.send("send_locked", &json!({"amount": 12, "lock": lock}));
    payer.receive(&sent, Some(&refund_secret));
    assert_eq!(payer.worth(), 412);

    // All notes of a payment signed together with what they become.
    let lock = json!({"pubkey": point, "sigFlag": "SIG_ALL"});
    let sent = payer.send("send_locked", &json!({"amount": 5, "lock": lock}));
    payee.refused("receive", &json!({"token": sent["token"]}), 10001);
    payee.receive(&sent, Some(&secret));
    assert_eq!(payee.worth(), 105);

    // And redeemed while locked.
    let sent = payer.send("send_locked", &json!({"amount": 64, "lock": {"pubkey": point}}));
    let asked = json!({"request": city.shop.id.to_string(), "amount": 64});
    let quote = payee.done("melt_quote", &asked)["quote"].clone();
    let melt = json!({"quote": quote, "proofs": sent["send"], "privkey": secret});
    assert_eq!(payee.done("melt", &melt)["quote"]["state"], "PAID");
    assert_eq!(city.caller.balance(&city.shop).await, 64);
    assert_eq!(city.audited(), 448);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_wallet_has_its_unspent_notes_back_from_its_seed() {
    let city = City::start().await;
    let (mut wallet, mut payee) = (city.wallet(), city.wallet());
    city.withdraw(&mut wallet, 1_000).await;
    let sent = wallet.send("send", &json!({"amount": 333}));
    payee.receive(&sent, None);

    let mut found = Wallet { counters: json!({}), notes: Vec::new(), ..wallet };
    let restored = found.done("restore", &json!({}));
    assert!(restored["last"].as_u64().unwrap() > 5, "{restored}");
    let all = restored["proofs"].as_array().unwrap().clone();
    let states = found.done("states", &json!({"proofs": all}))["states"].clone();
    let unspent = all.iter().zip(states.as_array().unwrap());
    let unspent = unspent.filter(|(_, state)| *state == "UNSPENT").map(|(note, _)| note.clone());
    found.notes = unspent.collect();
    assert_eq!(found.worth(), 667);

    // It goes on where the lost one was, with no secret used twice.
    found.counters =
        json!({city.mint.keyset.id.to_string(): restored["last"].as_u64().unwrap() + 1});
    let sent = found.send("send", &json!({"amount": 600}));
    payee.receive(&sent, None);
    assert_eq!((found.worth(), payee.worth()), (67, 933));
    let mut stranger = city.wallet();
    assert_eq!(stranger.done("restore", &json!({}))["proofs"], json!([]), "another seed");
    assert_eq!(city.audited(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_of_a_key_are_taken_with_it_one_by_one_or_together() {
    let city = City::start().await;
    let mut wallet = city.wallet();
    let (secret, point) = key();
    let quote = city.quote(&mut wallet, json!({"amount": 48, "pubkey": point})).await;
    let taken = json!({"quote": quote["quote"], "amount": 48});
    wallet.refused("mint", &json!({"quote": taken}), 20008);
    wallet.refused("mint", &json!({"quote": taken, "privkey": key().0}), 20008);
    let made = wallet.done("mint", &json!({"quote": quote, "privkey": secret}));
    wallet.keep(&made["proofs"]);
    let quotes = json!([
        city.quote(&mut wallet, json!({"amount": 7, "pubkey": point})).await,
        city.quote(&mut wallet, json!({"amount": 20, "pubkey": point})).await,
    ]);
    let made = wallet.done("mint_batch", &json!({"quotes": quotes, "privkey": secret}));
    wallet.keep(&made["proofs"]);
    assert_eq!(wallet.worth(), 75);
    assert_eq!(city.audited(), 75);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_is_told_how_quotes_and_notes_stand_and_when_that_changes() {
    let city = City::start().await;
    let mut wallet = city.wallet();
    city.withdraw(&mut wallet, 64).await;
    let note = wallet.notes[0].clone();
    let amount = note["amount"].as_u64().unwrap();
    let secret = note["secret"].as_str().unwrap();
    let point = yufu_ecash::hash_to_curve(secret.as_bytes()).unwrap().to_hex();
    let quote = wallet.done("quote", &json!({"amount": 8}))["quote"].clone();
    let asked = json!({"request": city.shop.id.to_string(), "amount": amount});
    let melt = wallet.done("melt_quote", &asked)["quote"].clone();

    let kinds = json!({"kinds": {
        "bank_mint_quote": {"filters": [quote["quote"]], "last": "ISSUED"},
        "bank_melt_quote": {"filters": [melt["quote"]], "last": "PAID"},
        "proof_state": {"filters": [point], "last": "SPENT"},
    }});
    let mut listener = city.wallet();
    let listening = tokio::task::spawn_blocking(move || listener.done("listen", &kinds));
    // Time to connect; then some between payment and taking, so that both are told.
    let pause = || tokio::time::sleep(Duration::from_secs(4));
    pause().await;
    city.fund(&quote).await;
    pause().await;
    let made = wallet.done("mint", &json!({"quote": quote}));
    wallet.done("melt", &json!({"quote": melt, "proofs": [note]}));
    let heard = tokio::time::timeout(Duration::from_secs(60), listening).await.unwrap().unwrap();
    assert_eq!(worth(&made["proofs"]), 8);
    let told = &heard["told"];
    assert_eq!(told["bank_mint_quote"], json!(["UNPAID", "PAID", "ISSUED"]));
    assert_eq!(told["bank_melt_quote"], json!(["UNPAID", "PAID"]));
    assert_eq!(told["proof_state"], json!(["UNSPENT", "SPENT"]));
    assert!(heard["refused"].as_str().unwrap().contains("no such kind"), "{heard}");
    assert_eq!(city.audited(), 72 - amount);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_subscription_is_refused_by_its_number_and_the_socket_goes_on() {
    let city = City::start().await;
    let mut wallet = city.wallet();
    let point = "02".to_owned() + &"01".repeat(32);
    let subscribe = |name: &str, kind: &str, filters: Value| {
        let params = json!({"subId": name, "kind": kind, "filters": filters});
        json!({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": params}).to_string()
    };
    let end = |name: &str| {
        let params = json!({"subId": name});
        json!({"jsonrpc": "2.0", "id": 2, "method": "unsubscribe", "params": params}).to_string()
    };
    let many = |number: usize| json!(vec![point.as_str(); number]);
    let rows = [
        ("no JSON", "{".to_owned(), json!(-32_700)),
        ("another protocol", json!({"jsonrpc": "1.0", "id": 0}).to_string(), json!(-32_600)),
        ("no method", json!({"jsonrpc": "2.0", "id": 0}).to_string(), json!(-32_600)),
        (
            "another call",
            json!({"jsonrpc": "2.0", "id": 0, "method": "publish", "params": {}}).to_string(),
            json!(-32_601),
        ),
        (
            "no parameters",
            json!({"jsonrpc": "2.0", "id": 0, "method": "subscribe"}).to_string(),
            json!(-32_602),
        ),
        ("no kind", subscribe("a", "balance", json!([])), json!(-32_602)),
        ("another method", subscribe("a", "bolt11_mint_quote", json!([])), json!(-32_602)),
        ("nobody's quote", subscribe("a", "bank_mint_quote", json!(["none"])), json!(-32_602)),
        ("no point", subscribe("a", "proof_state", json!(["02"])), json!(-32_602)),
        ("too many", subscribe("a", "proof_state", many(251)), json!(11_014)),
        ("what is right", subscribe("a", "proof_state", many(250)), Value::Null),
        ("a name twice", subscribe("a", "proof_state", json!([])), json!(-32_602)),
        ("too many with the others", subscribe("b", "proof_state", many(1)), json!(11_014)),
        ("nobody's end", end("b"), json!(-32_602)),
        ("an end", end("a"), Value::Null),
        ("room again", subscribe("b", "proof_state", many(1)), Value::Null),
    ];
    let texts: Vec<&String> = rows.iter().map(|(_, text, _)| text).collect();
    let answers = wallet.done("speak", &json!({"texts": texts}))["answers"].clone();
    for (place, (case, _, code)) in rows.iter().enumerate() {
        let answer = &answers[place];
        assert_eq!(&answer["error"]["code"], code, "{case}: {answer}");
        assert_eq!(answer["result"]["status"] == "OK", code.is_null(), "{case}: {answer}");
    }
}
