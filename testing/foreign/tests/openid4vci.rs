//! Wallets that other people wrote get credentials from the running authority (OpenID4VCI 1.0 under HAIP 1.0).
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
use std::collections::BTreeSet;
use support::attested::authenticated;
use support::third_party::{ThirdParty, fresh};
use support::{Caller, Data, Resident, Server};
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey, encode_base64url};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");

fn private(key: &SoftwareKey) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from(key.public_key())).unwrap();
    jwk["d"] = encode_base64url(key.to_scalar().unwrap().as_slice()).into();
    jwk
}

/// The certificates of the identity authority, from the trust list.
async fn anchors(caller: &Caller) -> Value {
    let list = support::third_party::trust(caller).await;
    let issuer = list.entries.iter().find(|entry| entry.role == yufu_trust::Role::PidIssuer);
    json!(issuer.unwrap().certificates)
}

/// What a wallet of the libraries says to two batches of the resident's identity, encrypted so, if at all; `sd-jwt-vc`
/// verifies all of them.
async fn two_batches(encryption: Option<[&str; 2]>) -> Value {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 1);
    let provider = ThirdParty::install(&caller, "Jiangcheng Pay").await;
    let made = authenticated(&caller, &resident, "pid").await;
    let credentials: Vec<Value> = (0..3).map(|_| private(&fresh())).collect();
    let seen = node::run(
        "openid4vci.mjs",
        &json!({
            "offer": made["haip_offer"],
            "digits": made["transaction_code"],
            "provider": {
                "id": "jiangcheng-pay",
                "address": provider.provider,
                "instance": private(provider.instance()),
            },
            "keys": {
                "attested": private(&fresh()),
                "dpop": private(&fresh()),
                "credentials": credentials,
            },
            "encryption": encryption,
        }),
    );
    assert_eq!(seen["ok"], true, "{seen}");
    assert_eq!((&seen["scope"], &seen["token"]), (&json!("pid"), &json!("DPoP")));
    let anchors = anchors(&caller).await;
    let mut places = BTreeSet::new();
    for batch in seen["batches"].as_array().unwrap() {
        assert_eq!(batch.as_array().unwrap().len(), 3, "one for each attested key");
        for credential in batch.as_array().unwrap() {
            let input = json!({"sd_jwt": credential, "anchors": anchors});
            let verified = node::run("verify.mjs", &input);
            assert_eq!(verified["ok"], true, "{verified}");
            let payload = &verified["payload"];
            assert_eq!(payload["personal_administrative_number"], resident.number);
            places.insert(payload["status"].to_string());
        }
    }
    assert_eq!(places.len(), 6, "each copy has a place of its own");
    seen
}

#[tokio::test]
async fn a_wallet_of_openid4vc_ts_gets_two_batches_under_haip_and_sd_jwt_vc_verifies_them() {
    let seen = two_batches(None).await;
    assert_eq!(seen["opened"], json!([]), "nothing was encrypted");
}

#[tokio::test]
async fn jose_encrypts_its_requests_and_opens_our_answers_in_both_encryptions_10() {
    let seen = two_batches(Some(["A128GCM", "A256GCM"])).await;
    assert_eq!(seen["in_the_clear"], "invalid_encryption_parameters", "{seen}");
    let opened = seen["opened"].as_array().unwrap();
    for (header, enc) in opened.iter().zip(["A128GCM", "A256GCM"]) {
        assert_eq!((&header["alg"], &header["enc"]), (&json!("ECDH-ES"), &json!(enc)));
        assert_eq!(header["kid"], "answer", "to the key of that request");
    }
    assert_eq!(opened.len(), 2, "both batches came encrypted");
}

#[tokio::test]
async fn metadata_are_signed_so_that_jose_verifies_them_12_2_3() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let url = format!("{}/.well-known/openid-credential-issuer/authority/haip", caller.url);
    let accept = [("accept".to_owned(), "application/jwt".to_owned())];
    let (status, kind, body) =
        caller.client.exchange("GET", &url, &accept, Vec::new()).await.unwrap();
    assert_eq!((status, kind.as_str()), (200, "application/jwt"));
    let jws = String::from_utf8(body).unwrap();
    let input = json!({"jws": jws, "typ": "openidvci-issuer-metadata+jwt"});
    let seen = node::run("verify-jws.mjs", &input);
    assert_eq!(seen["ok"], true, "{seen}");
    assert_eq!(seen["payload"]["sub"], format!("{}/authority/haip", caller.url));
}
