//! One row per rule of a request: each refusal is provoked by a request really built and signed.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "test code: a wrong fixture is to fail loudly, and a table of rules is long"
)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::*;
use yufu_jose::{ChainError, Header, TimeError, Unverified};
use yufu_openid4vc::HttpError;
use yufu_openid4vc::HttpResponse;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::{REQUEST_TYPE, RequestObjectError, TransactionError};
use yufu_trust::{
    Basis, Localized, OverAsking, RegisteredClaim, RegistrationCertificate, RegistrationError,
    Role, Status, StatusBits, StatusList, StatusListError, StatusListToken, TrustEntry, TrustError,
    TrustList,
};
use yufu_verifier::Question;
use yufu_wallet::presentation::{
    CheckingStatus, FetchingRequest, RequestRefused, Reviewed, StatusLists, StatusUnknown, open,
};

fn question() -> Question {
    let query = CredentialQuery::sd_jwt_vc("id", PID, &[path(json!(["family_name"]))]);
    let query = DcqlQuery::new(vec![query], None).unwrap();
    Question { query, roles: BTreeMap::new(), foreign: BTreeMap::new(), transactions: vec![] }
}

/// How a request departs from an honest one.
struct Forgery<'a> {
    world: &'a World,
    payload: Value,
    header: Header,
    signer: &'a yufu_jose::SoftwareKey,
    link: String,
    now: u64,
    seen: BTreeSet<String>,
    trust: TrustList,
}

impl<'a> Forgery<'a> {
    fn new(world: &'a World) -> Self {
        let (mut server, link) = VerifierServer::ask(world, question());
        let (_, http) = open(&link, &[5; 16]).unwrap();
        let response = server.answer(&http);
        let token = Unverified::parse(std::str::from_utf8(&response.body).unwrap()).unwrap();
        Self {
            world,
            payload: token.unverified_claims().unwrap(),
            header: Header::typed(REQUEST_TYPE).with_chain(&world.access.chain),
            signer: &world.access.key,
            link,
            now: NOW.seconds(),
            seen: BTreeSet::new(),
            trust: world.trust.clone(),
        }
    }

    fn review(&self) -> Result<Reviewed, RequestRefused> {
        let (step, _) = open(&self.link, &[5; 16]).unwrap();
        let payload = self.payload.to_string();
        let jws = yufu_jose::sign(&self.header, payload.as_bytes(), self.signer).unwrap();
        let now = yufu_base::Timestamp::from_seconds(self.now);
        let step = step.handle(&request_response(&jws), &self.trust, &self.seen, now)?;
        self.world.check(step, &self.trust, now)
    }

    fn register(&mut self, change: impl FnOnce(&mut RegistrationCertificate)) {
        let mut certificate = self.world.certificate();
        change(&mut certificate);
        self.payload["verifier_info"][0]["data"] = self.world.registration(&certificate).into();
    }
}

