//! One row per rule of an issuance: each refusal is provoked by a server that really breaks it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::*;
use yufu_base::{Signer, Timestamp};
use yufu_credential::Issuance;
use yufu_jose::{ChainError, SoftwareKey, TimeError};
use yufu_openid4vc::issuance::{CredentialErrorCode, MetadataError, OfferError, TokenErrorCode};
use yufu_openid4vc::{HttpError, HttpRequest, HttpResponse};
use yufu_trust::{Role, TrustEntry, TrustError};
use yufu_wallet::issuance::{
    CredentialProblem, CredentialsError, DiscoverError, ExchangeError, FetchingIssuer,
    FetchingNonce, IssuanceState, NonceError, Ready, RequestingCredentials, ScanError, Scanned,
    TxCodeError, scan,
};

fn server(world: &World) -> IssuerServer<'_> {
    let claims = json!({"family_name": "李"});
    IssuerServer::new("https://id.example", PID, claims, &world.authority)
}

fn started<'a>(world: &'a World) -> (IssuerServer<'a>, FetchingIssuer, HttpRequest, String) {
    let mut server = server(world);
    let (link, tx_code) = server.offer();
    let Scanned::Value(step, http) = scan(&link, &world.trust).unwrap() else { panic!() };
    (server, *step, http, tx_code)
}

fn ready<'a>(world: &'a World) -> (IssuerServer<'a>, Ready, String) {
    let (mut server, step, http, tx_code) = started(world);
    let (step, http) = step.handle(&server.answer(&http)).unwrap();
    let ready = step.handle(&server.answer(&http)).unwrap();
    (server, ready, tx_code)
}

fn nonce<'a>(world: &'a World) -> (IssuerServer<'a>, FetchingNonce, HttpRequest) {
    let (mut server, ready, tx_code) = ready(world);
    let (step, http) = ready.accept(Some(&tx_code)).unwrap();
    let (step, http) = step.handle(&server.answer(&http)).unwrap();
    (server, step, http)
}

