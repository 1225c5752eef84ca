//! The authorization code grant with PKCE (RFC 6749, section 4.1; RFC 7636; NUT-21), for wallets that have a browser:
//! its page leads to the presentation, and back to the wallet with a code once something was shown.

use super::device::{Refusal, confirmation, digest, no_code, not_found};
use super::{OpenidProvider, OpenidProviders, named};
use crate::http::{Problem, ProblemBody};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use url::Url;
use yufu_allowances::Return;
use yufu_keys::random_text;
use yufu_openid4vc::device::{DeviceError, DeviceErrorCode, parameter};
use yufu_openid4vc::form;
use yufu_openid4vc::issuance::{
    PKCE_S256, TokenResponse, is_challenge, is_verifier, pkce_challenge,
};

/// The address that wallets of Cashu's own may always have (NUT-21).
const LOCAL: &str = "http://localhost:33388/callback";
/// How often the page looks whether something was shown, in seconds.
const LOOKS_EVERY: &str = "3";

/// Ask for an access token in a browser. `client_id` is the bank that is to sign the blind tokens.
#[utoipa::path(get, path = "/openid/{provider}/authorize", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider"),
        ("response_type" = String, Query, description = "code"), ("client_id" = String, Query, description = "the id of a bank"),
        ("redirect_uri" = String, Query, description = "an address of a wallet that is known here"),
        ("code_challenge" = String, Query, description = "of the wallet's verifier"), ("code_challenge_method" = String, Query, description = "S256"),
        ("state" = Option<String>, Query, description = "comes back as it is")),
    responses((status = 303, description = "to the page of this request; or back to the wallet with an error"), (status = 400, description = "OAuth error: nobody is sent to an address that is not known", body = Object)))]
pub(super) async fn authorize(
    State(providers): State<Arc<OpenidProviders>>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let provider = named(&providers, &provider)?;
    let query = query.unwrap_or_default();
    let bank = parameter(query.as_bytes(), "client_id")?;
    let to = provider.wallet(&parameter(query.as_bytes(), "redirect_uri")?)?;
    let given = form::parameters(query.as_bytes()).any(|(name, _)| name == "state");
    let state = given.then(|| parameter(query.as_bytes(), "state")).transpose()?;
    let challenge = match challenge(query.as_bytes()) {
        Ok(challenge) => challenge,
        Err(error) => return Ok(provider.failed(&to, state.as_deref(), &error)),
    };
    provider.client(&bank).await?;
    // Fetched by nobody before the browser comes back.
    let new = provider.started(bank, &random_text())?;
    let page = format!("{}/authorize/{}", provider.identifier, new.id);
    let returning = Return { redirect_uri: to.to_string(), state, challenge };
    provider.records.ask_returning(new, returning).await.map_err(Problem::from)?;
    Ok(see_other(&page))
}

/// The page of a request: it leads to the presentation, and on to the wallet once something was shown.
#[utoipa::path(get, path = "/openid/{provider}/authorize/{id}", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a page that looks by itself whether something was shown", body = String, content_type = "text/html"), (status = 303, description = "to the wallet, with code, state and iss"), (status = 404, body = ProblemBody)))]
pub(super) async fn resume(
    State(providers): State<Arc<OpenidProviders>>,
    Path((provider, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let provider = named(&providers, &provider)?;
    let Return { redirect_uri, state, .. } = provider.records.returning(&id).await?;
    let asked = provider.records.asked(&id).await?;
    let to = Url::parse(&redirect_uri).map_err(Problem::internal)?;
    if asked.grant.is_some() {
        let code = random_text();
        provider.records.replace_code(&id, &digest(&code)).await?;
        return Ok(provider.back(&to, state.as_deref(), &[("code", &code)]));
    }
    if asked.expires_at <= provider.now() {
        let late = ("access_denied", "nothing was shown in time: begin anew");
        let error = [("error", late.0), ("error_description", late.1)];
        return Ok(provider.back(&to, state.as_deref(), &error));
    }
    let page = confirmation(&headers, &asked.link, true);
    Ok(([(header::REFRESH, LOOKS_EVERY)], page).into_response())
}

/// The challenge of a request for a code; or why it is none.
fn challenge(query: &[u8]) -> Result<String, DeviceError> {
    if parameter(query, "response_type")? != "code" {
        let what = "the response type is code";
        return Err(DeviceError::new(DeviceErrorCode::UnsupportedResponseType, what));
    }
    let method = parameter(query, "code_challenge_method")?;
    let challenge = parameter(query, "code_challenge")?;
    if method != PKCE_S256 || !is_challenge(&challenge) {
        let what = "send the code_challenge of a verifier, with code_challenge_method S256";
        return Err(DeviceError::new(DeviceErrorCode::InvalidRequest, what));
    }
    Ok(challenge)
}

impl OpenidProvider {
    /// The address of a wallet, if it is known.
    fn wallet(&self, redirect_uri: &str) -> Result<Url, DeviceError> {
        let known = redirect_uri == LOCAL
            || self.allowance.redirect_uris.iter().any(|one| one == redirect_uri);
        let parsed = Url::parse(redirect_uri).ok().filter(|_| known);
        parsed.ok_or_else(|| {
            let what = format!("redirect_uri is {LOCAL}, or one that the profile names");
            DeviceError::new(DeviceErrorCode::InvalidRequest, &what)
        })
    }

    /// The access token for a code: once for each code, and for the same one batch for each code of a request.
    pub(super) async fn exchanged(&self, body: &[u8]) -> Result<TokenResponse, Refusal> {
        let (code, bank) = (parameter(body, "code")?, parameter(body, "client_id")?);
        let (verifier, uri) = (parameter(body, "code_verifier")?, parameter(body, "redirect_uri")?);
        let asked = self.asked_by(&code, &bank).await?;
        let returning = self.records.returning(&asked.id).await.map_err(not_found)?;
        let proven = is_verifier(&verifier) && pkce_challenge(&verifier) == returning.challenge;
        if !proven || uri != returning.redirect_uri {
            return Err(no_code().into());
        }
        let fetched = self.fetched(&asked)?;
        self.records.use_code(&asked.id, &digest(&code)).await.map_err(not_found)?;
        Ok(fetched)
    }

    fn failed(&self, to: &Url, state: Option<&str>, error: &DeviceError) -> Response {
        let code = serde_json::to_value(error.error).ok();
        let code = code.as_ref().and_then(|code| code.as_str()).unwrap_or("invalid_request");
        let what = error.error_description.as_deref().unwrap_or_default();
        self.back(to, state, &[("error", code), ("error_description", what)])
    }

    /// Back to the wallet, which is told who answers (RFC 9207).
    fn back(&self, to: &Url, state: Option<&str>, answer: &[(&str, &str)]) -> Response {
        let mut to = to.clone();
        {
            let mut pairs = to.query_pairs_mut();
            pairs.extend_pairs(answer);
            pairs.extend_pairs(state.map(|state| ("state", state)));
            pairs.append_pair("iss", &self.identifier);
        }
        see_other(to.as_str())
    }
}

fn see_other(to: &str) -> Response {
    let headers = [(header::LOCATION, to), (header::REFERRER_POLICY, "no-referrer")];
    (StatusCode::SEE_OTHER, headers).into_response()
}
