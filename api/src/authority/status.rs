//! The status of the identity credentials, and of the certificates that sign them.

use super::Authority;
use crate::http::Problem;
use crate::status_list::StatusListAggregation;
use axum::Json;
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

/// Where all status lists are (Token Status List, section 9).
#[utoipa::path(get, path = "/authority/status", tag = "authority",
    responses((status = 200, body = StatusListAggregation)))]
pub(super) async fn all(
    State(authority): State<Arc<Authority>>,
) -> Result<Json<StatusListAggregation>, Problem> {
    Ok(Json(authority.issuer.status_lists().await?))
}

/// The list of this issuer's certificates that were revoked, by a generation of its authority.
#[utoipa::path(get, path = "/authority/crl/{generation}", tag = "authority",
    params(("generation" = String, Path, description = "the authority's generation, as the certificate says")),
    responses((status = 200, description = "a certificate revocation list (RFC 5280)", body = Vec<u8>, content_type = "application/pkix-crl"), (status = 404, body = crate::http::ProblemBody)))]
pub(super) async fn revocations(
    State(authority): State<Arc<Authority>>,
    Path(generation): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    authority.issuer.revocation_list(&generation)
}
