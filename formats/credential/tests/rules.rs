//! One row per rule: each refusal is provoked by a credential or presentation really built.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::*;
use yufu_base::Signer as _;
use yufu_credential::{
    Expected, IssueError, PresentationError, SdJwt, SdJwtError, verify_presentation,
};
use yufu_jose::{
    ClaimPath, Header, JwsError, SoftwareKey, TimeError, encode_base64url, sha256, sign,
};

fn refusal(text: &str) -> SdJwtError {
    let verified = SdJwt::parse(text).and_then(|sd_jwt| sd_jwt.verify(&issuer().public_key()));
    verified.map(|_| "accepted").unwrap_err()
}

fn forged(extra: Value, disclosures: &[&str]) -> SdJwtError {
    refusal(&forge(&payload(extra), disclosures))
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
}

#[test]
fn a_credential_is_refused_by_the_rule_it_breaks() {
    let good = issued();
    let (member, member_digest) = disclosure(&json!(["s", "given_name", "芳"]));
    let (element, element_digest) = disclosure(&json!(["s", "芳"]));
    let (reserved, reserved_digest) = disclosure(&json!(["s", "_sd", []]));
    let (dots, dots_digest) = disclosure(&json!(["s", "...", []]));
    let (hidden, hidden_digest) = disclosure(&json!(["s", "exp", 9_999_999_999_u64]));
    let (other, other_digest) = disclosure(&json!(["s", "aka_vcts", ["urn:example:pid"]]));
    let (algorithm, algorithm_digest) = disclosure(&json!(["s", "_sd_alg", "md5"]));
    let overwritten = json!({"_sd": [member_digest], "given_name": "open"});
    let twice = json!({"_sd": [member_digest, member_digest]});
    let twice_nested = json!({"_sd": [member_digest], "a": {"_sd": [member_digest]}});
    let decoy_twice = json!({"_sd": ["decoy", "decoy"]});
    let no_digest = json!({"list": [{"...": 1}]});
    let crowded = json!({"list": [{"...": element_digest, "more": 1}]});
    let rows = [
        (refusal(&"a".repeat(1_048_577)), SdJwtError::TooLong(1_048_577)),
        (refusal("a.b.c"), SdJwtError::Tildes),
        (refusal(&format!("{good}a.b.c")), SdJwtError::KeyBinding),
        (forged(json!({}), &["a"; 1_025]), SdJwtError::TooManyDisclosures(1_025)),
        (forged(json!({}), &["a"]), SdJwtError::Disclosure(0)),
        (forged(json!({"_sd": [member_digest]}), &[&member, ""]), SdJwtError::Disclosure(1)),
        (forged(json!({"_sd_alg": "md5"}), &[]), SdJwtError::HashAlgorithm("\"md5\"".into())),
        (forged(json!({}), &[&member, &member]), SdJwtError::Repeated(member_digest.clone())),
        (forged(twice, &[&member]), SdJwtError::Repeated(member_digest.clone())),
        (forged(twice_nested, &[&member]), SdJwtError::Repeated(member_digest.clone())),
        (forged(decoy_twice, &[]), SdJwtError::Repeated("decoy".into())),
        (forged(json!({"_sd": "digest"}), &[]), SdJwtError::Digests),
        (forged(json!({"_sd": [1]}), &[]), SdJwtError::Digests),
        (forged(no_digest, &[]), SdJwtError::Digests),
        (forged(crowded, &[&element]), SdJwtError::Digests),
        (forged(json!({"_sd": [element_digest]}), &[&element]), SdJwtError::Kind(0)),
        (forged(json!({"l": [{"...": member_digest}]}), &[&member]), SdJwtError::Kind(0)),
        (
            forged(json!({"_sd": [reserved_digest]}), &[&reserved]),
            SdJwtError::Reserved("_sd".into()),
        ),
        (forged(json!({"_sd": [dots_digest]}), &[&dots]), SdJwtError::Reserved("...".into())),
        (forged(json!({"...": "digest"}), &[]), SdJwtError::Reserved("...".into())),
        (forged(json!({"_sd": [hidden_digest]}), &[&hidden]), SdJwtError::MustBeOpen("exp".into())),
        (
            forged(json!({"_sd": [other_digest]}), &[&other]),
            SdJwtError::MustBeOpen("aka_vcts".into()),
        ),
        (
            forged(json!({"aka_vcts": [{"...": element_digest}]}), &[&element]),
            SdJwtError::MustBeOpen("aka_vcts".into()),
        ),
        (
            forged(json!({"status": {"_sd": [member_digest]}}), &[]),
            SdJwtError::MustBeOpen("status".into()),
        ),
        (
            forged(json!({"_sd": [algorithm_digest]}), &[&algorithm]),
            SdJwtError::MustBeOpen("_sd_alg".into()),
        ),
        (forged(overwritten, &[&member]), SdJwtError::Overwrites("given_name".into())),
        (forged(json!({"deep": nested(40)}), &[]), SdJwtError::TooDeep),
        (forged(json!({}), &[&member]), SdJwtError::Unreferenced),
    ];
    for (found, wanted) in rows {
        assert_eq!(found, wanted);
    }
}

