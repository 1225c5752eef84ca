//! A document with five elements, its issuer and its holder.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses its part")]

use std::sync::OnceLock;
use yufu_base::{Signer as _, Timestamp};
use yufu_fixtures::{Party, key, party};
use yufu_jose::ClaimPath;
use yufu_mdoc::cbor::Value;
use yufu_mdoc::{
    Document, IssuedMdoc, IssuerSigned, MdocExpected, MdocIssuance, MdocValidity, SessionTranscript,
};

pub const DOC_TYPE: &str = "org.example.pid.1";
pub const NOW: u64 = 1_800_000_000;

pub fn issuer() -> &'static Party {
    static ISSUER: OnceLock<Party> = OnceLock::new();
    ISSUER.get_or_init(party)
}

pub fn salts() -> impl FnMut() -> [u8; 32] {
    let mut counter = 100_u8;
    move || {
        counter = counter.wrapping_mul(7).wrapping_add(13);
        [counter; 32]
    }
}

pub fn issuance(elements: Vec<(String, Value)>) -> MdocIssuance {
    let now = Timestamp::from_seconds(NOW);
    MdocIssuance {
        doc_type: DOC_TYPE.to_owned(),
        elements,
        validity: MdocValidity {
            signed: now,
            valid_from: now,
            valid_until: now.plus_seconds(86_400),
        },
        status: None,
        device_key: key(2).public_key(),
        decoys: 2,
    }
}

pub fn issue() -> IssuerSigned {
    let elements = vec![
        ("family_name".to_owned(), Value::text("王")),
        ("given_name".to_owned(), Value::text("芳")),
        ("birthdate".to_owned(), Value::tagged(1004, Value::text("1991-05-04"))),
        ("sex".to_owned(), Value::Unsigned(2)),
        ("age_over_18".to_owned(), Value::Bool(true)),
    ];
    issuance(elements).sign(&issuer().key, &issuer().chain, &mut salts()).unwrap()
}

pub fn held() -> IssuedMdoc {
    IssuedMdoc::verify(issue(), &issuer().key.public_key()).unwrap()
}

pub fn path(name: &str) -> ClaimPath {
    ClaimPath::members([DOC_TYPE, name]).unwrap()
}

pub fn transcript() -> SessionTranscript {
    SessionTranscript::openid4vp("x509_hash:v", "n", Some(&[1; 32]), "https://v.example/r")
}

pub fn shown(names: &[&str], transcript: &SessionTranscript) -> Document {
    let paths: Vec<ClaimPath> = names.iter().map(|name| path(name)).collect();
    held().show(&paths, transcript, &key(2)).unwrap()
}

pub fn expected(transcript: &SessionTranscript) -> MdocExpected<'_> {
    let now = Timestamp::from_seconds(NOW);
    MdocExpected { transcript, reader_key: None, now, leeway_seconds: 30 }
}
