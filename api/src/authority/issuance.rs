//! The endpoints of OpenID4VCI 1.0 that a wallet calls: token, nonce, credential.

use super::Authority;
use super::guardianship::GUARDIANSHIP;
use crate::http::Problem;
use crate::issuer::{Refusal, UnderWay, denied, token_request};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use yufu_openid4vc::issuance::{CredentialResponse, NonceResponse, TokenResponse};
use yufu_population::PersonId;

/// Exchange a pre-authorized code for an access token (OpenID4VCI 1.0, section 6).
#[utoipa::path(post, path = "/authority/token", tag = "authority",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "grant_type, pre-authorized_code, tx_code"),
    responses((status = 200, description = "TokenResponse", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn token(
    State(authority): State<Arc<Authority>>,
    body: Bytes,
) -> Result<Json<TokenResponse>, Refusal> {
    Ok(Json(authority.issuer.exchange(&token_request(&body)?).await?))
}

/// A fresh nonce for proofs of possession (OpenID4VCI 1.0, section 7).
#[utoipa::path(post, path = "/authority/nonce", tag = "authority",
    responses((status = 200, description = "NonceResponse", body = Object)))]
pub(super) async fn nonce(
    State(authority): State<Arc<Authority>>,
) -> Result<Json<NonceResponse>, Problem> {
    Ok(Json(authority.issuer.fresh_nonce().await?))
}

/// Issue a batch of credentials, one for each proven key (OpenID4VCI 1.0, section 8).
#[utoipa::path(post, path = "/authority/credential", tag = "authority",
    request_body(content = Object, description = "CredentialRequest with proofs.jwt, and yufu_sector_proofs if the wallet has pseudonyms"),
    responses((status = 200, description = "CredentialResponse", body = Object), (status = 400, description = "credential error", body = Object), (status = 401, description = "no valid access token", body = Object)))]
pub(super) async fn credential(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CredentialResponse>, Refusal> {
    let under_way = authority.issuer.under_way(&headers, &body).await?;
    Ok(Json(authority.issue_to_the_living(under_way).await?))
}

impl Authority {
    /// Signs the credentials of an issuance whose keys are proven, by whichever way they are asked for.
    pub(super) async fn issue_to_the_living(
        &self,
        under_way: UnderWay,
    ) -> Result<CredentialResponse, Refusal> {
        let person = PersonId::new(under_way.subject());
        if under_way.credential_id() == GUARDIANSHIP {
            self.must_live(person).await.map_err(in_both_shapes)?;
        }
        // A death that is recorded after this ends what is under way: it then gets no places.
        let claims = self.claims_for(&under_way).await.map_err(in_both_shapes)?;
        let under_way = self.register_pseudonyms(under_way);
        self.issuer.issue(under_way, claims).await
    }
}

/// That nothing is issued to the dead, in the protocol's words too.
fn in_both_shapes(problem: Problem) -> Problem {
    match problem.code() {
        "resident.deceased" => denied(problem.code(), problem.detail()),
        _ => problem,
    }
}
