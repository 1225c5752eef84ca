//! One row per rule: each refusal is provoked by a request or an answer really made.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::*;
use yufu_base::Timestamp;
use yufu_credential::PresentationError;
use yufu_jose::jwe::DecryptError;
use yufu_jose::{ClaimPath, TimeError};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery, ResponseMismatch};
use yufu_openid4vc::presentation::{DirectPostError, Reply, RequestObject};
use yufu_trust::{OverAsking, RegistrationCertificate, Role, Status, StatusListError, TrustError};
use yufu_verifier::{
    Authenticated, OpenError, Question, RequestError, Requested, SetupError, StartError,
    StatusError, Verified, Verifier, VerifyError,
};

#[test]
fn a_verifier_that_no_wallet_would_answer_is_not_set_up() {
    let world = World::new();
    let base = || Endpoint::parse("https://hotel.example/ask").unwrap();
    let new = |chain: &Party, base, registration| {
        let chain = chain.chain.clone();
        Verifier::new(chain, base, registration, &world.trust, NOW).unwrap_err()
    };
    let good = world.registration(&world.certificate());
    assert!(matches!(new(&world.bank, base(), good.clone()), SetupError::Access(_)));
    assert!(matches!(new(&world.access, base(), "x".into()), SetupError::Registration(_)));
    let mut other = world.certificate();
    other.client_id = "x509_hash:abc".into();
    let other = world.registration(&other);
    assert!(matches!(new(&world.access, base(), other), SetupError::ClientId { .. }));
    let elsewhere = Endpoint::parse("https://other.example/ask").unwrap();
    assert!(matches!(new(&world.access, elsewhere, good), SetupError::Origin(_)));
    let untold = RegistrationCertificate { status: None, ..world.certificate() };
    let untold = world.registration(&untold);
    assert!(matches!(new(&world.access, base(), untold), SetupError::NoStatus));
}

#[test]
fn a_question_that_may_not_be_asked_is_not_started() {
    let world = World::new();
    let start = |question: Question, seconds| {
        world.verifier().start(question, &entropy(), NOW, seconds).unwrap_err()
    };
    let with = |change: &dyn Fn(&mut CredentialQuery)| {
        let mut query = CredentialQuery::sd_jwt_vc("id", PID, &[ClaimPath::member("given_name")]);
        change(&mut query);
        Question { query: DcqlQuery::new(vec![query], None).unwrap(), ..question() }
    };
    for seconds in [0, 3601] {
        assert_eq!(start(question(), seconds), StartError::Lifetime(seconds));
    }
    let more = with(&|q| q.claims.as_mut().unwrap()[0].path = ClaimPath::member("portrait"));
    assert!(matches!(start(more, 300), StartError::OverAsking(OverAsking::Claims { .. })));
    let unbound = with(&|q| q.require_cryptographic_holder_binding = false);
    assert_eq!(start(unbound, 300), StartError::Binding("id".into()));
    for kind in ["etsi_tl", "openid_federation", "of-a-later-version"] {
        let named = with(&|q| {
            let authority = json!({"type": kind, "values": ["https://trust.example"]});
            q.trusted_authorities = Some(vec![serde_json::from_value(authority).unwrap()]);
        });
        assert_eq!(start(named, 300), StartError::Authorities("id".into()));
    }
    let unknown = Question { transactions: vec![opening("x")], ..question() };
    assert_eq!(start(unknown, 300), StartError::UnknownQuery("x".into()));
}

#[test]
fn a_stored_request_keeps_its_secret_out_of_debug_output() {
    let world = World::new();
    let (session, _) = world.asked(question());
    let stored = serde_json::to_string(&session).unwrap();
    let secret = yufu_jose::encode_base64url([4; 32]);
    assert!(stored.contains(&secret) && !format!("{session:?}").contains(&secret));
    assert_eq!(serde_json::from_str::<Requested>(&stored).unwrap(), session);
}

#[test]
fn an_old_request_is_neither_given_out_nor_answered() {
    let world = World::new();
    let (mut session, _) = world.asked(question());
    let late = NOW.plus_seconds(300);
    let error = session.request_object(None, late, &world.access.key).unwrap_err();
    assert_eq!(error, RequestError::Expired);
    let long = "n".repeat(513);
    let error = session.request_object(Some(&long), NOW, &world.access.key).unwrap_err();
    assert_eq!(error, RequestError::WalletNonce);
    assert_eq!(session.open(b"response=x", late).unwrap_err(), OpenError::Expired);
}

