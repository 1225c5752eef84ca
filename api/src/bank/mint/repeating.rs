//! What surrounds an exchange of notes. One that was done is answered as it was, whatever became of its keysets since
//! (NUT-19). And what it shows to open hash locks is kept ([`super::opening`]).

use super::keysets::Book;
use super::{Bank, Banks, Mint, MintRefusal, browsers, checks, exchanging, of};
use crate::http::{Direct, Parsed};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_ecash::message::{CompressedSwap, Proof, Signatures, SwapRequest};

/// Where notes are swapped.
const SWAP: &str = "/banks/{bank}/mint/v1/swap";
/// Swaps of so many inputs and outputs at most are worked out beside others: larger ones fill the processor's lanes by themselves.
const BESIDE: usize = 8;

/// Exchange notes for new ones (NUT-03).
pub(super) async fn swap(
    State(banks): State<Arc<Banks>>,
    Path(name): Path<String>,
    request: Result<Parsed<CompressedSwap>, JsonRejection>,
) -> Result<Json<Signatures>, MintRefusal> {
    let Parsed(swap) = request?;
    let (bank, mint) = of(&banks, &name)?;
    swapped(bank, mint, swap).await
}

/// The same before the router: most of what a mint does.
pub(super) fn direct(name: &str, bank: &Arc<Bank>) -> Direct {
    let bank = Arc::clone(bank);
    Direct::post(SWAP, SWAP.replace("{bank}", name), move |headers, body| {
        let bank = Arc::clone(&bank);
        async move {
            let answer = async {
                let Parsed(swap) = Parsed::of(headers, body).await?;
                let mint = bank.mint.as_ref().ok_or_else(MintRefusal::no_mint)?;
                swapped(&bank, mint, swap).await
            };
            browsers::readable(answer.await.into_response())
        }
    })
}

async fn swapped(
    bank: &Arc<Bank>,
    mint: &Mint,
    swap: CompressedSwap,
) -> Result<Json<Signatures>, MintRefusal> {
    let book = bank.keysets_with(mint, swap.spent()).await?;
    let moved_on = book.has_moved_on(&swap, bank.now());
    let own = swap.spent().next().is_some_and(|first| book.get(first).is_some());
    if own && !moved_on && swap.is_plain() && swap.points() <= BESIDE {
        return exchanging::swap_beside(bank, mint, &book, swap).await;
    }
    Box::pin(swapped_alone(bank, mint, &book, (swap, moved_on))).await
}

/// What may have been done before, shows what opens notes, brings notes of another bank, or is large.
async fn swapped_alone(
    bank: &Arc<Bank>,
    mint: &Mint,
    book: &Book,
    (swap, moved_on): (CompressedSwap, bool),
) -> Result<Json<Signatures>, MintRefusal> {
    let swap = swap.worked()?;
    if moved_on && let Some(done) = bank.done_before(book, &swap.request).await? {
        return Ok(Json(done));
    }
    bank.keep_opened(mint, book, &swap.request).await?;
    exchanging::swap(bank, mint, book, swap).await
}

/// Exchange notes of this bank for outputs of another one.
pub(super) async fn exchange(
    State(banks): State<Arc<Banks>>,
    Path(name): Path<String>,
    request: Result<Parsed<CompressedSwap>, JsonRejection>,
) -> Result<Json<Signatures>, MintRefusal> {
    let Parsed(swap) = request?;
    let (bank, mint) = of(&banks, &name)?;
    let book = bank.keysets_with(mint, swap.asked()).await?;
    let swap = swap.worked()?;
    bank.keep_opened(mint, &book, &swap.request).await?;
    exchanging::exchange(bank, mint, &book, swap).await
}

impl Book {
    /// Whether an exchange names keysets that do not sign, or redeem, any more: it can only have been done before.
    fn has_moved_on(&self, swap: &CompressedSwap, now: Timestamp) -> bool {
        let over = |id| self.get(id).is_some_and(|own| own.final_expiry <= now);
        let idle = |id| self.get(id).is_some_and(|own| !own.active || own.final_expiry <= now);
        swap.asked().any(idle) || swap.spent().any(over)
    }
}

impl Bank {
    /// The signatures of an exchange that the ledger has done: its outputs were promised as they are asked for now, and
    /// its notes are spent, as far as anybody knows of them still. They are no more than what a restore gives (NUT-09).
    async fn done_before(
        &self,
        book: &Book,
        request: &SwapRequest,
    ) -> Result<Option<Signatures>, MintRefusal> {
        checks::well_formed(&request.outputs)?;
        let now = self.now();
        let known = |proof: &&Proof| book.get(proof.id).is_some_and(|own| own.final_expiry > now);
        let hashed: Vec<_> =
            request.inputs.iter().filter(known).filter_map(|proof| proof.hashed().ok()).collect();
        if hashed.len() > super::MOST {
            return Ok(None);
        }
        let blinded = request.outputs.iter().map(|output| output.blinded);
        let known = self.ask_notes(hashed.into_iter(), blinded).await?;
        let promised = known.promises(&request.outputs, |output| book.number_of(output));
        if !promised || !known.spent.iter().all(|spent| *spent) {
            return Ok(None);
        }
        Ok(Some(Signatures { signatures: checks::sign(book, &request.outputs)? }))
    }
}
