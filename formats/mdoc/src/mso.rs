//! The mobile security object (ISO 18013-5, 9.1.2.4): what the issuer signs. It holds digests of the
//! elements, the device's key, the dates, and where to ask for the status.

use crate::cbor::{Fields, ShapeError, Value, expected, named, read};
use crate::cose::{key_from_value, key_to_value};
use crate::date::{date_time, read_date_time};
use std::collections::BTreeMap;
use yufu_base::{PublicKey, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::Leaf;

const OF: &str = "mobile security object";
const DIGEST: &str = "SHA-256";

/// What the issuer signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MobileSecurityObject {
    /// The document's type.
    pub doc_type: String,
    /// Digests (SHA-256) of the elements by namespace and number.
    pub digests: BTreeMap<String, BTreeMap<u64, [u8; 32]>>,
    /// The key it is bound to.
    pub device_key: PublicKey,
    /// When it is valid.
    pub validity: MdocValidity,
    /// Where to ask whether it was revoked (Token Status List, 6.3).
    pub status: Option<StatusReference>,
}

/// The dates of an mdoc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MdocValidity {
    /// When it was signed.
    pub signed: Timestamp,
    /// From when it may be accepted.
    pub valid_from: Timestamp,
    /// From when it must no longer be accepted.
    pub valid_until: Timestamp,
}

/// Why an mdoc is not valid now. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MdocTimeError {
    /// Its signature lies in the future.
    #[error("signed in the future, at {0} s: check the clocks of both sides")]
    SignedInFuture(u64),
    /// It is not valid yet.
    #[error("not valid before {0} s since the epoch")]
    NotYetValid(u64),
    /// It has expired.
    #[error("expired at {0} s since the epoch: ask for a fresh one")]
    Expired(u64),
    /// Its signature lies outside the signer's own time.
    #[error("signed at {0} s, when the signer's certificate was not valid")]
    NotTheSigners(u64),
}

impl MdocValidity {
    /// Checks the dates at `now`, granting the other clock `leeway_seconds` in either direction.
    ///
    /// # Errors
    /// [`MdocTimeError`], the first rule broken.
    pub fn check(&self, now: Timestamp, leeway_seconds: u64) -> Result<(), MdocTimeError> {
        let latest = now.plus_seconds(leeway_seconds);
        if self.signed > latest {
            return Err(MdocTimeError::SignedInFuture(self.signed.seconds()));
        }
        if self.valid_from > latest {
            return Err(MdocTimeError::NotYetValid(self.valid_from.seconds()));
        }
        if self.valid_until.plus_seconds(leeway_seconds) <= now {
            return Err(MdocTimeError::Expired(self.valid_until.seconds()));
        }
        Ok(())
    }

    /// Checks that it was signed while the signer's certificate was valid (ISO 18013-5, 9.3.1).
    ///
    /// # Errors
    /// [`MdocTimeError::NotTheSigners`].
    pub fn check_signer(&self, signer: &Leaf) -> Result<(), MdocTimeError> {
        if (signer.not_before..=signer.not_after).contains(&self.signed) {
            return Ok(());
        }
        Err(MdocTimeError::NotTheSigners(self.signed.seconds()))
    }
}

impl MobileSecurityObject {
    /// As the content of the issuer's signature: `#6.24(bstr .cbor MobileSecurityObject)`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let digest = |(number, digest): (&u64, &[u8; 32])| {
            (Value::Unsigned(*number), Value::Bytes(digest.to_vec()))
        };
        let namespace = |(name, digests): (&String, &BTreeMap<u64, [u8; 32]>)| {
            (Value::text(name), Value::Map(digests.iter().map(digest).collect()))
        };
        let mut members = vec![
            ("version", Value::text("1.0")),
            ("digestAlgorithm", Value::text(DIGEST)),
            ("valueDigests", Value::Map(self.digests.iter().map(namespace).collect())),
            ("deviceKeyInfo", Value::members([("deviceKey", key_to_value(&self.device_key))])),
            ("docType", Value::text(&self.doc_type)),
            ("validityInfo", self.validity.value()),
        ];
        members.extend(self.status.as_ref().map(|status| ("status", status_value(status))));
        let members = members.into_iter().map(|(name, value)| (Value::text(name), value));
        Value::embedded(Value::Map(members.collect()).encode()).encode()
    }

    /// Reads the content of the issuer's signature.
    ///
    /// # Errors
    /// [`ShapeError`], the first rule broken.
    pub fn decode(content: &[u8]) -> Result<Self, ShapeError> {
        let embedded = read(OF, content)?.into_embedded().ok_or(expected(OF, "embedded CBOR"))?;
        let mut fields = Fields::new(OF, read(OF, &embedded)?)?;
        fields.version_1()?;
        if fields.text("digestAlgorithm")? != DIGEST {
            return Err(expected(OF, "digests by SHA-256"));
        }
        let digests = named(OF, fields.required("valueDigests")?)?
            .into_iter()
            .map(|(name, digests)| Ok((name, read_digests(digests)?)))
            .collect::<Result<_, ShapeError>>()?;
        let mut device = Fields::new(OF, fields.required("deviceKeyInfo")?)?;
        let device_key = key_from_value(device.required("deviceKey")?)?;
        let validity = MdocValidity::read(fields.required("validityInfo")?)?;
        let status = fields.optional("status").map(read_status).transpose()?;
        let doc_type = fields.text("docType")?;
        Ok(Self { doc_type, digests, device_key, validity, status })
    }
}

impl MdocValidity {
    fn value(&self) -> Value {
        Value::members([
            ("signed", date_time(self.signed)),
            ("validFrom", date_time(self.valid_from)),
            ("validUntil", date_time(self.valid_until)),
        ])
    }

    fn read(value: Value) -> Result<Self, ShapeError> {
        let mut fields = Fields::new(OF, value)?;
        let mut date = |name| read_date_time(OF, fields.required(name)?);
        Ok(Self {
            signed: date("signed")?,
            valid_from: date("validFrom")?,
            valid_until: date("validUntil")?,
        })
    }
}

fn read_digests(value: Value) -> Result<BTreeMap<u64, [u8; 32]>, ShapeError> {
    const SHAPE: ShapeError = expected(OF, "digests of 32 bytes by number");
    let digest = |(number, digest): (Value, Value)| match number {
        Value::Unsigned(number) => Some((number, digest.into_bytes()?.try_into().ok()?)),
        _ => None,
    };
    let members = value.into_map().ok_or(SHAPE)?;
    members.into_iter().map(digest).collect::<Option<_>>().ok_or(SHAPE)
}

fn status_value(status: &StatusReference) -> Value {
    let list =
        Value::members([("idx", Value::Unsigned(status.index)), ("uri", Value::text(&status.uri))]);
    Value::members([("status_list", list)])
}

/// A status of another mechanism is one that nobody here can ask for.
fn read_status(value: Value) -> Result<StatusReference, ShapeError> {
    let Some(list) = Fields::new(OF, value)?.optional("status_list") else {
        return Err(expected(OF, "a status in a status list"));
    };
    let mut list = Fields::new(OF, list)?;
    let uri = list.text("uri")?;
    match list.required("idx")? {
        Value::Unsigned(index) => Ok(StatusReference { uri, index }),
        _ => Err(expected(OF, "a status by its number")),
    }
}
