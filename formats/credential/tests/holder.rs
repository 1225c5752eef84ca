//! What an honest issuer, holder and verifier see of one credential.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::*;
use yufu_base::{PublicKey, Signer as _, Timestamp};
use yufu_credential::{
    BindError, DiscloseError, Expected, IssuedCredential, KeyBinding, Presented, SdJwt,
    verify_presentation,
};
use yufu_jose::{ClaimPath, Jwk, SoftwareKey, decode_base64url};

fn held() -> IssuedCredential {
    SdJwt::parse(&issued()).unwrap().verify(&issuer().public_key()).unwrap()
}

fn path(steps: Value) -> ClaimPath {
    serde_json::from_value(steps).unwrap()
}

fn binding() -> KeyBinding {
    KeyBinding {
        audience: AUDIENCE.into(),
        nonce: NONCE.into(),
        issued_at: now(),
        transaction_data: vec![],
    }
}

/// The claims a verifier sees, registered ones left out.
fn seen(paths: &[Value]) -> Value {
    let paths: Vec<ClaimPath> = paths.iter().cloned().map(path).collect();
    let text = held().disclose(&paths).unwrap().bind(&binding(), &holder()).unwrap();
    let mut claims =
        verify_presentation(&text, &issuer().public_key(), &expected()).unwrap().claims;
    for registered in ["vct", "iss", "iat", "nbf", "exp", "cnf", "status", "issuing_country"] {
        assert!(claims.remove(registered).is_some(), "{registered} is always open");
    }
    Value::Object(claims)
}

#[test]
fn the_holder_sees_every_claim_in_its_place() {
    let held = held();
    let claims = held.claims();
    for (name, value) in issuance().open.into_iter().chain(issuance().selective) {
        assert_eq!(claims[&name], value);
    }
    let credential = held.credential();
    assert_eq!(
        (credential.vct.as_str(), credential.status.clone()),
        ("urn:yufu:pid:1", issuance().status)
    );
    assert_eq!(credential.confirmation.jwk.key, holder().public_key());
}

#[test]
fn the_verifier_sees_what_was_chosen_with_its_parents_and_nothing_else() {
    let rows = [
        (vec![], json!({})),
        (vec![json!(["given_name"])], json!({"given_name": "芳"})),
        (vec![json!(["address", "locality"])], json!({"address": {"locality": "江城"}})),
        (
            vec![json!(["address"])],
            json!({"address": {"locality": "江城", "street_address": "中山路1号"}}),
        ),
        (vec![json!(["nationalities", 1])], json!({"nationalities": ["FR"]})),
        (vec![json!(["nationalities", null])], json!({"nationalities": ["CN", "FR"]})),
        (vec![json!(["issuing_country"])], json!({})),
    ];
    for (paths, expected) in rows {
        assert_eq!(seen(&paths), expected, "{paths:?}");
    }
}

#[test]
fn a_presentation_says_whose_it_is_and_when_it_was_made() {
    let text = held().disclose(&[]).unwrap().bind(&binding(), &holder()).unwrap();
    assert_eq!(Presented::parse(&text).unwrap().header().x5c.as_ref().unwrap().len(), 1);
    let seen = verify_presentation(&text, &issuer().public_key(), &expected()).unwrap();
    assert_eq!(seen.holder_key.key, holder().public_key());
    assert_eq!(seen.presented_at, now());
    assert_eq!(seen.status, issuance().status);
    assert_eq!(seen.validity.expires_at, Some(issuance().expires_at));
}

#[test]
fn what_is_not_there_cannot_be_disclosed_and_no_other_key_can_bind() {
    let missing = path(json!(["address", "planet"]));
    assert_eq!(
        held().disclose(std::slice::from_ref(&missing)),
        Err(DiscloseError::NoSuchClaim(missing))
    );
    let thief = SoftwareKey::from_seed(&[9; 32]).unwrap();
    let refused = held().disclose(&[]).unwrap().bind(&binding(), &thief);
    assert_eq!(refused, Err(BindError::OtherKey));
}

