//! A scanned link, and the request being fetched.

use super::checking::CheckingStatus;
use super::reviewed::{Came, RequestRefused, review};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use yufu_base::Timestamp;
use yufu_jose::encode_base64url;
use yufu_jose::jwe::{self, DecryptionKey};
use yufu_openid4vc::presentation::{
    LinkError, PresentationLink, REQUEST_MEDIA_TYPE, RequestUriMethod, WalletMetadata,
};
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_trust::TrustList;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A JWE in compact form has five parts, a JWS three.
const JWE_PARTS: usize = 5;

/// What the key is called that a request is encrypted to: the same in every wallet.
const REQUEST_KEY: &str = "1";

/// Waits for the request object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingRequest {
    pub(super) client_id: String,
    pub(super) wallet_nonce: Option<String>,
    /// What the key comes from that the request may be encrypted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_key: Option<RequestKey>,
}

/// The seed of a key for one request. Never printed; wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
struct RequestKey([u8; 32]);

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestKey(…)")
    }
}

/// Reads a scanned link; `wallet_nonce` is fresh randomness, sent where the verifier
/// accepts it, so that the request is known to be made for this wallet now.
///
/// # Errors
/// [`LinkError`], the first rule that is broken.
pub fn open(
    link: &str,
    wallet_nonce: &[u8; 16],
) -> Result<(FetchingRequest, HttpRequest), LinkError> {
    opened(link, wallet_nonce, None)
}

/// The same, with a fresh key offered to which the request can be encrypted (OpenID4VP 1.0, 5.10.1): then nobody on the
/// way reads who asks for what. A verifier that does not encrypt is answered all the same.
///
/// # Errors
/// [`LinkError`], the first rule that is broken.
pub fn open_with_key(
    link: &str,
    wallet_nonce: &[u8; 16],
    request_key: &[u8; 32],
) -> Result<(FetchingRequest, HttpRequest), LinkError> {
    opened(link, wallet_nonce, Some(RequestKey(*request_key)))
}

fn opened(
    link: &str,
    wallet_nonce: &[u8; 16],
    request_key: Option<RequestKey>,
) -> Result<(FetchingRequest, HttpRequest), LinkError> {
    let PresentationLink { client_id, request_uri, request_uri_method } =
        PresentationLink::parse(link)?;
    Ok(match request_uri_method {
        RequestUriMethod::Get => {
            let http = HttpRequest::get(request_uri, REQUEST_MEDIA_TYPE);
            (FetchingRequest { client_id, wallet_nonce: None, request_key: None }, http)
        }
        RequestUriMethod::Post => {
            let nonce = encode_base64url(wallet_nonce);
            let key = request_key.as_ref().and_then(|key| DecryptionKey::from_seed(&key.0).ok());
            let metadata = key.map_or_else(WalletMetadata::ours, |key| {
                WalletMetadata::ours_with(&key.public_jwk(REQUEST_KEY))
            });
            let fields = [("wallet_nonce", nonce.as_str()), ("wallet_metadata", &metadata)];
            let http = HttpRequest::post_form(request_uri, REQUEST_MEDIA_TYPE, &fields);
            (FetchingRequest { client_id, wallet_nonce: Some(nonce), request_key }, http)
        }
    })
}

impl FetchingRequest {
    /// Takes the request object, and checks whom it is from and whether they are registered to ask this;
    /// whether that was withdrawn is asked next. `seen` holds the
    /// [`replay_id`](super::Reviewed::replay_id)s of requests that were answered before.
    ///
    /// # Errors
    /// [`RequestRefused`], the first rule that is broken.
    pub fn handle(
        self,
        response: &HttpResponse,
        trust: &TrustList,
        seen: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<CheckingStatus, RequestRefused> {
        let signed = self.signed(response)?;
        let wallet_nonce = self.wallet_nonce.as_deref();
        let came = Came::Link { client_id: &self.client_id, wallet_nonce };
        review(came, &signed, trust, seen, now)
    }

    /// The request as its verifier signed it, out of an encrypted one too: what is kept as evidence where it is refused,
    /// since nobody else could open what came.
    ///
    /// # Errors
    /// [`RequestRefused::Http`] and [`RequestRefused::Encrypted`].
    pub fn signed<'a>(&self, response: &'a HttpResponse) -> Result<Cow<'a, str>, RequestRefused> {
        let text = response.text(REQUEST_MEDIA_TYPE)?;
        if text.trim().split('.').count() != JWE_PARTS {
            return Ok(Cow::Borrowed(text));
        }
        let unasked =
            || RequestRefused::Encrypted("it is encrypted, and no key was offered".into());
        let key = self.request_key.as_ref().ok_or_else(unasked)?;
        let refused = |error: &dyn fmt::Display| RequestRefused::Encrypted(error.to_string());
        let key = DecryptionKey::from_seed(&key.0).map_err(|error| refused(&error))?;
        let opened = jwe::decrypt(text.trim(), &key).map_err(|error| refused(&error))?;
        let signed = String::from_utf8(opened.plaintext.to_vec());
        signed.map(Cow::Owned).map_err(|error| refused(&error))
    }
}
