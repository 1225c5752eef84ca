//! Device engagement (ISO 18013-5, 8.2.1): what a holder's device shows for a reader to begin with,
//! as a QR code.

use crate::cbor::{Fields, ShapeError, Value, expected, read};
use crate::cose::{key_from_value, key_to_value};
use yufu_base::PublicKey;
use yufu_jose::{Base64Error, decode_base64url, encode_base64url};

const OF: &str = "device engagement";
/// The scheme of the QR code's text (8.2.2.3).
const SCHEME: &str = "mdoc:";
/// The cipher suite of ISO 18013-5: ECDH, HKDF, AES-256-GCM.
const SUITE: i64 = 1;
/// The longest QR text that is read, in bytes.
const MAX_QR: usize = 4096;

/// What a holder's device offers. Its bytes go into the transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEngagement {
    /// The device's ephemeral key.
    pub device_key: PublicKey,
    /// How it can be reached.
    pub methods: Vec<RetrievalMethod>,
    encoded: Vec<u8>,
}

/// A way to reach a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrievalMethod {
    /// Which way: 1 NFC, 2 BLE, 3 Wi-Fi Aware; negative numbers are private.
    pub kind: i64,
    /// The version of its options.
    pub version: u64,
    /// Its options.
    pub options: Value,
}

/// Why a text is no device engagement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngagementError {
    /// Longer than is read.
    #[error("the code is longer than {MAX_QR} bytes")]
    TooLong,
    /// Another scheme.
    #[error("the code does not begin with {SCHEME}: it is not one of a document")]
    Scheme,
    /// Not base64url.
    #[error("the code is {0}")]
    Base64(#[from] Base64Error),
    /// Not the CBOR of an engagement.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

impl RetrievalMethod {
    /// Over TCP, to a host and port: a way of our own for two programs side by side, which is not in
    /// the standard.
    pub const TCP: i64 = -1;

    /// Over TCP, to this address.
    #[must_use]
    pub fn tcp(host: &str, port: u16) -> Self {
        let options = [(0, Value::text(host)), (1, Value::Unsigned(port.into()))];
        let options = options.map(|(label, value)| (Value::integer(label), value));
        Self { kind: Self::TCP, version: 1, options: Value::Map(options.into()) }
    }

    /// Host and port, if it is over TCP.
    #[must_use]
    pub fn tcp_address(&self) -> Option<(String, u16)> {
        let mut options =
            Fields::new(OF, self.options.clone()).ok().filter(|_| self.kind == Self::TCP)?;
        let host = options.labelled(0)?.into_text()?;
        let port = options.labelled(1)?.as_integer().and_then(|port| u16::try_from(port).ok())?;
        Some((host, port))
    }

    fn value(&self) -> Value {
        let kind = Value::integer(self.kind);
        Value::Array(vec![kind, Value::Unsigned(self.version), self.options.clone()])
    }

    fn read(value: Value) -> Result<Self, ShapeError> {
        const SHAPE: ShapeError = expected(OF, "ways to reach the device");
        let parts: Option<[Value; 3]> = value.into_array().and_then(|parts| parts.try_into().ok());
        let [kind, version, options] = parts.ok_or(SHAPE)?;
        let Value::Unsigned(version) = version else { return Err(SHAPE) };
        Ok(Self { kind: kind.as_integer().ok_or(SHAPE)?, version, options })
    }
}

impl DeviceEngagement {
    /// An engagement with a fresh key.
    #[must_use]
    pub fn new(device_key: PublicKey, methods: Vec<RetrievalMethod>) -> Self {
        let key = Value::embedded(key_to_value(&device_key).encode());
        let mut members =
            vec![(0, Value::text("1.0")), (1, Value::Array(vec![Value::integer(SUITE), key]))];
        if !methods.is_empty() {
            members.push((2, Value::Array(methods.iter().map(RetrievalMethod::value).collect())));
        }
        let members = members.into_iter().map(|(label, value)| (Value::integer(label), value));
        let encoded = Value::Map(members.collect()).encode();
        Self { device_key, methods, encoded }
    }

    /// The bytes, as they go into the transcript.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.encoded
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// [`ShapeError`], the first rule broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, ShapeError> {
        const SECURITY: ShapeError = expected(OF, "cipher suite 1 with a key");
        let mut fields = Fields::new(OF, read(OF, bytes)?)?;
        let version = fields.labelled(0).and_then(Value::into_text).unwrap_or_default();
        if version.split('.').next() != Some("1") {
            return Err(expected(OF, "version 1"));
        }
        let security: Option<[Value; 2]> =
            fields.labelled(1).and_then(Value::into_array).and_then(|parts| parts.try_into().ok());
        let [suite, key] = security.ok_or(SECURITY)?;
        if suite.as_integer() != Some(SUITE) {
            return Err(SECURITY);
        }
        let device_key = key_from_value(read(OF, &key.into_embedded().ok_or(SECURITY)?)?)?;
        let methods = fields.labelled(2).and_then(Value::into_array).unwrap_or_default();
        let methods = methods.into_iter().map(RetrievalMethod::read).collect::<Result<_, _>>()?;
        Ok(Self { device_key, methods, encoded: bytes.to_vec() })
    }

    /// The text of the QR code.
    #[must_use]
    pub fn to_qr(&self) -> String {
        format!("{SCHEME}{}", encode_base64url(&self.encoded))
    }

    /// Reads the text of a QR code.
    ///
    /// # Errors
    /// [`EngagementError`], the first rule broken.
    pub fn from_qr(text: &str) -> Result<Self, EngagementError> {
        if text.len() > MAX_QR {
            return Err(EngagementError::TooLong);
        }
        let encoded = text.strip_prefix(SCHEME).ok_or(EngagementError::Scheme)?;
        Ok(Self::decode(&decode_base64url(encoded)?)?)
    }
}
