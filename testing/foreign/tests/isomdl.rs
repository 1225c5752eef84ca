//! The crate `isomdl`, as it comes from its registry, as an oracle: it verifies device responses of ours, our reader reads
//! its device, and neither takes what it must not; and it verifies what the running authority issued.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod mdoc_world;
mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;
mod their_verifier;

use mdoc_world::{DOC_TYPE, World, read_by, transcript};
use serde_json::{Value, json};
use std::process::Command;
use support::terminal::Terminal;
use support::visits::Street;
use their_verifier::TheirVerifier;
use yufu_jose::{decode_base64url, encode_base64url};
use yufu_mdoc::{DeviceEngagement, SessionTranscript};
use yufu_proximity::{Engaged, RefuseReader};
use yufu_trust::Role;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");

/// Where `cargo xtask test` builds it.
const ORACLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/isomdl/debug/isomdl-oracle");

fn oracle(input: &Value) -> Value {
    node::program(&mut Command::new(ORACLE), input)
}

fn verified(response: &[u8], transcript: &SessionTranscript) -> Value {
    oracle(&json!({
        "as": "verify", "response": encode_base64url(response),
        "transcript": encode_base64url(transcript.encode()),
    }))
}

#[test]
fn a_response_of_ours_is_verified_for_its_own_conversation_of_either_kind_and_no_other() {
    let world = World::new();
    let page = SessionTranscript::digital_credentials("https://v.example", "n", Some(&[1; 32]));
    for own in [transcript("n"), page] {
        let response = world.present(&own);
        let seen = verified(&response, &own);
        assert_eq!(seen["ok"], true, "{seen}");
        let checks = (&seen["issuer"], &seen["device"], &seen["digests"]);
        assert_eq!(checks, (&Value::Null, &Value::Null, &json!(true)), "{seen}");
        assert_eq!(
            (&seen["doc_type"], &seen["mso_doc_type"]),
            (&json!(DOC_TYPE), &json!(DOC_TYPE))
        );
        let elements = json!({"family_name": "王", "age_equal_or_over.18": true});
        assert_eq!(seen["elements"], elements, "what was chosen, and nothing else");
        let other = verified(&response, &transcript("m"));
        assert!(other["device"].is_string() && other["issuer"].is_null(), "{other}");
        let place = response.windows(3).position(|window| window == "王".as_bytes()).unwrap();
        let mut altered = response.clone();
        altered[place..place + 3].copy_from_slice("李".as_bytes());
        assert_eq!(verified(&altered, &own)["digests"], false);
    }
}

