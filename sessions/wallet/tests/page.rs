//! A web page asks, by the Digital Credentials API (OpenID4VP 1.0, appendix A): what goes well in both formats, and
//! what either side refuses: a request or an answer that another page hands over, above all.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::*;
use yufu_credential::PresentationError;
use yufu_jose::jwe::DecryptError;
use yufu_mdoc::MdocError;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::{
    AuthorizationErrorCode, DigitalAnswer, DigitalRequest, DigitalRequestError, PresentationLink,
    RequestUriMethod, SIGNED_PROTOCOL,
};
use yufu_trust::{RegistrationCertificate, Status};
use yufu_verifier::{
    OpenError, Question, RequestError, Requested, StartError, Verified, VerifyError,
};
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{
    AnswerEntropy, ApproveError, CheckingStatus, Presenting, RequestRefused, Reviewed, StatusLists,
    Warning, open, take,
};

/// The page that asks, and another one.
const PAGE: &str = "https://hotel.example";
const OTHER: &str = "https://hotel.evil.example";
const ENTROPY: AnswerEntropy = AnswerEntropy { ephemeral: [6; 32], iv: [7; 12] };

fn question(query: CredentialQuery) -> Question {
    let query = DcqlQuery::new(vec![query], None).unwrap();
    Question { query, roles: BTreeMap::new(), foreign: BTreeMap::new(), transactions: vec![] }
}

fn sd_jwt() -> Question {
    question(CredentialQuery::sd_jwt_vc("id", PID, &[path(json!(["family_name"]))]))
}

fn mdoc() -> Question {
    question(CredentialQuery::mdoc("id", MDOC, &[path(json!([MDOC, "family_name"]))]))
}

/// A request that waits, and what the page got of it.
fn asked(world: &World, question: Question) -> (Requested, DigitalRequest) {
    asked_at(world, &world.certificate_for_mdoc(), PAGE, question)
}

fn asked_at(
    world: &World,
    certificate: &RegistrationCertificate,
    origin: &str,
    question: Question,
) -> (Requested, DigitalRequest) {
    let verifier = world.verifier_of(certificate);
    let mut session = verifier.start_in_browser(origin, question, &entropy(), NOW, 300).unwrap();
    let request = session.digital_request(NOW, &world.access.key).unwrap();
    (session, request)
}

fn taken(
    world: &World,
    origin: &str,
    request: &DigitalRequest,
) -> Result<CheckingStatus, RequestRefused> {
    take(origin, request, &world.trust, &BTreeSet::new(), NOW)
}

fn reviewed(world: &World, origin: &str, request: &DigitalRequest) -> Reviewed {
    world.check(taken(world, origin, request).unwrap(), &world.trust, NOW).unwrap()
}

/// What the page at `origin` gets of a wallet with key 1.
fn answer(world: &World, origin: &str, request: &DigitalRequest, held: &HeldCredential) -> Value {
    let presenting = [Presenting { query_id: "id", held, signer: &key(1) }];
    let reviewed = reviewed(world, origin, request);
    reviewed.approve_for_page(&presenting, &ENTROPY, NOW).unwrap().1.to_data()
}

fn members_of(data: &Value) -> &Map<String, Value> {
    data.as_object().unwrap()
}

fn authenticated(
    world: &World,
    session: &Requested,
    data: &Value,
) -> Result<Verified, VerifyError> {
    let received = session.clone().open_digital(members_of(data), NOW).unwrap();
    let answer = received.authenticate(&world.trust, NOW)?;
    Ok(answer.verify(&world.trust, &world.status_lists(&[]), NOW).unwrap())
}

