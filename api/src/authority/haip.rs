//! The endpoints by which the authority issues to attested wallets (OpenID4VCI 1.0 under HAIP 1.0). They stand beside
//! those for pre-authorized codes, under an identifier of their own.

use super::Authority;
use crate::http::{Language, Problem, ProblemBody};
use crate::issuer::{Answer, Asked, HaipRefusal, Shown};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// What the browser brings.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Brought {
    /// The wallet that pushed the request.
    client_id: String,
    /// The request, as the pushing was answered.
    request_uri: String,
}

/// What the person decided.
#[derive(Deserialize)]
struct Decided {
    client_id: String,
    request_uri: String,
    tx_code: Option<String>,
    decision: Option<String>,
}

/// Push an authorization request (RFC 9126), as an attested wallet.
#[utoipa::path(post, path = "/authority/haip/par", tag = "authority",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "client_id, response_type, code_challenge, code_challenge_method, redirect_uri, scope or authorization_details, state, issuer_state, dpop_jkt"),
    responses((status = 201, description = "request_uri, expires_in", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn push(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, HaipRefusal> {
    let (pushed, fresh) = authority.issuer.push(&headers, &body).await?;
    Ok((StatusCode::CREATED, fresh, Json(pushed)))
}

/// The page that asks the person for the digits of the offer.
#[utoipa::path(get, path = "/authority/haip/authorize", tag = "authority", params(Brought),
    responses((status = 200, description = "a page", body = String, content_type = "text/html"), (status = 303, description = "back to the wallet with an error"), (status = 400, description = "no such request", body = ProblemBody)))]
pub(super) async fn page(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Result<Response, Problem> {
    let language = Language::preferred(headers.get_all(header::ACCEPT_LANGUAGE));
    let Brought { client_id, request_uri } = brought;
    Ok(shown(authority.issuer.authorization_page(&client_id, &request_uri, language).await?))
}

/// The person agrees, with the digits of the offer if it has any: a code for the wallet, by way of the browser.
#[utoipa::path(post, path = "/authority/haip/authorize", tag = "authority",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "client_id, request_uri, tx_code, decision (agree, decline)"),
    responses((status = 303, description = "back to the wallet: code, state, iss; or error"), (status = 400, body = ProblemBody), (status = 409, description = "used meanwhile", body = ProblemBody), (status = 422, description = "wrong digits; how many attempts are left", body = ProblemBody)))]
pub(super) async fn decide(
    State(authority): State<Arc<Authority>>,
    body: Bytes,
) -> Result<Response, Problem> {
    let read: Result<Decided, _> = serde_json::from_value(form(&body));
    let Decided { client_id, request_uri, tx_code, decision } = read.map_err(Problem::malformed)?;
    let agreed = decision.as_deref() != Some("decline");
    let brought = (client_id.as_str(), request_uri.as_str());
    Ok(shown(authority.issuer.authorize(brought, tx_code.as_deref(), agreed).await?))
}

/// Exchange a code, or take up a refresh token (OpenID4VCI 1.0, section 6), as an attested wallet with a DPoP proof.
#[utoipa::path(post, path = "/authority/haip/token", tag = "authority",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "grant_type authorization_code: code, redirect_uri, code_verifier; refresh_token: refresh_token"),
    responses((status = 200, description = "access_token (DPoP), refresh_token, scope or authorization_details", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn token(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, HaipRefusal> {
    let (granted, fresh) = authority.issuer.grant(&headers, &body).await?;
    Ok((fresh, Json(granted)))
}

/// A challenge for the proof that goes with a wallet attestation.
#[utoipa::path(post, path = "/authority/haip/challenge", tag = "authority",
    responses((status = 200, description = "attestation_challenge", body = Object)))]
pub(super) async fn challenge(
    State(authority): State<Arc<Authority>>,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(authority.issuer.fresh_challenge()?))
}

/// A fresh nonce for proofs of possession (OpenID4VCI 1.0, section 7); one for DPoP is in the header.
#[utoipa::path(post, path = "/authority/haip/nonce", tag = "authority",
    responses((status = 200, description = "NonceResponse", body = Object)))]
pub(super) async fn nonce(
    State(authority): State<Arc<Authority>>,
) -> Result<impl IntoResponse, Problem> {
    let (nonce, fresh) = authority.issuer.under_haip()?.fresh_nonce(authority.now())?;
    Ok((fresh, Json(nonce)))
}

/// Issue a batch of credentials for attested keys (OpenID4VCI 1.0, section 8), or have it wait for an officer.
#[utoipa::path(post, path = "/authority/haip/credential", tag = "authority",
    request_body(content = Object, description = "CredentialRequest, or a JWE of it as application/jwt; proofs with a key attestation"),
    responses((status = 200, description = "credentials, notification_id; as a JWE if the request asks for it", body = Object), (status = 202, description = "transaction_id, interval", body = Object), (status = 400, description = "credential error", body = Object), (status = 401, description = "no valid token or proof", body = Object)))]
pub(super) async fn credential(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, HaipRefusal> {
    let asked = authority.issuer.asked(&headers, &body).await?;
    authority.answered(asked).await
}

/// Fetch what waited for an officer (OpenID4VCI 1.0, section 9).
#[utoipa::path(post, path = "/authority/haip/deferred", tag = "authority",
    request_body(content = Object, description = "transaction_id; or a JWE of it as application/jwt"),
    responses((status = 200, description = "credentials, notification_id", body = Object), (status = 202, description = "not yet", body = Object), (status = 400, description = "credential error", body = Object), (status = 401, description = "no valid token or proof", body = Object)))]
pub(super) async fn deferred(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, HaipRefusal> {
    let asked = authority.issuer.asked_again(&headers, &body).await?;
    authority.answered(asked).await
}

/// Say what became of credentials (OpenID4VCI 1.0, section 11): those that are not in the wallet become void.
#[utoipa::path(post, path = "/authority/haip/notification", tag = "authority",
    request_body(content = Object, description = "notification_id, event"),
    responses((status = 204, description = "noted"), (status = 400, description = "notification error", body = Object), (status = 401, description = "no valid token or proof", body = Object)))]
pub(super) async fn notify(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, HaipRefusal> {
    authority.issuer.notified(&headers, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The issuer's metadata; signed if `Accept` asks for `application/jwt`.
pub(super) async fn issuer(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    authority.issuer.haip_metadata(&headers)
}

/// The authorization server's metadata.
pub(super) async fn server(
    State(authority): State<Arc<Authority>>,
) -> Result<impl IntoResponse, Problem> {
    Ok(Json(authority.issuer.haip_server()?))
}

impl Authority {
    /// The answer to a request whose keys are proven.
    async fn answered(&self, asked: Asked) -> Result<Answer, HaipRefusal> {
        match asked {
            Asked::Later(answer) => Ok(answer),
            Asked::Now(under_way, answering) => {
                let issued = self.issue_to_the_living(*under_way).await?;
                self.issuer.brought(issued, answering)
            }
        }
    }
}

fn shown(shown: Shown) -> Response {
    match shown {
        Shown::Page(page) => page.into_response(),
        Shown::Redirect(address) => Redirect::to(&address).into_response(),
    }
}

/// The parameters of a form, each once, as an object.
fn form(body: &[u8]) -> serde_json::Value {
    let pairs = url::form_urlencoded::parse(body);
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
