//! A small world, and a wallet that can be made to misbehave.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use yufu_base::{Signer as _, Timestamp};
use yufu_credential::{Issuance, KeyBinding, SdJwt, StatusReference};
pub use yufu_fixtures::{Party, key, members, party};
use yufu_jose::jwe::{self, ContentEncryption, Entropy, Parameters};
use yufu_jose::{ClaimPath, Header, Unverified};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::{AccountOpening, RequestObject, TransactionData};
use yufu_trust::{
    GoodPaths, Localized, RegisteredClaim, RegisteredCredential, RegisteredMeta,
    RegistrationCertificate, Role, Status, StatusBits, StatusList, StatusListToken, TrustEntry,
    TrustList,
};
use yufu_verifier::{Question, RequestEntropy, Requested, Verifier};

pub const NOW: Timestamp = Timestamp::from_seconds(1_790_000_123);
pub const DAY: u64 = 86_400;
pub const PID: &str = "urn:yufu:pid:1";
/// The identity as an mdoc.
pub const DOC_TYPE: &str = "org.example.pid.1";
/// What both issue, in both formats.
pub const OTHER: &str = "org.example.other.1";
pub const STATUS: &str = "https://id.example/status/1";

pub struct World {
    pub trust: TrustList,
    pub authority: Party,
    pub bank: Party,
    pub registrar: Party,
    pub access: Party,
}

impl World {
    pub fn new() -> Self {
        let (authority, bank, registrar, access) = (party(), party(), party(), party());
        let entry = |role, url: &str, party: &Party| {
            let anchors = std::slice::from_ref(&party.anchor);
            TrustEntry::new(Localized::new("en", url), role, url, anchors)
        };
        let entries = vec![
            entry(Role::PidIssuer, "https://id.example", &authority)
                .issuing([PID, DOC_TYPE, OTHER]),
            entry(Role::BankIssuer, "https://bank.example", &bank).issuing([OTHER]),
            entry(Role::Registrar, "https://reg.example", &registrar),
            entry(Role::AccessCa, "https://ca.example", &access),
        ];
        let trust = TrustList {
            operator: "https://trust.example".into(),
            sequence: 1,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(30 * DAY),
            entries,
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        Self { trust, authority, bank, registrar, access }
    }

    pub fn certificate(&self) -> RegistrationCertificate {
        let hash = yufu_jose::sha256(self.access.chain.unverified_leaf());
        let claims = ["family_name", "given_name"].map(ClaimPath::member);
        RegistrationCertificate {
            sub: "hotel-1".into(),
            name: Localized::new("en", "Hotel"),
            client_id: format!("x509_hash:{}", yufu_jose::encode_base64url(hash)),
            origins: vec!["https://hotel.example".into()],
            purpose: Localized::new("en", "Check-in"),
            basis: None,
            credentials: vec![RegisteredCredential {
                format: "dc+sd-jwt".into(),
                meta: RegisteredMeta::sd_jwt_vc(vec![PID.into()]),
                claims: claims.into_iter().map(|path| RegisteredClaim { path }).collect(),
            }],
            privacy_policy: "https://hotel.example/privacy".into(),
            support_uri: "https://hotel.example/support".into(),
            report_uri: "https://reg.example/report".into(),
            intended_use_id: "checkin".into(),
            retention_days: 30,
            evidence: false,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(90 * DAY),
            status: Some(StatusReference {
                uri: "https://reg.example/registrar/status/1".into(),
                index: 33,
            }),
        }
    }

    pub fn registration(&self, certificate: &RegistrationCertificate) -> String {
        certificate.sign(&self.registrar.key, &self.registrar.chain).unwrap()
    }

    pub fn verifier(&self) -> Verifier {
        let registration = self.registration(&self.certificate());
        let base = Endpoint::parse("https://hotel.example/ask").unwrap();
        Verifier::new(self.access.chain.clone(), base, registration, &self.trust, NOW).unwrap()
    }

    /// A request that was fetched, and what the wallet read.
    pub fn asked(&self, question: Question) -> (Requested, RequestObject) {
        let (mut session, _) = self.verifier().start(question, &entropy(), NOW, 300).unwrap();
        let jws = session.request_object(None, NOW, &self.access.key).unwrap();
        let token = Unverified::parse(&jws).unwrap();
        (session, RequestObject::from_json(token.unverified_payload()).unwrap())
    }

    pub fn status_list(&self, signer: &Party, until: Timestamp, revoked: &[u64]) -> String {
        self.status_list_at(STATUS, signer, until, revoked)
    }

    pub fn status_list_at(
        &self,
        uri: &str,
        signer: &Party,
        until: Timestamp,
        revoked: &[u64],
    ) -> String {
        let mut list = StatusList::new(StatusBits::One, 64).unwrap();
        for index in revoked {
            list.set(*index, Status::Invalid).unwrap();
        }
        let (uri, ttl_seconds) = (uri.to_owned(), None);
        let token = StatusListToken { uri, issued_at: NOW, expires_at: until, ttl_seconds, list };
        token.sign(Header::default().with_chain(&signer.chain), &signer.key).unwrap()
    }
}

pub fn entropy() -> RequestEntropy {
    RequestEntropy { id: [1; 16], state: [2; 16], nonce: [3; 32], response_key: [4; 32] }
}

pub fn question() -> Question {
    let query = CredentialQuery::sd_jwt_vc("id", PID, &[ClaimPath::member("family_name")]);
    let query = DcqlQuery::new(vec![query], None).unwrap();
    Question {
        query,
        roles: BTreeMap::new(),
        foreign: BTreeMap::new(),
        transactions: vec![opening("id")],
    }
}

pub fn opening(id: &str) -> TransactionData {
    TransactionData::AccountOpening(AccountOpening {
        credential_ids: vec![id.into()],
        bank: "bank-of-jiangcheng".into(),
        class: "III".into(),
        wallet_key_thumbprint: yufu_jose::encode_base64url([7; 32]),
    })
}

/// How a presentation departs from an honest one.
pub struct Show<'a> {
    pub issuer: &'a Party,
    pub issuance: Issuance,
    pub disclose: Vec<&'static str>,
    pub binding: KeyBinding,
}

