//! The whole product runs, a resident gets an identity and shows it; everything that is signed on the way
//! is verified by libraries that other people wrote, with keys and lists that they fetch themselves.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use support::{Caller, Data, Resident, Server, begin_opening, now};
use yufu_credential::KeyBinding;
use yufu_jose::jwe::{self, Entropy};
use yufu_keys::random;
use yufu_openid4vc::presentation::{AuthorizationResponse, RequestObject};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");
const BANK: &str = "/banks/bank-of-jiangcheng";

/// The credentials of the wallet, as the authority issued them.
fn batch(resident: &Resident) -> Vec<String> {
    let held: Vec<yufu_wallet::HeldCredential> = resident.file()["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stored| serde_json::from_value(stored["held"].clone()).unwrap())
        .collect();
    held.iter().map(|held| held.credential.issued()).collect()
}

/// The certificates of the party in `role`, from the trust list, whose signature jose verifies with the one key
/// that wallets are given.
async fn certificates(caller: &Caller, role: &str) -> Value {
    let jws = caller.client.get_text(&format!("{}/trust-list/v1/list", caller.url)).await.unwrap();
    let key = fs::read(caller.data().join("trust-list-key.json")).unwrap();
    let key: Value = serde_json::from_slice(&key).unwrap();
    let list = json!({"jws": jws, "typ": "yufu-trust-list+jwt", "jwk": key});
    let list = node::run("verify-jws.mjs", &list);
    assert_eq!(list["ok"], true, "{list}");
    let entries = list["payload"]["entries"].as_array().unwrap();
    let party = entries.iter().find(|entry| entry["role"] == role).unwrap();
    party["certificates"].clone()
}

async fn revoke(caller: &Caller, resident: &Resident) -> u64 {
    let body = json!({"resident_number": resident.number, "reason": "phone lost"});
    let desk = caller.desk("identity-authority");
    let answer = caller.post("/authority/v1/officer/revocations", Some(&desk), &body).await;
    answer.done()["revoked"].as_u64().unwrap()
}

/// Sends a presentation to the verifier that asked, encrypted as it wants it.
async fn send(caller: &Caller, request: &RequestObject, presentation: &str) {
    let answer = AuthorizationResponse {
        vp_token: BTreeMap::from([("pid".to_owned(), vec![presentation.to_owned()])]),
        state: request.state.clone(),
    };
    let metadata = request.reply.encryption().unwrap();
    let entropy = Entropy { ephemeral: random(), iv: random() };
    let plaintext = serde_json::to_vec(&answer).unwrap();
    let parameters = metadata.content_encryption.into();
    let jwe = jwe::encrypt(&metadata.encryption_key, &parameters, &plaintext, &entropy).unwrap();
    let path = request.reply.address().unwrap().as_str().strip_prefix(&caller.url).unwrap();
    let taken = caller.post_form(path, &[("response", &jwe)]).await.done();
    // Whoever began comes back with the code.
    let Some((_, code)) =
        taken["redirect_uri"].as_str().and_then(|to| to.split_once("response_code="))
    else {
        return;
    };
    let back = path.replace("/response", "/return");
    caller.post(&back, None, &json!({"response_code": code})).await.done();
}

#[tokio::test]
async fn a_batch_from_the_running_authority_is_verified_until_it_is_revoked() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::identified(&caller, 1).await;
    let anchors = certificates(&caller, "pid_issuer").await;
    let batch = batch(&resident);
    assert_eq!(batch.len(), 10);

    let mut unlinkable = BTreeSet::new();
    for credential in batch.iter().take(3) {
        let seen = node::run("verify.mjs", &json!({"sd_jwt": credential, "anchors": anchors}));
        assert_eq!(seen["ok"], true, "{seen}");
        let payload = &seen["payload"];
        assert_eq!(payload["iss"], format!("{}/authority", caller.url));
        assert_eq!(payload["vct"], "urn:yufu:pid:cn:1");
        assert_eq!(payload["personal_administrative_number"], resident.number);
        assert_eq!(payload["age_equal_or_over"]["18"], true);
        unlinkable.insert(payload["cnf"].to_string());
        unlinkable.insert(payload["status"].to_string());
    }
    assert_eq!(unlinkable.len(), 6, "each copy has a key and a place of its own");

    let other = json!({"sd_jwt": batch[0], "anchors": certificates(&caller, "access_ca").await});
    let seen = node::run("verify.mjs", &other);
    assert_eq!(seen["ok"], false, "an anchor for another role vouches for it: {seen}");

    assert_eq!(revoke(&caller, &resident).await, 10);
    for credential in batch.iter().take(3) {
        let seen = node::run("verify.mjs", &json!({"sd_jwt": credential, "anchors": anchors}));
        assert_eq!(seen["ok"], false, "{seen}");
        assert_eq!(seen["error"], "Status is not valid", "{seen}");
    }
}

