//! Key binding (RFC 9901 section 4.3): the holder's signature over what is shown, to whom,
//! and for what, transaction data included (OpenID4VP 1.0 appendix B.3.3).

use crate::KEY_BINDING;
use crate::disclosure::digest;
use serde::{Deserialize, Serialize};
use yufu_base::{Signer, Timestamp};
use yufu_jose::{Header, SignError, numeric_date, sign};

/// What the holder signs besides the disclosed claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBinding {
    /// The verifier: its client id.
    pub audience: String,
    /// The request's nonce.
    pub nonce: String,
    /// When the holder agreed.
    pub issued_at: Timestamp,
    /// The request's transaction data for this credential, each as it stood in the
    /// request: base64url of JSON. SHA-256 of each is signed.
    pub transaction_data: Vec<String>,
}

/// Why a presentation cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The credential names another key.
    #[error("the signing key is not the one this credential is bound to")]
    OtherKey,
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The hash of one transaction data string, as key bindings carry it.
#[must_use]
pub fn transaction_data_hash(encoded: &str) -> String {
    digest(encoded)
}

/// The payload of a key binding JWT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BindingClaims {
    #[serde(with = "numeric_date")]
    pub(crate) iat: Timestamp,
    pub(crate) aud: String,
    pub(crate) nonce: String,
    pub(crate) sd_hash: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) transaction_data_hashes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transaction_data_hashes_alg: Option<String>,
}

impl KeyBinding {
    /// Signs the binding to `disclosed`, the SD-JWT with its final tilde.
    pub(crate) fn sign(&self, disclosed: &str, signer: &dyn Signer) -> Result<String, SignError> {
        let hashes: Vec<String> =
            self.transaction_data.iter().map(|data| transaction_data_hash(data)).collect();
        let claims = BindingClaims {
            iat: self.issued_at,
            aud: self.audience.clone(),
            nonce: self.nonce.clone(),
            sd_hash: digest(disclosed),
            transaction_data_hashes_alg: (!hashes.is_empty()).then(|| "sha-256".to_owned()),
            transaction_data_hashes: hashes,
        };
        let payload =
            serde_json::to_vec(&claims).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header::typed(KEY_BINDING), &payload, signer)
    }
}