#[test]
fn a_page_gets_an_encrypted_answer_in_either_format_for_its_origin_a_4() {
    let world = World::new();
    for (question, held) in [(sd_jwt(), world.pids(&[1])), (mdoc(), world.mdocs(&[1]))] {
        let (session, request) = asked(&world, question);
        assert_eq!(request.protocol, SIGNED_PROTOCOL);
        let reviewed = reviewed(&world, PAGE, &request);
        let consent = reviewed.consent(&held).unwrap();
        assert_eq!(consent.party.get("en"), "Jiangcheng Hotel");
        assert!(!consent.warnings.contains(&Warning::Unencrypted));
        let presenting = [Presenting { query_id: "id", held: &held[0], signer: &key(1) }];
        let (receipt, answer) = reviewed.approve_for_page(&presenting, &ENTROPY, NOW).unwrap();
        let data = answer.to_data();
        assert_eq!(members_of(&data).keys().collect::<Vec<_>>(), ["response"]);
        let verified = authenticated(&world, &session, &data).unwrap();
        assert_eq!(verified.credentials["id"][0].claims["family_name"], "李");
        assert_eq!(verified.receipt.disclosed, receipt.disclosed);
        assert_eq!(verified.receipt.request_digest, receipt.request_digest);
        if let Some(text) = verified.evidence.presentations["id"][0].rsplit_once('~') {
            let binding = yufu_jose::Unverified::parse(text.1).unwrap();
            let binding: Value = binding.unverified_claims().unwrap();
            assert_eq!(binding["aud"], "origin:https://hotel.example", "not the client's id");
        }
    }
}

#[test]
fn a_stored_request_of_a_page_is_the_same_and_one_of_a_link_reads_as_before() {
    let world = World::new();
    let (session, _) = asked(&world, sd_jwt());
    let stored = serde_json::to_string(&session).unwrap();
    assert_eq!(serde_json::from_str::<Requested>(&stored).unwrap(), session);
    let (posted, _) = world.verifier().start(sd_jwt(), &entropy(), NOW, 300).unwrap();
    let stored = serde_json::to_value(&posted).unwrap();
    assert!(stored["response_uri"].as_str().unwrap().starts_with("https://hotel.example/ask/"));
    assert_eq!(serde_json::from_value::<Requested>(stored).unwrap(), posted);
}

#[test]
fn the_wallet_refuses_a_request_that_another_page_hands_over_a_2() {
    let world = World::new();
    let (_, request) = asked(&world, sd_jwt());
    for other in [
        OTHER,
        "https://hotel.example:8443",
        "https://hotel.example/",
        "https://HOTEL.example",
        "http://hotel.example",
        "null",
        "",
    ] {
        let refused = taken(&world, other, &request).unwrap_err();
        assert_eq!(refused, RequestRefused::Origin(other.to_owned()));
    }
    assert!(taken(&world, PAGE, &request).is_ok());
}

/// A verifier that would have a request signed for the pages of another origin than it is registered for.
fn forged(world: &World, session: &Requested, change: impl FnOnce(&mut Value)) -> DigitalRequest {
    let mut stored = serde_json::to_value(session).unwrap();
    change(&mut stored);
    let mut forged: Requested = serde_json::from_value(stored).unwrap();
    forged.digital_request(NOW, &world.access.key).unwrap()
}

#[test]
fn the_wallet_refuses_a_page_that_is_not_registered_even_if_the_request_expects_it() {
    let world = World::new();
    let (session, _) = asked(&world, sd_jwt());
    let request = forged(&world, &session, |stored| stored["origin"] = OTHER.into());
    let refused = taken(&world, OTHER, &request).unwrap_err();
    assert_eq!(refused, RequestRefused::ResponseUri(OTHER.to_owned()));
    let app = "android:apk-key-hash:sYkwnVvKQPR";
    let request = forged(&world, &session, |stored| stored["origin"] = app.into());
    let refused = taken(&world, app, &request).unwrap_err();
    assert_eq!(refused, RequestRefused::ResponseUri(app.to_owned()));
    let verifier = world.verifier();
    for origin in [OTHER, app, "https://hotel.example/", "https://hotel.example:444"] {
        let started = verifier.start_in_browser(origin, sd_jwt(), &entropy(), NOW, 300);
        assert_eq!(started.unwrap_err(), StartError::Origin(origin.to_owned()));
    }
}

