//! Fixtures: an operator, a registrar with its certificates, a trust list naming it.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly; each test uses a part of it"
)]

use serde::Serialize;
use serde_json::{Value, json};
use yufu_base::{Signer, Timestamp};
pub use yufu_fixtures::{Party, party};
use yufu_jose::{Header, SoftwareKey, sign};
use yufu_trust::{
    GoodPaths, Localized, RegisteredClaim, RegisteredCredential, RegisteredMeta,
    RegistrationCertificate, Role, TrustEntry, TrustList,
};

pub const DAY: u64 = 86_400;

pub fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub fn operator() -> SoftwareKey {
    SoftwareKey::from_seed(&[1; 32]).unwrap()
}

pub fn entry(role: Role, party: &Party) -> TrustEntry {
    let name = Localized::new("zh", "登记处").with("en", "Registrar");
    TrustEntry::new(name, role, "https://registrar.example", std::slice::from_ref(&party.anchor))
}

pub fn list(entries: Vec<TrustEntry>) -> TrustList {
    TrustList {
        operator: "https://trust.example".into(),
        sequence: 5,
        issued_at: now(),
        expires_at: now().plus_seconds(DAY),
        entries,
        recognised: Vec::new(),
        directory: Vec::new(),
        good_paths: GoodPaths::default(),
    }
}

pub fn registration() -> RegistrationCertificate {
    RegistrationCertificate {
        sub: "hotel-1".into(),
        name: Localized::new("zh", "江城宾馆").with("en", "Jiangcheng Hotel"),
        client_id: "x509_hash:abc".into(),
        origins: vec!["https://hotel.example".into(), "http://127.0.0.1:8080".into()],
        purpose: Localized::new("zh", "办理入住").with("en", "Check-in"),
        basis: None,
        credentials: vec![RegisteredCredential {
            format: "dc+sd-jwt".into(),
            meta: RegisteredMeta::sd_jwt_vc(vec!["urn:yufu:pid:1".into()]),
            claims: [json!(["given_name"]), json!(["address"]), json!(["nationalities", null])]
                .map(|path| RegisteredClaim { path: serde_json::from_value(path).unwrap() })
                .to_vec(),
        }],
        privacy_policy: "https://hotel.example/privacy".into(),
        support_uri: "mailto:privacy@hotel.example".into(),
        report_uri: "https://authority.example/report".into(),
        intended_use_id: "hotel-1/check-in".into(),
        retention_days: 30,
        evidence: false,
        issued_at: now(),
        expires_at: now().plus_seconds(30 * DAY),
        status: None,
    }
}

/// `value` as JSON with some members changed, signed as it is.
pub fn forge<T: Serialize>(
    header: Header,
    value: &T,
    key: &dyn Signer,
    change: impl FnOnce(&mut Value),
) -> String {
    let mut payload = serde_json::to_value(value).unwrap();
    change(&mut payload);
    sign(&header, payload.to_string().as_bytes(), key).unwrap()
}
