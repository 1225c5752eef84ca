//! A wallet of somebody else's: it onboards people for a bank through the public interfaces alone, and
//! whoever switches platforms keeps the account. The provider learns nothing about the person.
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
use support::third_party::{
    Attested, ThirdParty, asks, fresh, hand_over, identifier, pays, pop, thumbprint, trust,
};
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, fen, now};
use yufu_base::{PublicKey, Signer};
use yufu_jose::{Jwk, SoftwareKey, Unverified};
use yufu_keys::{AuthorityCertificate, KeyStore, LeafSubject, Validity};
use yufu_openid4vc::attestation::WalletAttestation;
use yufu_trust::Role;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PAY: &str = "Jiangcheng Pay";
const CHUTIAN: &str = "Chutian Wallet";

/// The third party's wallet of a resident with credentials in it.
async fn identified(caller: &Caller, row: usize, provider: &str) -> (ThirdParty, Resident) {
    let resident = Resident::of(caller, row);
    let mut wallet = ThirdParty::install(caller, provider).await;
    let (offer, code) = resident.offer(caller).await;
    wallet.take_credentials(&offer, &code).await;
    (wallet, resident)
}

async fn state(caller: &Caller, bank: &str, account: &str, key: &SoftwareKey) -> Value {
    let path = format!("/banks/{bank}/v1/accounts/{account}");
    caller.get(&path, Some(&asks(key, account, bank, "GET", &path))).await.done()
}

/// What must survive a change of the wallet.
fn lasting(state: &Value) -> Value {
    let mut kept = state.as_object().unwrap().clone();
    for changed in ["key_since", "key_by", "served_through"] {
        kept.remove(changed).unwrap();
    }
    Value::Object(kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_wallet_onboards_for_a_bank_and_switching_platforms_keeps_the_account() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut pay, resident) = identified(&caller, 3, PAY).await;
    let (account, first) = pay.open_account(LIANGHU, "III").await;
    let shop = caller.business(JIANGCHENG, 0).await;
    let held = Account {
        bank: LIANGHU.to_owned(),
        id: account.parse().unwrap(),
        key: Arc::new(SoftwareKey::from_pkcs8(&first.to_pkcs8().unwrap()).unwrap()),
    };
    caller.fund(&held, fen(600)).await.done();
    let payments = format!("/banks/{LIANGHU}/v1/payments");
    caller.post(&payments, None, &pays(&account, shop.id, fen(18), &first)).await.done();
    let before = state(&caller, LIANGHU, &account, &first).await;
    assert_eq!(before["served_through"], "jiangcheng-pay");
    assert_eq!(
        (before["key_by"].as_str(), before["balance_minor"].as_u64()),
        (Some("opened"), Some(58_200))
    );

    // Handed over to another platform's wallet.
    let mut chutian = ThirdParty::install(&caller, CHUTIAN).await;
    let second = fresh();
    let attested = chutian.attest(LIANGHU, &second).await;
    let path = format!("/banks/{LIANGHU}/v1/hand-overs");
    let body = json!({ "order": hand_over(LIANGHU, &account, &first, &second) });
    let taken = chutian.post(&path, &second, LIANGHU, Some(&attested), &body).await.done();
    assert_eq!(taken["account"], account.as_str());
    let after = state(&caller, LIANGHU, &account, &second).await;
    assert_eq!(after["served_through"], "chutian-wallet");
    assert_eq!(after["key_by"], "handed_over");
    assert_eq!(
        lasting(&after),
        lasting(&before),
        "account, class, balance and limits are the same"
    );
    let late = caller.post(&payments, None, &pays(&account, shop.id, fen(1), &first)).await;
    late.refused("the old platform's wallet", 403, "account.key_changed");
    // What was spent that day still counts: 9,982 of the day's 10,000 are left.
    caller.fund(&held, fen(15_000)).await.done();
    for yuan in [5_000, 4_982] {
        let order = pays(&account, shop.id, fen(yuan), &second);
        caller.post(&payments, None, &order).await.done();
    }
    let over = caller.post(&payments, None, &pays(&account, shop.id, 1, &second)).await;
    let said = over.refused("the day's limit", 422, "transfer.limit_exceeded.daily");
    assert_eq!(said["remaining_minor"], 0);

    // Recovered into the first platform's wallet, without the key that commands it.
    let (offer, code) = resident.offer(&caller).await;
    pay.take_credentials(&offer, &code).await;
    let (recovered, third) = pay.recover(LIANGHU, "III").await;
    assert_eq!(recovered, account);
    let last = state(&caller, LIANGHU, &account, &third).await;
    assert_eq!(last["served_through"], "jiangcheng-pay");
    assert_eq!(last["balance_minor"], 560_000);
    let late = caller.post(&payments, None, &pays(&account, shop.id, 1, &second)).await;
    late.refused("the platform it was taken from", 403, "account.key_changed");

    // And into a wallet of the bank's own.
    let fourth = fresh();
    let body = json!({ "order": hand_over(LIANGHU, &account, &third, &fourth) });
    pay.post(&path, &fourth, LIANGHU, None, &body).await.done();
    let own = state(&caller, LIANGHU, &account, &fourth).await;
    assert_eq!(own["served_through"], Value::Null);
}

