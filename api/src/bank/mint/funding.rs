//! An account pays for a withdrawal: its wallet signs a payment order to the account that backs the
//! bank's notes, and names the quote. The money leaves the account when the notes are made, and not before.

use super::{Bank, Banks, Mint};
use crate::bank::named;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_ledger::{AccountKind, institution_account};
use yufu_onboarding::{Funding, OnboardingError, TOP_UP};

/// An order that pays for a withdrawal into bearer notes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalRequest {
    /// A JWS of type `yufu-payment-order+jwt`: `payee` is the account that backs the bank's notes and
    /// `payee_name` the quote, both as the quote's request has them; for exactly the quote's amount.
    pub order: String,
}

/// What the order came to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalFunded {
    /// The quote that is paid for: its notes can be made.
    pub quote: String,
    /// How much, in minor units.
    pub amount_minor: u64,
}

/// Pay for a withdrawal.
///
/// Nothing moves yet: the money leaves the account in the command that makes the notes. Repeating the order changes
/// nothing.
#[utoipa::path(post, path = "/banks/{bank}/v1/withdrawals", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = WithdrawalRequest,
    responses(
        (status = 200, body = WithdrawalFunded),
        (status = 401, description = "not signed by the account's key, expired, or for another ledger", body = ProblemBody),
        (status = 404, description = "no such account or quote", body = ProblemBody),
        (status = 409, description = "another order pays for it, or the quote expired", body = ProblemBody),
        (status = 422, description = "the order is not for what the quote says, or the account holds less", body = ProblemBody)))]
pub(crate) async fn fund(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Json<WithdrawalRequest>, JsonRejection>,
) -> Result<Json<WithdrawalFunded>, Problem> {
    let bank = named(&banks, &bank)?;
    Ok(Json(bank.fund(&request?.order).await?))
}

impl Bank {
    async fn fund(&self, text: &str) -> Result<WithdrawalFunded, Problem> {
        let (order, _, key) = self.verified_order(text).await?;
        let quote = self.records.mint_quote(&order.payee_name).await?;
        let payee = institution_account(&self.id, AccountKind::BearerNotes);
        if quote.method == TOP_UP
            || order.payee != payee
            || order.amount != self.amount(quote.amount)
        {
            let detail = "the order is not for what the quote requests: sign one that is";
            return Err(Problem::refused("notes.order_differs", detail));
        }
        if quote.funding.is_none() && quote.expires <= self.now() {
            let detail = "the quote expired before it was paid for: ask for a new one";
            return Err(Problem::conflict("notes.quote_expired", detail));
        }
        // The ledger decides when the notes are made; an account that cannot pay is told at once.
        let wallet = self.wallet(order.payer).await?;
        if quote.funding.is_none() && wallet.available_minor < quote.amount {
            let detail = format!(
                "the account has {} and {} is to be withdrawn (minor units): withdraw less",
                wallet.available_minor, quote.amount
            );
            return Err(Problem::refused("transfer.insufficient_funds", detail)
                .with("available_minor", wallet.available_minor)
                .with("requested_minor", quote.amount));
        }
        let funding = Funding { account: order.payer, signed: text.to_owned() };
        match self.records.fund_mint_quote(&quote.id, &funding, &key).await {
            Err(OnboardingError::AlreadyAnswered) => {
                let detail = "another order pays for this quote: ask for a new quote";
                Err(Problem::conflict("notes.quote_paid", detail))
            }
            funded => {
                funded?;
                self.mint.iter().for_each(Mint::changed);
                Ok(WithdrawalFunded { quote: quote.id, amount_minor: quote.amount })
            }
        }
    }
}
