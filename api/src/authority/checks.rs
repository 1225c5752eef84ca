//! Officers look before some credentials are issued: what waits, what would be attested, and the decision.

use super::Authority;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_credentials::Decision;
use yufu_population::PersonId;

/// The longest evidence that is kept, in characters.
const LONGEST: usize = 500;

/// A credential that waits for an officer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WaitingCheck {
    /// The check.
    pub check: String,
    /// The credential.
    pub credential: String,
    /// Since when it waits, in seconds since the epoch.
    pub since: u64,
}

/// What would be attested.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckedClaims {
    /// The credential.
    pub credential: String,
    /// Its claims, with their values.
    #[schema(value_type = Object)]
    pub claims: serde_json::Value,
}

/// An officer's decision.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckDecision {
    /// Whether the credential is issued.
    pub approve: bool,
    /// What the officer relied on, in words: it is recorded.
    #[schema(example = "the register's paper file agrees")]
    pub evidence: String,
}

/// The credentials that wait for an officer.
#[utoipa::path(get, path = "/authority/v1/officer/checks", tag = "authority", security(("operator" = [])),
    responses((status = 200, body = [WaitingCheck]), (status = 401, body = ProblemBody)))]
pub(super) async fn list(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
) -> Result<Json<Vec<WaitingCheck>>, Problem> {
    authority.operator.authenticate(&headers)?;
    let waiting = authority.issuer.records.checks().await?.into_iter();
    let waiting = waiting.map(|check| WaitingCheck {
        check: check.id,
        credential: check.credential,
        since: check.at.seconds(),
    });
    Ok(Json(waiting.collect()))
}

/// What would be attested. The look is recorded, and the person sees it.
#[utoipa::path(get, path = "/authority/v1/officer/checks/{check}", tag = "authority",
    params(("check" = String, Path, description = "the check")), security(("operator" = [])),
    responses((status = 200, body = CheckedClaims), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn look(
    State(authority): State<Arc<Authority>>,
    Path(check): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CheckedClaims>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let check = authority.issuer.records.check(&check).await?;
    let kinds = &authority.issuer.credentials;
    let kind = kinds.iter().find(|kind| kind.id == check.credential);
    let kind = kind.ok_or_else(|| Problem::not_found("credential type here"))?;
    let purpose = format!("an officer's check before the credential {} is issued", kind.id);
    let by = (officer.as_str(), "officer");
    let claims = authority.claims_by(by, PersonId::new(check.person), kind, purpose, |_| None);
    let claims = claims.await?.into();
    Ok(Json(CheckedClaims { credential: check.credential, claims }))
}

/// Decide whether a credential that waits is issued. Once.
#[utoipa::path(post, path = "/authority/v1/officer/checks/{check}", tag = "authority",
    params(("check" = String, Path, description = "the check")), request_body = CheckDecision,
    security(("operator" = [])),
    responses((status = 204, description = "decided"), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "decided before", body = ProblemBody)))]
pub(super) async fn decide(
    State(authority): State<Arc<Authority>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    request: Result<Json<CheckDecision>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(CheckDecision { approve, evidence }) = request?;
    if evidence.trim().is_empty() || evidence.chars().count() > LONGEST {
        let detail = format!("evidence: say what you relied on, in at most {LONGEST} characters");
        return Err(Problem::malformed(detail));
    }
    authority.issuer.records.check(&id).await?;
    let decision = Decision { officer, evidence, approved: approve, at: authority.now() };
    authority.issuer.records.decide(&id, decision).await?;
    Ok(StatusCode::NO_CONTENT)
}
