//! An SD-JWT VC of ours, a presentation of it and its key binding, verified by
//! `@sd-jwt/sd-jwt-vc` and `jose`; and what those must refuse, refused.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod node;

use serde_json::{Map, Value, json};
use yufu_base::{Signer, Timestamp};
use yufu_credential::{
    ClaimPath, ExtendError, Integrity, Issuance, KeyBinding, SdJwt, TypeChain, TypeMetadata,
};
use yufu_jose::{Chain, Jwk, SoftwareKey};
use yufu_keys::{AuthorityCertificate, LeafSubject, Validity, random};

const AUDIENCE: &str = "x509_hash:bank";
const NONCE: &str = "n-0S6_WzA2Mj";

struct Issued {
    compact: String,
    issuer: SoftwareKey,
    holder: SoftwareKey,
    now: Timestamp,
}

#[expect(clippy::disallowed_methods, reason = "the foreign library reads the real clock")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_seconds(since.as_secs())
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn issue() -> Issued {
    issue_typed(None)
}

fn issue_typed(type_integrity: Option<Integrity>) -> Issued {
    let issuer = SoftwareKey::from_seed(&random()).unwrap();
    let holder = SoftwareKey::from_seed(&random()).unwrap();
    let now = now();
    let validity = Validity { from: now.minus_seconds(60), until: now.plus_seconds(86_400) };
    let authority = SoftwareKey::from_seed(&random()).unwrap();
    let anchor = AuthorityCertificate::self_signed("Authority", &authority, validity).unwrap();
    let subject = LeafSubject {
        organisation: "Authority".to_owned(),
        common_name: "credential signing".to_owned(),
        dns_names: vec![],
        uris: vec!["https://authority.example".to_owned()],
        key: issuer.public_key(),
    };
    let chain = Chain::from_der(vec![anchor.issue(&subject, validity).unwrap()]).unwrap();
    let issuance = Issuance {
        vct: "urn:yufu:pid:1".to_owned(),
        type_integrity,
        issuer: "https://authority.example".to_owned(),
        issued_at: now,
        not_before: None,
        expires_at: now.plus_seconds(3600),
        status: None,
        holder_key: holder.public_key().into(),
        open: members(json!({"issuing_country": "CN"})),
        selective: members(json!({
            "family_name": "王",
            "given_name": "芳",
            "address": {"locality": "江城", "street_address": "解放路 1 号"},
            "age_equal_or_over": {"18": true},
        })),
        decoys: 3,
    };
    let compact = issuance.sign(&issuer, &chain, &mut random::<16>).unwrap();
    Issued { compact, issuer, holder, now }
}

fn present(issued: &Issued) -> String {
    let held = SdJwt::parse(&issued.compact).unwrap().verify(&issued.issuer.public_key()).unwrap();
    let paths = [
        ClaimPath::members(["given_name"]).unwrap(),
        ClaimPath::members(["address", "locality"]).unwrap(),
    ];
    let binding = KeyBinding {
        audience: AUDIENCE.to_owned(),
        nonce: NONCE.to_owned(),
        issued_at: issued.now,
        transaction_data: vec![],
    };
    held.disclose(&paths).unwrap().bind(&binding, &issued.holder).unwrap()
}

fn foreign(sd_jwt: &str, issuer: &SoftwareKey, nonce: Option<&str>) -> Value {
    node::run(
        "verify.mjs",
        &json!({
            "sd_jwt": sd_jwt,
            "issuer_jwk": Jwk::from(issuer.public_key()),
            "nonce": nonce,
            "audience": nonce.map(|_| AUDIENCE),
        }),
    )
}

#[test]
fn a_credential_of_ours_is_verified_with_all_its_claims() {
    let issued = issue();
    let seen = foreign(&issued.compact, &issued.issuer, None);
    assert_eq!(seen["ok"], true, "{seen}");
    assert_eq!(seen["payload"]["family_name"], "王");
    assert_eq!(seen["payload"]["address"]["street_address"], "解放路 1 号");
    assert_eq!(seen["payload"]["age_equal_or_over"]["18"], true);
}

