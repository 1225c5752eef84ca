//! The documents that go over the wire, pinned: a change of a snapshot is a change of the protocol
//! as others see it. What is random at every run (certificates, signatures) is named instead.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::*;
use yufu_base::{Amount, Currency};
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::issuance::OfferLink;
use yufu_openid4vc::presentation::{Payment, TransactionData};
use yufu_trust::Role;
use yufu_verifier::Question;

fn payment() -> TransactionData {
    TransactionData::Payment(Payment {
        credential_ids: vec!["pay".into()],
        ledger: "central-bank".into(),
        amount: Amount::new(Currency::new("CNY").unwrap(), 560_000),
        payee_account: "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b".parse().unwrap(),
        payee_name: "东湖自行车行".into(),
        order_id: "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1c".into(),
        expires: NOW.plus_seconds(300),
    })
}

#[test]
fn a_credential_offer() {
    let world = World::new();
    let mut server = IssuerServer::new("https://id.example", PID, json!({}), &world.authority);
    let (link, _) = server.offer();
    let OfferLink::Value(offer) = OfferLink::parse(&link).unwrap() else {
        unreachable!("the fixture offers by value")
    };
    insta::assert_json_snapshot!("credential_offer", offer);
}

#[test]
fn an_issuers_metadata() {
    let world = World::new();
    let server = IssuerServer::new("https://id.example", PID, json!({}), &world.authority);
    insta::assert_json_snapshot!("issuer", server.profile.issuer_metadata().unwrap());
    insta::assert_json_snapshot!(
        "authorization_server",
        server.profile.authorization_server_metadata().unwrap()
    );
}

#[test]
fn a_presentation_request() {
    let world = World::new();
    let query = vec![
        CredentialQuery::sd_jwt_vc("id", PID, &[path(json!(["address", "locality"]))]),
        CredentialQuery::sd_jwt_vc("pay", PAY, &[]),
    ];
    let question = Question {
        query: DcqlQuery::new(query, None).unwrap(),
        roles: BTreeMap::from([("pay".to_owned(), Role::BankIssuer)]),
        foreign: BTreeMap::new(),
        transactions: vec![payment()],
    };
    let (mut session, link) = world.verifier().start(question, &entropy(), NOW, 300).unwrap();
    let link = link.to_link().replace(&world.client_id().replace(':', "%3A"), "[client]");
    insta::assert_snapshot!("request_link", link);
    let jws = session.request_object(Some("wallet-nonce"), NOW, &world.access.key).unwrap();
    let token = yufu_jose::Unverified::parse(&jws).unwrap();
    let payload: Value = token.unverified_claims().unwrap();
    insta::assert_json_snapshot!("request_object", payload, {
        ".client_id" => "[x509_hash of the access certificate]",
        ".verifier_info[].data" => "[registration certificate]",
    });
    assert_eq!(token.header().typ.as_deref(), Some("oauth-authz-req+jwt"));
}

#[test]
fn transaction_data() {
    insta::assert_json_snapshot!("transaction_data", yufu_json(payment().encode().unwrap().text()));
}

#[test]
fn trust_documents() {
    let world = World::new();
    insta::assert_json_snapshot!("trust_list", world.trust, {".entries[].certificates[]" => "[anchor]"});
    insta::assert_json_snapshot!("registration", world.certificate(), {
        ".client_id" => "[x509_hash of the access certificate]",
    });
}

/// The JSON behind a base64url text.
fn yufu_json(text: &str) -> Value {
    serde_json::from_slice(&yufu_jose::decode_base64url(text).unwrap()).unwrap()
}
