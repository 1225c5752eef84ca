//! One row per rule of an answer, and of what the verifier says to it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::collections::BTreeMap;
use support::*;
use yufu_credential::BindError;
use yufu_jose::{Header, TimeError};
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery, Mismatch, ResponseMismatch, Unsatisfied};
use yufu_openid4vc::presentation::{AccountOpening, TransactionData};
use yufu_openid4vc::{HttpError, HttpResponse};
use yufu_trust::{Receipt, ReceiptKind};
use yufu_verifier::Question;
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{
    AnswerEntropy, AnswerError, Answered, ApproveError, Presenting, RequestRefused, Reviewed,
    VerifierReceipt,
};

const ENTROPY: AnswerEntropy = AnswerEntropy { ephemeral: [6; 32], iv: [7; 12] };

fn reviewed(world: &World) -> Reviewed {
    let opening = TransactionData::AccountOpening(AccountOpening {
        credential_ids: vec!["pay".into()],
        bank: "bank-of-jiangcheng".into(),
        class: "III".into(),
        wallet_key_thumbprint: yufu_jose::encode_base64url([7; 32]),
    });
    let credentials = vec![
        CredentialQuery::sd_jwt_vc("id", PID, &[path(json!(["family_name"]))]),
        CredentialQuery::sd_jwt_vc("pay", PAY, &[]),
    ];
    let sets = json!([{"options": [["id", "pay"], ["id"]]}]);
    let query = DcqlQuery::new(credentials, serde_json::from_value(sets).unwrap()).unwrap();
    let question = Question {
        query,
        roles: BTreeMap::new(),
        foreign: BTreeMap::new(),
        transactions: vec![opening],
    };
    let (mut server, link) = VerifierServer::ask(world, question);
    world.review(&mut server, &link).unwrap()
}

#[test]
fn each_rule_of_an_answer_is_refused_by_its_own_name() {
    let world = World::new();
    let (pid, pay) = (world.pids(&[1]).remove(0), world.payment(3));
    let (pid_key, pay_key) = (key(1), key(3));
    let id = Presenting { query_id: "id", held: &pid, signer: &pid_key };
    let pays = Presenting { query_id: "pay", held: &pay, signer: &pay_key };
    let error = |presenting: &[Presenting<'_>]| {
        reviewed(&world).approve(presenting, &ENTROPY, NOW).unwrap_err()
    };
    assert!(reviewed(&world).approve(&[id, pays], &ENTROPY, NOW).is_ok());

    let late = reviewed(&world).approve(&[id, pays], &ENTROPY, NOW.plus_seconds(300));
    let expired = RequestRefused::Time(TimeError::Expired(NOW.plus_seconds(300).seconds()));
    assert_eq!(late.unwrap_err(), ApproveError::Refused(Box::new(expired)));
    let unknown = Presenting { query_id: "x", ..id };
    assert_eq!(error(&[unknown]), ApproveError::UnknownQuery("x".into()));
    let wrong = Presenting { held: &pay, ..id };
    assert_eq!(error(&[wrong]), ApproveError::Mismatch { id: "id".into(), error: Mismatch::Type });
    let count = ResponseMismatch::Count { id: "id".into(), count: 2 };
    assert_eq!(error(&[id, id]), ApproveError::Answer(count));
    assert!(matches!(error(&[pays]), ApproveError::Answer(ResponseMismatch::Set(_))));
    assert_eq!(error(&[id]), ApproveError::Transaction(vec!["pay".into()]));
    let stolen = Presenting { signer: &pay_key, ..id };
    assert_eq!(error(&[stolen, pays]), ApproveError::Bind(BindError::OtherKey));
}

#[test]
fn what_is_not_there_cannot_be_consented_to() {
    let world = World::new();
    let unsatisfied = reviewed(&world).consent(&[]).unwrap_err();
    assert!(matches!(unsatisfied, Unsatisfied::Set(_)));
    let held: Vec<HeldCredential> = world.pids(&[1, 2]);
    let consent = reviewed(&world).consent(&held).unwrap();
    let selected: Vec<&str> =
        consent.credentials.iter().filter(|c| c.selected).map(|c| c.query_id.as_str()).collect();
    assert_eq!(selected, ["id"]);
    assert_eq!(consent.choices[0].options, [["id"]]);
}

fn answered(world: &World) -> Answered {
    let (pid, pay) = (world.pids(&[1]).remove(0), world.payment(3));
    let (pid_key, pay_key) = (key(1), key(3));
    let presenting = [
        Presenting { query_id: "id", held: &pid, signer: &pid_key },
        Presenting { query_id: "pay", held: &pay, signer: &pay_key },
    ];
    reviewed(world).approve(&presenting, &ENTROPY, NOW).unwrap().0
}

#[test]
fn a_receipt_counts_only_if_the_verifier_signed_what_was_shown() {
    let world = World::new();
    let answered = answered(&world);
    let said = |receipt: Option<String>| {
        let response = HttpResponse::ok_json(&json!({ "receipt": receipt }));
        answered.handle(&response).unwrap().verifier_receipt
    };
    let sign = |receipt: &Receipt, signer| {
        let header = Header::default().with_chain(&world.access.chain);
        Some(receipt.sign(header, signer).unwrap())
    };
    let good = Receipt { kind: ReceiptKind::Accepted, ..answered.receipt().clone() };
    let key = &world.access.key;
    assert_eq!(said(None), VerifierReceipt::Missing);
    assert!(matches!(said(sign(&good, key)), VerifierReceipt::Valid { .. }));
    assert!(matches!(said(sign(&good, &world.bank.key)), VerifierReceipt::Invalid(_)));
    assert!(matches!(said(sign(answered.receipt(), key)), VerifierReceipt::Invalid(_)));
    let other = Receipt { request_digest: "other".into(), ..good.clone() };
    assert!(matches!(said(sign(&other, key)), VerifierReceipt::Invalid(_)));
    let less = Receipt { disclosed: vec![], ..good.clone() };
    assert_eq!(said(sign(&less, key)), VerifierReceipt::Different(less.clone()));
}

#[test]
fn what_the_verifier_says_is_refused_if_it_is_no_acceptance() {
    let world = World::new();
    let answered = answered(&world);
    let error = |response: &HttpResponse| answered.handle(response).unwrap_err();
    let refusal = HttpResponse::json_with(400, &json!({"error": "invalid_request"}));
    assert_eq!(error(&refusal), AnswerError::Http(HttpError::Status(400)));
    let redirect = HttpResponse::json_with(302, &json!({}));
    assert_eq!(error(&redirect), AnswerError::Http(HttpError::Status(302)));
    for uri in ["http://hotel.example/", "javascript:alert(1)"] {
        let response = HttpResponse::ok_json(&json!({ "redirect_uri": uri }));
        assert!(matches!(error(&response), AnswerError::Redirect(_)), "{uri}");
    }
}
