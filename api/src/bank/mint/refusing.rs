//! What a mint answers when it does not do something: the protocol's number and a text.

use crate::http::{ClientError, Problem};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::fmt;
use yufu_ecash::message::{ErrorBody, ErrorCode, NoSwap};
use yufu_onboarding::OnboardingError;

/// Why a mint did not do something. On the wire: `{"detail", "code"}` with the protocol's number, or 0
/// where it has none.
#[derive(Clone, Debug)]
pub(super) struct MintRefusal {
    status: StatusCode,
    body: ErrorBody,
}

impl MintRefusal {
    /// A refusal by a rule of the protocol.
    pub(super) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, body: ErrorBody::new(code, detail) }
    }

    /// A refusal that the protocol has no number for.
    pub(super) fn other(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, body: ErrorBody { detail: detail.into(), code: 0 } }
    }

    pub(super) fn no_mint() -> Self {
        Self::other(StatusCode::NOT_FOUND, "there is no mint here")
    }

    pub(super) fn no_quote() -> Self {
        Self::other(StatusCode::BAD_REQUEST, "there is no such quote here: ask for a new one")
    }

    pub(super) fn busy() -> Self {
        let detail = "too many exchanges wait: send it again in a moment";
        Self::other(StatusCode::TOO_MANY_REQUESTS, detail)
    }

    /// What another mint refused.
    pub(super) fn passed_on(status: u16, answer: &[u8]) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        match serde_json::from_slice(answer) {
            Ok(body) => Self { status, body },
            Err(_) => {
                Self::other(StatusCode::BAD_GATEWAY, "the notes' bank did not answer: try again")
            }
        }
    }

    pub(super) fn internal(cause: impl fmt::Display) -> Self {
        Problem::internal(cause).into()
    }

    /// A rule of the ledger that refused a command, by its code.
    pub(super) fn of_ledger(code: &str, detail: &str) -> Self {
        let known = match code {
            "notes.spent" => ErrorCode::ProofsSpent,
            "notes.promised" => ErrorCode::OutputsSigned,
            "notes.input_repeated" => ErrorCode::DuplicateInputs,
            "notes.output_repeated" => ErrorCode::DuplicateOutputs,
            "notes.uneven" => ErrorCode::NotBalanced,
            "notes.keyset_unknown" | "keyset.unknown" => ErrorCode::KeysetExpired,
            "notes.keyset_inactive" => ErrorCode::KeysetInactive,
            "notes.no_rules" => ErrorCode::MintingDisabled,
            "notes.too_many" => ErrorCode::TooManyInputs,
            "transfer.insufficient_funds" => ErrorCode::QuoteUnpaid,
            "notes.beyond_issued" => {
                tracing::error!(
                    "more notes came back than went out: a keyset's keys are in other hands; deactivate it and tell the central bank"
                );
                metrics::counter!("yufu_notes_beyond_issued_total").increment(1);
                ErrorCode::ProofInvalid
            }
            code if code.contains("limit_exceeded") || code == "notes.denomination" => {
                ErrorCode::AmountOutsideLimits
            }
            _ => return Self::other(StatusCode::BAD_REQUEST, format!("{code}: {detail}")),
        };
        Self::new(known, detail)
    }

    /// Why a step came to nothing; `code` where the ledger refused it by a rule that has no number of its own in the
    /// protocol: of the account that was to pay or to be paid.
    pub(super) fn of_step(problem: Problem, code: ErrorCode) -> Self {
        let by_a_rule = problem.status() == StatusCode::UNPROCESSABLE_ENTITY;
        match Self::from(problem) {
            refusal if by_a_rule && refusal.body.code == 0 => Self::new(code, refusal.body.detail),
            refusal => refusal,
        }
    }

    /// The protocol's number, or 0, and the text.
    pub(super) fn told(&self) -> (u32, &str) {
        (self.body.code, &self.body.detail)
    }

    /// Whether it says that notes were spent, or outputs promised, before.
    pub(super) fn may_be_a_repeat(&self) -> bool {
        let spent = [ErrorCode::ProofsSpent, ErrorCode::OutputsSigned];
        spent.iter().any(|code| self.body.code == code.number())
    }
}

impl From<Problem> for MintRefusal {
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            return Self::of_ledger(problem.code(), problem.detail());
        }
        Self::other(status, format!("{}: {}", problem.code(), problem.detail()))
    }
}

impl From<ClientError> for MintRefusal {
    fn from(error: ClientError) -> Self {
        Problem::from(error).into()
    }
}

impl From<OnboardingError> for MintRefusal {
    fn from(error: OnboardingError) -> Self {
        match error {
            OnboardingError::Unknown("quote") => Self::no_quote(),
            other => Problem::from(other).into(),
        }
    }
}

impl From<JsonRejection> for MintRefusal {
    fn from(rejection: JsonRejection) -> Self {
        let problem = Problem::from(rejection);
        Self::other(problem.status(), problem.detail())
    }
}

impl From<NoSwap> for MintRefusal {
    fn from(error: NoSwap) -> Self {
        Self::other(StatusCode::BAD_REQUEST, error.to_string())
    }
}

impl IntoResponse for MintRefusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
