//! What is found in the verifiers' rows, and in the issuer's.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code; another test takes a part of it"
)]

use super::support::Data;
use super::support::visits::Street;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::decode_base64url;

/// A presentation, as the verifier that got it can describe it.
#[derive(Clone)]
pub struct Seen {
    /// The verification's id: who it was is for the judge alone.
    pub id: String,
    pub verifier: String,
    /// When it was answered, in milliseconds.
    pub at: u64,
    /// Its place in the status lists: that of the list, and behind it that in the list.
    pub place: u64,
    /// Everything in it, member by member, and everything in its row: `path=value`.
    pub tokens: BTreeSet<String>,
    /// Numbers that describe it otherwise: lengths, counts, the place of the disclosed digest.
    pub numbers: BTreeMap<&'static str, u64>,
}

/// The rows of a verifier, each with the evidence that its own desk opens.
pub async fn rows(street: &Street, verifier: &str, data: &Data) -> Vec<Seen> {
    rows_with(street, verifier, data, ("pid", presentation)).await
}

/// The same, where the evidence has an answer of this name, which is taken apart so.
pub async fn rows_with(
    street: &Street,
    verifier: &str,
    data: &Data,
    (name, apart): (&str, fn(&str) -> Seen),
) -> Vec<Seen> {
    let mut all = Vec::new();
    for row in table(data, verifier, "verifications", "verifications") {
        let text = |name: &str| match &row[name] {
            Stored::Text(text) => text.clone(),
            other => panic!("{name}: {other:?}"),
        };
        let id = text("id");
        let path =
            format!("/verifiers/{verifier}/v1/desk/verifications/{id}/evidence?purpose=pool");
        let desk = street.caller.desk(verifier);
        let evidence = street.caller.get(&path, Some(&desk)).await.done();
        let mut seen = apart(evidence["presentations"][name][0].as_str().unwrap());
        jwt("request", evidence["request_object"].as_str().unwrap(), &mut seen.tokens);
        jwt("receipt", &text("receipt"), &mut seen.tokens);
        let plain = row.iter().filter(|(name, _)| !name.starts_with("sealed_"));
        seen.tokens.extend(plain.map(|(name, value)| format!("row.{name}={value:?}")));
        let Stored::Integer(at) = row["answered_at"] else { panic!("no time") };
        all.push(Seen { id, verifier: verifier.to_owned(), at: at.try_into().unwrap(), ..seen });
    }
    all
}

/// How many places a list has.
pub const PLACES: u64 = 1 << 17;

/// To whom the authority issued the credential at each place of its lists, by its own rows.
pub fn issued(data: &Data) -> BTreeMap<u64, String> {
    let rows = table(data, "identity-authority", "credentials", "status_entries");
    let number = |value: &Stored| match value {
        Stored::Integer(number) => u64::try_from(*number).unwrap(),
        other => panic!("{other:?}"),
    };
    let all = rows.into_iter().map(|row| match &row["person"] {
        Stored::Text(person) => {
            (number(&row["list"]) * PLACES + number(&row["position"]), person.clone())
        }
        other => panic!("{other:?}"),
    });
    all.collect()
}

/// The rows of a table of an institution.
pub fn table(data: &Data, who: &str, database: &str, table: &str) -> Vec<BTreeMap<String, Stored>> {
    let path = data.path().join(who).join(format!("{database}.sqlite"));
    let open = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = open.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let values = names.iter().enumerate().map(|(place, name)| (name.clone(), row.get(place)));
        values.map(|(name, value)| Ok((name, value?))).collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Takes a presented SD-JWT VC apart: the issuer's part, what was disclosed, the key binding.
pub fn presentation(text: &str) -> Seen {
    let parts: Vec<&str> = text.split('~').collect();
    let (issuer, rest) = parts.split_first().unwrap();
    let (binding, disclosures) = rest.split_last().unwrap();
    let mut tokens = BTreeSet::new();
    let payload = jwt("issuer", issuer, &mut tokens);
    let bound = jwt("binding", binding, &mut tokens);
    let mut numbers = BTreeMap::new();
    for disclosure in disclosures {
        tokens.insert(format!("disclosure={disclosure}"));
        let plain: Value = serde_json::from_slice(&decode_base64url(disclosure).unwrap()).unwrap();
        flat("disclosed", &plain, &mut tokens);
        let digest = yufu_jose::encode_base64url(yufu_jose::sha256(disclosure.as_bytes()));
        let digests = payload["_sd"].as_array().unwrap();
        let place = digests.iter().position(|one| one.as_str() == Some(&digest));
        numbers.insert("the digest's place", place.unwrap_or(999) as u64);
    }
    numbers.insert("length", issuer.len() as u64);
    numbers.insert("digests", payload["_sd"].as_array().unwrap().len() as u64);
    numbers.insert("signature's beginning", beginning(issuer.rsplit('.').next().unwrap()));
    numbers.insert("key's beginning", beginning(payload["cnf"]["jwk"]["x"].as_str().unwrap()));
    numbers.insert("the wallet's clock", bound["iat"].as_u64().unwrap());
    let status = &payload["status"]["status_list"];
    let list: u64 = status["uri"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
    let place = list * PLACES + status["idx"].as_u64().unwrap();
    let (id, verifier) = (String::new(), String::new());
    Seen { id, verifier, at: 0, place, tokens, numbers }
}

fn beginning(text: &str) -> u64 {
    decode_base64url(text).unwrap()[0].into()
}

/// Header and payload of a JWS, member by member, and its signature.
fn jwt(name: &str, text: &str, tokens: &mut BTreeSet<String>) -> Map<String, Value> {
    let parts: Vec<&str> = text.split('.').collect();
    let read = |part: &str| -> Map<String, Value> {
        serde_json::from_slice(&decode_base64url(part).unwrap()).unwrap()
    };
    flat(&format!("{name}.header"), &Value::Object(read(parts[0])), tokens);
    let payload = read(parts[1]);
    flat(name, &Value::Object(payload.clone()), tokens);
    tokens.insert(format!("{name}.signature={}", parts[2]));
    payload
}

/// Every value in a document, by its path; of a list without its place.
pub fn flat(path: &str, value: &Value, tokens: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                flat(&format!("{path}.{name}"), value, tokens);
            }
        }
        Value::Array(all) => {
            for value in all {
                flat(path, value, tokens);
            }
        }
        other => {
            tokens.insert(format!("{path}={other}"));
        }
    }
}
