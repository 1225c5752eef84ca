//! An identity as an ISO mdoc: from the issuer to the wallet, to the verifier, and back with a receipt;
//! and what either side refuses (OpenID4VCI 1.0, A.2; OpenID4VP 1.0, B.2).
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::*;
use yufu_jose::ClaimPath;
use yufu_mdoc::{IssuerSigned, ShowError};
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::{AccountOpening, TransactionData};
use yufu_trust::OverAsking;
use yufu_verifier::{Question, StartError, StatusError};
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::CredentialProblem;
use yufu_wallet::presentation::{
    AnswerEntropy, ApproveError, Presenting, RequestRefused, VerifierReceipt,
};

const ENTROPY: AnswerEntropy = AnswerEntropy { ephemeral: [6; 32], iv: [7; 12] };

fn element(name: &str) -> ClaimPath {
    path(json!([MDOC, name]))
}

fn question(elements: &[ClaimPath]) -> Question {
    let query = DcqlQuery::new(vec![CredentialQuery::mdoc("id", MDOC, elements)], None).unwrap();
    Question { query, roles: BTreeMap::new(), foreign: BTreeMap::new(), transactions: vec![] }
}

fn ask<'a>(world: &'a World, elements: &[ClaimPath]) -> (VerifierServer<'a>, String) {
    VerifierServer::ask_registered(world, &world.certificate_for_mdoc(), question(elements))
}

#[test]
fn a_batch_of_mdocs_says_what_the_sd_jwt_vc_would_and_each_has_its_own_key_and_place() {
    let world = World::new();
    let held = world.mdocs(&[1, 2, 3]);
    let keys: BTreeSet<_> = held.iter().map(HeldCredential::holder_key).collect();
    let places: BTreeSet<_> = held.iter().map(|one| one.credential.status().unwrap()).collect();
    assert_eq!((keys.len(), places.len()), (3, 3));
    for one in &held {
        assert_eq!((one.credential.format(), one.credential.kind()), ("mso_mdoc", MDOC));
        assert_eq!(one.configuration_id, "card-mdoc");
        let claims = json!({"family_name": "李", "given_name": "华", "birthdate": "1990-02-03",
            "issuing_country": "CN", "address": {"locality": "武汉", "street": "珞喻路"}});
        assert_eq!(Value::Object(one.credential.claims().clone()), claims);
        let validity = one.credential.as_mdoc().unwrap().mso().validity;
        assert_eq!((validity.signed.seconds() % DAY, validity.valid_until.seconds() % DAY), (0, 0));
        let stored = serde_json::to_string(one).unwrap();
        assert_eq!(serde_json::from_str::<HeldCredential>(&stored).unwrap(), *one);
    }
}

#[test]
fn the_verifier_sees_two_elements_as_the_claims_they_were_and_both_keep_a_receipt() {
    let world = World::new();
    let held = world.mdocs(&[1, 2]);
    let (mut server, link) = ask(&world, &[element("family_name"), element("address.locality")]);
    let reviewed = world.review(&mut server, &link).unwrap();
    let consent = reviewed.consent(&held).unwrap();
    let shown: Vec<(String, Value)> = consent.credentials[0].holdings[0]
        .claims
        .iter()
        .map(|(p, v)| (p.to_string(), json!(v)))
        .collect();
    assert_eq!(shown[0], (format!("{MDOC}.family_name"), json!(["李"])));
    assert_eq!(shown[1], (format!("{MDOC}.address.locality"), json!(["武汉"])));

    let id = Presenting { query_id: "id", held: &held[0], signer: &key(1) };
    let (answered, http) = reviewed.approve(&[id], &ENTROPY, NOW).unwrap();
    let done = answered.handle(&server.answer(&http)).unwrap();
    let verified = server.verified.unwrap();
    // As it is written where it waits for whoever began.
    let written = serde_json::to_string(&verified).unwrap();
    assert_eq!(serde_json::from_str::<yufu_verifier::Verified>(&written).unwrap(), verified);
    let seen = &verified.credentials["id"][0];
    assert_eq!((seen.format, seen.vct.as_str()), ("mso_mdoc", MDOC));
    let claims = json!({"family_name": "李", "address": {"locality": "武汉"}});
    assert_eq!(Value::Object(seen.claims.clone()), claims);
    assert_eq!(seen.unasked, []);
    assert_eq!(seen.holder_key.key, *held[0].holder_key());
    assert_eq!(seen.status.as_ref(), held[0].credential.status());
    let VerifierReceipt::Valid { receipt, .. } = done.verifier_receipt else { unreachable!() };
    assert_eq!(done.receipt.disclosed, receipt.disclosed);
    assert_eq!(receipt.disclosed[0].vct, MDOC);
}

#[test]
fn the_evidence_holds_nothing_that_was_not_asked() {
    let world = World::new();
    let held = world.mdocs(&[1]);
    let (mut server, link) = ask(&world, &[element("family_name")]);
    let reviewed = world.review(&mut server, &link).unwrap();
    let id = Presenting { query_id: "id", held: &held[0], signer: &key(1) };
    let (_, http) = reviewed.approve(&[id], &ENTROPY, NOW).unwrap();
    server.answer(&http);
    let presented = &server.verified.unwrap().evidence.presentations["id"][0];
    let bytes = yufu_jose::decode_base64url(presented).unwrap();
    for (text, there) in [("李", true), ("武汉", false), ("given_name", false), ("1990", false)]
    {
        let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert_eq!(found, there, "{text}");
    }
}

