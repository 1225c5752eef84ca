//! Registries that run by themselves take up whom their operators admitted, under the key that was admitted, for
//! what the profile gives them; and an institution waits for its registries no longer than it is to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::fs::{self, File};
use std::net::TcpListener;
use support::{Caller, Data, JIANGCHENG, LIANGHU, Resident, Running, Server, ended, now, yufu};
use yufu_api::central_bank::{BankEnrolment, BankOpening, sign_all};
use yufu_base::{Amount, Currency, Signer, Timestamp};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::{KeyStore, LeafSubject};
use yufu_trust::{Anchor, EnrolledKey, Enrolment, Role};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const REGISTRIES: &str = "trust-list-operator,registrar,central-bank";
const LIST: &str = "/trust-list/v1/enrolments";
const REGISTRAR: &str = "/registrar/v1/enrolments";
const CENTRAL_BANK: &str = "/central-bank/v1/enrolments";

fn print(key: &dyn Signer) -> String {
    Jwk::from(key.public_key()).thumbprint_base64url()
}

/// An institution as its own process would be.
struct Institution {
    id: &'static str,
    keys: KeyStore,
}

impl Institution {
    fn new(data: &Data, id: &'static str) -> Self {
        Self { id, keys: KeyStore::open(&data.beside(id)).unwrap() }
    }

    fn print(&self) -> String {
        print(&*self.keys.signer("institution").unwrap())
    }

    fn enrolment(&self, at: &str) -> Enrolment {
        Enrolment {
            iss: self.id.to_owned(),
            aud: at.to_owned(),
            url: "https://bank.example".to_owned(),
            iat: Timestamp::from_seconds(now().seconds()),
            key: None,
            anchors: Vec::new(),
            former: Vec::new(),
            withdrawn: Vec::new(),
        }
    }

    fn with_key(&self, at: &str, key: &dyn Signer) -> Enrolment {
        let plain = self.enrolment(at);
        let key = EnrolledKey::prove(key, (self.id, at), plain.iat).unwrap();
        Enrolment { key: Some(key), ..plain }
    }

    /// An enrolment with an anchor for a role, which certifies `proven`.
    fn with_anchor(&self, role: Role, anchor: &str, proven: &dyn Signer) -> Enrolment {
        let der = self.keys.anchor(anchor, self.id, now()).unwrap();
        let subject = LeafSubject {
            organisation: self.id.to_owned(),
            common_name: "enrolment".to_owned(),
            dns_names: Vec::new(),
            uris: Vec::new(),
            key: proven.public_key(),
        };
        let proof = self.keys.certify(anchor, &subject, now()).unwrap();
        let anchors = vec![Anchor::new(role, &der, proof.unverified_leaf())];
        Enrolment { anchors, ..self.enrolment("trust-list-operator") }
    }

    fn sign(&self, enrolment: &Enrolment) -> Value {
        let key = self.keys.signer("institution").unwrap();
        json!({"enrolment": enrolment.sign(&*key).unwrap()})
    }
}

