//! The endpoints of an issuer to attested wallets (OpenID4VCI 1.0 under HAIP 1.0), the same at every institution that
//! attests. They stand beside those for pre-authorized codes, under an identifier of their own.

use super::attesting::{Attesters, Attests, Here};
use super::issuing::{Answer, Asked};
use super::refusing::HaipRefusal;
use super::{Shown, told};
use crate::http::{Language, Problem};
use crate::issuer::{Refusal, denied};
use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use yufu_openid4vc::form;
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE};

/// What the browser brings.
#[derive(Deserialize)]
pub(super) struct Brought {
    client_id: String,
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

/// What a wallet that plays its own browser gets instead of the page of a sign-in.
#[derive(Serialize)]
struct SigningIn {
    authorization_request: String,
}

pub(super) async fn push<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, HaipRefusal> {
    let (pushed, fresh) = here.institution.as_issuer()?.push(&headers, &body).await?;
    Ok((StatusCode::CREATED, fresh, Json(pushed)))
}

pub(super) async fn page<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Result<Response, Problem> {
    let Brought { client_id, request_uri } = brought;
    let issuer = here.institution.as_issuer()?;
    let brought = (client_id.as_str(), request_uri.as_str());
    Ok(shown(issuer.authorization_page(brought, language(&headers)).await?, &headers))
}

pub(super) async fn decide<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let read: Result<Decided, _> = serde_json::from_value(fields(&body));
    let Decided { client_id, request_uri, tx_code, decision } = read.map_err(Problem::malformed)?;
    let agreed = (decision.as_deref() != Some("decline")).then_some(tx_code.as_deref());
    let brought = (client_id.as_str(), request_uri.as_str());
    let issuer = here.institution.as_issuer()?;
    Ok(shown(issuer.authorize(brought, agreed, language(&headers)).await?, &headers))
}

pub(super) async fn token<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, HaipRefusal> {
    let (granted, fresh) = here.institution.as_issuer()?.grant(&headers, &body).await?;
    Ok((fresh, Json(granted)))
}

pub(super) async fn challenge<A: Attesters>(here: Here<A>) -> Result<impl IntoResponse, Problem> {
    let (challenge, fresh) = here.institution.as_issuer()?.fresh_challenge()?;
    Ok((fresh, Json(challenge)))
}

pub(super) async fn nonce<A: Attesters>(here: Here<A>) -> Result<impl IntoResponse, Problem> {
    let issuer = here.institution.as_issuer()?;
    let (nonce, fresh) = issuer.under_haip()?.fresh_nonce(issuer.clock.read().wall)?;
    Ok((fresh, Json(nonce)))
}

pub(super) async fn credential<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, HaipRefusal> {
    let asked = here.institution.as_issuer()?.asked(&headers, &body).await?;
    answered(&*here.institution, asked).await
}

pub(super) async fn deferred<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, HaipRefusal> {
    let asked = here.institution.as_issuer()?.asked_again(&headers, &body).await?;
    answered(&*here.institution, asked).await
}

pub(super) async fn notify<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, HaipRefusal> {
    here.institution.as_issuer()?.notified(&headers, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn sign_in_request<A: Attesters>(
    here: Here<A>,
) -> Result<impl IntoResponse, Problem> {
    let signed = here.institution.as_issuer()?.sign_in_request(&here.id, &[]).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

pub(super) async fn sign_in_request_with_nonce<A: Attesters>(
    here: Here<A>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let signed = here.institution.as_issuer()?.sign_in_request(&here.id, &body).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

pub(super) async fn sign_in_answer<A: Attesters>(
    here: Here<A>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(told(&*here.institution, &here.id, &body).await?))
}

pub(super) async fn offer<A: Attesters>(here: Here<A>) -> Result<impl IntoResponse, Problem> {
    let offer = here.institution.as_issuer()?.referred(&here.id).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(offer)))
}

pub(super) async fn type_metadata<A: Attesters>(here: Here<A>) -> Result<Response, Problem> {
    here.institution.as_issuer()?.type_response(&here.id).await
}

/// The issuer's metadata; signed if `Accept` asks for `application/jwt`.
pub(super) async fn issuer<A: Attesters>(
    here: Here<A>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    here.institution.as_issuer()?.haip_metadata(&headers)
}

/// The authorization server's metadata.
pub(super) async fn server<A: Attesters>(here: Here<A>) -> Result<impl IntoResponse, Problem> {
    Ok(Json(here.institution.as_issuer()?.haip_server()?))
}

/// The answer to a request whose keys are proven.
async fn answered(institution: &impl Attests, asked: Asked) -> Result<Answer, HaipRefusal> {
    match asked {
        Asked::Later(answer) => Ok(answer),
        Asked::Now(under_way, answering) => {
            let issued = institution.issue_under(*under_way).await.map_err(in_its_words)?;
            institution.as_issuer()?.brought(issued, answering)
        }
    }
}

/// A refusal of the institution's own, as the credential endpoint has it, its code kept.
fn in_its_words(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Problem(problem)
            if problem.status().is_client_error() && problem.member("error").is_none() =>
        {
            denied(problem.code(), problem.detail()).into()
        }
        other => other,
    }
}

fn shown(shown: Shown, headers: &HeaderMap) -> Response {
    match shown {
        Shown::Page(page) => page.into_response(),
        Shown::SignIn { link, .. } if wants_json(headers) => {
            Json(SigningIn { authorization_request: link }).into_response()
        }
        Shown::SignIn { page, .. } => ([(header::REFRESH, LOOKS_EVERY)], *page).into_response(),
        Shown::Redirect(address) => Redirect::to(&address).into_response(),
    }
}

/// How often the page of a sign-in looks whether something was shown, in seconds.
const LOOKS_EVERY: &str = "3";

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.starts_with("application/json"))
}

fn language(headers: &HeaderMap) -> Language {
    Language::preferred(headers.get_all(header::ACCEPT_LANGUAGE))
}

/// The parameters of a form, each once, as an object.
fn fields(body: &[u8]) -> serde_json::Value {
    form::parameters(body)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
