//! Receipts: what each side keeps, signed by the other, of a presentation. A receipt
//! commits to the request and names the claims; it never holds their values.

use crate::Localized;
use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{
    ClaimPath, Header, JwsError, SignError, Unverified, encode_base64url, numeric_date,
    optional_numeric_date, sha256, sign,
};

/// The `typ` of a receipt.
pub const RECEIPT: &str = "yufu-receipt+jwt";

/// Whose act a receipt attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// The holder showed the claims.
    Presented,
    /// The relying party received and accepted them.
    Accepted,
}

/// A receipt of one presentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Whose act it attests.
    pub kind: ReceiptKind,
    /// The relying party's client id.
    pub party: String,
    /// Why the claims were asked.
    pub purpose: Localized,
    /// The request answered: see [`request_digest`].
    pub request_digest: String,
    /// The claims shown, by name.
    pub disclosed: Vec<DisclosedNames>,
    /// When.
    #[serde(with = "numeric_date")]
    pub at: Timestamp,
    /// Until when the relying party keeps what it learned.
    #[serde(default, with = "optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub retained_until: Option<Timestamp>,
}

/// The names of the claims one credential disclosed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosedNames {
    /// The credential's type.
    pub vct: String,
    /// The claims.
    pub claims: Vec<ClaimPath>,
}

/// Why a receipt is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a receipt signed by the expected key, or with members a receipt does not have.
    #[error("the receipt: {0}")]
    Token(#[from] JwsError),
    /// It attests the other side's act.
    #[error("the receipt attests that the claims were {found:?}, expected {expected:?}")]
    Kind {
        /// The kind found.
        found: ReceiptKind,
        /// The kind wanted.
        expected: ReceiptKind,
    },
    /// It belongs to another request.
    #[error("the receipt belongs to another request")]
    OtherRequest,
}

/// What a receipt commits to: SHA-256, in base64url, of the signed request as it was sent.
#[must_use]
pub fn request_digest(request_object: &str) -> String {
    encode_base64url(sha256(request_object.as_bytes()))
}

impl Receipt {
    /// Signs the receipt; `header` says by whom (its chain or key), its type is set here.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, header: Header, signer: &dyn Signer) -> Result<String, SignError> {
        let payload =
            serde_json::to_vec(self).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header { typ: Some(RECEIPT.into()), ..header }, &payload, signer)
    }

    /// Verifies the other side's receipt for a request.
    ///
    /// # Errors
    /// [`ReceiptError`], the first rule broken.
    pub fn verify(
        jws: &str,
        key: &PublicKey,
        expected: ReceiptKind,
        request_object: &str,
    ) -> Result<Self, ReceiptError> {
        let token = Unverified::parse(jws)?.expect_type(RECEIPT)?.verify(key)?;
        let receipt: Self = token.claims()?;
        if receipt.kind != expected {
            return Err(ReceiptError::Kind { found: receipt.kind, expected });
        }
        if receipt.request_digest != request_digest(request_object) {
            return Err(ReceiptError::OtherRequest);
        }
        Ok(receipt)
    }
}
