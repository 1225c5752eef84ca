//! Anonymous top-ups: somebody with a blind token asks for a quote, pays it with cash at a counter, and takes the
//! notes. The token is used only if that comes to something.

use super::{Bank, Banks, Mint, MintRefusal, QUOTE_SECONDS};
use crate::bank::named;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, Digest};
use yufu_ecash::message::{ErrorCode, MintQuoteRequest};
use yufu_keys::random_text;
use yufu_machine::{Action, ClassId, Direction};
use yufu_onboarding::{MintQuote, OnboardingError, PaidIn, TOP_UP, UsedToken};

/// Cash that somebody pays in at a counter.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    /// The quote, as the wallet shows it.
    pub quote: String,
    /// How much was counted, in minor units: exactly what the quote is for.
    pub amount_minor: u64,
}

/// Cash that is paid in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TopUpPaid {
    /// The quote: its notes can be made.
    pub quote: String,
    /// How much, in minor units.
    pub amount_minor: u64,
}

/// Take cash for somebody's quote. The desk learns no name; what was paid in lies in an account of its own until the
/// wallet takes the notes. Again is harmless.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/top-ups", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = TopUp,
    security(("operator" = [])),
    responses((status = 200, body = TopUpPaid), (status = 401, body = ProblemBody), (status = 404, description = "no such quote, or none that cash pays", body = ProblemBody), (status = 409, description = "the quote expired", body = ProblemBody), (status = 422, description = "another amount, or refused by a rule of the ledger", body = ProblemBody)))]
pub(crate) async fn pay_in(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<TopUp>, JsonRejection>,
) -> Result<Json<TopUpPaid>, Problem> {
    let bank = named(&banks, &bank)?;
    let operator = bank.operator.authenticate(&headers)?;
    let Json(request) = request?;
    Ok(Json(bank.pay_in(request, operator.name).await?))
}

impl Bank {
    /// A quote that cash is to pay, for whoever has a token.
    pub(super) async fn top_up_quote(
        &self,
        mint: &Mint,
        headers: &HeaderMap,
        request: MintQuoteRequest,
    ) -> Result<MintQuote, MintRefusal> {
        let (terms, now) = (mint.top_ups()?, self.now());
        let token = mint.admit(headers, now)?;
        let amount = request.amount.unwrap_or(0);
        if amount == 0 || amount > terms.most {
            let detail = format!("a token is good for 1 to {} minor units", terms.most);
            return Err(MintRefusal::new(ErrorCode::AmountOutsideLimits, detail));
        }
        let new = MintQuote {
            id: random_text(),
            method: TOP_UP.to_owned(),
            amount,
            pubkey: request.pubkey.map(|key| key.to_hex()),
            funding: None,
            command: None,
            expires: now.plus_seconds(QUOTE_SECONDS),
        };
        let used = UsedToken { point: &token.point.to_bytes(), epoch: token.epoch };
        match self.records.put_top_up(new, used, now).await {
            Err(OnboardingError::AlreadyAnswered) => {
                let detail = "the token is used: send another one";
                Err(MintRefusal::new(ErrorCode::BlindAuthFailed, detail))
            }
            kept => Ok(kept?),
        }
    }

    async fn pay_in(&self, request: TopUp, officer: String) -> Result<TopUpPaid, Problem> {
        let terms = self.mint.as_ref().and_then(|mint| mint.top_ups.as_ref());
        let terms = terms.ok_or_else(|| Problem::not_found("anonymous top-up here"))?;
        let quote = self.records.mint_quote(&request.quote).await?;
        if quote.method != TOP_UP {
            return Err(Problem::not_found("quote that cash pays"));
        }
        if quote.amount != request.amount_minor {
            let detail = format!(
                "the quote is for {} and {} was counted (minor units): take exactly that",
                quote.amount, request.amount_minor
            );
            return Err(Problem::refused("top_up.amount", detail));
        }
        let paid = TopUpPaid { quote: quote.id.clone(), amount_minor: quote.amount };
        if quote.funding.is_some() {
            return Ok(paid);
        }
        if quote.expires <= self.now() {
            let detail = "the quote expired before it was paid: give the cash back, the wallet asks for a new one";
            return Err(Problem::conflict("notes.quote_expired", detail));
        }
        let account = holding(&quote.id);
        let class = ClassId::new(&terms.class).map_err(Problem::internal)?;
        match self.order(Action::OpenWallet { account, class }).await {
            Err(problem) if problem.code() == "account.exists" => {}
            opened => drop(opened?),
        }
        let direction = Direction::PaperToDigital(account);
        let action = Action::Exchange { direction, amount: self.amount(quote.amount) };
        let subject = format!("top-up:{}", quote.id);
        let entry = self.entry(self.fresh_command_id(), subject, action)?;
        let paid_in = PaidIn { quote: quote.id, account, officer };
        let kept = self.records.pay_in(&paid_in, entry, self.now()).await?;
        self.submit(kept.command).await?;
        self.mint.iter().for_each(Mint::changed);
        Ok(paid)
    }

    /// Closes the account of a quote whose notes are made. It is empty: if it stays open, nobody is harmed.
    pub(super) async fn close_holding(&self, quote: &MintQuote) {
        let account = holding(&quote.id);
        if let Err(problem) = self.order(Action::CloseWallet { account }).await {
            tracing::debug!(code = problem.code(), "the account of a top-up stays open");
        }
    }
}

/// The account that holds what was paid in for a quote: it follows from the quote, so that a repeat finds it.
fn holding(quote: &str) -> AccountId {
    let digest = Digest::derive("yufu top-up account v1", quote.as_bytes());
    let mut bits = 0_u128;
    for byte in digest.0.iter().take(16) {
        bits = (bits << 8) | u128::from(*byte);
    }
    AccountId::new(bits)
}
