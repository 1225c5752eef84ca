//! A verifier that goes by a DNS name of its certificate (`x509_san_dns`, OpenID4VP 1.0, 5.9.3): answered at that
//! name, and refused under a name that it has not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use support::*;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_trust::RegistrationCertificate;
use yufu_verifier::{Question, Requested, SetupError, Verifier};
use yufu_wallet::presentation::{AnswerEntropy, Presenting, RequestRefused, open};

/// The name in the certificate of every party of these tests.
const NAME: &str = "signer.example";

fn registered(world: &World, name: &str) -> RegistrationCertificate {
    RegistrationCertificate {
        client_id: format!("x509_san_dns:{name}"),
        origins: vec![format!("https://{NAME}"), "https://hotel.example".into()],
        ..world.certificate()
    }
}

fn verifier(world: &World, name: &str, base: &str) -> Result<Verifier, SetupError> {
    let registration = world.registration(&registered(world, name));
    let chain = world.access.chain.clone();
    Verifier::new(chain, endpoint(base), registration, &world.trust, NOW)
}

fn asked(verifier: &Verifier) -> (Requested, String) {
    let query = CredentialQuery::sd_jwt_vc("id", PID, &[path(serde_json::json!(["family_name"]))]);
    let query = DcqlQuery::new(vec![query], None).unwrap();
    let (roles, foreign) = (BTreeMap::new(), BTreeMap::new());
    let question = Question { query, roles, foreign, transactions: vec![] };
    let (session, link) = verifier.start(question, &entropy(), NOW, 300).unwrap();
    (session, link.to_link())
}

#[test]
fn a_verifier_by_its_dns_name_is_answered_at_that_name_5_9_3() {
    let world = World::new();
    let (mut session, link) = asked(&verifier(&world, NAME, "https://signer.example/ask").unwrap());
    assert!(link.contains("client_id=x509_san_dns%3Asigner.example"), "{link}");
    let signed = session.request_object(None, NOW, &world.access.key).unwrap();
    let link = link.replace("&request_uri_method=post", "");
    let (step, _) = open(&link, &[5; 16]).unwrap();
    let step =
        step.handle(&request_response(&signed), &world.trust, &BTreeSet::new(), NOW).unwrap();
    let reviewed = world.check(step, &world.trust, NOW).unwrap();
    let held = world.pids(&[1]);
    let presenting = [Presenting { query_id: "id", held: &held[0], signer: &key(1) }];
    let answer = AnswerEntropy { ephemeral: [6; 32], iv: [7; 12] };
    let (_, http) = reviewed.approve(&presenting, &answer, NOW).unwrap();
    assert_eq!(http.url.host(), NAME);
    let received = session.open(&http.body, NOW).unwrap();
    let authenticated = received.authenticate(&world.trust, NOW).unwrap();
    let verified = authenticated.verify(&world.trust, &world.status_lists(&[]), NOW).unwrap();
    assert_eq!(verified.receipt.party, "x509_san_dns:signer.example");
}

#[test]
fn a_name_that_the_certificate_does_not_bear_or_another_address_is_refused_5_9_3() {
    let world = World::new();
    let other = verifier(&world, "other.example", "https://signer.example/ask").unwrap_err();
    assert!(matches!(other, SetupError::ClientId { .. }), "{other}");
    let elsewhere = verifier(&world, NAME, "https://hotel.example/ask").unwrap_err();
    assert!(matches!(elsewhere, SetupError::Origin(_)), "{elsewhere}");

    // Wallets hold it against whoever does not check itself: the same request with another address or name.
    let honest = verifier(&world, NAME, "https://signer.example/ask").unwrap();
    let (session, link) = asked(&honest);
    let link = link.replace("&request_uri_method=post", "");
    let refused = |change: &dyn Fn(&mut serde_json::Value), link: &str| {
        let mut stored = serde_json::to_value(&session).unwrap();
        change(&mut stored);
        let mut session: Requested = serde_json::from_value(stored).unwrap();
        let signed = session.request_object(None, NOW, &world.access.key).unwrap();
        let (step, _) = open(link, &[5; 16]).unwrap();
        step.handle(&request_response(&signed), &world.trust, &BTreeSet::new(), NOW).unwrap_err()
    };
    let at_hotel = refused(&|s| s["response_uri"] = "https://hotel.example/ask/1".into(), &link);
    assert!(matches!(at_hotel, RequestRefused::ResponseUri(_)), "{at_hotel}");
    let name = "x509_san_dns:hotel.example";
    let other_link = link.replace("signer.example", "hotel.example");
    let named = refused(&|s| s["client_id"] = name.into(), &other_link);
    assert!(matches!(named, RequestRefused::ClientId { .. }), "{named}");
}
