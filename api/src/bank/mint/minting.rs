//! Withdrawal: a quote, somebody's order that pays for it, and the notes (NUT-04, NUT-20, NUT-29). The
//! money leaves the account in the same command that promises the outputs.

use super::invoicing::{BOLT11, of_method};
use super::keysets::Book;
use super::{Bank, Banks, MOST, Mint, MintRefusal, QUOTE_SECONDS, checks, of};
use crate::http::{Parsed, Problem};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::sync::Arc;
use yufu_base::Digest;
use yufu_ecash::Point;
use yufu_ecash::message::{
    BatchCheckRequest, BatchMintRequest, BatchShapeError, BlindedMessage, ErrorCode,
    MintQuoteRequest, MintQuoteState, MintRequest, QuoteSignatureError, Signatures,
};
use yufu_keys::random_text;
use yufu_ledger::{AccountKind, institution_account};
use yufu_machine::{Action, Authorisation, Minting};
use yufu_onboarding::{Funding, MintQuote, OutboxEntry, TOP_UP};
use yufu_payment::SignedOrder;

type Told = yufu_ecash::message::MintQuote;

/// A request for a quote whose key is read apart, because a key that is none has a number of its own.
#[derive(Deserialize)]
pub(super) struct QuoteAsked {
    amount: Option<u64>,
    unit: String,
    description: Option<String>,
    pubkey: Option<String>,
}

impl QuoteAsked {
    fn read(self) -> Result<MintQuoteRequest, MintRefusal> {
        let Self { amount, unit, description, pubkey } = self;
        let key = |hex: String| {
            Point::from_hex(&hex).map_err(|error| {
                let detail = format!("the quote's key is none: {error}");
                MintRefusal::new(ErrorCode::QuoteKeyRequired, detail)
            })
        };
        let pubkey = pubkey.map(key).transpose()?;
        Ok(MintQuoteRequest { amount, unit, description, pubkey })
    }
}

/// Ask for a quote.
pub(super) async fn quote(
    State(banks): State<Arc<Banks>>,
    Path((bank, method)): Path<(String, String)>,
    headers: HeaderMap,
    request: Result<Parsed<QuoteAsked>, JsonRejection>,
) -> Result<Json<Told>, MintRefusal> {
    let Parsed(asked) = request?;
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_mint(&method)?;
    mint.must_count(&asked.unit)?;
    let request = asked.read()?;
    let book = bank.keysets_by_newest_rules(mint).await?;
    if !book.open {
        let detail = "no notes are made now: ask the bank when they will be";
        return Err(MintRefusal::new(ErrorCode::MintingDisabled, detail));
    }
    if method == TOP_UP {
        let quote = bank.top_up_quote(mint, &headers, request).await?;
        return Ok(Json(bank.told(mint, &quote)?));
    }
    let amount = request.amount.unwrap_or(0);
    let most = book.most.unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
    if amount == 0 || amount > most {
        let detail = format!("a withdrawal is 1 to {most} minor units");
        return Err(MintRefusal::new(ErrorCode::AmountOutsideLimits, detail));
    }
    let (id, now) = (random_text(), bank.now());
    let new = MintQuote {
        id,
        method,
        amount,
        pubkey: request.pubkey.map(|key| key.to_hex()),
        funding: None,
        command: None,
        expires: now.plus_seconds(QUOTE_SECONDS),
    };
    bank.records.put_mint_quote(&new, now).await?;
    Ok(Json(bank.told(mint, &new)?))
}

/// Where a quote stands.
pub(super) async fn state(
    State(banks): State<Arc<Banks>>,
    Path((bank, method, quote)): Path<(String, String, String)>,
) -> Result<Json<Told>, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_mint(&method)?;
    let known = bank.records.mint_quote(&quote).await?;
    of_method(&method, &known.method)?;
    Ok(Json(bank.told(mint, &known)?))
}

/// Where several quotes stand (NUT-29).
pub(super) async fn check(
    State(banks): State<Arc<Banks>>,
    Path((bank, method)): Path<(String, String)>,
    request: Result<Parsed<BatchCheckRequest>, JsonRejection>,
) -> Result<Json<Vec<Told>>, MintRefusal> {
    let Parsed(request) = request?;
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_mint(&method)?;
    request.check_shape(MOST).map_err(misshapen)?;
    let mut told = Vec::new();
    for known in bank.mint_quotes(&method, &request.quotes).await? {
        told.push(bank.told(mint, &known)?);
    }
    Ok(Json(told))
}

