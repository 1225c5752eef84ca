//! A purse without identity: for whoever answers the code sent to a telephone number, or brings a
//! token from a counter.

use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, CommandId};
use yufu_jose::Jwk;
use yufu_keys::{random, random_text};
use yufu_machine::{Action, ClassId};
use yufu_onboarding::{CodeOpening, OutboxEntry};

/// A wish for a purse without identity: with a telephone number, or with a token.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnonymousOpeningRequest {
    /// The wallet class wanted: one that needs no identity.
    #[schema(example = "pocket")]
    pub class: String,
    /// The key that is to give orders: a P-256 JWK.
    #[schema(value_type = Object)]
    pub wallet_key: Jwk,
    /// A telephone number as in E.164: `+`, country and number, 8 to 15 digits.
    #[schema(example = "+99912345678")]
    pub phone: Option<String>,
    /// A token from a counter of this bank, instead of a number.
    pub token: Option<String>,
}

/// Where the opening of a purse stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AnonymousOpening {
    /// Its id.
    pub opening: String,
    /// `code_sent`, or the account's state: `opening`, `open`, `refused`.
    pub state: String,
    /// The account, once there is one.
    pub account: Option<String>,
}

/// The answer to a code.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeAnswer {
    /// As many digits as the country's codes have.
    #[schema(example = "048213")]
    pub code: String,
}

/// Begin to open a purse without identity.
///
/// With a telephone number a code is sent to it; one number has at most as many purses as the
/// policy says (one), which is told only to whoever answers the code. With a token it opens at once.
#[utoipa::path(post, path = "/banks/{bank}/v1/anonymous-openings", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = AnonymousOpeningRequest,
    responses(
        (status = 201, body = AnonymousOpening),
        (status = 400, body = ProblemBody),
        (status = 403, description = "the wallet attestation is refused", body = ProblemBody),
        (status = 422, description = "the class needs an identity, or the token is not good", body = ProblemBody),
        (status = 429, description = "too soon after the last code to this number", body = ProblemBody)))]
pub(super) async fn open(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<AnonymousOpeningRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<AnonymousOpening>), Problem> {
    let bank = named(&banks, &bank)?;
    let Json(request) = request?;
    let provider = bank.comes_through(&headers, &request.wallet_key).await?;
    Ok((StatusCode::CREATED, Json(bank.start_anonymous(request, provider).await?)))
}

/// Answer the code that was sent. The right one opens the purse, once.
#[utoipa::path(post, path = "/banks/{bank}/v1/anonymous-openings/{opening}/code", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("opening" = String, Path, description = "the opening's id")),
    request_body = CodeAnswer,
    responses(
        (status = 200, body = AnonymousOpening),
        (status = 404, body = ProblemBody),
        (status = 409, description = "answered before", body = ProblemBody),
        (status = 410, description = "expired, or replaced by a newer code", body = ProblemBody),
        (status = 422, description = "the wrong code, or the number has a purse", body = ProblemBody),
        (status = 429, description = "too soon after a wrong answer", body = ProblemBody)))]
pub(super) async fn answer(
    State(banks): State<Arc<Banks>>,
    Path((bank, opening)): Path<(String, String)>,
    request: Result<Json<CodeAnswer>, JsonRejection>,
) -> Result<Json<AnonymousOpening>, Problem> {
    Ok(Json(named(&banks, &bank)?.answer_code(&opening, &request?.code).await?))
}

impl Bank {
    async fn start_anonymous(
        &self,
        request: AnonymousOpeningRequest,
        provider: Option<String>,
    ) -> Result<AnonymousOpening, Problem> {
        self.anonymous_at_most(&request.class)?;
        let new = CodeOpening {
            id: random_text(),
            class: request.class,
            wallet_key: serde_json::to_string(&request.wallet_key).map_err(Problem::internal)?,
            account: AccountId::new(u128::from_be_bytes(random())),
            provider,
        };
        match (request.phone, request.token) {
            (Some(phone), None) => self.send_code(new, &number(&phone)?).await,
            (None, Some(token)) => self.open_by_token(new, &token).await,
            _ => Err(Problem::malformed("give either a phone or a token")),
        }
    }

    async fn send_code(&self, new: CodeOpening, number: &str) -> Result<AnonymousOpening, Problem> {
        let now = self.now();
        self.records.forget_unanswered(now).await?;
        let code = self.fresh_code();
        let phone = self.records.send_code(&new, number, &code, now).await?;
        let text = format!("{code}: {}, {}", self.id, new.class);
        self.wallet_rules.codes.deliver(phone, &text, now).await?;
        Ok(AnonymousOpening { opening: new.id, state: "code_sent".to_owned(), account: None })
    }

    /// A code of as many digits as the country's have.
    fn fresh_code(&self) -> String {
        let digits = self.wallet_rules.code_digits;
        let codes = 10_u128.saturating_pow(u32::from(digits));
        let drawn = u128::from_be_bytes(random()).checked_rem(codes).unwrap_or(0);
        format!("{drawn:0>width$}", width = usize::from(digits))
    }

    async fn open_by_token(
        &self,
        new: CodeOpening,
        token: &str,
    ) -> Result<AnonymousOpening, Problem> {
        let entry = self.purse(&new)?;
        self.records.use_token(token, &new, &entry, self.now()).await?;
        self.opened_purse(new, entry.command).await
    }

    async fn answer_code(&self, opening: &str, code: &str) -> Result<AnonymousOpening, Problem> {
        let new = self.records.code_opening(opening).await?;
        let at_most = self.anonymous_at_most(&new.class)?;
        let entry = self.purse(&new)?;
        let command = self.records.answer_code(opening, code, at_most, &entry, self.now()).await?;
        self.opened_purse(new, command).await
    }

    async fn opened_purse(
        &self,
        new: CodeOpening,
        command: CommandId,
    ) -> Result<AnonymousOpening, Problem> {
        self.submit(command).await?;
        let state = self.records.account(new.account).await?.state.as_str().to_owned();
        Ok(AnonymousOpening { opening: new.id, state, account: Some(new.account.to_string()) })
    }

    /// The command that opens a purse.
    fn purse(&self, new: &CodeOpening) -> Result<OutboxEntry, Problem> {
        let class = ClassId::new(&new.class).map_err(Problem::internal)?;
        let action = Action::OpenWallet { account: new.account, class };
        self.entry(self.fresh_command_id(), format!("account:{}", new.account), action)
    }

    /// How many purses of a class one number may have, if the class needs no identity.
    pub(super) fn anonymous_at_most(&self, class: &str) -> Result<u32, Problem> {
        let classes = &self.wallet_rules.anonymous;
        classes.get(class).copied().ok_or_else(|| {
            let names: Vec<&str> = classes.keys().map(String::as_str).collect();
            let detail = format!(
                "class {class:?} is not opened without identity here: choose one of {}, or show an identity",
                names.join(", ")
            );
            Problem::refused("account.class_needs_identity", detail)
        })
    }
}

/// A telephone number in one form: spaces and hyphens left out.
fn number(text: &str) -> Result<String, Problem> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = plain.strip_prefix('+').unwrap_or_default();
    let e164 = (8..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    if e164 {
        Ok(plain)
    } else {
        Err(Problem::malformed(
            "phone is to be +, country and number, 8 to 15 digits: +99912345678",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form() {
        assert_eq!(number("+999 123-4567-8").unwrap(), "+99912345678");
        for bad in
            ["", "+", "99912345678", "+0912345678", "+123456a8", "+1234567", "+1234567890123456"]
        {
            assert_eq!(number(bad).unwrap_err().code(), "request.malformed", "{bad}");
        }
    }
}
