//! What opens hash locks of notes (NUT-14): whoever paid with such a note learns it by asking how the note stands
//! (NUT-07). It is kept before the ledger spends the note, so that no crash and no payee who breaks off hides it, and
//! told once the note is spent. A preimage that came too late, after the payer had the note back, is known as well
//! then: whoever shows one at all has shown it.

use super::keysets::Book;
use super::{Bank, Mint, MintRefusal, checks};
use crate::http::Problem;
use std::collections::BTreeMap;
use yufu_ecash::message::{Proof, SwapRequest};
use yufu_ecash::spend::{Transaction, Witness, shown_preimages};
use yufu_ecash::{Point, to_hex};
use yufu_onboarding::Opened;

impl Book {
    /// What opens own notes among these.
    pub(super) fn opened(&self, inputs: &[Proof]) -> Vec<Opened> {
        let of = |(place, preimage): (usize, [u8; 32])| {
            let proof = inputs.get(place)?;
            let over = self.get(proof.id)?.final_expiry;
            Some(Opened { point: proof.hashed().ok()?.to_bytes(), preimage, over })
        };
        shown_preimages(inputs).into_iter().filter_map(of).collect()
    }
}

impl Bank {
    /// Keeps what opens own notes of an exchange, if they may be spent for it: nobody fills the records with notes that
    /// are none. What may not be is refused a moment later, by its own name.
    pub(super) async fn keep_opened(
        &self,
        mint: &Mint,
        book: &Book,
        request: &SwapRequest,
    ) -> Result<(), MintRefusal> {
        let opened = book.opened(&request.inputs);
        if opened.is_empty() {
            Ok(())
        } else {
            Box::pin(self.keep(opened, mint, book, request)).await
        }
    }

    async fn keep(
        &self,
        opened: Vec<Opened>,
        mint: &Mint,
        book: &Book,
        request: &SwapRequest,
    ) -> Result<(), MintRefusal> {
        let transaction = Transaction { outputs: &request.outputs, quote: None };
        let Ok(notes) = mint.notes(book, (&request.inputs, None), transaction, self.now()) else {
            return Ok(());
        };
        let verifying = tokio::task::spawn_blocking(move || checks::verify(&[&notes]));
        if verifying.await.map_err(Problem::internal)??.is_empty() {
            self.records.keep_preimages(&opened).await?;
        }
        Ok(())
    }

    /// What opened these notes, which the ledger has spent: as witnesses that say the preimage alone, because
    /// signatures tell the payer nothing.
    pub(super) async fn witnesses(
        &self,
        spent: &[Point],
    ) -> Result<BTreeMap<[u8; 33], String>, MintRefusal> {
        let points: Vec<_> = spent.iter().map(|point| point.to_bytes()).collect();
        let known = self.records.preimages(&points).await?;
        let witness = |(point, preimage): ([u8; 33], [u8; 32])| {
            let preimage = Some(to_hex(&preimage));
            let witness = Witness { preimage, signatures: Vec::new() }.to_text();
            Ok((point, witness.map_err(MintRefusal::internal)?))
        };
        known.into_iter().map(witness).collect()
    }
}
