//! JSON Web Signatures in compact form (RFC 7515), ES256 only.

use crate::encoding::{
    JsonError, decode_base64url, encode_base64url, parse_json, parse_json_object,
};
use crate::{Chain, ChainError, Jwk, SeenSignatures};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use yufu_base::{PublicKey, Signature, Signer, SignerError};

/// How many bytes [`Unverified::parse`] reads: ample for credentials and requests.
pub const DEFAULT_MAX_JWS: usize = 256 * 1024;

const ES256: &str = "ES256";

/// The protected header. `alg` is always `ES256`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// `typ`: what kind of token this is, such as `dc+sd-jwt` (RFC 8725 section 3.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typ: Option<String>,
    /// `kid`: the name of the signing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `x5c`: the signer's certificate chain, leaf first, each DER in standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    /// `jwk`: the signing key itself; proves possession, not identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<Jwk>,
    /// All other members.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Header {
    /// A header of type `typ`.
    #[must_use]
    pub fn typed(typ: &str) -> Self {
        Self { typ: Some(typ.to_owned()), ..Self::default() }
    }

    /// The same with the signer's certificate chain.
    #[must_use]
    pub fn with_chain(self, chain: &Chain) -> Self {
        Self { x5c: Some(chain.to_x5c()), ..self }
    }

    /// The same with the name of the signing key.
    #[must_use]
    pub fn with_kid(self, kid: impl Into<String>) -> Self {
        Self { kid: Some(kid.into()), ..self }
    }

    /// The same with the signing key itself.
    #[must_use]
    pub fn with_jwk(self, jwk: Jwk) -> Self {
        Self { jwk: Some(jwk), ..self }
    }

    /// The certificate chain in `x5c`.
    ///
    /// # Errors
    /// [`ChainError::Empty`] without one, otherwise as [`Chain::from_x5c`].
    pub fn chain(&self) -> Result<Chain, ChainError> {
        Chain::from_x5c(self.x5c.as_deref().unwrap_or_default())
    }
}

/// Why something could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The content cannot be written as JSON.
    #[error("cannot be written as JSON: {0}")]
    Json(String),
}

/// Why a text is not a JWS we accept. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Longer than the reader allows.
    #[error("the token has {found} bytes: at most {allowed} are read")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// Not three parts.
    #[error("not a compact JWS: expected three parts between two dots, found {0}")]
    Parts(usize),
    /// A part is not base64url.
    #[error("the {0} is not base64url")]
    Base64(&'static str),
    /// The header is not a JSON object with unique, well-typed members.
    #[error("the header: {0}")]
    Header(JsonError),
    /// Another algorithm.
    #[error("alg is {0:?}: only ES256 is accepted")]
    Algorithm(String),
    /// Critical extensions are declared; none is supported.
    #[error("crit names extensions that must be understood: none is supported")]
    Critical,
    /// The signature has another length.
    #[error("the signature has {0} bytes: ES256 has 64")]
    SignatureLength(usize),
    /// The token has another type.
    #[error("typ is {found:?}: expected {expected:?}")]
    Type {
        /// The type found.
        found: Option<String>,
        /// The type wanted here.
        expected: String,
    },
    /// The signature does not verify.
    #[error("the signature does not verify with the expected key")]
    Signature,
    /// The payload is not the JSON that was expected.
    #[error("the payload: {0}")]
    Payload(JsonError),
}

