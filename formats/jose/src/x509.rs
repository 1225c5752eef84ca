//! X.509 certificate chains as JOSE carries them (`x5c`, RFC 7515 section 4.1.6), P-256
//! only. What a chain is trusted for is decided by the list its anchor stands in, not by
//! extended key usages, which issuers of signing certificates set in many ways.

use crate::encoding::{encode_base64url, sha256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, ExtendedKeyUsageValidator,
    KeyPurposeIdIter, OwnedCertRevocationList, RevocationOptions, RevocationOptionsBuilder,
};
use x509_parser::extensions::{DistributionPointName, ParsedExtension};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, GeneralName, X509Certificate};
use yufu_base::{PublicKey, Timestamp};

/// Certificates a chain may have.
const MAX_LENGTH: usize = 6;
/// Bytes a certificate may have.
const MAX_CERTIFICATE: usize = 16 * 1024;

/// What stands before an uncompressed point in the public key of a certificate, if it is of P-256 (RFC 5480, section 2).
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A certificate chain, leaf first, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    certificates: Vec<CertificateDer<'static>>,
}

/// The end of a verified chain: who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The certified key.
    pub public_key: PublicKey,
    /// The certificate.
    pub der: Vec<u8>,
    /// DNS names in the subject alternative names.
    pub dns_names: Vec<String>,
    /// URIs in the subject alternative names.
    pub uri_names: Vec<String>,
    /// The subject's organisation.
    pub organisation: Option<String>,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The first moment of its validity.
    pub not_before: Timestamp,
    /// The last moment of its validity.
    pub not_after: Timestamp,
}

/// Why a chain is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// There is no certificate.
    #[error("no certificate chain: expected x5c with the signer's certificate first")]
    Empty,
    /// Too many certificates.
    #[error("a chain of {0} certificates: at most 6 are read")]
    TooLong(usize),
    /// A certificate is too large.
    #[error("certificate {0} has more than 16384 bytes")]
    TooLarge(usize),
    /// A certificate is not standard base64.
    #[error("certificate {0} is not base64: x5c wants standard base64 with padding, of DER")]
    Base64(usize),
    /// A certificate is not X.509 DER.
    #[error("certificate {0} is not an X.509 certificate")]
    Malformed(usize),
    /// An anchor is not X.509 DER.
    #[error("trust anchor {0} is not an X.509 certificate: mend the trust list")]
    Anchor(usize),
    /// The chain ends in the authority itself, which whoever verifies has from its own list (HAIP 1.0).
    #[error("certificate {0} is the trusted authority itself: leave it out of the chain")]
    CarriesAnchor(usize),
    /// No path to an anchor.
    #[error("no path from the certificate to a trusted authority")]
    Untrusted,
    /// A certificate is not valid yet.
    #[error("a certificate of the chain is not valid yet")]
    NotYetValid,
    /// A certificate has expired.
    #[error("a certificate of the chain has expired")]
    Expired,
    /// A certificate may not be used so.
    #[error("the certificate is not for signatures: its key usage lacks digitalSignature")]
    KeyUsage,
    /// The leaf's key is not P-256.
    #[error("the certificate's key is not P-256")]
    NotP256,
    /// A certificate is on its authority's list of revoked ones.
    #[error("a certificate of the chain was revoked by whoever issued it")]
    Revoked,
    /// No list says that it is not revoked.
    #[error(
        "no list of revoked certificates by whoever issued the chain is at hand, or it is over"
    )]
    RevocationUnknown,
    /// Another rule of X.509 path validation (RFC 5280 section 6).
    #[error("the chain is not valid: {0}")]
    Invalid(String),
}

