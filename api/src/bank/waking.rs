//! Waking a dormant wallet from afar: its holder shows an identity; a purse without one is woken by a
//! code to the number it was opened with. The ledger gets a commitment to that.

use super::opening::commitment;
use super::presentation::{Answer, Purpose};
use super::{Bank, Banks, CodeAnswer, named};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, CommandId, Digest};
use yufu_keys::random_text;
use yufu_machine::Action;
use yufu_onboarding::{Account, OnboardingError, OutboxEntry};

/// A waking that waits for the holder.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Waking {
    /// Its id.
    pub waking: String,
    /// The presentation request, `openid4vp://...`, if the account is in a name; else a code was
    /// sent to the purse's telephone number.
    pub authorization_request: Option<String>,
}

/// Begin to wake a dormant wallet, as its holder.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(post, path = "/banks/{bank}/v1/accounts/{account}/wakings", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    security(("request" = [])),
    responses(
        (status = 201, body = Waking),
        (status = 401, description = "not the account's key", body = ProblemBody),
        (status = 404, body = ProblemBody),
        (status = 422, description = "the wallet does not rest, or nobody can be reached", body = ProblemBody),
        (status = 429, description = "too soon after the last code to this number", body = ProblemBody)))]
pub(super) async fn begin(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Waking>), Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/wakings", bank.id);
    let account = bank.authenticate(id, &headers, "POST", &path).await?;
    Ok((StatusCode::CREATED, Json(bank.begin_waking(&account).await?)))
}

/// Answer the code that was sent to wake a purse. The right one wakes it, once.
#[utoipa::path(post, path = "/banks/{bank}/v1/wakings/{waking}/code", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("waking" = String, Path, description = "the waking's id")),
    request_body = CodeAnswer,
    responses(
        (status = 200, body = CommandDone),
        (status = 404, body = ProblemBody),
        (status = 409, description = "answered before", body = ProblemBody),
        (status = 410, description = "expired, or replaced by a newer code", body = ProblemBody),
        (status = 422, description = "the wrong code, or the wallet does not rest", body = ProblemBody),
        (status = 429, description = "too soon after a wrong answer", body = ProblemBody)))]
pub(super) async fn answer(
    State(banks): State<Arc<Banks>>,
    Path((bank, waking)): Path<(String, String)>,
    request: Result<Json<CodeAnswer>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    Ok(Json(named(&banks, &bank)?.answer_waking(&waking, &request?.code).await?))
}

impl Bank {
    async fn begin_waking(&self, account: &Account) -> Result<Waking, Problem> {
        // Asked first: nobody shows an identity, or is sent a code, for nothing.
        if self.wallet(account.id).await?.standing != "dormant" {
            let detail = "the wallet does not rest: use it as it is";
            return Err(Problem::refused("account.not_dormant", detail));
        }
        if self.records.has_guardian(account.id).await? {
            return Err(OnboardingError::NoNumber.into());
        }
        if account.customer.is_some() {
            let subject = account.id.to_string();
            let (waking, link) = self.ask(Purpose::WakeAccount, subject, None).await?;
            return Ok(Waking { waking, authorization_request: Some(link) });
        }
        let (waking, code, now) = (random_text(), self.fresh_code(), self.now());
        let phone = self.records.send_waking_code(account.id, &waking, &code, now).await?;
        let text = format!("{code}: {}, wake", self.id);
        self.wallet_rules.codes.deliver(phone, &text, now).await?;
        Ok(Waking { waking, authorization_request: None })
    }

    /// A verified presentation of the holder's wakes the wallet.
    pub(super) async fn shown_to_wake(&self, answer: Answer) -> Result<(), Problem> {
        let id: AccountId = answer.verification.subject.parse().map_err(Problem::internal)?;
        let account = self.records.account(id).await?;
        self.must_be_shown_by_holder(&account, &answer).await?;
        let entry = self.waking_entry(id, commitment(&answer)?)?;
        let retained_until = answer.verified.receipt.retained_until.unwrap_or_else(|| self.now());
        let (shown, receipt) = (answer.verification.id, answer.receipt);
        let signer = (id, account.wallet_key.as_str());
        self.records.step_up(signer, &shown, &receipt, &entry, self.now(), retained_until).await?;
        self.submit(entry.command).await?;
        Ok(())
    }

    async fn answer_waking(&self, waking: &str, code: &str) -> Result<CommandDone, Problem> {
        let account = self.records.waking(waking).await?;
        let evidence = Digest::derive("yufu.waking-code.v1", waking.as_bytes());
        let entry = self.waking_entry(account, evidence)?;
        let id: CommandId =
            self.records.answer_waking_code(waking, code, &entry, self.now()).await?;
        self.submit(id).await
    }

    fn waking_entry(&self, account: AccountId, evidence: Digest) -> Result<OutboxEntry, Problem> {
        let action = Action::Reactivate { account, evidence };
        self.entry(self.fresh_command_id(), format!("desk:{account}"), action)
    }
}
