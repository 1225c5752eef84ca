//! The status of the identity credentials.

use super::Authority;
use crate::http::Problem;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use std::sync::Arc;

/// A status list, signed.
#[utoipa::path(get, path = "/authority/status/{list}", tag = "authority",
    params(("list" = String, Path, description = "the list's number")),
    responses((status = 200, description = "Token Status List; as CWT if `Accept` asks for application/statuslist+cwt", body = String, content_type = "application/statuslist+jwt"), (status = 404, body = crate::http::ProblemBody)))]
pub(super) async fn list(
    State(authority): State<Arc<Authority>>,
    Path(list): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    authority.issuer.status_response(&list, &headers).await
}
