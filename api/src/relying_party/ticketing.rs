//! The railway as an issuer: the ticket as a credential over OpenID4VCI.

use super::{RelyingParties, RelyingParty, railway};
use crate::http::{Problem, ProblemBody};
use crate::issuer::{Attests as _, Claims, IssuedOffer, OfferFor, Refusal, token_request};
use crate::status_list::StatusListAggregation;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, CredentialResponse, IssuerMetadata, NonceResponse, TokenResponse,
};
use yufu_services::{ServicesError, TicketState};

/// The id of the ticket in the profile, and of the query that asks for it.
pub(super) const TICKET: &str = "ticket";

/// Exchange a pre-authorized code for an access token (OpenID4VCI 1.0, section 6).
#[utoipa::path(post, path = "/parties/{party}/token", tag = "relying party",
    params(("party" = String, Path, description = "the railway")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "grant_type, pre-authorized_code"),
    responses((status = 200, description = "TokenResponse", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn token(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    body: Bytes,
) -> Result<Json<TokenResponse>, Refusal> {
    let railway = railway(&parties, &party)?;
    Ok(Json(railway.issuer()?.exchange(&token_request(&body)?).await?))
}

/// A fresh nonce for proofs of possession (OpenID4VCI 1.0, section 7).
#[utoipa::path(post, path = "/parties/{party}/nonce", tag = "relying party",
    params(("party" = String, Path, description = "the railway")),
    responses((status = 200, description = "NonceResponse", body = Object)))]
pub(super) async fn nonce(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
) -> Result<Json<NonceResponse>, Problem> {
    Ok(Json(railway(&parties, &party)?.issuer()?.fresh_nonce().await?))
}

/// Issue a ticket, one copy for each proven key (OpenID4VCI 1.0, section 8).
#[utoipa::path(post, path = "/parties/{party}/credential", tag = "relying party",
    params(("party" = String, Path, description = "the railway")),
    request_body(content = Object, description = "CredentialRequest with proofs.jwt"),
    responses((status = 200, description = "CredentialResponse", body = Object), (status = 400, description = "credential error", body = Object), (status = 401, description = "no valid access token", body = Object)))]
pub(super) async fn credential(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CredentialResponse>, Refusal> {
    let railway = railway(&parties, &party)?;
    let under_way = railway.issuer()?.under_way(&headers, &body).await?;
    Ok(Json(railway.issue_under(under_way).await?))
}

/// Where all status lists are (Token Status List, section 9).
#[utoipa::path(get, path = "/parties/{party}/status", tag = "relying party",
    params(("party" = String, Path, description = "the railway")),
    responses((status = 200, body = StatusListAggregation), (status = 404, body = ProblemBody)))]
pub(super) async fn status_lists(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
) -> Result<Json<StatusListAggregation>, Problem> {
    Ok(Json(railway(&parties, &party)?.issuer()?.status_lists().await?))
}

/// A status list, signed.
#[utoipa::path(get, path = "/parties/{party}/status/{list}", tag = "relying party",
    params(("party" = String, Path, description = "the railway"), ("list" = String, Path, description = "the list's number")),
    responses((status = 200, description = "Token Status List; as CWT if `Accept` asks for application/statuslist+cwt", body = String, content_type = "application/statuslist+jwt"), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, list)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    railway(&parties, &party)?.issuer()?.status_response(&list, &headers).await
}

/// The list of this issuer's certificates that were revoked, by a generation of its authority.
#[utoipa::path(get, path = "/parties/{party}/crl/{generation}", tag = "relying party",
    params(("party" = String, Path, description = "the railway"), ("generation" = String, Path, description = "the authority's generation, as the certificate says")),
    responses((status = 200, description = "a certificate revocation list (RFC 5280)", body = Vec<u8>, content_type = "application/pkix-crl"), (status = 404, body = ProblemBody)))]
pub(super) async fn revocations(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, generation)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    railway(&parties, &party)?.issuer()?.revocation_list(&generation)
}

pub(super) async fn metadata(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
) -> Result<Json<IssuerMetadata>, Problem> {
    Ok(Json(railway(&parties, &party)?.issuer()?.metadata.clone()))
}

pub(super) async fn authorization_server(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
) -> Result<Json<AuthorizationServerMetadata>, Problem> {
    Ok(Json(railway(&parties, &party)?.issuer()?.authorization_server.clone()))
}

pub(super) async fn keys(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(railway(&parties, &party)?.issuer()?.keys()))
}

impl RelyingParty {
    /// Offers a ticket to whoever booked it.
    pub(super) async fn offer_ticket(&self, ticket: Uuid) -> Result<IssuedOffer, Problem> {
        let offer = OfferFor {
            credential: TICKET.to_owned(),
            subject: ticket,
            officer: "booking".to_owned(),
            evidence: "paid for".to_owned(),
            code: None,
            derived_from: None,
        };
        self.issuer()?.offer(offer).await
    }

    pub(super) async fn ticket_claims(&self, id: Uuid) -> Result<Claims, Problem> {
        let ticket = self.records.ticket(id).await?;
        if ticket.state != TicketState::Valid {
            let needed = TicketState::Valid;
            return Err(ServicesError::TicketState { found: ticket.state, needed }.into());
        }
        let departure = self.records.departure(&ticket.departure).await?;
        let claims = [
            ("ticket", id.to_string()),
            ("train", departure.train),
            ("date", departure.date),
            ("class", departure.class),
            ("seat", ticket.seat.to_string()),
        ];
        Ok(claims.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect())
    }
}