/// The registries in one process, which admitted one bank.
fn registries(data: &Data, bank: &Institution) -> Server {
    let admitted = format!("{}={}", bank.id, bank.print());
    Server::start_with(data, &["--institutions", REGISTRIES, "--admitted", &admitted])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_is_taken_up_under_the_key_that_was_admitted_for_here_and_now() {
    let data = Data::new();
    let bank = Institution::new(&data, JIANGCHENG);
    let server = registries(&data, &bank);
    let caller = server.caller();
    let access = bank.keys.signer("access").unwrap();

    let stranger = Institution::new(&data, LIANGHU);
    let sent = stranger.sign(&stranger.with_key("registrar", &*access));
    let refused = caller.post(REGISTRAR, None, &sent).await;
    let refused = refused.refused("not admitted", 403, "enrolment.not_admitted");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains(&stranger.print()) && detail.contains("[admitted]"), "{detail}");

    let impostor = Institution { id: JIANGCHENG, ..Institution::new(&data, "impostor") };
    let sent = impostor.sign(&impostor.with_key("registrar", &*access));
    let refused = caller.post(REGISTRAR, None, &sent).await;
    refused.refused("another key", 403, "enrolment.not_admitted");

    let elsewhere = bank.sign(&bank.with_key("central-bank", &*access));
    let refused = caller.post(REGISTRAR, None, &elsewhere).await;
    refused.refused("for elsewhere", 401, "request.unauthenticated");

    let plain = bank.enrolment("registrar");
    let iat = Timestamp::from_seconds(now().seconds() - 600);
    let old = bank.sign(&Enrolment { iat, ..plain });
    let refused = caller.post(REGISTRAR, None, &old).await;
    refused.refused("old", 401, "request.unauthenticated");

    let mut borrowed = bank.with_key("registrar", &*access);
    let stolen = SoftwareKey::from_seed(&[7; 32]).unwrap().public_key().into();
    borrowed.key.as_mut().unwrap().jwk = stolen;
    let refused = caller.post(REGISTRAR, None, &bank.sign(&borrowed)).await;
    refused.refused("a key it does not hold", 403, "enrolment.unproven");

    let sent = bank.sign(&bank.with_key("registrar", &*access));
    let certified = caller.post(REGISTRAR, None, &sent).await.done();
    let registered = certified["registrations"].as_object().unwrap();
    let purposes: Vec<&str> = registered.keys().map(String::as_str).collect();
    let asked = [
        "change-key",
        "confirm-payment",
        "open-account",
        "open-account-for-ward",
        "sign-in",
        "wake-account",
    ];
    assert_eq!(purposes, asked, "what the profile registers");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_is_listed_in_the_roles_that_the_profile_gives_it_with_one_anchor_each() {
    let data = Data::new();
    let bank = Institution::new(&data, JIANGCHENG);
    let server = registries(&data, &bank);
    let caller = server.caller();
    let own = bank.keys.signer("institution").unwrap();

    let forged = bank.with_anchor(Role::PidIssuer, "credential-anchor", &*own);
    let refused = caller.post(LIST, None, &bank.sign(&forged)).await;
    refused.refused("a role of another", 403, "enrolment.role");

    let access = bank.keys.signer("access").unwrap();
    let unproven = bank.with_anchor(Role::BankIssuer, "credential-anchor", &*access);
    let refused = caller.post(LIST, None, &bank.sign(&unproven)).await;
    refused.refused("an anchor it does not hold", 403, "enrolment.unproven");

    let right = bank.sign(&bank.with_anchor(Role::BankIssuer, "credential-anchor", &*own));
    let first = caller.post(LIST, None, &right).await.done();
    let again = caller.post(LIST, None, &right).await.done();
    assert_eq!(first, again, "a repeated enrolment changes nothing");

    let other = bank.with_anchor(Role::BankIssuer, "other-anchor", &*own);
    let refused = caller.post(LIST, None, &bank.sign(&other)).await;
    refused.refused("another anchor", 409, "enrolment.key_differs");

    // One that says what became of the former anchor is listed beside it, or instead of it.
    let print = |anchor: &str| print(&*bank.keys.signer(anchor).unwrap());
    let former = vec![print("credential-anchor")];
    let kept = Enrolment { former: former.clone(), ..other.clone() };
    let listed = caller.post(LIST, None, &bank.sign(&kept)).await.done();
    assert!(listed["sequence"].as_u64() > first["sequence"].as_u64(), "a new list");
    assert_eq!(anchors(&caller).await, 2);
    let withdrawn = Enrolment { withdrawn: former, ..other };
    caller.post(LIST, None, &bank.sign(&withdrawn)).await.done();
    assert_eq!(anchors(&caller).await, 1);
    let refused = caller.post(LIST, None, &right).await;
    refused.refused("the former one again", 409, "enrolment.key_differs");
    let both = Enrolment { former: vec![print("other-anchor")], ..right_again(&bank, &*own) };
    let refused = caller.post(LIST, None, &bank.sign(&both)).await;
    refused.refused("a withdrawn one again", 409, "enrolment.key_withdrawn");
}

/// The bank's first anchor once more.
fn right_again(bank: &Institution, own: &dyn Signer) -> Enrolment {
    bank.with_anchor(Role::BankIssuer, "credential-anchor", own)
}

/// How many anchors the list has of the bank.
async fn anchors(caller: &Caller) -> usize {
    let street = support::visits::Street::of(caller).await;
    let entries = street.trust.entries.iter().filter(|one| one.role == Role::BankIssuer);
    entries.map(|one| one.certificates.len()).sum()
}

/// What the sample profile gives the bank, with half of the notes in circulation.
fn opening() -> BankOpening {
    let yuan = |yuan: u64| Amount::new(Currency::new("CNY").unwrap(), yuan * 100);
    let notes = 1_000_000_000;
    BankOpening {
        reserves: yuan(8_000_000_000 + 1_000_000_000 + 200_000_000 + notes),
        digital: yuan(1_000_000_000),
        paper: yuan(200_000_000 + notes),
        deposits: yuan(30_000_000_000 + notes),
        notes: yuan(notes),
    }
}

fn registration(bank: &Institution, commands: &dyn Signer, opening: &BankOpening) -> Value {
    let id = bank.id.parse().unwrap();
    let own = sign_all(&id, commands, now(), opening.of_bank()).unwrap();
    let signed = bank.sign(&bank.with_key("central-bank", commands));
    let enrolment = signed["enrolment"].as_str().unwrap().to_owned();
    serde_json::to_value(BankEnrolment::new(enrolment, &own).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banks_books_are_opened_once_by_the_key_that_it_enrolled_with() {
    let data = Data::new();
    let bank = Institution::new(&data, JIANGCHENG);
    let server = registries(&data, &bank);
    let caller = server.caller();
    assert_eq!(caller.supply().await["issued"], 0, "no bank, no money");
    let commands = bank.keys.signer("commands").unwrap();

    let mut more = opening();
    more.deposits = more.deposits.checked_add(more.notes).unwrap();
    let refused = caller.post(CENTRAL_BANK, None, &registration(&bank, &*commands, &more)).await;
    refused.refused("more than the profile says", 400, "request.malformed");
    assert_eq!(caller.supply().await["issued"], 0, "a refusal changes nothing");

    let right = registration(&bank, &*commands, &opening());
    assert_eq!(caller.post(CENTRAL_BANK, None, &right).await.done()["ledger"], "central-bank");
    let supply = caller.supply().await;
    assert_eq!(supply["balanced"], true, "{supply}");
    assert_eq!(supply["issued"], opening().reserves.minor(), "{supply}");
    // The bank starts again, with fresh commands: its books are open already.
    let again = registration(&bank, &*commands, &opening());
    caller.post(CENTRAL_BANK, None, &again).await.done();
    assert_eq!(caller.supply().await, supply);

    let other = SoftwareKey::from_seed(&[8; 32]).unwrap();
    let refused = caller.post(CENTRAL_BANK, None, &registration(&bank, &other, &opening())).await;
    refused.refused("another key", 409, "enrolment.key_differs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_says_whom_it_waits_for_and_gives_up_in_time() {
    let data = Data::new();
    let path = data.path();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = data.beside("said");
    let addresses = format!(
        "trust-list-operator=http://localhost:{nobody},registrar=http://localhost:{nobody},central-bank=http://localhost:{nobody},bank-of-lianghu=http://localhost:{nobody},cash-allowance=http://localhost:{nobody}"
    );
    let child = yufu()
        .args(["serve", "--institutions", JIANGCHENG, "--listen", &format!("127.0.0.1:{port}")])
        .args(["--addresses", &addresses, "--wait-seconds", "3"])
        .args(["--trust-list-key", "tests/support/some-key.json"])
        .args(["--data", path.to_str().unwrap()])
        .stderr(File::create(&said).unwrap())
        .spawn()
        .unwrap();
    let mut process = Running(child);
    let caller = Caller::new(&format!("http://localhost:{port}"), &path);
    let mut tries = 0;
    let ready = loop {
        match caller.send("GET", "/readyz", &[], Vec::new()).await {
            Ok(answer) if answer.body.to_string().contains("waiting") => break answer,
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
        tries += 1;
        assert!(tries < 40, "it does not say what it waits for");
    };
    let waiting = ready.refused("while it waits", 503, "server.starting");
    let place = format!("trust-list-operator at http://localhost:{nobody}");
    assert!(waiting["detail"].as_str().unwrap().contains(&place), "{waiting}");
    let early = caller.get(&format!("/banks/{JIANGCHENG}/v1/accounts/x"), None).await;
    early.refused("not open yet", 503, "server.starting");

    assert_eq!(ended(&mut process.0).code(), Some(1));
    let said = fs::read_to_string(said).unwrap();
    for part in ["waiting for ", &place, "gave up after", "start it, or correct its address"] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_says_where_everybody_is_and_a_wallet_that_pays_asks_the_central_bank_nothing() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = Resident::identified(&caller, 5).await;
    let account = resident.open_account(&caller, 10_000).await;
    let directory = resident.file()["directory"].as_array().unwrap().clone();
    let kinds: Vec<&str> = directory.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    for kind in ["identity-authority", "central-bank", "commercial-bank", "hotel", "railway"] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    assert!(directory.iter().all(|one| one["url"] == caller.url.as_str()), "{directory:?}");

    let shop = caller.business(LIANGHU, 0).await;
    let bill = yufu::wallet::Bill {
        payee: shop.id,
        payee_name: "Shop".to_owned(),
        amount: Amount::new(Currency::new("CNY").unwrap(), 1_800),
        id: resident.wallet.fresh_order_id(),
    };
    let before = asked_for_the_ledger(&caller).await;
    let paid = resident.wallet.pay(&bill).await.unwrap();
    assert!(matches!(paid, yufu::wallet::Paid::Done(_)), "{paid:?}");
    assert_eq!(caller.balance(&account).await, 8_200);
    assert_eq!(before, 1, "the wallet asks for the currency when its first account is opened");
    assert_eq!(asked_for_the_ledger(&caller).await, before, "the wallet asked before it paid");
}

/// How often somebody asked the central bank about its ledger.
async fn asked_for_the_ledger(caller: &Caller) -> u64 {
    let metrics = caller.get("/metrics", None).await.body.to_string();
    let of_the_ledger = metrics.split("\\n").filter(|line| {
        line.starts_with("yufu_http_requests_total") && line.contains("/central-bank/v1/ledger")
    });
    of_the_ledger.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}
