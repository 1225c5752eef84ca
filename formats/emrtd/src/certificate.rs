//! Certificates of those who sign cards: country signing authorities, their document signers and master list signers
//! (ICAO 9303-12). Read with a strict decoder; one authority stands directly above each signer.

use crate::signature::{SignatureError, SigningKey};
use crate::tlv::{Reader, TlvError};
use der::Decode as _;
use std::fmt;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};
use yufu_base::Timestamp;

/// The longest certificate that is read.
const MAX: usize = 16 * 1024;

/// Why a certificate is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is no certificate, or its key is not one that can be used.
    #[error("a certificate is malformed, or of a kind that is not used for cards")]
    Malformed,
    /// The authority did not sign it.
    #[error("a certificate was not signed by the authority that it names")]
    NotSigned,
    /// It may not be used so.
    #[error("a certificate may not be used for this")]
    Usage,
    /// It is not valid yet.
    #[error("a certificate is not valid yet")]
    NotYetValid,
    /// It has expired.
    #[error("a certificate has expired")]
    Expired,
}

impl From<TlvError> for CertificateError {
    fn from(_: TlvError) -> Self {
        Self::Malformed
    }
}

impl From<der::Error> for CertificateError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

impl From<SignatureError> for CertificateError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Unsupported => Self::Malformed,
            SignatureError::Invalid => Self::NotSigned,
        }
    }
}

