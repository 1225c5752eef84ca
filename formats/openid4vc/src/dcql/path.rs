//! Claims path pointers (OpenID4VP 1.0, section 7): where in a credential a claim lies.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// The most elements a path may have.
const MAX_DEPTH: usize = 16;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathElement {
    /// The member of an object with this name.
    Key(String),
    /// The element of an array at this index, from 0.
    Index(u32),
    /// All elements of an array (`null` on the wire).
    All,
}

/// A path to one claim, or through arrays to several. Never empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<PathElement>", into = "Vec<PathElement>")]
pub struct ClaimPath(Vec<PathElement>);

/// Why a path is refused, or finds nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No element.
    #[error("a claims path must have at least one element")]
    Empty,
    /// More than 16 elements.
    #[error("a claims path has at most {MAX_DEPTH} elements")]
    TooDeep,
    /// A name was applied to something else than an object.
    #[error("{0} names a member of something that is not an object")]
    NotAnObject(ClaimPath),
    /// An index or null was applied to something else than an array.
    #[error("{0} points into something that is not an array")]
    NotAnArray(ClaimPath),
    /// Nothing is there.
    #[error("{0} is not in the credential")]
    Nothing(ClaimPath),
}

impl ClaimPath {
    /// A path of these elements.
    ///
    /// # Errors
    /// [`PathError::Empty`] and [`PathError::TooDeep`].
    pub fn new(elements: Vec<PathElement>) -> Result<Self, PathError> {
        match elements.len() {
            0 => Err(PathError::Empty),
            1..=MAX_DEPTH => Ok(Self(elements)),
            _ => Err(PathError::TooDeep),
        }
    }

    /// A path to a top-level claim.
    #[must_use]
    pub fn top(name: impl Into<String>) -> Self {
        Self(vec![PathElement::Key(name.into())])
    }

    /// Its elements.
    #[must_use]
    pub fn elements(&self) -> &[PathElement] {
        &self.0
    }

    /// The elements it selects in `claims` (section 7.1.1).
    ///
    /// # Errors
    /// [`PathError`] if it does not fit the claims' shape or selects nothing.
    pub fn select<'v>(&self, claims: &'v Map<String, Value>) -> Result<Vec<&'v Value>, PathError> {
        let (first, rest) = self.0.split_first().ok_or(PathError::Empty)?;
        let PathElement::Key(name) = first else {
            return Err(PathError::NotAnArray(self.clone()));
        };
        let mut selected: Vec<&Value> = claims.get(name).into_iter().collect();
        for element in rest {
            let mut next = Vec::new();
            for value in selected {
                match element {
                    PathElement::Key(name) => next.extend(self.object(value)?.get(name)),
                    PathElement::Index(index) => {
                        let index = usize::try_from(*index).unwrap_or(usize::MAX);
                        next.extend(self.array(value)?.get(index));
                    }
                    PathElement::All => next.extend(self.array(value)?),
                }
            }
            selected = next;
        }
        if selected.is_empty() { Err(PathError::Nothing(self.clone())) } else { Ok(selected) }
    }

    /// Whether everything `other` selects lies at or under what this path selects.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len()
            && self.0.iter().zip(&other.0).all(|(mine, theirs)| match (mine, theirs) {
                (PathElement::All, PathElement::All | PathElement::Index(_)) => true,
                (mine, theirs) => mine == theirs,
            })
    }

    fn object<'v>(&self, value: &'v Value) -> Result<&'v Map<String, Value>, PathError> {
        value.as_object().ok_or_else(|| PathError::NotAnObject(self.clone()))
    }

    fn array<'v>(&self, value: &'v Value) -> Result<&'v Vec<Value>, PathError> {
        value.as_array().ok_or_else(|| PathError::NotAnArray(self.clone()))
    }
}

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
    at: &mut Vec<PathElement>,
    paths: &[ClaimPath],
    dropped: &mut Vec<ClaimPath>,
) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in object {
        at.push(PathElement::Key(name.clone()));
        if let Some(value) = project_value(value, at, paths, dropped) {
            kept.insert(name.clone(), value);
        }
        at.pop();
    }
    kept
}

fn project_value(
    value: &Value,
    at: &mut Vec<PathElement>,
    paths: &[ClaimPath],
    dropped: &mut Vec<ClaimPath>,
) -> Option<Value> {
    let here = ClaimPath(at.clone());
    if paths.iter().any(|path| path.covers(&here)) {
        return Some(value.clone());
    }
    let leads_on = paths.iter().any(|path| {
        let prefix = path.0.get(..at.len()).map(|prefix| ClaimPath(prefix.to_vec()));
        prefix.is_some_and(|prefix| prefix.covers(&here))
    });
    match value {
        Value::Object(object) if leads_on => {
            Some(Value::Object(project_object(object, at, paths, dropped)))
        }
        Value::Array(items) if leads_on => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                at.push(PathElement::Index(u32::try_from(index).unwrap_or(u32::MAX)));
                kept.extend(project_value(item, at, paths, dropped));
                at.pop();
            }
            Some(Value::Array(kept))
        }
        _ => {
            dropped.push(here);
            None
        }
    }
}

