//! CBOR (RFC 8949) in the one form that is read and written here: lengths and numbers as short as
//! possible, nothing indefinite, no key twice, no fractions, bounded in length, depth and number. What was
//! read is written again to the same bytes.

mod decode;
mod encode;
mod fields;

pub use decode::{CborError, MAX_CBOR, MAX_DEPTH, decode, decode_within};
pub use fields::{Fields, ShapeError};
pub(crate) use fields::{expected, named, read};

use std::fmt;

/// The tag of a byte string that holds CBOR (RFC 8949, 3.4.5.1).
const ENCODED_CBOR: u64 = 24;

/// A data item.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A number from 0.
    Unsigned(u64),
    /// The number -1 - n.
    Negative(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Value>),
    /// Members in the order of the bytes; no key stands twice.
    Map(Vec<(Value, Value)>),
    /// A value with a tag.
    Tag(u64, Box<Value>),
    /// Whether something holds.
    Bool(bool),
    /// Nothing.
    Null,
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    #[must_use]
    pub const fn integer(number: i64) -> Self {
        if number < 0 {
            // -1 - n of a negative n is not negative, and cannot overflow.
            Self::Negative(number.unsigned_abs().saturating_sub(1))
        } else {
            Self::Unsigned(number.unsigned_abs())
        }
    }

    /// A map whose keys are texts.
    #[must_use]
    pub fn members<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(members.into_iter().map(|(name, value)| (Self::text(name), value)).collect())
    }

    /// A value with a tag.
    #[must_use]
    pub fn tagged(tag: u64, value: Self) -> Self {
        Self::Tag(tag, Box::new(value))
    }

    /// The encoding `cbor` as a byte string that says to hold CBOR: `#6.24(bstr .cbor ...)`.
    #[must_use]
    pub fn embedded(cbor: Vec<u8>) -> Self {
        Self::tagged(ENCODED_CBOR, Self::Bytes(cbor))
    }

    /// The whole number, if it is one and fits.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Unsigned(number) => i64::try_from(*number).ok(),
            Self::Negative(number) => (-1_i64).checked_sub(i64::try_from(*number).ok()?),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, if it is a byte string.
    #[must_use]
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn into_array(self) -> Option<Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is a map.
    #[must_use]
    pub fn into_map(self) -> Option<Vec<(Self, Self)>> {
        match self {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The encoding inside, if it is a byte string that says to hold CBOR.
    #[must_use]
    pub fn into_embedded(self) -> Option<Vec<u8>> {
        match self {
            Self::Tag(ENCODED_CBOR, inner) => inner.into_bytes(),
            _ => None,
        }
    }
}

/// Says nothing of values, which may be about a person.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(_) | Self::Negative(_) => f.write_str("a number"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Text(_) => f.write_str("a text"),
            Self::Array(items) => write!(f, "a list of {}", items.len()),
            Self::Map(members) => write!(f, "a map of {}", members.len()),
            Self::Tag(tag, inner) => write!(f, "tag {tag} of {inner:?}"),
            Self::Bool(_) => f.write_str("a flag"),
            Self::Null => f.write_str("null"),
        }
    }
}
