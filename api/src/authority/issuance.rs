//! The endpoints of OpenID4VCI 1.0 that a wallet calls: token, nonce, credential.

use super::Authority;
use super::status::{LIST, LIST_SIZE};
use crate::http::{Problem, bearer};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_credential::StatusReference;
use yufu_credentials::{Allocation, CredentialsError, Issuance};
use yufu_issuer::{IssuerSession, ProveError, Proven, Template, TokenError, secret_id};
use yufu_keys::{random, random_text};
use yufu_openid4vc::issuance::{
    CredentialErrorCode, CredentialErrorResponse, CredentialRequest, CredentialResponse,
    NonceResponse, TokenErrorResponse, TokenRequest, TokenResponse,
};
use yufu_population::PersonId;
use yufu_profile::CredentialType;

/// How long a nonce is good, in seconds.
const NONCE_SECONDS: u64 = 300;
/// Digests without a claim behind them in each credential.
const DECOYS: u8 = 2;

/// Why an endpoint of the protocol refused: in the protocol's own words, or as a problem.
pub(super) enum Refusal {
    Token(TokenErrorResponse),
    Credential(CredentialErrorResponse),
    Problem(Problem),
}

/// Exchange a pre-authorized code for an access token (OpenID4VCI 1.0, section 6).
#[utoipa::path(post, path = "/authority/token", tag = "authority",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "grant_type, pre-authorized_code, tx_code"),
    responses((status = 200, description = "TokenResponse", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn token(
    State(authority): State<Arc<Authority>>,
    body: Bytes,
) -> Result<Json<TokenResponse>, Refusal> {
    let request = TokenRequest::from_form(&body).map_err(|error| {
        Refusal::Token(TokenErrorResponse {
            error: error.code(),
            error_description: Some(error.to_string()),
        })
    })?;
    Ok(Json(authority.exchange(&request).await?))
}

/// A fresh nonce for proofs of possession (OpenID4VCI 1.0, section 7).
#[utoipa::path(post, path = "/authority/nonce", tag = "authority",
    responses((status = 200, description = "NonceResponse", body = Object)))]
pub(super) async fn nonce(
    State(authority): State<Arc<Authority>>,
) -> Result<Json<NonceResponse>, Problem> {
    let (fresh, now) = (random_text(), authority.now());
    authority.records.remember_nonce(&fresh, now, now.plus_seconds(NONCE_SECONDS)).await?;
    Ok(Json(NonceResponse { c_nonce: fresh }))
}

/// Issue a batch of credentials, one for each proven key (OpenID4VCI 1.0, section 8).
#[utoipa::path(post, path = "/authority/credential", tag = "authority",
    request_body(content = Object, description = "CredentialRequest with proofs.jwt"),
    responses((status = 200, description = "CredentialResponse", body = Object), (status = 400, description = "credential error", body = Object), (status = 401, description = "no valid access token", body = Object)))]