#[test]
fn a_token_of_another_type_key_or_without_its_claims_is_refused() {
    let other_type = forge_typed("vc+sd-jwt", &payload(json!({})), &[]);
    assert!(matches!(refusal(&other_type), SdJwtError::Token(JwsError::Type { .. })));
    let stranger = SoftwareKey::from_seed(&[9; 32]).unwrap().public_key();
    let verified = SdJwt::parse(&issued()).unwrap().verify(&stranger);
    assert_eq!(verified, Err(SdJwtError::Token(JwsError::Signature)));
    for missing in ["vct", "cnf"] {
        let mut payload = payload(json!({}));
        payload.as_object_mut().unwrap().remove(missing);
        let found = refusal(&forge(&payload, &[]));
        assert!(matches!(&found, SdJwtError::Claims(text) if text.contains(missing)), "{found:?}");
    }
}

#[test]
fn disclosures_within_disclosures_count_towards_the_depth() {
    let mut disclosures = Vec::new();
    let mut below = disclosure(&json!(["s", "a", 1]));
    for _ in 0..40 {
        let above = disclosure(&json!(["s", "a", {"_sd": [below.1]}]));
        disclosures.push(std::mem::replace(&mut below, above).0);
    }
    disclosures.push(below.0.clone());
    let disclosures: Vec<&str> = disclosures.iter().map(String::as_str).collect();
    assert_eq!(forged(json!({"_sd": [below.1]}), &disclosures), SdJwtError::TooDeep);
}

#[test]
fn issuance_refuses_names_it_cannot_honour() {
    let sign = |open: Value, selective: Value| {
        let mut issuance = issuance();
        (issuance.open, issuance.selective) = (object(open), object(selective));
        issuance.sign(&issuer(), &chain(), &mut salts()).unwrap_err()
    };
    let rows = [
        (sign(json!({"exp": 1}), json!({})), IssueError::Registered("exp".into())),
        (sign(json!({}), json!({"status": {}})), IssueError::Registered("status".into())),
        (sign(json!({}), json!({"aka_vcts": ["x"]})), IssueError::Registered("aka_vcts".into())),
        (sign(json!({}), json!({"a": [{"_sd": 1}]})), IssueError::Reserved("_sd".into())),
        (sign(json!({"...": 1}), json!({})), IssueError::Reserved("...".into())),
        (sign(json!({"a": 1}), json!({"a": 1})), IssueError::Twice("a".into())),
        (sign(json!({}), json!({"a": nested(40)})), IssueError::TooDeep),
    ];
    for (found, wanted) in rows {
        assert_eq!(found, wanted);
    }
}

/// What the holder would sign over `disclosed`.
fn binding(disclosed: &str) -> Value {
    json!({
        "iat": now().seconds(),
        "aud": AUDIENCE,
        "nonce": NONCE,
        "sd_hash": encode_base64url(sha256(disclosed.as_bytes())),
    })
}

fn bind(typ: &str, disclosed: &str, claims: &Value, key: &SoftwareKey) -> String {
    let token = sign(&Header::typed(typ), claims.to_string().as_bytes(), key).unwrap();
    format!("{disclosed}{token}")
}

fn present(change: impl FnOnce(&mut Value)) -> Result<(), PresentationError> {
    let disclosed = forge(&payload(json!({})), &[]);
    let mut claims = binding(&disclosed);
    change(&mut claims);
    let text = bind("kb+jwt", &disclosed, &claims, &holder());
    verify_presentation(&text, &issuer().public_key(), &expected()).map(|_| ())
}

