//! Counter wallets end to end over HTTP: card, PIN, terminal, orders that are done once, the officer's
//! identification as a step-up, and the holder who comes with a telephone at last.

use super::city::{BANK, TestCity};
use super::purses::{code_of, exchange, officer, send};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yufu_base::CommandId;
use yufu_engine::{Clock, ManualClock, SystemClock};
use yufu_keys::random;
use yufu_openid4vc::presentation::KeyChangeOf;

const PIN: &str = "730519";
const EVIDENCE: &str = "ID card and portrait compared, form 118";

/// A city whose clock moves when told, and a card at a terminal in it.
struct Counter {
    city: TestCity,
    clock: ManualClock,
    card: String,
    account: String,
    number: String,
    session: String,
}

/// What an officer types off the card of somebody born before 1960.
fn typed(city: &TestCity) -> Value {
    let old = city.residents(|_| true).into_iter().find(|r| r.birth_date.year() < 1960).unwrap();
    json!({
        "class": "III", "number": old.number.as_str(), "family_name": old.family_name,
        "given_name": old.given_name, "birthdate": old.birth_date.to_string(),
        "evidence": EVIDENCE,
    })
}

impl Counter {
    async fn open() -> Self {
        let clock = ManualClock::new(SystemClock::new().read().wall);
        let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
        let wish = typed(&city);
        let (status, opened) = officer(&city, "teller-3", "counter-wallets", &wish).await;
        assert_eq!((status, &opened["state"]), (201, &json!("open")), "{opened}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut counter = Self {
            card: text(&opened["card"]),
            account: text(&opened["account"]),
            number: text(&wish["number"]),
            session: String::new(),
            city,
            clock,
        };
        counter.serve().await;
        let set = counter.at("pins", json!({"pin": PIN})).await;
        assert_eq!(set.0, 200, "{}", set.1);
        counter
    }

    /// An officer opens the terminal.
    async fn serve(&mut self) {
        let wish = json!({"terminal": "counter-3"});
        let (_, opened) = officer(&self.city, "teller-3", "terminal-sessions", &wish).await;
        self.session = opened["session"].as_str().unwrap().to_owned();
    }

