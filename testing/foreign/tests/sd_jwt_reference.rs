//! The reference implementation of RFC 9901 (PyPI `sd-jwt`) and ours, both ways: each issues, shows and verifies what the
//! other issued and showed, and refuses what must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod node;

use serde_json::{Map, Value, json};
use std::process::Command;
use yufu_base::{Signer, Timestamp};
use yufu_credential::{ClaimPath, Expected, Issuance, KeyBinding, Presented, SdJwt};
use yufu_jose::{Chain, Jwk, SoftwareKey, encode_base64url};
use yufu_keys::{AuthorityCertificate, LeafSubject, Validity};

/// Where `cargo xtask test` puts it.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python/bin/python");
const AUDIENCE: &str = "x509_hash:bank";
const NONCE: &str = "n-0S6_WzA2Mj0123";
const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);
/// P-256 scalars that both sides build their keys from.
const ISSUER: [u8; 32] = [1; 32];
const HOLDER: [u8; 32] = [2; 32];

fn reference(step: &Value) -> Value {
    node::program(Command::new(PYTHON).arg("sd_jwt_reference.py"), step)
}

#[track_caller]
fn done(step: &Value) -> Value {
    let answer = reference(step);
    assert_eq!(answer["ok"], true, "{step}: {answer}");
    answer
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn key(scalar: &[u8; 32]) -> SoftwareKey {
    SoftwareKey::from_scalar(scalar).unwrap()
}

fn public(scalar: &[u8; 32]) -> Value {
    serde_json::to_value(Jwk::from(key(scalar).public_key())).unwrap()
}

/// The private key as the reference takes it.
fn private(scalar: &[u8; 32]) -> Value {
    let mut jwk = public(scalar);
    jwk["d"] = encode_base64url(scalar).into();
    jwk
}

fn chain() -> Chain {
    let validity = Validity { from: NOW.minus_seconds(60), until: NOW.plus_seconds(86_400) };
    let authority = key(&[3; 32]);
    let anchor = AuthorityCertificate::self_signed("Authority", &authority, validity).unwrap();
    let subject = LeafSubject {
        organisation: "Authority".to_owned(),
        common_name: "credential signing".to_owned(),
        dns_names: vec![],
        uris: vec!["https://authority.example".to_owned()],
        key: key(&ISSUER).public_key(),
    };
    Chain::from_der(vec![anchor.issue(&subject, validity).unwrap()]).unwrap()
}

/// A credential of ours.
fn ours() -> String {
    let issuance = Issuance {
        vct: "urn:yufu:pid:1".to_owned(),
        type_integrity: None,
        issuer: "https://authority.example".to_owned(),
        issued_at: NOW,
        not_before: None,
        expires_at: NOW.plus_seconds(86_400),
        status: None,
        holder_key: key(&HOLDER).public_key().into(),
        open: members(json!({"issuing_country": "CN"})),
        selective: members(json!({
            "family_name": "王",
            "given_name": "芳",
            "address": {"locality": "江城", "street_address": "解放路 1 号"},
            "nationalities": ["CN"],
        })),
        decoys: 3,
    };
    let mut salt = 0_u8;
    let mut salts = || {
        salt += 1;
        [salt; 16]
    };
    issuance.sign(&key(&ISSUER), &chain(), &mut salts).unwrap()
}

/// A credential of theirs.
fn theirs(more: Value) -> String {
    let mut claims = json!({
        "iss": "https://authority.example", "vct": "urn:yufu:pid:1",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 86_400,
        "family_name": "王", "given_name": "芳", "address": {"locality": "江城"},
    });
    for (name, value) in members(more) {
        claims[name] = value;
    }
    let step = json!({
        "as": "issue", "claims": claims, "hidden": ["family_name", "given_name", "address"],
        "header": {"typ": "dc+sd-jwt", "x5c": chain().to_x5c()},
        "issuer": private(&ISSUER), "holder": public(&HOLDER),
    });
    done(&step)["sd_jwt"].as_str().unwrap().to_owned()
}

fn expected<'a>(audience: &'a str, nonce: &'a str, now: Timestamp) -> Expected<'a> {
    Expected {
        audience,
        nonce,
        now,
        leeway_seconds: 60,
        max_age_seconds: 4_000_000_000,
        transaction_data: &[],
    }
}

#[test]
fn what_we_issued_and_showed_is_verified_by_the_reference_and_only_that() {
    let issued = ours();
    let whole = done(&json!({"as": "verify", "sd_jwt": issued, "issuer": public(&ISSUER)}));
    assert_eq!(whole["payload"]["address"]["street_address"], "解放路 1 号");
    let held = SdJwt::parse(&issued).unwrap().verify(&key(&ISSUER).public_key()).unwrap();
    let paths =
        [ClaimPath::member("given_name"), ClaimPath::members(["address", "locality"]).unwrap()];
    let binding = KeyBinding {
        audience: AUDIENCE.to_owned(),
        nonce: NONCE.to_owned(),
        issued_at: NOW,
        transaction_data: vec![],
    };
    let shown = held.disclose(&paths).unwrap().bind(&binding, &key(&HOLDER)).unwrap();
    let verify = |sd_jwt: &str, issuer: &Value, audience: &str, nonce: &str| {
        reference(&json!({
            "as": "verify", "sd_jwt": sd_jwt, "issuer": issuer, "audience": audience, "nonce": nonce,
        }))
    };
    let good = verify(&shown, &public(&ISSUER), AUDIENCE, NONCE);
    assert_eq!(good["ok"], true, "{good}");
    assert_eq!(good["payload"]["given_name"], "芳");
    assert_eq!(good["payload"]["address"], json!({"locality": "江城"}));
    assert!(good["payload"].get("family_name").is_none(), "{good}");
    let mut parts: Vec<&str> = shown.split('~').collect();
    parts.remove(1);
    for (case, refused) in [
        ("another issuer", verify(&shown, &public(&[9; 32]), AUDIENCE, NONCE)),
        ("another audience", verify(&shown, &public(&ISSUER), "other", NONCE)),
        ("another nonce", verify(&shown, &public(&ISSUER), AUDIENCE, "other-nonce-0123")),
        ("a withheld disclosure", verify(&parts.join("~"), &public(&ISSUER), AUDIENCE, NONCE)),
    ] {
        assert_eq!(refused["ok"], false, "{case}: {refused}");
    }
}

#[test]
fn what_the_reference_issued_and_showed_is_verified_by_ours_and_only_that() {
    let issued = theirs(json!({}));
    let held = SdJwt::parse(&issued).unwrap().verify(&key(&ISSUER).public_key());
    assert_eq!(held.unwrap().credential().vct, "urn:yufu:pid:1");
    let show = |sd_jwt: &str, holder: &[u8; 32]| {
        let step = json!({
            "as": "show", "sd_jwt": sd_jwt, "disclose": {"given_name": true, "address": true},
            "nonce": NONCE, "audience": AUDIENCE, "holder": private(holder),
        });
        done(&step)["sd_jwt"].as_str().unwrap().to_owned()
    };
    let verify = |shown: &str, issuer: &[u8; 32], expected: &Expected<'_>| {
        Presented::parse(shown).and_then(|one| one.verify(&key(issuer).public_key(), expected))
    };
    // Their holder signs with the clock of this machine, ours is told what time it is.
    let good = expected(AUDIENCE, NONCE, NOW);
    let shown = show(&issued, &HOLDER);
    let found = verify(&shown, &ISSUER, &good).unwrap();
    assert_eq!(found.claims["given_name"], "芳");
    assert_eq!(found.claims["address"], json!({"locality": "江城"}));
    assert!(found.claims.get("family_name").is_none());
    assert_eq!(found.holder_key.key, key(&HOLDER).public_key());
    let mut parts: Vec<&str> = shown.split('~').collect();
    parts.remove(1);
    for (case, refused) in [
        ("another issuer", verify(&shown, &[9; 32], &good)),
        ("another audience", verify(&shown, &ISSUER, &expected("other", NONCE, NOW))),
        ("another nonce", verify(&shown, &ISSUER, &expected(AUDIENCE, "other", NOW))),
        ("another holder's key", verify(&show(&issued, &[9; 32]), &ISSUER, &good)),
        ("a withheld disclosure", verify(&parts.join("~"), &ISSUER, &good)),
        (
            "after its end",
            verify(&shown, &ISSUER, &expected(AUDIENCE, NONCE, NOW.plus_seconds(90_000))),
        ),
    ] {
        assert!(refused.is_err(), "{case}");
    }
}
