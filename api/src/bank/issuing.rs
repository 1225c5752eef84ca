//! The bank as an issuer, and its payment credential, with which an account pays where somebody else
//! asks. That has no claim; its place in the bank's status list leads the bank, and nobody else, to
//! the account (decision 8). What else the bank attests is in `attesting`.

use super::attesting::must_be_open;
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::issuer::{Attests as _, IssuedOffer, OfferFor, Referring, Refusal, token_request};
use crate::status_list::StatusListAggregation;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::AccountId;
use yufu_onboarding::OnboardingError;
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, CredentialResponse, IssuerMetadata, NonceResponse, TokenResponse,
};

/// The id of the payment credential in the profile, and of the query that asks for it.
pub(crate) const PAYMENT: &str = "payment";

/// Offer the payment credential to an account's wallet.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(post, path = "/banks/{bank}/v1/accounts/{account}/payment-credentials", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id"), Referring),
    security(("request" = [])),
    responses((status = 200, body = IssuedOffer), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "the account is not open", body = ProblemBody)))]
pub(super) async fn offer(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    Query(wish): Query<Referring>,
    headers: HeaderMap,
) -> Result<Json<IssuedOffer>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/payment-credentials", bank.id);
    let found = bank.authenticate(id, &headers, "POST", &path).await?;
    must_be_open(&found)?;
    let offer = bank.offer_payment_credential(id).await?;
    if bank.records.account(id).await?.wallet_key != found.wallet_key {
        // Changed meanwhile, and perhaps after what was under way was withdrawn.
        bank.issuer.records.withdraw(Uuid::from_u128(id.bits())).await?;
        return Err(OnboardingError::KeyChanged.into());
    }
    Ok(Json(bank.issuer.as_asked(offer, &wish).await?))
}

/// Exchange a pre-authorized code for an access token (OpenID4VCI 1.0, section 6).
#[utoipa::path(post, path = "/banks/{bank}/token", tag = "bank",
    params(("bank" = String, Path, description = "the bank")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "grant_type, pre-authorized_code"),
    responses((status = 200, description = "TokenResponse", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn token(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    body: Bytes,
) -> Result<Json<TokenResponse>, Refusal> {
    Ok(Json(named(&banks, &bank)?.issuer.exchange(&token_request(&body)?).await?))
}

/// A fresh nonce for proofs of possession (OpenID4VCI 1.0, section 7).
#[utoipa::path(post, path = "/banks/{bank}/nonce", tag = "bank",
    params(("bank" = String, Path, description = "the bank")),
    responses((status = 200, description = "NonceResponse", body = Object)))]
pub(super) async fn nonce(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<NonceResponse>, Problem> {
    Ok(Json(named(&banks, &bank)?.issuer.fresh_nonce().await?))
}

/// Issue what was offered, one copy for each proven key (OpenID4VCI 1.0, section 8).
#[utoipa::path(post, path = "/banks/{bank}/credential", tag = "bank",
    params(("bank" = String, Path, description = "the bank")),
    request_body(content = Object, description = "CredentialRequest with proofs.jwt"),
    responses((status = 200, description = "CredentialResponse", body = Object), (status = 400, description = "credential error", body = Object), (status = 401, description = "no valid access token", body = Object)))]
pub(super) async fn credential(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CredentialResponse>, Refusal> {
    let bank = named(&banks, &bank)?;
    let under_way = bank.issuer.under_way(&headers, &body).await?;
    Ok(Json(bank.issue_under(under_way).await?))
}

/// Where all status lists are (Token Status List, section 9).
#[utoipa::path(get, path = "/banks/{bank}/status", tag = "bank",
    params(("bank" = String, Path, description = "the bank")),
    responses((status = 200, body = StatusListAggregation), (status = 404, body = ProblemBody)))]
pub(super) async fn status_lists(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<StatusListAggregation>, Problem> {
    Ok(Json(named(&banks, &bank)?.issuer.status_lists().await?))
}

/// A status list, signed.
#[utoipa::path(get, path = "/banks/{bank}/status/{list}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("list" = String, Path, description = "the list's number")),
    responses((status = 200, description = "Token Status List; as CWT if `Accept` asks for application/statuslist+cwt", body = String, content_type = "application/statuslist+jwt"), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(banks): State<Arc<Banks>>,
    Path((bank, list)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    named(&banks, &bank)?.issuer.status_response(&list, &headers).await
}

/// The list of this issuer's certificates that were revoked, by a generation of its authority.
#[utoipa::path(get, path = "/banks/{bank}/crl/{generation}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("generation" = String, Path, description = "the authority's generation, as the certificate says")),
    responses((status = 200, description = "a certificate revocation list (RFC 5280)", body = Vec<u8>, content_type = "application/pkix-crl"), (status = 404, body = ProblemBody)))]
pub(super) async fn revocations(
    State(banks): State<Arc<Banks>>,
    Path((bank, generation)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    named(&banks, &bank)?.issuer.revocation_list(&generation)
}

pub(super) async fn metadata(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<IssuerMetadata>, Problem> {
    Ok(Json(named(&banks, &bank)?.issuer.metadata.clone()))
}

pub(super) async fn authorization_server(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<AuthorizationServerMetadata>, Problem> {
    Ok(Json(named(&banks, &bank)?.issuer.authorization_server.clone()))
}

pub(super) async fn keys(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(named(&banks, &bank)?.issuer.keys()))
}

impl Bank {
    async fn offer_payment_credential(&self, account: AccountId) -> Result<IssuedOffer, Problem> {
        let offer = OfferFor {
            credential: PAYMENT.to_owned(),
            subject: Uuid::from_u128(account.bits()),
            officer: "account".to_owned(),
            evidence: "asked for with the account's wallet key".to_owned(),
            code: None,
            derived_from: None,
        };
        self.issuer.offer(offer).await
    }
}