#[test]
fn each_rule_of_opening_is_refused_by_its_own_name_8_3() {
    let world = World::new();
    let (session, request) = world.asked(question());
    let state = request.state.clone().unwrap();
    let open = |form: &[u8]| session.clone().open(form, NOW).unwrap_err();
    let answer = json!({"vp_token": {}, "state": state});
    let other_state = json!({"vp_token": {}, "state": "x"});
    assert!(session.clone().open(&form(&request, &answer, None), NOW).is_ok());

    let (fresh, _) = world.verifier().start(question(), &entropy(), NOW, 300).unwrap();
    let unfetched = fresh.open(&form(&request, &answer, None), NOW).unwrap_err();
    assert_eq!(unfetched, OpenError::NotFetched);
    assert_eq!(open(b"vp_token={}"), OpenError::Form(DirectPostError::Parameters));
    assert!(matches!(open(b"error=access_denied"), OpenError::Declined(_)));
    assert_eq!(open(b"error=access_denied&state=x"), OpenError::State);
    assert!(matches!(open(b"response=a.b.c"), OpenError::Decrypt(DecryptError::Parts(3))));
    let mut elsewhere = request.clone();
    let stranger = yufu_jose::jwe::DecryptionKey::from_seed(&[99; 32]).unwrap();
    let Reply::Posted { encryption, .. } = &mut elsewhere.reply else { unreachable!() };
    encryption.encryption_key = stranger.public_jwk("response");
    let undecipherable = open(&form(&elsewhere, &answer, None));
    assert_eq!(undecipherable, OpenError::Decrypt(DecryptError::Authentication));
    assert_eq!(open(&form(&request, &answer, Some("other"))), OpenError::KeyName);
    assert_eq!(open(&form(&request, &other_state, None)), OpenError::State);
    assert_eq!(open(&form(&request, &json!({"vp_token": {}}), None)), OpenError::State);
    let shapeless = open(&form(&request, &json!({"vp_token": []}), None));
    assert!(matches!(shapeless, OpenError::Form(DirectPostError::Json(_))));
}

/// Opens and authenticates an answer made by `show`.
fn authenticate(
    world: &World,
    show: impl FnOnce(&RequestObject) -> Value,
    now: Timestamp,
) -> Result<Authenticated, VerifyError> {
    let (session, request) = world.asked(question());
    let answer = json!({"vp_token": show(&request), "state": request.state});
    let received = session.open(&form(&request, &answer, None), NOW).unwrap();
    received.authenticate(&world.trust, now)
}

