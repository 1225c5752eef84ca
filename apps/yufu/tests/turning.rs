//! Keys that are rotated while the server runs: what was begun with the former one is finished, what begins afterwards
//! uses the next one, and what others check the former one against refuses it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::institutions::{AUTHORITY, HOTEL, SHOP};
use support::visits::Street;
use support::{
    Account, Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, carry, now, run, takings, text,
    trust_key,
};
use yufu_base::{CommandId, PublicKey, Signer};
use yufu_jose::{Jwk, SoftwareKey, Unverified};
use yufu_keys::random;
use yufu_machine::{Action, Order, Submission};
use yufu_trust::{TrustList, TrustListError, TrustPin};
use yufu_wallet::HeldCredential;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PURPOSE: &str = "check-age";
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `yufu keys` to a good end.
fn keys(data: &Data, arguments: &[&str]) -> String {
    let (path, mut all) = (data.path(), vec!["keys"]);
    all.extend(arguments);
    all.extend(["--data", path.to_str().unwrap()]);
    let done = run(&all);
    assert!(done.status.success(), "{done:?}");
    text(&done.stdout)
}

/// Why `yufu keys` refuses.
fn refused(data: &Data, arguments: &[&str]) -> String {
    let (path, mut all) = (data.path(), vec!["keys"]);
    all.extend(arguments);
    all.extend(["--data", path.to_str().unwrap()]);
    let done = run(&all);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    text(&done.stderr)
}

