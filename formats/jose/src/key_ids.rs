//! The identifiers of keys in certificates, by which a query names an authority (OpenID4VP 1.0, 6.1.1.1): they say
//! who is meant, and prove nothing.

use crate::encoding::encode_base64url;
use crate::x509::Chain;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate};

impl Chain {
    /// Whose keys its certificates say that they were signed with (RFC 5280, 4.2.1.1), in base64url.
    #[must_use]
    pub fn authority_key_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for der in self.certificates() {
            let Ok((_, certificate)) = X509Certificate::from_der(der) else { continue };
            for extension in certificate.extensions() {
                if let ParsedExtension::AuthorityKeyIdentifier(aki) = extension.parsed_extension() {
                    ids.extend(aki.key_identifier.as_ref().map(|id| encode_base64url(id.0)));
                }
            }
        }
        ids
    }
}

/// The identifier of a certificate's own key (RFC 5280, 4.2.1.2), in base64url: of an authority, what those below it
/// have as [`Chain::authority_key_ids`]. `None` if it has none, or is no certificate (DER).
#[must_use]
pub fn subject_key_id(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(encode_base64url(id.0)),
        _ => None,
    })
}
