//! What a query leaves open, and what the person makes of it: alternatives, what is optional, several credentials,
//! certain values, alternatives among claims, certain authorities (OpenID4VP 1.0, section 6).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::*;
use yufu_openid4vc::dcql::{DcqlQuery, ResponseMismatch};
use yufu_trust::Role;
use yufu_verifier::{Question, VerifyError};
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{
    AnswerEntropy, ApproveError, ChoiceError, Consent, Presenting, Reviewed,
};

const ENTROPY: AnswerEntropy = AnswerEntropy { ephemeral: [6; 32], iv: [7; 12] };

fn question(query: Value) -> Question {
    let query: DcqlQuery = serde_json::from_value(query).unwrap();
    let roles = [("pay", Role::BankIssuer), ("pays", Role::BankIssuer)];
    let roles = roles.map(|(id, role)| (id.to_owned(), role)).into();
    Question { query, roles, foreign: BTreeMap::new(), transactions: vec![] }
}

fn asked<'a>(world: &'a World, query: Value) -> (VerifierServer<'a>, Reviewed) {
    let (mut server, link) = VerifierServer::ask(world, question(query));
    let reviewed = world.review(&mut server, &link).unwrap();
    (server, reviewed)
}

fn credential(id: &str, vct: &str, more: Value) -> Value {
    let mut query = json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}});
    query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    query
}

fn name() -> Value {
    json!({"claims": [{"path": ["family_name"]}]})
}

/// What would be shown: query and positions of the copies.
fn shown(consent: &Consent) -> Vec<(&str, Vec<usize>)> {
    let credentials = consent.credentials.iter();
    credentials
        .flat_map(|one| one.chosen().map(|holding| (one.query_id.as_str(), holding.copies.clone())))
        .collect()
}

#[test]
fn of_alternatives_the_first_is_taken_and_what_is_optional_is_not_unless_she_says_so_6_2() {
    let world = World::new();
    let query = json!({
        "credentials": [
            credential("named", PID, name()),
            credential("place", PID, json!({"claims": [{"path": ["address", "locality"]}]})),
            credential("pay", PAY, json!({})),
        ],
        "credential_sets": [
            {"options": [["named"], ["place"]]},
            {"options": [["pay"]], "required": false},
        ],
    });
    let (_, reviewed) = asked(&world, query);
    let mut held = world.pids(&[1, 2]);
    held.push(world.payment(3));
    let mut consent = reviewed.consent(&held).unwrap();
    assert_eq!(shown(&consent), [("named", vec![0, 1])]);

    consent.take(0, Some(1)).unwrap();
    consent.take(1, Some(0)).unwrap();
    assert_eq!(shown(&consent), [("pay", vec![2]), ("place", vec![0, 1])]);
    let claims: Vec<String> = consent.claims().map(|(path, _)| path.to_string()).collect();
    assert_eq!(claims, ["address.locality"], "the other alternative is not shown");

    for (choice, option, error) in [
        (0, None, ChoiceError::Required),
        (0, Some(2), ChoiceError::Unknown),
        (2, Some(0), ChoiceError::Unknown),
    ] {
        assert_eq!(consent.take(choice, option), Err(error));
    }
    assert_eq!(consent.pick("named", &[]), Err(ChoiceError::Count));
    assert_eq!(consent.pick("named", &[1]), Err(ChoiceError::Unknown));
    assert_eq!(consent.pick("other", &[0]), Err(ChoiceError::Unknown));
    assert_eq!(shown(&consent), [("pay", vec![2]), ("place", vec![0, 1])], "nothing changed");
    consent.take(1, None).unwrap();
    assert_eq!(shown(&consent), [("place", vec![0, 1])]);
}

/// A wallet with two copies of one identity, and one of another's.
fn two_persons(world: &World) -> Vec<HeldCredential> {
    let mut held = world.pids(&[1, 2]);
    let claims = json!({"family_name": "王", "given_name": "芳",
        "address": {"locality": "武汉", "street": "珞喻路"}});
    let other = IssuerServer::new("https://id.example", PID, claims, &world.authority);
    held.extend(world.obtain(other, &[3]));
    held
}

