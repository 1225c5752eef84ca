//! What the issuer publishes about itself: plain, or signed for whoever asks.

use super::Fresh;
use crate::http::Problem;
use crate::issuer::Issuer;
use crate::signing::unsigned;
use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use yufu_openid4vc::attestation::ChallengeResponse;
use yufu_openid4vc::issuance::{AuthorizationServerMetadata, SIGNED_METADATA_MEDIA_TYPE};

impl Issuer {
    /// The issuer's metadata under HAIP, signed if `Accept` asks for it (OpenID4VCI 1.0, 12.2.2).
    pub(crate) fn haip_metadata(&self, headers: &HeaderMap) -> Result<Response, Problem> {
        let haip = self.under_haip()?;
        let metadata = &haip.documents.issuer;
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        let signed = accept.is_some_and(|accept| accept.contains(SIGNED_METADATA_MEDIA_TYPE));
        if !signed {
            return Ok(Json(metadata.clone()).into_response());
        }
        let now = self.clock.read().wall;
        let key = self.signing.get();
        let text = metadata.sign(&key.chain, &*key.signer, now);
        let text = text.map_err(|error| unsigned(&*key.signer, error))?;
        Ok(([(header::CONTENT_TYPE, SIGNED_METADATA_MEDIA_TYPE)], text).into_response())
    }

    /// The authorization server's metadata under HAIP.
    pub(crate) fn haip_server(&self) -> Result<AuthorizationServerMetadata, Problem> {
        Ok(self.under_haip()?.documents.server.clone())
    }

    /// A challenge for the proof that goes with a wallet attestation, and a nonce for the DPoP proof beside it (attestation-based
    /// client authentication, draft 11, 6.3).
    pub(crate) fn fresh_challenge(&self) -> Result<(ChallengeResponse, Fresh), Problem> {
        let fresh = self.under_haip()?.fresh(self.clock.read().wall)?;
        Ok((ChallengeResponse { attestation_challenge: fresh.challenge.clone() }, fresh))
    }
}