/// Have a quote's notes signed.
pub(super) async fn mint(
    State(banks): State<Arc<Banks>>,
    Path((bank, method)): Path<(String, String)>,
    request: Result<Parsed<MintRequest>, JsonRejection>,
) -> Result<Json<Signatures>, MintRefusal> {
    let Parsed(request) = request?;
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_mint(&method)?;
    let quote = bank.records.mint_quote(&request.quote).await?;
    of_method(&method, &quote.method)?;
    request.check_signature(key_of(&quote)?.as_ref()).map_err(unsigned)?;
    Ok(Json(bank.issue(mint, vec![quote], request.outputs).await?))
}

/// Have the notes of several quotes signed together, that one account pays for (NUT-29).
pub(super) async fn batch(
    State(banks): State<Arc<Banks>>,
    Path((bank, method)): Path<(String, String)>,
    request: Result<Parsed<BatchMintRequest>, JsonRejection>,
) -> Result<Json<Signatures>, MintRefusal> {
    let Parsed(request) = request?;
    let (bank, mint) = of(&banks, &bank)?;
    mint.must_mint(&method)?;
    request.check_shape(MOST).map_err(misshapen)?;
    let quotes = bank.mint_quotes(&method, &request.quotes).await?;
    let keys: Result<Vec<_>, _> = quotes.iter().map(key_of).collect();
    request.check_signatures(&keys?).map_err(unsigned)?;
    if let Some(amounts) = &request.quote_amounts {
        let said: Vec<u64> = quotes.iter().map(|quote| quote.amount).collect();
        if *amounts != said {
            let detail = "the amounts are not those of the quotes: each is issued whole";
            return Err(MintRefusal::new(ErrorCode::NotBalanced, detail));
        }
    }
    Ok(Json(bank.issue(mint, quotes, request.outputs).await?))
}

fn key_of(quote: &MintQuote) -> Result<Option<Point>, MintRefusal> {
    let read = |hex: &String| Point::from_hex(hex).map_err(MintRefusal::internal);
    quote.pubkey.as_ref().map(read).transpose()
}

fn unsigned(error: QuoteSignatureError) -> MintRefusal {
    MintRefusal::new(ErrorCode::QuoteSignatureInvalid, error.to_string())
}

/// A batch that is none. A list of another length than the quotes' leaves a quote without its signature, or without
/// its amount.
fn misshapen(error: BatchShapeError) -> MintRefusal {
    let detail = error.to_string();
    match error {
        BatchShapeError::TooMany(_) => MintRefusal::new(ErrorCode::BatchTooLarge, detail),
        BatchShapeError::Duplicate => MintRefusal::new(ErrorCode::DuplicateQuotes, detail),
        BatchShapeError::Lengths("signatures") => {
            MintRefusal::new(ErrorCode::QuoteSignatureInvalid, detail)
        }
        BatchShapeError::Lengths(_) => MintRefusal::new(ErrorCode::NotBalanced, detail),
        BatchShapeError::Empty => MintRefusal::other(StatusCode::BAD_REQUEST, detail),
    }
}

impl Mint {
    pub(super) fn must_count(&self, unit: &str) -> Result<(), MintRefusal> {
        if unit == self.unit {
            return Ok(());
        }
        let detail = format!("notes are counted in {:?} here, not in {unit:?}", self.unit);
        Err(MintRefusal::new(ErrorCode::UnitUnsupported, detail))
    }
}

impl Bank {
    async fn mint_quotes(
        &self,
        method: &str,
        ids: &[String],
    ) -> Result<Vec<MintQuote>, MintRefusal> {
        let mut quotes = Vec::new();
        for id in ids {
            let quote = self.records.mint_quote(id).await?;
            of_method(method, &quote.method)?;
            quotes.push(quote);
        }
        Ok(quotes)
    }

    /// A quote as wallets are told of it. Its request names what the paying account orders.
    pub(super) fn told(&self, mint: &Mint, quote: &MintQuote) -> Result<Told, MintRefusal> {
        let payee = institution_account(&self.id, AccountKind::BearerNotes);
        let (id, amount, currency) = (&quote.id, quote.amount, self.currency);
        let request = match quote.method.as_str() {
            BOLT11 => mint.invoice_of(&self.id, quote)?,
            TOP_UP => {
                format!("yufu://{}/top-ups/{id}?amount_minor={amount}&currency={currency}", self.id)
            }
            _ => format!(
                "yufu://{}/withdrawals/{id}?payee={payee}&amount_minor={amount}&currency={currency}",
                self.id
            ),
        };
        let issued = quote.command.as_ref().is_some_and(|command| command.outcome.is_some());
        let (state, paid) = match (&quote.funding, issued) {
            (_, true) => (MintQuoteState::Issued, quote.amount),
            (Some(_), false) => (MintQuoteState::Paid, quote.amount),
            (None, false) => (MintQuoteState::Unpaid, 0),
        };
        Ok(Told {
            quote: quote.id.clone(),
            request,
            method: Some(quote.method.clone()),
            amount: Some(quote.amount),
            unit: mint.unit.clone(),
            state: Some(state),
            amount_paid: Some(paid),
            amount_issued: Some(if issued { quote.amount } else { 0 }),
            updated_at: None,
            expiry: Some(quote.expires.seconds()),
            pubkey: key_of(quote)?,
        })
    }

