//! The answer of a wallet (OpenID4VP 1.0, section 8), and what the verifier says to it.

use crate::form;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use yufu_jose::{JsonError, parse_json};

/// The largest form that is read, in bytes.
const MAX_FORM: usize = 1 << 20;
/// The most credentials, and the most presentations for one query, that are read.
const MAX_PRESENTATIONS: usize = 16;

/// What is inside the encrypted answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationResponse {
    /// The presentations, by query id.
    pub vp_token: BTreeMap<String, Vec<String>>,
    /// The state of the request, repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// The form a wallet posts to the response URI.
#[derive(Clone, PartialEq, Eq)]
pub enum DirectPost {
    /// The answer, as a JWE.
    Response(String),
    /// A refusal.
    Error(AuthorizationErrorResponse),
}

/// A refusal by the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationErrorResponse {
    /// The code.
    pub error: AuthorizationErrorCode,
    /// For developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// The state of the request, repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// The codes of section 8.5 and RFC 6749, section 4.1.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationErrorCode {
    /// The request breaks a rule.
    InvalidRequest,
    /// The client's metadata are not usable.
    InvalidClient,
    /// The client may not ask this.
    UnauthorizedClient,
    /// The scope is unknown.
    InvalidScope,
    /// The holder declined, or does not have what is asked.
    AccessDenied,
    /// No format in common.
    VpFormatsNotSupported,
    /// Neither `get` nor `post`.
    InvalidRequestUriMethod,
    /// Transaction data that are not understood.
    InvalidTransactionData,
    /// There is no wallet to answer.
    WalletUnavailable,
}

/// What the verifier says to an answer: 200 with this document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectPostResponse {
    /// Where the wallet sends the person next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// The verifier's receipt, a JWS. A member of ours; others ignore it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// Why a form is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectPostError {
    /// Larger than 1 MiB.
    #[error("the answer is larger than {MAX_FORM} bytes")]
    TooLarge,
    /// A parameter came twice.
    #[error("the parameter {0} is repeated")]
    Repeated(&'static str),
    /// Neither an encrypted answer nor an error, or both.
    #[error("the answer must hold either response (a JWE) or error")]
    Parameters,
    /// The error code is not one of the specification.
    #[error("{0:?} is not an error code of OpenID4VP")]
    ErrorCode(String),
    /// The decrypted answer is not JSON of the right shape.
    #[error("the decrypted answer cannot be read: {0}")]
    Json(JsonError),
    /// Too many entries or presentations.
    #[error("the answer has more than {MAX_PRESENTATIONS} presentations in one place")]
    TooMany,
}

impl DirectPost {
    /// Reads the form; unknown parameters are ignored, as the specification asks.
    ///
    /// # Errors
    /// [`DirectPostError`], the first rule that is broken.
    pub fn from_form(body: &[u8]) -> Result<Self, DirectPostError> {
        if body.len() > MAX_FORM {
            return Err(DirectPostError::TooLarge);
        }
        let field = |name: &'static str| {
            let value = form::value(body, name).map_err(|_| DirectPostError::Repeated(name))?;
            Ok(value.map(Cow::into_owned))
        };
        match (field("response")?, field("error")?) {
            (Some(jwe), None) => Ok(Self::Response(jwe)),
            (None, Some(code)) => {
                let error = serde_json::from_value(code.clone().into())
                    .map_err(|_| DirectPostError::ErrorCode(code))?;
                let error_description = field("error_description")?;
                let state = field("state")?;
                Ok(Self::Error(AuthorizationErrorResponse { error, error_description, state }))
            }
            _ => Err(DirectPostError::Parameters),
        }
    }

    /// The fields of the form.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Response(jwe) => vec![("response", jwe.clone())],
            Self::Error(refusal) => {
                let code = serde_json::to_value(refusal.error).unwrap_or_default();
                let code = code.as_str().unwrap_or("invalid_request").to_owned();
                let mut fields = vec![("error", code)];
                fields.extend(refusal.error_description.clone().map(|d| ("error_description", d)));
                fields.extend(refusal.state.clone().map(|state| ("state", state)));
                fields
            }
        }
    }
}

impl AuthorizationResponse {
    /// Reads the decrypted answer.
    ///
    /// # Errors
    /// [`DirectPostError::Json`] and [`DirectPostError::TooMany`].
    pub fn from_json(plaintext: &[u8]) -> Result<Self, DirectPostError> {
        let response: Self = parse_json(plaintext).map_err(DirectPostError::Json)?;
        let entries = &response.vp_token;
        let largest = entries.values().map(Vec::len).max().unwrap_or(0).max(entries.len());
        if largest > MAX_PRESENTATIONS {
            return Err(DirectPostError::TooMany);
        }
        Ok(response)
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&String> = self.vp_token.keys().collect();
        write!(f, "AuthorizationResponse({ids:?})")
    }
}

impl fmt::Debug for DirectPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(jwe) => write!(f, "Response({} bytes)", jwe.len()),
            Self::Error(error) => fmt::Debug::fmt(error, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, HttpRequest};
    use proptest::prelude::*;

    #[test]
    fn each_rule_of_the_form_is_refused_by_its_own_name_8_2() {
        use DirectPostError as E;
        let error = |form: &str| DirectPost::from_form(form.as_bytes()).unwrap_err();
        assert_eq!(error(&"a".repeat(MAX_FORM + 1)), E::TooLarge);
        assert_eq!(error("response=a&response=b"), E::Repeated("response"));
        assert_eq!(error("vp_token=plain"), E::Parameters);
        assert_eq!(error("response=a&error=access_denied"), E::Parameters);
        assert_eq!(error("error=teapot"), E::ErrorCode("teapot".into()));
        let answer = |text: &str| AuthorizationResponse::from_json(text.as_bytes());
        assert!(matches!(answer(r#"{"vp_token": {"a": "b"}}"#), Err(E::Json(_))));
        assert!(matches!(answer(r#"{"vp_token": {"a": [], "a": []}}"#), Err(E::Json(_))));
        let many = format!(r#"{{"vp_token": {{"a": [{}]}}}}"#, ["\"x\""; 17].join(","));
        assert_eq!(answer(&many), Err(E::TooMany));
    }

    proptest! {
        #[test]
        fn a_refusal_survives_the_form(
            error_description in proptest::option::of(".{0,40}"),
            state in proptest::option::of(".{0,40}"),
        ) {
            let error = AuthorizationErrorCode::AccessDenied;
            let sent = DirectPost::Error(
                AuthorizationErrorResponse { error, error_description, state });
            let url = Endpoint::parse("https://v.example/r").unwrap();
            let fields = sent.fields();
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let form = HttpRequest::post_form(url, "application/json", &fields).body;
            prop_assert_eq!(DirectPost::from_form(&form).unwrap(), sent);
        }
    }
}