pub(super) async fn credential(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CredentialResponse>, Refusal> {
    let token = bearer(&headers).ok_or_else(|| refused(CredentialErrorCode::InvalidToken))?;
    let request = CredentialRequest::from_json(&body).map_err(|e| {
        Refusal::Credential(CredentialErrorResponse {
            error: e.code(),
            error_description: Some(e.to_string()),
        })
    })?;
    let row = authority.records.issuance(&secret_id(token)).await;
    let row = row.map_err(|error| match error {
        CredentialsError::Unknown(_) => refused(CredentialErrorCode::InvalidToken),
        other => Refusal::Problem(other.into()),
    })?;
    let proven = authority.prove(&row, token, &request)?;
    Ok(Json(authority.issue(&row, proven).await?))
}

impl Authority {
    async fn exchange(&self, request: &TokenRequest) -> Result<TokenResponse, Refusal> {
        let unknown = || Refusal::Token(TokenError::UnknownCode.response());
        let row = self.records.issuance(&secret_id(&request.pre_authorized_code)).await;
        let row = row.map_err(|error| match error {
            CredentialsError::Unknown(_) => unknown(),
            other => Refusal::Problem(other.into()),
        })?;
        let IssuerSession::Offered(offered) = session(&row)? else { return Err(unknown()) };
        let stored = |result: Result<(), CredentialsError>| {
            result.map_err(|error| match error {
                CredentialsError::AlreadyPassed => unknown(),
                other => Refusal::Problem(other.into()),
            })
        };
        match offered.token(request, self.now(), &random()) {
            Ok((authorised, response)) => {
                let lookup = authorised.id().to_owned();
                let text = text(&IssuerSession::from(authorised))?;
                stored(self.records.advance(&row, &lookup, &text).await)?;
                Ok(response)
            }
            Err(refusal) => {
                // Stored before it is answered, so that attempts count.
                match refusal.session {
                    Some(next) => {
                        let text = text(&IssuerSession::from(*next))?;
                        stored(self.records.advance(&row, &row.lookup, &text).await)?;
                    }
                    None => stored(self.records.advance(&row, &row.id.to_string(), "").await)?,
                }
                Err(Refusal::Token(refusal.error.response()))
            }
        }
    }

    fn prove(
        &self,
        row: &Issuance,
        token: &str,
        request: &CredentialRequest,
    ) -> Result<Proven, Refusal> {
        let IssuerSession::Authorised(authorised) = session(row)? else {
            return Err(refused(CredentialErrorCode::InvalidToken));
        };
        let proven = authorised.prove(token, request, &self.metadata, self.now());
        proven.map_err(|refusal| {
            let mut response = ProveError::response(&refusal.error);
            response.error_description = Some(refusal.error.to_string());
            Refusal::Credential(response)
        })
    }

    async fn issue(&self, row: &Issuance, proven: Proven) -> Result<CredentialResponse, Refusal> {
        let now = self.now();
        let kind = self.credentials.iter().find(|kind| kind.id == proven.configuration_id());
        let kind =
            kind.ok_or_else(|| refused(CredentialErrorCode::UnknownCredentialConfiguration))?;
        let template = self.template(PersonId::new(row.person), kind, now).await?;
        let allocation = Allocation {
            list: LIST,
            size: LIST_SIZE,
            count: proven.keys().len(),
            expires_at: template.expires_at,
        };
        let draw = || u32::from_be_bytes(random());
        let places =
            self.records.complete_issuance(row, proven.nonces(), allocation, draw, now).await;
        let places = places.map_err(|error| match error {
            CredentialsError::NonceSpent => refused(CredentialErrorCode::InvalidNonce),
            CredentialsError::AlreadyPassed => refused(CredentialErrorCode::InvalidToken),
            other => Refusal::Problem(other.into()),
        })?;
        let statuses: Vec<StatusReference> = places
            .into_iter()
            .map(|place| StatusReference {
                uri: self.status_uri(LIST),
                index: u64::try_from(place).unwrap_or(0),
            })
            .collect();
        let issued =
            proven.issue(&template, &statuses, &*self.signer, &self.chain, &mut random::<16>);
        issued.map_err(|error| Refusal::Problem(Problem::internal(error)))
    }

    async fn template(
        &self,
        person: PersonId,
        kind: &CredentialType,
        now: Timestamp,
    ) -> Result<Template, Refusal> {
        let claims = self.claims(person, kind, now).await.map_err(Refusal::Problem)?;
        let lifetime = u64::from(kind.validity_days).saturating_mul(86_400);
        Ok(Template {
            issued_at: now,
            expires_at: now.plus_seconds(lifetime),
            open: serde_json::Map::new(),
            selective: claims,
            decoys: DECOYS,
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Token(body) => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
            Self::Credential(body) => {
                let status = StatusCode::from_u16(body.error.status());
                (status.unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

fn refused(error: CredentialErrorCode) -> Refusal {
    Refusal::Credential(CredentialErrorResponse { error, error_description: None })
}

fn session(row: &Issuance) -> Result<IssuerSession, Refusal> {
    serde_json::from_str(&row.session).map_err(|e| Refusal::Problem(Problem::internal(e)))
}

fn text(session: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(session).map_err(|e| Refusal::Problem(Problem::internal(e)))
}