#[tokio::test]
async fn the_presentation_that_opens_an_account_is_verified_with_what_it_signs() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::identified(&caller, 1).await;
    let (link, opening) = begin_opening(&caller).await;

    let address = format!("{}{BANK}/openid4vp/{opening}/request", caller.url);
    let jws = caller.client.get_text(&address).await.unwrap();
    let asked = json!({"jws": jws, "typ": "oauth-authz-req+jwt"});
    let asked = node::run("verify-jws.mjs", &asked);
    assert_eq!(asked["ok"], true, "{asked}");
    let hash = asked["leaf_hash"].as_str().unwrap();
    assert_eq!(asked["payload"]["client_id"], format!("x509_hash:{hash}"));

    let reviewed = resident.review(&caller, &link).await;
    let request = reviewed.request();
    let (held, key) = resident.credential();
    let claims = request.dcql_query.credential("pid").unwrap().matches(&held.candidate()).unwrap();
    let transactions: Vec<String> =
        request.transaction_data.iter().map(|data| data.text().to_owned()).collect();
    let binding = KeyBinding {
        audience: request.client_id.clone(),
        nonce: request.nonce.clone(),
        issued_at: now(),
        transaction_data: transactions.clone(),
    };
    let shown = held
        .credential
        .as_sd_jwt()
        .unwrap()
        .disclose(&claims)
        .unwrap()
        .bind(&binding, &key)
        .unwrap();

    let anchors = certificates(&caller, "pid_issuer").await;
    let input = |audience: &str, nonce: &str, transactions: &[String]| {
        json!({
            "sd_jwt": shown,
            "anchors": anchors,
            "audience": audience,
            "nonce": nonce,
            "transaction_data": transactions,
        })
    };
    let seen = node::run("verify.mjs", &input(&request.client_id, &request.nonce, &transactions));
    assert_eq!(seen["ok"], true, "{seen}");
    assert_eq!(seen["payload"]["personal_administrative_number"], resident.number);
    for hidden in ["address", "sex", "age_equal_or_over", "nationalities"] {
        assert!(seen["payload"].get(hidden).is_none(), "{hidden} was shown: {seen}");
    }
    assert_eq!(transactions.len(), 1);
    let other = ["e30".to_owned()];
    for (case, input) in [
        ("another audience", input("x509_hash:other", &request.nonce, &transactions)),
        ("another nonce", input(&request.client_id, "other", &transactions)),
        ("another transaction", input(&request.client_id, &request.nonce, &other)),
    ] {
        assert_eq!(node::run("verify.mjs", &input)["ok"], false, "{case}");
    }

    // The very same presentation opens the account, and the bank's receipt for it verifies.
    send(&caller, request, &shown).await;
    let status = caller.get(&format!("{BANK}/v1/openings/{opening}"), None).await.done();
    assert_eq!(status["state"], "open");
    let receipt = json!({
        "jws": status["receipt"],
        "typ": "yufu-receipt+jwt",
        "certificate": asked["leaf"],
    });
    let receipt = node::run("verify-jws.mjs", &receipt);
    assert_eq!(receipt["ok"], true, "{receipt}");

    assert_eq!(revoke(&caller, &resident).await, 10);
    let seen = node::run("verify.mjs", &input(&request.client_id, &request.nonce, &transactions));
    assert_eq!(seen["error"], "Status is not valid", "{seen}");
}
