//! A country signing authority at work: its own certificate, those of document signers and master list signers, and
//! its list of revoked ones. The keys lie behind the signer interface.

use crate::certificate::{Certificate, CertificateError};
use crate::mrz::IDENTITY_CARD;
use crate::signature::{SigningKey, to_der};
use crate::{crypto, oid, tlv};
use der::Encode as _;
use der::asn1::{GeneralizedTime, UtcTime};
use std::time::Duration;
use yufu_base::{PublicKey, Signer, SignerError, Timestamp};

/// Why nothing was certified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// What was made could not be read again: a date out of range, or a name that is none.
    #[error(transparent)]
    Made(#[from] CertificateError),
}

/// From when to when a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub until: Timestamp,
}

/// Who signs, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerName {
    /// The country: two letters.
    pub country: String,
    /// The organisation.
    pub organisation: String,
    /// The signer's own name.
    pub common: String,
}

/// What a signer under an authority signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerPurpose {
    /// Cards.
    Documents,
    /// Master lists.
    MasterLists,
}

/// A country signing authority with its key.
pub struct Authority<'a> {
    certificate: Certificate,
    signer: &'a dyn Signer,
}

impl<'a> Authority<'a> {
    /// A self-signed authority.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn self_signed(
        name: &SignerName,
        signer: &'a dyn Signer,
        validity: Validity,
    ) -> Result<Self, IssueError> {
        let key = signer.public_key();
        let extensions = [
            extension(oid::KEY_USAGE, true, &[0x03, 0x02, 0x01, 0x06]),
            extension(
                oid::BASIC_CONSTRAINTS,
                true,
                &tlv::constructed(0x30, &[&tlv::object(0x01, &[0xFF]), &tlv::integer(&[0])]),
            ),
            extension(oid::SUBJECT_KEY, false, &tlv::object(0x04, &key_identifier(&key))),
        ];
        let name = name.write();
        let body = body(&[1], (&name, &name), &key, validity, &extensions)?;
        let certificate = Certificate::read(&signed(&body, signer)?)?;
        Ok(Self { certificate, signer })
    }

    /// The authority again, from its certificate.
    ///
    /// # Errors
    /// [`IssueError::Made`] if it is not of this key, or no authority's.
    pub fn from_certificate(der: &[u8], signer: &'a dyn Signer) -> Result<Self, IssueError> {
        let certificate = Certificate::read(der)?;
        certificate.check_authority()?;
        if certificate.key().as_p256() != Some(signer.public_key()) {
            return Err(CertificateError::NotSigned.into());
        }
        Ok(Self { certificate, signer })
    }

    /// Its certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Certifies a signer under a number of its own.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn certify(
        &self,
        name: &SignerName,
        key: &PublicKey,
        serial: &[u8],
        validity: Validity,
        purpose: SignerPurpose,
    ) -> Result<Certificate, IssueError> {
        let of_purpose = match purpose {
            SignerPurpose::Documents => {
                let types =
                    tlv::object(0x31, &tlv::object(0x13, IDENTITY_CARD.to_string().as_bytes()));
                let list = tlv::constructed(0x30, &[&tlv::integer(&[0]), &types]);
                extension(oid::DOCUMENT_TYPES, false, &list)
            }
            SignerPurpose::MasterLists => {
                let purposes = tlv::object(0x30, &oid::object(oid::MASTER_LIST_SIGNER));
                extension(oid::EXTENDED_KEY_USAGE, true, &purposes)
            }
        };
        let extensions = [
            extension(oid::KEY_USAGE, true, &[0x03, 0x02, 0x07, 0x80]),
            extension(oid::SUBJECT_KEY, false, &tlv::object(0x04, &key_identifier(key))),
            self.identifier_extension(),
            of_purpose,
        ];
        let names = (self.certificate.subject(), name.write());
        let body = body(serial, (names.0, &names.1), key, validity, &extensions)?;
        Ok(Certificate::read(&signed(&body, self.signer)?)?)
    }

    /// A list of the revoked: numbers, and since when.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn revocation_list(
        &self,
        number: u32,
        validity: Validity,
        revoked: &[(Vec<u8>, Timestamp)],
    ) -> Result<Vec<u8>, IssueError> {
        let mut entries = Vec::new();
        for (serial, at) in revoked {
            entries.extend(tlv::constructed(0x30, &[&tlv::integer(serial), &moment(*at)?]));
        }
        // An empty list is left out (RFC 5280, 5.1.2.6).
        let entries = if entries.is_empty() { entries } else { tlv::object(0x30, &entries) };
        let count = tlv::integer(&number.to_be_bytes());
        let extensions = [self.identifier_extension(), extension(oid::CRL_NUMBER, false, &count)];
        let parts = [
            tlv::integer(&[1]),
            algorithm(),
            self.certificate.subject().to_vec(),
            moment(validity.from)?,
            moment(validity.until)?,
            entries,
            tlv::object(0xA0, &tlv::object(0x30, &extensions.concat())),
        ];
        signed(&tlv::object(0x30, &parts.concat()), self.signer)
    }

    fn identifier_extension(&self) -> Vec<u8> {
        let identifier = self.certificate.subject_key().unwrap_or_default();
        let value = tlv::object(0x30, &tlv::object(0x80, identifier));
        extension(oid::AUTHORITY_KEY, false, &value)
    }
}

