//! Fixtures: fixed keys, a certificate chain, and tools to build what an honest issuer never would.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use serde_json::{Map, Value, json};
use yufu_base::{Signer as _, Timestamp};
use yufu_credential::{Expected, Issuance, StatusReference};
use yufu_jose::{Chain, Header, SoftwareKey, encode_base64url, sha256, sign};

pub const AUDIENCE: &str = "x509_hash:hotel";
pub const NONCE: &str = "nonce-1";

pub fn issuer() -> SoftwareKey {
    SoftwareKey::from_seed(&[1; 32]).unwrap()
}

pub fn holder() -> SoftwareKey {
    SoftwareKey::from_seed(&[2; 32]).unwrap()
}

pub fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub fn chain() -> Chain {
    let certified = rcgen::generate_simple_self_signed(["authority.example".to_owned()]).unwrap();
    Chain::from_der(vec![certified.cert.der().to_vec()]).unwrap()
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}

pub fn salts() -> impl FnMut() -> [u8; 16] {
    let mut counter = 0_u8;
    move || {
        counter += 1;
        [counter; 16]
    }
}

pub fn issuance() -> Issuance {
    Issuance {
        vct: "urn:yufu:pid:1".into(),
        type_integrity: None,
        issuer: "https://authority.example".into(),
        issued_at: now(),
        not_before: Some(now()),
        expires_at: now().plus_seconds(86_400),
        status: Some(StatusReference {
            uri: "https://authority.example/status/1".into(),
            index: 7,
        }),
        holder_key: holder().public_key().into(),
        open: object(json!({"issuing_country": "CN"})),
        selective: object(json!({
            "family_name": "王",
            "given_name": "芳",
            "address": {"locality": "江城", "street_address": "中山路1号"},
            "nationalities": ["CN", "FR"],
        })),
        decoys: 2,
    }
}

pub fn issued() -> String {
    issuance().sign(&issuer(), &chain(), &mut salts()).unwrap()
}

pub fn expected() -> Expected<'static> {
    Expected {
        audience: AUDIENCE,
        nonce: NONCE,
        now: now(),
        leeway_seconds: 30,
        max_age_seconds: 300,
        transaction_data: &[],
    }
}

/// Any JSON as a disclosure, with its digest.
pub fn disclosure(content: &Value) -> (String, String) {
    let encoded = encode_base64url(content.to_string());
    let digest = encode_base64url(sha256(encoded.as_bytes()));
    (encoded, digest)
}

/// A payload with what every credential has.
pub fn payload(extra: Value) -> Value {
    let mut all = object(json!({
        "vct": "urn:yufu:pid:1",
        "iss": "https://authority.example",
        "iat": now().seconds(),
        "exp": now().seconds() + 86_400,
        "cnf": {"jwk": serde_json::to_value(yufu_jose::Jwk::from(holder().public_key())).unwrap()},
    }));
    all.extend(object(extra));
    Value::Object(all)
}

/// Any payload signed by the issuer, with any disclosures.
pub fn forge(payload: &Value, disclosures: &[&str]) -> String {
    forge_typed("dc+sd-jwt", payload, disclosures)
}

pub fn forge_typed(typ: &str, payload: &Value, disclosures: &[&str]) -> String {
    let token = sign(&Header::typed(typ), payload.to_string().as_bytes(), &issuer()).unwrap();
    let mut text = format!("{token}~");
    for disclosure in disclosures {
        text.push_str(disclosure);
        text.push('~');
    }
    text
}