#[test]
fn one_of_several_is_shown_and_all_that_differ_where_the_verifier_asks_for_several_6_1() {
    let world = World::new();
    let held = two_persons(&world);
    let (_, reviewed) = asked(&world, json!({"credentials": [credential("id", PID, name())]}));
    let mut consent = reviewed.consent(&held).unwrap();
    assert_eq!(shown(&consent), [("id", vec![0, 1])], "copies of the same are one");
    assert_eq!(consent.pick("id", &[0, 1]), Err(ChoiceError::Count));
    consent.pick("id", &[1]).unwrap();
    assert_eq!(shown(&consent), [("id", vec![2])]);

    let several = json!({"claims": [{"path": ["family_name"]}], "multiple": true});
    let query = json!({"credentials": [credential("id", PID, several)]});
    let (mut server, reviewed) = asked(&world, query);
    let consent = reviewed.consent(&held).unwrap();
    assert_eq!(shown(&consent), [("id", vec![0, 1]), ("id", vec![2])]);
    let keys = [key(1), key(3)];
    let presenting = [
        Presenting { query_id: "id", held: &held[0], signer: &keys[0] },
        Presenting { query_id: "id", held: &held[2], signer: &keys[1] },
    ];
    let (answered, http) = reviewed.approve(&presenting, &ENTROPY, NOW).unwrap();
    let done = answered.handle(&server.answer(&http)).unwrap();
    let verified = server.verified.take().unwrap();
    let names: Vec<&Value> =
        verified.credentials["id"].iter().map(|one| &one.claims["family_name"]).collect();
    assert_eq!(names, ["李", "王"]);
    assert_eq!(done.receipt.disclosed.len(), 2, "both are in the receipts");
}

#[test]
fn certain_values_and_the_first_claims_that_are_there_are_shown_and_nothing_else_6_3_6_4_1() {
    let world = World::new();
    let held = two_persons(&world);
    let sets = json!({
        "claims": [
            {"id": "place", "path": ["address", "locality"], "values": ["北京", "武汉"]},
            {"id": "name", "path": ["family_name"], "values": ["王"]},
        ],
        "claim_sets": [["name"], ["place"]],
    });
    let (_, reviewed) = asked(&world, json!({"credentials": [credential("id", PID, sets)]}));
    let consent = reviewed.consent(&held).unwrap();
    let named = |place: usize| {
        let claims = consent.credentials[0].holdings[place].claims.iter();
        claims.map(|(path, _)| path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((named(0), named(1)), (vec!["address.locality".into()], vec!["family_name".into()]));

    let nobody = json!({"claims": [{"path": ["family_name"], "values": ["赵", 7]}]});
    let (_, reviewed) = asked(&world, json!({"credentials": [credential("id", PID, nobody)]}));
    let lacking = reviewed.consent(&held).unwrap_err();
    let consent = reviewed.consent_lacking(&lacking);
    assert!(consent.missing.is_some() && shown(&consent).is_empty());
    assert_eq!(consent.party.get("en"), "Jiangcheng Hotel", "she sees who wanted to know");
    let signer = key(1);
    let presenting = [Presenting { query_id: "id", held: &held[0], signer: &signer }];
    let refused = reviewed.approve(&presenting, &ENTROPY, NOW).unwrap_err();
    assert!(matches!(refused, ApproveError::Mismatch { .. }), "{refused}");
}

#[test]
fn a_credential_of_the_authority_that_is_named_by_its_key_is_shown_and_of_another_not_6_1_1_1() {
    let world = World::new();
    let held = world.pids(&[1]);
    let ids = world.trust.authority_key_ids(Role::PidIssuer);
    assert_eq!((ids.len(), &held[0].authority_key_ids), (1, &ids), "the leaf names its authority");
    let of = |ids: &[String]| {
        let authority = json!([{"type": "aki", "values": ids}]);
        let more = json!({"claims": [{"path": ["family_name"]}], "trusted_authorities": authority});
        json!({"credentials": [credential("id", PID, more)]})
    };
    let (mut server, reviewed) = asked(&world, of(&ids));
    let signer = key(1);
    let presenting = [Presenting { query_id: "id", held: &held[0], signer: &signer }];
    let (_, http) = reviewed.approve(&presenting, &ENTROPY, NOW).unwrap();
    server.answer(&http);
    assert_eq!(server.verified.take().unwrap().credentials.len(), 1);

    let others = world.trust.authority_key_ids(Role::BankIssuer);
    let (_, reviewed) = asked(&world, of(&others));
    assert!(reviewed.consent(&held).is_err(), "of another authority");

    // A wallet that answers all the same is refused by the verifier.
    let (server, reviewed) = asked(&world, of(&ids));
    let (_, http) = reviewed.approve(&presenting, &ENTROPY, NOW).unwrap();
    let mut session = serde_json::to_value(&server.session).unwrap();
    session["query"] = of(&others);
    let session: yufu_verifier::Requested = serde_json::from_value(session).unwrap();
    let refused = session.open(&http.body, NOW).unwrap().authenticate(&world.trust, NOW);
    let other = ResponseMismatch::Authority("id".into());
    assert_eq!(refused.unwrap_err(), VerifyError::Answer(other));
}