/// All that lies in an institution's folder but its keys, as bytes.
fn stored(data: &Path, institution: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(data.join(institution)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wallet_provider_stored_is_a_key_and_a_day_and_nothing_of_person_bank_or_account() {
    let data = Data::new();
    let log = data.beside("server.log");
    let server = Server::start_logging(&data, &log);
    let caller = server.caller();
    let (mut pay, resident) = identified(&caller, 4, PAY).await;
    let (account, key) = pay.open_account(JIANGCHENG, "III").await;
    let moved = fresh();
    let attested = pay.attest(JIANGCHENG, &moved).await;
    let path = format!("/banks/{JIANGCHENG}/v1/hand-overs");
    let body = json!({ "order": hand_over(JIANGCHENG, &account, &key, &moved) });
    pay.post(&path, &moved, JIANGCHENG, Some(&attested), &body).await.done();

    // The bank's desk reads what she showed: what must not be found elsewhere.
    let fields = "family_name+given_name+birthdate+personal_administrative_number";
    let path = format!(
        "/banks/{JIANGCHENG}/v1/desk/accounts/{account}/customer?purpose=test&fields={fields}"
    );
    let file = caller.get(&path, Some(&caller.desk(JIANGCHENG))).await.done();
    let mut secret: Vec<String> =
        file.as_object().unwrap().values().map(|v| v.as_str().unwrap().to_owned()).collect();
    assert_eq!(secret.len(), 4);
    // Names of one character are everywhere in a log; the number, the date and the full name are not.
    secret.retain(|value| value.len() > 6);
    secret.push(format!(
        "{}{}",
        file["family_name"].as_str().unwrap(),
        file["given_name"].as_str().unwrap()
    ));
    secret.push(resident.number.clone());
    secret.push(account.clone());
    for key in [&key, &moved] {
        secret.push(thumbprint(key));
        let jwk = serde_json::to_value(Jwk::from(key.public_key())).unwrap();
        secret.push(jwk["x"].as_str().unwrap().to_owned());
    }

    let known = pay.known().await;
    let instance = known["instance_key"]["x"].as_str().unwrap().to_owned();
    assert_eq!(known.as_object().unwrap().len(), 2, "all that is known: {known}");
    assert_eq!(known["registered_day"].as_u64().unwrap() % 86_400, 0);

    drop(server);
    let at_provider = stored(caller.data(), "jiangcheng-pay");
    let logged = std::fs::read(&log).unwrap();
    assert!(holds(&at_provider, &instance), "the search finds what is there");
    assert!(holds(&logged, "/wallet-providers/{provider}/v1/attestations"), "the log is one");
    for value in &secret {
        assert!(!holds(&at_provider, value), "{value} is stored at the wallet provider");
        assert!(!holds(&logged, value), "{value} is in the log");
    }
    for bank in [JIANGCHENG, LIANGHU, "江城银行", "banks/"] {
        assert!(!holds(&at_provider, bank), "the wallet provider stored {bank}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a flat list of rules")]
async fn an_attestation_that_breaks_a_rule_opens_nothing_and_takes_nothing_over() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut pay, _) = identified(&caller, 5, PAY).await;
    let mut chutian = ThirdParty::install(&caller, CHUTIAN).await;
    let rules = caller.get(&format!("/banks/{JIANGCHENG}/v1/onboarding"), None).await.done();
    let audience = rules["audience"].as_str().unwrap().to_owned();
    let list = trust(&caller).await;
    assert_eq!(rules["wallet_providers"], json!([identifier(&list, Role::WalletProvider, PAY)]));

    let key = fresh();
    let good = pay.attest(JIANGCHENG, &key).await;
    let elsewhere = pay.attest(LIANGHU, &key).await;
    let others = chutian.attest(JIANGCHENG, &key).await;
    let keys =
        |institution: &str| KeyStore::open(&caller.data().join(institution).join("keys")).unwrap();
    let chain = |text: &str| Unverified::parse(text).unwrap().header().chain().unwrap();
    let signed = |provider: &str, seconds: i64, chain, signer: &dyn Signer| {
        let at = now().seconds().checked_add_signed(seconds).unwrap();
        let attestation = WalletAttestation {
            provider: provider.to_owned(),
            key: key.public_key().into(),
            expires: yufu_base::Timestamp::from_seconds(at),
        };
        attestation.sign(chain, signer).unwrap()
    };
    let real = keys("jiangcheng-pay").signer("attestations").unwrap();
    let its_chain = chain(&good.attestation);
    // An anchor of one's own, and a signer that the trust list knows in another role.
    let root = fresh();
    let (own, bank) = (fresh(), keys(JIANGCHENG).signer("credentials").unwrap());
    let forged = forge(&root, own.public_key(), &pay.provider);
    let bank_chain = chain(&bank_statement(&caller).await);

    let with = |attestation: String| Attested { attestation, pop: pop(&audience, &key, now()) };
    let proof = |pop: String| Attested { attestation: good.attestation.clone(), pop };
    let expired = signed(&pay.provider, 0, &its_chain, &*real);
    let long = signed(&pay.provider, 3_700, &its_chain, &*real);
    let renamed = signed(&chutian.provider, 600, &its_chain, &*real);
    let unknown = signed(&pay.provider, 600, &forged, &own);
    let by_bank = signed(&pay.provider, 600, &bank_chain, &*bank);
    let old = yufu_base::Timestamp::from_seconds(now().seconds() - 120);
    let refused = "attestation.refused";
    let rows: Vec<(&str, Attested, &str)> = vec![
        ("expired", with(expired), refused),
        ("good for too long", with(long), refused),
        ("in another provider's name", with(renamed), refused),
        ("by an unknown anchor", with(unknown), refused),
        ("by a bank", with(by_bank), refused),
        ("no token", with("x.y.z".to_owned()), refused),
        ("proven to another bank", elsewhere, refused),
        ("proven by another key", proof(pop(&audience, &fresh(), now())), refused),
        ("proven too long ago", proof(pop(&audience, &key, old)), refused),
        ("by a provider not admitted", others, "attestation.provider_not_admitted"),
    ];
    let openings = format!("/banks/{JIANGCHENG}/v1/openings");
    let open = json!({"class": "III", "wallet_key": Jwk::from(key.public_key())});
    let recoveries = format!("/banks/{JIANGCHENG}/v1/key-recoveries");
    for (what, attested, code) in &rows {
        for path in [&openings, &recoveries] {
            let answer = pay.post(path, &key, JIANGCHENG, Some(attested), &open).await;
            answer.refused(what, 403, code);
        }
    }
    // The attested key is to be the one that commands.
    let other = json!({"class": "III", "wallet_key": Jwk::from(fresh().public_key())});
    let answer = pay.post(&openings, &key, JIANGCHENG, Some(&good), &other).await;
    answer.refused("another key attested", 403, refused);
    for (header, value) in [
        ("OAuth-Client-Attestation", &good.attestation),
        ("OAuth-Client-Attestation-PoP", &good.pop),
    ] {
        let headers = [("content-type", "application/json"), (header, value.as_str())];
        let body = serde_json::to_vec(&open).unwrap();
        let answer = caller.send("POST", &openings, &headers, body).await.unwrap();
        answer.refused(header, 400, "attestation.incomplete");
    }
    // An account is not taken over either, and stays where it was.
    let (account, first) = pay.open_account(JIANGCHENG, "III").await;
    let path = format!("/banks/{JIANGCHENG}/v1/hand-overs");
    let body = json!({ "order": hand_over(JIANGCHENG, &account, &first, &key) });
    for (what, attested, code) in &rows {
        let answer = pay.post(&path, &key, JIANGCHENG, Some(attested), &body).await;
        answer.refused(what, 403, code);
    }
    assert_eq!(state(&caller, JIANGCHENG, &account, &first).await["key_by"], "opened");

    // An instance that is not registered gets nothing attested.
    let stranger = fresh();
    let path = "/wallet-providers/jiangcheng-pay/v1/attestations";
    let token = asks(&stranger, &thumbprint(&stranger), "jiangcheng-pay", "POST", path);
    let body = json!({ "key": Jwk::from(key.public_key()) });
    let answer = caller.post(path, Some(&token), &body).await;
    answer.refused("a stranger", 403, "instance.unknown");
    caller.post(path, None, &body).await.refused("nobody", 401, "request.unauthenticated");
    let token = asks(&stranger, &thumbprint(&stranger), "jiangcheng-pay", "POST", path);
    let path = "/wallet-providers/jiangcheng-pay/v1/instances";
    let body = json!({ "instance_key": Jwk::from(fresh().public_key()) });
    let answer = caller.post(path, Some(&token), &body).await;
    answer.refused("another's key", 401, "request.unauthenticated");
}

/// A chain under an anchor that nobody lists.
fn forge(root: &SoftwareKey, key: PublicKey, uri: &str) -> yufu_jose::Chain {
    let validity = Validity { from: now().minus_seconds(60), until: now().plus_seconds(86_400) };
    let authority = AuthorityCertificate::self_signed("Jiangcheng Pay", root, validity).unwrap();
    let subject = LeafSubject {
        organisation: "Jiangcheng Pay".to_owned(),
        common_name: "credentials and their status".to_owned(),
        dns_names: Vec::new(),
        uris: vec![uri.to_owned()],
        key,
    };
    let validity = Validity { from: now().minus_seconds(60), until: now().plus_seconds(86_400) };
    yufu_jose::Chain::from_der(vec![authority.issue(&subject, validity).unwrap()]).unwrap()
}

/// Something that a bank signed as an issuer: a statement.
async fn bank_statement(caller: &Caller) -> String {
    let body = json!({"reference": "r", "audience": LIANGHU, "wallet_key_thumbprint": "t"});
    let bearer = format!("Bearer {}", caller.desk(JIANGCHENG));
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
        ("operator", "teller-1"),
    ];
    let path = format!("/banks/{JIANGCHENG}/v1/desk/statements");
    let body = serde_json::to_vec(&body).unwrap();
    let made = caller.send("POST", &path, &headers, body).await.unwrap().done();
    made["statement"].as_str().unwrap().to_owned()
}