fn refused(change: impl FnOnce(&mut Forgery<'_>)) -> RequestRefused {
    let world = World::new();
    let mut forgery = Forgery::new(&world);
    assert!(forgery.review().is_ok(), "the honest request passes");
    change(&mut forgery);
    forgery.review().unwrap_err()
}

#[test]
fn a_request_that_did_not_come_as_one_is_refused() {
    let world = World::new();
    let forgery = Forgery::new(&world);
    let (step, _) = open(&forgery.link, &[5; 16]).unwrap();
    let mut response = request_response("x");
    response.status = 302;
    let redirected = step.clone().handle(&response, &world.trust, &BTreeSet::new(), NOW);
    assert_eq!(redirected.unwrap_err(), RequestRefused::Http(HttpError::Status(302)));
    response = request_response("x");
    response.content_type = Some("text/html".into());
    let page = step.handle(&response, &world.trust, &BTreeSet::new(), NOW);
    assert!(matches!(page, Err(RequestRefused::Http(HttpError::MediaType { .. }))));
}

#[test]
fn who_asks_is_refused_unless_certified_and_the_one_it_says_to_be_5_9_3() {
    use RequestRefused as E;
    assert!(matches!(refused(|f| f.header.typ = Some("JWT".into())), E::Token(_)));
    assert!(matches!(refused(|f| f.header.x5c = None), E::Chain(_)));
    let stranger = refused(|f| f.header = f.header.clone().with_chain(&f.world.bank.chain));
    assert!(matches!(stranger, E::Untrusted(TrustError::Chain { .. })));
    let carried = refused(|f| {
        f.header = f.header.clone().with_chain(&f.world.access.carrying_anchor().chain);
    });
    let reason = ChainError::CarriesAnchor(1);
    let carried_haip = E::Untrusted(TrustError::Chain { role: Role::AccessCa, reason });
    assert_eq!(carried, carried_haip);
    let nobody = refused(|f| f.trust.entries.clear());
    assert!(matches!(nobody, E::Untrusted(TrustError::Nobody(_))));
    assert!(matches!(refused(|f| f.signer = &f.world.bank.key), E::Signature(_)));
    let other = refused(|f| f.payload["client_id"] = "x509_hash:abc".into());
    assert!(matches!(other, E::ClientId { .. }));
    let dns = refused(|f| f.payload["client_id"] = "x509_san_dns:other.example".into());
    assert!(matches!(dns, E::ClientId { .. }));
    let named = refused(|f| f.payload["client_id"] = "x509_san_dns:signer.example".into());
    assert!(matches!(named, E::LinkClientId { .. }), "certified, and not whom the link names");
    let swapped = refused(|f| f.link = f.link.replace("x509_hash%3A", "x509_hash%3Aa"));
    assert!(matches!(swapped, E::LinkClientId { .. }));
}

#[test]
fn a_request_is_fresh_and_answered_once() {
    use RequestRefused as E;
    let without = |f: &mut Forgery<'_>| {
        f.payload.as_object_mut().unwrap().remove("wallet_nonce");
    };
    assert_eq!(refused(without), E::WalletNonce);
    assert_eq!(refused(|f| f.payload["wallet_nonce"] = "old".into()), E::WalletNonce);
    assert!(matches!(refused(|f| f.now += 300 + 61), E::Time(TimeError::Expired(_))));
    let future = refused(|f| f.payload["iat"] = (f.now + 61).into());
    assert!(matches!(future, E::Time(TimeError::IssuedInFuture(_))));
    let again = refused(|f| {
        let id = f.review().unwrap().replay_id();
        f.seen.insert(id);
    });
    assert_eq!(again, E::Replayed);
}

#[test]
fn what_is_asked_must_be_understood_and_every_answer_encrypted() {
    let request = |change: fn(&mut Value)| match refused(|f| change(&mut f.payload)) {
        RequestRefused::Request(error) => *error,
        other => panic!("{other}"),
    };
    assert!(matches!(
        request(|p| p["response_mode"] = "direct_post".into()),
        RequestObjectError::ResponseMode(_)
    ));
    assert!(matches!(
        request(|p| p["client_metadata"]["jwks"]["keys"] = json!([])),
        RequestObjectError::EncryptionKey
    ));
    assert!(matches!(
        request(|p| p["dcql_query"]["credentials"][0]["claims"] = json!([])),
        RequestObjectError::Json(_)
    ));
    let unknown = request(|p| {
        let data = json!({"type": "qes_authorization", "credential_ids": ["id"]});
        p["transaction_data"] = json!([yufu_jose::encode_base64url(data.to_string())]);
    });
    let expected = TransactionError::UnknownType("qes_authorization".into());
    assert_eq!(unknown, RequestObjectError::Transaction(expected));
}

