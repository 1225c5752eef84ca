//! Elements as JSON, for queries, consent and whoever works with the claims; and claims as elements.
//!
//! A claim's path becomes the element's name with dots: `address.locality`. So an mdoc has the claims
//! of the SD-JWT VC one for one, each shown or withheld by itself, and they can be put back.

use crate::cbor::Value;
use crate::date::full_date;
use serde_json::{Map, Value as Json};
use yufu_jose::{ClaimPath, PathStep, encode_base64url};

/// Parts that a name may have: as deep as an SD-JWT VC may nest.
const MAX_PARTS: usize = 32;

/// A value as JSON: bytes in base64url, dates as their text.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Unsigned(number) => (*number).into(),
        Value::Negative(number) => match value.as_integer() {
            Some(number) => number.into(),
            None => format!("-1-{number}").into(),
        },
        Value::Bytes(bytes) => encode_base64url(bytes).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(to_json).collect::<Vec<_>>().into(),
        Value::Map(members) => {
            let named = members.iter().map(|(key, value)| (key_text(key), to_json(value)));
            Json::Object(named.collect())
        }
        Value::Tag(_, inner) => to_json(inner),
        Value::Bool(flag) => (*flag).into(),
        Value::Null => Json::Null,
    }
}

/// A JSON value as CBOR; `None` for fractions, which are not written here.
#[must_use]
pub fn from_json(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Value::Unsigned(number),
            (None, Some(number)) => Value::integer(number),
            (None, None) => return None,
        },
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::Array(items.iter().map(from_json).collect::<Option<_>>()?),
        Json::Object(members) => {
            let pair =
                |(name, value): (&String, &Json)| Some((Value::text(name), from_json(value)?));
            Value::Map(members.iter().map(pair).collect::<Option<_>>()?)
        }
    })
}

/// Where the claim at `path` stands in an mdoc of type `doc_type`: its namespace and its element.
/// `None` for a path that is not of names alone.
#[must_use]
pub fn element_path(doc_type: &str, path: &ClaimPath) -> Option<ClaimPath> {
    let names = path.steps().iter().map(|step| match step {
        PathStep::Name(name) => Some(name.as_str()),
        PathStep::Index(_) | PathStep::Every => None,
    });
    let names: Vec<&str> = names.collect::<Option<_>>()?;
    ClaimPath::members([doc_type, names.join(".").as_str()]).ok()
}

/// Claims as elements, one for each that is no object: those named in `dates` as days. `None` if one
/// cannot be written: a fraction, a date that is none, an empty object, or a name with a dot.
#[must_use]
pub fn elements_of(claims: &Map<String, Json>, dates: &[String]) -> Option<Vec<(String, Value)>> {
    let mut elements = Vec::new();
    flatten("", claims, dates, &mut elements, MAX_PARTS)?;
    Some(elements)
}

fn flatten(
    above: &str,
    claims: &Map<String, Json>,
    dates: &[String],
    elements: &mut Vec<(String, Value)>,
    depth: usize,
) -> Option<()> {
    let below = depth.checked_sub(1)?;
    for (part, claim) in claims {
        if part.is_empty() || part.contains('.') {
            return None;
        }
        let name = if above.is_empty() { part.clone() } else { format!("{above}.{part}") };
        match claim {
            Json::Object(members) if members.is_empty() => return None,
            Json::Object(members) => flatten(&name, members, dates, elements, below)?,
            Json::String(day) if dates.contains(&name) => elements.push((name, full_date(day)?)),
            other => elements.push((name, from_json(other)?)),
        }
    }
    Some(())
}

/// Elements as the claims that they were made of. An element whose place is taken by another, or
/// whose name has empty or too many parts, stays as it is called.
fn claims_of(elements: &Map<String, Json>) -> Map<String, Json> {
    let mut claims = Map::new();
    for (name, value) in elements {
        let parts: Vec<&str> = name.split('.').collect();
        let fits = parts.len() <= MAX_PARTS && parts.iter().all(|part| !part.is_empty());
        if !(fits && place(&mut claims, &parts, value)) {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// The elements of a document of `doc_type`, by namespace, as the claims that they were made of, so
/// that nobody behind this needs to know the format. If there are elements in other namespaces than
/// that of the document's type, all stay as they are.
#[must_use]
pub fn own_claims(doc_type: &str, mut elements: Map<String, Json>) -> Map<String, Json> {
    match elements.remove(doc_type) {
        Some(Json::Object(own)) if elements.is_empty() => claims_of(&own),
        Some(own) => {
            elements.insert(doc_type.to_owned(), own);
            elements
        }
        None => elements,
    }
}

/// Puts a value at its place; false if that, or one on the way, is taken.
fn place(claims: &mut Map<String, Json>, parts: &[&str], value: &Json) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    if rest.is_empty() {
        let free = !claims.contains_key(*first);
        if free {
            claims.insert((*first).to_owned(), value.clone());
        }
        return free;
    }
    let inner = claims.entry(*first).or_insert_with(|| Json::Object(Map::new()));
    inner.as_object_mut().is_some_and(|inner| place(inner, rest, value))
}

fn key_text(key: &Value) -> String {
    match key {
        Value::Text(text) => text.clone(),
        other => to_json(other).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn object(value: Json) -> Map<String, Json> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn claims_become_elements_by_their_paths_and_claims_again() {
        let claims = object(json!({
            "given_name": "芳", "birthdate": "1991-05-04", "sex": 2,
            "address": {"locality": "江城", "parts": ["a", "b"]},
            "age_equal_or_over": {"16": true, "18": false},
        }));
        let elements = elements_of(&claims, &["birthdate".to_owned()]).unwrap();
        let names: Vec<&str> = elements.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "address.locality",
            "address.parts",
            "age_equal_or_over.16",
            "age_equal_or_over.18",
            "birthdate",
            "given_name",
            "sex",
        ];
        assert_eq!(names, expected);
        let days = elements.iter().filter(|(_, value)| matches!(value, Value::Tag(1004, _)));
        assert_eq!(days.count(), 1);
        let read = elements.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
        assert_eq!(claims_of(&read), claims);
    }

    #[test]
    fn what_cannot_be_an_element_is_refused() {
        for claims in [json!({"a": 1.5}), json!({"a.b": 1}), json!({"a": {}}), json!({"": 1})] {
            assert!(elements_of(&object(claims.clone()), &[]).is_none(), "{claims}");
        }
        let day = object(json!({"day": "tomorrow"}));
        assert!(elements_of(&day, &["day".to_owned()]).is_none());
    }

    #[test]
    fn elements_that_contradict_each_other_keep_their_names() {
        let claims = claims_of(&object(json!({"a": 1, "a.b": 2, ".": 3})));
        assert_eq!(Json::Object(claims), json!({"a": 1, "a.b": 2, ".": 3}));
    }

    proptest! {
        #[test]
        fn any_value_can_be_looked_at(bytes: Vec<u8>) {
            if let Ok(value) = crate::cbor::decode(&bytes) {
                let _ = to_json(&value);
            }
        }
    }
}
