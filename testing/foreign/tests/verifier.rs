//! A verifier by `@openid4vc/openid4vp` that runs by itself: enrolled at the registrar by its own keys, asking and answered
//! over HTTP, by our wallet as a person at a terminal uses it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;
mod their_verifier;

use serde_json::{Value, json};
use support::Caller;
use support::terminal::Terminal;
use their_verifier::{DOC_TYPE, TheirVerifier, VCT, city, identified, query};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");
/// In the register: born in 1965.
const ADULT: usize = 2;

async fn revoke(caller: &Caller, number: &str) {
    let body = json!({"resident_number": number, "reason": "phone lost"});
    let desk = caller.desk("identity-authority");
    caller.post("/authority/v1/officer/revocations", Some(&desk), &body).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_at_a_terminal_answers_their_verifier_in_both_formats_and_encryptions() {
    let mut verifier = TheirVerifier::start();
    let (_data, server) = city(&verifier);
    let caller = server.caller();
    let enrolled = verifier.enrol(&caller);
    assert_eq!(enrolled["purposes"], json!(["let-in"]), "{enrolled}");
    let (name, number) = identified(&caller, ADULT).await;
    let terminal = Terminal::of(&caller, &name);
    for (mdoc, content, sealed) in [
        (false, "A128GCM", false),
        (false, "A256GCM", true),
        (true, "A128GCM", true),
        (true, "A256GCM", false),
    ] {
        let begun = verifier.begin(&query(mdoc), content, json!({"sealed": sealed}));
        let said = terminal.says(&["present", &begun.link]);
        assert!(said.contains("Corner Cinema"), "{said}");
        let result = verifier.result(&begun);
        let shown = &result["shown"];
        if mdoc {
            let seen = &shown["pid-mdoc"];
            assert_eq!(seen["doc_type"], DOC_TYPE, "{result}");
            let elements = seen["elements"].as_object().unwrap();
            assert_eq!(elements["age_equal_or_over.18"], true, "{result}");
            assert!(elements["birthdate"].as_str().unwrap().starts_with("1965"), "{result}");
            assert_eq!(elements.len(), 2, "what was asked, and nothing else: {result}");
        } else {
            let seen = &shown["pid"];
            let payload = &seen["payload"];
            assert_eq!(payload["vct"], VCT, "{result}");
            assert_eq!(payload["iss"], format!("{}/authority", caller.url));
            assert_eq!(payload["age_equal_or_over"], json!({"18": true}));
            assert!(payload["birthdate"].as_str().unwrap().starts_with("1965"));
            assert!(payload.get("family_name").is_none() && payload.get("address").is_none());
            assert_eq!(seen["key_binding"]["aud"], begun.client_id.as_str());
        }
        assert_eq!(verifier.counts(&begun), [1, 1, 0]);
    }
    // The list that the credential names says so, to whoever fetches it.
    revoke(&caller, &number).await;
    let begun = verifier.begin(&query(false), "A256GCM", json!({}));
    terminal.refused(&["present", &begun.link], "did not accept the answer");
    assert_eq!(verifier.result(&begun)["refused"], "Status is not valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_sends_nothing_to_their_verifier_that_asks_otherwise_than_it_may() {
    let mut verifier = TheirVerifier::start();
    let (_data, server) = city(&verifier);
    let caller = server.caller();
    let enrolled = verifier.enrol(&caller);
    assert_eq!(enrolled["ok"], true, "{enrolled}");
    let (name, _) = identified(&caller, ADULT).await;
    let terminal = Terminal::of(&caller, &name);
    let mut more = query(false);
    more["credentials"][0]["claims"][1] = json!({"path": ["family_name"]});
    let mut more_of_mdoc = query(true);
    more_of_mdoc["credentials"][0]["claims"][1] = json!({"path": [DOC_TYPE, "family_name"]});
    let mut everything = query(false);
    everything["credentials"][0]["claims"] = json!([{"path": ["age_equal_or_over"]}]);
    let plain = query(false);
    let other = |what: &str| json!({"otherwise": what});
    let cases: [(&str, &Value, &str, Value, &str); 10] = [
        ("a claim more", &more, "A256GCM", json!({}), "asks for more than it may"),
        ("an element more", &more_of_mdoc, "A256GCM", json!({}), "asks for more than it may"),
        ("all ages", &everything, "A256GCM", json!({}), "asks for more than it may"),
        ("origin", &plain, "A256GCM", other("another origin"), "not registered to receive"),
        ("key", &plain, "A256GCM", other("another key"), "the signature of the request"),
        ("name", &plain, "A256GCM", other("another name"), "the link was of"),
        ("no nonce", &plain, "A256GCM", other("no nonce"), "not made for this wallet now"),
        ("nonce", &plain, "A256GCM", other("another nonce"), "not made for this wallet now"),
        ("registration", &plain, "A256GCM", other("no registration"), "no registration"),
        ("encryption", &plain, "A256CBC-HS512", json!({}), "A128GCM"),
    ];
    for (case, query, content, otherwise, why) in cases {
        let begun = verifier.begin(query, content, otherwise);
        terminal.refused(&["present", &begun.link], why);
        assert_eq!(verifier.counts(&begun), [1, 0, 0], "{case}: fetched, and answered nowhere");
    }
    // What was refused changed nothing: the same wallet answers what is in order.
    let begun = verifier.begin(&plain, "A128GCM", json!({}));
    terminal.says(&["present", &begun.link]);
    assert_eq!(verifier.result(&begun)["shown"]["pid"]["payload"]["vct"], VCT);
    // Once only.
    terminal.refused(&["present", &begun.link], "answered before");
    assert_eq!(verifier.counts(&begun), [2, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_that_nobody_admitted_is_certified_for_nothing() {
    let admitted = TheirVerifier::start();
    let mut stranger = TheirVerifier::start();
    let (_data, server) = city(&admitted);
    let refused = stranger.enrol(&server.caller());
    assert_eq!(
        (&refused["ok"], &refused["error"]),
        (&json!(false), &json!("enrolment.not_admitted"))
    );
}