/// Signs `payload` (the bytes as they are; for a JWT, JSON) into a compact JWS.
///
/// # Errors
/// [`SignError`] if the header cannot be written or the key does not sign.
pub fn sign(header: &Header, payload: &[u8], signer: &dyn Signer) -> Result<String, SignError> {
    let json_error = |error: serde_json::Error| SignError::Json(error.to_string());
    let mut members = match serde_json::to_value(header).map_err(json_error)? {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members.insert("alg".into(), ES256.into());
    let header = serde_json::to_vec(&members).map_err(json_error)?;
    let input = format!("{}.{}", encode_base64url(header), encode_base64url(payload));
    let signature = signer.sign(input.as_bytes())?;
    Ok(format!("{input}.{}", encode_base64url(signature.0)))
}

/// A well-formed JWS whose signature nobody has checked yet. Its contents serve only to
/// find the key that must have signed it.
#[derive(Clone)]
pub struct Unverified {
    input: String,
    header: Header,
    payload: Vec<u8>,
    signature: Signature,
}

impl Unverified {
    /// Parses a compact JWS of at most [`DEFAULT_MAX_JWS`] bytes.
    ///
    /// # Errors
    /// [`JwsError`], the first rule broken.
    pub fn parse(text: &str) -> Result<Self, JwsError> {
        Self::parse_bounded(text, DEFAULT_MAX_JWS)
    }

    /// Parses a compact JWS of at most `max` bytes.
    ///
    /// # Errors
    /// [`JwsError`], the first rule broken.
    pub fn parse_bounded(text: &str, max: usize) -> Result<Self, JwsError> {
        if text.len() > max {
            return Err(JwsError::TooLong { found: text.len(), allowed: max });
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsError::Parts(text.split('.').count()));
        };
        let decode = |name, part: &str| decode_base64url(part).map_err(|_| JwsError::Base64(name));
        let parsed = parse_header(&decode("header", header)?)?;
        let input = format!("{header}.{payload}");
        let payload = decode("payload", payload)?;
        let signature = decode("signature", signature)?;
        let signature = signature
            .try_into()
            .map(Signature)
            .map_err(|bytes: Vec<u8>| JwsError::SignatureLength(bytes.len()))?;
        Ok(Self { input, header: parsed, payload, signature })
    }

    /// The header, which anyone may have written.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, which anyone may have written.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Reads the payload, which anyone may have written, as JSON.
    ///
    /// # Errors
    /// [`JwsError::Payload`] if it is not a `T`.
    pub fn unverified_claims<T: DeserializeOwned>(&self) -> Result<T, JwsError> {
        parse_json(&self.payload).map_err(JwsError::Payload)
    }

    /// Refuses a token of another type.
    ///
    /// # Errors
    /// [`JwsError::Type`] unless `typ` is `expected`.
    pub fn expect_type(self, expected: &str) -> Result<Self, JwsError> {
        if self.header.typ.as_deref() == Some(expected) {
            return Ok(self);
        }
        Err(JwsError::Type { found: self.header.typ, expected: expected.to_owned() })
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// [`JwsError::Signature`] if it is not one of `key`.
    pub fn verify(self, key: &PublicKey) -> Result<Verified, JwsError> {
        crate::verify(key, self.input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)?;
        Ok(Verified { header: self.header, payload: self.payload })
    }

    /// As [`Unverified::verify`], of what is shown more than once.
    ///
    /// # Errors
    /// [`JwsError::Signature`] if it is not one of `key`.
    pub fn verify_once(self, key: &PublicKey, seen: &SeenSignatures) -> Result<Verified, JwsError> {
        seen.verify(key, self.input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)?;
        Ok(Verified { header: self.header, payload: self.payload })
    }
}

/// The contents of a JWS whose signature was verified.
#[derive(Clone, PartialEq)]
pub struct Verified {
    /// The protected header.
    pub header: Header,
    /// The payload's bytes.
    pub payload: Vec<u8>,
}

impl Verified {
    /// The payload as typed JSON. Unknown members are `T`'s to accept or refuse;
    /// members named twice are refused here.
    ///
    /// # Errors
    /// [`JwsError::Payload`] if it is not a `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JwsError> {
        parse_json(&self.payload).map_err(JwsError::Payload)
    }
}

fn parse_header(bytes: &[u8]) -> Result<Header, JwsError> {
    let mut members = parse_json_object(bytes).map_err(JwsError::Header)?;
    match members.remove("alg") {
        Some(Value::String(alg)) if alg == ES256 => {}
        Some(Value::String(alg)) => return Err(JwsError::Algorithm(alg)),
        _ => return Err(JwsError::Algorithm(String::new())),
    }
    if members.contains_key("crit") {
        return Err(JwsError::Critical);
    }
    serde_json::from_value(Value::Object(members))
        .map_err(|error| JwsError::Header(JsonError::Shape(error.to_string())))
}

/// Says nothing of the payload, which may be about a person.
impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({:?}, {} bytes)", self.header.typ, self.payload.len())
    }
}