#[test]
fn a_presentation_is_refused_by_the_rule_it_breaks() {
    assert_eq!(present(|_| ()), Ok(()));
    let seconds = now().seconds();
    let hash = encode_base64url(sha256(b"other"));
    let rows = [
        (
            present(|c| c["iat"] = json!(seconds + 31)),
            PresentationError::SignedInFuture(seconds + 31),
        ),
        (present(|c| c["iat"] = json!(seconds - 331)), PresentationError::Stale(seconds - 331)),
        (present(|c| c["aud"] = json!("bank")), PresentationError::Audience("bank".into())),
        (present(|c| c["nonce"] = json!("nonce-0")), PresentationError::Nonce),
        (present(|c| c["sd_hash"] = json!(hash)), PresentationError::DisclosuresHash),
        (
            present(|c| c["transaction_data_hashes_alg"] = json!("sha-512")),
            PresentationError::TransactionDataAlgorithm("sha-512".into()),
        ),
        (
            present(|c| c["transaction_data_hashes"] = json!([hash])),
            PresentationError::TransactionData,
        ),
    ];
    for (found, wanted) in rows {
        assert_eq!(found, Err(wanted));
    }
    for window in [seconds + 30, seconds - 330] {
        assert_eq!(present(|c| c["iat"] = json!(window)), Ok(()));
    }
}

#[test]
fn a_key_binding_must_be_there_typed_signed_by_the_holder_and_whole() {
    let disclosed = forge(&payload(json!({})), &[]);
    let claims = binding(&disclosed);
    let verify = |text: &str| {
        verify_presentation(text, &issuer().public_key(), &expected()).map(|_| ()).unwrap_err()
    };
    assert_eq!(verify(&disclosed), PresentationError::NoKeyBinding);
    let untyped = verify(&bind("JWT", &disclosed, &claims, &holder()));
    assert!(matches!(untyped, PresentationError::KeyBinding(JwsError::Type { .. })));
    let thief = SoftwareKey::from_seed(&[9; 32]).unwrap();
    let stolen = verify(&bind("kb+jwt", &disclosed, &claims, &thief));
    assert_eq!(stolen, PresentationError::KeyBinding(JwsError::Signature));
    let empty = verify(&bind("kb+jwt", &disclosed, &json!({}), &holder()));
    assert!(matches!(empty, PresentationError::KeyBinding(JwsError::Payload(_))));
    let unreferenced = disclosure(&json!(["s", "age", 1])).0;
    let disclosed = forge(&payload(json!({})), &[&unreferenced]);
    let extra = verify(&bind("kb+jwt", &disclosed, &binding(&disclosed), &holder()));
    assert_eq!(extra, PresentationError::Credential(SdJwtError::Unreferenced));
}

#[test]
fn a_disclosure_added_or_removed_after_signing_is_refused() {
    let held = SdJwt::parse(&issued()).unwrap().verify(&issuer().public_key()).unwrap();
    let one = held.disclose(&[ClaimPath::member("given_name")]).unwrap();
    let two = held
        .disclose(&[ClaimPath::member("given_name"), ClaimPath::member("family_name")])
        .unwrap();
    for (signed, sent) in [(&one, &two), (&two, &one)] {
        let text = bind("kb+jwt", sent.as_str(), &binding(signed.as_str()), &holder());
        let found = verify_presentation(&text, &issuer().public_key(), &expected());
        assert_eq!(found, Err(PresentationError::DisclosuresHash));
    }
}

