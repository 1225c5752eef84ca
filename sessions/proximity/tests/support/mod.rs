//! A trust list, a reader that may read names, a document, and the lists that both fetched before.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::collections::BTreeMap;
use yufu_base::{Signer as _, Timestamp};
use yufu_credential::StatusReference;
pub use yufu_fixtures::{Party, key, party};
use yufu_jose::{AgreementKey, ClaimPath, Header, encode_base64url, sha256};
use yufu_mdoc::cbor::Value;
use yufu_mdoc::{
    DeviceEngagement, Handover, IssuedMdoc, MdocIssuance, MdocValidity, SessionCipher, SessionData,
    SessionEstablishment, SessionTranscript, Side,
};
use yufu_proximity::{Engaged, Offline, ReaderIdentity, Waiting, Wanted, ask};
use yufu_trust::{
    GoodPaths, Localized, RegisteredClaim, RegisteredCredential, RegisteredMeta,
    RegistrationCertificate, Role, Status, StatusBits, StatusList, StatusListToken, TrustEntry,
    TrustList,
};

pub const NOW: Timestamp = Timestamp::from_seconds(1_790_000_123);
pub const DAY: u64 = 86_400;
pub const DOC_TYPE: &str = "org.example.pid.1";
pub const STATUS: &str = "https://id.example/status/1";
pub const REVOKED: &str = "https://reg.example/registrar/status/1";
/// The places of the document and of the registration in their lists.
pub const PLACE: u64 = 7;

pub struct World {
    pub trust: TrustList,
    pub authority: Party,
    pub registrar: Party,
    pub access: Party,
    pub lists: BTreeMap<String, String>,
}

pub fn element(name: &str) -> ClaimPath {
    ClaimPath::members([DOC_TYPE, name]).unwrap()
}

impl World {
    pub fn new() -> Self {
        let (authority, registrar, access) = (party(), party(), party());
        let entry = |role, url: &str, party: &Party| {
            TrustEntry::new(
                Localized::new("en", url),
                role,
                url,
                std::slice::from_ref(&party.anchor),
            )
        };
        let trust = TrustList {
            operator: "https://trust.example".into(),
            sequence: 1,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(30 * DAY),
            entries: vec![
                entry(Role::PidIssuer, "https://id.example", &authority),
                entry(Role::Registrar, "https://reg.example", &registrar),
                entry(Role::AccessCa, "https://ca.example", &access),
            ],
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        let lists = BTreeMap::new();
        let mut world = Self { trust, authority, registrar, access, lists };
        world.fetch(&[], &[]);
        world
    }

    /// Fetches both lists anew; these places are revoked.
    pub fn fetch(&mut self, documents: &[u64], registrations: &[u64]) {
        let documents = list(STATUS, &self.authority, documents);
        let registrations = list(REVOKED, &self.registrar, registrations);
        self.lists = [(STATUS.into(), documents), (REVOKED.into(), registrations)].into();
    }

    pub fn offline(&self) -> Offline<'_> {
        Offline { trust: &self.trust, lists: &self.lists, max_age_seconds: 3600, now: NOW }
    }

    pub fn certificate(&self) -> RegistrationCertificate {
        let hash = sha256(self.access.chain.unverified_leaf());
        let claims =
            ["family_name", "age_equal_or_over.18", "sector_pseudonym.a", "sector_pseudonym.b"];
        RegistrationCertificate {
            sub: "bar-1".into(),
            name: Localized::new("en", "Bar"),
            client_id: format!("x509_hash:{}", encode_base64url(hash)),
            origins: vec!["https://bar.example".into()],
            purpose: Localized::new("en", "Serve you a drink"),
            credentials: vec![RegisteredCredential {
                format: "mso_mdoc".into(),
                meta: RegisteredMeta::mdoc(DOC_TYPE.into()),
                claims: claims.map(|name| RegisteredClaim { path: element(name) }).into(),
            }],
            privacy_policy: "https://bar.example/privacy".into(),
            support_uri: "https://bar.example/support".into(),
            report_uri: "https://reg.example/report".into(),
            intended_use_id: "age".into(),
            retention_days: 0,
            evidence: false,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(90 * DAY),
            status: Some(StatusReference { uri: REVOKED.into(), index: PLACE }),
        }
    }