fn requesting(world: &World, seeds: &[u8]) -> RequestingCredentials {
    let (mut server, step, http) = nonce(world);
    let keys: Vec<SoftwareKey> = seeds.iter().map(|seed| key(*seed)).collect();
    let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let step = step.handle(&server.answer(&http), &keys, NOW).unwrap().0;
    let stored = serde_json::to_string(&IssuanceState::RequestingCredentials(step)).unwrap();
    match serde_json::from_str(&stored).unwrap() {
        IssuanceState::RequestingCredentials(step) => step,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_fetched_from_an_issuer_nobody_knows() {
    let world = World::new();
    let error = |link: &str| scan(link, &world.trust).unwrap_err();
    let by_value = |issuer: &str, grants: &str| {
        format!(
            "openid-credential-offer://?credential_offer={{\"credential_issuer\":\"{issuer}\",\
             \"credential_configuration_ids\":[\"card\"],\"grants\":{grants}}}"
        )
    };
    let grant =
        r#"{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c"}}"#;
    assert!(matches!(error("hello"), ScanError::Offer(OfferError::Scheme)));
    assert_eq!(error(&by_value("https://id.example", "{}")), ScanError::Grant);
    let unknown = |url| ScanError::UnknownIssuer(endpoint(url));
    let evil = error(&by_value("https://evil.example", grant));
    assert_eq!(evil, unknown("https://evil.example"));
    // The registrar is trusted, but not to issue.
    let registrar = error(&by_value("https://reg.example", grant));
    assert_eq!(registrar, unknown("https://reg.example"));
    let reference = "openid-credential-offer://?credential_offer_uri=https://evil.example/o";
    assert_eq!(error(reference), unknown("https://evil.example/o"));
}

#[test]
fn an_offer_by_reference_leads_to_the_same_place_4_1_3() {
    let world = World::new();
    let reference = "openid-credential-offer://?credential_offer_uri=https://id.example/offers/1";
    let Scanned::Reference(step, http) = scan(reference, &world.trust).unwrap() else { panic!() };
    assert_eq!(http.url.as_str(), "https://id.example/offers/1");
    let offer = json!({"credential_issuer": "https://id.example",
        "credential_configuration_ids": ["card"],
        "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code":
            {"pre-authorized_code": "c"}}});
    let (_, http) = step.handle(&HttpResponse::ok_json(&offer), &world.trust).unwrap();
    let expected = "https://id.example/.well-known/openid-credential-issuer";
    assert_eq!(http.url.as_str(), expected);
}

#[test]
fn metadata_that_lead_elsewhere_are_refused() {
    let world = World::new();
    let error = |change: &dyn Fn(&mut Value)| {
        let (mut server, step, http, _) = started(&world);
        let response = server.answer(&http);
        let mut document: Value = response.json().unwrap();
        change(&mut document);
        step.handle(&HttpResponse::ok_json(&document)).unwrap_err()
    };
    assert!(matches!(
        error(&|d| d["credential_issuer"] = "https://id.example/other".into()),
        DiscoverError::Metadata(MetadataError::Identifier { .. })
    ));
    assert!(matches!(
        error(&|d| {
            let card = &mut d["credential_configurations_supported"]["card"];
            card["proof_types_supported"] = json!({"attestation":
                {"proof_signing_alg_values_supported": ["ES256"]}});
        }),
        DiscoverError::Configuration(_)
    ));
    assert!(matches!(
        error(&|d| d["credential_configurations_supported"]["card"]["format"] = "jwt_vc".into()),
        DiscoverError::Configuration(_)
    ));
    assert_eq!(
        error(&|d| {
            for (_, card) in d["credential_configurations_supported"].as_object_mut().unwrap() {
                card["cryptographic_binding_methods_supported"] = json!([]);
            }
            d.as_object_mut().unwrap().remove("nonce_endpoint");
        }),
        DiscoverError::Nonce
    );
    for member in ["credential_endpoint", "nonce_endpoint"] {
        let elsewhere = error(&|d| d[member] = "https://evil.example/x".into());
        assert_eq!(elsewhere, DiscoverError::Elsewhere(endpoint("https://evil.example/x")));
    }
    let servers = |d: &mut Value| d["authorization_servers"] = json!(["https://evil.example"]);
    assert!(matches!(error(&servers), DiscoverError::Elsewhere(_)));

    let (mut server, step, http, _) = started(&world);
    let (step, http) = step.handle(&server.answer(&http)).unwrap();
    let mut document: Value = server.answer(&http).json().unwrap();
    document["token_endpoint"] = "https://evil.example/token".into();
    let error = step.handle(&HttpResponse::ok_json(&document)).unwrap_err();
    assert_eq!(error, DiscoverError::Elsewhere(endpoint("https://evil.example/token")));
}

#[test]
fn a_transaction_code_is_asked_for_checked_and_can_be_typed_again_6_1() {
    let world = World::new();
    let (mut server, ready, tx_code) = ready(&world);
    assert_eq!(ready.issuer_name().get("zh"), "身份局");
    assert_eq!(ready.accept(None).unwrap_err(), TxCodeError::Missing);
    for wrong in ["", "12345", "1234567", "12345a", "１２３４５６"] {
        assert_eq!(ready.accept(Some(wrong)).unwrap_err(), TxCodeError::Form, "{wrong}");
    }
    let (step, http) = ready.accept(Some("999999")).unwrap();
    let refused = step.clone().handle(&server.answer(&http)).unwrap_err();
    let ExchangeError::Refused { code, .. } = refused else { panic!("{refused}") };
    assert_eq!(code, TokenErrorCode::InvalidGrant);
    let (step, http) = step.retry().accept(Some(&tx_code)).unwrap();
    assert!(step.handle(&server.answer(&http)).is_ok());
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let world = World::new();
    let (_, ready, tx_code) = ready(&world);
    let (step, _) = ready.accept(Some(&tx_code)).unwrap();
    let token = json!({"access_token": "t", "token_type": "DPoP"});
    let error = step.clone().handle(&HttpResponse::ok_json(&token)).unwrap_err();
    assert_eq!(error, ExchangeError::TokenType("DPoP".into()));
    let page = HttpResponse {
        status: 200,
        content_type: None,
        body: vec![],
        headers: std::collections::BTreeMap::new(),
    };
    assert!(matches!(step.handle(&page), Err(ExchangeError::Http(HttpError::MediaType { .. }))));
}

#[test]
fn each_credential_gets_a_key_of_its_own() {
    let world = World::new();
    let keys: Vec<SoftwareKey> = (1..=5).map(key).collect();
    let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let (mut server, step, http) = nonce(&world);
    let response = server.answer(&http);
    let error = |keys: &[&dyn Signer]| step.clone().handle(&response, keys, NOW).unwrap_err();
    assert_eq!(error(&[]), NonceError::Keys { given: 0, most: 4 });
    assert_eq!(error(&keys), NonceError::Keys { given: 5, most: 4 });
    assert_eq!(error(&[keys[0], keys[0]]), NonceError::RepeatedKey);
}

/// The refusal of a chain whose certificate at this place is the authority itself (HAIP 1.0).
fn carries(index: usize) -> TrustError {
    TrustError::Chain { role: Role::PidIssuer, reason: ChainError::CarriesAnchor(index) }
}

/// What the wallet makes of a good credential of an issuer that the trust list has so.
fn kept_by(change: impl FnOnce(&mut TrustEntry)) -> Result<(), CredentialProblem> {
    let world = World::new();
    let requesting = requesting(&world, &[1]);
    let mut trust = world.trust.clone();
    change(&mut trust.entries[0]);
    let text = credential(&world.authority, 1, |_| ());
    let response = HttpResponse::ok_json(&json!({"credentials": [{"credential": text}]}));
    requesting.handle(&response, &trust, NOW).map(drop).map_err(|error| match error {
        CredentialsError::Credential { error, .. } => error,
        other => panic!("{other}"),
    })
}

#[test]
fn a_credential_of_a_type_that_its_issuer_is_not_listed_for_is_not_kept() {
    assert_eq!(kept_by(|_| ()), Ok(()));
    for issues in [vec![], vec![PAY.to_owned()], vec![format!("{PID}:other")]] {
        let refused = kept_by(|entry| entry.issues = issues).unwrap_err();
        let (party, kind) = ("https://id.example".to_owned(), PID.to_owned());
        assert_eq!(refused, CredentialProblem::Issuer(TrustError::Type { party, kind }));
    }
}

#[test]
fn an_offer_of_an_issuer_that_only_shares_an_origin_with_a_trusted_one_is_not_taken_up() {
    let mut world = World::new();
    world.trust.entries[0].identifier = "https://city.example/authority".into();
    world.trust.entries[1].identifier = "https://city.example/banks/a".into();
    let grant =
        r#"{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c"}}"#;
    let offer = |issuer: &str| {
        let link = format!(
            "openid-credential-offer://?credential_offer={{\"credential_issuer\":\"{issuer}\",\
             \"credential_configuration_ids\":[\"card\"],\"grants\":{grant}}}"
        );
        scan(&link, &world.trust).map(drop)
    };
    for known in ["https://city.example/authority", "https://city.example/banks/a/haip"] {
        assert_eq!(offer(known), Ok(()), "{known}");
    }
    for unknown in [
        "https://city.example",
        "https://city.example/banks/b",
        "https://city.example/banks/ab",
        "https://city.example/banks/a/../b",
        "https://city.example/parties/hotel",
    ] {
        assert_eq!(offer(unknown), Err(ScanError::UnknownIssuer(endpoint(unknown))), "{unknown}");
    }
}

/// An honest credential for the key of `seed`, changed.
fn credential(party: &Party, seed: u8, change: impl FnOnce(&mut Issuance)) -> String {
    let mut issuance = Issuance {
        vct: PID.into(),
        type_integrity: None,
        issuer: "https://id.example".into(),
        issued_at: NOW,
        not_before: None,
        expires_at: NOW.plus_seconds(DAY),
        status: None,
        holder_key: key(seed).public_key().into(),
        open: members(json!({})),
        selective: members(json!({"family_name": "李"})),
        decoys: 0,
    };
    change(&mut issuance);
    issuance.sign(&party.key, &party.chain, &mut || [1; 16]).unwrap()
}

#[test]
fn each_rule_of_a_received_credential_is_refused_by_its_own_name() {
    use CredentialProblem as P;
    let world = World::new();
    let (id, bank) = (&world.authority, &world.bank);
    let requesting = requesting(&world, &[1, 2]);
    let respond = |texts: &[&str], now: Timestamp| {
        let credentials: Vec<Value> = texts.iter().map(|t| json!({"credential": t})).collect();
        let response = HttpResponse::ok_json(&json!({ "credentials": credentials }));
        requesting.handle(&response, &world.trust, now)
    };
    let problem = |text: &str| match respond(&[text], NOW).unwrap_err() {
        CredentialsError::Credential { index: 0, error } => error,
        other => panic!("{other}"),
    };
    let good = credential(id, 1, |_| ());
    assert_eq!(respond(&[&good], NOW).unwrap()[0].authority_key_ids.len(), 1);

    assert!(matches!(problem("x~"), P::SdJwt(_)));
    let forged =
        credential(&Party { key: key(9), chain: id.chain.clone(), anchor: vec![] }, 1, |_| ());
    assert!(matches!(problem(&forged), P::SdJwt(_)));
    assert!(matches!(problem(&credential(&world.registrar, 1, |_| ())), P::Issuer(_)));
    assert!(matches!(problem(&credential(&party(), 1, |_| ())), P::Issuer(_)));
    assert!(matches!(problem(&credential(bank, 1, |_| ())), P::OtherIssuer { .. }));
    let named = credential(id, 1, |i| i.issuer = "https://bank.example".into());
    assert!(matches!(problem(&named), P::OtherIssuer { .. }));
    let typed = credential(id, 1, |i| i.vct = PAY.into());
    assert_eq!(problem(&typed), P::Type(PAY.into()));
    assert_eq!(problem(&credential(&id.carrying_anchor(), 1, |_| ())), P::Issuer(carries(1)));
    assert_eq!(problem(&credential(id, 3, |_| ())), P::Key);
    let header = yufu_jose::Header::typed("dc+sd-jwt").with_chain(&id.chain);
    let endless = json!({"vct": PID, "cnf": {"jwk": yufu_jose::Jwk::from(key(1).public_key())}});
    let endless = yufu_jose::sign(&header, endless.to_string().as_bytes(), &id.key).unwrap();
    assert_eq!(problem(&format!("{endless}~")), P::Endless);
    let header = yufu_jose::Header::typed("dc+sd-jwt");
    let unchained = yufu_jose::sign(&header, b"{}", &id.key).unwrap();
    assert!(matches!(problem(&format!("{unchained}~")), P::Chain(_)));
    let early = credential(id, 1, |i| i.not_before = Some(NOW.plus_seconds(3600)));
    assert!(matches!(problem(&early), P::Time(TimeError::NotYetValid(_))));
    let expired = respond(&[&good], NOW.plus_seconds(2 * DAY)).unwrap_err();
    let CredentialsError::Credential { error: P::Time(TimeError::Expired(_)), .. } = expired else {
        panic!("{expired}")
    };

    let other = credential(id, 2, |i| i.selective = members(json!({"family_name": "王"})));
    assert_eq!(respond(&[], NOW).unwrap_err(), CredentialsError::Count { got: 0, asked: 2 });
    assert_eq!(
        respond(&[&good, &good, &good], NOW).unwrap_err(),
        CredentialsError::Count { got: 3, asked: 2 }
    );
    assert_eq!(respond(&[&good, &good], NOW).unwrap_err(), CredentialsError::RepeatedKey);
    assert_eq!(respond(&[&good, &other], NOW).unwrap_err(), CredentialsError::Different);
}

#[test]
fn a_refused_nonce_can_be_fetched_anew_8_3_1() {
    let world = World::new();
    let requesting = requesting(&world, &[1]);
    let refusal = HttpResponse::json_with(400, &json!({"error": "invalid_nonce"}));
    let error = requesting.handle(&refusal, &world.trust, NOW).unwrap_err();
    let CredentialsError::Refused { code, .. } = error else { panic!("{error}") };
    assert_eq!(code, CredentialErrorCode::InvalidNonce);
    let (_, http) = requesting.retry().unwrap();
    assert_eq!(http.url.as_str(), "https://id.example/nonce");
}