impl Chain {
    /// From the `x5c` member: standard base64 of DER, leaf first.
    ///
    /// # Errors
    /// [`ChainError`] for an empty, long, large or undecodable chain.
    pub fn from_x5c(x5c: &[String]) -> Result<Self, ChainError> {
        check_length(x5c.len())?;
        let decode = |(index, text): (usize, &String)| {
            if text.len() > MAX_CERTIFICATE.saturating_mul(2) {
                return Err(ChainError::TooLarge(index));
            }
            STANDARD.decode(text).map_err(|_| ChainError::Base64(index))
        };
        let ders: Result<Vec<_>, _> = x5c.iter().enumerate().map(decode).collect();
        Self::from_der(ders?)
    }

    /// From DER certificates, leaf first.
    ///
    /// # Errors
    /// [`ChainError`] for an empty, long or large chain, or one that is no X.509.
    pub fn from_der(ders: Vec<Vec<u8>>) -> Result<Self, ChainError> {
        check_length(ders.len())?;
        for (index, der) in ders.iter().enumerate() {
            if der.len() > MAX_CERTIFICATE {
                return Err(ChainError::TooLarge(index));
            }
            if !well_formed(der) {
                return Err(ChainError::Malformed(index));
            }
        }
        Ok(Self { certificates: ders.into_iter().map(CertificateDer::from).collect() })
    }

    /// As the `x5c` member.
    #[must_use]
    pub fn to_x5c(&self) -> Vec<String> {
        self.certificates.iter().map(|der| STANDARD.encode(der)).collect()
    }

