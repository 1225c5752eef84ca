//! The presentation that an allowance is charged to: a pseudonym, and nothing else.

use super::device::{QUERY, TOKEN_SECONDS};
use super::{OpenidProvider, OpenidProviders, named};
use crate::http::{Problem, ProblemBody};
use crate::relying_party::{Answered, rejected};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::Value;
use std::sync::Arc;
use yufu_allowances::{AllowancesError, Grant, Pending, Subject};
use yufu_base::{Digest, SECTOR_PSEUDONYM};
use yufu_keys::random_text;
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE};
use yufu_verifier::Verified;
use zeroize::Zeroizing;

/// The signed presentation request.
#[utoipa::path(get, path = "/openid/{provider}/openid4vp/{id}/request", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn request(
    State(providers): State<Arc<OpenidProviders>>,
    Path((provider, id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&providers, &provider)?.request_object(&id, &[]).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/openid/{provider}/openid4vp/{id}/request", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce, wallet_metadata"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody), (status = 422, description = "the wallet takes nothing of what is asked", body = ProblemBody)))]
pub(super) async fn request_with_nonce(
    State(providers): State<Arc<OpenidProviders>>,
    Path((provider, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&providers, &provider)?.request_object(&id, &body).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/openid/{provider}/openid4vp/{id}/response", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted, with the provider's receipt", body = Object), (status = 400, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "the allowance of this epoch is used, or the credential is revoked", body = ProblemBody)))]
pub(super) async fn respond(
    State(providers): State<Arc<OpenidProviders>>,
    Path((provider, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(named(&providers, &provider)?.answered(&id, &body).await?))
}

impl OpenidProvider {
    async fn request_object(&self, id: &str, body: &[u8]) -> Result<String, Problem> {
        let waiting = self.waiting(id).await?;
        let (signed, session) =
            self.party.get().request_object(&waiting.session, body, self.now())?;
        self.records.store_session(id, &session).await?;
        Ok(signed)
    }

    async fn answered(&self, id: &str, body: &[u8]) -> Result<DirectPostResponse, Problem> {
        let waiting = self.waiting(id).await?;
        let now = self.now();
        let answered = self.party.get().answered(&waiting.session, body, &self.trust, now).await?;
        let Answered::Verified(verified, response) = answered else {
            return Ok(DirectPostResponse::default());
        };
        let shown = self.pseudonym(&verified)?;
        let epoch = self.epoch.number(now);
        // Kept as keyed digests: whoever copies the records joins them with nobody else's.
        let pseudonym = self.digest(&["quota", shown]);
        let subject = self.digest(&["subject", &waiting.bank, &epoch.to_string(), shown]);
        let until = now.plus_seconds(TOKEN_SECONDS).min(self.epoch.next_after(now));
        let grant = Grant { token: random_text(), subject, epoch };
        let charged = Subject { pseudonym: &pseudonym, most: self.allowance.batches };
        let receipt = response.receipt.clone().unwrap_or_default();
        self.records.grant(id, charged, &grant, (&receipt, now, until)).await?;
        Ok(response)
    }

    async fn waiting(&self, id: &str) -> Result<Pending, Problem> {
        let found = self.records.asked(id).await?;
        match found.grant {
            Some(_) => Err(AllowancesError::AlreadyAnswered.into()),
            None => Ok(found),
        }
    }

    /// The pseudonym that was shown.
    fn pseudonym<'a>(&self, verified: &'a Verified) -> Result<&'a str, Problem> {
        let found = verified.credentials.get(QUERY).and_then(|found| found.first());
        let found = found.and_then(|found| {
            let sectors = found.claims.get(SECTOR_PSEUDONYM)?;
            sectors.get(self.allowance.sector.to_string()).and_then(Value::as_str)
        });
        found.ok_or_else(|| rejected("no pseudonym was shown: get an identity that has them"))
    }

    fn digest(&self, parts: &[&str]) -> String {
        let mut keyed = Zeroizing::new(self.digests.to_vec());
        keyed.extend_from_slice(parts.join("\n").as_bytes());
        Digest::derive("yufu allowance pseudonym v1", &keyed).to_string()
    }
}
