//! Problem details (RFC 9457): every refusal over HTTP has this one shape.

use axum::Extension;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A refusal on its way out: status, a stable code, and what to do next.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    body: Box<ProblemBody>,
}

/// The body of a refusal, `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// `urn:yufu:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is wrong, in one sentence for people, in the language that `Accept-Language` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The code in words, stable across versions: `transfer.limit_exceeded.daily`.
    #[schema(example = "transfer.limit_exceeded.daily")]
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, what was expected, and what to do next: precise, and always in English.
    pub detail: String,
    /// What to do next, for people, in the language of `title`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What else is known, for example `limit`, `remaining` and `step_up`.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A problem on its way out, for whoever puts the words for people into it.
#[derive(Clone)]
pub(super) struct Unworded(pub(super) Box<ProblemBody>);

impl ProblemBody {
    /// The same without the words for people, which belong to one answer in one language.
    #[must_use]
    pub fn unworded(self) -> Self {
        Self { title: None, remedy: None, ..self }
    }
}

impl Problem {
    /// A refusal with `status`, a stable `code` and a `detail` that says what to do next.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl ToString) -> Self {
        let body = ProblemBody {
            kind: format!("urn:yufu:problem:{code}"),
            title: None,
            code: code.to_owned(),
            status: status.as_u16(),
            detail: detail.to_string(),
            remedy: None,
            more: Map::new(),
        };
        Self { status, body: Box::new(body) }
    }

    /// 400: the request cannot be understood.
    #[must_use]
    pub fn malformed(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request.malformed", detail)
    }

    /// 401: who asks is not known.
    #[must_use]
    pub fn unauthenticated(detail: impl ToString) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "request.unauthenticated", detail)
    }

    /// 403: who asks is known, and may not.
    #[must_use]
    pub fn forbidden(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: there is no such thing, or none that the asker may know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "request.not_found", format!("there is no such {what}"))
    }

    /// 409: it was done before, or is in another state.
    #[must_use]
    pub fn conflict(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: understood, and refused by a rule.
    #[must_use]
    pub fn refused(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 503: cannot be answered now; the same request may be sent again.
    #[must_use]
    pub fn unavailable(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    /// 500: our fault. The cause goes to the log, not to the asker.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        let detail = "an internal error was recorded; the request may be sent again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server.internal", detail)
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.body.more.insert(name.to_owned(), value);
        }
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.body.code
    }

    /// What is wrong, and what to do next.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.body.detail
    }

    /// The body, as it goes out.
    #[must_use]
    pub fn into_body(self) -> ProblemBody {
        *self.body
    }

    /// A member of the body beyond the standard ones.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.body.more.get(name)
    }

    /// What another institution answered, passed on as it came, but for the words for people.
    #[must_use]
    pub fn passed_on(body: ProblemBody) -> Self {
        let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::BAD_GATEWAY);
        Self { status, body: Box::new(body.unworded()) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = serde_json::to_vec(&self.body).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let wait = self.member("retry_after_seconds").and_then(Value::as_u64);
        let mut response =
            (self.status, kind, Extension(Unworded(self.body)), json).into_response();
        // RFC 9110, section 10.2.3: for clients that read no bodies.
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<axum::extract::rejection::JsonRejection> for Problem {
    fn from(rejection: axum::extract::rejection::JsonRejection) -> Self {
        let status = rejection.status();
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "request.too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "request.media_type",
            // 422 is kept for the rules' word.
            _ => return Self::malformed(rejection.body_text()),
        };
        Self::new(status, code, rejection.body_text())
    }
}