/// A certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    validity: (Timestamp, Timestamp),
    key: SigningKey,
    subject_key: Option<Vec<u8>>,
    authority: bool,
    signs_certificates: bool,
    signs_lists: bool,
    signs_documents: bool,
    purposes: Vec<Vec<u8>>,
    country: Option<String>,
    name: Option<String>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] if it is none, or its key is not one that can be used.
    pub fn read(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX {
            return Err(CertificateError::Malformed);
        }
        let read = x509_cert::Certificate::from_der(der)?;
        let fields = read.tbs_certificate;
        let raw = Raw::of(der)?;
        let constraints: Option<(bool, BasicConstraints)> = fields.get()?;
        let usage: Option<(bool, KeyUsage)> = fields.get()?;
        let purposes: Option<(bool, ExtendedKeyUsage)> = fields.get()?;
        let may = |flag: KeyUsages| usage.as_ref().is_some_and(|(_, usage)| usage.0.contains(flag));
        let subject_key: Option<(bool, x509_cert::ext::pkix::SubjectKeyIdentifier)> =
            fields.get()?;
        let moment = |time: x509_cert::time::Time| {
            Timestamp::from_seconds(time.to_unix_duration().as_secs())
        };
        Ok(Self {
            der: der.to_vec(),
            subject: raw.subject.to_vec(),
            issuer: raw.issuer.to_vec(),
            serial: fields.serial_number.as_bytes().to_vec(),
            validity: (moment(fields.validity.not_before), moment(fields.validity.not_after)),
            key: SigningKey::read(raw.key)?,
            subject_key: subject_key.map(|(_, key)| key.0.as_bytes().to_vec()),
            authority: constraints.is_some_and(|(_, constraints)| constraints.ca),
            signs_certificates: may(KeyUsages::KeyCertSign),
            signs_lists: may(KeyUsages::CRLSign),
            signs_documents: may(KeyUsages::DigitalSignature),
            purposes: purposes.map_or_else(Vec::new, |(_, purposes)| {
                purposes.0.iter().map(|purpose| purpose.as_bytes().to_vec()).collect()
            }),
            country: attribute(raw.subject, crate::oid::COUNTRY)?,
            name: attribute(raw.subject, crate::oid::COMMON_NAME)?,
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whom it is for, as bytes that can only be compared.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// Who signed it.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// Its number among those of its authority.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The identifier of its key, if it names one.
    #[must_use]
    pub fn subject_key(&self) -> Option<&[u8]> {
        self.subject_key.as_deref()
    }

    /// The country of whom it is for.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// The name of whom it is for.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its last moment.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.validity.1
    }

    /// Whether an extended key usage names this purpose.
    #[must_use]
    pub fn is_for(&self, purpose: &[u8]) -> bool {
        self.purposes.iter().any(|named| named == purpose)
    }

    /// Whether it is valid at a moment.
    ///
    /// # Errors
    /// [`CertificateError::NotYetValid`], [`CertificateError::Expired`].
    pub fn check_time(&self, at: Timestamp) -> Result<(), CertificateError> {
        match self.validity {
            (from, _) if at < from => Err(CertificateError::NotYetValid),
            (_, until) if at > until => Err(CertificateError::Expired),
            _ => Ok(()),
        }
    }

    /// Whether it may sign certificates.
    ///
    /// # Errors
    /// [`CertificateError::Usage`] if not.
    pub const fn check_authority(&self) -> Result<(), CertificateError> {
        let may = self.authority && self.signs_certificates;
        if may { Ok(()) } else { Err(CertificateError::Usage) }
    }

    /// Whether it may sign revocation lists.
    ///
    /// # Errors
    /// [`CertificateError::Usage`] if not.
    pub const fn check_lists(&self) -> Result<(), CertificateError> {
        if self.authority && self.signs_lists { Ok(()) } else { Err(CertificateError::Usage) }
    }

    /// Whether it may sign documents or master lists.
    ///
    /// # Errors
    /// [`CertificateError::Usage`] if not.
    pub const fn check_signer(&self) -> Result<(), CertificateError> {
        if self.signs_documents && !self.authority { Ok(()) } else { Err(CertificateError::Usage) }
    }

    /// Whether `authority` signed it.
    ///
    /// # Errors
    /// [`CertificateError::NotSigned`] if not; [`CertificateError::Usage`] if that one may not.
    pub fn check_signed_by(&self, authority: &Self) -> Result<(), CertificateError> {
        authority.check_authority()?;
        if self.issuer != authority.subject {
            return Err(CertificateError::NotSigned);
        }
        let Raw { signed, algorithm, signature, .. } = Raw::of(&self.der)?;
        Ok(authority.key.verify(algorithm, signed, signature)?)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or_default();
        write!(f, "Certificate({name}, {:02X?})", self.serial)
    }
}

/// The parts of a certificate as they stand there.
struct Raw<'a> {
    signed: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    key: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Raw<'a> {
    fn of(der: &'a [u8]) -> Result<Self, CertificateError> {
        let Signed { signed, body, algorithm, signature } = Signed::read(der)?;
        let mut body = Reader::new(body);
        body.optional(0xA0)?;
        body.take(0x02)?;
        body.take(0x30)?;
        let issuer = body.take_whole(0x30)?.whole;
        body.take(0x30)?;
        let subject = body.take_whole(0x30)?.whole;
        let key = body.take_whole(0x30)?.whole;
        Ok(Self { signed, issuer, subject, key, algorithm, signature })
    }
}

/// What certificates and revocation lists are: something signed, with which algorithm, and the signature.
pub(crate) struct Signed<'a> {
    pub(crate) signed: &'a [u8],
    pub(crate) body: &'a [u8],
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, CertificateError> {
        let mut whole = Reader::new(crate::tlv::only(der, 0x30)?);
        let signed = whole.take_whole(0x30)?;
        let algorithm = Reader::new(whole.take(0x30)?).take(0x06)?;
        let signature = match whole.take(0x03)? {
            [0, signature @ ..] => signature,
            _ => return Err(CertificateError::Malformed),
        };
        whole.end()?;
        Ok(Self { signed: signed.whole, body: signed.value, algorithm, signature })
    }
}

/// The first attribute of a name with this type, if it is a text.
fn attribute(name: &[u8], kind: &[u8]) -> Result<Option<String>, TlvError> {
    let mut sets = Reader::new(crate::tlv::only(name, 0x30)?);
    while let Some(set) = sets.read()? {
        let mut pair = Reader::new(Reader::new(set.value).take(0x30)?);
        if pair.take(0x06)? == kind {
            let text = pair.read()?.and_then(|text| str::from_utf8(text.value).ok());
            return Ok(text.map(str::to_owned));
        }
    }
    Ok(None)
}
