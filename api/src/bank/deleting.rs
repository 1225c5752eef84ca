//! Deletion at a bank: the law has it keep whom it verified; what only confirmed a step left no value.

use super::presentation::Purpose;
use super::{Bank, Banks, named};
use crate::deleting::{DeletionAnswer, DeletionRequest};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use std::sync::Arc;

/// Ask for what was shown to be deleted, with the receipt of it: whether it is kept, and until when at least.
#[utoipa::path(post, path = "/banks/{bank}/v1/deletions", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = DeletionRequest,
    responses((status = 200, body = DeletionAnswer), (status = 400, body = ProblemBody), (status = 404, description = "nothing of this is kept here", body = ProblemBody)))]
pub(super) async fn delete(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Json<DeletionRequest>, JsonRejection>,
) -> Result<Json<DeletionAnswer>, Problem> {
    Ok(Json(named(&banks, &bank)?.delete(&request?.0).await?))
}

impl Bank {
    async fn delete(&self, wish: &DeletionRequest) -> Result<DeletionAnswer, Problem> {
        let (purpose, until) = self.records.by_receipt(&wish.request, &wish.receipt).await?;
        let opened = [Purpose::OpenAccount, Purpose::OpenForWard];
        if opened.iter().any(|opened| opened.name() == purpose) {
            return Ok(DeletionAnswer::kept(until));
        }
        // Compared as keyed digests and dropped: there is no value to delete.
        Ok(DeletionAnswer::erased())
    }
}
