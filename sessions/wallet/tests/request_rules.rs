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
use yufu_jose::{Header, TimeError, Unverified};
use yufu_openid4vc::HttpError;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::{REQUEST_TYPE, RequestObjectError, TransactionError};
use yufu_trust::{OverAsking, RegistrationCertificate, RegistrationError, TrustError, TrustList};
use yufu_verifier::Question;
use yufu_wallet::presentation::{FetchingRequest, RequestRefused, Reviewed, open};

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
        step.handle(&request_response(&jws), &self.trust, &self.seen, now)
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
    let nobody = refused(|f| f.trust.entries.clear());
    assert!(matches!(nobody, E::Untrusted(TrustError::Nobody(_))));
    assert!(matches!(refused(|f| f.signer = &f.world.bank.key), E::Signature(_)));
    let other = refused(|f| f.payload["client_id"] = "x509_hash:abc".into());
    assert!(matches!(other, E::ClientId { .. }));
    let dns = refused(|f| f.payload["client_id"] = "x509_san_dns:signer.example".into());
    assert!(matches!(dns, E::ClientId { .. }));
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
