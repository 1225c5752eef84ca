//! What the colluders have of anonymous credentials: the verifiers' rows with their evidence, and all of the issuer's.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "test code"
)]

use super::seen::{Seen, flat, rows_with, table};
use super::support::Data;
use super::support::visits::Street;
use rusqlite::types::Value as Stored;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::decode_base64url;

/// The rows of a verifier, each with the evidence that its own desk opens.
pub async fn rows(street: &Street, verifier: &str, data: &Data) -> Vec<Seen> {
    rows_with(street, verifier, data, ("anonymous", presentation)).await
}

/// Takes a presentation apart: its members, and the points and numbers of the proof one by one.
fn presentation(shown: &str) -> Seen {
    let shown: Value = serde_json::from_str(shown).unwrap();
    let mut tokens = BTreeSet::new();
    for (name, value) in shown.as_object().unwrap() {
        flat(name, value, &mut tokens);
    }
    let proof = decode_base64url(shown["proof"].as_str().unwrap()).unwrap();
    let pseudonym = decode_base64url(shown["pseudonym"].as_str().unwrap()).unwrap();
    tokens.extend(pieces(&proof));
    tokens.extend(pieces(&pseudonym));
    let first = |bytes: &[u8]| u64::from(bytes[1]);
    let numbers = BTreeMap::from([
        ("length", proof.len() as u64),
        ("digests", shown["disclosed"].as_object().unwrap().len() as u64),
        // In the place of what only a signed credential has: the epoch, two points of the proof, no clock.
        ("the digest's place", shown["epoch"].as_u64().unwrap()),
        ("signature's beginning", first(&proof)),
        ("key's beginning", first(&proof[96..])),
        ("the wallet's clock", 0),
    ]);
    Seen { id: String::new(), verifier: String::new(), at: 0, place: 0, tokens, numbers }
}

/// Bytes, sixteen by sixteen: no point or number is shorter.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.chunks(16).map(|piece| format!("{piece:02x?}"))
}

/// No line of the verifiers' and the issuer's log has anything of a presentation in it.
pub fn look_at_log(seen: &[Seen], log: &str) {
    assert!(log.contains("/verifiers/{verifier}/openid4vp/{id}/anonymous"), "requests are logged");
    for seen in seen {
        let own = seen.tokens.iter().filter_map(|token| token.split_once('='));
        let own = own.filter(|(name, _)| ["pseudonym", "proof"].contains(name));
        for (name, value) in own {
            assert!(!log.contains(value.trim_matches('"')), "a log line holds a {name}");
        }
        assert!(!log.contains(&seen.id), "a log line holds an id");
    }
}

/// Everything that the issuer was sent, answered and stored, person by person.
#[derive(Default)]
pub struct Issuances(BTreeMap<String, BTreeSet<String>>);

impl Issuances {
    /// What belonged to one issuance: every value in it, whole and in pieces.
    pub fn add(&mut self, person: &str, documents: &[&Value]) {
        let tokens = self.0.entry(person.to_owned()).or_default();
        for document in documents {
            let mut values = BTreeSet::new();
            flat("", document, &mut values);
            for value in values.iter().filter_map(|token| token.split_once('=')) {
                let text = value.1.trim_matches('"');
                tokens.insert(text.to_owned());
                tokens.extend(pieces(&decode_base64url(text).unwrap_or_default()));
            }
        }
    }

    /// The rows of the issuer's registers, by whom they are about.
    pub fn add_rows(&mut self, data: &Data) {
        for name in ["pseudonyms", "status_entries"] {
            for row in table(data, "identity-authority", "credentials", name) {
                let Stored::Text(person) = row["person"].clone() else { panic!("no person") };
                let tokens = self.0.entry(person).or_default();
                for value in row.values() {
                    match value {
                        Stored::Blob(bytes) => tokens.extend(pieces(bytes)),
                        Stored::Text(text) => drop(tokens.insert(text.clone())),
                        _ => {}
                    }
                }
            }
        }
        assert!(self.0.len() > 10, "the issuer has rows");
    }

    /// How much a presentation shares with each issuance, of those with which it shares anything.
    fn shared(&self, seen: &Seen) -> BTreeMap<&str, usize> {
        let value = |token: &String| {
            let value = token.split_once('=').map_or(token.as_str(), |(_, value)| value);
            value.trim_matches('"').to_owned()
        };
        // What everybody has, such as the claim itself, is no sign of anybody.
        let values: Vec<String> = seen.tokens.iter().map(value).filter(|v| v.len() > 8).collect();
        let with =
            |issued: &BTreeSet<String>| values.iter().filter(|v| issued.contains(*v)).count();
        let all = self.0.iter().map(|(person, issued)| (person.as_str(), with(issued)));
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// How much speaks for one issuance behind two presentations: what it shares with either.
    pub fn joining(&self, all: &[Seen]) -> impl Fn(&Seen, &Seen) -> f64 {
        let shared: BTreeMap<&str, BTreeMap<&str, usize>> =
            all.iter().map(|seen| (seen.id.as_str(), self.shared(seen))).collect();
        move |one, other| {
            let (one, other) = (&shared[one.id.as_str()], &shared[other.id.as_str()]);
            let both = one.iter().filter_map(|(person, count)| Some(count.min(other.get(person)?)));
            both.max().copied().unwrap_or(0) as f64
        }
    }
}