#[test]
fn a_disclosure_of_another_copy_is_refused_even_of_the_same_claim() {
    // A batch of one person: the same claims, other salts and keys.
    let mut next = 0_u8;
    let mut fresh = || {
        next += 1;
        [next; 16]
    };
    let first = issuance().sign(&issuer(), &chain(), &mut fresh).unwrap();
    let second = issuance().sign(&issuer(), &chain(), &mut fresh).unwrap();
    let shown = |text: &str| {
        let held = SdJwt::parse(text).unwrap().verify(&issuer().public_key()).unwrap();
        let name = ClaimPath::member("given_name");
        let shown = held.disclose(&[name]).unwrap().as_str().to_owned();
        let parts: Vec<String> = shown.split('~').map(str::to_owned).collect();
        (parts[0].clone(), parts[1].clone())
    };
    let ((token, own), (other_token, other)) = (shown(&first), shown(&second));
    assert!(own != other && token != other_token);
    let present = |disclosures: &[&String]| {
        let parts = disclosures.iter().map(|one| one.as_str());
        let all: Vec<&str> = std::iter::once(token.as_str()).chain(parts).collect();
        let disclosed = format!("{}~", all.join("~"));
        let text = bind("kb+jwt", &disclosed, &binding(&disclosed), &holder());
        verify_presentation(&text, &issuer().public_key(), &expected()).map(|_| ())
    };
    assert_eq!(present(&[&own]), Ok(()));
    let unreferenced = Err(PresentationError::Credential(SdJwtError::Unreferenced));
    for swapped in [vec![&other], vec![&own, &other], vec![&other, &own]] {
        assert_eq!(present(&swapped), unreferenced);
    }
}

#[test]
fn disclosures_in_another_order_than_was_signed_are_refused_and_in_any_order_say_the_same() {
    let held = SdJwt::parse(&issued()).unwrap().verify(&issuer().public_key()).unwrap();
    let names = ["given_name", "family_name"].map(ClaimPath::member);
    let signed = held.disclose(&names).unwrap().as_str().to_owned();
    let parts: Vec<&str> = signed.trim_end_matches('~').split('~').collect();
    assert_eq!(parts.len(), 3);
    let turned = format!("{}~{}~{}~", parts[0], parts[2], parts[1]);
    let verify = |sent: &str, bound: &str| {
        let text = bind("kb+jwt", sent, &binding(bound), &holder());
        let found = verify_presentation(&text, &issuer().public_key(), &expected());
        found.map(|found| Value::Object(found.claims))
    };
    // On the way: the holder signed their order (RFC 9901, 4.3.1).
    assert_eq!(verify(&turned, &signed), Err(PresentationError::DisclosuresHash));
    assert_eq!(verify(&signed, &turned), Err(PresentationError::DisclosuresHash));
    // By the holder: it changes nothing of what is said.
    assert_eq!(verify(&turned, &turned).unwrap(), verify(&signed, &signed).unwrap());
}

#[test]
fn a_credential_out_of_its_dates_is_refused() {
    let at = |payload: Value| {
        let disclosed = forge(&payload, &[]);
        let text = bind("kb+jwt", &disclosed, &binding(&disclosed), &holder());
        verify_presentation(&text, &issuer().public_key(), &expected()).map(|_| ()).unwrap_err()
    };
    let seconds = now().seconds();
    let rows = [
        (json!({"iat": seconds + 31}), TimeError::IssuedInFuture(seconds + 31)),
        (json!({"nbf": seconds + 31}), TimeError::NotYetValid(seconds + 31)),
        (json!({"exp": seconds - 30}), TimeError::Expired(seconds - 30)),
    ];
    for (dates, wanted) in rows {
        assert_eq!(at(payload(dates)), PresentationError::Time(wanted));
    }
}

#[test]
fn transaction_data_must_be_signed_exactly_and_in_order() {
    let data = ["cGF5IDE4".to_owned(), "cGF5IDMwMDA".to_owned()];
    let held = SdJwt::parse(&issued()).unwrap().verify(&issuer().public_key()).unwrap();
    let verify = |signed: &[String], asked: &[String]| {
        let binding = yufu_credential::KeyBinding {
            audience: AUDIENCE.into(),
            nonce: NONCE.into(),
            issued_at: now(),
            transaction_data: signed.to_vec(),
        };
        let text = held.disclose(&[]).unwrap().bind(&binding, &holder()).unwrap();
        let expected = Expected { transaction_data: asked, ..expected() };
        verify_presentation(&text, &issuer().public_key(), &expected).map(|_| ())
    };
    let [first, second] = data.clone();
    assert_eq!(verify(&data, &data), Ok(()));
    for (signed, asked) in [
        (&data[..], &data[..1]),
        (&data[..1], &data[..]),
        (&[second, first][..], &data[..]),
        (&[][..], &data[..]),
    ] {
        assert_eq!(verify(signed, asked), Err(PresentationError::TransactionData));
    }
}
