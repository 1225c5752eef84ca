//! Requests that are sent once more when time has passed: what was done is answered as it was, what was quoted is over.

use super::city::{BANK, TestCity};
use crate::wallet::{CashTerms, Holder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{Amount, Currency};
use yufu_ecash::message::Proof;
use yufu_ecash::{KeysetId, SecretScalar, Token, blind};
use yufu_engine::{Clock, ManualClock};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// A mint that is spoken to in plain requests, and notes of it.
struct Mint {
    city: TestCity,
    clock: ManualClock,
    mei: Holder,
    account: String,
    _profile: tempfile::TempDir,
}

impl Mint {
    /// In a city where keysets last for some days.
    async fn of_keysets_for(days: u32) -> Self {
        let instead = format!("validity_days = {days}");
        let (city, clock, profile) = TestCity::start_changed("validity_days = 730", &instead).await;
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let mut mei = city.open(&city.device("mei"), "mei").unwrap().with_clock(shared);
        city.issue_identity(&mut mei).await;
        let account = city.open_account(&mut mei).await;
        mei.withdraw_cash(Amount::new(Currency::new("CNY").unwrap(), 10_000)).await.unwrap();
        Self { city, clock, mei, account, _profile: profile }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/banks/{BANK}/mint/v1/{path}", self.city.url);
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let answer = self.city.client.exchange(method, &url, &headers, body).await;
        let (status, _, answer) = answer.unwrap();
        (status, serde_json::from_slice(&answer).unwrap())
    }

    #[track_caller]
    fn done((status, answer): (u16, Value)) -> Value {
        assert_eq!(status, 200, "{answer}");
        answer
    }

    #[track_caller]
    fn refused((status, answer): (u16, Value), code: u32) {
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{answer}");
    }

    async fn keysets(&self) -> Vec<Value> {
        let listed = Self::done(self.ask("GET", "keysets", &Value::Null).await);
        listed["keysets"].as_array().unwrap().clone()
    }

    /// The keyset that signs.
    async fn active(&self) -> Value {
        let all = self.keysets().await;
        all.into_iter().find(|one| one["active"] == true).unwrap()["id"].clone()
    }

    /// Notes that are the wallet's no more, worth this.
    async fn notes(&mut self, minor: u64) -> Vec<Proof> {
        let terms = CashTerms { amount_minor: Some(minor), hurry: true, ..CashTerms::default() };
        let token = self.mei.pay_cash(&terms).await.unwrap().token.unwrap();
        let ids: Vec<KeysetId> = self.keysets().await.iter().map(id).collect();
        Token::parse(&token).unwrap().proofs(&ids).unwrap()
    }

    async fn melt_quote(&self, minor: u64) -> Value {
        let asked = json!({"request": self.account, "unit": "cny", "amount": minor});
        Self::done(self.ask("POST", "melt/quote/bank", &asked).await)
    }
}

fn id(keyset: &Value) -> KeysetId {
    keyset["id"].as_str().unwrap().parse().unwrap()
}

/// An output of a keyset.
fn output(keyset: &Value, secret: u8, amount: u64) -> Value {
    let factor = SecretScalar::from_bytes(&[secret; 32]).unwrap();
    json!({"amount": amount, "id": keyset, "B_": blind(&[secret], &factor).unwrap()})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_was_done_is_answered_as_it_was_also_when_its_keysets_sign_no_more() {
    let mut mint = Mint::of_keysets_for(4).await;
    let (notes, others) = (mint.notes(8).await, mint.notes(8).await);
    let keyset = mint.active().await;
    let swap = json!({"inputs": notes, "outputs": [output(&keyset, 1, 8)]});
    let done = Mint::done(mint.ask("POST", "swap", &swap).await);
    assert_eq!(Mint::done(mint.ask("POST", "swap", &swap).await), done);

    mint.clock.advance(DAY * 3);
    assert_ne!(mint.active().await, keyset);
    assert_eq!(Mint::done(mint.ask("POST", "swap", &swap).await), done, "after the next one signs");
    // What was not done is not done now: other outputs, or other notes for the same.
    let anew = json!({"inputs": others, "outputs": [output(&keyset, 2, 8)]});
    Mint::refused(mint.ask("POST", "swap", &anew).await, 12002);
    let spent = json!({"inputs": notes, "outputs": [output(&keyset, 2, 8)]});
    Mint::refused(mint.ask("POST", "swap", &spent).await, 12002);
    let unspent = json!({"inputs": others, "outputs": [output(&keyset, 1, 8)]});
    Mint::refused(mint.ask("POST", "swap", &unspent).await, 12002);
    let states = json!({"Ys": others.iter().map(|one| one.hashed().unwrap()).collect::<Vec<_>>()});
    let states = Mint::done(mint.ask("POST", "checkstate", &states).await);
    assert!(states["states"].as_array().unwrap().iter().all(|one| one["state"] == "UNSPENT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_was_done_is_told_for_good_and_a_quote_is_good_for_an_hour() {
    let mut mint = Mint::of_keysets_for(4).await;
    let (notes, late) = (mint.notes(8).await, mint.notes(8).await);
    let (quote, unused) = (mint.melt_quote(5).await, mint.melt_quote(8).await);
    let keyset = mint.active().await;
    let blank = [output(&keyset, 1, 1), output(&keyset, 2, 1)];
    let melt = json!({"quote": quote["quote"], "inputs": notes, "outputs": blank});
    let paid = Mint::done(mint.ask("POST", "melt/bank", &melt).await);
    assert_eq!((&paid["state"], paid["change"].as_array().unwrap().len()), (&json!("PAID"), 2));

    mint.clock.advance(HOUR * 2);
    let too_late = json!({"quote": unused["quote"], "inputs": late});
    Mint::refused(mint.ask("POST", "melt/bank", &too_late).await, 20007);
    assert_eq!(Mint::done(mint.ask("POST", "melt/bank", &melt).await), paid);

    // When the keyset is over, and when it is forgotten: paid it was all the same. What came back of it is worth nothing.
    let state = format!("melt/quote/bank/{}", quote["quote"].as_str().unwrap());
    mint.clock.advance(DAY * 5);
    let told = Mint::done(mint.ask("POST", "melt/bank", &melt).await);
    assert_eq!(told["state"], "PAID");
    mint.clock.advance(DAY);
    assert!(mint.keysets().await.iter().all(|one| one["id"] != keyset), "it is forgotten");
    for told in
        [mint.ask("GET", &state, &Value::Null).await, mint.ask("POST", "melt/bank", &melt).await]
    {
        let told = Mint::done(told);
        assert_eq!((&told["state"], &told["change"]), (&json!("PAID"), &Value::Null), "{told}");
    }
}
