//! Who here looked at what a person showed, for her to see.

use super::{VerifyingParties, VerifyingParty, named};
use crate::http::{Problem, ProblemBody};
use crate::looking::{FileAccess, LooksRequest};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use std::sync::Arc;

/// Ask who looked at what was shown, with the receipt of it: oldest first.
#[utoipa::path(post, path = "/verifiers/{verifier}/v1/looks", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier")), request_body = LooksRequest,
    responses((status = 200, body = [FileAccess]), (status = 400, body = ProblemBody), (status = 404, description = "nothing of this is kept here", body = ProblemBody)))]
pub(super) async fn looks(
    State(parties): State<Arc<VerifyingParties>>,
    Path(party): Path<String>,
    request: Result<Json<LooksRequest>, JsonRejection>,
) -> Result<Json<Vec<FileAccess>>, Problem> {
    Ok(Json(named(&parties, &party)?.looks(&request?.0).await?))
}

impl VerifyingParty {
    async fn looks(&self, asked: &LooksRequest) -> Result<Vec<FileAccess>, Problem> {
        let records = &self.at_work.records;
        let kept = records.by_receipt(&asked.request, &asked.receipt).await?;
        let looks = records.accesses(&kept.id).await?;
        Ok(looks.into_iter().map(FileAccess::from).collect())
    }
}