fn one(change: impl FnOnce(&mut Show<'_>)) -> VerifyError {
    let world = World::new();
    let show = |request: &RequestObject| {
        let mut show = Show::honest(&world, request);
        show.issuer = &world.authority;
        change(&mut show);
        json!({"id": [show.present()]})
    };
    authenticate(&world, show, NOW).unwrap_err()
}

fn presentation(error: VerifyError) -> PresentationError {
    match error {
        VerifyError::Presentation { error, .. } => *error,
        other => panic!("{other}"),
    }
}

#[test]
fn each_rule_of_a_presentation_is_refused_by_its_own_name_8_6() {
    use PresentationError as P;
    let world = World::new();
    assert!(matches!(
        presentation(one(|s| s.binding.audience = "x509_hash:other".into())),
        P::Audience(_)
    ));
    assert_eq!(presentation(one(|s| s.binding.nonce = "other".into())), P::Nonce);
    let expired = presentation(one(|s| s.issuance.expires_at = NOW.minus_seconds(61)));
    assert!(matches!(expired, P::Time(TimeError::Expired(_))));
    // Signed before the request was made: kept from another occasion.
    let stale = presentation(one(|s| s.binding.issued_at = NOW.minus_seconds(61)));
    assert!(matches!(stale, P::Stale(_)));
    let future = presentation(one(|s| s.binding.issued_at = NOW.plus_seconds(61)));
    assert!(matches!(future, P::SignedInFuture(_)));
    let unsigned = presentation(one(|s| s.binding.transaction_data.clear()));
    assert_eq!(unsigned, P::TransactionData);
    let other = presentation(one(|s| s.binding.transaction_data[0].push('x')));
    assert_eq!(other, P::TransactionData);
    let bare = authenticate(
        &world,
        |request| {
            let text = Show::honest(&world, request).present();
            json!({"id": [text.get(..=text.rfind('~').unwrap())]})
        },
        NOW,
    );
    assert_eq!(presentation(bare.unwrap_err()), P::NoKeyBinding);
    let added = authenticate(
        &world,
        |request| {
            let text = Show { disclose: vec![], ..Show::honest(&world, request) }.present();
            let more = Show::honest(&world, request).present();
            let (more, _) = more.rsplit_once('~').unwrap();
            let (_, binding) = text.rsplit_once('~').unwrap();
            json!({"id": [format!("{more}~{binding}")]})
        },
        NOW,
    );
    assert_eq!(presentation(added.unwrap_err()), P::DisclosuresHash);
}

#[test]
fn each_rule_about_the_issuer_and_the_query_is_refused_by_its_own_name() {
    let world = World::new();
    let by = |issuer: &Party, name: &str| {
        let show = |request: &RequestObject| {
            let mut show = Show { issuer, ..Show::honest(&world, request) };
            show.issuance.issuer = name.into();
            json!({"id": [show.present()]})
        };
        authenticate(&world, show, NOW).unwrap_err()
    };
    for issuer in [&world.bank, &world.access, &party()] {
        let error = by(issuer, "https://id.example");
        assert!(
            matches!(&error, VerifyError::Issuer { error: TrustError::Chain { .. }, .. }),
            "{error}"
        );
    }
    let named = by(&world.authority, "https://bank.example");
    let other_name = |error: &VerifyError| {
        matches!(error, VerifyError::Issuer { error: TrustError::Name { .. }, .. })
    };
    assert!(other_name(&named), "{named}");

    let typed = one(|s| s.issuance.vct = OTHER.into());
    assert_eq!(typed, VerifyError::Answer(ResponseMismatch::Type("id".into())));
    let missing = vec![ClaimPath::member("family_name")];
    let less = ResponseMismatch::Claims { id: "id".into(), missing };
    assert_eq!(one(|s| s.disclose = vec!["given_name"]), VerifyError::Answer(less));
    let unasked = authenticate(&world, |_| json!({"x": ["a~b"]}), NOW).unwrap_err();
    assert_eq!(unasked, VerifyError::Answer(ResponseMismatch::Unasked("x".into())));
    let none = authenticate(&world, |_| json!({}), NOW).unwrap_err();
    assert_eq!(none, VerifyError::TransactionUnsigned(vec!["id".into()]));
    let twice = |request: &RequestObject| {
        let show = || Show::honest(&world, request).present();
        json!({"id": [show(), show()]})
    };
    let twice = authenticate(&world, twice, NOW).unwrap_err();
    let count = ResponseMismatch::Count { id: "id".into(), count: 2 };
    assert_eq!(twice, VerifyError::Answer(count));
}

fn verify(
    list: impl FnOnce(&World) -> Option<String>,
    change: impl FnOnce(&mut Show<'_>),
) -> Result<Verified, StatusError> {
    let world = World::new();
    let show = |request: &RequestObject| {
        let mut show = Show::honest(&world, request);
        change(&mut show);
        json!({"id": [show.present()]})
    };
    let authenticated = authenticate(&world, show, NOW).unwrap();
    assert!(authenticated.status_uris().iter().all(|uri| *uri == STATUS));
    let lists: BTreeMap<String, String> =
        list(&world).map(|jwt| (STATUS.to_owned(), jwt)).into_iter().collect();
    authenticated.verify(&world.trust, &lists, NOW)
}

#[test]
fn a_status_that_is_not_known_to_be_valid_is_refused() {
    let good = |w: &World| Some(w.status_list(&w.authority, NOW.plus_seconds(DAY), &[8]));
    assert!(verify(good, |_| ()).is_ok());
    let missing = verify(|_| None, |_| ()).unwrap_err();
    assert_eq!(missing, StatusError::Missing(STATUS.into()));
    let revoked = |w: &World| Some(w.status_list(&w.authority, NOW.plus_seconds(DAY), &[7]));
    let status = Status::Invalid;
    assert_eq!(
        verify(revoked, |_| ()).unwrap_err(),
        StatusError::NotValid { id: "id".into(), status }
    );
    let far = |s: &mut Show<'_>| s.issuance.status.as_mut().unwrap().index = 64;
    assert!(matches!(verify(good, far).unwrap_err(), StatusError::NoEntry { index: 64, .. }));
    let list_error = |error| match error {
        StatusError::List { error, .. } => *error,
        other => panic!("{other}"),
    };
    let old = |w: &World| Some(w.status_list(&w.authority, NOW.minus_seconds(61), &[]));
    let old = list_error(verify(old, |_| ()).unwrap_err());
    assert!(matches!(old, StatusListError::Time(TimeError::Expired(_))));
    let forged = |w: &World| Some(w.status_list(&w.bank, NOW.plus_seconds(DAY), &[]));
    let forged = list_error(verify(forged, |_| ()).unwrap_err());
    assert!(matches!(
        forged,
        StatusListError::Signer(TrustError::Chain { role: Role::PidIssuer, .. })
    ));
    let without = verify(|_| None, |s| s.issuance.status = None);
    assert!(without.is_ok(), "a credential without status ends by its exp");
}

#[test]
fn what_was_not_asked_is_dropped_and_noted() {
    let list = |w: &World| Some(w.status_list(&w.authority, NOW.plus_seconds(DAY), &[]));
    let verified = verify(list, |s| s.disclose = vec!["family_name", "given_name"]).unwrap();
    let id = &verified.credentials["id"][0];
    assert_eq!(Value::Object(id.claims.clone()), json!({"family_name": "李"}));
    let unasked: Vec<String> = id.unasked.iter().map(ToString::to_string).collect();
    assert_eq!(unasked, ["given_name", "issuing_country"]);
    assert_eq!(*verified.transactions[0].data(), opening("id"));
    assert!(!format!("{verified:?}").contains('李'));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_form_but_an_answer_to_this_request_is_opened(bytes: Vec<u8>, jwe in "[A-Za-z0-9._-]{0,80}") {
        static SESSION: std::sync::OnceLock<Requested> = std::sync::OnceLock::new();
        let session = SESSION.get_or_init(|| World::new().asked(question()).0);
        prop_assert!(session.clone().open(&bytes, NOW).is_err());
        let form = format!("response={jwe}");
        prop_assert!(session.clone().open(form.as_bytes(), NOW).is_err());
    }
}