#[test]
fn the_wallet_refuses_what_is_unsigned_forged_or_came_the_wrong_way() {
    let world = World::new();
    let (_, request) = asked(&world, sd_jwt());
    let unsigned = DigitalRequest {
        protocol: "openid4vp-v1-unsigned".into(),
        data: json!({"response_type": "vp_token", "response_mode": "dc_api"}),
    };
    let refused = taken(&world, PAGE, &unsigned).unwrap_err();
    assert_eq!(refused, RequestRefused::Digital(DigitalRequestError::Unsigned));
    let renamed = DigitalRequest { protocol: "openid4vp-v1-multisigned".into(), ..request.clone() };
    assert!(matches!(taken(&world, PAGE, &renamed), Err(RequestRefused::Digital(_))));
    let text = request.request_object().unwrap().to_owned();
    let altered = DigitalRequest::signed(&text.replace(".ey", ".eY"));
    assert!(taken(&world, PAGE, &altered).is_err());
    let seen = BTreeSet::from([reviewed(&world, PAGE, &request).replay_id()]);
    let again = take(PAGE, &request, &world.trust, &seen, NOW).unwrap_err();
    assert_eq!(again, RequestRefused::Replayed);
    let late = take(PAGE, &request, &world.trust, &BTreeSet::new(), NOW.plus_seconds(361));
    assert!(matches!(late, Err(RequestRefused::Time(_))));

    // A link's request at a page, and a page's request behind a link.
    let (mut session, _) = world.verifier().start(sd_jwt(), &entropy(), NOW, 300).unwrap();
    let posted = session.request_object(None, NOW, &world.access.key).unwrap();
    let refused = taken(&world, PAGE, &DigitalRequest::signed(&posted)).unwrap_err();
    assert_eq!(refused, RequestRefused::OtherWay("direct_post.jwt"));
    let link = PresentationLink {
        client_id: world.client_id(),
        request_uri: endpoint("https://hotel.example/r"),
        request_uri_method: RequestUriMethod::Get,
    };
    let (step, _) = open(&link.to_link(), &[5; 16]).unwrap();
    let refused = step.handle(&request_response(&text), &world.trust, &BTreeSet::new(), NOW);
    assert_eq!(refused.unwrap_err(), RequestRefused::OtherWay("dc_api.jwt"));
}

#[test]
fn a_revoked_registration_asks_through_no_page_either() {
    let world = World::new();
    let (_, request) = asked(&world, sd_jwt());
    let mut token = world.registrations();
    token.list.set(PLACE, Status::Invalid).unwrap();
    let list = World::listed(&token, &world.registrar);
    let step = taken(&world, PAGE, &request).unwrap();
    let refused = step.handle(Some(&list), &mut StatusLists::default(), &world.trust, NOW);
    assert_eq!(refused.unwrap_err(), RequestRefused::Revoked);
}

#[test]
fn an_answer_goes_the_way_it_was_asked_and_no_other() {
    let world = World::new();
    let held = world.pids(&[1]);
    let presenting = [Presenting { query_id: "id", held: &held[0], signer: &key(1) }];
    let (mut session, request) = asked(&world, sd_jwt());
    let paged = reviewed(&world, PAGE, &request);
    assert!(paged.decline().is_none(), "there is no address to post it to");
    let refused = paged.approve(&presenting, &ENTROPY, NOW).unwrap_err();
    assert_eq!(refused, ApproveError::OtherWay("dc_api.jwt"));
    let fetched = session.request_object(None, NOW, &world.access.key).unwrap_err();
    assert_eq!(fetched, RequestError::OtherWay);
    assert_eq!(session.open(b"response=x", NOW).unwrap_err(), OpenError::OtherWay);

    let (mut server, link) = VerifierServer::ask(&world, sd_jwt());
    let linked = world.review(&mut server, &link).unwrap();
    let refused = linked.approve_for_page(&presenting, &ENTROPY, NOW).unwrap_err();
    assert_eq!(refused, ApproveError::OtherWay("direct_post.jwt"));
    let data = json!({"response": "x"});
    let handed = server.session.clone().open_digital(members_of(&data), NOW).unwrap_err();
    assert_eq!(handed, OpenError::OtherWay);
    let paged = server.session.digital_request(NOW, &world.access.key).unwrap_err();
    assert_eq!(paged, RequestError::OtherWay);
}