impl<'a> Show<'a> {
    pub fn honest(world: &'a World, request: &RequestObject) -> Self {
        let transactions = request.transaction_data.iter();
        Self {
            issuer: &world.authority,
            issuance: Issuance {
                vct: PID.into(),
                type_integrity: None,
                issuer: "https://id.example".into(),
                issued_at: NOW,
                not_before: None,
                expires_at: NOW.plus_seconds(DAY),
                status: Some(StatusReference { uri: STATUS.into(), index: 7 }),
                holder_key: key(1).public_key().into(),
                open: members(json!({"issuing_country": "CN"})),
                selective: members(json!({"family_name": "李", "given_name": "华"})),
                decoys: 0,
            },
            disclose: vec!["family_name"],
            binding: KeyBinding {
                audience: request.client_id.clone(),
                nonce: request.nonce.clone(),
                issued_at: NOW,
                transaction_data: transactions.map(|t| t.text().to_owned()).collect(),
            },
        }
    }

    pub fn present(self) -> String {
        let mut salt = 0_u8;
        let mut salts = || {
            salt += 1;
            [salt; 16]
        };
        let Party { key: signer, chain, .. } = self.issuer;
        let issued = self.issuance.sign(signer, chain, &mut salts).unwrap();
        let held = SdJwt::parse(&issued).unwrap().verify(&signer.public_key()).unwrap();
        let paths: Vec<ClaimPath> = self.disclose.into_iter().map(ClaimPath::member).collect();
        held.disclose(&paths).unwrap().bind(&self.binding, &key(1)).unwrap()
    }
}

/// The form a wallet posts.
pub fn form(request: &RequestObject, answer: &Value, kid: Option<&str>) -> Vec<u8> {
    let enc = ContentEncryption::A128Gcm;
    let kid = kid.map(str::to_owned);
    let parameters = Parameters { kid, apv: Some(b"nonce".to_vec()), ..enc.into() };
    let entropy = Entropy { ephemeral: [8; 32], iv: [9; 12] };
    let recipient = &request.reply.encryption().unwrap().encryption_key;
    let jwe = jwe::encrypt(recipient, &parameters, answer.to_string().as_bytes(), &entropy);
    format!("response={}", jwe.unwrap()).into_bytes()
}
