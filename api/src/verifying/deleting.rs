//! Deletion at a party that only asks: at once, but for evidence, which it keeps for its stated time.

use super::{VerifyingParties, VerifyingParty, named};
use crate::deleting::{DeletionAnswer, DeletionRequest};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use std::sync::Arc;

/// Ask for what was shown to be deleted, with the receipt of it. What is kept as evidence is kept for its time.
#[utoipa::path(post, path = "/verifiers/{verifier}/v1/deletions", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier")), request_body = DeletionRequest,
    responses((status = 200, body = DeletionAnswer), (status = 400, body = ProblemBody), (status = 404, description = "nothing of this is kept here", body = ProblemBody)))]
pub(super) async fn delete(
    State(parties): State<Arc<VerifyingParties>>,
    Path(verifier): Path<String>,
    request: Result<Json<DeletionRequest>, JsonRejection>,
) -> Result<Json<DeletionAnswer>, Problem> {
    Ok(Json(named(&parties, &verifier)?.delete(&request?.0).await?))
}

impl VerifyingParty {
    async fn delete(&self, wish: &DeletionRequest) -> Result<DeletionAnswer, Problem> {
        let records = &self.at_work.records;
        let kept = records.by_receipt(&wish.request, &wish.receipt).await?;
        if self.purposes.get(&kept.purpose).is_none_or(|purpose| purpose.keeps_evidence) {
            return Ok(DeletionAnswer::kept(kept.retained_until));
        }
        records.erase(&kept.id).await?;
        Ok(DeletionAnswer::erased())
    }
}