/// How the generations of a key stand, by `yufu keys list --json`.
fn states(data: &Data, institution: &str, key: &str) -> Vec<String> {
    let all: Vec<Value> = serde_json::from_str(&keys(data, &["list", "--json"])).unwrap();
    let own = all.iter().filter(|one| one["institution"] == institution && one["key"] == key);
    own.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

/// Waits until a key has these generations, which the server sees to.
async fn until(data: &Data, (institution, key): (&str, &str), wanted: &[&str]) {
    let mut waited = Duration::ZERO;
    while states(data, institution, key) != wanted {
        assert!(waited < PATIENCE, "{institution} {key}: {:?}", states(data, institution, key));
        tokio::time::sleep(Duration::from_millis(200)).await;
        waited += Duration::from_millis(200);
    }
    // Taken up in the ring a moment before it is used everywhere.
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// A key of an institution that lies in a file.
fn key_in(data: &Data, institution: &str, file: &str) -> SoftwareKey {
    let path = data.path().join(institution).join("keys").join(file);
    SoftwareKey::from_pkcs8(&fs::read(path).unwrap()).unwrap()
}

fn print(key: PublicKey) -> String {
    Jwk::from(key).thumbprint_base64url()
}

/// The key of the certificate in a token's header.
fn certified(jws: &str) -> PublicKey {
    let chain = Unverified::parse(jws).unwrap().header().chain().unwrap();
    yufu_jose::unverified_key(chain.unverified_leaf()).unwrap()
}

fn signer(held: &(HeldCredential, SoftwareKey)) -> PublicKey {
    let issued = held.0.credential.issued();
    certified(issued.split('~').next().unwrap())
}

/// Shows a credential at the shop: `yes`, or the code of the refusal.
async fn shown(caller: &Caller, credential: &(HeldCredential, SoftwareKey)) -> String {
    let mut street = Street::of(caller).await;
    let begun = street.begin(SHOP, PURPOSE).await;
    let request = street.answer(begun["authorization_request"].as_str().unwrap(), credential).await;
    let answer = carry(caller, &request).await;
    let state = street.state(SHOP, begun["verification"].as_str().unwrap()).await;
    let member = if answer.status == 200 { "state" } else { "refusal" };
    state[member].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_issuer_signs_with_the_next_key_and_what_the_former_signed_counts() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let number = Resident::of(&caller, 1).number;
    let before = Street::of(&caller).await.sd_jwts(&number).await;
    let told = keys(&data, &["rotate", AUTHORITY, "credentials"]);
    assert!(told.contains("the running server makes it known now"), "{told}");
    until(&data, (AUTHORITY, "credentials"), &["former", "in_use"]).await;
    let after = Street::of(&caller).await.sd_jwts(&number).await;
    assert_ne!(signer(&before[0]), signer(&after[0]));
    assert_eq!(shown(&caller, &before[0]).await, "yes", "by the former key");
    assert_eq!(shown(&caller, &after[0]).await, "yes");
    let published = caller.get("/.well-known/jwt-vc-issuer/authority", None).await.done();
    assert_eq!(published["jwks"]["keys"].as_array().unwrap().len(), 2, "{published}");
    let metrics = caller.client.get_text(&format!("{}/metrics", caller.url)).await.unwrap();
    assert!(metrics.contains("yufu_key_turns_total"), "{metrics}");

    // An anchor is on the list before it certifies anything.
    keys(&data, &["rotate", AUTHORITY, "credential-anchor", "--lead", "4"]);
    assert_eq!(states(&data, AUTHORITY, "credential-anchor"), ["in_use", "ahead"]);
    let twice = refused(&data, &["rotate", AUTHORITY, "credential-anchor"]);
    assert!(twice.contains("made already"), "{twice}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let certificates = async || {
        let trust = Street::of(&caller).await.trust;
        let mut all = trust.entries.iter();
        let entry = all.find(|one| one.identifier.ends_with("/authority")).unwrap().clone();
        (entry.certificates.len(), entry.withdrawn)
    };
    assert_eq!(certificates().await.0, 2);
    assert_eq!(states(&data, AUTHORITY, "credential-anchor"), ["in_use", "ahead"]);
    until(&data, (AUTHORITY, "credential-anchor"), &["former", "in_use"]).await;

    // A former key that somebody has is withdrawn while the server runs.
    let why = ["--compromised", "copied by a contractor"];
    let told = keys(&data, &[&["retire", AUTHORITY, "credentials"], &why[..]].concat());
    assert!(told.contains("the running server makes it known now"), "{told}");
    let mut waited = Duration::ZERO;
    while certificates().await.1 != [print(signer(&before[0]))] {
        assert!(waited < PATIENCE, "{:?}", certificates().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
        waited += Duration::from_millis(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_begun_before_a_partys_key_turned_is_finished_with_the_former_one() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let held = street.sd_jwts(&Resident::of(&caller, 1).number).await;
    let former = key_in(&data, SHOP, "access.p8").public_key();
    let begun = street.begin(SHOP, PURPOSE).await;
    let late = street.begin(SHOP, PURPOSE).await;
    let link = |begun: &Value| begun["authorization_request"].as_str().unwrap().to_owned();
    let id = |begun: &Value| begun["verification"].as_str().unwrap().to_owned();

    keys(&data, &["rotate", SHOP, "access"]);
    until(&data, (SHOP, "access"), &["former", "in_use"]).await;
    let next = key_in(&data, SHOP, "access-2.p8").public_key();
    let answer = street.answer(&link(&begun), &held[0]).await;
    assert_eq!(carry(&caller, &answer).await.status, 200);
    let state = street.state(SHOP, &id(&begun)).await;
    assert_eq!(state["state"], "yes");
    assert_eq!(certified(state["receipt"].as_str().unwrap()), former);
    let fresh = street.show(SHOP, PURPOSE, &held[1]).await;
    let state = street.state(SHOP, &fresh).await;
    assert_eq!(certified(state["receipt"].as_str().unwrap()), next);
    // Both are certified for the same purposes until the former one is withdrawn.
    let desk = caller.desk("registrar");
    let registrations = async || {
        let all = caller.get("/registrar/v1/desk/registrations", Some(&desk)).await.done();
        let of = |key: PublicKey| {
            let all = all.as_array().unwrap().iter();
            let mut own = all.filter(|one| one["access_key"] == print(key));
            own.all(|one| one.get("revocation").is_none())
        };
        (of(former), of(next))
    };
    assert_eq!(registrations().await, (true, true));

    keys(&data, &["retire", SHOP, "access", "--compromised", "a terminal was stolen"]);
    let mut waited = Duration::ZERO;
    while registrations().await != (false, true) {
        assert!(waited < PATIENCE, "{:?}", registrations().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
        waited += Duration::from_millis(200);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    // What was begun with it and never fetched has nobody to sign it.
    let path = format!("/verifiers/{SHOP}/openid4vp/{}/request", id(&late));
    let gone = caller.get(&path, None).await;
    gone.refused("its key is gone", 410, "presentation.expired");
    let mut street = Street::of(&caller).await;
    let fresh = street.show(SHOP, PURPOSE, &held[2]).await;
    assert_eq!(street.state(SHOP, &fresh).await["state"], "yes");
    server.terminate();
    assert!(server.ended().success());
    // The next start enrols with the key in use, and says again what was withdrawn.
    let server = Server::start(&data);
    let caller = server.caller();
    let desk = caller.desk(SHOP);
    let papers = format!("/verifiers/{SHOP}/v1/desk/reader?purpose={PURPOSE}");
    let papers = caller.get(&papers, Some(&desk)).await.done();
    let chain: Vec<String> = serde_json::from_value(papers["access"].clone()).unwrap();
    let chain = yufu_jose::Chain::from_x5c(&chain).unwrap();
    assert_eq!(yufu_jose::unverified_key(chain.unverified_leaf()), Some(next));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trust_lists_key_is_followed_by_the_one_it_announced_and_wallets_follow_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = Resident::identified(&caller, 1).await;
    let given = trust_key(&caller);
    let fetch = async || {
        caller.client.get_text(&format!("{}/trust-list/v1/list", caller.url)).await.unwrap()
    };
    let old = fetch().await;
    keys(&data, &["rotate", "trust-list-operator", "trust-list", "--lead", "4"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (list, announced) =
        TrustList::verify_by(&fetch().await, &TrustPin::given(given), now(), None).unwrap();
    let next = key_in(&data, "trust-list-operator", "trust-list-2.p8");
    assert_eq!(announced.key.key, given, "it signs yet");
    assert_eq!(announced.next.as_ref().unwrap().key.key, next.public_key());
    until(&data, ("trust-list-operator", "trust-list"), &["former", "in_use"]).await;

    let (after, pin) =
        TrustList::verify_by(&fetch().await, &announced, now(), Some(list.sequence)).unwrap();
    assert_eq!(pin, TrustPin::given(next.public_key()));
    assert!(after.sequence > list.sequence);
    assert_eq!(trust_key(&caller), next.public_key(), "for wallets that come new");
    // Nobody who heard of it takes a list of the former key any more: not one held back, nor a new one.
    let held_back = TrustList::verify_by(&old, &pin, now(), None);
    assert!(matches!(held_back, Err(TrustListError::Token(_))));
    let forged = TrustList { issued_at: now(), ..after.clone() };
    let forged = forged.sign(&key_in(&data, "trust-list-operator", "trust-list.p8")).unwrap();
    let refused = TrustList::verify_by(&forged, &announced, now(), None);
    assert!(matches!(refused, Err(TrustListError::FormerKey { .. })));

    // A wallet that was given the first key goes on by itself.
    let street = Street::of(&caller).await;
    let begun = street.begin(SHOP, PURPOSE).await;
    let link = begun["authorization_request"].as_str().unwrap();
    resident.wallet.present(link, &mut |_| true).await.unwrap();
    assert_eq!(street.state(SHOP, begun["verification"].as_str().unwrap()).await["state"], "yes");
    let stored = resident.wallet.secrets().unwrap();
    let known = &stored["trust_pin"]["pin"]["key"];
    assert_eq!(*known, serde_json::to_value(Jwk::from(next.public_key())).unwrap());
    // So do parties: what they enrol for afterwards is on a list by the next key.
    keys(&data, &["rotate", SHOP, "access"]);
    until(&data, (SHOP, "access"), &["former", "in_use"]).await;
    server.terminate();
    assert!(server.ended().success());
    let server = Server::start(&data);
    let caller = server.caller();
    assert_eq!(trust_key(&caller), next.public_key());
    assert!(Street::of(&caller).await.trust.sequence >= after.sequence);
}

/// Submits a bank's command, signed with a key.
async fn submitted(caller: &Caller, bank: &str, key: &SoftwareKey) -> support::Answer {
    let institution = bank.parse().unwrap();
    let id = CommandId::at(now(), u128::from_be_bytes(random()));
    let account = yufu_base::AccountId::new(u128::from_be_bytes(random()));
    let class = yufu_machine::ClassId::new("I").unwrap();
    let order = Order { id, action: Action::OpenWallet { account, class } };
    let signature = key.sign(&Submission::signing_bytes(&institution, &order)).unwrap();
    let submission = Submission { institution, key: key.public_key(), order, signature };
    let text = yufu_jose::encode_base64url(borsh::to_vec(&submission).unwrap());
    caller.post("/central-bank/v1/commands", None, &json!({"submission": text})).await
}

/// Pays again and again until told to stop; how often. Each is to succeed.
async fn pay_on(
    caller: Caller,
    (payer, payee): (Account, Account),
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
) -> u64 {
    let mut count = 0;
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let id = CommandId::at(now(), u128::from_be_bytes(random()));
        caller.pay(&payer, &payer.order(payee.id, 1, id)).await.unwrap().done();
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_go_on_while_a_banks_and_the_central_banks_keys_turn_and_the_former_are_refused() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, 500_000).await;
    let payee = caller.business(LIANGHU, 0).await;
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let paying: Vec<_> = (0..4)
        .map(|_| {
            let both = (payer.clone(), payee.clone());
            tokio::spawn(pay_on(caller.clone(), both, std::sync::Arc::clone(&stop)))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    for institution in [JIANGCHENG, LIANGHU, "central-bank"] {
        keys(&data, &["rotate", institution, "commands"]);
        until(&data, (institution, "commands"), &["over", "in_use"]).await;
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut count = 0;
    for one in paying {
        count += one.await.unwrap();
    }
    assert!(count > 0);
    assert_eq!(caller.balance(&payee).await, count, "each arrived once");
    let former = key_in(&data, JIANGCHENG, "commands.p8");
    let case = "the former key";
    submitted(&caller, JIANGCHENG, &former).await.refused(case, 422, "command.key_not_current");
    submitted(&caller, JIANGCHENG, &key_in(&data, JIANGCHENG, "commands-2.p8")).await.done();
    let ledger = caller.get("/central-bank/v1/ledger", None).await.done();
    let key: Jwk = serde_json::from_value(ledger["key"].clone()).unwrap();
    assert_eq!(key.key, key_in(&data, "central-bank", "commands-2.p8").public_key());
    let words: Vec<String> = serde_json::from_value(ledger["succession"].clone()).unwrap();
    let first = key_in(&data, "central-bank", "commands.p8").public_key();
    let followed = TrustPin::given(first).following("central-bank", &words, now()).unwrap();
    assert_eq!(followed.key.key, key.key, "whoever knew the former key gets to this one");
    assert_eq!(caller.get("/central-bank/v1/supply", None).await.done()["balanced"], true);

    // A crash after the ledger was told and before anybody else was: the next start goes on with the next key.
    server.kill();
    for institution in [LIANGHU, "central-bank"] {
        before_it_was_taken_up(&data.path().join(institution).join("keys/commands.ring"));
    }
    let server = Server::start(&data);
    let caller = server.caller();
    until(&data, (LIANGHU, "commands"), &["over", "in_use"]).await;
    let id = CommandId::at(now(), u128::from_be_bytes(random()));
    caller.pay(&payer, &payer.order(payee.id, 1, id)).await.unwrap().done();
    keys(&data, &["retire", LIANGHU, "commands"]);
    assert!(!data.path().join(LIANGHU).join("keys/commands.p8").exists());
}

/// Puts a ring back to where its next key was only ahead.
fn before_it_was_taken_up(ring: &Path) {
    let mut ring_now: Value = serde_json::from_slice(&fs::read(ring).unwrap()).unwrap();
    let mut next = ring_now["generations"].as_array_mut().unwrap().pop().unwrap();
    let former = ring_now["generations"][0].as_object_mut().unwrap();
    former.remove("replaced");
    former.remove("ends");
    next["from"] = json!(now().seconds());
    next["counts"] = json!(0);
    ring_now["ahead"] = next;
    fs::write(ring, ring_now.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotels_account_is_handed_over_to_its_next_key_and_the_former_is_refused_by_that_name() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    takings(&caller, HOTEL).await;
    let account = rusqlite::Connection::open(data.path().join(HOTEL).join("services.sqlite"));
    let account: String =
        account.unwrap().query_row("SELECT value FROM settings", (), |row| row.get(0)).unwrap();
    keys(&data, &["rotate", HOTEL, "wallet"]);
    until(&data, (HOTEL, "wallet"), &["over", "in_use"]).await;
    let of = |file: &str| Account {
        bank: LIANGHU.to_owned(),
        id: account.parse().unwrap(),
        key: std::sync::Arc::new(key_in(&data, HOTEL, file)),
    };
    let (former, next) = (of("wallet.p8"), of("wallet-2.p8"));
    let path = former.path();
    let refused = caller.get(&path, Some(&former.token(&path))).await;
    refused.refused("the former key", 403, "account.key_changed");
    caller.get(&path, Some(&next.token(&path))).await.done();
    // A key that nobody has is not rotated.
    let none = support::run(&[
        "keys",
        "rotate",
        AUTHORITY,
        "wallet",
        "--data",
        data.path().to_str().unwrap(),
    ]);
    assert!(text(&none.stderr).contains("there is no key wallet here"), "{none:?}");
    drop(server);
}
