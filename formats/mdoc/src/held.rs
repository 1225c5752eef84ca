//! An mdoc in the holder's hands: verified, kept, shown in part.

use crate::device_auth::DeviceSigned;
use crate::issuer_signed::{IssuerSigned, IssuerSignedError};
use crate::json::own_claims;
use crate::mso::MobileSecurityObject;
use crate::response::{Document, elements};
use crate::transcript::SessionTranscript;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::fmt;
use yufu_base::{PublicKey, Signer, SignerError};
use yufu_jose::{Base64Error, ClaimPath, Jwk, PathStep, decode_base64url, encode_base64url};

/// A verified document with all its elements. Stored as its bytes and the issuer's key; reading it
/// back verifies it again.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct IssuedMdoc {
    signed: IssuerSigned,
    issuer_key: PublicKey,
    mso: MobileSecurityObject,
    elements: Map<String, Json>,
    claims: Map<String, Json>,
}

/// Why a text is not an issued document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuedMdocError {
    /// Not base64url.
    #[error("the document is {0}")]
    Base64(#[from] Base64Error),
    /// What the issuer signed does not hold.
    #[error(transparent)]
    Signed(#[from] IssuerSignedError),
}

/// Why a document cannot be shown. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShowError {
    /// The document has no such element.
    #[error("the document has no element {0}")]
    NoSuchElement(ClaimPath),
    /// The document names another key.
    #[error("the signing key is not the one this document is bound to")]
    OtherKey,
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignerError),
}

impl IssuerSigned {
    /// The document in base64url, as issuers give it out (OpenID4VCI 1.0, A.2.4).
    #[must_use]
    pub fn to_base64url(&self) -> String {
        encode_base64url(self.encode())
    }

    /// Reads a document as issuers give it out.
    ///
    /// # Errors
    /// [`IssuedMdocError`].
    pub fn from_base64url(text: &str) -> Result<Self, IssuedMdocError> {
        Ok(Self::decode(&decode_base64url(text)?)?)
    }
}

impl IssuedMdoc {
    /// The document, once the issuer's signature over all of it is verified.
    ///
    /// # Errors
    /// [`IssuerSignedError`], the first rule broken.
    pub fn verify(signed: IssuerSigned, issuer_key: &PublicKey) -> Result<Self, IssuerSignedError> {
        let mso = signed.verify(issuer_key)?;
        let elements = elements(&signed);
        let claims = own_claims(&mso.doc_type, elements.clone());
        Ok(Self { signed, issuer_key: *issuer_key, mso, elements, claims })
    }

    /// What the issuer signed of it.
    #[must_use]
    pub const fn mso(&self) -> &MobileSecurityObject {
        &self.mso
    }

    /// The elements by namespace and name, as JSON.
    #[must_use]
    pub const fn elements(&self) -> &Map<String, Json> {
        &self.elements
    }

    /// The claims that its elements were made of: see [`own_claims`].
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Json> {
        &self.claims
    }

    /// The document in base64url, as it was issued.
    #[must_use]
    pub fn issued(&self) -> String {
        self.signed.to_base64url()
    }

    /// Shows the elements that `paths` name (namespace, then element), for one conversation.
    ///
    /// # Errors
    /// [`ShowError`], the first rule broken.
    pub fn show(
        &self,
        paths: &[ClaimPath],
        transcript: &SessionTranscript,
        signer: &dyn Signer,
    ) -> Result<Document, ShowError> {
        let lacking = paths.iter().find(|path| path.select(&self.elements).is_empty());
        if let Some(path) = lacking {
            return Err(ShowError::NoSuchElement(path.clone()));
        }
        if signer.public_key() != self.mso.device_key {
            return Err(ShowError::OtherKey);
        }
        let shown = |namespace: &str, name: &str| {
            let place = [PathStep::Name(namespace.to_owned()), PathStep::Name(name.to_owned())];
            let on_the_way = |path: &ClaimPath| {
                path.steps().iter().zip(&place).all(|(asked, found)| asked.matches(found))
            };
            paths.iter().any(on_the_way)
        };
        let doc_type = self.mso.doc_type.clone();
        let device_signed = DeviceSigned::sign(&doc_type, transcript, signer)?;
        Ok(Document { doc_type, issuer_signed: self.signed.reduced(shown), device_signed })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    mdoc: String,
    issuer_key: Jwk,
}

impl From<IssuedMdoc> for Stored {
    fn from(held: IssuedMdoc) -> Self {
        Self { mdoc: held.signed.to_base64url(), issuer_key: held.issuer_key.into() }
    }
}

impl TryFrom<Stored> for IssuedMdoc {
    type Error = IssuedMdocError;

    fn try_from(stored: Stored) -> Result<Self, IssuedMdocError> {
        let signed = IssuerSigned::from_base64url(&stored.mdoc)?;
        Ok(Self::verify(signed, &stored.issuer_key.key)?)
    }
}

/// Says nothing of values, which are about a person.
impl fmt::Debug for IssuedMdoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedMdoc({})", self.mso.doc_type)
    }
}
