//! One disclosure (RFC 9901 section 4.2): salt, name and value of a claim, and the digest
//! that stands for it in the signed payload.

use serde_json::Value;
use yufu_jose::{decode_base64url, encode_base64url, parse_json, sha256};

/// Member and placeholder names with a meaning of their own (RFC 9901 section 4.1).
pub(crate) const DIGESTS: &str = "_sd";
pub(crate) const ELEMENT: &str = "...";
pub(crate) const ALGORITHM: &str = "_sd_alg";

/// A disclosure as it travels, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Disclosure {
    /// Base64url of the JSON array; what is hashed.
    pub(crate) encoded: String,
    /// SHA-256 of `encoded` in base64url.
    pub(crate) digest: String,
    /// The claim's name; absent for an array element.
    pub(crate) name: Option<String>,
    /// The claim's value, which may hold further digests.
    pub(crate) value: Value,
}

impl Disclosure {
    /// A new disclosure.
    pub(crate) fn new(salt: [u8; 16], name: Option<String>, value: Value) -> Self {
        let salt = Value::String(encode_base64url(salt));
        let parts = match &name {
            Some(name) => vec![salt, Value::String(name.clone()), value.clone()],
            None => vec![salt, value.clone()],
        };
        let encoded = encode_base64url(Value::Array(parts).to_string());
        Self { digest: digest(&encoded), encoded, name, value }
    }

    /// Reads a disclosure; `None` unless it is base64url of a JSON array of a string and
    /// one or two more values, the name a string.
    pub(crate) fn parse(encoded: &str) -> Option<Self> {
        let parts: Vec<Value> = parse_json(&decode_base64url(encoded).ok()?).ok()?;
        let mut parts = parts.into_iter();
        let (name, value) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Value::String(_)), Some(Value::String(name)), Some(value), None) => {
                (Some(name), value)
            }
            (Some(Value::String(_)), Some(value), None, None) => (None, value),
            _ => return None,
        };
        Some(Self { encoded: encoded.to_owned(), digest: digest(encoded), name, value })
    }
}

/// SHA-256 of `text` in base64url, as disclosures and `sd_hash` are digested.
pub(crate) fn digest(text: &str) -> String {
    encode_base64url(sha256(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_digest_example_of_rfc_9901_section_4_2_3_is_reproduced() {
        let disclosure = Disclosure::parse(
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
        )
        .unwrap();
        assert_eq!(disclosure.digest, "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
        assert_eq!(disclosure.name.as_deref(), Some("family_name"));
        assert_eq!(disclosure.value, json!("Möbius"));
    }

    #[test]
    fn what_is_made_parses_back() {
        for name in [None, Some("locality".to_owned())] {
            let made = Disclosure::new([7; 16], name, json!({"a": ["江城"]}));
            assert_eq!(Disclosure::parse(&made.encoded), Some(made));
        }
    }

    #[test]
    fn other_arrays_are_no_disclosures() {
        for bad in [
            json!([]),
            json!(["salt"]),
            json!([1, "name", 2]),
            json!(["salt", 1, 2]),
            json!(["salt", "name", 1, 2]),
            json!({"salt": "name"}),
        ] {
            assert_eq!(Disclosure::parse(&encode_base64url(bad.to_string())), None, "{bad}");
        }
        assert_eq!(Disclosure::parse("====="), None);
    }
}