#[test]
fn each_rule_of_opening_a_pages_answer_is_refused_by_its_own_name_8_3() {
    let world = World::new();
    let held = world.pids(&[1]);
    let (session, request) = asked(&world, sd_jwt());
    let opened = |data: &Value, at| session.clone().open_digital(members_of(data), at);
    let honest = answer(&world, PAGE, &request, &held[0]);
    assert!(opened(&honest, NOW).is_ok());
    let late = NOW.plus_seconds(300);
    assert_eq!(opened(&honest, late).unwrap_err(), OpenError::Expired);
    let clear = json!({"vp_token": {"id": ["x"]}});
    assert_eq!(opened(&clear, NOW).unwrap_err(), OpenError::Unencrypted);
    let declined = DigitalAnswer::Error(AuthorizationErrorCode::AccessDenied).to_data();
    assert!(matches!(opened(&declined, NOW).unwrap_err(), OpenError::Declined(_)));
    assert!(matches!(opened(&json!({}), NOW).unwrap_err(), OpenError::Form(_)));
    let verifier = world.verifier();
    let unsent = verifier.start_in_browser(PAGE, sd_jwt(), &entropy(), NOW, 300).unwrap();
    let refused = unsent.open_digital(members_of(&honest), NOW).unwrap_err();
    assert_eq!(refused, OpenError::NotFetched);
    // To another request: its key is another.
    let other = forged_session(&session, |s| {
        s["response_key"] = yufu_jose::encode_base64url([9; 32]).into();
    });
    let replayed = other.open_digital(members_of(&honest), NOW).unwrap_err();
    assert_eq!(replayed, OpenError::Decrypt(DecryptError::Authentication));
}

fn forged_session(session: &Requested, change: impl FnOnce(&mut Value)) -> Requested {
    let mut stored = serde_json::to_value(session).unwrap();
    change(&mut stored);
    serde_json::from_value(stored).unwrap()
}

#[test]
fn the_verifier_refuses_an_answer_that_was_given_to_another_page_or_request() {
    let world = World::new();
    let mut both = world.certificate_for_mdoc();
    both.origins.push(OTHER.into());
    for (question, held) in [(sd_jwt(), world.pids(&[1])), (mdoc(), world.mdocs(&[1]))] {
        let (session, _) = asked_at(&world, &both, PAGE, question);
        // The same request, nonce and key, relayed so that a wallet answered a page of the other origin.
        let relayed = forged(&world, &session, |stored| stored["origin"] = OTHER.into());
        let data = answer(&world, OTHER, &relayed, &held[0]);
        let refused = authenticated(&world, &session, &data).unwrap_err();
        assert!(is_of_another_conversation(&refused), "{refused}");
        let at_other = forged_session(&session, |stored| stored["origin"] = OTHER.into());
        assert!(authenticated(&world, &at_other, &data).is_ok(), "nothing else is wrong with it");
        // The same page, another nonce.
        let other_nonce =
            forged(&world, &session, |s| s["nonce"] = "another-nonce-of-the-page".into());
        let data = answer(&world, PAGE, &other_nonce, &held[0]);
        let refused = authenticated(&world, &session, &data).unwrap_err();
        assert!(is_of_another_conversation(&refused), "{refused}");
    }
}

fn is_of_another_conversation(refused: &VerifyError) -> bool {
    match refused {
        VerifyError::Presentation { error, .. } => {
            matches!(**error, PresentationError::Audience(_) | PresentationError::Nonce)
        }
        VerifyError::Mdoc { error, .. } => matches!(**error, MdocError::Device(_)),
        _ => false,
    }
}

#[test]
fn an_answer_in_the_clear_is_given_only_with_a_warning() {
    let world = World::new();
    let held = world.pids(&[1]);
    let (_, request) = asked(&world, sd_jwt());
    let token = yufu_jose::Unverified::parse(request.request_object().unwrap()).unwrap();
    let mut payload: Value = token.unverified_claims().unwrap();
    payload["response_mode"] = "dc_api".into();
    let header = yufu_jose::Header::typed("oauth-authz-req+jwt").with_chain(&world.access.chain);
    let signed =
        yufu_jose::sign(&header, payload.to_string().as_bytes(), &world.access.key).unwrap();
    let reviewed = reviewed(&world, PAGE, &DigitalRequest::signed(&signed));
    let consent = reviewed.consent(&held).unwrap();
    assert!(consent.warnings.contains(&Warning::Unencrypted));
    let presenting = [Presenting { query_id: "id", held: &held[0], signer: &key(1) }];
    let (_, answer) = reviewed.approve_for_page(&presenting, &ENTROPY, NOW).unwrap();
    let DigitalAnswer::Clear(answer) = answer else { panic!("{answer:?}") };
    assert_eq!(answer.vp_token["id"].len(), 1);
}
