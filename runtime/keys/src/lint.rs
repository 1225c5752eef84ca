//! What a certificate must be before it is signed: rules of RFC 5280, of HAIP 1.0 for certificates in `x5c`, and of
//! ISO/IEC 18013-5 Annex B for those who certify and sign mdocs. Each rule has a name; one that is broken is refused,
//! and nothing is signed.

mod mdocs;

pub use mdocs::lint_revocations;
pub(crate) use mdocs::mdoc_key_identifier;

use x509_parser::certificate::TbsCertificate;
use x509_parser::extensions::{GeneralName, KeyUsage, ParsedExtension, X509Extension};
use x509_parser::oid_registry::{OID_EC_P256, OID_SIG_ECDSA_WITH_SHA256, Oid};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use yufu_base::PublicKey;

/// The extended key usage of those who sign mdocs, 1.0.18013.5.1.2, as DER has it without tag and length.
pub(crate) const MDOC_SIGNER: [u8; 7] = [0x28, 0x81, 0x8c, 0x5d, 0x05, 0x01, 0x02];

const DAY: i64 = 86_400;
/// The most that ISO/IEC 18013-5 lets a signer of mdocs be valid (table B.3).
const SIGNER_DAYS: i64 = 457;
/// The most that it lets an authority be valid (table B.1): twenty years.
const AUTHORITY_DAYS: i64 = 20 * 366;
const MAX_SERIAL: usize = 20;
const MIN_SERIAL_BITS: u64 = 64;

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateKind {
    /// An authority that signs itself and certifies others: an anchor.
    Anchor,
    /// The same, which certifies those who sign mdocs (table B.1).
    MdocAnchor,
    /// Whoever signs credentials as mdocs, perhaps in other formats too (table B.3).
    DocumentSigner,
    /// Whoever asks to be shown something, known by a host name (`x509_san_dns`).
    Access,
    /// Any other signer.
    Signer,
}

