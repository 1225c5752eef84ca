//! Signed content (CMS, RFC 5652) as cards and master lists carry it: one signer, its certificate beside it, and
//! signed attributes that tie the content to its type.

use crate::authority::{IssueError, moment};
use crate::certificate::{Certificate, CertificateError};
use crate::crypto::sha256;
use crate::signature::{SignatureError, to_der};
use crate::{oid, tlv};
use aws_lc_rs::digest;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::{Decode as _, Encode as _};
use yufu_base::{Signer, Timestamp};

/// The longest signed content that is read: a master list of all countries is shorter.
const MAX: usize = 2 << 20;
/// Certificates that one may carry.
const MAX_CERTIFICATES: usize = 16;

/// Why signed content is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedDataError {
    /// It is malformed, or of another kind.
    #[error("signed content is malformed, or of another kind")]
    Malformed,
    /// Its signer's certificate is not beside it.
    #[error("the certificate of the signer is not beside the signed content")]
    NoCertificate,
    /// An algorithm is not one that is read here.
    #[error("signed content uses an algorithm that is not read here")]
    Unsupported,
    /// The digest is not that of the content.
    #[error("the content is not what was signed")]
    Digest,
    /// The signature is not the signer's.
    #[error("the signature is not of the certificate beside it")]
    Signature,
}

impl From<der::Error> for SignedDataError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

impl From<CertificateError> for SignedDataError {
    fn from(_: CertificateError) -> Self {
        Self::Malformed
    }
}

impl From<SignatureError> for SignedDataError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Unsupported => Self::Unsupported,
            SignatureError::Invalid => Self::Signature,
        }
    }
}

/// Signed content whose signature holds; whether its signer is trusted is still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The content.
    pub(crate) content: Vec<u8>,
    /// Who signed it.
    pub(crate) signer: Certificate,
}

/// Signs content of a type.
///
/// # Errors
/// [`IssueError`] if the key does not sign.
pub(crate) fn sign(
    kind: &[u8],
    content: &[u8],
    certificate: &Certificate,
    signer: &dyn Signer,
    at: Timestamp,
) -> Result<Vec<u8>, IssueError> {
    let attribute = |name: &[u8], value: &[u8]| {
        tlv::constructed(0x30, &[&oid::object(name), &tlv::object(0x31, value)])
    };
    let digest = tlv::object(0x04, &sha256(&[content]));
    let mut attributes = [
        attribute(oid::CONTENT_TYPE, &oid::object(kind)),
        attribute(oid::SIGNING_TIME, &moment(at)?),
        attribute(oid::MESSAGE_DIGEST, &digest),
    ];
    attributes.sort();
    let signature = to_der(&signer.sign(&tlv::object(0x31, &attributes.concat()))?);
    let sha256 = tlv::object(0x30, &oid::object(oid::SHA256));
    let name = [certificate.issuer(), &tlv::integer(certificate.serial())].concat();
    let info = [
        tlv::integer(&[1]),
        tlv::object(0x30, &name),
        sha256.clone(),
        tlv::object(0xA0, &attributes.concat()),
        tlv::object(0x30, &oid::object(oid::ECDSA_SHA256)),
        tlv::object(0x04, &signature),
    ];
    let wrapped = tlv::object(0xA0, &tlv::object(0x04, content));
    let data = [
        tlv::integer(&[3]),
        tlv::object(0x31, &sha256),
        tlv::constructed(0x30, &[&oid::object(kind), &wrapped]),
        tlv::object(0xA0, certificate.der()),
        tlv::object(0x31, &tlv::object(0x30, &info.concat())),
    ];
    let data = tlv::object(0xA0, &tlv::object(0x30, &data.concat()));
    Ok(tlv::constructed(0x30, &[&oid::object(oid::SIGNED_DATA), &data]))
}