#[test]
fn our_certificates_keep_annex_b_as_it_reads_that_and_others_do_not() {
    let world = World::new();
    let response = encode_base64url(world.present(&transcript("n")));
    let errors = |anchor: &[u8]| {
        let anchor = encode_base64url(anchor);
        let seen = oracle(&json!({"as": "certificates", "response": response, "anchor": anchor}));
        assert_eq!(seen["ok"], true, "{seen}");
        seen["errors"].clone()
    };
    assert_eq!(errors(world.issuer().2), json!([]));
    let stranger = errors(World::new().issuer().2);
    assert!(stranger[0].as_str().unwrap().contains("no valid trust anchor"), "{stranger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_running_authority_issued_is_verified_as_it_was_shown_over_openid4vp_b_2_6_1() {
    let mut verifier = TheirVerifier::start();
    let (_data, server) = their_verifier::city(&verifier);
    let caller = server.caller();
    let enrolled = verifier.enrol(&caller);
    assert_eq!(enrolled["ok"], true, "{enrolled}");
    let (name, _) = their_verifier::identified(&caller, 2).await;
    let terminal = Terminal::of(&caller, &name);
    let mut shown = Vec::new();
    for content in ["A128GCM", "A256GCM"] {
        let begun = verifier.begin(&their_verifier::query(true), content, json!({}));
        terminal.says(&["present", &begun.link]);
        let result = verifier.result(&begun);
        let seen = &result["shown"]["pid-mdoc"];
        assert!(seen["presentation"].is_string(), "{result}");
        shown.push((seen["presentation"].clone(), seen["transcript"].clone()));
    }
    // The transcripts are those that the other verifier put together from its requests.
    let verify = |(response, _): &(Value, Value), (_, transcript): &(Value, Value)| {
        let seen = oracle(&json!({"as": "verify", "response": response, "transcript": transcript}));
        assert_eq!((&seen["ok"], &seen["issuer"]), (&json!(true), &Value::Null), "{seen}");
        seen
    };
    for one in &shown {
        let seen = verify(one, one);
        assert_eq!((&seen["device"], &seen["digests"]), (&Value::Null, &json!(true)), "{seen}");
        assert_eq!(seen["doc_type"], their_verifier::DOC_TYPE);
        assert_eq!(seen["mso_doc_type"], their_verifier::DOC_TYPE);
        let elements = seen["elements"].as_object().unwrap();
        assert_eq!(elements["age_equal_or_over.18"], true);
        assert!(elements["birthdate"].as_str().unwrap().starts_with("1965"), "{seen}");
        assert_eq!(elements.len(), 2, "{seen}");
    }
    assert!(verify(&shown[0], &shown[1])["device"].is_string(), "shown in another conversation");
    // The authority's certificates as ISO/IEC 18013-5, Annex B, has them; a bank's anchor is not theirs.
    let trust = Street::of(&caller).await.trust;
    let errors = |role: Role| {
        let entry = trust.entries.iter().find(|entry| entry.role == role).unwrap();
        let anchor = encode_base64url(&entry.authorities().unwrap()[0]);
        let input = json!({"as": "certificates", "response": shown[0].0, "anchor": anchor});
        let seen = oracle(&input);
        assert_eq!(seen["ok"], true, "{seen}");
        seen["errors"].clone()
    };
    assert_eq!(errors(Role::PidIssuer), json!([]));
    assert_ne!(errors(Role::BankIssuer), json!([]));
}

#[test]
fn our_reader_reads_its_device_and_takes_its_answer_in_no_other_session() {
    let world = World::new();
    let input =
        world.foreign_document(&json!({"family_name": "王", "given_name": "芳", "age": 33}));
    let engaged = oracle(&input);
    assert_eq!(engaged["ok"], true, "{engaged}");
    let qr = engaged["qr"].as_str().unwrap();
    assert!(DeviceEngagement::from_qr(qr).is_ok());
    let answer = |message: &[u8]| {
        let answer = oracle(&json!({
            "as": "answer", "state": engaged["state"], "device": input["device"],
            "message": encode_base64url(message),
        }));
        assert_eq!(answer["ok"], true, "{answer}");
        assert_eq!(answer["asked"], json!(["family_name"]), "it reads our signed request");
        decode_base64url(answer["message"].as_str().unwrap()).unwrap()
    };
    let (waiting, message) = world.ask(qr);
    let seen = read_by(&world, waiting, &answer(&message)).unwrap();
    assert_eq!(json!(seen.claims), json!({"family_name": "王"}));
    let (_, message) = world.ask(qr);
    let (other, _) = world.ask(qr);
    assert!(read_by(&world, other, &answer(&message)).is_err(), "of another session");
}

#[test]
fn its_reader_reads_our_code_and_is_refused_for_it_does_not_say_who_it_is() {
    let world = World::new();
    let device = Engaged::new(&[7; 32], Vec::new()).unwrap();
    let said = oracle(&json!({
        "as": "read", "qr": device.qr(), "namespace": "org.iso.18013.5.1", "element": "age_over_18",
    }));
    assert_eq!(said["ok"], true, "{said}");
    let message = decode_base64url(said["message"].as_str().unwrap()).unwrap();
    let refused = device.handle(&message, &world.offline()).unwrap_err();
    assert_eq!(refused, RefuseReader::Request(yufu_mdoc::ReaderError::Unsigned), "{refused}");
}
