//! Presented mdocs that must be refused: each departs from an honest one in one thing (OpenID4VP 1.0, B.2;
//! ISO 18013-5, 9.1 and 9.3).
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::*;
use yufu_base::{Signer as _, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::{ClaimPath, encode_base64url};
use yufu_mdoc::cbor::{CborError, ShapeError, Value as Cbor};
use yufu_mdoc::cose::CoseError;
use yufu_mdoc::{
    DeviceAuthError, DeviceResponse, IssuedMdoc, IssuerSignedError, MdocError, MdocIssuance,
    MdocTimeError, MdocValidity, SessionTranscript,
};
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery, ResponseMismatch};
use yufu_openid4vc::presentation::{Reply, RequestObject};
use yufu_trust::{
    LEEWAY_SECONDS, RegisteredClaim, RegisteredCredential, RegisteredMeta, RegistrationCertificate,
    Status, TrustError,
};
use yufu_verifier::{Authenticated, Question, StatusError, Verifier, VerifyError};

fn element(name: &str) -> ClaimPath {
    ClaimPath::members([DOC_TYPE, name]).unwrap()
}

fn question() -> Question {
    let query = CredentialQuery::mdoc("id", DOC_TYPE, &[element("family_name")]);
    let query = DcqlQuery::new(vec![query], None).unwrap();
    Question { query, roles: BTreeMap::new(), foreign: BTreeMap::new(), transactions: vec![] }
}

fn verifier(world: &World) -> Verifier {
    let claims = ["family_name", "given_name"].map(element);
    let certificate = RegistrationCertificate {
        credentials: vec![RegisteredCredential {
            format: "mso_mdoc".into(),
            meta: RegisteredMeta::mdoc(DOC_TYPE.into()),
            claims: claims.into_iter().map(|path| RegisteredClaim { path }).collect(),
        }],
        ..world.certificate()
    };
    let registration = world.registration(&certificate);
    let base = yufu_openid4vc::Endpoint::parse("https://hotel.example/ask").unwrap();
    Verifier::new(world.access.chain.clone(), base, registration, &world.trust, NOW).unwrap()
}

/// How a shown document departs from an honest one.
struct Show<'a> {
    issuer: &'a Party,
    issuance: MdocIssuance,
    elements: Vec<&'static str>,
    transcript: SessionTranscript,
}

impl<'a> Show<'a> {
    fn honest(world: &'a World, request: &RequestObject) -> Self {
        let until = NOW.plus_seconds(DAY);
        let elements = [("family_name", "李"), ("given_name", "华")];
        Self {
            issuer: &world.authority,
            issuance: MdocIssuance {
                doc_type: DOC_TYPE.into(),
                elements: elements.map(|(name, text)| (name.into(), Cbor::text(text))).into(),
                validity: MdocValidity { signed: NOW, valid_from: NOW, valid_until: until },
                status: Some(StatusReference { uri: STATUS.into(), index: 7 }),
                device_key: key(1).public_key(),
                decoys: 1,
            },
            elements: vec!["family_name"],
            transcript: transcript(request),
        }
    }

    fn response(self) -> DeviceResponse {
        let mut salt = 0_u8;
        let mut salts = || {
            salt += 1;
            [salt; 32]
        };
        let Party { key: signer, chain, .. } = self.issuer;
        let doc_type = self.issuance.doc_type.clone();
        let issued = self.issuance.sign(signer, chain, &mut salts).unwrap();
        let held = IssuedMdoc::verify(issued, &signer.public_key()).unwrap();
        let path = |name| ClaimPath::members([doc_type.as_str(), name]).unwrap();
        let paths: Vec<ClaimPath> = self.elements.into_iter().map(path).collect();
        DeviceResponse::of(vec![held.show(&paths, &self.transcript, &key(1)).unwrap()])
    }

    fn present(self) -> String {
        encode_base64url(self.response().encode())
    }
}

fn transcript(request: &RequestObject) -> SessionTranscript {
    let thumbprint = request.reply.encryption().unwrap().encryption_key.thumbprint();
    let uri = request.reply.address().unwrap().as_str();
    SessionTranscript::openid4vp(&request.client_id, &request.nonce, Some(&thumbprint), uri)
}

fn authenticate(
    world: &World,
    show: impl FnOnce(&RequestObject) -> Value,
    now: Timestamp,
) -> Result<Authenticated, VerifyError> {
    let (mut session, _) = verifier(world).start(question(), &entropy(), NOW, 300).unwrap();
    let jws = session.request_object(None, NOW, &world.access.key).unwrap();
    let token = yufu_jose::Unverified::parse(&jws).unwrap();
    let request = RequestObject::from_json(token.unverified_payload()).unwrap();
    let answer = json!({"vp_token": show(&request), "state": request.state});
    let received = session.open(&form(&request, &answer, None), NOW).unwrap();
    received.authenticate(&world.trust, now)
}

