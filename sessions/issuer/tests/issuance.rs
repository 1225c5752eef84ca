//! From token to credentials: each refusal by a request that really breaks the rule, and
//! what the credentials of a batch have in common.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::too_many_lines,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly, and a table of rules is long"
)]

use serde_json::{Map, Value, json};
use yufu_base::{SectorId, Signer as _, Timestamp};
use yufu_credential::{SdJwt, StatusReference};
use yufu_issuer::{
    Authorised, CredentialProfile, IssueError, IssuerProfile, Offer, OfferEntropy, OfferTerms,
    ProveError, Proven, SectorError, Template,
};
use yufu_jose::{Chain, SoftwareKey};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    CredentialErrorCode, CredentialRequest, IssuerMetadata, ProofError, Proofs, TokenRequest,
    sign_proof, sign_sector_proof,
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_123);

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(&[seed; 32]).unwrap()
}

fn sector(name: &str) -> SectorId {
    name.parse().unwrap()
}

fn metadata() -> IssuerMetadata {
    let credential = |id: &str| CredentialProfile {
        id: id.to_owned(),
        vct: format!("urn:{id}"),
        doctype: (id == "pid").then(|| "org.example.pid.1".to_owned()),
        display: vec![],
        claims: vec![],
        sectors: if id == "pid" { vec![sector("pension"), sector("education")] } else { vec![] },
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
    CredentialRequest {
        credential_configuration_id: id.into(),
        proofs: Proofs { jwt },
        sector_proofs: vec![],
    }
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
        type_integrity: None,
        days: vec![],
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

fn sector_proof(name: &str, seed: u8, nonce: &str) -> String {
    let issuer = Endpoint::parse("https://id.example").unwrap();
    sign_sector_proof(&issuer, nonce, &sector(name), NOW, &key(seed)).unwrap()
}

fn with_sectors(id: &str, sector_proofs: Vec<String>) -> Result<Proven, ProveError> {
    let (session, token) = authorised();
    let request = CredentialRequest { sector_proofs, ..request(id, vec![good(1), good(2)]) };
    session.prove(&token, &request, &metadata(), NOW).map_err(|refused| {
        assert!(refused.session.is_some(), "a refused pseudonym ends no session");
        refused.error
    })
}

#[test]
fn each_rule_of_a_pseudonym_has_its_error_and_code() {
    use CredentialErrorCode as Code;
    let good = || sector_proof("pension", 7, "nonce");
    let mut forged = good();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let elsewhere = Endpoint::parse("https://other.example").unwrap();
    let elsewhere =
        sign_sector_proof(&elsewhere, "nonce", &sector("pension"), NOW, &key(7)).unwrap();
    let of_a_key = proof(7, "https://id.example", NOW);
    let refused = |proofs| {
        let error = with_sectors("pid", proofs).unwrap_err();
        let code = error.response().error;
        let ProveError::Sectors(error) = error else { panic!("{error}") };
        (error, code)
    };
    for (index, proofs) in [(0, vec![forged]), (1, vec![good(), elsewhere]), (0, vec![of_a_key])] {
        let (error, code) = refused(proofs);
        assert!(matches!(error, SectorError::Proof { index: i, .. } if i == index), "{error}");
        assert_eq!(code, Code::InvalidProof);
    }
    let replayed = vec![sector_proof("pension", 7, "nonce-of-yesterday")];
    assert_eq!(refused(replayed), (SectorError::Nonce(0), Code::InvalidNonce));
    let health = vec![good(), sector_proof("health", 8, "nonce")];
    let unknown = SectorError::Unknown(sector("health"));
    assert_eq!(refused(health), (unknown, Code::InvalidCredentialRequest));
    let twice = vec![good(), sector_proof("pension", 8, "nonce")];
    let repeated = SectorError::RepeatedSector(sector("pension"));
    assert_eq!(refused(twice), (repeated, Code::InvalidCredentialRequest));
    let joined = SectorError::RepeatedKey(sector("education"));
    let one_key = vec![good(), sector_proof("education", 7, "nonce")];
    assert_eq!(refused(one_key), (joined.clone(), Code::InvalidProof));
    let key_of_a_copy = vec![sector_proof("education", 2, "nonce")];
    assert_eq!(refused(key_of_a_copy), (joined, Code::InvalidProof));
}

#[test]
fn a_credential_that_takes_no_pseudonym_refuses_one() {
    let (session, token) = {
        let terms = OfferTerms {
            issuer: metadata().credential_issuer,
            configuration_ids: vec!["other".into()],
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
    };
    let sector_proofs = vec![sector_proof("pension", 7, "nonce")];
    let request = CredentialRequest { sector_proofs, ..request("other", vec![good(1)]) };
    let refused = session.prove(&token, &request, &metadata(), NOW).unwrap_err();
    let unknown = SectorError::Unknown(sector("pension"));
    assert_eq!(refused.error, ProveError::Sectors(unknown));
}

#[test]
fn every_copy_carries_the_proven_pseudonyms_under_salts_of_its_own_or_none_was_brought() {
    let proofs = vec![sector_proof("pension", 7, "nonce"), sector_proof("education", 8, "nonce")];
    let proven = with_sectors("pid", proofs).unwrap();
    let thumbprint = |seed| yufu_jose::Jwk::from(key(seed).public_key()).thumbprint_base64url();
    assert_eq!(proven.pseudonyms()[&sector("pension")], thumbprint(7));
    let response = proven.issue(&template(), &[], &key(50), &chain(), &mut salts()).unwrap();
    let mut disclosures = std::collections::BTreeSet::new();
    let mut count = 0;
    for issued in &response.credentials {
        let verified = SdJwt::parse(&issued.credential).unwrap().verify(&key(50).public_key());
        let expected = json!({"pension": thumbprint(7), "education": thumbprint(8)});
        assert_eq!(verified.unwrap().claims()["sector_pseudonym"], expected);
        let jwt = issued.credential.split('~').next().unwrap();
        let payload = yufu_jose::decode_base64url(jwt.split('.').nth(1).unwrap()).unwrap();
        assert!(!String::from_utf8(payload).unwrap().contains("sector_pseudonym"));
        let own = issued.credential.split('~').skip(1).filter(|part| !part.is_empty());
        count += own.clone().count();
        disclosures.extend(own.map(str::to_owned));
    }
    assert_eq!(disclosures.len(), count, "a salt is shared by two copies");
    let without = with_sectors("pid", vec![]).unwrap();
    let response = without.issue(&template(), &[], &key(50), &chain(), &mut salts()).unwrap();
    let issued = SdJwt::parse(&response.credentials[0].credential).unwrap();
    assert!(
        !issued.verify(&key(50).public_key()).unwrap().claims().contains_key("sector_pseudonym")
    );
}