/// Says nothing of the payload, which may be about a person.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({:?}, {} bytes)", self.header.typ, self.payload.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SoftwareKey;
    use proptest::prelude::*;
    use serde_json::json;

    fn key() -> SoftwareKey {
        SoftwareKey::from_seed(&[1; 32]).unwrap()
    }

    fn token() -> String {
        sign(&Header::typed("test+jwt"), br#"{"sub":"a"}"#, &key()).unwrap()
    }

    fn with_header(header: &str) -> String {
        let rest = token().split_once('.').unwrap().1.to_owned();
        format!("{}.{rest}", encode_base64url(header))
    }

    #[test]
    fn what_is_signed_verifies_and_reads_back() {
        let header = Header::typed("test+jwt").with_kid("k").with_jwk(key().public_key().into());
        let text = sign(&header, br#"{"sub":"a"}"#, &key()).unwrap();
        let verified = Unverified::parse(&text).unwrap().verify(&key().public_key()).unwrap();
        assert_eq!(verified.header, header);
        assert_eq!(verified.claims::<Value>().unwrap(), json!({"sub": "a"}));
    }

    #[test]
    fn the_es256_example_of_rfc_7515_appendix_a_3_verifies() {
        let jwk: Jwk = serde_json::from_value(json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }))
        .unwrap();
        let text = concat!(
            "eyJhbGciOiJFUzI1NiJ9.",
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA",
            "pmWQxfKTUJqPP3-Kg6NU1Q",
        );
        let verified = Unverified::parse(text).unwrap().verify(&jwk.key).unwrap();
        assert_eq!(verified.claims::<Value>().unwrap()["iss"], "joe");
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        let parse = |text: &str| Unverified::parse(text).map(|_| ()).unwrap_err();
        let good = token();
        assert!(matches!(parse(&"a".repeat(DEFAULT_MAX_JWS + 1)), JwsError::TooLong { .. }));
        assert_eq!(parse(""), JwsError::Parts(1));
        assert_eq!(parse(&format!("{good}.x")), JwsError::Parts(4));
        assert_eq!(parse(&format!("={good}")), JwsError::Base64("header"));
        assert_eq!(parse(&good.replacen('.', ".=", 1)), JwsError::Base64("payload"));
        assert_eq!(parse(&format!("{good}=")), JwsError::Base64("signature"));
        assert!(matches!(parse(&with_header("[]")), JwsError::Header(JsonError::NotAnObject)));
        assert!(matches!(
            parse(&with_header(r#"{"alg":"ES256","alg":"none"}"#)),
            JwsError::Header(JsonError::Syntax(_))
        ));
        assert!(matches!(
            parse(&with_header(r#"{"alg":"ES256","x5c":"leaf"}"#)),
            JwsError::Header(JsonError::Shape(_))
        ));
        for alg in ["none", "HS256", "es256", ""] {
            let header = json!({ "alg": alg }).to_string();
            assert_eq!(parse(&with_header(&header)), JwsError::Algorithm(alg.into()));
        }
        assert_eq!(parse(&with_header("{}")), JwsError::Algorithm(String::new()));
        assert_eq!(parse(&with_header(r#"{"alg":"ES256","crit":["b64"]}"#)), JwsError::Critical);
        let short = good.rsplit_once('.').unwrap().0;
        assert_eq!(parse(&format!("{short}.AAAA")), JwsError::SignatureLength(3));
        let other = Unverified::parse(&good).unwrap().expect_type("other+jwt").unwrap_err();
        assert!(matches!(other, JwsError::Type { .. }));
        let stranger = SoftwareKey::from_seed(&[2; 32]).unwrap().public_key();
        assert_eq!(Unverified::parse(&good).unwrap().verify(&stranger), Err(JwsError::Signature));
        let twice = sign(&Header::default(), br#"{"a":1,"a":2}"#, &key()).unwrap();
        let verified = Unverified::parse(&twice).unwrap().verify(&key().public_key()).unwrap();
        assert!(matches!(verified.claims::<Value>(), Err(JwsError::Payload(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC*") {
            let _ = Unverified::parse(&text);
        }

        #[test]
        fn a_changed_character_never_verifies(at: prop::sample::Index, with in "[A-Za-z0-9_-]") {
            let good = token();
            let mut bytes = good.clone().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != with.as_bytes()[0] && bytes[at] != b'.');
            bytes[at] = with.as_bytes()[0];
            let changed = String::from_utf8(bytes).unwrap();
            let verified = Unverified::parse(&changed).and_then(|t| t.verify(&key().public_key()));
            prop_assert!(verified.is_err());
        }
    }
}