#[test]
fn a_stored_credential_is_verified_when_read_back() {
    let mut stored = serde_json::to_value(held()).unwrap();
    assert_eq!(
        serde_json::from_value::<IssuedCredential>(stored.clone()).unwrap(),
        held_again(&stored)
    );
    let text = stored["sd_jwt"].as_str().unwrap().replacen("~", "~WyJzIiwiYWdlIiwxXQ~", 1);
    stored["sd_jwt"] = json!(text);
    assert!(serde_json::from_value::<IssuedCredential>(stored).is_err());
}

fn held_again(stored: &Value) -> IssuedCredential {
    let text = stored["sd_jwt"].as_str().unwrap();
    SdJwt::parse(text).unwrap().verify(&issuer().public_key()).unwrap()
}

#[test]
fn the_sd_jwt_vc_example_of_rfc_9901_appendix_a_3_is_accepted() {
    // The issuer's key of RFC 9901 appendix A.5.
    let key: Jwk = serde_json::from_value(json!({
        "kty": "EC", "crv": "P-256",
        "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
        "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
    }))
    .unwrap();
    let expected = Expected {
        audience: "https://verifier.example.org",
        nonce: "1234567890",
        now: Timestamp::from_seconds(1_748_537_244),
        ..expected()
    };
    let text = include_str!("rfc9901-appendix-a.3.txt").trim();
    let seen = verify_presentation(text, &key.key, &expected).unwrap();
    assert_eq!(seen.vct, "urn:eudi:pid:de:1");
    assert_eq!(seen.claims["age_equal_or_over"], json!({"18": true}));
    assert_eq!(seen.claims["nationalities"], json!(["DE"]));
    let names: Vec<&str> = seen.claims.keys().map(String::as_str).collect();
    assert_eq!(names, ["age_equal_or_over", "cnf", "exp", "iat", "iss", "nationalities", "vct"]);
}

#[test]
fn the_wire_form_is_stable() {
    let text = issued();
    let mut parts = text.trim_end_matches('~').split('~');
    let token = parts.next().unwrap();
    let json = |encoded: &str| -> Value {
        serde_json::from_slice(&decode_base64url(encoded).unwrap()).unwrap()
    };
    let mut header = json(token.split('.').next().unwrap());
    header["x5c"] = json!("differs at each run");
    let payload = json(token.split('.').nth(1).unwrap());
    let disclosures: Vec<Value> = parts.map(json).collect();
    insta::assert_json_snapshot!(json!({
        "header": header, "payload": payload, "disclosures": disclosures,
    }));
}

/// Every nasty input we met or thought of, one per line; none may panic or be accepted.
#[test]
fn the_corpus_is_refused_without_panic() {
    let key = issuer().public_key();
    for (number, line) in include_str!("corpus/sd_jwt.txt").lines().enumerate() {
        let line = line.replace("\\0", "\0");
        assert!(SdJwt::parse(&line).and_then(|token| token.verify(&key)).is_err(), "line {number}");
        assert!(verify_presentation(&line, &key, &expected()).is_err(), "line {number}");
    }
}

fn mutate(text: &str, at: usize, with: char) -> Option<String> {
    let mut chars: Vec<char> = text.chars().collect();
    let at = at.checked_rem(chars.len())?;
    let slot = chars.get_mut(at)?;
    if *slot == with {
        return None;
    }
    *slot = with;
    Some(chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_text_never_panics(text in "[A-Za-z0-9~._{}\"-]{0,200}|\\PC*") {
        let key = PublicKey::from_uncompressed(&[4; 65]).unwrap();
        let _ = SdJwt::parse(&text).and_then(|token| token.verify(&key));
        let _ = verify_presentation(&text, &key, &expected());
    }

    #[test]
    fn a_presentation_with_one_character_changed_is_refused(at: usize, with in "[A-Za-z0-9~._-]") {
        let text = held().disclose(&[path(json!(["address"]))]).unwrap();
        let text = text.bind(&binding(), &holder()).unwrap();
        if let Some(changed) = mutate(&text, at, with.chars().next().unwrap()) {
            prop_assert!(verify_presentation(&changed, &issuer().public_key(), &expected()).is_err());
        }
    }
}