impl SignerName {
    fn write(&self) -> Vec<u8> {
        let part = |kind: &[u8], tag: u16, text: &str| {
            let pair = [oid::object(kind), tlv::object(tag, text.as_bytes())].concat();
            tlv::object(0x31, &tlv::object(0x30, &pair))
        };
        let parts = [
            part(oid::COUNTRY, 0x13, &self.country),
            part(oid::ORGANISATION, 0x0C, &self.organisation),
            part(oid::COMMON_NAME, 0x0C, &self.common),
        ];
        tlv::object(0x30, &parts.concat())
    }
}

/// Signs a body: what certificates and lists are.
fn signed(body: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, IssueError> {
    let signature = to_der(&signer.sign(body)?);
    let bits = tlv::constructed(0x03, &[&[0], &signature]);
    Ok(tlv::constructed(0x30, &[body, &algorithm(), &bits]))
}

fn body(
    serial: &[u8],
    (issuer, subject): (&[u8], &[u8]),
    key: &PublicKey,
    validity: Validity,
    extensions: &[Vec<u8>],
) -> Result<Vec<u8>, IssueError> {
    let dates = [moment(validity.from)?, moment(validity.until)?].concat();
    let parts = [
        tlv::object(0xA0, &tlv::integer(&[2])),
        tlv::integer(serial),
        algorithm(),
        issuer.to_vec(),
        tlv::object(0x30, &dates),
        subject.to_vec(),
        SigningKey::write(key),
        tlv::object(0xA3, &tlv::object(0x30, &extensions.concat())),
    ];
    Ok(tlv::object(0x30, &parts.concat()))
}

fn algorithm() -> Vec<u8> {
    tlv::object(0x30, &oid::object(oid::ECDSA_SHA256))
}

fn extension(kind: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { tlv::object(0x01, &[0xFF]) } else { Vec::new() };
    tlv::constructed(0x30, &[&oid::object(kind), &critical, &tlv::object(0x04, value)])
}

fn key_identifier(key: &PublicKey) -> [u8; 20] {
    crypto::sha1(&[key.as_bytes()])
}

/// A moment as certificates write it: with two digits for the year until 2049 (RFC 5280, 4.1.2.5).
pub(crate) fn moment(at: Timestamp) -> Result<Vec<u8>, CertificateError> {
    let since = Duration::from_secs(at.seconds());
    match UtcTime::from_unix_duration(since) {
        Ok(time) => Ok(time.to_der()?),
        Err(_) => Ok(GeneralizedTime::from_unix_duration(since)?.to_der()?),
    }
}
