//! A credential in the wallet.

use crate::Credential;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::encode_base64url;
use yufu_openid4vc::dcql::Candidate;
use yufu_trust::TrustEntry;

/// A verified credential bound to one key. Show it once: two presentations of one
/// credential can be linked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldCredential {
    /// The credential.
    pub credential: Credential,
    /// Which of the issuer's configurations it is.
    pub configuration_id: String,
    /// Who issued it, as the trust list named it then.
    pub issuer: TrustEntry,
    /// The authority key identifiers in its chain, in base64url.
    pub authority_key_ids: Vec<String>,
}

impl HeldCredential {
    /// The key it is bound to; the wallet holds the private half.
    #[must_use]
    pub fn holder_key(&self) -> &PublicKey {
        self.credential.holder_key()
    }

    /// From when it is no longer good, if it says so.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match &self.credential {
            Credential::SdJwt(sd_jwt) => sd_jwt.credential().validity.expires_at,
            Credential::Mdoc(mdoc) => Some(mdoc.mso().validity.valid_until),
        }
    }

    /// The credential as a query sees it.
    #[must_use]
    pub fn candidate(&self) -> Candidate<'_> {
        Candidate {
            format: self.credential.format(),
            vct: self.credential.kind(),
            claims: self.credential.queried(),
            authority_key_ids: &self.authority_key_ids,
            holder_bound: true,
        }
    }
}

/// The authority key identifiers in a chain (RFC 5280, 4.2.1.1), in base64url, as DCQL's
/// `aki` wants them (OpenID4VP 1.0, 6.1.1.1).
pub(crate) fn authority_key_ids(x5c: &[String]) -> Vec<String> {
    let mut ids = Vec::new();
    for der in x5c.iter().filter_map(|text| STANDARD.decode(text).ok()) {
        let Ok((_, certificate)) = X509Certificate::from_der(&der) else { continue };
        for extension in certificate.extensions() {
            if let ParsedExtension::AuthorityKeyIdentifier(aki) = extension.parsed_extension() {
                ids.extend(aki.key_identifier.as_ref().map(|id| encode_base64url(id.0)));
            }
        }
    }
    ids
}
