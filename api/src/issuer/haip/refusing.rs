//! Refusals in the words of OAuth and OpenID4VCI, with fresh nonces in the headers where one was missing.

use super::super::Refusal;
use crate::http::Problem;
use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use yufu_credentials::{CredentialsError, Once};
use yufu_openid4vc::issuance::{
    CredentialErrorCode, CredentialErrorResponse, NotificationErrorCode, NotificationErrorResponse,
    TokenErrorCode, TokenErrorResponse,
};

/// Nonces for the next request, for its headers.
pub(crate) struct Fresh {
    pub(super) dpop: String,
    pub(super) challenge: String,
}

impl Fresh {
    fn put(self, headers: &mut HeaderMap) {
        for (name, value) in
            [("dpop-nonce", self.dpop), ("oauth-client-attestation-challenge", self.challenge)]
        {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

impl IntoResponseParts for Fresh {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        self.put(parts.headers_mut());
        Ok(parts)
    }
}

/// Why an endpoint refused.
pub(crate) enum HaipRefusal {
    /// As OAuth has it, with nonces.
    Token(TokenErrorResponse, Fresh),
    /// As the credential endpoint has it, with nonces.
    Credential(CredentialErrorResponse, Option<Fresh>),
    /// As the notification endpoint has it.
    Notification(NotificationErrorCode),
    /// As a problem.
    Problem(Problem),
}

impl HaipRefusal {
    pub(super) fn token(code: TokenErrorCode, why: impl ToString, fresh: Fresh) -> Self {
        let body = TokenErrorResponse { error: code, error_description: Some(why.to_string()) };
        Self::Token(body, fresh)
    }

    pub(super) fn credential(code: CredentialErrorCode, why: impl ToString) -> Self {
        let error_description = Some(why.to_string());
        Self::Credential(CredentialErrorResponse { error: code, error_description }, None)
    }

    pub(super) fn with(self, fresh: Fresh) -> Self {
        match self {
            Self::Credential(body, _) => Self::Credential(body, Some(fresh)),
            other => other,
        }
    }
}

/// Why the records refused what a token was asked for.
pub(super) fn not_granted(error: &CredentialsError) -> Option<TokenErrorCode> {
    match error {
        CredentialsError::UsedBefore(Once::DpopProof) => Some(TokenErrorCode::InvalidDpopProof),
        CredentialsError::UsedBefore(Once::AttestationProof) => {
            Some(TokenErrorCode::InvalidClientAttestation)
        }
        CredentialsError::CodeReplayed
        | CredentialsError::GrantEnded
        | CredentialsError::UsedBefore(_) => Some(TokenErrorCode::InvalidGrant),
        _ => None,
    }
}

impl IntoResponse for HaipRefusal {
    fn into_response(self) -> Response {
        match self {
            Self::Token(body, fresh) => {
                (StatusCode::BAD_REQUEST, fresh, Json(body)).into_response()
            }
            Self::Credential(body, fresh) => {
                let status = StatusCode::from_u16(body.error.status());
                let status = status.unwrap_or(StatusCode::BAD_REQUEST);
                let mut headers = HeaderMap::new();
                if status == StatusCode::UNAUTHORIZED {
                    let word = serde_json::to_value(body.error).unwrap_or_default();
                    let scheme = format!("DPoP error={word}, algs=\"ES256\"");
                    if let Ok(value) = HeaderValue::from_str(&scheme) {
                        headers.insert(header::WWW_AUTHENTICATE, value);
                    }
                }
                if let Some(fresh) = fresh {
                    fresh.put(&mut headers);
                }
                (status, headers, Json(body)).into_response()
            }
            Self::Notification(error) => {
                (StatusCode::BAD_REQUEST, Json(NotificationErrorResponse { error })).into_response()
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

impl From<Problem> for HaipRefusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Refusal> for HaipRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Credential(body) => Self::Credential(body, None),
            Refusal::Problem(problem) => Self::Problem(problem),
            // The token endpoint of pre-authorized codes is another one.
            Refusal::Token(body) => Self::Problem(Problem::internal(format!("{body:?}"))),
        }
    }
}