    /// A document of five elements, bound to the key of `seed`.
    pub fn document(&self, seed: u8) -> IssuedMdoc {
        self.document_until(seed, NOW.plus_seconds(DAY))
    }

    pub fn document_until(&self, seed: u8, valid_until: Timestamp) -> IssuedMdoc {
        let elements = vec![
            ("family_name".into(), Value::text("李")),
            ("given_name".into(), Value::text("华")),
            ("age_equal_or_over.18".into(), Value::Bool(true)),
            ("sector_pseudonym.a".into(), Value::text("a")),
            ("sector_pseudonym.b".into(), Value::text("b")),
        ];
        let mut counter = 0_u8;
        let mut salts = || {
            counter += 1;
            [counter; 32]
        };
        let issuance = MdocIssuance {
            doc_type: DOC_TYPE.into(),
            elements,
            validity: MdocValidity { signed: NOW, valid_from: NOW, valid_until },
            status: Some(StatusReference { uri: STATUS.into(), index: PLACE }),
            device_key: key(seed).public_key(),
            decoys: 1,
        };
        let Party { key: signer, chain, .. } = &self.authority;
        let issued = issuance.sign(signer, chain, &mut salts).unwrap();
        IssuedMdoc::verify(issued, &signer.public_key()).unwrap()
    }

    /// A reader that saw `qr` and asks for `elements`, registered by `certificate`.
    pub fn ask_as(
        &self,
        who: &Party,
        certificate: &RegistrationCertificate,
        qr: &str,
        elements: &[&str],
    ) -> (Waiting, Vec<u8>) {
        let registration = certificate.sign(&self.registrar.key, &self.registrar.chain).unwrap();
        let identity =
            ReaderIdentity { chain: &who.chain, signer: &who.key, registration: &registration };
        ask(qr, wanted(elements), identity, &[9; 32]).unwrap()
    }

    /// A message of the device of `seed` to the reader that [`World::ask`] makes, whatever it says.
    pub fn encrypt_as_device(&self, seed: u8, answer: &[u8]) -> Vec<u8> {
        let own = AgreementKey::from_seed(&[seed; 32]).unwrap();
        let reader = AgreementKey::from_seed(&[9; 32]).unwrap().public_key();
        let engagement = DeviceEngagement::new(own.public_key(), vec![]);
        let reader_key = SessionEstablishment::key_bytes(&reader);
        let transcript =
            SessionTranscript::proximity(engagement.bytes(), &reader_key, Handover::Qr);
        let mut cipher = SessionCipher::new(Side::Device, &own, &reader, &transcript).unwrap();
        let data = cipher.encrypt(answer).unwrap();
        SessionData { data: Some(data), status: None }.encode()
    }

    pub fn ask(&self, qr: &str, elements: &[&str]) -> (Waiting, Vec<u8>) {
        self.ask_as(&self.access, &self.certificate(), qr, elements)
    }
}

pub fn wanted(elements: &[&str]) -> Wanted {
    let elements = elements.iter().map(|name| element(name)).collect();
    Wanted { doc_type: DOC_TYPE.into(), elements, keep: false, role: Role::PidIssuer }
}

pub fn device(seed: u8) -> Engaged {
    Engaged::new(&[seed; 32], vec![]).unwrap()
}

fn list(uri: &str, by: &Party, revoked: &[u64]) -> String {
    let mut list = StatusList::new(StatusBits::One, 64).unwrap();
    for index in revoked {
        list.set(*index, Status::Invalid).unwrap();
    }
    let token = StatusListToken {
        uri: uri.into(),
        issued_at: NOW,
        expires_at: NOW.plus_seconds(2 * 3600),
        ttl_seconds: Some(60),
        list,
    };
    token.sign(Header::default().with_chain(&by.chain), &by.key).unwrap()
}
