//! Deletion at a hotel or a railway: what a law has it keep stays until its day, and is gone then.

use super::{RelyingParties, RelyingParty, named};
use crate::deleting::{DeletionAnswer, DeletionRequest};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use std::sync::Arc;
use uuid::Uuid;

/// Ask for what was shown to be deleted, with the receipt of it: whether it is kept, and until when.
#[utoipa::path(post, path = "/parties/{party}/v1/deletions", tag = "relying party",
    params(("party" = String, Path, description = "the relying party")), request_body = DeletionRequest,
    responses((status = 200, body = DeletionAnswer), (status = 400, body = ProblemBody), (status = 404, description = "nothing of this is kept here", body = ProblemBody)))]
pub(super) async fn delete(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    request: Result<Json<DeletionRequest>, JsonRejection>,
) -> Result<Json<DeletionAnswer>, Problem> {
    Ok(Json(named(&parties, &party)?.delete(&request?.0).await?))
}

impl RelyingParty {
    async fn delete(&self, wish: &DeletionRequest) -> Result<DeletionAnswer, Problem> {
        let asked = self.records.asked_by_receipt(&wish.request, &wish.receipt).await?;
        let Ok(stay) = Uuid::parse_str(&asked.subject) else { return Ok(DeletionAnswer::erased()) };
        // A ticket bears no identity: there is nothing to keep of it.
        let kept = self.records.stay(stay).await.ok().and_then(|stay| stay.retained_until);
        match kept.filter(|until| *until > self.now()) {
            Some(until) => Ok(DeletionAnswer::kept(until)),
            None => {
                self.records.erase_guest(stay).await?;
                Ok(DeletionAnswer::erased())
            }
        }
    }
}
