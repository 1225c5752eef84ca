//! What of a credential's claims was asked for, and what was not.

use serde_json::{Map, Value};
use yufu_jose::{ClaimPath, PathStep};

/// What of `claims` lies at or under one of `paths`, and the paths of what does not.
/// An array keeps its selected elements in their order, without the others.
#[must_use]
pub fn project(
    claims: &Map<String, Value>,
    paths: &[ClaimPath],
) -> (Map<String, Value>, Vec<ClaimPath>) {
    let mut dropped = Vec::new();
    let kept = project_object(claims, &mut Vec::new(), paths, &mut dropped);
    (kept, dropped)
}

fn project_object(
    object: &Map<String, Value>,
    at: &mut Vec<PathStep>,
    paths: &[ClaimPath],
    dropped: &mut Vec<ClaimPath>,
) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in object {
        at.push(PathStep::Name(name.clone()));
        if let Some(value) = project_value(value, at, paths, dropped) {
            kept.insert(name.clone(), value);
        }
        at.pop();
    }
    kept
}

fn project_value(
    value: &Value,
    at: &mut Vec<PathStep>,
    paths: &[ClaimPath],
    dropped: &mut Vec<ClaimPath>,
) -> Option<Value> {
    let on_the_way =
        |path: &&ClaimPath| path.steps().iter().zip(at.iter()).all(|(a, b)| a.matches(b));
    let mut wanted = paths.iter().filter(on_the_way).peekable();
    let leads_on = wanted.peek().is_some();
    if wanted.any(|path| path.steps().len() <= at.len()) {
        return Some(value.clone());
    }
    match value {
        Value::Object(object) if leads_on => {
            Some(Value::Object(project_object(object, at, paths, dropped)))
        }
        Value::Array(items) if leads_on => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                at.push(PathStep::Index(index));
                kept.extend(project_value(item, at, paths, dropped));
                at.pop();
            }
            Some(Value::Array(kept))
        }
        _ => {
            dropped.extend(ClaimPath::try_from(at.clone()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn projecting_keeps_what_was_asked_and_names_what_was_not() {
        let claims = json!({
            "name": "Arthur Dent",
            "address": {"street_address": "42 Market Street", "locality": "Milliways"},
            "degrees": [{"type": "BSc", "university": "B"}, {"type": "MSc"}],
            "nationalities": ["British", "Betelgeusian"],
            "age": 42,
        });
        let asked: Vec<ClaimPath> = serde_json::from_value(json!([
            ["name"],
            ["address", "locality"],
            ["degrees", null, "type"],
            ["nationalities", 1],
        ]))
        .unwrap();
        let (kept, dropped) = project(claims.as_object().unwrap(), &asked);
        let expected = json!({
            "name": "Arthur Dent",
            "address": {"locality": "Milliways"},
            "degrees": [{"type": "BSc"}, {"type": "MSc"}],
            "nationalities": ["Betelgeusian"],
        });
        assert_eq!(Value::Object(kept), expected);
        let dropped: Vec<String> = dropped.iter().map(ToString::to_string).collect();
        let expected =
            ["address.street_address", "age", "degrees[0].university", "nationalities[0]"];
        assert_eq!(dropped, expected);
    }

    #[test]
    fn asking_for_nothing_keeps_nothing() {
        let claims = json!({"a": {"b": 1}});
        let (kept, dropped) = project(claims.as_object().unwrap(), &[]);
        assert_eq!((kept.len(), dropped), (0, vec![ClaimPath::member("a")]));
    }
}
