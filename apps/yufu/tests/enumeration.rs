//! Numbers of persons cannot be tried out: whoever is not their holder, nor at a desk, gets the same answer for one that is
//! in a register and for one that is not, and nothing is looked up for it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::Connection;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::{Caller, Data, JIANGCHENG, Resident, Server};
use yufu_jose::{Jwk, SoftwareKey};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const API: &str = include_str!("../../../docs/openapi.json");
/// The members of requests that name a person by a number that others may know: the whole interface is held against it.
const NUMBERS: [&str; 4] = ["resident_number", "guardian_number", "ward_number", "number"];
/// A number of the register's scheme that nobody has.
const NOBODY: &str = "110105194912310021";

/// An operation of the interface that takes a number: its path, the names, and the schema of its body.
struct Asks {
    path: String,
    names: BTreeSet<String>,
    secured: bool,
}

/// The names of the members of a schema, those within included.
fn names(api: &Value, schema: &Value, found: &mut BTreeSet<String>, depth: usize) {
    if depth == 0 {
        return;
    }
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return names(api, &api["components"]["schemas"][name], found, depth - 1);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name.clone());
        names(api, member, found, depth - 1);
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            names(api, one, found, depth - 1);
        }
    }
}

/// Every operation that takes a number of a person.
fn asking() -> Vec<Asks> {
    let api: Value = serde_json::from_str(API).unwrap();
    let mut all = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut found = BTreeSet::new();
            for body in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                names(&api, &body.1["schema"], &mut found, 8);
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                found.insert(parameter["name"].as_str().unwrap().to_owned());
            }
            let names: BTreeSet<String> =
                found.into_iter().filter(|name| NUMBERS.contains(&name.as_str())).collect();
            if names.is_empty() {
                continue;
            }
            assert_eq!(method, "post", "{path}: a number in an address is in every log on the way");
            let secured = operation["security"].as_array().is_some_and(|all| !all.is_empty());
            all.push(Asks { path: path.replace("{bank}", JIANGCHENG), names, secured });
        }
    }
    all
}

/// How many looks into the register were recorded.
fn looks(data: &Data) -> u64 {
    let file = data.path().join("identity-authority").join("population.sqlite");
    let all = "SELECT count(*) FROM population_access";
    Connection::open(file).unwrap().query_row(all, [], |row| row.get(0)).unwrap()
}

/// An answer, but for when it was given.
async fn heard(
    caller: &Caller,
    path: &str,
    token: Option<&str>,
    body: &[u8],
) -> (u16, BTreeMap<String, String>, Vec<u8>) {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
    let url = format!("{}{path}", caller.url);
    let heard = caller.client.exchange_whole("POST", &url, &headers, body.to_vec()).await.unwrap();
    let headers = heard.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
    (heard.status, headers, heard.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_is_taken_from_whoever_is_not_at_a_desk_and_a_hit_is_answered_like_a_miss() {
    let operations = asking();
    assert!(operations.len() > 10, "only {}: has the interface's form changed?", operations.len());
    let open: Vec<&str> =
        operations.iter().filter(|one| !one.secured).map(|one| one.path.as_str()).collect();
    assert!(open.is_empty(), "anybody may try out numbers at {open:?}");
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let somebody = Resident::of(&caller, 1).number;
    let before = looks(&data);
    for Asks { path, names, .. } in &operations {
        let body = |number: &str| -> Vec<u8> {
            let members = names.iter().map(|name| (name.clone(), json!(number)));
            Value::Object(members.collect::<Map<_, _>>()).to_string().into_bytes()
        };
        for token in [None, Some("a-guess"), Some("")] {
            let hit = heard(&caller, path, token, &body(&somebody)).await;
            let miss = heard(&caller, path, token, &body(NOBODY)).await;
            assert_eq!(hit.0, 401, "{path}");
            assert_eq!(hit, miss, "{path}: a hit is told from a miss");
            // Not even read: what is no JSON is refused alike.
            let unread = heard(&caller, path, token, b"{").await;
            assert_eq!(hit, unread, "{path}: the body was looked at before who asks");
        }
    }
    drop(server);
    // Nothing was looked up: every look, a miss too, would have left a record.
    assert_eq!(looks(&data), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_number_with_a_purse_is_answered_like_one_without() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let path = format!("/banks/{JIANGCHENG}/v1/anonymous-openings");
    let wish = |phone: &str| {
        let key = SoftwareKey::from_seed(&yufu_keys::random()).unwrap();
        let key = Jwk::from(yufu_base::Signer::public_key(&key));
        json!({"class": "IV", "wallet_key": key, "phone": phone})
    };
    let opened = caller.post(&path, None, &wish("+8613800138000")).await.done();
    let code = support::terminal::code(&caller).await;
    let answered = format!("{path}/{}/code", opened["opening"].as_str().unwrap());
    caller.post(&answered, None, &json!({"code": code})).await.done();
    // Not too soon after the first code: a fresh number waits as long after its own.
    caller.post(&path, None, &wish("+8613800138001")).await.done();
    let mut answers = Vec::new();
    for phone in ["+8613800138000", "+8613800138001"] {
        let (status, mut headers, body) =
            heard(&caller, &path, None, wish(phone).to_string().as_bytes()).await;
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        // Seconds of waiting differ by when each was asked first, for whoever asked.
        for member in ["retry_after_seconds", "detail"] {
            body.as_object_mut().unwrap().remove(member);
        }
        headers.remove("retry-after");
        headers.remove("content-length");
        answers.push((status, headers, body));
    }
    assert_eq!(answers[0], answers[1], "with a purse, and without");
    let fresh = heard(&caller, &path, None, wish("+8613800138002").to_string().as_bytes()).await;
    let fresh: Value = serde_json::from_slice(&fresh.2).unwrap();
    assert_eq!((&fresh["state"], &fresh["account"]), (&json!("code_sent"), &Value::Null));
    drop(server);
}
