//! The name under which a relying party asks.

use crate::section::Section;

/// By what wallets know who asks (OpenID4VP 1.0, 5.9.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientName {
    /// The hash of its access certificate: another one after each renewal.
    #[default]
    Hash,
    /// The DNS name of its address, which its access certificate bears.
    Dns,
}

impl ClientName {
    const WORDS: [(&'static str, Self); 2] =
        [("x509_hash", Self::Hash), ("x509_san_dns", Self::Dns)];
}

/// Reads `client_id`; the hash of the certificate if it is not given.
pub(crate) fn read_client_name(section: &mut Section<'_, '_, '_>) -> Option<ClientName> {
    if !section.has("client_id") {
        section.optional("client_id");
        return Some(ClientName::default());
    }
    section.word("client_id", &ClientName::WORDS).map(|(name, _)| name)
}