/// Which rule a certificate breaks. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LintError {
    /// Not a certificate.
    #[error("certificate.malformed: it is not a certificate to be signed")]
    Malformed,
    /// RFC 5280, 4.1.2.1: extensions are for version 3.
    #[error("certificate.version: expected version 3")]
    Version,
    /// RFC 5280, 4.1.2.2: a positive number.
    #[error("certificate.serial_positive: its number is not positive")]
    SerialPositive,
    /// RFC 5280, 4.1.2.2: at most 20 octets.
    #[error("certificate.serial_long: its number has more than 20 octets")]
    SerialLong,
    /// ISO/IEC 18013-5, tables B.1 and B.3: at least 63 bits from a random source; we want 64, so that it cannot be foreseen.
    #[error("certificate.serial_short: its number has fewer than 64 bits, and can be foreseen")]
    SerialShort,
    /// ES256, over a key of P-256.
    #[error("certificate.algorithm: expected ecdsa-with-SHA256 over a key of P-256")]
    Algorithm,
    /// RFC 5280, 4.1.2.6: a name that is not empty. ISO/IEC 18013-5, tables B.1 and B.3: who certifies or signs mdocs has a
    /// common name.
    #[error("certificate.subject_empty: its subject has no name")]
    SubjectEmpty,
    /// RFC 5280, 4.1.2.4: the name of whoever signs.
    #[error(
        "certificate.issuer_name: its issuer is not the subject of the certificate that signs it"
    )]
    IssuerName,
    /// HAIP 1.0, 4.5.1 and 5: what signs is not its own authority.
    #[error(
        "certificate.self_signed: what signs credentials or requests must be certified by another"
    )]
    SelfSigned,
    /// The end comes after the beginning.
    #[error("certificate.validity_order: it ends before it begins")]
    ValidityOrder,
    /// Within the validity of whoever signs.
    #[error("certificate.validity_nested: it is valid when the certificate that signs it is not")]
    ValidityNested,
    /// ISO/IEC 18013-5, tables B.1 and B.3: 20 years, and 457 days.
    #[error("certificate.validity_long: it is valid for longer than such a certificate may be")]
    ValidityLong,
    /// RFC 5280, 4.2: each extension once.
    #[error("certificate.extension_twice: it has an extension twice")]
    ExtensionTwice,
    /// RFC 5280, 4.2: nobody could accept it.
    #[error("certificate.extension_unknown: it has a critical extension that readers do not know")]
    ExtensionUnknown,
    /// RFC 5280, 4.2.1.9: an authority says so, critically, and certifies no authorities; nobody else does.
    #[error(
        "certificate.basic_constraints: an authority must say so, critically, with path length 0; nobody else may"
    )]
    BasicConstraints,
    /// RFC 5280, 4.2.1.3: critical; an authority signs certificates and lists, a signer signs, and nothing else.
    #[error(
        "certificate.key_usage: expected, critically, keyCertSign and cRLSign of an authority, digitalSignature of others, and nothing else"
    )]
    KeyUsage,
    /// RFC 5280, 4.2.1.2.
    #[error("certificate.subject_key: the identifier of its own key is missing")]
    SubjectKey,
    /// ISO/IEC 18013-5, tables B.1 and B.3: the SHA-1 of the key, no other digest.
    #[error(
        "certificate.subject_key_digest: the identifier of the key of who certifies or signs mdocs is not its SHA-1"
    )]
    SubjectKeyDigest,
    /// RFC 5280, 4.2.1.1: that of the certificate that signs.
    #[error(
        "certificate.authority_key: the identifier of its authority's key is missing, or another one"
    )]
    AuthorityKey,
    /// ISO/IEC 18013-5, table B.3: critical, and no other.
    #[error(
        "certificate.extended_key_usage: a signer of mdocs has 1.0.18013.5.1.2, critically, and no other; others have none"
    )]
    ExtendedKeyUsage,
    /// ISO/IEC 18013-5, tables B.1 and B.3: two capital letters, the same as the authority's; who certifies or signs mdocs
    /// has one.
    #[error(
        "certificate.country: its country is missing, not two capital letters, or not that of its authority"
    )]
    Country,
    /// OpenID4VP 1.0, 5.9.3: `x509_san_dns` wants a host's name.
    #[error(
        "certificate.san_dns: whoever asks must have the name of a host among its alternative names, without wildcard"
    )]
    SanDns,
    /// SD-JWT VC, 3.5: whoever signs credentials is known by the address of its issuer.
    #[error(
        "certificate.san_uri: whoever signs credentials must have the address of the issuer among its alternative names"
    )]
    SanUri,
    /// ISO/IEC 18013-5, tables B.1 and B.3: how the authority of mdocs is reached, as an address or for mail.
    #[error(
        "certificate.issuer_alternative_name: an authority of mdocs, and whoever signs them, must say by an address or for mail how that authority is reached, and nothing else there"
    )]
    IssuerAlternativeName,
    /// ISO/IEC 18013-5, tables B.1 and B.3: an address, of a list for all reasons by the authority itself.
    #[error(
        "certificate.distribution_points: an authority of mdocs, and whoever signs them, must have the address of the list of revoked certificates, for all reasons and by that authority"
    )]
    DistributionPoints,
    /// RFC 5280, 5.1 and 5.2; ISO/IEC 18013-5, B.3: a list of revoked certificates is of version 2, by its authority,
    /// with its number and the identifier of its authority's key, and says when the next one comes.
    #[error(
        "certificate.revocation_list: the list is not of version 2, not its authority's, has no number or no end, or something that readers do not know"
    )]
    RevocationList,
}

impl CertificateKind {
    const fn is_anchor(self) -> bool {
        matches!(self, Self::Anchor | Self::MdocAnchor)
    }

    /// Whether Annex B is about it.
    const fn is_of_mdocs(self) -> bool {
        matches!(self, Self::MdocAnchor | Self::DocumentSigner)
    }
}

/// Looks at a certificate that is about to be signed (`tbs`, the DER of what is signed) by the authority whose
/// certificate is `by`; by itself, if none is named.
///
/// # Errors
/// [`LintError`], the first rule that is broken.
pub fn lint(tbs: &[u8], kind: CertificateKind, by: Option<&[u8]>) -> Result<(), LintError> {
    let (rest, certificate) = TbsCertificate::from_der(tbs).map_err(|_| LintError::Malformed)?;
    if !rest.is_empty() {
        return Err(LintError::Malformed);
    }
    let authority = match by {
        Some(der) => Some(X509Certificate::from_der(der).map_err(|_| LintError::Malformed)?.1),
        None => None,
    };
    let authority = authority.as_ref().map(|found| &found.tbs_certificate);
    let looked = Looked { certificate: &certificate, kind, authority };
    looked.head()?;
    looked.names()?;
    looked.validity()?;
    looked.extensions()?;
    looked.keys()?;
    looked.alternative_names()?;
    looked.authority_of_mdocs()
}