#[test]
fn a_revoked_mdoc_is_refused() {
    let world = World::new();
    let held = world.mdocs(&[1]);
    let (mut server, link) = ask(&world, &[element("family_name")]);
    let reviewed = world.review(&mut server, &link).unwrap();
    let id = Presenting { query_id: "id", held: &held[0], signer: &key(1) };
    let (_, http) = reviewed.approve(&[id], &ENTROPY, NOW).unwrap();
    let received = server.session.clone().open(&http.body, NOW).unwrap();
    let authenticated = received.authenticate(&world.trust, NOW).unwrap();
    let place = held[0].credential.status().unwrap().index;
    let refused = authenticated.verify(&world.trust, &world.status_lists(&[place]), NOW);
    assert!(matches!(refused.unwrap_err(), StatusError::NotValid { .. }));
}

#[test]
fn more_elements_than_are_registered_are_neither_asked_nor_answered() {
    let world = World::new();
    let verifier = world.verifier_of(&world.certificate_for_mdoc());
    let start = |q| verifier.start(q, &entropy(), NOW, 300).unwrap_err();
    let more = start(question(&[element("birthdate")]));
    assert!(matches!(more, StartError::OverAsking(OverAsking::Claims { .. })));
    let other = "org.example.other";
    let query = CredentialQuery::mdoc("id", other, &[path(json!([other, "family_name"]))]);
    let query = DcqlQuery::new(vec![query], None).unwrap();
    let other = start(Question { query, ..question(&[]) });
    assert!(matches!(other, StartError::OverAsking(OverAsking::Credential(_))));
    // A verifier that asks all the same shows what it is registered for, and gets no answer.
    let mut wide = world.certificate_for_mdoc();
    wide.credentials.last_mut().unwrap().claims[0].path = element("birthdate");
    let (mut server, link) =
        VerifierServer::ask_registered(&world, &wide, question(&[element("birthdate")]));
    assert!(world.review(&mut server, &link).is_ok(), "registered for it, it may");
    let mut session = serde_json::to_value(&server.session).unwrap();
    session["registration"] = world.registration(&world.certificate_for_mdoc()).into();
    server.session = serde_json::from_value(session).unwrap();
    let refused = world.review(&mut server, &link).unwrap_err();
    assert!(matches!(refused, RequestRefused::OverAsking(OverAsking::Claims { .. })));
}

#[test]
fn an_mdoc_signs_no_transaction_and_none_is_asked_of_it() {
    let world = World::new();
    let opening = TransactionData::AccountOpening(AccountOpening {
        credential_ids: vec!["id".into()],
        bank: "bank-of-jiangcheng".into(),
        class: "III".into(),
        wallet_key_thumbprint: yufu_jose::encode_base64url([7; 32]),
    });
    let question = Question { transactions: vec![opening], ..question(&[element("family_name")]) };
    let verifier = world.verifier_of(&world.certificate_for_mdoc());
    let refused = verifier.start(question, &entropy(), NOW, 300).unwrap_err();
    assert_eq!(refused, StartError::TransactionFormat("id".into()));
}

#[test]
fn pseudonyms_of_two_sectors_are_not_shown_side_by_side_as_elements_either() {
    let world = World::new();
    let elements = ["sector_pseudonym.pension", "sector_pseudonym.education"].map(element);
    let mut certificate = world.certificate_for_mdoc();
    let registered = certificate.credentials.last_mut().unwrap();
    for (claim, path) in registered.claims.iter_mut().zip(&elements) {
        claim.path = path.clone();
    }
    let asked = |elements: &[ClaimPath]| {
        let (mut server, link) =
            VerifierServer::ask_registered(&world, &certificate, question(elements));
        world.review(&mut server, &link)
    };
    assert!(asked(&elements[..1]).is_ok());
    assert_eq!(asked(&elements).unwrap_err(), RequestRefused::JoinsSectors);
}

#[test]
fn an_mdoc_is_shown_by_its_own_key_alone() {
    let world = World::new();
    let held = world.mdocs(&[1]);
    let (mut server, link) = ask(&world, &[element("family_name")]);
    let reviewed = world.review(&mut server, &link).unwrap();
    let stolen = Presenting { query_id: "id", held: &held[0], signer: &key(2) };
    let refused = reviewed.approve(&[stolen], &ENTROPY, NOW).unwrap_err();
    assert_eq!(refused, ApproveError::Show(ShowError::OtherKey));
}

#[test]
fn each_rule_of_a_received_mdoc_is_refused_by_its_own_name() {
    let world = World::new();
    let problem = |text: String, at: u64| {
        let issued = vec![text];
        world.received(issued, NOW.plus_seconds(at)).unwrap_err()
    };
    let good = world.mdocs(&[1]).remove(0).credential.issued();
    // What another issuing signed is bound to the same key, and so taken.
    assert!(world.received(vec![good.clone()], NOW).is_ok());
    let garbled = problem("~".into(), 0);
    assert!(matches!(garbled, CredentialProblem::Mdoc(_)), "{garbled}");
    let sd_jwt = world.pids(&[1]).remove(0).credential.issued();
    assert!(matches!(problem(sd_jwt, 0), CredentialProblem::Mdoc(_)));
    let other_key = world.mdocs(&[2]).remove(0).credential.issued();
    assert_eq!(problem(other_key, 0), CredentialProblem::Key);
    assert!(matches!(problem(good, 30 * DAY - 1), CredentialProblem::MdocTime(_)));
    let stranger = World { trust: world.trust.clone(), ..World::new() };
    let foreign = stranger.untrusted_mdoc();
    assert!(IssuerSigned::from_base64url(&foreign).is_ok());
    assert!(matches!(problem(foreign, 0), CredentialProblem::Issuer(_)));
}
