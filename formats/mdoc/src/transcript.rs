//! Session transcripts: what ties a device's signature to one conversation, and to no other.

use crate::cbor::{ShapeError, Value, expected, read};
use yufu_jose::sha256;

const OF: &str = "session transcript";

/// What both sides know of their conversation (ISO 18013-5, 9.1.5.1; OpenID4VP 1.0, B.2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTranscript(Value);

/// How two devices came together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover<'a> {
    /// By a QR code that the reader saw.
    Qr,
    /// By NFC: the messages `Handover Select` and, unless it was static, `Handover Request`.
    Nfc(&'a [u8], Option<&'a [u8]>),
}

impl SessionTranscript {
    /// Of a presentation over OpenID4VP by redirects or posts (B.2.6.1). `thumbprint` is that of the
    /// key the answer is encrypted to, if it is.
    #[must_use]
    pub fn openid4vp(
        client_id: &str,
        nonce: &str,
        thumbprint: Option<&[u8; 32]>,
        response_uri: &str,
    ) -> Self {
        let info = vec![
            Value::text(client_id),
            Value::text(nonce),
            optional_bytes(thumbprint.map(<[u8; 32]>::as_slice)),
            Value::text(response_uri),
        ];
        Self::online("OpenID4VPHandover", info)
    }

    /// Of a presentation over the Digital Credentials API (B.2.6.2), to the web origin `origin`.
    #[must_use]
    pub fn digital_credentials(origin: &str, nonce: &str, thumbprint: Option<&[u8; 32]>) -> Self {
        let thumbprint = optional_bytes(thumbprint.map(<[u8; 32]>::as_slice));
        let info = vec![Value::text(origin), Value::text(nonce), thumbprint];
        Self::online("OpenID4VPDCAPIHandover", info)
    }

    /// Of two devices side by side: the encodings of the device engagement and of the reader's
    /// ephemeral key, as they went over.
    #[must_use]
    pub fn proximity(engagement: &[u8], reader_key: &[u8], handover: Handover<'_>) -> Self {
        let handover = match handover {
            Handover::Qr => Value::Null,
            Handover::Nfc(select, request) => {
                Value::Array(vec![Value::Bytes(select.to_vec()), optional_bytes(request)])
            }
        };
        let embedded = |bytes: &[u8]| Value::embedded(bytes.to_vec());
        Self(Value::Array(vec![embedded(engagement), embedded(reader_key), handover]))
    }

    /// A transcript from its encoding.
    ///
    /// # Errors
    /// [`ShapeError`] unless it is a list of three.
    pub fn decode(bytes: &[u8]) -> Result<Self, ShapeError> {
        match read(OF, bytes)? {
            Value::Array(parts) if parts.len() == 3 => Ok(Self(Value::Array(parts))),
            _ => Err(expected(OF, "a list of three")),
        }
    }

    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }

    /// The encoding as embedded CBOR: `SessionTranscriptBytes`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Value::embedded(self.encode()).encode()
    }

    /// What the device signs or authenticates for a document (9.1.3.4): `DeviceAuthenticationBytes`.
    #[must_use]
    pub fn device_authentication(&self, doc_type: &str, device_namespaces: &[u8]) -> Vec<u8> {
        self.authentication([
            Value::text("DeviceAuthentication"),
            self.0.clone(),
            Value::text(doc_type),
            Value::embedded(device_namespaces.to_vec()),
        ])
    }

    /// What a reader signs of a request for a document (9.1.4.4): `ReaderAuthenticationBytes`.
    #[must_use]
    pub fn reader_authentication(&self, items_request: &[u8]) -> Vec<u8> {
        self.authentication([
            Value::text("ReaderAuthentication"),
            self.0.clone(),
            Value::embedded(items_request.to_vec()),
        ])
    }

    fn authentication<const N: usize>(&self, parts: [Value; N]) -> Vec<u8> {
        Value::embedded(Value::Array(parts.into()).encode()).encode()
    }

    fn online(name: &str, info: Vec<Value>) -> Self {
        let hash = sha256(&Value::Array(info).encode());
        let handover = vec![Value::text(name), Value::Bytes(hash.to_vec())];
        Self(Value::Array(vec![Value::Null, Value::Null, Value::Array(handover)]))
    }
}

fn optional_bytes(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;
    use yufu_jose::Jwk;

    /// The key and nonce of the examples.
    fn example() -> ([u8; 32], &'static str) {
        let jwk: Jwk = serde_json::from_value(serde_json::json!({
            "kty": "EC", "crv": "P-256",
            "x": "DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0",
            "y": "XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc",
            "use": "enc", "alg": "ECDH-ES", "kid": "1",
        }))
        .unwrap();
        (jwk.thumbprint(), "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA")
    }

    #[test]
    fn the_transcript_of_openid4vp_is_that_of_the_example_b_2_6_1() {
        let (thumbprint, nonce) = example();
        let transcript = SessionTranscript::openid4vp(
            "x509_san_dns:example.com",
            nonce,
            Some(&thumbprint),
            "https://example.com/response",
        );
        let expected = "83f6f682714f70656e494434565048616e646f7665725820\
            048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac";
        assert_eq!(transcript.encode(), hex::decode(expected));
    }

    #[test]
    fn the_transcript_of_the_digital_credentials_api_is_that_of_the_example_b_2_6_2() {
        let (thumbprint, nonce) = example();
        let transcript =
            SessionTranscript::digital_credentials("https://example.com", nonce, Some(&thumbprint));
        let expected = "83f6f682764f70656e4944345650444341504948616e646f7665725820\
            fbece366f4212f9762c74cfdbf83b8c69e371d5d68cea09cb4c48ca6daab761a";
        assert_eq!(transcript.encode(), hex::decode(expected));
    }

    #[test]
    fn every_part_of_a_request_changes_the_transcript() {
        let base = SessionTranscript::openid4vp("c", "n", Some(&[1; 32]), "u");
        let others = [
            SessionTranscript::openid4vp("C", "n", Some(&[1; 32]), "u"),
            SessionTranscript::openid4vp("c", "N", Some(&[1; 32]), "u"),
            SessionTranscript::openid4vp("c", "n", Some(&[2; 32]), "u"),
            SessionTranscript::openid4vp("c", "n", None, "u"),
            SessionTranscript::openid4vp("c", "n", Some(&[1; 32]), "U"),
            SessionTranscript::digital_credentials("c", "n", Some(&[1; 32])),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
