//! A scanned link, and the request being fetched.

use super::checking::CheckingStatus;
use super::reviewed::{Came, RequestRefused, review};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_jose::encode_base64url;
use yufu_openid4vc::presentation::{
    LinkError, PresentationLink, REQUEST_MEDIA_TYPE, RequestUriMethod, WalletMetadata,
};
use yufu_openid4vc::{HttpRequest, HttpResponse};
use yufu_trust::TrustList;

/// Waits for the request object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingRequest {
    pub(super) client_id: String,
    pub(super) wallet_nonce: Option<String>,
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
    let PresentationLink { client_id, request_uri, request_uri_method } =
        PresentationLink::parse(link)?;
    Ok(match request_uri_method {
        RequestUriMethod::Get => {
            let http = HttpRequest::get(request_uri, REQUEST_MEDIA_TYPE);
            (FetchingRequest { client_id, wallet_nonce: None }, http)
        }
        RequestUriMethod::Post => {
            let nonce = encode_base64url(wallet_nonce);
            let metadata = WalletMetadata::ours();
            let fields = [("wallet_nonce", nonce.as_str()), ("wallet_metadata", &metadata)];
            let http = HttpRequest::post_form(request_uri, REQUEST_MEDIA_TYPE, &fields);
            (FetchingRequest { client_id, wallet_nonce: Some(nonce) }, http)
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
        let text = response.text(REQUEST_MEDIA_TYPE)?;
        let wallet_nonce = self.wallet_nonce.as_deref();
        let came = Came::Link { client_id: &self.client_id, wallet_nonce };
        review(came, text, trust, seen, now)
    }
}
