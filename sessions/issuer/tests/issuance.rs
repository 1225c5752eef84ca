//! From token to credentials: each refusal by a request that really breaks the rule, and
//! what the credentials of a batch have in common.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::too_many_lines,
    reason = "test code: a wrong fixture is to fail loudly, and a table of rules is long"
)]

use serde_json::{Map, Value, json};
use yufu_base::{Signer as _, Timestamp};
use yufu_credential::{SdJwt, StatusReference};
use yufu_issuer::{
    Authorised, CredentialProfile, IssueError, IssuerProfile, Offer, OfferEntropy, OfferTerms,
    ProveError, Proven, Template,
};
use yufu_jose::{Chain, SoftwareKey};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    CredentialErrorCode, CredentialRequest, IssuerMetadata, ProofError, Proofs, TokenRequest,
    sign_proof,
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_123);

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(&[seed; 32]).unwrap()
}

fn metadata() -> IssuerMetadata {
    let credential = |id: &str| CredentialProfile {
        id: id.to_owned(),
        vct: format!("urn:{id}"),
        display: vec![],
        claims: vec![],
    };
    let profile = IssuerProfile {
        identifier: Endpoint::parse("https://id.example").unwrap(),
        display: vec![],
        batch_size: 3,
        credentials: vec![credential("pid"), credential("other")],
    };
    profile.issuer_metadata().unwrap()
}

fn authorised() -> (Authorised, String) {
    let terms = OfferTerms {
        issuer: metadata().credential_issuer,
        configuration_ids: vec!["pid".into(), "gone".into()],
        subject: "person-7".into(),
        tx_code_digits: None,
        tx_code_description: None,
        lifetime_seconds: 600,
    };
    let made = Offer::new(terms, &OfferEntropy { code: [1; 32], tx_code: 0 }, NOW).unwrap();
    let pre_authorized_code = made.offer.grants.pre_authorized.unwrap().pre_authorized_code;
    let request = TokenRequest { pre_authorized_code, tx_code: None };
    let (session, token) = made.session.token(&request, NOW, &[2; 32]).unwrap();
    (session, token.access_token)
}

fn proof(seed: u8, issuer: &str, at: Timestamp) -> String {
    sign_proof(&Endpoint::parse(issuer).unwrap(), "nonce", at, &key(seed)).unwrap()
}

fn request(id: &str, jwt: Vec<String>) -> CredentialRequest {
    CredentialRequest { credential_configuration_id: id.into(), proofs: Proofs { jwt } }
}

fn good(seed: u8) -> String {
    proof(seed, "https://id.example", NOW)
}

#[test]
fn each_rule_of_a_credential_request_has_its_error_and_code_8_3_1() {
    use CredentialErrorCode as Code;
    let (_, token) = authorised();
    let late = NOW.plus_seconds(600);
    let elsewhere = proof(9, "https://other.example", NOW);
    let old = proof(9, "https://id.example", NOW.minus_seconds(301));
    type Fits = fn(&ProveError) -> bool;
    let rows: [(&str, CredentialRequest, Timestamp, Fits, Code, bool); 8] = [
        (
            "wrong",
            request("pid", vec![good(1)]),
            NOW,
            |e| *e == ProveError::UnknownToken,
            Code::InvalidToken,
            true,
        ),
        (
            &token,
            request("pid", vec![good(1)]),
            late,
            |e| *e == ProveError::TokenExpired,
            Code::InvalidToken,
            false,
        ),
        (
            &token,
            request("other", vec![good(1)]),
            NOW,
            |e| matches!(e, ProveError::Configuration(_)),
            Code::UnknownCredentialConfiguration,
            true,
        ),
        (
            &token,
            request("gone", vec![good(1)]),
            NOW,
            |e| matches!(e, ProveError::Configuration(_)),
            Code::UnknownCredentialConfiguration,
            true,
        ),
        (
            &token,
            request("pid", (1..=4).map(good).collect()),
            NOW,
            |e| *e == ProveError::Batch { count: 4, most: 3 },
            Code::InvalidCredentialRequest,
            true,
        ),
        (
            &token,
            request("pid", vec![good(1), elsewhere]),
            NOW,
            |e| matches!(e, ProveError::Proof { index: 1, error: ProofError::Audience { .. } }),
            Code::InvalidProof,
            true,
        ),
        (
            &token,
            request("pid", vec![old]),
            NOW,
            |e| matches!(e, ProveError::Proof { index: 0, error: ProofError::NotFresh { .. } }),
            Code::InvalidProof,
            true,
        ),
        (
            &token,
            request("pid", vec![good(1), good(2), good(1)]),
            NOW,
            |e| *e == ProveError::RepeatedKey(2),
            Code::InvalidProof,
            true,
        ),
    ];
    for (token, request, now, fits, code, goes_on) in rows {
        let (session, _) = authorised();
        let refused = session.prove(token, &request, &metadata(), now).unwrap_err();
        assert!(fits(&refused.error), "{}", refused.error);
        assert_eq!(refused.error.response().error, code);
        assert_eq!(refused.session.is_some(), goes_on, "{}", refused.error);
    }
}

