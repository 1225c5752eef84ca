//! The running city's type metadata, found and read by `@sd-jwt/sd-jwt-vc` as a stranger finds them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use serde_json::json;
use support::{Data, Resident, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");

#[tokio::test]
async fn a_stranger_finds_and_reads_the_type_of_an_identity_of_the_running_authority() {
    let data = Data::new();
    let server = Server::start(&data);
    let resident = Resident::identified(&server.caller(), 1).await;
    let (held, _) = resident.credentials().remove(0);
    let seen = node::run("type-metadata.mjs", &json!({"sd_jwt": held.credential.issued()}));
    assert_eq!(seen["ok"], true, "{seen}");
    let read = &seen["type"];
    assert_eq!(read["vct"], "urn:yufu:pid:cn:1");
    assert_eq!(read["display"][0]["locale"], "zh");
    assert_eq!(read["display"][0]["name"], "居民身份证（数字）");
    assert_eq!(read["display"][1]["name"], "Resident identity card");
    let claims = read["claims"].as_array().unwrap();
    let number = claims.iter().find(|claim| claim["path"][0] == "personal_administrative_number");
    let number = number.unwrap();
    assert_eq!(number["display"][0]["label"], "公民身份号码");
    assert_eq!((&number["sd"], &number["mandatory"]), (&json!("always"), &json!(true)));
    assert_eq!(seen["chain"], json!(["urn:yufu:pid:cn:1"]));
}
