//! The method `bolt11`: an adapter for wallets that fund and redeem by Lightning's invoices alone. The mint issues
//! every invoice itself, and what one asks for moves in the ledger: no other network is spoken to. Off unless the
//! profile says so.

use super::describing::BANK;
use super::{Bank, Banks, Mint, MintRefusal, QUOTE_SECONDS};
use crate::bank::named;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use yufu_base::{AccountId, InstitutionId};
use yufu_ecash::message::{ErrorCode, MeltQuoteRequest};
use yufu_ecash::{Invoice, InvoiceError, InvoiceKey, NewInvoice, to_hex};
use yufu_keys::random;
use yufu_onboarding::{MeltQuote, MintQuote, TOP_UP};

/// The method's name.
pub(super) const BOLT11: &str = "bolt11";

/// How much an invoice is to be for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoiceQuery {
    /// In minor units.
    amount_minor: u64,
}

/// An invoice that is paid into an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AccountInvoice {
    /// To be given to whoever pays: `lnbcrt...`.
    pub invoice: String,
    /// Until when it can be paid, in seconds since the epoch.
    pub expires_at: u64,
}

/// Have an invoice made that is paid into an account with notes of its bank.
///
/// For wallets that know no other way to pay. Nothing is kept of it until it is paid. The bearer token is a JWS of
/// type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(get, path = "/banks/{bank}/v1/accounts/{account}/invoice", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id"), InvoiceQuery),
    security(("request" = [])),
    responses(
        (status = 200, body = AccountInvoice),
        (status = 400, description = "no amount of an invoice", body = ProblemBody),
        (status = 401, description = "not the account's key", body = ProblemBody),
        (status = 404, description = "no such account, or no invoices here", body = ProblemBody)))]
pub(crate) async fn invoice(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    Query(query): Query<InvoiceQuery>,
    headers: HeaderMap,
) -> Result<Json<AccountInvoice>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/invoice", bank.id);
    bank.authenticate(id, &headers, "GET", &path).await?;
    let invoices = bank.mint.as_ref().and_then(|mint| mint.invoices.as_ref());
    let key = invoices.ok_or_else(|| Problem::not_found("invoice here"))?;
    if query.amount_minor == 0 || i64::try_from(query.amount_minor).is_err() {
        return Err(Problem::malformed("an invoice is for 1 minor unit or more"));
    }
    let now = bank.now();
    let new = NewInvoice {
        amount: query.amount_minor,
        description: format!("yufu://{}/accounts/{id}", bank.id),
        distinct: random(),
        issued_at: now.seconds(),
        valid_seconds: QUOTE_SECONDS,
    };
    let invoice = key.issue(&new).map_err(Problem::malformed)?;
    let expires_at = now.plus_seconds(QUOTE_SECONDS).seconds();
    Ok(Json(AccountInvoice { invoice, expires_at }))
}

impl Mint {
    /// The ways of redeeming that there are: those of funding too.
    pub(super) fn methods(&self) -> Vec<String> {
        let adapter = self.invoices.as_ref().map(|_| BOLT11);
        [BANK].into_iter().chain(adapter).map(str::to_owned).collect()
    }

    /// The ways of funding that there are.
    pub(super) fn minting_methods(&self) -> Vec<String> {
        let mut methods = self.methods();
        methods.extend(self.top_ups.as_ref().map(|_| TOP_UP.to_owned()));
        methods
    }

    /// That notes are made for what is paid by a method.
    pub(super) fn must_mint(&self, method: &str) -> Result<(), MintRefusal> {
        one_of(&self.minting_methods(), method)
    }

    /// That notes are redeemed by a method.
    pub(super) fn must_melt(&self, method: &str) -> Result<(), MintRefusal> {
        one_of(&self.methods(), method)
    }

    fn invoices(&self) -> Result<&InvoiceKey, MintRefusal> {
        self.invoices.as_ref().ok_or_else(|| MintRefusal::internal("there are no invoices here"))
    }

    /// The invoice of a quote for a withdrawal: the same every time.
    pub(super) fn invoice_of(
        &self,
        bank: &InstitutionId,
        quote: &MintQuote,
    ) -> Result<String, MintRefusal> {
        let new = NewInvoice {
            amount: quote.amount,
            description: format!("yufu://{bank}/withdrawals/{}", quote.id),
            distinct: yufu_base::Digest::derive("yufu mint quote v1", quote.id.as_bytes()).0,
            issued_at: quote.expires.minus_seconds(QUOTE_SECONDS).seconds(),
            valid_seconds: QUOTE_SECONDS,
        };
        self.invoices()?.issue(&new).map_err(MintRefusal::internal)
    }

    /// Reads an invoice that is to be paid: the account it is paid into, and how much.
    pub(super) fn invoice_to_pay(
        &self,
        bank: &Bank,
        asked: &MeltQuoteRequest,
    ) -> Result<(AccountId, u64), MintRefusal> {
        let options = asked.options.unwrap_or_default();
        let invoice = self.invoices()?.read(&asked.request);
        let Invoice { amount, description, expires_at, .. } = invoice.map_err(refusal)?;
        let named = asked.amount.is_some_and(|named| named != amount);
        let thousandths = options.amountless.map(|open| open.amount_msat);
        if named || thousandths.is_some_and(|open| amount.checked_mul(1_000) != Some(open)) {
            let detail = format!("the invoice is for {amount}, and something else is to be paid");
            return Err(MintRefusal::new(ErrorCode::AmountMismatch, detail));
        }
        if expires_at <= bank.now().seconds() {
            let detail = "the invoice expired: ask the payee for a new one";
            return Err(MintRefusal::new(ErrorCode::PaymentFailed, detail));
        }
        let account = description.strip_prefix(&format!("yufu://{}/accounts/", bank.id));
        let account = account.and_then(|account| account.parse().ok()).ok_or_else(|| {
            let detail = "the invoice is for a withdrawal, which an account pays: have notes sent to you instead";
            MintRefusal::new(ErrorCode::PaymentFailed, detail)
        })?;
        Ok((account, amount))
    }

    /// Evidence that a quote's invoice was paid, in hexadecimal; nothing for another method.
    pub(super) fn preimage_of(&self, quote: &MeltQuote) -> Option<String> {
        let invoices = self.invoices.as_ref().filter(|_| quote.method == BOLT11)?;
        let invoice = invoices.read(&quote.request).ok()?;
        Some(to_hex(&invoice.preimage))
    }
}

fn one_of(methods: &[String], method: &str) -> Result<(), MintRefusal> {
    if methods.iter().any(|known| known == method) {
        return Ok(());
    }
    let detail = format!("there is no way {method:?} here: use {}", methods.join(" or "));
    Err(MintRefusal::other(StatusCode::BAD_REQUEST, detail))
}

/// A quote is asked about by the way it was made for.
pub(super) fn of_method(method: &str, quoted: &str) -> Result<(), MintRefusal> {
    if method == quoted { Ok(()) } else { Err(MintRefusal::no_quote()) }
}

fn refusal(error: InvoiceError) -> MintRefusal {
    let code = match error {
        InvoiceError::Amount => ErrorCode::AmountlessUnsupported,
        _ => ErrorCode::PaymentFailed,
    };
    MintRefusal::new(code, error.to_string())
}
