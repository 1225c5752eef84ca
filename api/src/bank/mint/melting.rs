//! Redemption: a quote that names the account to be paid, and the notes that pay it (NUT-05), with what
//! is too much given back as new notes (NUT-08). Notes, account and what is out change in one command.

use super::invoicing::{BOLT11, of_method};
use super::minting::signed;
use super::{Bank, Banks, MOST, Mint, MintRefusal, QUOTE_SECONDS, checks, of};
use crate::http::{Parsed, Problem};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::sync::Arc;
use yufu_base::{AccountId, Digest};
use yufu_ecash::message::{
    BlindSignature, BlindedMessage, ErrorCode, MeltQuoteRequest, MeltQuoteState, MeltRequest,
};
use yufu_ecash::spend::Transaction;
use yufu_keys::random_text;
use yufu_machine::{Action, Melting, Point, Submission};
use yufu_onboarding::{MeltQuote, OnboardingError, OutboxEntry};

type Told = yufu_ecash::message::MeltQuote;

/// Ask for a quote.
pub(super) async fn quote(
    State(banks): State<Arc<Banks>>,
    Path((bank, method)): Path<(String, String)>,
    request: Result<Parsed<MeltQuoteRequest>, JsonRejection>,
) -> Result<Json<Told>, MintRefusal> {
    let Parsed(request) = request?;
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_melt(&method)?;
    mint.must_count(&request.unit)?;
    if request.options.is_some_and(|options| options.mpp.is_some()) {
        let detail = "what is asked for is paid whole here: ask for a quote without parts (NUT-15)";
        return Err(MintRefusal::new(ErrorCode::PaymentFailed, detail));
    }
    let (payee, named) = if method == BOLT11 {
        let (payee, amount) = mint.invoice_to_pay(bank, &request)?;
        (payee, Some(amount))
    } else {
        read_request(&request.request)?
    };
    let amount = match (named, request.amount) {
        (Some(named), Some(amount)) if named != amount => {
            let detail = format!("the request is for {named}, and {amount} is to be paid");
            return Err(MintRefusal::new(ErrorCode::AmountMismatch, detail));
        }
        (named, amount) => named.or(amount).unwrap_or(0),
    };
    if amount == 0 || i64::try_from(amount).is_err() {
        let detail = "say how much is to be paid, in minor units";
        return Err(MintRefusal::new(ErrorCode::AmountOutsideLimits, detail));
    }
    let (id, now) = (random_text(), bank.now());
    let expires = now.plus_seconds(QUOTE_SECONDS);
    let request = request.request;
    let new = MeltQuote { id, method, request, amount, payee, command: None, expires };
    bank.records.put_melt_quote(&new, now).await?;
    Ok(Json(told(mint, &new, None)))
}

/// Where a quote stands.
pub(super) async fn state(
    State(banks): State<Arc<Banks>>,
    Path((bank, method, quote)): Path<(String, String, String)>,
) -> Result<Json<Told>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_melt(&method)?;
    let known = bank.records.melt_quote(&quote).await?;
    of_method(&method, &known.method)?;
    Ok(Json(bank.melted(mint, &known).await?))
}

/// Pay a quote with notes.
pub(super) async fn melt(
    State(banks): State<Arc<Banks>>,
    Path((bank, method)): Path<(String, String)>,
    request: Result<Parsed<MeltRequest>, JsonRejection>,
) -> Result<Json<Told>, MintRefusal> {
    let Parsed(request) = request?;
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_melt(&method)?;
    let quote = bank.records.melt_quote(&request.quote).await?;
    of_method(&method, &quote.method)?;
    Ok(Json(bank.redeem(mint, quote, request).await?))
}

