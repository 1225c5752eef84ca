//! One signature (`COSE_Sign1`, RFC 9052, 4.2), ES256.

use super::header::{Parts, protect, protected_headers};
use super::{CoseError, Payload, structure};
use crate::cbor::Value;
use yufu_base::{PublicKey, Signature, Signer, SignerError};
use yufu_jose::Chain;

const OF: &str = "COSE signature";
const ES256: i64 = -7;
/// The tag of the structure where its kind is not known from its place.
const TAG: u64 = 18;
/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// A signed content, or a signature over content that is known. Not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign1 {
    protected: Vec<u8>,
    chain: Option<Chain>,
    content: Option<Vec<u8>>,
    signature: Signature,
}

impl Sign1 {
    /// Signs; `chain` says by whom.
    ///
    /// # Errors
    /// [`SignerError`] if the key does not sign.
    pub fn sign(
        payload: Payload<'_>,
        chain: Option<&Chain>,
        signer: &dyn Signer,
    ) -> Result<Self, SignerError> {
        Self::sign_with(Vec::new(), payload, chain, signer)
    }

    /// Signs, with further protected headers by their labels.
    ///
    /// # Errors
    /// [`SignerError`] if the key does not sign.
    pub fn sign_with(
        headers: Vec<(i64, Value)>,
        payload: Payload<'_>,
        chain: Option<&Chain>,
        signer: &dyn Signer,
    ) -> Result<Self, SignerError> {
        let protected = protect(ES256, headers);
        let signature = signer.sign(&structure("Signature1", &protected, payload.content()))?;
        let content = payload.carried();
        Ok(Self { protected, chain: chain.cloned(), content, signature })
    }

    /// Reads the structure; a tag of its kind is taken off.
    ///
    /// # Errors
    /// [`CoseError`], the first rule broken.
    pub fn from_value(value: Value) -> Result<Self, CoseError> {
        let value = match value {
            Value::Tag(TAG, inner) => *inner,
            other => other,
        };
        let Parts { protected, chain, content, end } = Parts::read(OF, value, ES256)?;
        let signature = end.try_into().map(Signature);
        let signature =
            signature.map_err(|end: Vec<u8>| CoseError::Length(end.len(), SIGNATURE))?;
        Ok(Self { protected, chain, content, signature })
    }

    /// The structure, without a tag.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let Self { protected, chain, content, signature } = self.clone();
        Parts { protected, chain, content, end: signature.0.to_vec() }.value()
    }

    /// The structure with the tag of its kind.
    #[must_use]
    pub fn to_tagged(&self) -> Value {
        Value::tagged(TAG, self.to_value())
    }

    /// The signer's certificate chain, if there is one. Anyone may have written it.
    #[must_use]
    pub const fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// The text under a label of the protected headers, if there is one.
    #[must_use]
    pub fn protected_text(&self, label: i64) -> Option<String> {
        protected_headers(OF, &self.protected).ok()?.labelled(label)?.into_text()
    }

    /// The content that is carried, which anyone may have written.
    ///
    /// # Errors
    /// [`CoseError::Content`] if there is none.
    pub fn unverified_content(&self) -> Result<&[u8], CoseError> {
        self.content.as_deref().ok_or(CoseError::Content("carried"))
    }

    /// Verifies the signature over the content that is carried, and gives it.
    ///
    /// # Errors
    /// [`CoseError::Content`] or [`CoseError::Invalid`].
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], CoseError> {
        let content = self.unverified_content()?;
        self.check(key, content)?;
        Ok(content)
    }

    /// Verifies the signature over content that went another way.
    ///
    /// # Errors
    /// [`CoseError::Content`] if some is carried, [`CoseError::Invalid`].
    pub fn verify_detached(&self, key: &PublicKey, content: &[u8]) -> Result<(), CoseError> {
        if self.content.is_some() {
            return Err(CoseError::Content("left out"));
        }
        self.check(key, content)
    }

    fn check(&self, key: &PublicKey, content: &[u8]) -> Result<(), CoseError> {
        let signed = structure("Signature1", &self.protected, content);
        yufu_jose::verify(key, &signed, &self.signature).map_err(|_| CoseError::Invalid)
    }
}
