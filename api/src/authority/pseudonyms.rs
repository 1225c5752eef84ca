//! The pseudonyms that residents bring: kept as keyed digests, and replaced by an officer's word.

use super::Authority;
use crate::http::{Problem, ProblemBody};
use crate::issuer::{UnderWay, day};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_base::SectorId;
use yufu_credentials::{Pseudonym, Replacement};

/// An officer's word that a person lost the secret of their pseudonyms.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PseudonymReplacement {
    /// The resident number.
    pub resident_number: String,
    /// What the officer relied on, in words: it is recorded.
    #[schema(example = "phone reported lost, no backup; card and portrait compared")]
    pub evidence: String,
}

/// From when new pseudonyms are taken.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PseudonymsReplaced {
    /// The day (UTC) from whose beginning on an issuance may bring new ones.
    #[schema(example = "2026-12-10")]
    pub from: String,
    /// How many credentials became void: they carry the former pseudonyms.
    pub revoked: u64,
}

/// Let a person bring new pseudonyms from the next epoch on; their credentials become void.
#[utoipa::path(post, path = "/authority/v1/officer/pseudonym-replacements", tag = "authority",
    request_body = PseudonymReplacement, security(("operator" = [])),
    responses((status = 200, body = PseudonymsReplaced), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "none are registered", body = ProblemBody)))]
pub(super) async fn replace(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<PseudonymReplacement>, JsonRejection>,
) -> Result<Json<PseudonymsReplaced>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(request) = request?;
    Ok(Json(authority.replace_pseudonyms(officer, request).await?))
}

impl Authority {
    async fn replace_pseudonyms(
        &self,
        officer: String,
        request: PseudonymReplacement,
    ) -> Result<PseudonymsReplaced, Problem> {
        if request.evidence.trim().is_empty() {
            return Err(Problem::malformed("evidence: say in words what you relied on"));
        }
        let number = self.number(&request.resident_number)?;
        let purpose = format!("replacement of the pseudonyms: {}", request.evidence);
        let person = self.find(&number, &officer, purpose).await?;
        let at = self.now();
        let epoch = self.pseudonym_epoch;
        let epoch = epoch.ok_or_else(|| Problem::not_found("sector with pseudonyms here"))?;
        let wanted = Replacement {
            id: Uuid::now_v7(),
            person: person.uuid(),
            officer,
            evidence: request.evidence,
            at,
            from: epoch.next_after(at),
        };
        let replacing = self.issuer.records.replace_pseudonyms(wanted).await?;
        Ok(PseudonymsReplaced { from: day(replacing.from), revoked: replacing.revoked })
    }

    /// Has the issuance register the pseudonyms that its wallet brings, as keyed digests.
    pub(super) fn register_pseudonyms(&self, under_way: UnderWay) -> UnderWay {
        let digest = |(sector, pseudonym): (&SectorId, &String)| Pseudonym {
            sector: sector.clone(),
            digest: self.population.pseudonym_digest(sector, pseudonym).as_bytes().to_vec(),
        };
        let brought = under_way.pseudonyms().iter().map(digest).collect();
        under_way.registering(brought)
    }
}