fn proven(count: u8) -> Proven {
    let (session, token) = authorised();
    let request = request("pid", (1..=count).map(good).collect());
    session.prove(&token, &request, &metadata(), NOW).unwrap()
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn template() -> Template {
    Template {
        issued_at: NOW,
        expires_at: NOW.plus_seconds(30 * 86_400),
        open: members(json!({"issuing_country": "CN"})),
        selective: members(json!({"family_name": "李"})),
        decoys: 2,
    }
}

fn chain() -> Chain {
    let certified = rcgen::generate_simple_self_signed(["id.example".to_owned()]).unwrap();
    Chain::from_der(vec![certified.cert.der().to_vec()]).unwrap()
}

fn status(index: u64) -> StatusReference {
    StatusReference { uri: "https://id.example/status/1".into(), index }
}

fn salts() -> impl FnMut() -> [u8; 16] {
    let mut counter = 0_u128;
    move || {
        counter += 1;
        counter.to_be_bytes()
    }
}

#[test]
fn a_batch_is_one_credential_per_key_with_the_same_whole_days_and_its_own_status() {
    let statuses = [status(17), status(4), status(90)];
    let proven = proven(3);
    assert_eq!((proven.subject(), proven.configuration_id()), ("person-7", "pid"));
    assert_eq!(proven.nonces().len(), 1);
    let response = proven.issue(&template(), &statuses, &key(50), &chain(), &mut salts()).unwrap();
    let issued: Vec<_> = response
        .credentials
        .iter()
        .map(|c| SdJwt::parse(&c.credential).unwrap().verify(&key(50).public_key()).unwrap())
        .collect();
    for (index, credential) in (1_u8..).zip(&issued) {
        let registered = credential.credential();
        assert_eq!(registered.vct, "urn:pid");
        assert_eq!(registered.confirmation.jwk.key, key(index).public_key());
        assert_eq!(registered.status, statuses.get(usize::from(index - 1)).cloned());
        let validity = registered.validity;
        for date in [validity.issued_at, validity.expires_at] {
            assert_eq!(date.unwrap().seconds() % 86_400, 0);
        }
        assert_eq!(credential.claims()["family_name"], "李");
    }
    let texts: std::collections::BTreeSet<_> =
        issued.iter().map(yufu_credential::IssuedCredential::to_compact).collect();
    assert_eq!(texts.len(), 3);
}

#[test]
fn each_rule_of_issuing_has_its_error() {
    let issue = |template: &Template, statuses: &[StatusReference]| {
        proven(2).issue(template, statuses, &key(50), &chain(), &mut salts()).unwrap_err()
    };
    let short = Template { expires_at: NOW.plus_seconds(3600), ..template() };
    assert_eq!(issue(&short, &[]), IssueError::Dates);
    let count = IssueError::StatusCount { keys: 2, entries: 1 };
    assert_eq!(issue(&template(), &[status(1)]), count);
    assert_eq!(issue(&template(), &[status(1), status(1)]), IssueError::StatusRepeated);
    let forged = Template { open: members(json!({"cnf": {}})), ..template() };
    assert!(matches!(issue(&forged, &[]), IssueError::Credential(_)));
}
