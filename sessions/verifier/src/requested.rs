//! A request that waits for its answer.

use crate::received::Received;
use crate::verifier::decode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use yufu_base::{Signer, Timestamp};
use yufu_jose::jwe::{self, ContentEncryption, DecryptError, DecryptionKey};
use yufu_jose::{Chain, ChainError, Jwk, KeyError, SignError};
use yufu_mdoc::SessionTranscript;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::dcql::DcqlQuery;
use yufu_openid4vc::presentation::{
    AuthorizationErrorResponse, AuthorizationResponse, ClientMetadata, DirectPost, DirectPostError,
    REGISTRATION_CERTIFICATE_FORMAT, RequestObject, VerifierInfo,
};
use yufu_trust::{Localized, Role};
use zeroize::Zeroizing;

/// The name of the response key in a request.
const RESPONSE_KEY: &str = "response";

/// A request that waits. Holds the key the answer is encrypted to: keep it secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) x5c: Vec<String>,
    pub(crate) response_uri: Endpoint,
    pub(crate) state: String,
    pub(crate) nonce: String,
    #[serde(with = "secret")]
    pub(crate) response_key: Zeroizing<[u8; 32]>,
    pub(crate) query: DcqlQuery,
    pub(crate) roles: BTreeMap<String, Role>,
    /// Sessions that an earlier version began have none.
    #[serde(default)]
    pub(crate) foreign: BTreeMap<String, String>,
    pub(crate) transactions: Vec<String>,
    pub(crate) registration: String,
    pub(crate) purpose: Localized,
    pub(crate) retention_days: u32,
    pub(crate) issued_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) sent: Option<String>,
}

impl fmt::Debug for Requested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requested")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .field("sent", &self.sent.is_some())
            .finish_non_exhaustive()
    }
}

/// Why a request object is not given out. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The request is too old.
    #[error("the request has expired: start a new one")]
    Expired,
    /// The wallet's nonce is too long.
    #[error("wallet_nonce is longer than 512 bytes")]
    WalletNonce,
    /// The stored key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The stored chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Why an answer is not opened. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The request is too old.
    #[error("the request has expired: start a new one")]
    Expired,
    /// Nobody has fetched the request.
    #[error("the request was never fetched, so nobody can answer it")]
    NotFetched,
    /// The form or what was encrypted in it cannot be read.
    #[error(transparent)]
    Form(#[from] DirectPostError),
    /// The wallet refused.
    #[error("the wallet refused: {:?}", .0.error)]
    Declined(AuthorizationErrorResponse),
    /// The stored key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Not encrypted to this request's key.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
    /// Encrypted to a key of another name (OpenID4VP 1.0, 8.3).
    #[error("the answer names another key")]
    KeyName,
    /// The state is of another request.
    #[error("the answer is to another request: its state differs")]
    State,
}

impl Requested {
    /// The id of the request, which is in its addresses.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// From when it can be deleted.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires_at)
    }

    /// The signed request for a wallet. Store the session afterwards: the evidence and the
    /// receipt are about what was sent last.
    ///
    /// # Errors
    /// [`RequestError`], the first rule that is broken.
    pub fn request_object(
        &mut self,
        wallet_nonce: Option<&str>,
        now: Timestamp,
        signer: &dyn Signer,
    ) -> Result<String, RequestError> {
        if now >= self.expires_at() {
            return Err(RequestError::Expired);
        }
        if wallet_nonce.is_some_and(|nonce| nonce.len() > 512) {
            return Err(RequestError::WalletNonce);
        }
        let registration = VerifierInfo {
            format: REGISTRATION_CERTIFICATE_FORMAT.to_owned(),
            data: self.registration.clone().into(),
            credential_ids: None,
        };
        let object = RequestObject {
            client_id: self.client_id.clone(),
            response_uri: self.response_uri.clone(),
            nonce: self.nonce.clone(),
            state: Some(self.state.clone()),
            wallet_nonce: wallet_nonce.map(str::to_owned),
            dcql_query: self.query.clone(),
            client_metadata: ClientMetadata {
                encryption_key: self.public_key()?,
                content_encryption: ContentEncryption::A256Gcm,
            },
            verifier_info: vec![registration],
            transaction_data: decode(&self.transactions),
            issued_at: Some(Timestamp::from_seconds(self.issued_at)),
            expires_at: self.expires_at(),
        };
        let signed = object.sign(&Chain::from_x5c(&self.x5c)?, signer)?;
        self.sent = Some(signed.clone());
        Ok(signed)
    }

    /// Opens the form a wallet posted. Mark the request as answered, durably, before acting
    /// on it: an answer counts once.
    ///
    /// # Errors
    /// [`OpenError`], the first rule that is broken; [`OpenError::Declined`] if the wallet
    /// refused.
    pub fn open(self, form: &[u8], now: Timestamp) -> Result<Received, OpenError> {
        if now >= self.expires_at() {
            return Err(OpenError::Expired);
        }
        let Some(request_object) = self.sent.clone() else { return Err(OpenError::NotFetched) };
        let jwe = match DirectPost::from_form(form)? {
            DirectPost::Response(jwe) => jwe,
            DirectPost::Error(refusal) => {
                if refusal.state.as_ref().is_some_and(|state| *state != self.state) {
                    return Err(OpenError::State);
                }
                return Err(OpenError::Declined(refusal));
            }
        };
        let key = DecryptionKey::from_seed(&self.response_key)?;
        let decrypted = jwe::decrypt(&jwe, &key)?;
        if decrypted.kid.as_deref() != Some(RESPONSE_KEY) {
            return Err(OpenError::KeyName);
        }
        let response = AuthorizationResponse::from_json(&decrypted.plaintext)?;
        if response.state.as_deref() != Some(&self.state) {
            return Err(OpenError::State);
        }
        Ok(Received { request: self, request_object, presentations: response.vp_token })
    }

    /// What the device of an mdoc signs: this request, its answer's address and key.
    pub(crate) fn transcript(&self) -> Result<SessionTranscript, KeyError> {
        let thumbprint = self.public_key()?.thumbprint();
        let (client_id, uri) = (&self.client_id, self.response_uri.as_str());
        Ok(SessionTranscript::openid4vp(client_id, &self.nonce, Some(&thumbprint), uri))
    }

    fn public_key(&self) -> Result<Jwk, KeyError> {
        Ok(DecryptionKey::from_seed(&self.response_key)?.public_jwk(RESPONSE_KEY))
    }
}

mod secret {
    //! A key as base64url.

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use yufu_jose::{decode_base64url, encode_base64url};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        key: &Zeroizing<[u8; 32]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(encode_base64url(key.as_slice()));
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Zeroizing<[u8; 32]>, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = Zeroizing::new(decode_base64url(text.as_str()).map_err(D::Error::custom)?);
        let key = bytes.as_slice().try_into().map_err(D::Error::custom)?;
        Ok(Zeroizing::new(key))
    }
}
