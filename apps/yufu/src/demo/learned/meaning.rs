//! What a stored value tells, in words. Every column of every institution's database stands in `columns.txt`;
//! one that does not is reported as unexplained, and a test fails.

use super::ledger;
use super::rows::Written;
use rusqlite::types::Value as Stored;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::decode_base64url;
use yufu_machine::Submission;

const COLUMNS: &str = include_str!("columns.txt");

/// What a column, or a member of what it holds, tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Nothing of anybody: bookkeeping of the institution's own, or what its other columns say already.
    Technical,
    /// This, in words.
    Attribute(&'static str),
    /// The names of claims that a signed receipt lists.
    Receipt,
    /// A command for the ledger: what its action says.
    Command,
    /// Claims sealed per person: which, the institution's desk is asked.
    Sealed(Sealed),
}

/// Whose claims are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealed {
    /// A bank's customer.
    Customer,
    /// A hotel's guest.
    Guest,
}

/// The words for everything that is stored.
pub(super) struct Meanings(BTreeMap<&'static str, Meaning>);

/// What one written value told.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) attributes: BTreeSet<String>,
    pub(super) sealed: Option<Sealed>,
}

impl Meanings {
    /// As written down.
    pub(super) fn read() -> Self {
        let lines = COLUMNS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once('='));
        Self(pairs.map(|(place, meaning)| (place.trim(), Meaning::of(meaning.trim()))).collect())
    }

    /// What `written` tells.
    pub(super) fn explain(&self, written: &Written) -> Told {
        let place = format!("{}.{}.{}", written.database, written.table, written.column);
        let mut told = Told::default();
        match self.0.get(place.as_str()) {
            Some(Meaning::Receipt) => told.attributes.extend(receipt(&written.value)),
            Some(Meaning::Command) => told.attributes.extend(command(&written.value)),
            Some(Meaning::Sealed(sealed)) => told.sealed = Some(*sealed),
            Some(Meaning::Attribute(name)) => {
                told.attributes.insert((*name).to_owned());
            }
            Some(Meaning::Technical) => {}
            None => match members(&written.value) {
                Some(members) => self.explain_members(&place, &members, &mut told.attributes),
                None => {
                    told.attributes.insert(format!("unexplained: {place}"));
                }
            },
        }
        told
    }

    fn explain_members(
        &self,
        place: &str,
        members: &Map<String, Value>,
        told: &mut BTreeSet<String>,
    ) {
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let place = format!("{place}.{name}");
            match (self.0.get(place.as_str()), value) {
                (Some(Meaning::Attribute(name)), _) => {
                    told.insert((*name).to_owned());
                }
                (Some(_), _) => {}
                (None, value) => match members_of(value) {
                    Some(members) => self.explain_members(&place, &members, told),
                    None => {
                        told.insert(format!("unexplained: {place}"));
                    }
                },
            }
        }
    }
}

impl Meaning {
    fn of(text: &'static str) -> Self {
        match text {
            "-" => Self::Technical,
            "@receipt" => Self::Receipt,
            "@command" => Self::Command,
            "@customer" => Self::Sealed(Sealed::Customer),
            "@guest" => Self::Sealed(Sealed::Guest),
            name => Self::Attribute(name),
        }
    }
}

fn members(value: &Stored) -> Option<Map<String, Value>> {
    match value {
        Stored::Text(text) => members_in(text),
        _ => None,
    }
}

fn members_of(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members.clone()),
        Value::String(text) => members_in(text),
        _ => None,
    }
}

/// The members of a JSON object, or of the payload of a JWS.
fn members_in(text: &str) -> Option<Map<String, Value>> {
    if let Ok(Value::Object(members)) = serde_json::from_str(text) {
        return Some(members);
    }
    let mut parts = text.split('.');
    let payload = parts.nth(1)?;
    if parts.count() != 1 {
        return None;
    }
    serde_json::from_slice(&decode_base64url(payload).ok()?).ok()
}

/// The names of the claims that a receipt says were received.
fn receipt(value: &Stored) -> BTreeSet<String> {
    let members = members(value).unwrap_or_default();
    let disclosed = members.get("disclosed").and_then(Value::as_array);
    let credentials = disclosed.into_iter().flatten();
    let claims = credentials.filter_map(|credential| credential.get("claims")?.as_array());
    claims.flatten().filter_map(path).collect()
}

/// A claim's path in words: `age_equal_or_over.60`.
fn path(claim: &Value) -> Option<String> {
    let segments = claim.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>();
    Some(segments.join("."))
}

fn command(value: &Stored) -> BTreeSet<String> {
    let Stored::Blob(bytes) = value else { return BTreeSet::new() };
    match borsh::from_slice::<Submission>(bytes) {
        Ok(submission) => {
            let mut names = ledger::names(&submission.order.action);
            // That it is the bank itself that submits tells the bank nothing.
            names.remove("bank");
            names
        }
        Err(_) => BTreeSet::from(["unexplained: a command that cannot be read".to_owned()]),
    }
}
