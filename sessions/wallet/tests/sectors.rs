//! The holder's pseudonyms: proven to the issuer of identities alone, the same in every batch, and
//! never two of them in one answer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::*;
use yufu_base::{SectorId, Signer};
use yufu_credential::Issuance;
use yufu_jose::{Jwk, SoftwareKey};
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_verifier::Question;
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::{
    CredentialProblem, CredentialsError, FetchingNonce, NonceError, RequestingCredentials, Scanned,
    SectorKeys, scan,
};
use yufu_wallet::presentation::{AnswerEntropy, Presenting, RequestRefused};

const PENSION: u8 = 71;
const EDUCATION: u8 = 72;

fn sector(name: &str) -> SectorId {
    name.parse().unwrap()
}

fn thumbprint(seed: u8) -> String {
    Jwk::from(key(seed).public_key()).thumbprint_base64url()
}

/// An authority (or a bank) that publishes that it takes pseudonyms for two sectors.
fn server<'a>(url: &str, party: &'a Party) -> IssuerServer<'a> {
    let mut server = IssuerServer::new(url, PID, json!({"family_name": "李"}), party);
    server.profile.credentials[0].sectors = vec![sector("pension"), sector("education")];
    server
}

fn nonce(world: &World, server: &mut IssuerServer<'_>) -> (FetchingNonce, HttpResponse) {
    let (link, tx_code) = server.offer();
    let Scanned::Value(step, http) = scan(&link, &world.trust).unwrap() else { panic!() };
    let (step, http) = step.handle(&server.answer(&http)).unwrap();
    let ready = step.handle(&server.answer(&http)).unwrap();
    let (step, http) = ready.accept(Some(&tx_code)).unwrap();
    let (step, http) = step.handle(&server.answer(&http)).unwrap();
    let response = server.answer(&http);
    (step, response)
}

type Asked = Result<(RequestingCredentials, HttpRequest), NonceError>;

/// Asks for copies to the keys of `copies`, with the pseudonyms of `sectors`.
fn ask(step: FetchingNonce, nonce: &HttpResponse, copies: &[u8], sectors: &[(&str, u8)]) -> Asked {
    let keys: Vec<SoftwareKey> = copies.iter().map(|seed| key(*seed)).collect();
    let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let owned: Vec<(SectorId, SoftwareKey)> =
        sectors.iter().map(|(name, seed)| (sector(name), key(*seed))).collect();
    let sectors: SectorKeys<'_> =
        owned.iter().map(|(name, key)| (name.clone(), key as &dyn Signer)).collect();
    step.handle_with_sectors(nonce, &keys, &sectors, NOW)
}

fn obtain(world: &World, copies: &[u8], sectors: &[(&str, u8)]) -> Vec<HeldCredential> {
    let mut server = server("https://id.example", &world.authority);
    let (step, response) = nonce(world, &mut server);
    let (step, http) = ask(step, &response, copies, sectors).unwrap();
    step.handle(&server.answer(&http), &world.trust, NOW).unwrap()
}

#[test]
fn every_copy_carries_the_same_pseudonyms_and_so_does_the_next_batch() {
    let world = World::new();
    let sectors = [("pension", PENSION), ("education", EDUCATION)];
    let mut held = obtain(&world, &[1, 2], &sectors);
    held.extend(obtain(&world, &[3], &sectors));
    let expected = json!({"pension": thumbprint(PENSION), "education": thumbprint(EDUCATION)});
    for one in &held {
        assert_eq!(one.credential.claims()["sector_pseudonym"], expected);
    }
    let stored = held[0].credential.issued();
    let disclosures = |text: &str| -> Vec<String> {
        text.split('~').skip(1).filter(|d| !d.is_empty()).map(str::to_owned).collect()
    };
    let other = disclosures(&held[1].credential.issued());
    assert!(disclosures(&stored).iter().all(|own| !other.contains(own)), "a salt is shared");
}