/// Reads signed content of a type and checks that the signature is that of the certificate beside it.
///
/// # Errors
/// [`SignedDataError`].
pub(crate) fn open(kind: &[u8], der: &[u8]) -> Result<Signed, SignedDataError> {
    if der.len() > MAX {
        return Err(SignedDataError::Malformed);
    }
    let info = ContentInfo::from_der(der)?;
    if info.content_type.as_bytes() != oid::SIGNED_DATA {
        return Err(SignedDataError::Malformed);
    }
    let data: SignedData = info.content.decode_as()?;
    let inner = &data.encap_content_info;
    let (Some(content), true) = (&inner.econtent, inner.econtent_type.as_bytes() == kind) else {
        return Err(SignedDataError::Malformed);
    };
    let content =
        tlv::only(&content.to_der()?, 0x04).map_err(|_| SignedDataError::Malformed)?.to_vec();
    let signers = data.signer_infos.0.as_slice();
    let [signer_info] = signers else { return Err(SignedDataError::Malformed) };
    // What no signature covers must at least be what it has to be (RFC 5652, 5.1 and 5.3).
    let version = match signer_info.sid {
        SignerIdentifier::IssuerAndSerialNumber(_) => CmsVersion::V1,
        SignerIdentifier::SubjectKeyIdentifier(_) => CmsVersion::V3,
    };
    let named = data.digest_algorithms.iter().any(|named| *named == signer_info.digest_alg);
    if data.version != CmsVersion::V3 || signer_info.version != version || !named {
        return Err(SignedDataError::Malformed);
    }
    let signer = certificate_of(&data, &signer_info.sid)?;
    verify(kind, &content, signer_info, &signer)?;
    Ok(Signed { content, signer })
}

fn certificate_of(
    data: &SignedData,
    wanted: &SignerIdentifier,
) -> Result<Certificate, SignedDataError> {
    let certificates = data.certificates.as_ref().ok_or(SignedDataError::NoCertificate)?;
    for choice in certificates.0.iter().take(MAX_CERTIFICATES) {
        let Ok(certificate) = Certificate::read(&choice.to_der()?) else { continue };
        let is_it = match wanted {
            SignerIdentifier::IssuerAndSerialNumber(name) => {
                certificate.issuer() == name.issuer.to_der()?
                    && certificate.serial() == name.serial_number.as_bytes()
            }
            SignerIdentifier::SubjectKeyIdentifier(key) => {
                certificate.subject_key() == Some(key.0.as_bytes())
            }
        };
        if is_it {
            return Ok(certificate);
        }
    }
    Err(SignedDataError::NoCertificate)
}

fn verify(
    kind: &[u8],
    content: &[u8],
    info: &SignerInfo,
    signer: &Certificate,
) -> Result<(), SignedDataError> {
    let attributes = info.signed_attrs.as_ref().ok_or(SignedDataError::Malformed)?;
    let value = |name: &[u8]| -> Result<Vec<u8>, SignedDataError> {
        let mut named = attributes.iter().filter(|a| a.oid.as_bytes() == name);
        match (named.next(), named.next()) {
            (Some(attribute), None) => match attribute.values.as_slice() {
                [value] => Ok(value.to_der()?),
                _ => Err(SignedDataError::Malformed),
            },
            _ => Err(SignedDataError::Malformed),
        }
    };
    if value(oid::CONTENT_TYPE)? != oid::object(kind) {
        return Err(SignedDataError::Malformed);
    }
    let digest = hash(info.digest_alg.oid.as_bytes(), content)?;
    if value(oid::MESSAGE_DIGEST)? != tlv::object(0x04, &digest) {
        return Err(SignedDataError::Digest);
    }
    let algorithm = info.signature_algorithm.oid.as_bytes();
    let signature = info.signature.as_bytes();
    Ok(signer.key().verify(algorithm, &attributes.to_der()?, signature)?)
}

/// The digest by an algorithm's name.
pub(crate) fn hash(algorithm: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SignedDataError> {
    let algorithm = match algorithm {
        name if name == oid::SHA256 => &digest::SHA256,
        name if name == oid::SHA384 => &digest::SHA384,
        name if name == oid::SHA512 => &digest::SHA512,
        _ => return Err(SignedDataError::Unsupported),
    };
    Ok(digest::digest(algorithm, bytes).as_ref().to_vec())
}
