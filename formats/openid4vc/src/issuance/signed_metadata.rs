//! Issuer metadata signed by the issuer (OpenID4VCI 1.0, 12.2.3): a wallet that knows the issuer by a trust list
//! need not believe the connection.

use super::{IssuerMetadata, MetadataError};
use crate::Endpoint;
use serde_json::{Map, Value};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{Chain, ChainError, Header, JwsError, SignError, Unverified};

/// Its media type, as `Accept` and `Content-Type` have it.
pub const SIGNED_METADATA_MEDIA_TYPE: &str = "application/jwt";

const TYPE: &str = "openidvci-issuer-metadata+jwt";
/// For how long signed metadata are good, in seconds.
const SECONDS: u64 = 86_400;

/// Why signed metadata are refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedMetadataError {
    /// Not signed metadata, or not by the key of their chain.
    #[error("the signed metadata: {0}")]
    Jws(#[from] JwsError),
    /// Without a chain.
    #[error("the signed metadata: {0}")]
    Chain(#[from] ChainError),
    /// About another issuer.
    #[error("the signed metadata are about {found}, expected {expected}")]
    Subject {
        /// Whom they name.
        found: String,
        /// For whom they were fetched.
        expected: String,
    },
    /// Too old, or from the future.
    #[error("the signed metadata are not of today: fetch them again")]
    Time,
    /// A rule of metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Signed metadata as they came: their chain says whose key to trust.
pub struct SignedMetadata {
    jws: Unverified,
}

impl IssuerMetadata {
    /// Signs the document with the key whose certificate is `chain`'s leaf.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(
        &self,
        chain: &Chain,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<String, SignError> {
        let json = |error: serde_json::Error| SignError::Json(error.to_string());
        let mut members = match serde_json::to_value(self).map_err(json)? {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.insert("sub".to_owned(), self.credential_issuer.as_str().into());
        members.insert("iat".to_owned(), now.seconds().into());
        members.insert("exp".to_owned(), now.plus_seconds(SECONDS).seconds().into());
        let payload = serde_json::to_vec(&members).map_err(json)?;
        yufu_jose::sign(&Header::typed(TYPE).with_chain(chain), &payload, signer)
    }
}

impl SignedMetadata {
    /// Reads signed metadata.
    ///
    /// # Errors
    /// [`SignedMetadataError::Jws`].
    pub fn parse(text: &str) -> Result<Self, SignedMetadataError> {
        Ok(Self { jws: Unverified::parse(text)?.expect_type(TYPE)? })
    }

    /// The chain of their signer, to be held against a trust list.
    ///
    /// # Errors
    /// [`SignedMetadataError::Chain`] without one.
    pub fn chain(&self) -> Result<Chain, SignedMetadataError> {
        Ok(self.jws.header().chain()?)
    }

    /// The metadata, once they are known to be signed by `key`, for `issuer`, at `now`.
    ///
    /// # Errors
    /// [`SignedMetadataError`], the first rule that is broken.
    pub fn verify(
        self,
        key: &PublicKey,
        issuer: &Endpoint,
        now: Timestamp,
    ) -> Result<IssuerMetadata, SignedMetadataError> {
        let verified = self.jws.verify(key)?;
        let claims: Map<String, Value> = verified.claims()?;
        let found = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if found != issuer.as_str() {
            let (found, expected) = (found.to_owned(), issuer.to_string());
            return Err(SignedMetadataError::Subject { found, expected });
        }
        let moment = |name: &str| claims.get(name).and_then(Value::as_u64);
        let issued = moment("iat").is_some_and(|at| at <= now.plus_seconds(60).seconds());
        let ended = moment("exp").is_some_and(|end| end <= now.seconds());
        if !issued || ended {
            return Err(SignedMetadataError::Time);
        }
        let metadata: IssuerMetadata = verified.claims()?;
        metadata.check(issuer)?;
        Ok(metadata)
    }
}
