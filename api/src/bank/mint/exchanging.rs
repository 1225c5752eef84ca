//! Swaps. One that was done before is answered as it was: its signatures follow from what the ledger promised, so nothing has to be
//! remembered of it.

use super::batching::{Asked, Prepared, Refused};
use super::keysets::Book;
use super::{Bank, Mint, MintRefusal, checks};
use axum::Json;
use std::sync::Arc;
use yufu_ecash::KeysetId;
use yufu_ecash::message::{BlindedMessage, CompressedSwap, HashedSwap, Signatures, SwapRequest};
use yufu_ecash::spend::Transaction;
use yufu_machine::{Output, Point};

/// Exchange notes for new ones (NUT-03).
pub(super) async fn swap(
    bank: &Arc<Bank>,
    mint: &Mint,
    book: &Book,
    swap: HashedSwap,
) -> Result<Json<Signatures>, MintRefusal> {
    let request = &swap.request;
    let foreign = request.inputs.first().filter(|first| book.get(first.id).is_none());
    if let Some(first) = foreign {
        bank.take_in(mint, book, request, first.id).await?;
        let signatures = checks::sign(book, &request.outputs)?;
        return Ok(Json(Signatures { signatures }));
    }
    let prepared = prepared(bank, mint, book, swap)?;
    done_or_before(bank, mint, book, Asked::Notes(Box::new(prepared))).await
}

/// The same for a swap of this mint's notes whose points are worked out with those of others.
pub(super) async fn swap_beside(
    bank: &Arc<Bank>,
    mint: &Mint,
    book: &Arc<Book>,
    swap: CompressedSwap,
) -> Result<Json<Signatures>, MintRefusal> {
    done_or_before(bank, mint, book, Asked::Swap(Arc::clone(book), swap)).await
}

async fn done_or_before(
    bank: &Arc<Bank>,
    mint: &Mint,
    book: &Book,
    asked: Asked,
) -> Result<Json<Signatures>, MintRefusal> {
    match bank.exchange_notes(mint, asked).await {
        Ok(done) => Ok(Json(done)),
        Err(Refused { refusal, asked: Some(asked) }) if refusal.may_be_a_repeat() => {
            // What seldom happens is on the heap: where it stands, every request has to carry it along.
            Box::pin(bank.as_before(book, &asked, refusal)).await.map(Json)
        }
        Err(Refused { refusal, .. }) => Err(refusal),
    }
}

/// Exchange notes of this bank for outputs of another one, which asks for a customer of its own. That one
/// signs once the ledger has done it; here nobody is told more than that it was done.
pub(super) async fn exchange(
    bank: &Arc<Bank>,
    mint: &Mint,
    book: &Book,
    HashedSwap { request, hashed }: HashedSwap,
) -> Result<Json<Signatures>, MintRefusal> {
    checks::well_formed(&request.outputs)?;
    let output = |message: &BlindedMessage| {
        let other = book.other(message.id).ok_or_else(|| checks::unknown(message.id))?;
        let blinded = Point(message.blinded.to_bytes());
        Ok(Output { keyset: other.number, amount: message.amount, blinded })
    };
    let outputs: Result<Vec<_>, MintRefusal> = request.outputs.iter().map(output).collect();
    let outputs = outputs?;
    let transaction = Transaction { outputs: &request.outputs, quote: None };
    let notes = mint.notes(book, (&request.inputs, Some(hashed)), transaction, bank.now())?;
    checks::even(notes.worth, checks::sum(&request.outputs)?)?;
    let asked = Asked::Notes(Box::new(Prepared { notes, outputs, messages: Vec::new() }));
    let done = bank.exchange_notes(mint, asked).await;
    done.map(Json).map_err(|refused| refused.refusal)
}

pub(super) fn prepared(
    bank: &Bank,
    mint: &Mint,
    book: &Book,
    HashedSwap { request, hashed }: HashedSwap,
) -> Result<Prepared, MintRefusal> {
    let outputs = mint.outputs(book, &request.outputs, bank.now())?;
    let transaction = Transaction { outputs: &request.outputs, quote: None };
    let notes = mint.notes(book, (&request.inputs, Some(hashed)), transaction, bank.now())?;
    checks::even(notes.worth, checks::sum(&request.outputs)?)?;
    Ok(Prepared { notes, outputs, messages: request.outputs })
}

impl Bank {
    /// Notes of another bank that a customer brings, of `keyset` there: exchanged for outputs that this one may sign then,
    /// as the ledger has promised them.
    async fn take_in(
        &self,
        mint: &Mint,
        book: &Book,
        request: &SwapRequest,
        keyset: KeysetId,
    ) -> Result<(), MintRefusal> {
        let other = book.other(keyset).ok_or_else(|| checks::unknown(keyset))?;
        let there = mint.others.iter().find(|(bank, _)| *bank == other.bank);
        let (_, address) = there.ok_or_else(|| checks::unknown(keyset))?;
        mint.outputs(book, &request.outputs, self.now())?;
        let url = format!("{address}/v1/exchange");
        let done = self.ask_mint(&url, request).await;
        // Whatever that bank says: what the ledger promised counts.
        if self.is_promised(book, &request.outputs).await? {
            return Ok(());
        }
        match done {
            Err(refusal) => Err(refusal),
            Ok(()) => Err(MintRefusal::internal("a bank said that it was done, and it is not")),
        }
    }

    /// Asks another bank's mint for an exchange; its refusal is passed on as it is.
    async fn ask_mint(&self, url: &str, request: &SwapRequest) -> Result<(), MintRefusal> {
        let body = serde_json::to_vec(request).map_err(MintRefusal::internal)?;
        let kind = [("content-type".to_owned(), "application/json".to_owned())];
        let (status, _, answer) = self.client.exchange("POST", url, &kind, body).await?;
        if status == 200 { Ok(()) } else { Err(MintRefusal::passed_on(status, &answer)) }
    }

    async fn is_promised(
        &self,
        book: &Book,
        outputs: &[BlindedMessage],
    ) -> Result<bool, MintRefusal> {
        let blinded = outputs.iter().map(|output| output.blinded);
        let known = self.ask_notes(std::iter::empty(), blinded).await?;
        Ok(known.promises(outputs, |output| book.number_of(output)))
    }

    /// What an exchange came to when it was done, if that was before: its notes are spent and its outputs promised
    /// already. Else it is refused.
    async fn as_before(
        &self,
        book: &Book,
        Prepared { notes, messages, .. }: &Prepared,
        refusal: MintRefusal,
    ) -> Result<Signatures, MintRefusal> {
        let blinded = messages.iter().map(|output| output.blinded);
        let known = self.ask_notes(notes.hashed.iter().copied(), blinded).await?;
        let promised = known.promises(messages, |output| book.number_of(output));
        if promised && known.spent.iter().all(|spent| *spent) {
            Ok(Signatures { signatures: checks::sign(book, messages)? })
        } else {
            Err(refusal)
        }
    }
}
