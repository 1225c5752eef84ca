//! What ISO/IEC 18013-5 Annex B wants of those who certify and sign mdocs besides: how the authority is reached, where its
//! list of revoked certificates is, and what that list is.

use super::{LintError, Looked, ensure, key_identifier};
use aws_lc_rs::digest;
use x509_parser::extensions::{
    CRLDistributionPoint, DistributionPointName, GeneralName, ParsedExtension, X509Extension,
};
use x509_parser::oid_registry::OID_SIG_ECDSA_WITH_SHA256;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::revocation_list::TbsCertList;
use yufu_base::PublicKey;

/// Looks at a list of revoked certificates that is about to be signed (`tbs`) by the authority whose certificate is `by`.
///
/// # Errors
/// [`LintError::Malformed`], [`LintError::Algorithm`], [`LintError::IssuerName`], [`LintError::ValidityOrder`],
/// [`LintError::AuthorityKey`], [`LintError::RevocationList`].
pub fn lint_revocations(tbs: &[u8], by: &[u8]) -> Result<(), LintError> {
    let (rest, list) = TbsCertList::from_der(tbs).map_err(|_| LintError::Malformed)?;
    ensure(rest.is_empty(), LintError::Malformed)?;
    let (_, by) = X509Certificate::from_der(by).map_err(|_| LintError::Malformed)?;
    ensure(list.signature.algorithm == OID_SIG_ECDSA_WITH_SHA256, LintError::Algorithm)?;
    ensure(list.issuer.as_raw() == by.subject().as_raw(), LintError::IssuerName)?;
    let next = list.next_update.ok_or(LintError::RevocationList)?;
    ensure(list.this_update < next, LintError::ValidityOrder)?;
    let named = list.extensions().iter().find_map(|one| match one.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(found) => {
            found.key_identifier.as_ref().map(|id| id.0)
        }
        _ => None,
    });
    ensure(named.is_some() && named == key_identifier(&by), LintError::AuthorityKey)?;
    let mut known = list.extensions().iter().map(|one| match one.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(_) | ParsedExtension::CRLNumber(_) => !one.critical,
        _ => false,
    });
    let number =
        |one: &X509Extension<'_>| matches!(one.parsed_extension(), ParsedExtension::CRLNumber(_));
    let version = list.version.is_some_and(|version| version.0 == 1);
    let right = version && known.all(|known| known) && list.extensions().iter().any(number);
    ensure(right, LintError::RevocationList)
}

impl Looked<'_> {
    /// What Annex B wants of who certifies or signs mdocs besides.
    pub(super) fn authority_of_mdocs(&self) -> Result<(), LintError> {
        if !self.kind.is_of_mdocs() {
            return Ok(());
        }
        let names = self.found(|parsed| match parsed {
            ParsedExtension::IssuerAlternativeName(found) => Some(&found.general_names),
            _ => None,
        });
        let said = names.is_some_and(|(critical, names)| {
            let way = |name: &GeneralName<'_>| {
                matches!(name, GeneralName::URI(_) | GeneralName::RFC822Name(_))
            };
            !critical && !names.is_empty() && names.iter().all(way)
        });
        ensure(said, LintError::IssuerAlternativeName)?;
        let points = self.found(|parsed| match parsed {
            ParsedExtension::CRLDistributionPoints(found) => Some(&found.points),
            _ => None,
        });
        let right = points.is_some_and(|(critical, points)| {
            !critical && !points.is_empty() && points.iter().all(is_address)
        });
        ensure(right, LintError::DistributionPoints)
    }
}

/// Whether a list is told by its address, for all reasons and by the authority itself.
fn is_address(point: &CRLDistributionPoint<'_>) -> bool {
    let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
        return false;
    };
    let address = names.iter().any(|name| matches!(name, GeneralName::URI(_)));
    address && point.reasons.is_none() && point.crl_issuer.is_none()
}

/// The identifier of a key that certifies or signs mdocs.
pub(crate) fn mdoc_key_identifier(key: &PublicKey) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes()).as_ref().to_vec()
}
