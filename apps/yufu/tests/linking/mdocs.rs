//! A presented ISO mdoc, taken apart: what the issuer signed, what was disclosed, what the device signed.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use super::seen::{PLACES, Seen};
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::{decode_base64url, encode_base64url};
use yufu_mdoc::cbor::{Value, decode};

/// The tag of CBOR within CBOR.
const EMBEDDED: u64 = 24;

pub fn presentation(text: &str) -> Seen {
    let bytes = decode_base64url(text).unwrap();
    let response = decode(&bytes).unwrap();
    let mut tokens = BTreeSet::new();
    flat("response", &response, &mut tokens);
    let document = &list(member(&response, "documents"))[0];
    let signed = member(document, "issuerSigned");
    let [_, _, payload, signature] = list(member(signed, "issuerAuth")) else {
        panic!("no signature of an issuer")
    };
    let mso = within(&decode(blob(payload)).unwrap());
    let digests: usize =
        members(member(&mso, "valueDigests")).iter().map(|(_, all)| members(all).len()).sum();
    let spaces = members(member(signed, "nameSpaces"));
    let items: Vec<Value> = spaces.iter().flat_map(|(_, items)| list(items)).map(within).collect();
    let [item] = &items[..] else { panic!("one element is asked: {}", items.len()) };
    let key = member(member(&mso, "deviceKeyInfo"), "deviceKey");
    let status = member(member(&mso, "status"), "status_list");
    let Value::Text(uri) = member(status, "uri") else { panic!("no address of a list") };
    let in_list: u64 = uri.rsplit('/').next().unwrap().parse().unwrap();
    let numbers = BTreeMap::from([
        ("length", bytes.len() as u64),
        ("digests", digests as u64),
        ("the digest's place", number(member(item, "digestID"))),
        ("signature's beginning", blob(signature)[0].into()),
        ("key's beginning", blob(labelled(key, &Value::Negative(1)))[0].into()),
        // A device's signature has no time.
        ("the wallet's clock", 0),
    ]);
    let place = in_list * PLACES + number(member(status, "idx"));
    let (id, verifier) = (String::new(), String::new());
    Seen { id, verifier, at: 0, place, tokens, numbers }
}

/// Every value, by its path, also within bytes that are CBOR themselves; of a list without its place.
fn flat(path: &str, value: &Value, tokens: &mut BTreeSet<String>) {
    match value {
        Value::Map(all) => {
            for (key, value) in all {
                let key = match key {
                    Value::Text(name) => name.clone(),
                    other => format!("{other:?}"),
                };
                flat(&format!("{path}.{key}"), value, tokens);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| flat(path, value, tokens)),
        Value::Tag(_, value) => flat(path, value, tokens),
        Value::Bytes(bytes) => {
            tokens.insert(format!("{path}={}", encode_base64url(bytes)));
            if let Ok(inner @ (Value::Map(_) | Value::Tag(..))) = decode(bytes) {
                flat(path, &inner, tokens);
            }
        }
        other => {
            tokens.insert(format!("{path}={other:?}"));
        }
    }
}

fn members(value: &Value) -> &[(Value, Value)] {
    let Value::Map(all) = value else { panic!("not a map: {value:?}") };
    all
}

fn list(value: &Value) -> &[Value] {
    let Value::Array(all) = value else { panic!("not a list: {value:?}") };
    all
}

fn labelled<'a>(value: &'a Value, label: &Value) -> &'a Value {
    let found = members(value).iter().find(|(name, _)| name == label);
    &found.unwrap_or_else(|| panic!("no {label:?} in {value:?}")).1
}

fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    labelled(value, &Value::text(name))
}

fn blob(value: &Value) -> &[u8] {
    let Value::Bytes(bytes) = value else { panic!("not bytes: {value:?}") };
    bytes
}

fn number(value: &Value) -> u64 {
    let Value::Unsigned(number) = value else { panic!("not a number: {value:?}") };
    *number
}

/// The CBOR within a value.
fn within(value: &Value) -> Value {
    let Value::Tag(EMBEDDED, inner) = value else { panic!("nothing within: {value:?}") };
    decode(blob(inner)).unwrap()
}
