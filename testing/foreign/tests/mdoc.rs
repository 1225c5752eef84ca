//! An ISO mdoc of ours verified by `@auth0/mdl`, one of its verified by ours, and what either must refuse.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mdoc_world;
mod node;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mdoc_world::{DOC_TYPE, World, transcript};
use serde_json::{Value, json};
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey, encode_base64url};
use yufu_mdoc::cbor::Value as Cbor;
use yufu_mdoc::{
    DeviceAuthError, DeviceResponse, IssuerSignedError, MdocError, MdocExpected, SessionTranscript,
};

impl World {
    /// A response that shows four of five elements.
    fn showing(&self) -> Vec<u8> {
        let elements = [
            ("family_name", Cbor::text("王")),
            ("given_name", Cbor::text("芳")),
            ("birthdate", Cbor::tagged(1004, Cbor::text("1991-05-04"))),
            ("age_equal_or_over.18", Cbor::Bool(true)),
            ("sex", Cbor::Unsigned(2)),
        ];
        let shown = ["family_name", "birthdate", "age_equal_or_over.18", "sex"];
        self.present_of(&elements, &shown, &transcript("n"))
    }

    fn foreign(&self, response: &[u8], transcript: &SessionTranscript, anchor: &[u8]) -> Value {
        let input = json!({
            "response": STANDARD.encode(response),
            "transcript": STANDARD.encode(transcript.to_bytes()),
            "anchors": [STANDARD.encode(anchor)],
        });
        node::run("mdoc.mjs", &input)
    }
}

fn private(key: &SoftwareKey) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from(key.public_key())).unwrap();
    let members = jwk.as_object_mut().unwrap();
    members.insert("d".to_owned(), encode_base64url(*key.to_scalar().unwrap()).into());
    members.insert("kid".to_owned(), "1".into());
    jwk
}

#[test]
fn a_presentation_of_ours_is_verified_and_shows_only_what_was_chosen() {
    let world = World::new();
    let seen = world.foreign(&world.showing(), &transcript("n"), world.issuer().2);
    assert_eq!(seen["failed"], json!([]), "{seen}");
    let elements = seen["elements"].as_object().unwrap();
    assert_eq!(elements["family_name"], "王");
    assert_eq!(elements["age_equal_or_over.18"], true);
    assert_eq!(elements["sex"], 2);
    assert!(elements["birthdate"].as_str().unwrap().starts_with("1991-05-04"), "{seen}");
    assert_eq!(elements.len(), 4, "{seen}");
}

#[test]
fn the_foreign_library_refuses_what_must_be_refused() {
    let world = World::new();
    let failed = |response: &[u8], transcript: &SessionTranscript, anchor: &[u8]| {
        let seen = world.foreign(response, transcript, anchor);
        seen["failed"].as_array().cloned().unwrap_or_default()
    };
    let anchor = world.issuer().2;
    let response = world.showing();
    let other = failed(&response, &transcript("m"), anchor);
    assert_eq!(other, ["Device signature must be valid"], "another conversation");
    let stranger = World::new();
    let untrusted = failed(&response, &transcript("n"), stranger.issuer().2);
    assert_eq!(untrusted, ["Issuer certificate must be valid"], "another authority");
    let place = response.windows(3).position(|window| window == "王".as_bytes()).unwrap();
    let mut altered = response.clone();
    for (to, from) in altered.iter_mut().skip(place).zip("李".as_bytes()) {
        *to = *from;
    }
    let altered = failed(&altered, &transcript("n"), anchor);
    assert_eq!(altered.len(), 1, "another value: {altered:?}");
}

#[test]
fn a_document_that_the_foreign_library_issued_and_showed_is_verified_by_ours() {
    let world = World::new();
    let (issuer, chain, anchor) = world.issuer();
    let transcript = transcript("n");
    let input = json!({"issue": {
        "doc_type": DOC_TYPE,
        "elements": {"family_name": "Jones", "given_name": "Ava", "age_over_18": true},
        "issuer": private(issuer),
        "certificate": STANDARD.encode(chain.unverified_leaf()),
        "device": private(world.holder()),
        "transcript": STANDARD.encode(transcript.to_bytes()),
        "shown": ["family_name", "age_over_18"],
    }});
    let made = node::run("mdoc.mjs", &input);
    assert_eq!(made["ok"], true, "{made}");
    let response = STANDARD.decode(made["response"].as_str().unwrap()).unwrap();
    let document = DeviceResponse::decode(&response).unwrap().into_document().unwrap();
    let now = world.now().plus_seconds(5);
    let expected =
        MdocExpected { transcript: &transcript, reader_key: None, now, leeway_seconds: 30 };
    let leaf = document.chain().unwrap().verify(&[anchor.to_vec()], now).unwrap();
    let seen = document.verify(&leaf.public_key, &expected).unwrap();
    let elements = json!({DOC_TYPE: {"family_name": "Jones", "age_over_18": true}});
    assert_eq!(Value::Object(seen.elements), elements);
    assert_eq!(seen.device_key, world.holder().public_key());

    let other = mdoc_world::transcript("m");
    let refused =
        document.verify(&leaf.public_key, &MdocExpected { transcript: &other, ..expected });
    assert!(matches!(refused, Err(MdocError::Device(DeviceAuthError::Cose(_)))));
    let stranger = World::new();
    let refused = document.verify(&stranger.issuer().0.public_key(), &expected);
    assert!(matches!(refused, Err(MdocError::Issuer(IssuerSignedError::Signature(_)))));
}