fn refused(change: impl FnOnce(&mut Show<'_>, &RequestObject)) -> VerifyError {
    let world = World::new();
    let show = |request: &RequestObject| {
        let mut show = Show::honest(&world, request);
        change(&mut show, request);
        json!({"id": [show.present()]})
    };
    authenticate(&world, show, NOW).unwrap_err()
}

/// The refusal of an answer whose bytes are changed.
fn refused_bytes(change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> VerifyError {
    let world = World::new();
    let show = |request: &RequestObject| {
        let bytes = Show::honest(&world, request).response().encode();
        json!({"id": [encode_base64url(change(bytes))]})
    };
    authenticate(&world, show, NOW).unwrap_err()
}

fn mdoc(error: MdocError) -> VerifyError {
    VerifyError::Mdoc { id: "id".into(), error: Box::new(error) }
}

fn cbor(error: CborError) -> VerifyError {
    mdoc(MdocError::Shape(ShapeError::Cbor { of: "device response", error }))
}

#[test]
fn an_honest_mdoc_is_verified_to_the_end() {
    let world = World::new();
    let show = |request: &RequestObject| json!({"id": [Show::honest(&world, request).present()]});
    let authenticated = authenticate(&world, show, NOW).unwrap();
    let list = world.status_list(&world.authority, NOW.plus_seconds(DAY), &[]);
    let lists = BTreeMap::from([(STATUS.to_owned(), list)]);
    let verified = authenticated.verify(&world.trust, &lists, NOW).unwrap();
    let seen = &verified.credentials["id"][0];
    assert_eq!(json!(seen.claims), json!({"family_name": "李"}));
    assert_eq!(seen.holder_key.key, key(1).public_key());
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    assert_eq!(refused_bytes(|b| [b, vec![0]].concat()), cbor(CborError::Trailing(1)));
    let shorter = |b: Vec<u8>| b[..b.len() - 1].to_vec();
    assert_eq!(refused_bytes(shorter), cbor(CborError::Truncated));
    let long = |b: Vec<u8>| [vec![0xb8, 3], b[1..].to_vec()].concat();
    assert_eq!(refused_bytes(long), cbor(CborError::NotShortest(0)));
    let indefinite = |b: Vec<u8>| [vec![0xbf], b[1..].to_vec(), vec![0xff]].concat();
    assert_eq!(refused_bytes(indefinite), cbor(CborError::Indefinite(0)));
    assert_eq!(refused_bytes(|_| vec![0x81; 100]), cbor(CborError::TooDeep));
    let twice = |b: Vec<u8>| [vec![0xa4], b[1..].to_vec(), b"\x66status\x00".to_vec()].concat();
    assert!(matches!(
        refused_bytes(twice),
        VerifyError::Mdoc { error, .. } if matches!(
            *error,
            MdocError::Shape(ShapeError::Cbor { error: CborError::DuplicateKey(_), .. })
        )
    ));
    let world = World::new();
    let text = authenticate(&world, |_| json!({"id": ["not base64url!"]}), NOW).unwrap_err();
    assert!(matches!(text, VerifyError::Encoding { .. }));
}

#[test]
fn a_device_signature_of_another_request_is_refused_b_2_6() {
    let device = mdoc(MdocError::Device(DeviceAuthError::Cose(CoseError::Invalid)));
    // Replayed to this verifier, to another one, relayed from another address or under another key.
    type Change = fn(&mut RequestObject);
    let changes: [Change; 4] = [
        |request| request.nonce = "another-nonce-of-this-verifier".into(),
        |request| request.client_id = "x509_hash:another".into(),
        |request| {
            let Reply::Posted { to, .. } = &mut request.reply else { unreachable!() };
            *to = yufu_openid4vc::Endpoint::parse("https://relay.example/response").unwrap();
        },
        |request| {
            let other = yufu_jose::jwe::DecryptionKey::from_seed(&[99; 32]).unwrap();
            let Reply::Posted { encryption, .. } = &mut request.reply else { unreachable!() };
            encryption.encryption_key = other.public_jwk("response");
        },
    ];
    for change in changes {
        let refusal = refused(|show, request| {
            let mut other = request.clone();
            change(&mut other);
            show.transcript = transcript(&other);
        });
        assert_eq!(refusal, device);
    }
    let api = refused(|show, request| {
        let thumbprint = request.reply.encryption().unwrap().encryption_key.thumbprint();
        show.transcript = SessionTranscript::digital_credentials(
            "https://hotel.example",
            &request.nonce,
            Some(&thumbprint),
        );
    });
    assert_eq!(api, device);
}

#[test]
fn an_issuer_that_is_not_trusted_for_it_is_refused() {
    let world = World::new();
    let by = |issuer: &Party| {
        let show = |request: &RequestObject| {
            let show = Show { issuer, ..Show::honest(&world, request) };
            json!({"id": [show.present()]})
        };
        authenticate(&world, show, NOW).unwrap_err()
    };
    let stranger = party();
    for issuer in [&stranger, &world.bank] {
        let refusal = by(issuer);
        assert!(
            matches!(&refusal, VerifyError::Issuer { error: TrustError::Chain { .. }, .. }),
            "{refusal}"
        );
    }
    // The authority's chain before a stranger's signature.
    let forged = Party {
        anchor: world.authority.anchor.clone(),
        chain: world.authority.chain.clone(),
        key: key(66),
    };
    let signature = MdocError::Issuer(IssuerSignedError::Signature(CoseError::Invalid));
    assert_eq!(by(&forged), mdoc(signature));
}

#[test]
fn an_mdoc_out_of_its_dates_is_refused() {
    let expired = refused(|show, _| {
        show.issuance.validity.valid_until = NOW.minus_seconds(LEEWAY_SECONDS + 1);
    });
    let until = NOW.minus_seconds(LEEWAY_SECONDS + 1).seconds();
    assert_eq!(expired, mdoc(MdocError::Time(MdocTimeError::Expired(until))));
    let early = NOW.plus_seconds(LEEWAY_SECONDS + 1);
    let not_yet = refused(|show, _| show.issuance.validity.valid_from = early);
    assert_eq!(not_yet, mdoc(MdocError::Time(MdocTimeError::NotYetValid(early.seconds()))));
    let before = Timestamp::from_seconds(1000);
    let before_its_signer = refused(|show, _| show.issuance.validity.signed = before);
    assert_eq!(before_its_signer, mdoc(MdocError::Time(MdocTimeError::NotTheSigners(1000))));
    let future = refused(|show, _| show.issuance.validity.signed = early);
    assert_eq!(future, mdoc(MdocError::Time(MdocTimeError::SignedInFuture(early.seconds()))));
}

#[test]
fn an_mdoc_that_does_not_answer_the_query_is_refused_6_4() {
    let other = refused(|show, _| show.issuance.doc_type = OTHER.into());
    assert_eq!(other, VerifyError::Answer(ResponseMismatch::Type("id".into())));
    let less = refused(|show, _| show.elements = vec!["given_name"]);
    let missing = vec![element("family_name")];
    let lacking = ResponseMismatch::Claims { id: "id".into(), missing };
    assert_eq!(less, VerifyError::Answer(lacking));
}

#[test]
fn an_element_beyond_the_query_is_dropped_and_noted() {
    let world = World::new();
    let show = |request: &RequestObject| {
        let mut show = Show::honest(&world, request);
        show.elements.push("given_name");
        json!({"id": [show.present()]})
    };
    let authenticated = authenticate(&world, show, NOW).unwrap();
    let list = world.status_list(&world.authority, NOW.plus_seconds(DAY), &[]);
    let lists = BTreeMap::from([(STATUS.to_owned(), list)]);
    let verified = authenticated.verify(&world.trust, &lists, NOW).unwrap();
    let seen = &verified.credentials["id"][0];
    assert_eq!(json!(seen.claims), json!({"family_name": "李"}));
    assert_eq!(seen.unasked, [element("given_name")]);
}

#[test]
fn an_mdoc_whose_status_is_not_known_to_be_valid_is_refused() {
    let world = World::new();
    let status = |lists: BTreeMap<String, String>| {
        let show =
            |request: &RequestObject| json!({"id": [Show::honest(&world, request).present()]});
        let authenticated = authenticate(&world, show, NOW).unwrap();
        authenticated.verify(&world.trust, &lists, NOW).unwrap_err()
    };
    assert_eq!(status(BTreeMap::new()), StatusError::Missing(STATUS.into()));
    let until = NOW.plus_seconds(DAY);
    let with = |list| BTreeMap::from([(STATUS.to_owned(), list)]);
    let revoked = status(with(world.status_list(&world.authority, until, &[7])));
    assert_eq!(revoked, StatusError::NotValid { id: "id".into(), status: Status::Invalid });
    let by_bank = status(with(world.status_list(&world.bank, until, &[])));
    assert!(matches!(by_bank, StatusError::List { .. }));
    let stale = status(with(world.status_list(&world.authority, NOW.minus_seconds(60), &[])));
    assert!(matches!(stale, StatusError::List { .. }), "{stale}");
}
