//! Who here looked at what a person showed, for her to see.

use super::{RelyingParties, RelyingParty, named};
use crate::http::{Problem, ProblemBody};
use crate::looking::{FileAccess, LooksRequest};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use std::sync::Arc;
use uuid::Uuid;

/// Ask who looked at what was shown, with the receipt of it: oldest first.
#[utoipa::path(post, path = "/parties/{party}/v1/looks", tag = "relying party",
    params(("party" = String, Path, description = "the relying party")), request_body = LooksRequest,
    responses((status = 200, body = [FileAccess]), (status = 400, body = ProblemBody), (status = 404, description = "nothing of this is kept here", body = ProblemBody)))]
pub(super) async fn looks(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    request: Result<Json<LooksRequest>, JsonRejection>,
) -> Result<Json<Vec<FileAccess>>, Problem> {
    Ok(Json(named(&parties, &party)?.looks(&request?.0).await?))
}

impl RelyingParty {
    async fn looks(&self, asked: &LooksRequest) -> Result<Vec<FileAccess>, Problem> {
        let asked = self.records.asked_by_receipt(&asked.request, &asked.receipt).await?;
        // A ticket bears no identity: there is nothing to look at.
        let Ok(stay) = Uuid::parse_str(&asked.subject) else { return Ok(Vec::new()) };
        let looks = self.records.accesses(stay).await?;
        Ok(looks.into_iter().map(FileAccess::from).collect())
    }
}
