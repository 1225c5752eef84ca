//! What an issuer's metadata call a credential that has no metadata of its type: an mdoc.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::*;
use yufu_base::Signer;
use yufu_jose::SoftwareKey;
use yufu_openid4vc::HttpResponse;
use yufu_wallet::issuance::{Described, Scanned, scan};

const KIND: &str = MDOC;

/// What a wallet learns of a batch of mdocs whose issuer describes them so.
fn described(described: &Value) -> Option<Described> {
    let world = World::new();
    let mut server = world.mdoc_server();
    let (link, tx_code) = server.offer();
    let Scanned::Value(step, http) = scan(&link, &world.trust).unwrap() else { panic!() };
    let mut metadata: Value = server.answer(&http).json().unwrap();
    let own = &mut metadata["credential_configurations_supported"]["card-mdoc"];
    own["credential_metadata"] = described.clone();
    let (step, http) = step.handle(&HttpResponse::ok_json(&metadata)).unwrap();
    let ready = step.handle(&server.answer(&http)).unwrap();
    let (step, http) = ready.accept(Some(&tx_code)).unwrap();
    let (step, http) = step.handle(&server.answer(&http)).unwrap();
    let keys: Vec<SoftwareKey> = [1, 2].map(key).into();
    let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let (step, http) = step.handle(&server.answer(&http), &keys, NOW).unwrap();
    let held = step.handle(&server.answer(&http), &world.trust, NOW).unwrap();
    assert_eq!(held[0].credential.kind(), KIND);
    assert_eq!(step.type_of(&held), None, "an mdoc names no document of its type");
    step.described(&held)
}

#[test]
fn an_mdoc_and_its_elements_are_called_as_its_issuer_says_in_each_language_12_2_4() {
    let known = described(&json!({
        "display": [{"name": "身份证", "locale": "zh-CN"}, {"name": "身份证", "locale": "zh"},
            {"name": "Card", "locale": "en"}],
        "claims": [{"path": [KIND, "family_name"], "display": [
            {"name": "姓", "locale": "zh"}, {"name": "Family name", "locale": "en"}]},
            {"path": [KIND, "given_name"]}],
    }))
    .unwrap();
    for (language, name, claim) in
        [("zh", "身份证", "姓"), ("en-GB", "Card", "Family name"), ("fr", "Card", "Family name")]
    {
        assert_eq!(known.called(language), Some(name), "{language}");
        let family = path(json!([KIND, "family_name"]));
        assert_eq!(known.claim(&family, language), Some(claim), "{language}");
    }
    assert_eq!(known.claim(&path(json!([KIND, "given_name"])), "en"), None, "called nothing");
    assert_eq!(known.claim(&path(json!(["family_name"])), "en"), None, "another claim");
    let kept = serde_json::to_string(&known).unwrap();
    assert_eq!(serde_json::from_str::<Described>(&kept).unwrap(), known);
}

#[test]
fn names_that_cannot_stand_on_a_screen_as_they_are_count_for_none() {
    let long = "x".repeat(201);
    for bad in ["", " ", "Card\n  shows nothing", "Card\u{1b}[2J", "\u{202e}draC", long.as_str()] {
        let display = json!([{"name": bad, "locale": "en"}]);
        let claims = json!([{"path": [KIND, "family_name"], "display": display}]);
        assert_eq!(described(&json!({"display": display, "claims": claims})), None, "{bad:?}");
        let beside = json!([{"name": bad, "locale": "en"}, {"name": "卡", "locale": "zh"}]);
        let known = described(&json!({"display": beside})).unwrap();
        assert_eq!(known.called("en"), Some("卡"), "{bad:?}");
    }
    assert_eq!(described(&Value::Null), None);
}
