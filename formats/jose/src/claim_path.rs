//! Claim paths: how queries, certificates and disclosures name a claim
//! (OpenID4VP 1.0 section 7, the DCQL claims path pointer).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Steps a path may have.
const MAX_STEPS: usize = 32;

/// One step of a path, in JSON a string, a non-negative integer or null.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathStep {
    /// The member of an object.
    Name(String),
    /// The element of an array, from 0.
    Index(usize),
    /// All elements of an array.
    Every,
}

/// The way from the top of a JSON credential to a claim; 1 to 32 steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<PathStep>", into = "Vec<PathStep>")]
pub struct ClaimPath(Vec<PathStep>);

/// Why steps are no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a claim path of {0} steps: expected 1 to 32")]
pub struct ClaimPathError(pub usize);

impl ClaimPath {
    /// The path to the top-level member `name`.
    #[must_use]
    pub fn member(name: impl Into<String>) -> Self {
        Self(vec![PathStep::Name(name.into())])
    }

    /// The path through the members `names`, such as `["address", "locality"]`.
    ///
    /// # Errors
    /// [`ClaimPathError`] unless there are 1 to 32.
    pub fn members<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, ClaimPathError> {
        names.into_iter().map(|name| PathStep::Name(name.to_owned())).collect::<Vec<_>>().try_into()
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }

    /// The claims this path selects (OpenID4VP 1.0 section 7.1.1). Empty if there are
    /// none, or if a step meets a value of another kind than it expects.
    #[must_use]
    pub fn select<'a>(&self, claims: &'a Map<String, Value>) -> Vec<&'a Value> {
        let Some((PathStep::Name(first), rest)) = self.0.split_first() else {
            return Vec::new();
        };
        let mut selected: Vec<&Value> = claims.get(first).into_iter().collect();
        for step in rest {
            let next: Option<Vec<Vec<&Value>>> =
                selected.into_iter().map(|value| step.apply(value)).collect();
            selected = next.unwrap_or_default().concat();
        }
        selected
    }

    /// Whether leave to see this claim is leave to see `other`: `other` is the same claim
    /// or lies within it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len()
            && self.0.iter().zip(&other.0).all(|(own, other)| own.matches(other))
    }
}

impl PathStep {
    /// Whether this step takes everything that `other` takes.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::Every, Self::Index(_)))
    }

    /// What this step leads to; `None` if `value` is of another kind.
    fn apply<'a>(&self, value: &'a Value) -> Option<Vec<&'a Value>> {
        match (self, value) {
            (Self::Name(name), Value::Object(members)) => {
                Some(members.get(name).into_iter().collect())
            }
            (Self::Index(index), Value::Array(items)) => {
                Some(items.get(*index).into_iter().collect())
            }
            (Self::Every, Value::Array(items)) => Some(items.iter().collect()),
            _ => None,
        }
    }
}

impl TryFrom<Vec<PathStep>> for ClaimPath {
    type Error = ClaimPathError;

    fn try_from(steps: Vec<PathStep>) -> Result<Self, ClaimPathError> {
        match steps.len() {
            1..=MAX_STEPS => Ok(Self(steps)),
            other => Err(ClaimPathError(other)),
        }
    }
}

impl From<ClaimPath> for Vec<PathStep> {
    fn from(path: ClaimPath) -> Self {
        path.0
    }
}

/// Readable: `address.locality`, `nationalities[0]`, `nationalities[]`.
impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Name(name) if position == 0 => write!(f, "{name}")?,
                PathStep::Name(name) => write!(f, ".{name}")?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Every => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(value: Value) -> ClaimPath {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_examples_of_openid4vp_section_7_select_what_they_say() {
        let claims = json!({
            "name": "Arthur Dent",
            "address": {"street_address": "42 Market Street", "locality": "Milliways"},
            "degrees": [
                {"type": "Bachelor of Science", "university": "University of Betelgeuse"},
                {"type": "Master of Science", "university": "University of Betelgeuse"},
            ],
            "nationalities": ["British", "Betelgeusian"],
        });
        let claims = claims.as_object().unwrap();
        let rows = [
            (json!(["name"]), json!(["Arthur Dent"])),
            (json!(["address", "street_address"]), json!(["42 Market Street"])),
            (json!(["nationalities", 1]), json!(["Betelgeusian"])),
            (json!(["degrees", null, "type"]), json!(["Bachelor of Science", "Master of Science"])),
            (json!(["name", "first"]), json!([])),
            (json!(["nationalities", 2]), json!([])),
            (json!(["address", null]), json!([])),
            (json!([0]), json!([])),
        ];
        for (steps, expected) in rows {
            assert_eq!(json!(path(steps.clone()).select(claims)), expected, "{steps}");
        }
    }

    #[test]
    fn a_path_covers_itself_and_what_lies_within() {
        let rows = [
            (json!(["address"]), json!(["address", "locality"]), true),
            (json!(["address", "locality"]), json!(["address"]), false),
            (json!(["address", "locality"]), json!(["address", "street"]), false),
            (json!(["nationalities", null]), json!(["nationalities", 3]), true),
            (json!(["nationalities", 3]), json!(["nationalities", null]), false),
        ];
        for (own, other, expected) in rows {
            assert_eq!(path(own.clone()).covers(&path(other.clone())), expected, "{own} {other}");
        }
    }

    #[test]
    fn a_path_has_1_to_32_steps_of_three_kinds() {
        for bad in [json!([]), json!(vec!["a"; 33]), json!([-1]), json!([1.5]), json!([true])] {
            assert!(serde_json::from_value::<ClaimPath>(bad.clone()).is_err(), "{bad}");
        }
        let all = json!(["degrees", null, "type", 0]);
        assert_eq!(json!(path(all.clone())), all);
        assert_eq!(path(all).to_string(), "degrees[].type[0]");
    }
}
