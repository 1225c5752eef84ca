//! Whether notes were spent, and what opened them (NUT-07), and signatures that were promised before, once more (NUT-09): both
//! from what the ledger has, so that neither a crash nor a lost answer costs anybody a note.

use super::{Bank, Banks, MOST_ASKED, MintRefusal, checks, of};
use crate::http::Parsed;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use std::sync::Arc;
use yufu_ecash::Point;
use yufu_ecash::message::{
    BlindedMessage, CheckStateRequest, CheckStateResponse, ErrorCode, NoteState, NoteStatus,
    RestoreRequest, RestoreResponse,
};
use yufu_machine::KeysetNumber;

pub(super) async fn check(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Parsed<CheckStateRequest>, JsonRejection>,
) -> Result<Json<CheckStateResponse>, MintRefusal> {
    let Parsed(CheckStateRequest { hashed }) = request?;
    let (bank, _) = of(&banks, &bank)?;
    if hashed.len() > MOST_ASKED {
        let detail = format!("ask for at most {MOST_ASKED} notes at once");
        return Err(MintRefusal::new(ErrorCode::TooManyInputs, detail));
    }
    Ok(Json(CheckStateResponse { states: bank.note_states(hashed).await? }))
}

impl Bank {
    /// Whether notes with these points were spent, and what opened those that a hash locked.
    pub(super) async fn note_states(
        &self,
        hashed: Vec<Point>,
    ) -> Result<Vec<NoteStatus>, MintRefusal> {
        let known = self.ask_notes(hashed.iter().copied(), std::iter::empty()).await?;
        let spent = hashed.iter().zip(&known.spent).filter(|(_, spent)| **spent);
        let spent: Vec<Point> = spent.map(|(hashed, _)| *hashed).collect();
        let witnesses = self.witnesses(&spent).await?;
        let state = |spent| if spent { NoteState::Spent } else { NoteState::Unspent };
        let states = hashed.into_iter().zip(known.spent);
        let status = |(hashed, spent): (Point, bool)| {
            let witness = witnesses.get(&hashed.to_bytes()).cloned();
            NoteStatus { hashed, state: state(spent), witness }
        };
        Ok(states.map(status).collect())
    }
}

pub(super) async fn restore(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Parsed<RestoreRequest>, JsonRejection>,
) -> Result<Json<RestoreResponse>, MintRefusal> {
    let Parsed(RestoreRequest { outputs }) = request?;
    let (bank, mint) = of(&banks, &bank)?;
    if outputs.len() > MOST_ASKED {
        let detail = format!("ask for at most {MOST_ASKED} outputs at once");
        return Err(MintRefusal::new(ErrorCode::TooManyOutputs, detail));
    }
    let book = bank.keysets(mint).await?;
    let blinded = outputs.iter().map(|output| output.blinded);
    let known = bank.ask_notes(std::iter::empty(), blinded).await?;
    let mut promised = Vec::new();
    for (output, promises) in outputs.iter().zip(&known.promised) {
        for promise in promises {
            let Some(own) = book.numbered(KeysetNumber(promise.keyset)) else { continue };
            let id = own.signer.keyset().id;
            promised.push(BlindedMessage { amount: promise.amount, id, ..*output });
        }
    }
    let signing = tokio::task::spawn_blocking(move || {
        let signatures = checks::sign(&book, &promised)?;
        Ok(RestoreResponse { outputs: promised, signatures })
    });
    signing.await.map_err(MintRefusal::internal)?.map(Json)
}