    /// Moves the money behind the notes and promises them, in one command, once; and signs.
    async fn issue(
        &self,
        mint: &Mint,
        quotes: Vec<MintQuote>,
        messages: Vec<BlindedMessage>,
    ) -> Result<Signatures, MintRefusal> {
        let book = self.keysets(mint).await?;
        let asked = checks::sum(&messages)?;
        let amounts = quotes.iter().map(|quote| quote.amount);
        let worth = amounts.fold(0, u64::saturating_add);
        let funding = funding(&quotes)?;
        let known = quotes.iter().find_map(|quote| quote.command.as_ref());
        if let Some(known) = known {
            return self.issued_before(&book, known, &messages).await;
        }
        checks::even(worth, asked)?;
        let outputs = mint.outputs(&book, &messages, self.now())?;
        let order = commitment(&quotes)?;
        let (payer, authorisation) = (funding.account, Authorisation::Ordinary);
        let minting = Minting { payer, outputs, order, authorisation };
        let action = Action::MintNotes { minting: Box::new(minting) };
        let paid_in: Vec<MintQuote> =
            quotes.iter().filter(|quote| quote.method == TOP_UP).cloned().collect();
        let ids: Vec<String> = quotes.into_iter().map(|quote| quote.id).collect();
        let subject = format!("mint:{}", ids.join(","));
        let new = self.entry(self.fresh_command_id(), subject, action)?;
        let id = new.command;
        let taken = self.records.issue_mint_quotes(&ids, new, self.now()).await?;
        if taken.command != id {
            return self.issued_before(&book, &taken, &messages).await;
        }
        self.carry_out(id, ErrorCode::QuoteUnpaid).await?;
        mint.changed();
        for quote in &paid_in {
            self.close_holding(quote).await;
        }
        signed(&book, messages).await
    }

    /// A command issues these quotes already, or has done so: the same notes are signed once more.
    async fn issued_before(
        &self,
        book: &Arc<Book>,
        known: &OutboxEntry,
        messages: &[BlindedMessage],
    ) -> Result<Signatures, MintRefusal> {
        self.carry_out(known.command, ErrorCode::QuoteUnpaid).await?;
        let blinded = messages.iter().map(|message| message.blinded);
        let promised = self.ask_notes(std::iter::empty(), blinded).await?;
        if promised.promises(messages, |message| book.number_of(message)) {
            return signed(book, messages.to_vec()).await;
        }
        let detail = "the quote's notes were made: restore them, or ask for a new quote";
        Err(MintRefusal::new(ErrorCode::QuoteIssued, detail))
    }
}

/// Who pays for all of these quotes.
fn funding(quotes: &[MintQuote]) -> Result<&Funding, MintRefusal> {
    let unpaid = || {
        let detail = "the quote is not paid: have the account that pays order what it requests";
        MintRefusal::new(ErrorCode::QuoteUnpaid, detail)
    };
    let mut all = quotes.iter().map(|quote| quote.funding.as_ref().ok_or_else(unpaid));
    let first = all.next().ok_or_else(unpaid)??;
    for other in all {
        if other?.account != first.account {
            let detail = "these quotes are paid by several accounts: have each issued by itself";
            return Err(MintRefusal::other(StatusCode::BAD_REQUEST, detail));
        }
    }
    Ok(first)
}

/// What the ledger carries of the orders that pay: of one its own commitment, of several a digest of all.
fn commitment(quotes: &[MintQuote]) -> Result<Digest, MintRefusal> {
    let mut all = Vec::new();
    for quote in quotes {
        let Some(funding) = &quote.funding else { continue };
        if quote.method == TOP_UP {
            // Nobody signed: the quote stands for the cash.
            all.push(Digest::derive("yufu top-up v1", quote.id.as_bytes()));
            continue;
        }
        let order = SignedOrder::parse(&funding.signed).map_err(MintRefusal::internal)?;
        all.push(order.commitment());
    }
    Ok(match all.as_slice() {
        [one] => *one,
        several => {
            let bytes: Vec<u8> = several.iter().flat_map(|digest| digest.0).collect();
            Digest::derive("yufu orders for notes v1", &bytes)
        }
    })
}

pub(super) async fn signed(
    book: &Arc<Book>,
    messages: Vec<BlindedMessage>,
) -> Result<Signatures, MintRefusal> {
    let book = Arc::clone(book);
    let signing = tokio::task::spawn_blocking(move || checks::sign(&book, &messages));
    let signatures = signing.await.map_err(Problem::internal)??;
    Ok(Signatures { signatures })
}
