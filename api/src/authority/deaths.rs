//! A death, as an officer records it: all credentials are revoked, and no more are issued. A death
//! that was recorded wrongly is withdrawn by an officer; new credentials follow then.

use super::Authority;
use super::officer::Revoked;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_population::{Access, Entry, PersonId, PopulationError};
use yufu_profile::ResidentNumber;

/// A person's death, or that it was recorded wrongly.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Death {
    /// The resident number.
    pub resident_number: String,
    /// What the officer saw, and where it is filed: it is recorded.
    #[schema(example = "death certificate 2026-4711 seen")]
    pub evidence: String,
}

impl Death {
    fn evidence(&self) -> Result<&str, Problem> {
        let evidence = self.evidence.trim();
        if (1..=200).contains(&evidence.len()) {
            return Ok(evidence);
        }
        let detail = "evidence is to be 1 to 200 bytes: what was seen, where it is filed";
        Err(Problem::malformed(detail))
    }
}

/// Record a death: revokes all of the person's credentials, for good.
#[utoipa::path(post, path = "/authority/v1/officer/deaths", tag = "authority",
    request_body = Death, security(("operator" = [])),
    responses((status = 200, body = Revoked), (status = 400, description = "no evidence", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn record(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<Death>, JsonRejection>,
) -> Result<Json<Revoked>, Problem> {
    let (number, access) = authority.about_death(&headers, request, "recorded")?;
    let person = authority.population.record_death(&number, &access).await?;
    let Access { actor: officer, purpose: basis, at, .. } = access;
    authority.population.end_cards(person, Entry { officer, basis, at }).await?;
    // Recorded first: nothing begins from here on. What is under way ends, so that it brings nothing either.
    Ok(Json(Revoked { revoked: authority.issuer.records.withdraw(person.uuid()).await? }))
}

/// Withdraw a death that was recorded wrongly. What was revoked stays so: new credentials are issued.
#[utoipa::path(post, path = "/authority/v1/officer/deaths/withdrawals", tag = "authority",
    request_body = Death, security(("operator" = [])),
    responses((status = 200, description = "withdrawn", body = Revoked), (status = 400, description = "no evidence", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn withdraw(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<Death>, JsonRejection>,
) -> Result<Json<Revoked>, Problem> {
    let (number, access) = authority.about_death(&headers, request, "withdrawn")?;
    authority.population.withdraw_death(&number, &access).await?;
    Ok(Json(Revoked { revoked: 0 }))
}

impl Authority {
    /// Whom an officer's step about a death is about, and how it is noted in the register.
    fn about_death(
        &self,
        headers: &HeaderMap,
        request: Result<Json<Death>, JsonRejection>,
        what: &str,
    ) -> Result<(ResidentNumber, Access), Problem> {
        let officer = self.operator.authenticate(headers)?.name;
        let Json(request) = request?;
        let number = self.number(&request.resident_number)?;
        let access = self.access(&officer, format!("death {what}: {}", request.evidence()?));
        Ok((number, access))
    }

    /// Refuses a step for somebody whose death is recorded.
    pub(super) async fn must_live(&self, person: PersonId) -> Result<(), Problem> {
        if !self.population.is_deceased(person).await? {
            return Ok(());
        }
        Err(PopulationError::Deceased.into())
    }
}