#[test]
fn only_a_registered_verifier_may_ask_and_only_what_it_registered() {
    use RequestRefused as E;
    let none = |f: &mut Forgery<'_>| {
        f.payload.as_object_mut().unwrap().remove("verifier_info");
    };
    assert_eq!(refused(none), E::NoRegistration);
    let other = refused(|f| f.payload["verifier_info"][0]["format"] = "jwt".into());
    assert_eq!(other, E::NoRegistration);
    let registration = |error| match error {
        E::Registration(error) => *error,
        other => panic!("{other}"),
    };
    let stale = registration(refused(|f| {
        f.register(|c| {
            c.issued_at = NOW.minus_seconds(10 * DAY);
            c.expires_at = NOW.minus_seconds(DAY);
        });
    }));
    assert!(matches!(stale, RegistrationError::Time(TimeError::Expired(_))));
    let own = registration(refused(|f| {
        let (key, chain) = (&f.world.access.key, &f.world.access.chain);
        let signed = f.world.certificate().sign(key, chain).unwrap();
        f.payload["verifier_info"][0]["data"] = signed.into();
    }));
    assert!(matches!(own, RegistrationError::Registrar(_)));
    let borrowed = refused(|f| f.register(|c| c.client_id = "x509_hash:abc".into()));
    assert!(matches!(borrowed, E::RegistrationClientId { .. }));
    for elsewhere in ["https://evil.example/r", "https://hotel.example:444/r"] {
        let refusal = refused(|f| f.payload["response_uri"] = elsewhere.into());
        assert_eq!(refusal, E::ResponseUri(elsewhere.into()));
    }
    let given_name = path(json!(["given_name"]));
    let more = refused(|f| {
        let claims = json!([{"path": ["family_name"]}, {"path": ["given_name"]}]);
        f.payload["dcql_query"]["credentials"][0]["claims"] = claims;
    });
    let over = OverAsking::Claims { vct: PID.into(), claims: vec![given_name] };
    assert_eq!(more, E::OverAsking(over));
    let whole = refused(|f| {
        f.payload["dcql_query"]["credentials"][0]["claims"] = json!([{"path": ["address"]}]);
    });
    assert!(matches!(whole, E::OverAsking(OverAsking::Claims { .. })));
    let kind = refused(|f| {
        f.payload["dcql_query"]["credentials"][0]["meta"]["vct_values"] = json!([PID, "urn:x"]);
    });
    assert_eq!(kind, E::OverAsking(OverAsking::Credential("urn:x".into())));
    let mdoc = refused(|f| {
        f.payload["dcql_query"]["credentials"][0] = json!({"id": "id", "format": "mso_mdoc",
            "meta": {"doctype_value": "org.iso.18013.5.1.mDL"}});
    });
    assert!(matches!(mdoc, E::OverAsking(OverAsking::Credential(_))));
}

#[test]
fn a_payment_that_can_no_longer_be_made_is_refused() {
    let refusal = refused(|f| {
        let data = json!({"type": "yufu_payment", "credential_ids": ["id"], "ledger": "cny",
            "currency": "CNY", "amount_minor": 1, "payee_name": "x", "order_id": "B-1",
            "payee_account": "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b", "expires": f.now});
        f.payload["transaction_data"] = json!([yufu_jose::encode_base64url(data.to_string())]);
    });
    assert_eq!(refusal, RequestRefused::PaymentExpired("B-1".into()));
}

/// The honest request up to the look at the registrar's list, with the trust list of that moment.
fn checking(world: &World) -> CheckingStatus {
    let (mut server, link) = VerifierServer::ask(world, question());
    let (step, http) = open(&link, &[5; 16]).unwrap();
    step.handle(&server.answer(&http), &world.trust, &BTreeSet::new(), NOW).unwrap()
}

#[test]
fn a_registration_that_was_revoked_or_suspended_is_refused_and_its_neighbours_are_not() {
    let found = |place, status| {
        let world = World::new();
        let mut token = world.registrations();
        token.list.set(place, status).unwrap();
        let list = World::listed(&token, &world.registrar);
        let step = checking(&world);
        step.handle(Some(&list), &mut StatusLists::default(), &world.trust, NOW).map(|_| ())
    };
    let rows = [
        (PLACE, Status::Valid, Ok(())),
        (PLACE, Status::Invalid, Err(RequestRefused::Revoked)),
        (PLACE, Status::Suspended, Err(RequestRefused::Suspended)),
        (PLACE, Status::Other(3), Err(RequestRefused::Suspended)),
        (PLACE - 1, Status::Invalid, Ok(())),
        (PLACE + 1, Status::Invalid, Ok(())),
    ];
    for (place, status, expected) in rows {
        assert_eq!(found(place, status), expected, "{place} {status:?}");
    }
}