/// The account that a request names, and how much if it says so: an account id, or
/// `yufu://{bank}/accounts/{account}?amount_minor={amount}`.
fn read_request(text: &str) -> Result<(AccountId, Option<u64>), MintRefusal> {
    let wrong = || {
        let detail = "the request is an account id, or yufu://BANK/accounts/ACCOUNT?amount_minor=N";
        MintRefusal::other(StatusCode::BAD_REQUEST, detail)
    };
    if let Ok(account) = text.parse() {
        return Ok((account, None));
    }
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let path = url.path().strip_prefix("/accounts/").filter(|_| url.scheme() == "yufu");
    let account = path.and_then(|path| path.parse().ok()).ok_or_else(wrong)?;
    let amount = url.query_pairs().find(|(name, _)| name == "amount_minor");
    let amount = amount.map(|(_, value)| value.parse().map_err(|_| wrong())).transpose()?;
    Ok((account, amount))
}

fn told(mint: &Mint, quote: &MeltQuote, change: Option<Vec<BlindSignature>>) -> Told {
    let state = match &quote.command {
        None => MeltQuoteState::Unpaid,
        Some(command) if command.outcome.is_some() => MeltQuoteState::Paid,
        Some(_) => MeltQuoteState::Pending,
    };
    Told {
        quote: quote.id.clone(),
        request: Some(quote.request.clone()),
        method: Some(quote.method.clone()),
        amount: quote.amount,
        unit: Some(mint.unit.clone()),
        fee_reserve: 0,
        state,
        expiry: quote.expires.seconds(),
        payment_preimage: mint.preimage_of(quote).filter(|_| state == MeltQuoteState::Paid),
        change,
    }
}

/// What a command in the outbox redeems.
fn melting(entry: &OutboxEntry) -> Result<Melting, MintRefusal> {
    let submission: Submission =
        borsh::from_slice(&entry.submission).map_err(MintRefusal::internal)?;
    match submission.order.action {
        Action::MeltNotes { melting } => Ok(*melting),
        _ => Err(MintRefusal::internal("a redemption's command redeems nothing")),
    }
}

impl Bank {
    /// A quote as it stands, with what was given back signed once more.
    pub(super) async fn melted(&self, mint: &Mint, quote: &MeltQuote) -> Result<Told, MintRefusal> {
        let Some(entry) = quote.command.as_ref().filter(|entry| entry.outcome.is_some()) else {
            return Ok(told(mint, quote, None));
        };
        let book = self.keysets(mint).await?;
        let mut messages = Vec::new();
        for output in melting(entry)?.change {
            // What was given back of a keyset that is over is worth nothing any more.
            let Some(own) = book.numbered(output.keyset) else { continue };
            let blinded = yufu_ecash::Point::from_bytes(&output.blinded.0);
            let blinded = blinded.map_err(MintRefusal::internal)?;
            let id = own.signer.keyset().id;
            messages.push(BlindedMessage { amount: output.amount, id, blinded });
        }
        let change = signed(&book, messages).await?.signatures;
        Ok(told(mint, quote, Some(change).filter(|change| !change.is_empty())))
    }

