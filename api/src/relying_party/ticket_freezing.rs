//! Tickets frozen after a loss or theft, by the key that the wallet left when it got them; freed at the railway's desk.

use super::{RelyingParties, railway};
use crate::freezing::{Freed, FreezeHandle, FreezeHandleKept, Frozen};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::sync::Arc;
use uuid::Uuid;

/// Leave the key that may freeze the ticket issued with this access token. It is to be another one for each ticket.
#[utoipa::path(post, path = "/parties/{party}/v1/freeze-handles", tag = "relying party",
    params(("party" = String, Path, description = "the railway")),
    request_body = FreezeHandle, security(("request" = [])),
    responses((status = 200, body = FreezeHandleKept), (status = 400, body = ProblemBody), (status = 401, description = "no access token of an issuance under way", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn leave(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    headers: HeaderMap,
    request: Result<Json<FreezeHandle>, JsonRejection>,
) -> Result<Json<FreezeHandleKept>, Problem> {
    let railway = railway(&parties, &party)?;
    Ok(Json(railway.issuer()?.keep_freeze_handle(&headers, request?.0).await?))
}

/// Freeze the ticket for which the asking key was left: its copies are suspended.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the freeze key, for this address. Again is harmless.
#[utoipa::path(post, path = "/parties/{party}/v1/freezes", tag = "relying party",
    params(("party" = String, Path, description = "the railway")), security(("request" = [])),
    responses((status = 200, body = Frozen), (status = 401, body = ProblemBody), (status = 403, description = "no such key was left", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn freeze(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Frozen>, Problem> {
    let railway = railway(&parties, &party)?;
    let path = format!("/parties/{}/v1/freezes", railway.id);
    Ok(Json(railway.issuer()?.freeze(&headers, (railway.id.as_str(), &path)).await?.0))
}

/// Free a ticket whose holder came to the desk with the booking.
#[utoipa::path(post, path = "/parties/{party}/v1/desk/tickets/{ticket}/freezes/lift", tag = "relying party",
    params(("party" = String, Path, description = "the railway"), ("ticket" = String, Path, description = "the ticket's number")),
    security(("operator" = [])),
    responses((status = 200, body = Freed), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn lift(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, ticket)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<Freed>, Problem> {
    let railway = railway(&parties, &party)?;
    railway.operator.authenticate(&headers)?;
    let ticket = railway.records.ticket(ticket).await?;
    railway.issuer()?.records.lift_all(ticket.id).await?;
    Ok(Json(Freed { at: railway.now().seconds() }))
}
