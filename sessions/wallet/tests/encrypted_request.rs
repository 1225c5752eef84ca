//! A wallet offers a key when it fetches a request, and reads what is encrypted to it (OpenID4VP 1.0, 5.10).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::*;
use yufu_jose::jwe::{DecryptionKey, Entropy};
use yufu_openid4vc::HttpRequest;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::WalletMetadata;
use yufu_verifier::Question;
use yufu_wallet::presentation::{FetchingRequest, RequestRefused, open, open_with_key};

const ENTROPY: Entropy = Entropy { ephemeral: [7; 32], iv: [8; 12] };
const NONCE: [u8; 16] = [5; 16];

fn question() -> Question {
    let claims = [path(json!(["family_name"]))];
    let query = DcqlQuery::new(vec![CredentialQuery::sd_jwt_vc("id", PID, &claims)], None).unwrap();
    Question { query, roles: BTreeMap::new(), foreign: BTreeMap::new(), transactions: vec![] }
}

fn said(http: &HttpRequest, name: &str) -> String {
    let mut form = url::form_urlencoded::parse(&http.body);
    form.find(|(found, _)| found == name).unwrap().1.into_owned()
}

/// The request, as a verifier makes it that reads what the wallet says; encrypted to another key, if one is given.
fn made(world: &World, http: &HttpRequest, to: Option<&DecryptionKey>) -> String {
    let (mut server, _) = VerifierServer::ask(world, question());
    let mut metadata: Value = serde_json::from_str(&said(http, "wallet_metadata")).unwrap();
    if let Some(key) = to {
        metadata["jwks"] = json!({"keys": [key.public_jwk("1")]});
    }
    let wallet = WalletMetadata::parse(&metadata.to_string()).unwrap();
    let nonce = said(http, "wallet_nonce");
    let when = (NOW, ENTROPY);
    server.session.request_object_for(&wallet, Some(&nonce), when, &world.access.key).unwrap()
}

fn taken(world: &World, step: FetchingRequest, text: &str) -> Result<(), RequestRefused> {
    let response = request_response(text);
    step.handle(&response, &world.trust, &BTreeSet::new(), NOW).map(drop)
}

fn link(world: &World) -> String {
    VerifierServer::ask(world, question()).1
}

#[test]
fn a_request_that_is_encrypted_to_the_key_of_this_fetch_is_read_and_checked_as_any_5_10() {
    let world = World::new();
    let (step, http) = open_with_key(&link(&world), &NONCE, &[9; 32]).unwrap();
    let text = made(&world, &http, None);
    assert_eq!(text.split('.').count(), 5, "nobody on the way reads it");
    // It survives being stored, and is not printed.
    let stored = serde_json::to_string(&step).unwrap();
    let step: FetchingRequest = serde_json::from_str(&stored).unwrap();
    assert!(format!("{step:?}").contains("RequestKey(…)"));
    taken(&world, step, &text).unwrap();
}

#[test]
fn what_is_kept_of_a_request_is_what_its_verifier_signed_and_not_what_nobody_else_can_open() {
    let world = World::new();
    let (step, http) = open_with_key(&link(&world), &NONCE, &[9; 32]).unwrap();
    let came = request_response(&made(&world, &http, None));
    let kept = step.signed(&came).unwrap();
    assert_eq!(kept.split('.').count(), 3);
    assert_eq!(
        step.signed(&request_response(&kept)).unwrap(),
        kept,
        "one that is not encrypted stays as it is"
    );
    let (other, _) = open_with_key(&link(&world), &NONCE, &[10; 32]).unwrap();
    assert!(matches!(other.signed(&came), Err(RequestRefused::Encrypted(_))));
}

#[test]
fn a_verifier_that_does_not_encrypt_is_answered_all_the_same() {
    let world = World::new();
    let (step, http) = open_with_key(&link(&world), &NONCE, &[9; 32]).unwrap();
    let (mut server, _) = VerifierServer::ask(&world, question());
    let answer = server.answer(&http);
    step.handle(&answer, &world.trust, &BTreeSet::new(), NOW).unwrap();
}

#[test]
fn every_fetch_offers_another_key_and_nothing_else_that_differs() {
    let world = World::new();
    let offered = |seed: u8| {
        let (_, http) = open_with_key(&link(&world), &NONCE, &[seed; 32]).unwrap();
        let mut said: Value = serde_json::from_str(&said(&http, "wallet_metadata")).unwrap();
        let key = said["jwks"]["keys"][0]["x"].take();
        said["jwks"]["keys"][0]["y"].take();
        (key, said)
    };
    let (first, second) = (offered(1), offered(2));
    assert_ne!(first.0, second.0);
    assert_eq!(first.1, second.1);
}

#[test]
fn a_request_encrypted_to_another_key_or_to_none_that_was_offered_is_refused() {
    let world = World::new();
    let (step, http) = open_with_key(&link(&world), &NONCE, &[9; 32]).unwrap();
    let other = DecryptionKey::from_seed(&[10; 32]).unwrap();
    let text = made(&world, &http, Some(&other));
    assert!(matches!(taken(&world, step.clone(), &text), Err(RequestRefused::Encrypted(_))));
    let text = made(&world, &http, None);
    let altered = text.replacen('.', ".A", 1);
    assert!(matches!(taken(&world, step, &altered), Err(RequestRefused::Encrypted(_))));
    let (step, _) = open(&link(&world), &NONCE).unwrap();
    assert!(matches!(taken(&world, step, &text), Err(RequestRefused::Encrypted(_))));
}

#[test]
fn what_is_inside_an_encrypted_request_has_to_be_signed_as_any() {
    let world = World::new();
    let (step, http) = open_with_key(&link(&world), &NONCE, &[9; 32]).unwrap();
    let metadata = WalletMetadata::parse(&said(&http, "wallet_metadata")).unwrap();
    let key = metadata.terms(&question().query, "x509_hash:abc").unwrap().request.unwrap().0;
    let parameters = yufu_jose::jwe::ContentEncryption::A256Gcm.into();
    let inside = b"{\"client_id\": \"x509_hash:abc\"}";
    let text = yufu_jose::jwe::encrypt(&key, &parameters, inside, &ENTROPY).unwrap();
    assert!(matches!(taken(&world, step, &text), Err(RequestRefused::Token(_))));
}