/// A certificate, what it is for, and who is to sign it.
struct Looked<'a> {
    certificate: &'a TbsCertificate<'a>,
    kind: CertificateKind,
    authority: Option<&'a TbsCertificate<'a>>,
}

impl<'a> Looked<'a> {
    fn head(&self) -> Result<(), LintError> {
        ensure(self.certificate.version.0 == 2, LintError::Version)?;
        let serial = self.certificate.raw_serial();
        let positive = serial.first().is_some_and(|first| first & 0x80 == 0)
            && serial.iter().any(|octet| *octet != 0);
        ensure(positive, LintError::SerialPositive)?;
        ensure(serial.len() <= MAX_SERIAL, LintError::SerialLong)?;
        ensure(self.certificate.serial.bits() >= MIN_SERIAL_BITS, LintError::SerialShort)?;
        let key = self.certificate.public_key();
        let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        let signed = self.certificate.signature.algorithm == OID_SIG_ECDSA_WITH_SHA256;
        ensure(signed && curve.is_some_and(|curve| curve == OID_EC_P256), LintError::Algorithm)
    }

    fn names(&self) -> Result<(), LintError> {
        let (subject, issuer) = (self.certificate.subject(), self.certificate.issuer());
        let named = |text: &str| !text.trim().is_empty();
        let mut all = subject.iter_attributes().filter_map(|one| one.as_str().ok());
        let common = subject.iter_common_name().filter_map(|one| one.as_str().ok()).any(named);
        ensure(all.any(named), LintError::SubjectEmpty)?;
        ensure(common || !self.kind.is_of_mdocs(), LintError::SubjectEmpty)?;
        let by = self.authority.map_or(subject, TbsCertificate::subject);
        ensure(issuer.as_raw() == by.as_raw(), LintError::IssuerName)?;
        let own = issuer.as_raw() == subject.as_raw();
        ensure(own == self.kind.is_anchor(), LintError::SelfSigned)
    }