    /// Posts at the terminal, with the card.
    async fn at(&self, path: &str, mut body: Value) -> (u16, Value) {
        if body["card"].is_null() {
            body["card"] = json!(self.card);
        }
        let headers = [
            ("authorization".to_owned(), format!("Bearer {}", self.session)),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let url = format!("{}/banks/{BANK}/v1/terminal/{path}", self.city.url);
        let body = Some(serde_json::to_vec(&body).unwrap());
        send(&self.city, "POST", &url, &headers, body).await
    }

    fn id(&self) -> String {
        CommandId::at(self.clock.read().wall, u128::from_be_bytes(random())).to_string()
    }

    fn order(&self, kind: &str, amount_minor: u64) -> Value {
        json!({"id": self.id(), "pin": PIN, "kind": kind, "amount_minor": amount_minor})
    }

    fn payment(&self, payee: &str, amount_minor: u64) -> Value {
        let mut order = self.order("pay", amount_minor);
        order["payee"] = json!(payee);
        order["payee_name"] = json!("Noodle shop");
        order
    }

    async fn balance(&self) -> u64 {
        let (_, statement) = self.at("statements", json!({"pin": PIN})).await;
        statement["balance_minor"].as_u64().unwrap()
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_identified_by_a_named_officer_and_typed_as_the_card_says() {
    let city = TestCity::start().await;
    let child = city.residents(|_| true).into_iter().max_by_key(|r| r.birth_date).unwrap();
    let young = json!({
        "number": child.number.as_str(), "birthdate": child.birth_date.to_string(),
    });
    let change = |changes: Value| {
        let mut wish = typed(&city);
        for (name, value) in changes.as_object().unwrap() {
            wish[name] = value.clone();
        }
        wish
    };
    let malformed = (400, "request.malformed");
    for (name, wish, expected) in [
        ("", typed(&city), malformed),
        ("teller-3", change(json!({"evidence": " "})), malformed),
        ("teller-3", change(json!({"number": "420104196209208812"})), malformed),
        ("teller-3", change(json!({"birthdate": "1950-01-01"})), malformed),
        ("teller-3", change(json!({"given_name": ""})), malformed),
        ("teller-3", change(young), (422, "account.guardian_needed")),
        ("teller-3", change(json!({"class": "IV"})), (422, "account.class_not_in_person")),
        ("teller-3", typed(&city), (201, "none")),
        ("teller-3", typed(&city), (422, "account.too_many")),
    ] {
        let answer = officer(&city, name, "counter-wallets", &wish).await;
        assert_eq!(code_of(&answer), expected, "{wish}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_at_the_terminal_is_done_once_under_its_id_and_only_with_session_and_pin() {
    let mut counter = Counter::open().await;
    let shop = counter.city.shop().await;
    let cash = counter.order("cash_in", 50_000);
    let first = counter.at("orders", cash.clone()).await;
    assert_eq!((first.0, &first.1["balance_minor"]), (200, &json!(50_000)));
    // At another terminal, served by another officer: the same order, the same answer.
    let other = json!({"terminal": "counter-4"});
    let (_, session) = officer(&counter.city, "teller-9", "terminal-sessions", &other).await;
    counter.session = session["session"].as_str().unwrap().to_owned();
    assert_eq!(counter.at("orders", cash.clone()).await, first);
    let mut another = cash;
    another["amount_minor"] = json!(50_001);
    assert_eq!(code_of(&counter.at("orders", another).await), (409, "order.id_reused"));
    let noodles = counter.payment(&shop, 1_800);
    assert_eq!(counter.at("orders", noodles.clone()).await.0, 200);
    assert_eq!(counter.at("orders", noodles).await.0, 200);
    assert_eq!(counter.at("orders", counter.order("cash_out", 10_000)).await.0, 200);
    assert_eq!(counter.balance().await, 38_200, "each once");

    let (_, statement) = counter.at("statements", json!({"pin": PIN})).await;
    let listed: Vec<(&str, u64, &str)> = statement["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            let text = |name: &str| e[name].as_str().unwrap();
            (text("kind"), e["amount_minor"].as_u64().unwrap(), text("state"))
        })
        .collect();
    let mut expected = vec![
        ("cash_out", 10_000, "settled"),
        ("pay", 1_800, "settled"),
        ("cash_in", 50_000, "settled"),
    ];
    expected.sort_unstable();
    let mut listed = listed;
    listed.sort_unstable();
    assert_eq!(listed, expected);

    let nameless = counter.order("pay", 100);
    assert_eq!(code_of(&counter.at("orders", nameless).await), (400, "request.malformed"));
    let bypass = exchange(&counter.city, &counter.account, "digital_to_paper", 100).await;
    assert_eq!(code_of(&bypass), (422, "account.card_needed"));
    counter.wait(600);
    let lapsed = counter.at("orders", counter.order("cash_out", 1)).await;
    assert_eq!(code_of(&lapsed), (401, "request.unauthenticated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pin_waits_and_an_unknown_card_is_answered_in_the_same_words() {
    let mut counter = Counter::open().await;
    let unknown = yufu_onboarding_card(7);
    for wait in [60, 120, 240] {
        let wrong = counter.at("statements", json!({"pin": "730518"})).await;
        let strange = counter.at("statements", json!({"pin": PIN, "card": unknown})).await;
        assert_eq!(code_of(&wrong), (422, "card.refused"));
        assert_eq!(wrong.1["retry_after_seconds"], wait);
        assert_eq!(wrong, strange);
        let soon = counter.at("statements", json!({"pin": PIN})).await;
        assert_eq!(code_of(&soon), (429, "card.too_soon"));
        assert_eq!(soon, counter.at("statements", json!({"pin": PIN, "card": unknown})).await);
        counter.wait(wait);
    }
    counter.serve().await;
    assert_eq!(counter.at("statements", json!({"pin": PIN})).await.0, 200);
    let mistyped = counter.at("statements", json!({"pin": PIN, "card": "9999000000000000"})).await;
    assert_eq!(code_of(&mistyped), (400, "request.malformed"));
    let number = counter.at("statements", json!({"pin": 730_519})).await;
    assert_eq!(code_of(&number), (400, "request.malformed"));
    assert!(!number.1.to_string().contains("730519"), "the PIN is repeated: {}", number.1);
}

/// A number that no card has.
fn yufu_onboarding_card(random: u64) -> String {
    yufu_onboarding::CardNumber::drawn(random).as_str().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_limit_the_officers_identification_lets_exactly_this_order_through_once() {
    let counter = Counter::open().await;
    let shop = counter.city.shop().await;
    assert_eq!(counter.at("orders", counter.order("cash_in", 900_000)).await.0, 200);
    let mut order = counter.payment(&shop, 600_000);
    let refused = counter.at("orders", order.clone()).await;
    assert_eq!(code_of(&refused), (422, "transfer.limit_exceeded.single"));
    assert_eq!(refused.1["step_up"], json!({"kind": "in_person"}));
    let child = counter.city.residents(|_| true).into_iter().max_by_key(|r| r.birth_date).unwrap();
    order["identification"] = json!({"number": child.number.as_str(), "evidence": EVIDENCE});
    let other = counter.at("orders", order.clone()).await;
    assert_eq!(code_of(&other), (403, "presentation.not_the_holder"));
    order["identification"] = json!({"number": counter.number, "evidence": " "});
    assert_eq!(code_of(&counter.at("orders", order.clone()).await), (400, "request.malformed"));
    assert_eq!(counter.balance().await, 900_000, "nothing moved yet");
    order["identification"] = json!({"number": counter.number, "evidence": EVIDENCE});
    let done = counter.at("orders", order.clone()).await;
    assert_eq!((done.0, &done.1["balance_minor"]), (200, &json!(300_000)));
    assert_eq!(counter.at("orders", order.clone()).await, done);
    order["identification"] = Value::Null;
    assert_eq!(counter.at("orders", order).await, done);
    assert_eq!(counter.balance().await, 300_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_blocked_replaced_and_ended_by_its_holders_own_wallet() {
    let mut counter = Counter::open().await;
    let shop = counter.city.shop().await;
    assert_eq!(counter.at("orders", counter.order("cash_in", 50_000)).await.0, 200);
    let step = |what: &str, number: &str| json!({"class": "III", "number": number, "step": what, "evidence": EVIDENCE});
    let path = "counter-wallets/steps";
    let stranger =
        officer(&counter.city, "teller-3", path, &step("block", "42010419530417877X")).await;
    assert_eq!(code_of(&stranger), (404, "request.not_found"));
    let unnamed = officer(&counter.city, "", path, &step("block", &counter.number)).await;
    assert_eq!(code_of(&unnamed), (400, "request.malformed"));
    assert_eq!(
        officer(&counter.city, "teller-3", path, &step("block", &counter.number)).await.0,
        200
    );
    let blocked = counter.at("statements", json!({"pin": PIN})).await;
    assert_eq!(code_of(&blocked), (422, "card.blocked"));
    let (_, replaced) =
        officer(&counter.city, "teller-3", path, &step("replace", &counter.number)).await;
    let dead = counter.at("statements", json!({"pin": PIN})).await;
    assert_eq!(code_of(&dead), (422, "card.refused"));
    counter.card = replaced["card"].as_str().unwrap().to_owned();
    let weak = counter.at("pins", json!({"pin": "123456"})).await;
    assert_eq!(code_of(&weak), (422, "card.pin_weak"));
    assert_eq!(counter.at("pins", json!({"pin": "190573"})).await.0, 200);
    let twice = counter.at("pins", json!({"pin": PIN})).await;
    assert_eq!(code_of(&twice), (422, "card.no_pin_due"));
    let change = json!({"pin": "190573", "new_pin": PIN});
    assert_eq!(counter.at("pin-changes", change).await.0, 200);
    assert_eq!(counter.balance().await, 50_000);

    // No key operates it, until its holder comes with a wallet and an identity.
    let clock: Arc<dyn Clock> = Arc::new(counter.clock.clone());
    let device = counter.city.device("phone");
    let mut wallet = counter.city.open(&device, "old").unwrap().with_clock(clock);
    counter.city.identify(&mut wallet, &counter.number).await;
    let which = KeyChangeOf::Class("III".to_owned());
    let recovered = wallet.recover_account(BANK, &which, &mut |_| true).await.unwrap();
    assert_eq!(recovered.account, counter.account);
    let bill = super::purses::bill(&wallet, &shop, 1_800);
    assert!(matches!(wallet.pay(&bill).await.unwrap(), crate::wallet::Paid::Done(_)));
    let ended = counter.at("statements", json!({"pin": PIN})).await;
    assert_eq!(code_of(&ended), (422, "card.refused"));
    no_file_holds(counter.city.data.root(), &counter.card);
}

/// A card's number stands in no file of an institution.
fn no_file_holds(folder: &Path, card: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_file_holds(&path, card);
        } else {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(16).any(|part| part == card.as_bytes()), "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_holder_had_the_account_frozen_moves_nothing_until_an_officer_frees_it() {
    let counter = Counter::open().await;
    let path = format!("accounts/{}/freezes", counter.account);
    let evidence = json!({"evidence": EVIDENCE});
    assert_eq!(officer(&counter.city, "teller-3", &path, &evidence).await.0, 200);
    let wish = counter.order("cash_in", 10_000);
    let (status, refused) = counter.at("orders", wish.clone()).await;
    assert_eq!((status, &refused["code"]), (403, &json!("account.frozen_by_holder")), "{refused}");
    let path = format!("{path}/lift");
    assert_eq!(officer(&counter.city, "teller-3", &path, &evidence).await.0, 200);
    let (status, done) = counter.at("orders", wish).await;
    assert_eq!(status, 200, "{done}");
}
