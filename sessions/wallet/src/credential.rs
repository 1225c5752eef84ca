//! A credential of either format: what the wallet asks of it is the same.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yufu_base::PublicKey;
use yufu_credential::{IssuedCredential, StatusReference};
use yufu_mdoc::IssuedMdoc;
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};

/// A verified credential. Stored as its text; reading it back verifies it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Credential {
    /// An SD-JWT VC.
    SdJwt(Box<IssuedCredential>),
    /// An ISO mdoc.
    Mdoc(Box<IssuedMdoc>),
}

impl Credential {
    /// The format, as OpenID4VC names it.
    #[must_use]
    pub const fn format(&self) -> &'static str {
        match self {
            Self::SdJwt(_) => FORMAT_SD_JWT_VC,
            Self::Mdoc(_) => FORMAT_MSO_MDOC,
        }
    }

    /// The type: the `vct`, or the type of an mdoc.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::SdJwt(credential) => &credential.credential().vct,
            Self::Mdoc(mdoc) => &mdoc.mso().doc_type,
        }
    }

    /// All claims; of an mdoc those that its elements were made of.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        match self {
            Self::SdJwt(credential) => credential.claims(),
            Self::Mdoc(mdoc) => mdoc.claims(),
        }
    }

    /// What queries find their claims in: of an mdoc its elements, by namespace.
    #[must_use]
    pub fn queried(&self) -> &Map<String, Value> {
        match self {
            Self::SdJwt(credential) => credential.claims(),
            Self::Mdoc(mdoc) => mdoc.elements(),
        }
    }

    /// The key it is bound to.
    #[must_use]
    pub fn holder_key(&self) -> &PublicKey {
        match self {
            Self::SdJwt(credential) => &credential.credential().confirmation.jwk.key,
            Self::Mdoc(mdoc) => &mdoc.mso().device_key,
        }
    }

    /// Whom it names as its issuer; an mdoc names none but in its certificate.
    #[must_use]
    pub fn named_issuer(&self) -> Option<&str> {
        match self {
            Self::SdJwt(credential) => credential.credential().issuer.as_deref(),
            Self::Mdoc(_) => None,
        }
    }

    /// Its place in a status list, if it has one.
    #[must_use]
    pub fn status(&self) -> Option<&StatusReference> {
        match self {
            Self::SdJwt(credential) => credential.credential().status.as_ref(),
            Self::Mdoc(mdoc) => mdoc.mso().status.as_ref(),
        }
    }

    /// The text, as it was issued.
    #[must_use]
    pub fn issued(&self) -> String {
        match self {
            Self::SdJwt(credential) => credential.to_compact(),
            Self::Mdoc(mdoc) => mdoc.issued(),
        }
    }

    /// The SD-JWT VC, if it is one.
    #[must_use]
    pub const fn as_sd_jwt(&self) -> Option<&IssuedCredential> {
        match self {
            Self::SdJwt(credential) => Some(credential),
            Self::Mdoc(_) => None,
        }
    }

    /// The mdoc, if it is one.
    #[must_use]
    pub const fn as_mdoc(&self) -> Option<&IssuedMdoc> {
        match self {
            Self::Mdoc(mdoc) => Some(mdoc),
            Self::SdJwt(_) => None,
        }
    }
}
