//! A person erased from the register: the key of the record is destroyed, so that no copy of it can be read, in a
//! backup neither once that has no key file of before.

use super::Authority;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_population::Entry;

/// An officer's decision that a person is erased from the register.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// The resident number.
    pub resident_number: String,
    /// On what ground, in words, and where the decision is filed: it is recorded, and outlives the record. No personal
    /// data.
    #[schema(example = "left the country for good, decision 2026-88")]
    pub evidence: String,
}

/// That a person was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erased {
    /// How many credentials became void with it.
    pub revoked: u64,
}

/// Erase a person from the register, for good: credentials and cards end, the key of the record is destroyed, and the
/// record goes. Accesses stay, under an id that leads nowhere.
#[utoipa::path(post, path = "/authority/v1/officer/erasures", tag = "authority",
    request_body = Erasure, security(("operator" = [])),
    responses((status = 200, body = Erased), (status = 400, description = "no evidence", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "nobody has this number, or was erased", body = ProblemBody)))]
pub(super) async fn erase(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<Erasure>, JsonRejection>,
) -> Result<Json<Erased>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    Ok(Json(authority.erase(officer, request?.0).await?))
}

impl Authority {
    async fn erase(&self, officer: String, request: Erasure) -> Result<Erased, Problem> {
        let evidence = request.evidence.trim();
        if !(1..=200).contains(&evidence.len()) {
            let detail =
                "evidence is to be 1 to 200 bytes: the ground, and where the decision is filed";
            return Err(Problem::malformed(detail));
        }
        let number = self.number(&request.resident_number)?;
        let purpose = format!("erasure: {evidence}");
        let person = self.find(&number, &officer, purpose.clone()).await?;
        let access = self.access(&officer, purpose.clone());
        // Ended first: after the erasure nobody could say whose they were.
        let by = Entry { officer, basis: purpose, at: access.at };
        self.population.end_cards(person, by).await?;
        let records = &self.issuer.records;
        let revoked = records.revoke(person.uuid()).await?;
        records.withdraw(person.uuid()).await?;
        self.population.erase(&number, &access).await?;
        // Begun while it was erased: its claims could not be read any more, but places were given.
        let late = records.revoke(person.uuid()).await?;
        Ok(Erased { revoked: revoked.saturating_add(late) })
    }
}