    /// The certificates as DER, leaf first.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.iter().map(AsRef::as_ref)
    }

    /// The first and the last second, since the epoch, at which every certificate of it is valid; `None` if one has dates
    /// that cannot be read.
    #[must_use]
    pub fn validity(&self) -> Option<(u64, u64)> {
        let mut seconds = (0, u64::MAX);
        for der in self.certificates() {
            let certificate = parse(der)?;
            let validity = certificate.validity();
            let first = u64::try_from(validity.not_before.timestamp()).ok()?;
            let last = u64::try_from(validity.not_after.timestamp()).ok()?;
            seconds = (seconds.0.max(first), seconds.1.min(last));
        }
        Some(seconds)
    }

    /// The leaf's DER, whoever made it.
    #[must_use]
    pub fn unverified_leaf(&self) -> &[u8] {
        self.certificates.first().map_or(&[], |der| der.as_ref())
    }

    /// The key that the leaf, whoever made it, is for; `None` if it is not of P-256.
    #[must_use]
    pub fn unverified_key(&self) -> Option<PublicKey> {
        unverified_key(self.unverified_leaf())
    }

    /// SHA-256 of the leaf, whoever made it, in base64url: the value of an `x509_hash` client id (OpenID4VP 1.0, 5.9.3).
    #[must_use]
    pub fn unverified_hash(&self) -> String {
        encode_base64url(sha256(self.unverified_leaf()))
    }

    /// Where the lists of revoked certificates are by which the leaf, whoever made it, says that it is to be judged (RFC
    /// 5280, 4.2.1.13): addresses.
    #[must_use]
    pub fn distribution_points(&self) -> Vec<String> {
        let Some(leaf) = parse(self.unverified_leaf()) else { return Vec::new() };
        let points = leaf.extensions().iter().find_map(|one| match one.parsed_extension() {
            ParsedExtension::CRLDistributionPoints(found) => Some(&found.points),
            _ => None,
        });
        let names = points.into_iter().flatten().filter_map(|point| {
            match point.distribution_point.as_ref()? {
                DistributionPointName::FullName(names) => Some(names),
                DistributionPointName::NameRelativeToCRLIssuer(_) => None,
            }
        });
        let address = |name: &GeneralName<'_>| match name {
            GeneralName::URI(address) => Some((*address).to_owned()),
            _ => None,
        };
        names.flatten().filter_map(address).collect()
    }

    /// Verifies the path from the leaf to one of `anchors` (DER certificates) at the
    /// moment `at` (RFC 5280 section 6; ECDSA P-256 with SHA-256 throughout). Revocation of
    /// certificates is not looked up: an authority that errs leaves the trust list.
    ///
    /// # Errors
    /// [`ChainError`], the rule broken.
    pub fn verify(&self, anchors: &[Vec<u8>], at: Timestamp) -> Result<Leaf, ChainError> {
        self.verify_with(anchors, None, at)
    }

    /// The same, and that none of the `lists` (DER; RFC 5280, section 5), by whoever issued each certificate, has it.
    ///
    /// # Errors
    /// [`ChainError`], the rule broken; [`ChainError::RevocationUnknown`] too if a list cannot be read, or is over.
    pub fn verify_unrevoked(
        &self,
        anchors: &[Vec<u8>],
        lists: &[Vec<u8>],
        at: Timestamp,
    ) -> Result<Leaf, ChainError> {
        let read = |der: &Vec<u8>| OwnedCertRevocationList::from_der(der).map(Into::into);
        let lists: Result<Vec<CertRevocationList<'_>>, Error> = lists.iter().map(read).collect();
        let lists = lists.map_err(|_| ChainError::RevocationUnknown)?;
        let lists: Vec<&CertRevocationList<'_>> = lists.iter().collect();
        let options = RevocationOptionsBuilder::new(&lists);
        let options = options.map_err(|_| ChainError::RevocationUnknown)?;
        let options = options.with_expiration_policy(ExpirationPolicy::Enforce).build();
        self.verify_with(anchors, Some(options), at)
    }

    fn verify_with(
        &self,
        anchors: &[Vec<u8>],
        revocation: Option<RevocationOptions<'_>>,
        at: Timestamp,
    ) -> Result<Leaf, ChainError> {
        let (leaf, intermediates) = self.certificates.split_first().ok_or(ChainError::Empty)?;
        if let Some(index) = self.certificates.iter().position(|one| is_anchor(one, anchors)) {
            return Err(ChainError::CarriesAnchor(index));
        }
        let anchors: Vec<CertificateDer<'_>> =
            anchors.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let anchors = anchors
            .iter()
            .enumerate()
            .map(|(index, der)| {
                webpki::anchor_from_trusted_cert(der).map_err(|_| ChainError::Anchor(index))
            })
            .collect::<Result<Vec<TrustAnchor<'_>>, _>>()?;
        let end_entity = EndEntityCert::try_from(leaf).map_err(|error| refusal(&error))?;
        end_entity
            .verify_for_usage(
                &[webpki::aws_lc_rs::ECDSA_P256_SHA256],
                &anchors,
                intermediates,
                UnixTime::since_unix_epoch(Duration::from_millis(at.millis())),
                AnyPurpose,
                revocation,
                None,
            )
            .map_err(|error| refusal(&error))?;
        Leaf::read(leaf)
    }
}

/// The key that a certificate (DER) is for, whoever made it; `None` if it is none, or not of P-256.
#[must_use]
pub fn unverified_key(der: &[u8]) -> Option<PublicKey> {
    let certificate = CertificateDer::from(der);
    let Ok(read) = EndEntityCert::try_from(&certificate) else { return p256_key(&parse(der)?) };
    let spki = read.subject_public_key_info();
    spki.strip_prefix(&P256_SPKI).and_then(PublicKey::from_uncompressed)
}

/// When the next list of revoked certificates (DER) comes, at the latest, by whoever made this one; `None` if it does not
/// say so (RFC 5280, 5.1.2.5), or is none.
#[must_use]
pub fn next_revocations(list: &[u8]) -> Option<Timestamp> {
    let ([], list) = CertificateRevocationList::from_der(list).ok()? else { return None };
    u64::try_from(list.next_update()?.timestamp()).ok().map(Timestamp::from_seconds)
}

impl Leaf {
    /// SHA-256 of the certificate in base64url: the value of an `x509_hash` client id
    /// (OpenID4VP 1.0 section 5.9.3).
    #[must_use]
    pub fn sha256_base64url(&self) -> String {
        encode_base64url(sha256(&self.der))
    }

