//! Clear and blind authentication (NUT-21, NUT-22): settings, requests, and the token of one request.

use super::note::{BlindedMessage, Proof};
use crate::curve::{Point, ProofDleq};
use crate::encoding::from_base64;
use crate::keyset_id::KeysetId;
use serde::{Deserialize, Serialize};

/// The unit of the keyset that signs blind tokens; its one amount is 1.
pub const AUTH_UNIT: &str = "auth";
/// The header that carries an access token (NUT-21).
pub const CLEAR_AUTH: &str = "Clear-auth";
/// The header that carries a blind token (NUT-22).
pub const BLIND_AUTH: &str = "Blind-auth";

const PREFIX: &str = "authA";
/// More than a token with any sensible secret has.
const LONGEST: usize = 4096;

/// Which requests need an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearAuthSettings {
    /// Where the OpenID provider describes itself.
    pub openid_discovery: String,
    /// As what the wallet asks it.
    pub client_id: String,
    /// The requests.
    pub protected_endpoints: Vec<ProtectedEndpoint>,
}

/// Which requests need a blind token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindAuthSettings {
    /// The most tokens signed at once.
    pub bat_max_mint: u64,
    /// The requests.
    pub protected_endpoints: Vec<ProtectedEndpoint>,
}

/// A request that is protected: a path, or all that begin with what stands before a final `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedEndpoint {
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
}

impl ProtectedEndpoint {
    /// Whether it covers a request. A `*` elsewhere than at the end means itself.
    #[must_use]
    pub fn covers(&self, method: &str, path: &str) -> bool {
        self.method == method
            && match self.path.strip_suffix('*') {
                Some(prefix) => path.starts_with(prefix),
                None => path == self.path,
            }
    }
}

/// Asks for blind tokens (`POST /v1/auth/blind/mint`); the answer is [`super::Signatures`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindAuthMintRequest {
    /// What is to be signed, each of amount 1.
    pub outputs: Vec<BlindedMessage>,
}

/// A blind token: admits one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthProof {
    /// The keyset, of unit [`AUTH_UNIT`].
    pub id: KeysetId,
    /// The secret.
    pub secret: String,
    /// The signature on it.
    #[serde(rename = "C")]
    pub signature: Point,
    /// That the published key signed it: kept by the wallet, never in a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dleq: Option<ProofDleq>,
}

/// Why a header is no blind token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthTokenError {
    /// Longer than any token.
    #[error("a blind token has at most {LONGEST} characters")]
    TooLong,
    /// Does not begin with `authA`.
    #[error("a blind token begins with {PREFIX}")]
    Prefix,
    /// Not base64.
    #[error("the blind token is not base64 of the URL alphabet")]
    Base64,
    /// Not the JSON of a token.
    #[error("the blind token does not have the members it should: {0}")]
    Json(String),
}

impl AuthProof {
    /// As it stands in the header: without the blinding factor, which would unmask its holder.
    ///
    /// # Errors
    /// [`AuthTokenError::Json`] if it cannot be written, which does not happen.
    pub fn to_header(&self) -> Result<String, AuthTokenError> {
        let bare = Self { dleq: None, ..self.clone() };
        let json = serde_json::to_vec(&bare).map_err(|e| AuthTokenError::Json(e.to_string()))?;
        Ok(format!("{PREFIX}{}", yufu_jose::encode_base64url(json)))
    }

    /// Reads a header. A blinding factor that the wallet should not have sent is dropped unread.
    ///
    /// # Errors
    /// [`AuthTokenError`].
    pub fn from_header(text: &str) -> Result<Self, AuthTokenError> {
        if text.len() > LONGEST {
            return Err(AuthTokenError::TooLong);
        }
        let body = text.strip_prefix(PREFIX).ok_or(AuthTokenError::Prefix)?;
        let json = from_base64(body).ok_or(AuthTokenError::Base64)?;
        let mut object =
            yufu_jose::parse_json_object(&json).map_err(|e| AuthTokenError::Json(e.to_string()))?;
        object.remove("dleq");
        serde_json::from_value(object.into()).map_err(|e| AuthTokenError::Json(e.to_string()))
    }

    /// The note that it is: amount 1 of its keyset.
    #[must_use]
    pub fn to_proof(&self) -> Proof {
        Proof {
            amount: 1,
            id: self.id,
            secret: self.secret.clone(),
            signature: self.signature,
            witness: None,
            dleq: self.dleq.clone(),
        }
    }
}
