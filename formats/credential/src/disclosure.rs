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
    use std::collections::BTreeSet;

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
    fn the_same_claim_encoded_otherwise_is_the_same_claim_with_another_digest_rfc_9901_4_2_1() {
        let printed = [
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
            "WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
        ];
        let read = printed.map(|encoded| Disclosure::parse(encoded).unwrap());
        for disclosure in &read {
            assert_eq!(disclosure.name.as_deref(), Some("family_name"));
            assert_eq!(disclosure.value, json!("Möbius"));
        }
        let digests = BTreeSet::from(read.map(|disclosure| disclosure.digest));
        assert_eq!(digests.len(), printed.len());
    }

    #[test]
    fn the_element_of_rfc_9901_4_2_4_2_and_the_claims_of_openid4vp_b_3_2_have_the_printed_digests()
    {
        for (encoded, name, value, digest) in [
            (
                "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0",
                None,
                "FR",
                "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs",
            ),
            (
                "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd",
                Some("given_name"),
                "John",
                "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4",
            ),
            (
                "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd",
                Some("family_name"),
                "Doe",
                "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo",
            ),
            (
                "WyI2SWo3dE0tYTVpVlBHYm9TNXRtdlZBIiwgImJpcnRoZGF0ZSIsICIxOTQwLTAxLTAxIl0",
                Some("birthdate"),
                "1940-01-01",
                "tiTngp9_jhC389UP8_k67MXqoSfiHq3iK6o9un4we_Y",
            ),
        ] {
            let disclosure = Disclosure::parse(encoded).unwrap();
            assert_eq!(disclosure.name.as_deref(), name);
            assert_eq!((disclosure.value, disclosure.digest.as_str()), (json!(value), digest));
        }
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