    fn validity(&self) -> Result<(), LintError> {
        let bounds = |of: &TbsCertificate<'_>| {
            (of.validity.not_before.timestamp(), of.validity.not_after.timestamp())
        };
        let (from, until) = bounds(self.certificate);
        ensure(from < until, LintError::ValidityOrder)?;
        let nested = self.authority.is_none_or(|authority| {
            let (first, last) = bounds(authority);
            first <= from && until <= last
        });
        ensure(nested, LintError::ValidityNested)?;
        let most = match self.kind {
            CertificateKind::Anchor | CertificateKind::MdocAnchor => AUTHORITY_DAYS,
            CertificateKind::DocumentSigner => SIGNER_DAYS,
            CertificateKind::Access | CertificateKind::Signer => return Ok(()),
        };
        let length = until.saturating_sub(from);
        ensure(length <= most.saturating_mul(DAY), LintError::ValidityLong)
    }

    fn extensions(&self) -> Result<(), LintError> {
        let all = self.certificate.extensions();
        let twice = all
            .iter()
            .enumerate()
            .any(|(index, one)| all.iter().take(index).any(|other| other.oid == one.oid));
        ensure(!twice, LintError::ExtensionTwice)?;
        let known = |one: &&X509Extension<'_>| {
            use ParsedExtension as Is;
            matches!(
                one.parsed_extension(),
                Is::BasicConstraints(_)
                    | Is::KeyUsage(_)
                    | Is::ExtendedKeyUsage(_)
                    | Is::SubjectAlternativeName(_)
            )
        };
        let unknown = all.iter().filter(|one| one.critical).any(|one| !known(&one));
        ensure(!unknown, LintError::ExtensionUnknown)?;
        let is_anchor = self.kind.is_anchor();
        let constraints = self.found(|parsed| match parsed {
            ParsedExtension::BasicConstraints(found) => Some((found.ca, found.path_len_constraint)),
            _ => None,
        });
        let constrained = match constraints {
            Some((critical, (true, length))) => is_anchor && critical && length == Some(0),
            Some((_, (false, length))) => !is_anchor && length.is_none(),
            None => !is_anchor,
        };
        ensure(constrained, LintError::BasicConstraints)?;
        // keyCertSign and cRLSign, bits 5 and 6; digitalSignature, bit 0.
        let wanted = KeyUsage { flags: if is_anchor { 0b110_0000 } else { 1 } };
        let usage = self.found(|parsed| match parsed {
            ParsedExtension::KeyUsage(found) => Some(*found),
            _ => None,
        });
        ensure(usage == Some((true, wanted)), LintError::KeyUsage)?;
        self.extended_usage()
    }

    fn extended_usage(&self) -> Result<(), LintError> {
        let found = self.found(|parsed| match parsed {
            ParsedExtension::ExtendedKeyUsage(found) => Some(found),
            _ => None,
        });
        let right = match (self.kind, found) {
            (CertificateKind::DocumentSigner, Some((true, usage))) => {
                let mdoc = Oid::new((&MDOC_SIGNER[..]).into());
                let more = [
                    usage.any,
                    usage.server_auth,
                    usage.client_auth,
                    usage.code_signing,
                    usage.email_protection,
                    usage.time_stamping,
                    usage.ocsp_signing,
                ];
                !more.contains(&true) && usage.other == [mdoc]
            }
            (CertificateKind::DocumentSigner, _) => false,
            (_, found) => found.is_none(),
        };
        ensure(right, LintError::ExtendedKeyUsage)
    }

    fn keys(&self) -> Result<(), LintError> {
        let own = key_identifier(self.certificate).is_some_and(|own| !own.is_empty());
        ensure(own, LintError::SubjectKey)?;
        let key = &self.certificate.public_key().subject_public_key.data;
        let right = PublicKey::from_uncompressed(key).map(|key| mdoc_key_identifier(&key));
        let same = right.as_deref() == key_identifier(self.certificate);
        ensure(same || !self.kind.is_of_mdocs(), LintError::SubjectKeyDigest)?;
        let Some(authority) = self.authority else { return Ok(()) };
        let named = self.found(|parsed| match parsed {
            ParsedExtension::AuthorityKeyIdentifier(found) => {
                found.key_identifier.as_ref().map(|id| id.0)
            }
            _ => None,
        });
        let by = named.map(|(_, by)| by);
        ensure(by.is_some() && by == key_identifier(authority), LintError::AuthorityKey)
    }

    fn alternative_names(&self) -> Result<(), LintError> {
        let country = |of: &'a TbsCertificate<'a>| {
            of.subject.iter_country().next().and_then(|country| country.as_str().ok())
        };
        let own = country(self.certificate);
        let letters = |code: &str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
        ensure(own.is_none_or(letters), LintError::Country)?;
        ensure(own.is_some() || !self.kind.is_of_mdocs(), LintError::Country)?;
        if self.kind == CertificateKind::DocumentSigner {
            let same = self.authority.is_some_and(|authority| country(authority) == own);
            ensure(same, LintError::Country)?;
        }
        let names = self.found(|parsed| match parsed {
            ParsedExtension::SubjectAlternativeName(found) => Some(&found.general_names),
            _ => None,
        });
        let names = names.map(|(_, names)| names.as_slice()).unwrap_or_default();
        match self.kind {
            CertificateKind::Access => {
                let mut hosts = names.iter().filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some(*name),
                    _ => None,
                });
                let right = hosts.clone().next().is_some() && hosts.all(is_host);
                ensure(right, LintError::SanDns)
            }
            CertificateKind::DocumentSigner => {
                let address = names.iter().any(|name| matches!(name, GeneralName::URI(_)));
                ensure(address, LintError::SanUri)
            }
            CertificateKind::Anchor | CertificateKind::MdocAnchor | CertificateKind::Signer => {
                Ok(())
            }
        }
    }

    /// An extension, if it is there, and whether it is critical.
    fn found<T>(&self, read: impl Fn(&'a ParsedExtension<'a>) -> Option<T>) -> Option<(bool, T)> {
        let mut all = self.certificate.extensions().iter();
        all.find_map(|one| Some((one.critical, read(one.parsed_extension())?)))
    }
}

fn ensure(holds: bool, rule: LintError) -> Result<(), LintError> {
    if holds { Ok(()) } else { Err(rule) }
}

fn key_identifier<'a>(of: &'a TbsCertificate<'a>) -> Option<&'a [u8]> {
    of.extensions().iter().find_map(|one| match one.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    })
}

/// Labels of letters, digits and hyphens with dots between (RFC 1123, 2.1).
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests;