impl TryFrom<Vec<PathElement>> for ClaimPath {
    type Error = PathError;
    fn try_from(elements: Vec<PathElement>) -> Result<Self, PathError> {
        Self::new(elements)
    }
}

impl From<ClaimPath> for Vec<PathElement> {
    fn from(path: ClaimPath) -> Self {
        path.0
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, element) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            match element {
                PathElement::Key(name) => f.write_str(name)?,
                PathElement::Index(index) => write!(f, "{index}")?,
                PathElement::All => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn path(value: Value) -> ClaimPath {
        serde_json::from_value(value).unwrap()
    }

    fn arthur() -> Map<String, Value> {
        let claims = json!({
            "name": "Arthur Dent",
            "address": {"street_address": "42 Market Street", "locality": "Milliways"},
            "degrees": [{"type": "BSc", "university": "B"}, {"type": "MSc"}],
            "nationalities": ["British", "Betelgeusian"],
        });
        claims.as_object().unwrap().clone()
    }

    #[test]
    fn the_examples_of_section_7_3_select_what_they_say() {
        for (at, expected) in [
            (json!(["name"]), json!(["Arthur Dent"])),
            (json!(["address", "street_address"]), json!(["42 Market Street"])),
            (json!(["degrees", null, "type"]), json!(["BSc", "MSc"])),
            (json!(["degrees", null, "university"]), json!(["B"])),
            (json!(["nationalities", 1]), json!(["Betelgeusian"])),
        ] {
            let claims = arthur();
            let selected = path(at.clone());
            let selected: Vec<_> = selected.select(&claims).unwrap();
            assert_eq!(json!(selected), expected, "{at}");
        }
    }

    #[test]
    fn a_path_that_does_not_fit_the_claims_is_an_error_7_1_1() {
        let claims = arthur();
        let error = |at: Value| path(at).select(&claims).unwrap_err();
        assert!(matches!(error(json!(["name", "x"])), PathError::NotAnObject(_)));
        assert!(matches!(error(json!(["address", null])), PathError::NotAnArray(_)));
        assert!(matches!(error(json!(["address", 0])), PathError::NotAnArray(_)));
        assert!(matches!(error(json!([0])), PathError::NotAnArray(_)));
        assert!(matches!(error(json!(["age"])), PathError::Nothing(_)));
        assert!(matches!(error(json!(["nationalities", 2])), PathError::Nothing(_)));
        for bad in [json!([]), json!([-1]), json!([1.5]), json!([{}]), json!("name")] {
            assert!(serde_json::from_value::<ClaimPath>(bad.clone()).is_err(), "{bad}");
        }
        let deep = vec![PathElement::All; MAX_DEPTH + 1];
        assert_eq!(ClaimPath::new(deep), Err(PathError::TooDeep));
    }

    #[test]
    fn projecting_keeps_what_was_asked_and_names_what_was_not() {
        let asked = [
            path(json!(["name"])),
            path(json!(["address", "locality"])),
            path(json!(["degrees", null, "type"])),
            path(json!(["nationalities", 1])),
        ];
        let (kept, dropped) = project(&arthur(), &asked);
        let expected = json!({
            "name": "Arthur Dent",
            "address": {"locality": "Milliways"},
            "degrees": [{"type": "BSc"}, {"type": "MSc"}],
            "nationalities": ["Betelgeusian"],
        });
        assert_eq!(Value::Object(kept), expected);
        let dropped: Vec<String> = dropped.iter().map(ToString::to_string).collect();
        assert_eq!(dropped, ["address.street_address", "degrees.0.university", "nationalities.0"]);
    }

    fn element() -> impl Strategy<Value = PathElement> {
        prop_oneof![
            "[ab]".prop_map(PathElement::Key),
            (0u32..3).prop_map(PathElement::Index),
            Just(PathElement::All),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(elements in prop::collection::vec(element(), 1..6)) {
            let path = ClaimPath::new(elements).unwrap();
            let wire = serde_json::to_string(&path).unwrap();
            prop_assert_eq!(serde_json::from_str::<ClaimPath>(&wire).unwrap(), path);
        }

        #[test]
        fn a_path_covers_itself_and_all_its_continuations(
            elements in prop::collection::vec(element(), 1..6), more in element()
        ) {
            let path = ClaimPath::new(elements.clone()).unwrap();
            let longer = ClaimPath::new([elements, vec![more]].concat()).unwrap();
            prop_assert!(path.covers(&path) && path.covers(&longer) && !longer.covers(&path));
        }
    }
}
