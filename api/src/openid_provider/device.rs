//! The device authorization grant (RFC 8628): begun for a bank, answered by a presentation, and the access token
//! fetched.

use super::{OpenidProvider, OpenidProviders, named};
use crate::http::{self, Language, Page, Problem, ProblemBody, page_words};
use crate::relying_party::Returns;
use crate::signing::unsigned;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use yufu_allowances::{AllowancesError, Grant, Pending};
use yufu_base::Digest;
use yufu_ecash::KeysResponse;
use yufu_ecash::message::AUTH_UNIT;
use yufu_keys::random_text;
use yufu_openid4vc::device::{
    DeviceAuthorization, DeviceError, DeviceErrorCode, GRANT_DEVICE_CODE, parameter,
};
use yufu_openid4vc::issuance::{GRANT_CODE, TokenResponse};
use yufu_payment::{ALLOWANCE_SCOPE, AccessToken};

/// The id of the one credential query.
pub(super) const QUERY: &str = "pid";
/// How long to wait between two tries to fetch the token, in seconds.
const INTERVAL: u64 = 5;
/// The longest that an access token is good for, in seconds.
pub(super) const TOKEN_SECONDS: u64 = 86_400;

/// Why a step was refused: in OAuth's words, or as a problem.
pub(super) enum Refusal {
    OAuth(DeviceError),
    Problem(Problem),
}

/// Ask for an access token. `client_id` is the bank that is to sign the blind tokens.
#[utoipa::path(post, path = "/openid/{provider}/device_authorization", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "client_id"),
    responses((status = 200, description = "device_code, verification_uri_complete, yufu_authorization_request (openid4vp://...), expires_in, interval", body = Object), (status = 400, description = "OAuth error", body = Object)))]
pub(super) async fn authorize(
    State(providers): State<Arc<OpenidProviders>>,
    Path(provider): Path<String>,
    body: Bytes,
) -> Result<Json<DeviceAuthorization>, Refusal> {
    let provider = named(&providers, &provider)?;
    let bank = parameter(&body, "client_id")?;
    provider.client(&bank).await?;
    Ok(Json(provider.begin(bank).await?))
}