#[test]
fn a_wallet_that_knows_no_pseudonyms_sends_none_and_gets_a_credential_without() {
    let world = World::new();
    let mut server = server("https://id.example", &world.authority);
    let (step, response) = nonce(&world, &mut server);
    let keys = [key(1)];
    let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let (step, http) = step.handle(&response, &keys, NOW).unwrap();
    let sent: Value = serde_json::from_slice(&http.body).unwrap();
    let members: Vec<&String> = sent.as_object().unwrap().keys().collect();
    assert_eq!(members, ["credential_configuration_id", "proofs"]);
    let held = step.handle(&server.answer(&http), &world.trust, NOW).unwrap();
    assert!(!held[0].credential.claims().contains_key("sector_pseudonym"));
}

#[test]
fn each_rule_of_sending_pseudonyms_has_its_error() {
    let world = World::new();
    let mut authority = server("https://id.example", &world.authority);
    let (step, response) = nonce(&world, &mut authority);
    assert_eq!(step.sectors(), [sector("pension"), sector("education")]);
    let error = |copies: &[u8], sectors: &[(&str, u8)]| {
        ask(step.clone(), &response, copies, sectors).unwrap_err()
    };
    let both = [("pension", PENSION), ("education", PENSION)];
    assert_eq!(error(&[1], &both), NonceError::RepeatedKey);
    assert_eq!(error(&[1], &[("pension", 1)]), NonceError::RepeatedKey);
    let health = [("health", PENSION)];
    assert_eq!(error(&[1], &health), NonceError::Sector(sector("health")));

    // A bank that publishes that it takes them is told none: who else sees them could join them.
    let mut bank = server("https://bank.example", &world.bank);
    let (step, response) = nonce(&world, &mut bank);
    assert_eq!(step.sectors(), []);
    let refused = ask(step, &response, &[1], &[("pension", PENSION)]).unwrap_err();
    assert_eq!(refused, NonceError::Sector(sector("pension")));
}

#[test]
fn a_credential_with_other_pseudonyms_than_the_wallets_own_is_refused() {
    let world = World::new();
    let respond = |sectors: &[(&str, u8)], carried: Value| {
        let mut server = server("https://id.example", &world.authority);
        let (step, response) = nonce(&world, &mut server);
        let (step, _) = ask(step, &response, &[1], sectors).unwrap();
        let stored = serde_json::to_string(&step).unwrap();
        let step: RequestingCredentials = serde_json::from_str(&stored).unwrap();
        let issuance = Issuance {
            vct: PID.into(),
            type_integrity: None,
            issuer: "https://id.example".into(),
            issued_at: NOW,
            not_before: None,
            expires_at: NOW.plus_seconds(DAY),
            status: None,
            holder_key: key(1).public_key().into(),
            open: members(json!({})),
            selective: members(carried),
            decoys: 0,
        };
        let (key, chain) = (&world.authority.key, &world.authority.chain);
        let text = issuance.sign(key, chain, &mut || [1; 16]).unwrap();
        let answer = HttpResponse::ok_json(&json!({"credentials": [{"credential": text}]}));
        step.handle(&answer, &world.trust, NOW)
    };
    let (own, planted) = (thumbprint(PENSION), thumbprint(9));
    let sent = [("pension", PENSION)];
    assert!(respond(&sent, json!({"sector_pseudonym": {"pension": own}})).is_ok());
    let problem = CredentialProblem::Pseudonyms;
    let refused = CredentialsError::Credential { index: 0, error: problem };
    for (sent, carried) in [
        (&sent[..], json!({})),
        (&sent, json!({"sector_pseudonym": {"pension": planted}})),
        (&sent, json!({"sector_pseudonym": {"pension": own, "education": planted}})),
        (&sent, json!({"sector_pseudonym": own})),
        (&[], json!({"sector_pseudonym": {"pension": planted}})),
        (&[], json!({"sector_pseudonym": {}})),
    ] {
        assert_eq!(respond(sent, carried.clone()).unwrap_err(), refused, "{carried}");
    }
}

