//! A request that waits for its answer.

use crate::received::Received;
use crate::remembered::Remembered;
use crate::verifier::decode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::jwe::{
    self, ContentEncryption, DecryptError, DecryptionKey, EncryptError, Entropy, Parameters,
};
use yufu_jose::{Chain, ChainError, Jwk, KeyError, SignError};
use yufu_mdoc::SessionTranscript;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::dcql::DcqlQuery;
use yufu_openid4vc::presentation::{
    AuthorizationErrorResponse, AuthorizationResponse, ClientMetadata, DigitalAnswer,
    DigitalRequest, DirectPost, DirectPostError, RECEIPT_ADDRESS_FORMAT,
    REGISTRATION_CERTIFICATE_FORMAT, Reply, RequestObject, VerifierInfo, WalletMetadata,
    WalletMetadataError, audience_of_origin,
};
use yufu_trust::{Localized, Role};
use zeroize::Zeroizing;

/// The name of the response key in a request.
const RESPONSE_KEY: &str = "response";
/// The content type of what holds a signed token (RFC 7519, 5.2).
const NESTED: &str = "JWT";

/// A request that waits. Holds the key the answer is encrypted to: keep it secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) x5c: Vec<String>,
    #[serde(flatten)]
    pub(crate) way: Way,
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
    /// Where whoever began comes back to before an answer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) return_to: Option<String>,
    /// The key that the seed above determines.
    #[serde(skip)]
    pub(crate) opens: Remembered<Result<Arc<DecryptionKey>, KeyError>>,
    /// The key that its certificate is for.
    #[serde(skip)]
    pub(crate) asked_with: Remembered<Option<PublicKey>>,
}

/// Which way a request goes out and its answer comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Way {
    /// A wallet fetches it, and posts its answer here.
    Post {
        /// Here.
        response_uri: Endpoint,
    },
    /// A page of this origin hands both over, by the Digital Credentials API.
    Browser {
        /// The page's origin.
        origin: String,
        /// Where the wallet gets the receipt, as nothing comes back to it through the page.
        #[serde(default)]
        receipt: Option<Endpoint>,
    },
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
    /// The wallet takes nothing of what would be sent, or does not say what it takes in words that can be read.
    #[error(transparent)]
    Wallet(#[from] WalletMetadataError),
    /// The request goes the other way.
    #[error(
        "the request was started for another way: a page's is not fetched, and a link's is no page's"
    )]
    OtherWay,
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
    /// The request cannot be encrypted to the wallet.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
}

/// Why an answer is not opened. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The request was asked another way.
    #[error(
        "the request was asked another way: a page's is not posted by a wallet, nor a wallet's by a page"
    )]
    OtherWay,
    /// The request is too old.
    #[error("the request has expired: start a new one")]
    Expired,
    /// Nobody has fetched the request.
    #[error("the request was never fetched, so nobody can answer it")]
    NotFetched,
    /// The form or what was encrypted in it cannot be read.
    #[error(transparent)]
    Form(#[from] DirectPostError),
    /// The answer is in the clear, to a request that asks to have it encrypted.
    #[error(
        "the answer is not encrypted, and was asked to be: whatever runs in the page has read it"
    )]
    Unencrypted,
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

/// The key of the first of these certificates.
pub(crate) fn certified_key(x5c: &[String]) -> Option<PublicKey> {
    Chain::from_x5c(x5c).ok()?.unverified_key()
}

impl Requested {
    /// The id of the request, which is in its addresses.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key that its certificate is for. The party may have another one by now; this request goes on with its own.
    #[must_use]
    pub fn asked_with(&self) -> Option<PublicKey> {
        *self.asked_with.or_else(|| certified_key(&self.x5c))
    }

    /// Says to the wallet of a page's visitor where it gets the receipt afterwards: through the page nothing comes back.
    /// To be said before the request is signed; of a link there is nothing to say.
    pub fn tell_receipt_at(&mut self, address: Endpoint) {
        if let Way::Browser { receipt, .. } = &mut self.way {
            *receipt = Some(address);
        }
    }