/// A page for whoever has the credential in a wallet on this device: it leads to the presentation request.
#[utoipa::path(get, path = "/openid/{provider}/device/{id}", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a page with a link", body = String, content_type = "text/html"), (status = 404, body = ProblemBody)))]
pub(super) async fn page(
    State(providers): State<Arc<OpenidProviders>>,
    Path((provider, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Page, Problem> {
    let asked = named(&providers, &provider)?.records.asked(&id).await?;
    Ok(confirmation(&headers, &asked.link, false))
}

/// A page that leads to a presentation; whether it goes on to the wallet by itself.
pub(super) fn confirmation(headers: &HeaderMap, link: &str, goes_on: bool) -> Page {
    let language = Language::preferred(headers.get_all(header::ACCEPT_LANGUAGE));
    http::confirmation(language, &page_words(language).confirmation.asks, link, goes_on)
}

/// Fetch the access token, once the presentation was answered.
#[utoipa::path(post, path = "/openid/{provider}/token", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "grant_type, client_id, and device_code; or code, code_verifier and redirect_uri"),
    responses((status = 200, description = "TokenResponse", body = Object), (status = 400, description = "OAuth error: authorization_pending until something was shown", body = Object)))]
pub(super) async fn token(
    State(providers): State<Arc<OpenidProviders>>,
    Path(provider): Path<String>,
    body: Bytes,
) -> Result<Json<TokenResponse>, Refusal> {
    let provider = named(&providers, &provider)?;
    match parameter(&body, "grant_type")?.as_str() {
        GRANT_DEVICE_CODE => {
            let code = parameter(&body, "device_code")?;
            let asked = provider.asked_by(&code, &parameter(&body, "client_id")?).await?;
            // What a browser began is fetched with its wallet's verifier.
            match provider.records.returning(&asked.id).await {
                Err(AllowancesError::Unknown(_)) => Ok(Json(provider.fetched(&asked)?)),
                Ok(_) => Err(no_code().into()),
                Err(other) => Err(not_found(other)),
            }
        }
        GRANT_CODE => Ok(Json(provider.exchanged(&body).await?)),
        _ => {
            let detail = format!("the grant type is {GRANT_DEVICE_CODE} or {GRANT_CODE}");
            Err(DeviceError::new(DeviceErrorCode::UnsupportedGrantType, &detail).into())
        }
    }
}

/// That no request has this code.
pub(super) fn no_code() -> DeviceError {
    DeviceError::new(DeviceErrorCode::InvalidGrant, "no such code: begin anew")
}

/// Why the records have nothing for a code: there is no such one, or they fail.
pub(super) fn not_found(error: AllowancesError) -> Refusal {
    match error {
        AllowancesError::Unknown(_) => no_code().into(),
        other => Refusal::Problem(other.into()),
    }
}

impl OpenidProvider {
    /// The bank that a wallet names as its client, its keyset seen.
    pub(super) async fn client(&self, bank: &str) -> Result<(), Refusal> {
        let mint = self.mints.get(bank).ok_or_else(|| {
            DeviceError::new(DeviceErrorCode::InvalidClient, "client_id is the id of a bank here")
        })?;
        Ok(self.look_at(bank, mint).await?)
    }

    /// The request of a code, for the bank that it was begun for.
    pub(super) async fn asked_by(&self, code: &str, bank: &str) -> Result<Pending, Refusal> {
        let asked = self.records.asked_by(&digest(code)).await.map_err(not_found)?;
        if asked.bank == bank { Ok(asked) } else { Err(no_code().into()) }
    }

    /// Sees with which keyset a bank signs tokens in this epoch: it is to be the same for everybody.
    async fn look_at(&self, bank: &str, mint: &str) -> Result<(), Problem> {
        let shown: KeysResponse =
            self.client.get(&format!("{mint}/v1/auth/blind/keys"), None).await?;
        let [keyset] = shown.keysets.as_slice() else {
            return Err(AllowancesError::KeysetDiffers.into());
        };
        if keyset.unit != AUTH_UNIT || keyset.check().is_err() {
            return Err(AllowancesError::KeysetDiffers.into());
        }
        let epoch = self.epoch.number(self.now());
        Ok(self.records.saw_keyset(bank, epoch, &keyset.id.to_string()).await?)
    }

    async fn begin(&self, bank: String) -> Result<DeviceAuthorization, Problem> {
        let now = self.now();
        let code = random_text();
        let started = self.started(bank, &code)?;
        let begun = DeviceAuthorization {
            device_code: code.clone(),
            user_code: started.id.clone(),
            verification_uri: format!("{}/device", self.identifier),
            verification_uri_complete: format!("{}/device/{}", self.identifier, started.id),
            yufu_authorization_request: Some(started.link.clone()),
            expires_in: started.expires_at.seconds().saturating_sub(now.seconds()),
            interval: INTERVAL,
        };
        self.records.ask(started).await?;
        Ok(begun)
    }

    /// A presentation request for a bank's tokens, which are fetched by a code.
    pub(super) fn started(&self, bank: String, code: &str) -> Result<Pending, Problem> {
        // Its browser comes back on its own way, with a code of OAuth.
        let back = (Returns::Nobody, self.now());
        let started = self.party.get().start(&self.allowance.request, &[QUERY], None, back)?;
        Ok(Pending {
            id: started.id,
            code: digest(code),
            bank,
            link: started.link,
            session: started.session,
            expires_at: started.expires_at,
            grant: None,
        })
    }

    /// The access token of an answered request: as often as it is asked for, for the same one batch.
    pub(super) fn fetched(&self, asked: &Pending) -> Result<TokenResponse, Refusal> {
        let now = self.now();
        let lapsed = asked.expires_at <= now;
        let Some(Grant { token, subject, epoch }) = &asked.grant else {
            let (code, what) = if lapsed {
                (DeviceErrorCode::ExpiredToken, "nothing was shown in time: begin anew")
            } else {
                (DeviceErrorCode::AuthorizationPending, "nothing was shown yet: ask again")
            };
            return Err(DeviceError::new(code, what).into());
        };
        if lapsed {
            let what = "the token was not fetched in time";
            return Err(DeviceError::new(DeviceErrorCode::ExpiredToken, what).into());
        }
        let token = AccessToken {
            iss: self.identifier.clone(),
            aud: asked.bank.clone(),
            sub: subject.clone(),
            client_id: asked.bank.clone(),
            jti: token.clone(),
            scope: ALLOWANCE_SCOPE.to_owned(),
            iat: now,
            exp: asked.expires_at,
            yufu_epoch: *epoch,
        };
        let key = self.signing.get();
        let signed = token.sign(&key.chain, &*key.signer);
        let signed = signed.map_err(|error| unsigned(&*key.signer, error))?;
        Ok(TokenResponse {
            access_token: signed,
            token_type: "Bearer".to_owned(),
            expires_in: Some(asked.expires_at.seconds().saturating_sub(now.seconds())),
        })
    }
}

/// What is kept of a code.
pub(super) fn digest(code: &str) -> String {
    Digest::derive("yufu device code v1", code.as_bytes()).to_string()
}

impl From<DeviceError> for Refusal {
    fn from(error: DeviceError) -> Self {
        Self::OAuth(error)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::OAuth(body) => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
            Self::Problem(problem) => problem.into_response(),
        }
    }
}