#[test]
fn a_registration_that_names_no_list_is_refused() {
    assert_eq!(refused(|f| f.register(|c| c.status = None)), RequestRefused::NoStatus);
    for unsafe_address in ["http://reg.example/registrar/status/1", "reg.example/status/1", ""] {
        let change = |c: &mut RegistrationCertificate| {
            c.status.as_mut().unwrap().uri = unsafe_address.into();
        };
        assert_eq!(refused(|f| f.register(change)), RequestRefused::NoStatus, "{unsafe_address}");
    }
}

#[test]
fn whatever_hides_whether_a_registration_stands_refuses_it() {
    use StatusUnknown as U;
    let mut world = World::new();
    let second = party();
    world.trust.entries.push(TrustEntry::new(
        Localized::new("en", "Another registrar"),
        Role::Registrar,
        "https://other.example",
        std::slice::from_ref(&second.anchor),
    ));
    let look = |list: Option<&HttpResponse>, trust: &TrustList| {
        let step = checking(&world);
        match step.handle(list, &mut StatusLists::default(), trust, NOW).unwrap_err() {
            RequestRefused::StatusUnknown(error) => *error,
            other => panic!("{other}"),
        }
    };
    let changed = |change: &dyn Fn(&mut StatusListToken)| {
        let mut token = world.registrations();
        change(&mut token);
        look(Some(&World::listed(&token, &world.registrar)), &world.trust)
    };
    let by = |signer| look(Some(&World::listed(&world.registrations(), signer)), &world.trust);
    let honest = World::listed(&world.registrations(), &world.registrar);

    assert_eq!(look(None, &world.trust), U::Unreachable);
    let down = HttpResponse { status: 503, ..honest.clone() };
    assert_eq!(look(Some(&down), &world.trust), U::Http(HttpError::Status(503)));
    let page = HttpResponse { content_type: Some("text/html".into()), ..honest.clone() };
    assert!(matches!(look(Some(&page), &world.trust), U::Http(HttpError::MediaType { .. })));
    let mut altered = honest.clone();
    *altered.body.last_mut().unwrap() ^= 1;
    assert!(matches!(look(Some(&altered), &world.trust), U::List(StatusListError::Token(_))));
    for signer in [&world.authority, &world.access, &second] {
        assert!(matches!(by(signer), U::List(StatusListError::Signer(TrustError::Chain { .. }))));
    }
    let mut without = world.trust.clone();
    without.entries.retain(|entry| entry.identifier != "https://reg.example");
    assert!(matches!(look(Some(&honest), &without), U::List(StatusListError::Signer(_))));
    let elsewhere = "https://reg.example/registrar/status/2";
    let other = changed(&|token| token.uri = elsewhere.into());
    assert_eq!(other, U::List(StatusListError::OtherList(elsewhere.into())));
    let expired = changed(&|token| {
        token.issued_at = NOW.minus_seconds(400);
        token.expires_at = NOW.minus_seconds(61);
    });
    assert!(matches!(expired, U::List(StatusListError::Time(TimeError::Expired(_)))));
    let short = changed(&|token| token.list = StatusList::new(StatusBits::Two, PLACE - 1).unwrap());
    assert_eq!(short, U::NoPlace(PLACE));
}