    /// From when it can be deleted.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires_at)
    }

    /// What is asked.
    #[must_use]
    pub const fn query(&self) -> &DcqlQuery {
        &self.query
    }

    /// The same, answered on the device where it was begun: whoever began comes back there (OpenID4VP 1.0, 13.3).
    #[must_use]
    pub fn returning_to(mut self, address: String) -> Self {
        self.return_to = Some(address);
        self
    }

    /// Where whoever began comes back to before an answer counts; none if another device shows the request.
    #[must_use]
    pub fn return_to(&self) -> Option<&str> {
        self.return_to.as_deref()
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
        self.request_object_with(ContentEncryption::A256Gcm, wallet_nonce, now, signer)
    }

    fn request_object_with(
        &mut self,
        content: ContentEncryption,
        wallet_nonce: Option<&str>,
        now: Timestamp,
        signer: &dyn Signer,
    ) -> Result<String, RequestError> {
        let Way::Post { response_uri } = self.way.clone() else {
            return Err(RequestError::OtherWay);
        };
        if now >= self.expires_at() {
            return Err(RequestError::Expired);
        }
        if wallet_nonce.is_some_and(|nonce| nonce.len() > 512) {
            return Err(RequestError::WalletNonce);
        }
        let reply = Reply::Posted { to: response_uri, encryption: self.encryption(content)? };
        self.sign(reply, wallet_nonce, signer)
    }

    /// As [`Requested::request_object`], for a wallet that says what it takes: its answer is encrypted as it can, and the
    /// request to its key, if it gave one (OpenID4VP 1.0, 5.10).
    ///
    /// # Errors
    /// [`RequestError`], the first rule that is broken.
    pub fn request_object_for(
        &mut self,
        wallet: &WalletMetadata,
        wallet_nonce: Option<&str>,
        (now, entropy): (Timestamp, Entropy),
        signer: &dyn Signer,
    ) -> Result<String, RequestError> {
        let terms = wallet.terms(&self.query, &self.client_id)?;
        let signed = self.request_object_with(terms.answer, wallet_nonce, now, signer)?;
        let Some((key, enc)) = terms.request else { return Ok(signed) };
        let parameters = Parameters { content_type: Some(NESTED.to_owned()), ..enc.into() };
        Ok(jwe::encrypt(&key, &parameters, signed.as_bytes(), &entropy)?)
    }

    /// The signed request for a page, to be given to `navigator.credentials.get` (OpenID4VP 1.0, A.3.2). Store the
    /// session afterwards.
    ///
    /// # Errors
    /// [`RequestError`], the first rule that is broken.
    pub fn digital_request(
        &mut self,
        now: Timestamp,
        signer: &dyn Signer,
    ) -> Result<DigitalRequest, RequestError> {
        let Way::Browser { origin, .. } = self.way.clone() else {
            return Err(RequestError::OtherWay);
        };
        if now >= self.expires_at() {
            return Err(RequestError::Expired);
        }
        let encryption = Some(self.encryption(ContentEncryption::A256Gcm)?);
        let reply = Reply::Browser { expected_origins: vec![origin], encryption };
        Ok(DigitalRequest::signed(&self.sign(reply, None, signer)?))
    }

    fn receipt_address(&self) -> Option<VerifierInfo> {
        let Way::Browser { receipt: Some(address), .. } = &self.way else { return None };
        let format = RECEIPT_ADDRESS_FORMAT.to_owned();
        Some(VerifierInfo { format, data: address.as_str().into(), credential_ids: None })
    }

    fn sign(
        &mut self,
        reply: Reply,
        wallet_nonce: Option<&str>,
        signer: &dyn Signer,
    ) -> Result<String, RequestError> {
        let registration = VerifierInfo {
            format: REGISTRATION_CERTIFICATE_FORMAT.to_owned(),
            data: self.registration.clone().into(),
            credential_ids: None,
        };
        let state = matches!(reply, Reply::Posted { .. }).then(|| self.state.clone());
        let object = RequestObject {
            client_id: self.client_id.clone(),
            reply,
            nonce: self.nonce.clone(),
            state,
            wallet_nonce: wallet_nonce.map(str::to_owned),
            dcql_query: self.query.clone(),
            verifier_info: std::iter::once(registration).chain(self.receipt_address()).collect(),
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
        let Way::Post { .. } = self.way else { return Err(OpenError::OtherWay) };
        let request_object = self.awaited(now)?;
        let jwe = match DirectPost::from_form(form)? {
            DirectPost::Response(jwe) => jwe,
            DirectPost::Error(refusal) => {
                if refusal.state.as_ref().is_some_and(|state| *state != self.state) {
                    return Err(OpenError::State);
                }
                return Err(OpenError::Declined(refusal));
            }
        };
        let response = self.decrypt(&jwe)?;
        if response.state.as_deref() != Some(&self.state) {
            return Err(OpenError::State);
        }
        Ok(Received { request: self, request_object, presentations: response.vp_token })
    }

    /// Opens what a page got from `navigator.credentials.get`: the member `data`. As [`Requested::open`]: an answer
    /// counts once. What binds it to this request and to the page's origin is what the holder signed.
    ///
    /// # Errors
    /// [`OpenError`], the first rule that is broken; [`OpenError::Declined`] if the wallet
    /// refused.
    pub fn open_digital(
        self,
        data: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Received, OpenError> {
        let Way::Browser { .. } = self.way else { return Err(OpenError::OtherWay) };
        let request_object = self.awaited(now)?;
        let jwe = match DigitalAnswer::from_data(data)? {
            DigitalAnswer::Encrypted(jwe) => jwe,
            DigitalAnswer::Clear(_) => return Err(OpenError::Unencrypted),
            DigitalAnswer::Error(error) => {
                let (error_description, state) = (None, None);
                let refusal = AuthorizationErrorResponse { error, error_description, state };
                return Err(OpenError::Declined(refusal));
            }
        };
        let response = self.decrypt(&jwe)?;
        Ok(Received { request: self, request_object, presentations: response.vp_token })
    }

    /// The request that was sent last, if it can still be answered.
    fn awaited(&self, now: Timestamp) -> Result<String, OpenError> {
        if now >= self.expires_at() {
            return Err(OpenError::Expired);
        }
        self.sent.clone().ok_or(OpenError::NotFetched)
    }

    fn decrypt(&self, jwe: &str) -> Result<AuthorizationResponse, OpenError> {
        let decrypted = jwe::decrypt(jwe, self.opening_key()?)?;
        if decrypted.kid.as_deref() != Some(RESPONSE_KEY) {
            return Err(OpenError::KeyName);
        }
        Ok(AuthorizationResponse::from_json(&decrypted.plaintext)?)
    }

    /// Whom a key binding has to name: the client, or the origin of the page that asked (OpenID4VP 1.0, A.4).
    pub(crate) fn audience(&self) -> String {
        match &self.way {
            Way::Post { .. } => self.client_id.clone(),
            Way::Browser { origin, .. } => audience_of_origin(origin),
        }
    }

    /// What the device of an mdoc signs: this request, its answer's address or origin, and key.
    pub(crate) fn transcript(&self) -> Result<SessionTranscript, KeyError> {
        let thumbprint = self.public_key()?.thumbprint();
        let thumbprint = Some(&thumbprint);
        Ok(match &self.way {
            Way::Post { response_uri } => SessionTranscript::openid4vp(
                &self.client_id,
                &self.nonce,
                thumbprint,
                response_uri.as_str(),
            ),
            Way::Browser { origin, .. } => {
                SessionTranscript::digital_credentials(origin, &self.nonce, thumbprint)
            }
        })
    }

    fn encryption(
        &self,
        content_encryption: ContentEncryption,
    ) -> Result<ClientMetadata, KeyError> {
        Ok(ClientMetadata { encryption_key: self.public_key()?, content_encryption })
    }

    fn public_key(&self) -> Result<Jwk, KeyError> {
        Ok(self.opening_key()?.public_jwk(RESPONSE_KEY))
    }

    fn opening_key(&self) -> Result<&DecryptionKey, KeyError> {
        let key = self.opens.or_else(|| DecryptionKey::from_seed(&self.response_key).map(Arc::new));
        key.as_deref().map_err(|error| *error)
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
