//! A person erased from the register, with four eyes: one officer asks, another one confirms with a token of their own. The
//! key of the record is destroyed, so that no copy of it can be read, in a backup neither once that has no key file of before.

use super::Authority;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_population::{AskedErasure, Entry};

/// An officer's wish that a person is erased from the register.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// The resident number.
    pub resident_number: String,
    /// On what ground, in words, and where the decision is filed: it is recorded, the person sees it, and it outlives the
    /// record. No personal data.
    #[schema(example = "left the country for good, decision 2026-88")]
    pub evidence: String,
}

/// An erasure that waits for another officer. Whose it is, it does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureAsked {
    /// Its id.
    pub erasure: String,
    /// Who asked.
    pub asked_by: String,
    /// On what ground, and where the decision is filed.
    pub evidence: String,
    /// Until when it can be confirmed, in seconds since the epoch.
    pub until: u64,
}

/// That a person was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erased {
    /// How many credentials became void with it.
    pub revoked: u64,
}

/// Ask that a person is erased from the register. Nothing is done until another officer confirms it; the person sees in
/// the list of accesses that it was asked for. One that waits already is returned as it is.
#[utoipa::path(post, path = "/authority/v1/officer/erasures", tag = "authority",
    request_body = Erasure, security(("operator" = [])),
    responses((status = 201, body = ErasureAsked), (status = 400, description = "no evidence, or no officer is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "nobody has this number, or was erased", body = ProblemBody)))]
pub(super) async fn ask(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<Erasure>, JsonRejection>,
) -> Result<(StatusCode, Json<ErasureAsked>), Problem> {
    let officer = authority.operator.authenticate(&headers)?.officer()?;
    let asked = authority.ask_erasure(&officer, request?.0).await?;
    Ok((StatusCode::CREATED, Json(asked.into())))
}

/// What another officer is to confirm: who asked, on what ground. With the approver's token.
#[utoipa::path(get, path = "/authority/v1/officer/erasures/{erasure}", tag = "authority",
    params(("erasure" = String, Path, description = "the erasure's id")), security(("operator" = [])),
    responses((status = 200, body = ErasureAsked), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn asked(
    State(authority): State<Arc<Authority>>,
    Path(erasure): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Json<ErasureAsked>, Problem> {
    authority.approver.authenticate(&headers)?;
    Ok(Json(authority.population.asked_erasure(erasure).await?.into()))
}

/// Confirm an erasure, with the approver's token, and as another officer than asked for it: the person is erased for good.
/// Credentials and cards end, the key of the record is destroyed, and the record goes. Accesses stay, under an id that
/// leads nowhere.
#[utoipa::path(post, path = "/authority/v1/officer/erasures/{erasure}/confirmation", tag = "authority",
    params(("erasure" = String, Path, description = "the erasure's id")), security(("operator" = [])),
    responses((status = 200, body = Erased), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, description = "not the approver's token", body = ProblemBody), (status = 403, description = "the same officer asked", body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "confirmed before", body = ProblemBody), (status = 410, description = "not confirmed in time", body = ProblemBody)))]
pub(super) async fn confirm(
    State(authority): State<Arc<Authority>>,
    Path(erasure): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Json<Erased>, Problem> {
    let officer = authority.approver.authenticate(&headers)?.officer()?;
    Ok(Json(authority.erase(officer, erasure).await?))
}

impl Authority {
    async fn ask_erasure(&self, officer: &str, request: Erasure) -> Result<AskedErasure, Problem> {
        let evidence = request.evidence.trim();
        if !(1..=200).contains(&evidence.len()) {
            let detail =
                "evidence is to be 1 to 200 bytes: the ground, and where the decision is filed";
            return Err(Problem::malformed(detail));
        }
        let number = self.number(&request.resident_number)?;
        let access = self.access(officer, format!("erasure asked for: {evidence}"));
        Ok(self.population.ask_erasure(&number, evidence, &access).await?)
    }

    async fn erase(&self, officer: String, erasure: Uuid) -> Result<Erased, Problem> {
        let asked = self.population.asked_erasure(erasure).await?;
        let purpose = format!("erasure, asked for by {}: {}", asked.asked_by, asked.evidence);
        let access = self.access(&officer, purpose.clone());
        asked.confirmable(&officer, access.at)?;
        // Ended first: after the erasure nobody could say whose they were.
        let by = Entry { officer, basis: purpose, at: access.at };
        self.population.end_cards(asked.person, by).await?;
        let (records, person) = (&self.issuer.records, asked.person.uuid());
        let revoked = records.revoke(person).await?;
        records.withdraw(person).await?;
        self.population.confirm_erasure(&asked, &access).await?;
        // Begun while it was erased: its claims could not be read any more, but places were given.
        let late = records.revoke(person).await?;
        Ok(Erased { revoked: revoked.saturating_add(late) })
    }
}

impl From<AskedErasure> for ErasureAsked {
    fn from(asked: AskedErasure) -> Self {
        Self {
            erasure: asked.id.to_string(),
            asked_by: asked.asked_by,
            evidence: asked.evidence,
            until: asked.until.seconds(),
        }
    }
}