/// A verifier that asks these claims, and is registered to.
fn shown(world: &World, held: &HeldCredential, copy: u8, claims: &[Value]) -> Vec<String> {
    let (link, mut server) = asking(world, claims);
    let reviewed = world.review(&mut server, &link).unwrap();
    let signer = key(copy);
    let presenting = [Presenting { query_id: "id", held, signer: &signer }];
    let entropy = AnswerEntropy { ephemeral: [6; 32], iv: [7; 12] };
    let (_, http) = reviewed.approve(&presenting, &entropy, NOW).unwrap();
    server.answer(&http);
    let verified = server.verified.unwrap();
    leaves(&Value::Object(verified.credentials["id"][0].claims.clone()))
}

fn asking<'a>(world: &'a World, claims: &[Value]) -> (String, VerifierServer<'a>) {
    let paths: Vec<_> = claims.iter().map(|claim| path(claim.clone())).collect();
    let query = vec![CredentialQuery::sd_jwt_vc("id", PID, &paths)];
    let query = DcqlQuery::new(query, None).unwrap();
    let question =
        Question { query, roles: BTreeMap::new(), foreign: BTreeMap::new(), transactions: vec![] };
    let mut certificate = world.certificate();
    certificate.credentials[0].claims =
        paths.into_iter().map(|path| yufu_trust::RegisteredClaim { path }).collect();
    let (server, link) = VerifierServer::ask_registered(world, &certificate, question);
    (link, server)
}

fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members.values().flat_map(leaves).collect(),
        other => vec![other.to_string()],
    }
}

#[test]
fn two_parties_in_different_sectors_find_nothing_in_common_and_one_finds_the_same_again() {
    let world = World::new();
    let sectors = [("pension", PENSION), ("education", EDUCATION)];
    let held = obtain(&world, &[1, 2, 3], &sectors);
    let pension = [json!(["sector_pseudonym", "pension"])];
    let education = [json!(["sector_pseudonym", "education"])];
    let first = shown(&world, &held[0], 1, &pension);
    let again = shown(&world, &held[1], 2, &pension);
    let school = shown(&world, &held[2], 3, &education);
    assert_eq!(first, [format!("{:?}", thumbprint(PENSION))]);
    assert_eq!(first, again);
    assert!(school.iter().all(|value| !first.contains(value)), "{first:?} {school:?}");
}

#[test]
fn no_request_shows_two_sectors_whoever_registered_it() {
    let world = World::new();
    let (pension, education) =
        (json!(["sector_pseudonym", "pension"]), json!(["sector_pseudonym", "education"]));
    for claims in [
        vec![pension.clone(), education],
        vec![json!(["sector_pseudonym"])],
        vec![json!(["sector_pseudonym", null])],
    ] {
        let (link, mut server) = asking(&world, &claims);
        let refused = world.review(&mut server, &link);
        assert_eq!(refused.unwrap_err(), RequestRefused::JoinsSectors, "{claims:?}");
    }
    let (link, mut server) = asking(&world, &[pension, json!(["family_name"])]);
    assert!(world.review(&mut server, &link).is_ok());
}

#[test]
fn the_request_with_pseudonyms_on_the_wire() {
    let world = World::new();
    let mut server = server("https://id.example", &world.authority);
    let metadata = serde_json::to_value(server.profile.issuer_metadata().unwrap()).unwrap();
    let card = &metadata["credential_configurations_supported"]["card"];
    insta::assert_json_snapshot!("sectors_metadata", card["yufu_sector_proofs_supported"]);
    let (step, response) = nonce(&world, &mut server);
    let (_, http) = ask(step, &response, &[1], &[("pension", PENSION)]).unwrap();
    let sent: Value = serde_json::from_slice(&http.body).unwrap();
    let proof = sent["yufu_sector_proofs"][0].as_str().unwrap();
    let part = |index: usize| -> Value {
        let text = proof.split('.').nth(index).unwrap();
        serde_json::from_slice(&yufu_jose::decode_base64url(text).unwrap()).unwrap()
    };
    insta::assert_json_snapshot!("sectors_proof", json!({"header": part(0), "payload": part(1)}));
}