    async fn redeem(
        &self,
        mint: &Mint,
        quote: MeltQuote,
        request: MeltRequest,
    ) -> Result<Told, MintRefusal> {
        let book = self.keysets(mint).await?;
        let blank = request.outputs.unwrap_or_default();
        if let Some(known) = &quote.command {
            // Whatever became of its keysets since.
            let named = checks::named(&request.inputs)?;
            return self.redeemed_before(mint, &quote.id, known, (&named, &blank)).await;
        }
        let transaction = Transaction { outputs: &blank, quote: Some(&quote.id) };
        let notes = mint.notes(&book, (&request.inputs, None), transaction, self.now())?;
        if quote.expires <= self.now() {
            return Err(MintRefusal::new(ErrorCode::QuoteExpired, "ask for a new quote"));
        }
        let more = notes.worth.checked_sub(quote.amount).ok_or_else(|| {
            let detail =
                format!("{} is to be paid and the notes are worth {}", quote.amount, notes.worth);
            MintRefusal::new(ErrorCode::NotBalanced, detail)
        })?;
        let change = change(more, &blank)?;
        let change = match change.is_empty() {
            true => Vec::new(),
            false => mint.outputs(&book, &change, self.now())?,
        };
        let (notes, forged) = tokio::task::spawn_blocking(move || {
            let bad = checks::verify(&[&notes]);
            (notes, bad)
        })
        .await
        .map_err(Problem::internal)?;
        if !forged?.is_empty() {
            return Err(checks::forged());
        }
        self.records.keep_preimages(&book.opened(&request.inputs)).await?;
        let melting = Melting {
            inputs: notes.inputs.clone(),
            payee: quote.payee,
            change,
            quote: Digest::derive("yufu melt quote v1", quote.id.as_bytes()),
        };
        let action = Action::MeltNotes { melting: Box::new(melting) };
        let new = self.entry(self.fresh_command_id(), format!("melt:{}", quote.id), action)?;
        let id = new.command;
        let once = quote.method == BOLT11;
        let taken = match self.records.pay_melt_quote(&quote.id, new, (once, self.now())).await {
            Err(OnboardingError::AlreadyAnswered) => {
                let detail = "the invoice is paid by another quote: these notes are not spent";
                return Err(MintRefusal::new(ErrorCode::InvoicePaid, detail));
            }
            taken => taken?,
        };
        if taken.command != id {
            let named = checks::named(&request.inputs)?;
            return self.redeemed_before(mint, &quote.id, &taken, (&named, &blank)).await;
        }
        self.carry_out(id, ErrorCode::PaymentFailed).await?;
        mint.changed();
        let quote = self.records.melt_quote(&quote.id).await?;
        self.melted(mint, &quote).await
    }

    /// A command pays this quote already, or has paid it: with the same notes and outputs it is the same payment.
    async fn redeemed_before(
        &self,
        mint: &Mint,
        quote: &str,
        known: &OutboxEntry,
        (named, blank): (&[(u64, Point)], &[BlindedMessage]),
    ) -> Result<Told, MintRefusal> {
        self.carry_out(known.command, ErrorCode::PaymentFailed).await?;
        let melting = melting(known)?;
        let paid_with = melting.inputs.iter().map(|input| (input.amount, input.point));
        if !paid_with.eq(named.iter().copied()) {
            let detail = "the quote is paid with other notes: these are not spent";
            return Err(MintRefusal::new(ErrorCode::InvoicePaid, detail));
        }
        // Signatures on other outputs than those that were sent now would be taken for signatures on these.
        let mut sent = blank.iter().map(|blank| blank.blinded.to_bytes());
        let same = melting.change.iter().all(|output| sent.next() == Some(output.blinded.0));
        if !blank.is_empty() && !same {
            let detail = "the quote is paid, and what was too much is in the outputs sent first: restore those";
            return Err(MintRefusal::new(ErrorCode::InvoicePaid, detail));
        }
        let quote = self.records.melt_quote(quote).await?;
        self.melted(mint, &quote).await
    }
}

/// What is too much, as the first of the blank outputs that were sent for it: the greatest amounts first.
fn change(more: u64, blank: &[BlindedMessage]) -> Result<Vec<BlindedMessage>, MintRefusal> {
    if blank.len() > MOST {
        let detail = format!("at most {MOST} outputs at once");
        return Err(MintRefusal::new(ErrorCode::TooManyOutputs, detail));
    }
    let bits = (0..u64::BITS).rev().map(|bit| 1_u64 << bit).filter(|bit| more & bit != 0);
    let amounts: Vec<u64> = bits.collect();
    if amounts.len() > blank.len() {
        let detail = format!(
            "the notes are worth {more} too much: pay exactly, or send {} blank outputs for it",
            amounts.len()
        );
        return Err(MintRefusal::new(ErrorCode::NotBalanced, detail));
    }
    let filled = amounts.into_iter().zip(blank);
    Ok(filled.map(|(amount, blank)| BlindedMessage { amount, ..*blank }).collect())
}