    fn read(der: &[u8]) -> Result<Self, ChainError> {
        let certificate = parse(der).ok_or(ChainError::Malformed(0))?;
        let invalid = |_| ChainError::Malformed(0);
        let usage = certificate.key_usage().map_err(invalid)?;
        if usage.is_some_and(|usage| !usage.value.digital_signature()) {
            return Err(ChainError::KeyUsage);
        }
        let names = certificate.subject_alternative_name().map_err(invalid)?;
        let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
        let moment = |seconds: i64| Timestamp::from_seconds(u64::try_from(seconds).unwrap_or(0));
        let validity = certificate.validity();
        Ok(Self {
            public_key: p256_key(&certificate).ok_or(ChainError::NotP256)?,
            der: der.to_vec(),
            dns_names: names
                .iter()
                .filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some((*name).to_owned()),
                    _ => None,
                })
                .collect(),
            uri_names: names
                .iter()
                .filter_map(|name| match name {
                    GeneralName::URI(name) => Some((*name).to_owned()),
                    _ => None,
                })
                .collect(),
            organisation: first(certificate.subject().iter_organization()),
            common_name: first(certificate.subject().iter_common_name()),
            not_before: moment(validity.not_before.timestamp()),
            not_after: moment(validity.not_after.timestamp()),
        })
    }
}

/// Accepts every extended key usage: the anchor's place in the trust list decides.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        purposes.try_for_each(|purpose| purpose.map(|_| ()))
    }
}

/// Whether a certificate is one of `anchors`, or the same authority's for the same key, signed by itself anew.
fn is_anchor(certificate: &[u8], anchors: &[Vec<u8>]) -> bool {
    if anchors.iter().any(|anchor| anchor == certificate) {
        return true;
    }
    let Some(found) = parse(certificate) else { return false };
    found.subject() == found.issuer()
        && anchors.iter().filter_map(|anchor| parse(anchor)).any(|anchor| {
            anchor.subject() == found.subject() && anchor.public_key().raw == found.public_key().raw
        })
}

fn check_length(length: usize) -> Result<(), ChainError> {
    match length {
        0 => Err(ChainError::Empty),
        1..=MAX_LENGTH => Ok(()),
        more => Err(ChainError::TooLong(more)),
    }
}

/// Whether it reads as a certificate: to the reader that verifies paths, which copies nothing and is asked for every
/// credential that comes; what that one does not take, and the other one does, is refused with its reason when it is verified.
fn well_formed(der: &[u8]) -> bool {
    EndEntityCert::try_from(&CertificateDer::from(der)).is_ok() || parse(der).is_some()
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        _ => None,
    }
}

fn p256_key(certificate: &X509Certificate<'_>) -> Option<PublicKey> {
    let spki = certificate.public_key();
    let curve = spki.algorithm.parameters.as_ref()?.as_oid().ok()?;
    if curve != x509_parser::oid_registry::OID_EC_P256 {
        return None;
    }
    PublicKey::from_uncompressed(&spki.subject_public_key.data)
}

fn first<'a>(
    mut attributes: impl Iterator<Item = &'a x509_parser::x509::AttributeTypeAndValue<'a>>,
) -> Option<String> {
    attributes.next().and_then(|attribute| attribute.as_str().ok()).map(str::to_owned)
}

fn refusal(error: &Error) -> ChainError {
    match error {
        Error::UnknownIssuer => ChainError::Untrusted,
        Error::CertExpired { .. } => ChainError::Expired,
        Error::CertNotValidYet { .. } => ChainError::NotYetValid,
        Error::CertRevoked => ChainError::Revoked,
        Error::UnknownRevocationStatus | Error::CrlExpired { .. } => ChainError::RevocationUnknown,
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => ChainError::NotP256,
        other => ChainError::Invalid(other.to_string()),
    }
}
