//! An agency as an issuer: it attests to a member that it is one, under its pseudonym's key alone. The credential says
//! what the profile has it say, and no pseudonym: who verifies it elsewhere meets nobody again.

use super::freezing::{must_not_be_frozen, must_not_be_guarded};
use super::{Agencies, Agency, named};
use crate::http::{Problem, ProblemBody};
use crate::issuer::{
    Attests as _, Claims, IssuedOffer, Issuer, OfferFor, Referring, Refusal, UnderWay, claims_of,
    today, token_request, well_known_haip,
};
use crate::status_list::StatusListAggregation;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use std::sync::Arc;
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, CredentialResponse, IssuerMetadata, NonceResponse, TokenResponse,
};
use yufu_profile::CredentialType;
use yufu_programmes::{Member, MemberState};

/// Offer a member the credential that says so.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the sector key, for this address.
#[utoipa::path(post, path = "/agencies/{agency}/v1/programmes/{programme}/members/{pseudonym}/credentials/{credential}", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("programme" = String, Path, description = "the programme"), ("pseudonym" = String, Path, description = "the member's pseudonym"), ("credential" = String, Path, description = "the credential, by its id in the profile"), Referring),
    security(("request" = [])),
    responses((status = 200, body = IssuedOffer), (status = 401, description = "not the pseudonym's key", body = ProblemBody), (status = 404, description = "no such member, or no such credential of the programme", body = ProblemBody), (status = 422, description = "the member left", body = ProblemBody)))]
pub(super) async fn offer(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, programme, pseudonym, credential)): Path<(String, String, String, String)>,
    Query(wish): Query<Referring>,
    headers: HeaderMap,
) -> Result<Json<IssuedOffer>, Problem> {
    let agency = named(&agencies, &agency)?;
    let below = format!("/credentials/{credential}");
    let member = agency.member((&programme, &pseudonym), &headers, ("POST", &below)).await?;
    let made = agency.offer_attestation(&member, &credential).await?;
    Ok(Json(agency.issuer()?.as_asked(made, &wish).await?))
}

/// Exchange a pre-authorized code for an access token (OpenID4VCI 1.0, section 6).
#[utoipa::path(post, path = "/agencies/{agency}/token", tag = "agency",
    params(("agency" = String, Path, description = "the agency")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "grant_type, pre-authorized_code"),
    responses((status = 200, description = "TokenResponse", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn token(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
    body: Bytes,
) -> Result<Json<TokenResponse>, Refusal> {
    Ok(Json(named(&agencies, &agency)?.issuer()?.exchange(&token_request(&body)?).await?))
}

/// A fresh nonce for proofs of possession (OpenID4VCI 1.0, section 7).
#[utoipa::path(post, path = "/agencies/{agency}/nonce", tag = "agency",
    params(("agency" = String, Path, description = "the agency")),
    responses((status = 200, description = "NonceResponse", body = Object)))]
pub(super) async fn nonce(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
) -> Result<Json<NonceResponse>, Problem> {
    Ok(Json(named(&agencies, &agency)?.issuer()?.fresh_nonce().await?))
}

/// Issue what was offered, one copy for each proven key (OpenID4VCI 1.0, section 8).
#[utoipa::path(post, path = "/agencies/{agency}/credential", tag = "agency",
    params(("agency" = String, Path, description = "the agency")),
    request_body(content = Object, description = "CredentialRequest with proofs.jwt"),
    responses((status = 200, description = "CredentialResponse", body = Object), (status = 400, description = "credential error", body = Object), (status = 401, description = "no valid access token", body = Object)))]
pub(super) async fn credential(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CredentialResponse>, Refusal> {
    let agency = named(&agencies, &agency)?;
    let under_way = agency.issuer()?.under_way(&headers, &body).await?;
    Ok(Json(agency.issue_under(under_way).await?))
}

/// Where all status lists are (Token Status List, section 9).
#[utoipa::path(get, path = "/agencies/{agency}/status", tag = "agency",
    params(("agency" = String, Path, description = "the agency")),
    responses((status = 200, body = StatusListAggregation), (status = 404, body = ProblemBody)))]
pub(super) async fn status_lists(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
) -> Result<Json<StatusListAggregation>, Problem> {
    Ok(Json(named(&agencies, &agency)?.issuer()?.status_lists().await?))
}

