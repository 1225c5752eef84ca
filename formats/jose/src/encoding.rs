//! The encodings JOSE is written in: base64url without padding (RFC 7515 section 2),
//! JSON whose member names are unique (RFC 7515 section 4, RFC 7519 section 4), SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Why a text is not base64url.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64url: expected A-Z a-z 0-9 - _ without padding and without stray bits")]
pub struct Base64Error;

/// Why bytes are not the JSON that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, nested too deeply, or an object names a member twice.
    #[error("not acceptable JSON: {0}")]
    Syntax(String),
    /// JSON, but not an object.
    #[error("expected a JSON object")]
    NotAnObject,
    /// JSON, but members are missing or of the wrong type.
    #[error("the JSON does not have the expected members: {0}")]
    Shape(String),
}

/// SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    out
}

/// `bytes` in base64url without padding.
#[must_use]
pub fn encode_base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind base64url without padding. One encoding per value: padding,
/// line breaks and non-zero trailing bits are refused.
///
/// # Errors
/// [`Base64Error`] for anything else.
pub fn decode_base64url(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Base64Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64Error)
}

/// Parses JSON whose objects name no member twice, at most 128 levels deep.
///
/// # Errors
/// [`JsonError::Syntax`] if it is not such JSON, [`JsonError::Shape`] if it is not a `T`.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let value = parse_value(bytes)?;
    serde_json::from_value(value).map_err(|error| JsonError::Shape(error.to_string()))
}

/// Parses a JSON object that, like all objects within, names no member twice.
///
/// # Errors
/// [`JsonError::Syntax`] if it is not such JSON, [`JsonError::NotAnObject`] for other values.
pub fn parse_json_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match parse_value(bytes)? {
        Value::Object(map) => Ok(map),
        _ => Err(JsonError::NotAnObject),
    }
}

fn parse_value(bytes: &[u8]) -> Result<Value, JsonError> {
    let syntax = |error: serde_json::Error| JsonError::Syntax(error.to_string());
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let value = UniqueNames.deserialize(&mut parser).map_err(syntax)?;
    parser.end().map_err(syntax)?;
    Ok(value)
}

/// Builds a [`Value`], refusing objects that name a member twice
/// (`serde_json` alone would silently keep the last).
struct UniqueNames;

impl<'de> DeserializeSeed<'de> for UniqueNames {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueNames {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Self)?;
            if out.contains_key(&name) {
                return Err(de::Error::custom(format!("the member {name:?} appears twice")));
            }
            out.insert(name, value);
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth() {
        for bad in [r#"{"a":1,"a":2}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert!(
                matches!(parse_json::<Value>(bad.as_bytes()), Err(JsonError::Syntax(_))),
                "{bad}"
            );
        }
        assert_eq!(parse_json::<Value>(br#"{"a":{"a":1}}"#).unwrap(), json!({"a":{"a":1}}));
    }

    #[test]
    fn trailing_bytes_invalid_utf8_and_bottomless_nesting_are_refused() {
        assert!(parse_json::<Value>(b"{} {}").is_err());
        assert!(parse_json::<Value>(b"\"\xff\"").is_err());
        assert!(parse_json::<Value>("[".repeat(10_000).as_bytes()).is_err());
        assert_eq!(parse_json_object(b"[]"), Err(JsonError::NotAnObject));
    }

    #[test]
    fn base64url_has_one_encoding_per_value() {
        for bad in ["AA==", "A", "AB", "A+", "A/", "AA\n", " AA"] {
            assert_eq!(decode_base64url(bad), Err(Base64Error), "{bad:?}");
        }
        assert_eq!(decode_base64url("AA").unwrap(), [0]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(bytes: Vec<u8>) {
            prop_assert_eq!(decode_base64url(encode_base64url(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = parse_json::<Value>(&bytes);
            let _ = decode_base64url(&bytes);
        }
    }
}