#[test]
fn a_presentation_of_ours_is_verified_and_shows_only_what_was_disclosed() {
    let issued = issue();
    let seen = foreign(&present(&issued), &issued.issuer, Some(NONCE));
    assert_eq!(seen["ok"], true, "{seen}");
    assert_eq!(seen["payload"]["given_name"], "芳");
    assert_eq!(seen["payload"]["address"]["locality"], "江城");
    assert!(seen["payload"].get("family_name").is_none(), "{seen}");
    assert!(seen["payload"]["address"].get("street_address").is_none(), "{seen}");
    assert_eq!(seen["key_binding"]["aud"], AUDIENCE);
    assert_eq!(seen["key_binding"]["nonce"], NONCE);
}

#[test]
fn the_foreign_library_refuses_what_must_be_refused() {
    let issued = issue();
    let presentation = present(&issued);
    let other = SoftwareKey::from_seed(&random()).unwrap();
    assert_eq!(foreign(&presentation, &other, Some(NONCE))["ok"], false, "another issuer's key");
    assert_eq!(foreign(&presentation, &issued.issuer, Some("other"))["ok"], false, "another nonce");
    let mut parts: Vec<&str> = presentation.split('~').collect();
    parts.remove(1);
    assert_eq!(
        foreign(&parts.join("~"), &issued.issuer, Some(NONCE))["ok"],
        false,
        "a withheld disclosure"
    );
}

/// What both make of a type whose document is `own` and whose base is `base`.
fn types(own: Value, base: &Value) -> (Value, Result<Vec<String>, ExtendError>) {
    let base = base.to_string();
    let mut own = own;
    own["extends#integrity"] = Integrity::of(base.as_bytes()).as_str().into();
    let (vct, below) = (own["vct"].clone(), own["extends"].clone());
    let own = own.to_string();
    let issued = issue_typed(Some(Integrity::of(own.as_bytes())));
    let documents = json!({vct.as_str().unwrap(): own, below.as_str().unwrap(): base});
    let input = json!({
        "sd_jwt": issued.compact,
        "issuer_jwk": Jwk::from(issued.issuer.public_key()),
        "documents": documents,
    });
    let theirs = node::run("type-metadata.mjs", &input);
    let read = |document: &str| TypeMetadata::parse(document.as_bytes()).unwrap();
    let ours = TypeChain::new(read(&own), vct.as_str().unwrap()).and_then(|mut chain| {
        chain.extend(read(&base))?;
        let made = chain.resolve()?;
        Ok(made.claims().iter().map(|claim| claim.path.to_string()).collect())
    });
    (theirs, ours)
}

#[test]
fn a_type_that_extends_another_is_made_the_same_and_refused_alike() {
    let own =
        |claims: Value| json!({"vct": "urn:yufu:pid:1", "extends": "urn:base", "claims": claims});
    let base = json!({"vct": "urn:base", "display": [{"locale": "zh", "name": "证"}], "claims": [
        {"path": ["family_name"], "sd": "always", "display": [{"locale": "zh", "label": "姓"}]},
        {"path": ["address", "locality"]},
    ]});
    let (theirs, ours) = types(own(json!([{"path": ["given_name"], "sd": "always"}])), &base);
    assert_eq!(theirs["ok"], true, "{theirs}");
    assert_eq!(theirs["chain"], json!(["urn:yufu:pid:1", "urn:base"]));
    assert_eq!(theirs["type"]["display"][0]["name"], "证");
    let claims = theirs["type"]["claims"].as_array().unwrap().iter();
    let paths: Vec<String> = claims
        .map(|claim| {
            let path: ClaimPath = serde_json::from_value(claim["path"].clone()).unwrap();
            path.to_string()
        })
        .collect();
    assert_eq!(Ok(paths), ours);

    let (theirs, ours) = types(own(json!([{"path": ["family_name"], "sd": "allowed"}])), &base);
    assert_eq!(theirs["ok"], false, "{theirs}");
    assert!(theirs["error"].as_str().unwrap().contains("Cannot change"), "{theirs}");
    assert!(matches!(ours, Err(ExtendError::Loosened { .. })), "{ours:?}");

    let round = json!({"vct": "urn:base", "extends": "urn:base"});
    let (theirs, ours) = types(own(json!([])), &round);
    assert!(theirs["error"].as_str().unwrap().contains("Circular"), "{theirs}");
    assert!(matches!(ours, Err(ExtendError::Circular(_))), "{ours:?}");
}
