//! An authority, a reader and a holder for mdocs, with the clock that foreign programs read too.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use yufu_base::{Signer as _, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::{Chain, ClaimPath, SoftwareKey, encode_base64url, sha256};
use yufu_keys::{AuthorityCertificate, LeafSubject, Validity, random};
use yufu_mdoc::cbor::Value as Cbor;
use yufu_mdoc::{DeviceResponse, IssuedMdoc, MdocIssuance, MdocValidity, SessionTranscript};
use yufu_proximity::{Offline, ReadError, ReaderIdentity, Seen, Waiting, Wanted, ask};
use yufu_trust::{
    GoodPaths, Localized, RegisteredClaim, RegisteredCredential, RegisteredMeta,
    RegistrationCertificate, Role, TrustEntry, TrustList,
};

pub(crate) const DOC_TYPE: &str = "org.example.pid.1";

struct Party {
    key: SoftwareKey,
    chain: Chain,
    anchor: Vec<u8>,
}

pub(crate) struct World {
    authority: Party,
    registrar: Party,
    reader: Party,
    holder: SoftwareKey,
    trust: TrustList,
    now: Timestamp,
    none: BTreeMap<String, String>,
}

#[expect(clippy::disallowed_methods, reason = "the foreign program reads the real clock")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_seconds(since.as_secs())
}

fn fresh() -> SoftwareKey {
    SoftwareKey::from_seed(&random()).unwrap()
}

fn party(now: Timestamp) -> Party {
    let (key, authority) = (fresh(), fresh());
    let validity = Validity { from: now.minus_seconds(60), until: now.plus_seconds(86_400) };
    let anchor = AuthorityCertificate::self_signed("Authority", &authority, validity).unwrap();
    let subject = LeafSubject {
        organisation: "Authority".to_owned(),
        common_name: "signing".to_owned(),
        dns_names: vec![],
        uris: vec!["https://authority.example".to_owned()],
        key: key.public_key(),
    };
    let chain = Chain::from_der(vec![anchor.issue(&subject, validity).unwrap()]).unwrap();
    Party { key, chain, anchor: anchor.der().to_vec() }
}

/// The conversation of a posted answer.
pub(crate) fn transcript(nonce: &str) -> SessionTranscript {
    SessionTranscript::openid4vp("x509_hash:v", nonce, Some(&[1; 32]), "https://v.example/r")
}

impl World {
    pub(crate) fn new() -> Self {
        let now = now();
        let (authority, registrar, reader) = (party(now), party(now), party(now));
        let entry = |role, url: &str, party: &Party| {
            let anchors = std::slice::from_ref(&party.anchor);
            TrustEntry::new(Localized::new("en", url), role, url, anchors)
        };
        let trust = TrustList {
            operator: "https://trust.example".into(),
            sequence: 1,
            issued_at: now,
            expires_at: now.plus_seconds(86_400),
            entries: vec![
                entry(Role::PidIssuer, "https://authority.example", &authority),
                entry(Role::Registrar, "https://registrar.example", &registrar),
                entry(Role::AccessCa, "https://access.example", &reader),
            ],
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        let holder = fresh();
        Self { authority, registrar, reader, holder, trust, now, none: BTreeMap::new() }
    }

    pub(crate) fn offline(&self) -> Offline<'_> {
        let (trust, lists, now) = (&self.trust, &self.none, self.now);
        Offline { trust, lists, max_age_seconds: 60, now }
    }

    /// A response of ours that shows two of three elements.
    pub(crate) fn present(&self, transcript: &SessionTranscript) -> Vec<u8> {
        let issuance = MdocIssuance {
            doc_type: DOC_TYPE.to_owned(),
            elements: vec![
                ("family_name".to_owned(), Cbor::text("王")),
                ("given_name".to_owned(), Cbor::text("芳")),
                ("age_equal_or_over.18".to_owned(), Cbor::Bool(true)),
            ],
            validity: MdocValidity {
                signed: self.now,
                valid_from: self.now,
                valid_until: self.now.plus_seconds(3600),
            },
            status: None,
            device_key: self.holder.public_key(),
            decoys: 2,
        };
        let Party { key, chain, .. } = &self.authority;
        let issued = issuance.sign(key, chain, &mut random::<32>).unwrap();
        let held = IssuedMdoc::verify(issued, &key.public_key()).unwrap();
        let paths = ["family_name", "age_equal_or_over.18"]
            .map(|name| ClaimPath::members([DOC_TYPE, name]).unwrap());
        DeviceResponse::of(vec![held.show(&paths, transcript, &self.holder).unwrap()]).encode()
    }

    /// What makes the foreign program issue a document under our authority, and show its device's code.
    pub(crate) fn foreign_document(&self, elements: &Value) -> Value {
        let secret = |key: &SoftwareKey| encode_base64url(*key.to_scalar().unwrap());
        json!({
            "as": "engage", "doc_type": DOC_TYPE, "elements": elements,
            "issuer": secret(&self.authority.key), "device": secret(&self.holder),
            "certificate": encode_base64url(self.authority.chain.unverified_leaf()),
        })
    }

    /// Our reader's request for one element, signed and registered.
    pub(crate) fn ask(&self, qr: &str) -> (Waiting, Vec<u8>) {
        let element = ClaimPath::members([DOC_TYPE, "family_name"]).unwrap();
        let hash = encode_base64url(sha256(self.reader.chain.unverified_leaf()));
        let certificate = RegistrationCertificate {
            sub: "bar-1".into(),
            name: Localized::new("en", "Bar"),
            client_id: format!("x509_hash:{hash}"),
            origins: vec!["https://bar.example".into()],
            purpose: Localized::new("en", "Greet you by name"),
            credentials: vec![RegisteredCredential {
                format: "mso_mdoc".into(),
                meta: RegisteredMeta::mdoc(DOC_TYPE.into()),
                claims: vec![RegisteredClaim { path: element.clone() }],
            }],
            privacy_policy: "https://bar.example/privacy".into(),
            support_uri: "https://bar.example/support".into(),
            report_uri: "https://registrar.example/report".into(),
            intended_use_id: "greet".into(),
            retention_days: 0,
            evidence: false,
            issued_at: self.now,
            expires_at: self.now.plus_seconds(3600),
            status: Some(StatusReference { uri: "https://registrar.example/1".into(), index: 1 }),
        };
        let registration = certificate.sign(&self.registrar.key, &self.registrar.chain).unwrap();
        let who = ReaderIdentity {
            chain: &self.reader.chain,
            signer: &self.reader.key,
            registration: &registration,
        };
        let (doc_type, elements) = (DOC_TYPE.to_owned(), vec![element]);
        let wanted = Wanted { doc_type, elements, keep: false, role: Role::PidIssuer };
        ask(qr, wanted, who, &random()).unwrap()
    }
}

/// What our reader makes of an answer.
pub(crate) fn read_by(world: &World, waiting: Waiting, answer: &[u8]) -> Result<Seen, ReadError> {
    waiting.handle(answer, &world.offline())
}
