//! From the issuer to the wallet, to the verifier, and back with a receipt.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

mod support;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::*;
use yufu_base::{Amount, Currency};
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::{Payment, TransactionData};
use yufu_trust::Role;
use yufu_verifier::Question;
use yufu_wallet::presentation::{
    AnswerEntropy, PresentationState, Presenting, VerifierReceipt, Warning,
};

fn payment() -> TransactionData {
    TransactionData::Payment(Payment {
        credential_ids: vec!["pay".into()],
        ledger: "cny".into(),
        amount: Amount::new(Currency::new("CNY").unwrap(), 48_000),
        payee_account: "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b".parse().unwrap(),
        payee_name: "江城宾馆".into(),
        order_id: "R-88".into(),
        expires: NOW.plus_seconds(300),
    })
}

fn question() -> Question {
    let claims = [path(json!(["family_name"])), path(json!(["address", "locality"]))];
    let query = DcqlQuery::new(
        vec![
            CredentialQuery::sd_jwt_vc("id", PID, &claims),
            CredentialQuery::sd_jwt_vc("pay", PAY, &[]),
        ],
        None,
    )
    .unwrap();
    let roles = BTreeMap::from([("pay".to_owned(), Role::BankIssuer)]);
    Question { query, roles, foreign: BTreeMap::new(), transactions: vec![payment()] }
}

#[test]
fn one_tap_identifies_and_pays_and_both_sides_keep_a_receipt() {
    let world = World::new();
    let mut held = world.pids(&[1, 2]);
    held.push(world.payment(3));

    let (mut server, link) = VerifierServer::ask(&world, question());
    let reviewed = world.review(&mut server, &link).unwrap();
    let stored = PresentationState::Reviewed(Box::new(reviewed.clone()));
    let stored = serde_json::to_string(&stored).unwrap();
    let PresentationState::Reviewed(back) = serde_json::from_str(&stored).unwrap() else {
        panic!("reviewed")
    };
    assert_eq!(*back, reviewed);

    let consent = reviewed.consent(&held).unwrap();
    assert_eq!((consent.party.get("zh"), consent.purpose.get("en")), ("江城宾馆", "Check-in"));
    assert_eq!(consent.credentials[0].holdings[0].copies, [0, 1]);
    let shown: Vec<(String, Value)> = consent.credentials[0].holdings[0]
        .claims
        .iter()
        .map(|(p, v)| (p.to_string(), json!(v)))
        .collect();
    let expected = [("family_name", json!(["李"])), ("address.locality", json!(["武汉"]))];
    assert_eq!(shown, expected.map(|(p, v)| (p.to_owned(), v)));
    assert_eq!(consent.transactions, [payment()]);
    assert_eq!(consent.warnings, [Warning::LastOne { query_id: "pay".into() }]);

    let (id_key, pay_key) = (key(1), key(3));
    let presenting = [
        Presenting { query_id: "pay", held: &held[2], signer: &pay_key },
        Presenting { query_id: "id", held: &held[0], signer: &id_key },
    ];
    let entropy = AnswerEntropy { ephemeral: [6; 32], iv: [7; 12] };
    let (answered, http) = reviewed.approve(&presenting, &entropy, NOW).unwrap();
    let done = answered.handle(&server.answer(&http)).unwrap();

    let verified = server.verified.unwrap();
    // As it is written where it waits for whoever began.
    let written = serde_json::to_string(&verified).unwrap();
    assert_eq!(serde_json::from_str::<yufu_verifier::Verified>(&written).unwrap(), verified);
    let id = &verified.credentials["id"][0];
    let claims = json!({"family_name": "李", "address": {"locality": "武汉"}});
    assert_eq!(Value::Object(id.claims.clone()), claims);
    let unasked: Vec<String> = id.unasked.iter().map(ToString::to_string).collect();
    assert_eq!(unasked, ["issuing_country"]);
    assert_eq!(id.issuer.name.get("zh"), "身份局");
    assert_eq!(id.holder_key.key, *held[0].holder_key());
    assert_eq!(verified.credentials["pay"][0].claims.len(), 0);
    assert_eq!(verified.transactions[0].query_id, "pay");
    assert_eq!(*verified.transactions[0].data(), payment());
    assert_eq!(verified.receipt.retained_until, Some(NOW.plus_seconds(30 * DAY)));

    let VerifierReceipt::Valid { receipt, .. } = done.verifier_receipt else {
        panic!("{:?}", done.verifier_receipt)
    };
    assert_eq!(receipt, verified.receipt);
    assert_eq!(done.receipt.disclosed, receipt.disclosed);
    assert_eq!(done.redirect_uri.as_deref(), Some("https://hotel.example/done#response_code=1"));
    assert!(!serde_json::to_string(&done.receipt).unwrap().contains("李"));
}

#[test]
fn declining_tells_the_verifier_only_that() {
    let world = World::new();
    let (mut server, link) = VerifierServer::ask(&world, question());
    let reviewed = world.review(&mut server, &link).unwrap();
    let http = reviewed.decline().unwrap();
    let error = server.session.clone().open(&http.body, NOW).unwrap_err();
    let yufu_verifier::OpenError::Declined(refusal) = error else { panic!("{error}") };
    assert_eq!(refusal.error, yufu_openid4vc::presentation::AuthorizationErrorCode::AccessDenied);
    assert_eq!(refusal.error_description, None);
}

#[test]
fn two_presentations_of_one_person_share_nothing_but_what_was_asked() {
    let world = World::new();
    let held = world.pids(&[1, 2, 3, 4]);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for one in &held {
        let text = one.credential.issued();
        let mut parts: Vec<&str> = text.split('~').filter(|part| !part.is_empty()).collect();
        let jwt = parts.remove(0);
        parts.extend(jwt.split('.').skip(1));
        for part in parts {
            *seen.entry(part.to_owned()).or_default() += 1;
        }
    }
    assert!(seen.values().all(|count| *count == 1), "a salt, digest or signature is shared");
    let dates: BTreeSet<_> = held
        .iter()
        .map(|h| format!("{:?}", h.credential.as_sd_jwt().unwrap().credential().validity))
        .collect();
    assert_eq!(dates.len(), 1, "the dates must not tell the credentials apart");
}
