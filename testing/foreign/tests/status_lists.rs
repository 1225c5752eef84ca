//! Status lists of the running authority, read by other people's libraries in both forms: the JWT by `jose` and
//! `@sd-jwt/jwt-status-list`, the CWT by `cwt` (Python). Each reads the bits that ours reads. And an mdoc's own place in
//! them, read from what its issuer signed by `@auth0/mdl`, before and after it is revoked.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use support::visits::Street;
use support::{Caller, Data, Resident, Server, carry, now};
use yufu::wallet::Wanted;
use yufu_jose::{ClaimPath, encode_base64url};
use yufu_mdoc::{DeviceResponse, SessionTranscript};
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_trust::{
    Role, STATUS_LIST_CWT_MEDIA_TYPE, STATUS_LIST_MEDIA_TYPE, Status, StatusListToken, TrustEntry,
};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");
const DOC_TYPE: &str = "org.yufu.pid.cn.1";
/// Where `cargo xtask test` puts it.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python/bin/python");

/// A list in its two forms, and what ours makes of it.
struct Fetched {
    jwt: String,
    cwt: Vec<u8>,
    own: Value,
}

async fn fetched(street: &Street, issuer: &TrustEntry, uri: &str) -> Fetched {
    let get = async |kind: &str| {
        let asking = HttpRequest::get(Endpoint::parse(uri).unwrap(), kind);
        let answer = carry(&street.caller, &asking).await;
        assert_eq!(answer.content_type.as_deref(), Some(kind));
        answer.body
    };
    let cwt = get(STATUS_LIST_CWT_MEDIA_TYPE).await;
    let jwt = String::from_utf8(get(STATUS_LIST_MEDIA_TYPE).await).unwrap();
    let own = StatusListToken::verify_of(&jwt, &street.trust, issuer, uri, now()).unwrap();
    let of_cwt = StatusListToken::verify_cwt_of(&cwt, &street.trust, issuer, uri, now()).unwrap();
    assert_eq!(own.list, of_cwt.list);
    let all: Vec<u8> = (0..).map_while(|index| own.list.get(index)).map(Status::value).collect();
    let set: Vec<Value> = all
        .iter()
        .enumerate()
        .filter(|(_, status)| **status != 0)
        .map(|(index, status)| json!([index, status]))
        .collect();
    let own = json!({
        "sub": uri, "ttl": own.ttl_seconds, "bits": u8::from(own.list.bits()),
        "size": all.len(), "set": set,
    });
    Fetched { jwt, cwt, own }
}

fn by_jose(jwt: &str, anchors: &[String]) -> Value {
    node::run("status-list.mjs", &json!({"jwt": jwt, "anchors": anchors}))
}

fn by_python(cwt: &[u8], anchors: &[String]) -> Value {
    let step = json!({"cwt": encode_base64url(cwt), "anchors": anchors});
    node::program(Command::new(PYTHON).arg("status_list_cwt.py"), &step)
}

/// That they read what ours reads.
#[track_caller]
fn agree(own: &Value, theirs: &Value) {
    for (name, value) in own.as_object().unwrap() {
        assert_eq!(&theirs[name], value, "{name}: {theirs}");
    }
    assert_eq!(theirs["ok"], true);
}

