//! Two countries, each served by a process of its own, and money between their ledgers: a payment
//! arrives, one to nobody comes back, and a ledger that is killed in between loses and doubles nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use support::{Account, Answer, Caller, Data, JIANGCHENG, LIANGHU, Server, now, run};
use yufu_base::{AccountId, Amount, CommandId, Currency, Digest, InstitutionId, Signer};
use yufu_jose::{Jwk, SoftwareKey, encode_base64url};
use yufu_keys::{KeyStore, random};
use yufu_machine::{Action, Authorisation, Correspondent, Order, Rate, Sending, Submission};
use yufu_payment::RequestToken;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../profiles/plain");
const HERE: &str = "central-bank";
const THERE: &str = "reserve-house";
const HARBOUR: &str = "harbour-bank";
/// How long anything between two ledgers may take, in tenths of a second.
const PATIENCE: usize = 300;

/// One country.
struct Country {
    data: Data,
    server: Option<Server>,
    profile: &'static [&'static str],
    ledger: &'static str,
}

impl Country {
    fn start(profile: &'static [&'static str], ledger: &'static str) -> Self {
        let data = Data::new();
        let server = Some(Server::start_with(&data, profile));
        Self { data, server, profile, ledger }
    }

    fn caller(&self) -> Caller {
        self.server.as_ref().unwrap().caller()
    }

    fn url(&self) -> String {
        self.caller().url
    }

    /// Kills the process; nothing that it was doing is finished.
    fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    fn restart(&mut self) {
        self.server = Some(Server::start_with(&self.data, self.profile));
    }

    async fn ledger(&self) -> Value {
        self.caller().get("/central-bank/v1/ledger", None).await.done()
    }

    /// The state of the one peer.
    async fn peer(&self) -> Value {
        self.caller().get("/central-bank/v1/peers", None).await.done()[0].clone()
    }

    async fn desk(&self, path: &str, body: &Value) -> Answer {
        let caller = self.caller();
        let token = caller.desk(self.ledger);
        caller.post(path, Some(&token), body).await
    }

    /// A bank's command, signed with its key as the bank would.
    async fn command(&self, bank: &str, action: Action) -> (CommandId, Answer) {
        let caller = self.caller();
        let institution: InstitutionId = bank.parse().unwrap();
        let key = key_of(self.data.path().as_path(), bank);
        let order = Order { id: caller.id(), action };
        let id = order.id;
        let signature = key.sign(&Submission::signing_bytes(&institution, &order)).unwrap();
        let key = key.public_key();
        let signed = Submission { institution, key, order, signature };
        let body = json!({"submission": encode_base64url(borsh::to_vec(&signed).unwrap())});
        (id, caller.post("/central-bank/v1/commands", None, &body).await)
    }

    /// Knows `other` as a peer, at `address`.
    async fn knows(&self, other: &Self, address: &str) {
        let ledger = other.ledger().await;
        let terms =
            json!({"address": address, "open": true, "most_unresolved": 10, "most_days": 2});
        let peer = json!({
            "peer": ledger["ledger"], "key": ledger["key"], "currency": ledger["currency"],
            "terms": terms,
        });
        self.desk("/central-bank/v1/peers", &peer).await.done();
    }

    async fn audited(&self) -> Value {
        let path = self.data.path();
        let output = run(&["audit", "--json", "--data", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", support::text(&output.stdout));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn key_of(data: &Path, institution: &str) -> Arc<dyn Signer> {
    KeyStore::open(&data.join(institution).join("keys")).unwrap().signer("commands").unwrap()
}

/// An account without limits in the other country.
async fn opened(caller: &Caller) -> Account {
    let key = SoftwareKey::from_seed(&random()).unwrap();
    let body = json!({"class": "house", "wallet_key": Jwk::from(key.public_key())});
    let path = format!("/banks/{HARBOUR}/v1/desk/accounts");
    let opened = caller.post(&path, Some(&caller.desk(HARBOUR)), &body).await.done();
    let id = opened["account"].as_str().unwrap().parse().unwrap();
    Account { bank: HARBOUR.to_owned(), id, key: Arc::new(key) }
}

fn amount(currency: &str, minor: u64) -> Amount {
    Amount::new(Currency::new(currency).unwrap(), minor)
}

/// 5 yuan, for which 700 mil arrive.
fn sending(payer: &Account, payee: AccountId) -> Action {
    let sending = Sending {
        payer: payer.id,
        peer: THERE.parse().unwrap(),
        payee,
        amount: amount("CNY", 500),
        foreign: amount("XTS", 700),
        correspondent: LIANGHU.parse().unwrap(),
        expires: now().plus_seconds(3_600),
        order: Digest::of(b"order"),
        authorisation: Authorisation::Ordinary,
    };
    Action::SendAbroad { sending: Box::new(sending) }
}

fn correspond(peer: &str, there: &str, rate: Option<Rate>, ready: u64) -> Action {
    let correspondent = Some(Correspondent { there: there.parse().unwrap(), rate, ready });
    Action::Correspond { peer: peer.parse().unwrap(), correspondent }
}

/// Waits until what was sent is resolved.
async fn resolved(country: &Country, through: u64) {
    for _ in 0..PATIENCE {
        if country.peer().await["settled_through"] == json!(through) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not resolved: {}", country.peer().await);
}

async fn state_of(country: &Country, bank: &str, id: CommandId) -> Value {
    let path = format!("/central-bank/v1/abroad/{id}");
    let token = RequestToken {
        iss: bank.to_owned(),
        aud: country.ledger.to_owned(),
        htm: "GET".to_owned(),
        htu: path.clone(),
        iat: now(),
    };
    let token = token.sign(&*key_of(country.data.path().as_path(), bank)).unwrap();
    country.caller().get(&path, Some(&token)).await.done()["state"].clone()
}

async fn supply_holds(country: &Country, in_flight: u64) {
    let supply = country.caller().supply().await;
    assert_eq!(supply["balanced"], json!(true), "{supply}");
    assert_eq!(supply["in_flight"], json!(in_flight), "{supply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_to_another_country_or_comes_back_also_when_its_ledger_is_killed() {
    let here = Country::start(&[], HERE);
    let mut there = Country::start(&["--profile", PLAIN], THERE);
    here.knows(&there, &there.url()).await;
    there.knows(&here, &here.url()).await;
    let rate = Rate { take: 5, give: 7, until: now().plus_seconds(3_600) };
    let offer = correspond(THERE, HARBOUR, Some(rate), 0);
    here.command(LIANGHU, offer).await.1.done();
    there.command(HARBOUR, correspond(HERE, LIANGHU, None, 5_000)).await.1.done();
    let payer = here.caller().business(JIANGCHENG, 2_000).await;
    let payee = opened(&there.caller()).await;

    // One arrives.
    let (arrives, answer) = here.command(JIANGCHENG, sending(&payer, payee.id)).await;
    assert_eq!(answer.done()["balance_minor"], json!(1_500));
    resolved(&here, 1).await;
    assert_eq!(there.caller().balance(&payee).await, 700);
    assert_eq!(state_of(&here, JIANGCHENG, arrives).await, json!("credited"));
    supply_holds(&here, 0).await;

    // One to nobody comes back.
    let nobody = AccountId::new(99);
    let (returns, _) = here.command(JIANGCHENG, sending(&payer, nobody)).await;
    resolved(&here, 2).await;
    assert_eq!(here.caller().balance(&payer).await, 1_500);
    assert_eq!(state_of(&here, JIANGCHENG, returns).await, json!("returned.payee_unknown"));

    // The other ledger is killed: what goes there is in flight until it is back, elsewhere.
    there.kill();
    let (waits, _) = here.command(JIANGCHENG, sending(&payer, payee.id)).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(state_of(&here, JIANGCHENG, waits).await, json!("in_flight"));
    supply_holds(&here, 500).await;
    there.restart();
    let terms =
        json!({"address": there.url(), "open": true, "most_unresolved": 10, "most_days": 2});
    let caller = here.caller();
    let (path, token) = (format!("/central-bank/v1/peers/{THERE}"), caller.desk(HERE));
    let bearer = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let body = serde_json::to_vec(&json!({"terms": terms})).unwrap();
    caller.send("PUT", &path, &headers, body).await.unwrap().done();
    resolved(&here, 3).await;
    assert_eq!(there.caller().balance(&payee).await, 1_400);
    assert_eq!(here.caller().balance(&payer).await, 1_000);
    for country in [&here, &there] {
        supply_holds(country, 0).await;
        let report = country.audited().await;
        assert_eq!(report["ok"], json!(true));
    }
    let peer = &here.audited().await["peers"][0];
    assert_eq!((&peer["sent"], &peer["unresolved"]), (&json!(3), &json!(0)));
    let (one, other) = (here.data.log(), there.data.path().join(THERE).join("ledger.sqlite"));
    let logs = [one, other].map(|log| log.to_str().unwrap().to_owned());
    let output = run(&["audit", "--json", "--log", &logs[0], "--between", &logs[1]]);
    assert_eq!(output.status.code(), Some(0), "{}", support::text(&output.stdout));
    let both: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sums = ["left", "settled", "given_back", "in_flight"].map(|sum| both["there"][sum].clone());
    assert_eq!(sums, ["1500", "1000", "500", "0"].map(|sum| json!(sum)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_word_of_a_registered_ledger_is_refused() {
    let here = Country::start(&[], HERE);
    let caller = here.caller();
    let peer = json!({
        "peer": THERE,
        "key": here.ledger().await["key"],
        "currency": "XTS",
        "terms": {
            "address": "http://127.0.0.1:9", "open": true, "most_unresolved": 1, "most_days": 1,
        },
    });
    let refused = caller.post("/central-bank/v1/peers", Some("guessed"), &peer).await;
    refused.refused("a guessed token", 401, "request.unauthenticated");
    let mut wrong = peer.clone();
    wrong["terms"]["address"] = json!("nowhere");
    let refused = here.desk("/central-bank/v1/peers", &wrong).await;
    refused.refused("no address", 400, "request.malformed");
    here.desk("/central-bank/v1/peers", &peer).await.done();
    let again = here.desk("/central-bank/v1/peers", &peer).await;
    again.refused("twice", 422, "institution.registered");
    let to = |peer: &str| format!("/central-bank/v1/peers/{peer}/transfers");
    let words = json!({"submission": "AAAA"});
    let refused = caller.post(&to(THERE), None, &words).await;
    refused.refused("no submission", 400, "request.malformed");
    // A bank's command is no word of another ledger.
    let institution: InstitutionId = LIANGHU.parse().unwrap();
    let key = key_of(here.data.path().as_path(), LIANGHU);
    let action = Action::CreditDeposits { amount: amount("CNY", 1) };
    let order = Order { id: caller.id(), action };
    let signature = key.sign(&Submission::signing_bytes(&institution, &order)).unwrap();
    let signed = Submission { institution, key: key.public_key(), order, signature };
    let words = json!({"submission": encode_base64url(borsh::to_vec(&signed).unwrap())});
    for address in [THERE, LIANGHU] {
        let refused = caller.post(&to(address), None, &words).await;
        refused.refused(address, 400, "request.malformed");
    }
    let unknown = caller.get(&format!("/central-bank/v1/abroad/{}", caller.id()), None).await;
    unknown.refused("nobody's", 401, "request.unauthenticated");
}
