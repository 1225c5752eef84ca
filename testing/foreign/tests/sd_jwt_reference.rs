//! The reference implementation of RFC 9901 (PyPI `sd-jwt`) and ours, both ways: each issues, shows and verifies what the
//! other issued and showed, and refuses what must be refused. The structures of the RFC's examples come from it too.
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

/// An example of RFC 9901: the claims, which of them are hidden, what its holder shows, what comes out.
struct Example {
    section: &'static str,
    claims: Value,
    hidden: Value,
    shows: Value,
    out: Value,
}

/// The members of an address, each hidden by itself, and what else is.
fn parts(more: &[&str]) -> Value {
    let members = ["street_address", "locality", "region", "country"];
    let members = members.map(|name| json!(["address", name]));
    more.iter().map(|name| json!(name)).chain(members).collect::<Vec<_>>().into()
}

fn structures() -> [Example; 6] {
    let german = json!({"street_address": "Schulstr. 12", "locality": "Schulpforta",
        "region": "Sachsen-Anhalt", "country": "DE"});
    let sub = "6c5c0a49-b589-431d-bae7-219122a9ec2c";
    [
        Example {
            section: "5: claims and elements of a list",
            claims: json!({
                "sub": "user_42", "given_name": "John", "family_name": "Doe",
                "phone_number": "+1-202-555-0101", "phone_number_verified": true,
                "address": {"street_address": "123 Main St", "locality": "Anytown"},
                "updated_at": 1_570_000_000, "nationalities": ["US", "DE"],
            }),
            hidden: json!([
                "given_name",
                "family_name",
                "phone_number",
                "phone_number_verified",
                "address",
                "updated_at",
                ["nationalities", 0],
                ["nationalities", 1]
            ]),
            shows: json!({"given_name": true, "family_name": true, "address": true,
                "nationalities": [true, false]}),
            out: json!({"sub": "user_42", "given_name": "John", "family_name": "Doe",
                "address": {"street_address": "123 Main St", "locality": "Anytown"},
                "nationalities": ["US"]}),
        },
        Example {
            section: "6.1: an object as a whole",
            claims: json!({"sub": sub, "address": german}),
            hidden: json!(["address"]),
            shows: json!({"address": true}),
            out: json!({"sub": sub, "address": german}),
        },
        Example {
            section: "6.2: an object member by member",
            claims: json!({"sub": sub, "address": german}),
            hidden: parts(&[]),
            shows: json!({"address": {"region": true, "country": true}}),
            out: json!({"sub": sub, "address": {"region": "Sachsen-Anhalt", "country": "DE"}}),
        },
        Example {
            section: "6.3: disclosures within a disclosure",
            claims: json!({"sub": sub, "address": german}),
            hidden: parts(&["address"]),
            shows: json!({"address": {"country": true}}),
            out: json!({"sub": sub, "address": {"country": "DE"}}),
        },
        structured(),
        verified_claims(),
    ]
}

fn structured() -> Example {
    Example {
        section: "A.1: a structured object, with decoys",
        claims: json!({
            "sub": "6c5c0a49-b589-431d-bae7-219122a9ec2c", "given_name": "太郎", "family_name": "山田",
            "email": "\"unusual email address\"@example.jp", "birthdate": "1940-01-01",
            "address": {"street_address": "東京都港区芝公園４丁目２−８", "locality": "東京都",
                "region": "港区", "country": "JP"},
        }),
        hidden: parts(&["sub", "given_name", "family_name", "email", "birthdate"]),
        shows: json!({"address": {"region": true, "country": true}}),
        out: json!({"address": {"region": "港区", "country": "JP"}}),
    }
}

fn verified_claims() -> Example {
    let mut hidden = vec![json!(["verified_claims", "verification", "evidence", 0])];
    for name in ["type", "method", "time", "document"] {
        hidden.push(json!(["verified_claims", "verification", "evidence", 0, name]));
    }
    for name in ["time", "verification_process"] {
        hidden.push(json!(["verified_claims", "verification", name]));
    }
    for name in ["given_name", "family_name", "nationalities", "birthdate", "address"] {
        hidden.push(json!(["verified_claims", "claims", name]));
    }
    hidden.extend(["birth_middle_name", "salutation", "msisdn"].map(|name| json!(name)));
    let address = json!({"locality": "Maxstadt", "postal_code": "12344", "country": "DE",
        "street_address": "Weidenstraße 22"});
    Example {
        section: "A.2: claims and how they were verified, hidden within hidden elements",
        claims: json!({
            "verified_claims": {
                "verification": {
                    "trust_framework": "de_aml", "time": "2012-04-23T18:25Z",
                    "verification_process": "f24c6f-6d3f-4ec5-973e-b0d8506f3bc7",
                    "evidence": [{"type": "document", "method": "pipp", "time": "2012-04-22T11:30Z",
                        "document": {"type": "idcard", "number": "53554554",
                            "issuer": {"name": "Stadt Augsburg", "country": "DE"}}}],
                },
                "claims": {"given_name": "Max", "family_name": "Müller", "nationalities": ["DE"],
                    "birthdate": "1956-01-28", "address": address},
            },
            "birth_middle_name": "Timotheus", "salutation": "Dr.", "msisdn": "49123456789",
        }),
        hidden: hidden.into(),
        shows: json!({"verified_claims": {
            "verification": {"time": true, "evidence": [{"method": true}]},
            "claims": {"given_name": true, "family_name": true, "address": true},
        }}),
        out: json!({"verified_claims": {
            "verification": {"trust_framework": "de_aml", "time": "2012-04-23T18:25Z",
                "evidence": [{"method": "pipp"}]},
            "claims": {"given_name": "Max", "family_name": "Müller", "address": address},
        }}),
    }
}

#[test]
fn the_structures_of_the_examples_of_rfc_9901_come_out_as_they_are_printed() {
    for Example { section, claims, hidden, shows, out } in structures() {
        let mut whole = json!({"iss": "https://authority.example", "vct": "urn:yufu:pid:1",
            "iat": NOW.seconds(), "exp": NOW.seconds() + 86_400});
        whole.as_object_mut().unwrap().extend(members(claims.clone()));
        let issued = done(&json!({
            "as": "issue", "claims": whole, "hidden": hidden,
            "header": {"typ": "dc+sd-jwt", "x5c": chain().to_x5c()},
            "issuer": private(&ISSUER), "holder": public(&HOLDER),
        }));
        let shown = done(&json!({
            "as": "show", "sd_jwt": issued["sd_jwt"], "disclose": shows, "nonce": NONCE,
            "audience": AUDIENCE, "holder": private(&HOLDER),
        }));
        let shown = shown["sd_jwt"].as_str().unwrap();
        let good = expected(AUDIENCE, NONCE, NOW);
        let found = Presented::parse(shown).unwrap();
        let mut found = found.verify(&key(&ISSUER).public_key(), &good).unwrap().claims;
        for own in ["iss", "vct", "iat", "exp", "cnf"] {
            found.remove(own);
        }
        assert_eq!(Value::Object(found), out, "{section}");
        // All of it, from the wallet's side: nothing but what is hidden is lost.
        let held = SdJwt::parse(issued["sd_jwt"].as_str().unwrap()).unwrap();
        let held = held.verify(&key(&ISSUER).public_key()).unwrap();
        for (name, value) in members(claims) {
            assert_eq!(held.claims()[&name], value, "{section}: {name}");
        }
    }
}