/// A status list, signed.
#[utoipa::path(get, path = "/agencies/{agency}/status/{list}", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("list" = String, Path, description = "the list's number")),
    responses((status = 200, description = "Token Status List; as CWT if `Accept` asks for application/statuslist+cwt", body = String, content_type = "application/statuslist+jwt"), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, list)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    named(&agencies, &agency)?.issuer()?.status_response(&list, &headers).await
}

/// The list of this issuer's certificates that were revoked, by a generation of its authority.
#[utoipa::path(get, path = "/agencies/{agency}/crl/{generation}", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("generation" = String, Path, description = "the authority's generation, as the certificate says")),
    responses((status = 200, description = "a certificate revocation list (RFC 5280)", body = Vec<u8>, content_type = "application/pkix-crl"), (status = 404, body = ProblemBody)))]
pub(super) async fn revocations(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, generation)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    named(&agencies, &agency)?.issuer()?.revocation_list(&generation)
}

/// Documents at well-known addresses, whose paths the agencies' identifiers as issuers determine.
pub(crate) fn well_known() -> Router<Arc<Agencies>> {
    Router::new()
        .route("/.well-known/openid-credential-issuer/agencies/{agency}", get(metadata))
        .route(
            "/.well-known/oauth-authorization-server/agencies/{agency}",
            get(authorization_server),
        )
        .route("/.well-known/jwt-vc-issuer/agencies/{agency}", get(keys))
        .merge(well_known_haip())
}

async fn metadata(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
) -> Result<Json<IssuerMetadata>, Problem> {
    Ok(Json(named(&agencies, &agency)?.issuer()?.metadata.clone()))
}

async fn authorization_server(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
) -> Result<Json<AuthorizationServerMetadata>, Problem> {
    Ok(Json(named(&agencies, &agency)?.issuer()?.authorization_server.clone()))
}

async fn keys(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(named(&agencies, &agency)?.issuer()?.keys()))
}

impl Agency {
    /// The agency as an issuer, if it attests anything.
    pub(super) fn issuer(&self) -> Result<&Issuer, Problem> {
        self.issuer.as_deref().ok_or_else(|| Problem::not_found("credential of this agency"))
    }

    async fn offer_attestation(
        &self,
        member: &Member,
        credential: &str,
    ) -> Result<IssuedOffer, Problem> {
        self.attests(member, credential)?;
        still_one(member)?;
        must_not_be_guarded(member)?;
        let offer = OfferFor {
            credential: credential.to_owned(),
            subject: member.id,
            officer: "member".to_owned(),
            evidence: "asked for with the pseudonym's key".to_owned(),
            code: None,
            derived_from: None,
        };
        self.issuer()?.offer(offer).await
    }

    pub(super) async fn claims_for(&self, under_way: &UnderWay) -> Result<Claims, Problem> {
        let member = self.records.member_by_id(under_way.subject()).await?;
        let kind = self.attests(&member, under_way.credential_id())?;
        still_one(&member)?;
        must_not_be_frozen(&member)?;
        let fact = |name: &str| match name {
            "agency" => Some(self.id.to_string()),
            "programme" => Some(member.programme.clone()),
            "since" => Some(member.since.to_string()),
            _ => None,
        };
        let values = kind.values(|_| None, fact, today(self.now())?);
        let values = values.ok_or_else(|| {
            let detail = "the agency's records lack what this credential says: ask the agency";
            Problem::refused("credential.unfounded", detail)
        })?;
        Ok(claims_of(values))
    }

    /// The credential, if it is about members of this member's programme.
    pub(super) fn attests(
        &self,
        member: &Member,
        credential: &str,
    ) -> Result<&CredentialType, Problem> {
        let found = self.issuer()?.credentials.iter().find(|kind| kind.id == credential);
        let found = found.filter(|kind| kind.programme.as_ref() == Some(&member.programme));
        found.ok_or_else(|| Problem::not_found("credential of this programme"))
    }
}

/// Whoever left is attested nothing any more.
pub(super) fn still_one(member: &Member) -> Result<(), Problem> {
    if member.state == MemberState::Enrolled {
        return Ok(());
    }
    let detail = "the member has left the programme: enrol again first";
    Err(Problem::refused("member.left", detail))
}