async fn revoke(caller: &Caller, resident: &Resident) {
    let body = json!({"resident_number": resident.number, "reason": "phone lost"});
    let desk = caller.desk("identity-authority");
    caller.post("/authority/v1/officer/revocations", Some(&desk), &body).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_authoritys_lists_say_the_same_to_jose_and_to_python_cwt_as_to_ours() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let mut places = BTreeSet::new();
    for row in [1, 2] {
        let resident = Resident::of(&caller, row);
        for (held, _) in street.sd_jwts(&resident.number).await {
            let status = held.credential.status().unwrap().clone();
            if row == 1 {
                places.insert((status.uri, status.index));
            }
        }
        if row == 1 {
            revoke(&caller, &resident).await;
        }
    }
    let listed = street.trust.entries.iter().find(|entry| entry.role == Role::PidIssuer);
    let issuer = listed.unwrap();
    let anchors = &issuer.certificates;
    let all = caller.get("/authority/status", None).await.done();
    let mut revoked = BTreeSet::new();
    for uri in all["status_lists"].as_array().unwrap() {
        let uri = uri.as_str().unwrap();
        let Fetched { jwt, cwt, own } = fetched(&street, issuer, uri).await;
        let (jose, python) = (by_jose(&jwt, anchors), by_python(&cwt, anchors));
        agree(&own, &jose);
        agree(&own, &python);
        for entry in python["set"].as_array().unwrap() {
            assert_eq!(entry[1], 1, "revoked");
            revoked.insert((uri.to_owned(), entry[0].as_u64().unwrap()));
        }
    }
    assert_eq!(revoked, places, "the batch of one resident, and nothing of the other's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_altered_or_another_authoritys_is_read_by_neither() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let entry = |role: Role| street.trust.entries.iter().find(move |entry| entry.role == role);
    let (issuer, bank) = (entry(Role::PidIssuer).unwrap(), entry(Role::BankIssuer).unwrap());
    let uri = format!("{}/authority/status/1", caller.url);
    let Fetched { jwt, cwt, .. } = fetched(&street, issuer, &uri).await;
    let refused = |said: &Value, why: &str| {
        assert_eq!(said["ok"], false, "{said}");
        assert!(said["error"].as_str().unwrap().contains(why), "{said}");
    };
    refused(&by_jose(&jwt, &bank.certificates), "no anchor issued");
    refused(&by_python(&cwt, &bank.certificates), "no anchor issued");
    let mut parts: Vec<&str> = jwt.split('.').collect();
    let other = encode_base64url(json!({"sub": uri, "exp": 4_000_000_000_u64}).to_string());
    parts[1] = &other;
    refused(&by_jose(&parts.join("."), &issuer.certificates), "signature");
    let mut altered = cwt.clone();
    *altered.last_mut().unwrap() ^= 1;
    refused(&by_python(&altered, &issuer.certificates), "verify");
}

/// Where the resident's first mdoc has its status, as `@auth0/mdl` reads it out of what the authority signed.
fn place_by_mdl(resident: &Resident, anchors: &[String]) -> Value {
    let (held, key) = resident.credential();
    let mdoc = held.credential.as_mdoc().unwrap();
    let transcript =
        SessionTranscript::openid4vp("x509_hash:v", "n", Some(&[1; 32]), "https://v.example/r");
    let shown = [ClaimPath::members([DOC_TYPE, "age_equal_or_over.18"]).unwrap()];
    let document = mdoc.show(&shown, &transcript, &key).unwrap();
    let seen = node::run(
        "mdoc.mjs",
        &json!({
            "response": STANDARD.encode(DeviceResponse::of(vec![document]).encode()),
            "transcript": STANDARD.encode(transcript.to_bytes()),
            "anchors": anchors,
        }),
    );
    assert_eq!(seen["failed"], json!([]), "{seen}");
    assert_eq!(seen["elements"].as_object().unwrap().len(), 1, "{seen}");
    seen["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mdocs_own_status_is_found_by_mdl_and_read_by_cwt_before_and_after_it_is_revoked() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let mut residents = [Resident::of(&caller, 1), Resident::of(&caller, 2)];
    for resident in &mut residents {
        let (offer, code) = resident.offer(&caller).await;
        let wanted = Wanted { pseudonyms: true, mdoc: true };
        resident.wallet.get_as(&offer, Some(&code), wanted).await.unwrap();
    }
    let listed = street.trust.entries.iter().find(|entry| entry.role == Role::PidIssuer);
    let anchors = &listed.unwrap().certificates;
    let places = residents.each_ref().map(|resident| place_by_mdl(resident, anchors));
    for (place, resident) in places.iter().zip(&residents) {
        let own = resident.credential().0.credential.status().unwrap().clone();
        assert_eq!(*place, json!({"uri": own.uri, "idx": own.index}));
    }
    // What stands at a place, by their reading of the list at the address that is in the mdoc.
    let status = async |place: &Value| {
        let uri = place["uri"].as_str().unwrap();
        let asking = HttpRequest::get(Endpoint::parse(uri).unwrap(), STATUS_LIST_CWT_MEDIA_TYPE);
        let read = by_python(&carry(&caller, &asking).await.body, anchors);
        assert_eq!((&read["ok"], &read["sub"]), (&json!(true), &place["uri"]), "{read}");
        assert!(place["idx"].as_u64() < read["size"].as_u64(), "{read}");
        let mut set = read["set"].as_array().unwrap().iter();
        set.find(|entry| entry[0] == place["idx"]).map_or(json!(0), |entry| entry[1].clone())
    };
    assert_eq!([status(&places[0]).await, status(&places[1]).await], [json!(0), json!(0)]);
    revoke(&caller, &residents[0]).await;
    assert_eq!([status(&places[0]).await, status(&places[1]).await], [json!(1), json!(0)]);
}
