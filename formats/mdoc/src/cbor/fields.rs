//! Maps by their members. Members that nobody asks for are ignored, as ISO 18013-5 wants of readers.

use super::{CborError, Value, decode};

/// Why CBOR does not have the shape of what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Not CBOR as it is read here.
    #[error("the {of}: {error}")]
    Cbor {
        /// What was read.
        of: &'static str,
        /// Why.
        error: CborError,
    },
    /// A member is missing.
    #[error("the {of} has no {member}")]
    Missing {
        /// What was read.
        of: &'static str,
        /// Which member.
        member: &'static str,
    },
    /// Something is of another kind, or of a value that is not read.
    #[error("the {of}: expected {expected}")]
    Expected {
        /// What was read.
        of: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// Bytes as the item `of`.
pub(crate) fn read(of: &'static str, bytes: &[u8]) -> Result<Value, ShapeError> {
    decode(bytes).map_err(|error| ShapeError::Cbor { of, error })
}

/// The refusal of a value of another kind.
pub(crate) const fn expected(of: &'static str, expected: &'static str) -> ShapeError {
    ShapeError::Expected { of, expected }
}

/// A map that is being taken apart.
#[derive(Debug)]
pub struct Fields {
    of: &'static str,
    members: Vec<(Value, Value)>,
}

impl Fields {
    /// The map `value`, called `of` in refusals.
    ///
    /// # Errors
    /// [`ShapeError::Expected`] if it is none.
    pub fn new(of: &'static str, value: Value) -> Result<Self, ShapeError> {
        let members = value.into_map().ok_or(expected(of, "a map"))?;
        Ok(Self { of, members })
    }

    /// Takes the member `name` out, if it is there.
    pub fn optional(&mut self, name: &str) -> Option<Value> {
        self.take(|key| matches!(key, Value::Text(text) if text == name))
    }

    /// Takes the member `name` out.
    ///
    /// # Errors
    /// [`ShapeError::Missing`].
    pub fn required(&mut self, name: &'static str) -> Result<Value, ShapeError> {
        self.optional(name).ok_or(ShapeError::Missing { of: self.of, member: name })
    }

    /// Takes the member with the number `label` out, if it is there.
    pub fn labelled(&mut self, label: i64) -> Option<Value> {
        self.take(|key| key.as_integer() == Some(label))
    }

    /// Takes the text `name` out.
    ///
    /// # Errors
    /// [`ShapeError`] if it is missing or no text.
    pub fn text(&mut self, name: &'static str) -> Result<String, ShapeError> {
        self.required(name)?.into_text().ok_or(expected(self.of, "texts where texts belong"))
    }

    /// Refuses any version but `1.x` under `version`: another would mean something else.
    ///
    /// # Errors
    /// [`ShapeError`].
    pub fn version_1(&mut self) -> Result<(), ShapeError> {
        match self.text("version")?.split('.').next() {
            Some("1") => Ok(()),
            _ => Err(expected(self.of, "version 1")),
        }
    }

    fn take(&mut self, is: impl Fn(&Value) -> bool) -> Option<Value> {
        let place = self.members.iter().position(|(key, _)| is(key))?;
        Some(self.members.swap_remove(place).1)
    }
}

/// The map `value` whose keys are texts.
pub(crate) fn named(of: &'static str, value: Value) -> Result<Vec<(String, Value)>, ShapeError> {
    let members = value.into_map().ok_or(expected(of, "a map"))?;
    let name = |(key, value): (Value, Value)| Some((key.into_text()?, value));
    let members = members.into_iter().map(name).collect::<Option<Vec<_>>>();
    members.ok_or(expected(of, "texts as keys"))
}
