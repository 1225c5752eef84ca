//! P-256 public keys as JSON (RFC 7517, RFC 7518 section 6.2) and their thumbprints
//! (RFC 7638).

use crate::encoding::{decode_base64url, encode_base64url, sha256};
use crate::on_curve;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yufu_base::PublicKey;

/// Keys a set may carry; more is no honest metadata.
const MAX_KEYS: usize = 100;

/// A P-256 public key with the members that say how it is to be used.
/// One that was parsed lies on the curve. Members we do not know are ignored
/// (RFC 7517 section 4); a private member is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Jwk {
    /// The key.
    pub key: PublicKey,
    /// `kid`: how messages refer to it.
    pub kid: Option<String>,
    /// `alg`: the one algorithm it is for, such as `ECDH-ES`.
    pub alg: Option<String>,
    /// `use`: `sig` or `enc`.
    pub usage: Option<String>,
}

/// Why JSON is not a P-256 public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Another key type or curve.
    #[error("unsupported key: expected kty EC with crv P-256, found kty {kty:?} with crv {crv:?}")]
    Unsupported {
        /// The key type found.
        kty: String,
        /// The curve found.
        crv: Option<String>,
    },
    /// A private key where only a public one belongs.
    #[error("the key carries its private part (d): send only the public members")]
    Private,
    /// A coordinate is not 32 bytes of base64url.
    #[error("the coordinate {0} is not 32 bytes in base64url")]
    Coordinate(&'static str),
    /// The coordinates are no point of the curve.
    #[error("x and y are not a point of P-256")]
    OffCurve,
}

impl Jwk {
    /// `key` under the name `kid`.
    #[must_use]
    pub fn with_kid(key: PublicKey, kid: impl Into<String>) -> Self {
        Self { kid: Some(kid.into()), ..Self::from(key) }
    }

    /// The RFC 7638 thumbprint, SHA-256: the same for every JSON writing of the key.
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        let (x, y) = coordinates(&self.key);
        sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes())
    }

    /// The thumbprint in base64url, as key names and `jkt` want it.
    #[must_use]
    pub fn thumbprint_base64url(&self) -> String {
        encode_base64url(self.thumbprint())
    }
}

impl From<PublicKey> for Jwk {
    fn from(key: PublicKey) -> Self {
        Self { key, kid: None, alg: None, usage: None }
    }
}

impl From<&Jwk> for PublicKey {
    fn from(jwk: &Jwk) -> Self {
        jwk.key
    }
}

/// A JWK Set (RFC 7517 section 5), at most 100 keys. Keys of kinds we do not
/// support are skipped, as the RFC asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WireSet")]
pub struct JwkSet {
    /// The keys we can use, in the order of the set.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// The key named `kid`.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))
    }
}

#[derive(Deserialize)]
struct WireSet {
    keys: Vec<Value>,
}

impl TryFrom<WireSet> for JwkSet {
    type Error = String;

    fn try_from(wire: WireSet) -> Result<Self, String> {
        if wire.keys.len() > MAX_KEYS {
            return Err(format!("a key set of {}: at most {MAX_KEYS} are read", wire.keys.len()));
        }
        let keys = wire.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Ok(Self { keys: keys.collect() })
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing)]
    d: Option<IgnoredAny>,
}

impl TryFrom<Wire> for Jwk {
    type Error = JwkError;

    fn try_from(wire: Wire) -> Result<Self, JwkError> {
        if wire.kty != "EC" || wire.crv.as_deref() != Some("P-256") {
            return Err(JwkError::Unsupported { kty: wire.kty, crv: wire.crv });
        }
        if wire.d.is_some() {
            return Err(JwkError::Private);
        }
        let mut point = vec![4];
        point.extend(coordinate("x", wire.x)?);
        point.extend(coordinate("y", wire.y)?);
        let key =
            PublicKey::from_uncompressed(&point).filter(on_curve).ok_or(JwkError::OffCurve)?;
        Ok(Self { key, kid: wire.kid, alg: wire.alg, usage: wire.usage })
    }
}

impl From<Jwk> for Wire {
    fn from(jwk: Jwk) -> Self {
        let (x, y) = coordinates(&jwk.key);
        Self {
            kty: "EC".into(),
            crv: Some("P-256".into()),
            x: Some(x),
            y: Some(y),
            kid: jwk.kid,
            alg: jwk.alg,
            usage: jwk.usage,
            d: None,
        }
    }
}

fn coordinate(name: &'static str, text: Option<String>) -> Result<[u8; 32], JwkError> {
    let bad = JwkError::Coordinate(name);
    let bytes = text.and_then(|text| decode_base64url(text).ok()).ok_or_else(|| bad.clone())?;
    bytes.try_into().map_err(|_| bad)
}

fn coordinates(key: &PublicKey) -> (String, String) {
    let [_, point @ ..] = key.as_bytes();
    let (x, y) = point.split_at(32);
    (encode_base64url(x), encode_base64url(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn example() -> Value {
        // RFC 7515 appendix A.3.
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut jwk = example();
        jwk[name] = value;
        jwk
    }

    #[test]
    fn a_key_reads_and_writes_the_same_members() {
        let jwk: Jwk = serde_json::from_value(with("kid", json!("1"))).unwrap();
        assert_eq!(serde_json::to_value(&jwk).unwrap(), with("kid", json!("1")));
    }

    #[test]
    fn each_defect_has_its_message() {
        let off_curve = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4";
        let rows = [
            (with("kty", json!("OKP")), "expected kty EC"),
            (with("crv", json!("P-384")), "expected kty EC"),
            (with("d", json!("AA")), "private part"),
            (with("x", json!("AA")), "coordinate x"),
            (with("y", json!("====")), "coordinate y"),
            (with("y", Value::Null), "coordinate y"),
            (with("y", json!(off_curve)), "not a point"),
        ];
        for (bad, message) in rows {
            let error = serde_json::from_value::<Jwk>(bad.clone()).unwrap_err().to_string();
            assert!(error.contains(message), "{bad}: {error}");
        }
    }

    #[test]
    fn the_thumbprint_ignores_order_names_and_unknown_members() {
        let plain: Jwk = serde_json::from_value(example()).unwrap();
        let named: Jwk = serde_json::from_value(with("ext", json!(true))).unwrap();
        assert_eq!(plain.thumbprint(), named.thumbprint());
        // Computed independently: openssl dgst -sha256 over the canonical members.
        assert_eq!(plain.thumbprint_base64url(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }

    #[test]
    fn a_set_skips_keys_of_other_kinds_and_finds_by_name() {
        let set: JwkSet = serde_json::from_value(json!({
            "keys": [{"kty": "RSA", "n": "AA", "e": "AQAB"}, with("kid", json!("enc-1"))],
        }))
        .unwrap();
        assert_eq!(set.keys.len(), 1);
        assert!(set.find("enc-1").is_some() && set.find("enc-2").is_none());
    }
}