#[test]
fn several_requests_cost_one_fetch_of_the_list_for_as_long_as_its_ttl() {
    let world = World::new();
    let fetched = |token: &StatusListToken| {
        let mut lists = StatusLists::default();
        let list = World::listed(token, &world.registrar);
        checking(&world).handle(Some(&list), &mut lists, &world.trust, NOW).map(|_| ()).ok();
        lists
    };
    let kept = |lists: &StatusLists, later| {
        checking(&world).request(lists, NOW.plus_seconds(later)).is_none()
    };
    let honest = world.registrations();
    let mut lists = fetched(&honest);
    assert!(kept(&lists, 59) && !kept(&lists, 60));
    let at = NOW.plus_seconds(59);
    assert!(checking(&world).handle(None, &mut lists, &world.trust, at).is_ok());
    let late = checking(&world).handle(None, &mut lists, &world.trust, NOW.plus_seconds(60));
    assert!(matches!(late, Err(RequestRefused::StatusUnknown(_))), "nothing older at hand is used");

    let aged = StatusListToken { issued_at: NOW.minus_seconds(50), ..honest.clone() };
    assert!(kept(&fetched(&aged), 9) && !kept(&fetched(&aged), 10), "from when it was signed");
    let ahead = StatusListToken { issued_at: NOW.plus_seconds(50), ..honest.clone() };
    assert!(!kept(&fetched(&ahead), 60), "whatever the registrar's clock says");
    let brief = StatusListToken { expires_at: NOW.plus_seconds(20), ..honest.clone() };
    assert!(!kept(&fetched(&brief), 20), "never beyond its end");
    let untold = StatusListToken { ttl_seconds: None, ..honest.clone() };
    assert!(!kept(&fetched(&untold), 0));
    let foreign = StatusListToken { uri: "https://reg.example/2".into(), ..honest.clone() };
    assert!(!kept(&fetched(&foreign), 0), "what was refused is not kept");

    let mut revoked = honest;
    revoked.list.set(PLACE, Status::Invalid).unwrap();
    let again = checking(&world).handle(None, &mut fetched(&revoked), &world.trust, NOW);
    assert_eq!(again.unwrap_err(), RequestRefused::Revoked, "from the list at hand too");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_altered_byte_of_a_signed_request_passes(at: prop::sample::Index, to in "[A-Za-z0-9._~-]") {
        static SIGNED: std::sync::OnceLock<(World, FetchingRequest, String)> =
            std::sync::OnceLock::new();
        let (world, step, jws) = SIGNED.get_or_init(|| {
            let world = World::new();
            let (mut server, link) = VerifierServer::ask(&world, question());
            let (step, http) = open(&link, &[5; 16]).unwrap();
            let body = server.answer(&http).body;
            (world, step, String::from_utf8(body).unwrap())
        });
        let review = |jws: &str| {
            step.clone().handle(&request_response(jws), &world.trust, &BTreeSet::new(), NOW)
        };
        prop_assert!(review(jws).is_ok());
        let at = at.index(jws.len());
        let mut altered = jws.clone();
        altered.replace_range(at..=at, &to);
        prop_assert!(altered == *jws || review(&altered).is_err());
    }
}

#[test]
fn the_number_of_a_resident_is_shown_to_nobody_whom_no_law_has_ask_for_it() {
    let number = json!(["personal_administrative_number"]);
    let asks = |f: &mut Forgery<'_>, law: Option<bool>| {
        f.payload["dcql_query"]["credentials"][0]["claims"] = json!([{"path": number}]);
        f.register(|certificate| {
            certificate.credentials[0].claims.push(RegisteredClaim { path: path(number.clone()) });
            let text = Localized::new("zh", "旅馆业治安管理办法").with("en", "Hotels Act");
            certificate.basis = law.map(|law| Basis { text, law });
        });
    };
    for law in [None, Some(false)] {
        let refused = refused(|f| asks(f, law));
        assert!(
            matches!(refused, RequestRefused::OverAsking(OverAsking::Number { .. })),
            "{law:?}"
        );
    }
    let world = World::new();
    let mut forgery = Forgery::new(&world);
    asks(&mut forgery, Some(true));
    let reviewed = forgery.review().unwrap();
    let claims = json!({"family_name": "李", "personal_administrative_number": "N7"});
    let server = IssuerServer::new("https://id.example", PID, claims, &world.authority);
    let consent = reviewed.consent(&world.obtain(server, &[1])).unwrap();
    assert!(consent.shows_resident_number());
    let basis = consent.basis.unwrap();
    assert_eq!((basis.text.get("en"), basis.law), ("Hotels Act", true), "she is told which law");
}
