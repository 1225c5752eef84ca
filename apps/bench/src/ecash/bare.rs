//! The cryptography of a swap by itself: secrets hashed to points, signatures verified in one
//! equation over a batch, outputs signed with their proofs.

use crate::stopwatch::{Between, cpu_at_once, number};
use anyhow::{Result, ensure};
use std::hint::black_box;
use yufu_ecash::{
    KeysetPlan, KeysetSigner as _, MintKeys, Note, Point, SecretScalar, blind, hash_to_curve,
    unblind,
};
use yufu_keys::random;

/// Swaps verified together, as the server does when many wait.
const TOGETHER: usize = 64;

/// Processor time for a swap of `inputs` notes for as many, in microseconds: of each slice, `swaps` of them on each of
/// `cores` at once.
pub(super) fn swap(inputs: usize, swaps: usize, cores: usize) -> Result<Between<'static>> {
    let made = (0..cores).map(|_| Exchanges::make(inputs, swaps)).collect::<Result<Vec<_>>>()?;
    Ok(Between::new(move || {
        let seconds = cpu_at_once(&made, Exchanges::swap)?;
        Ok(seconds * 1e6 / number(swaps.saturating_mul(cores)))
    }))
}

struct Exchanges {
    mint: MintKeys,
    inputs: usize,
    /// Secrets with the signatures on them, and what is to be signed for them.
    notes: Vec<(String, Point, Point)>,
}

impl Exchanges {
    fn make(inputs: usize, swaps: usize) -> Result<Self> {
        let plan = KeysetPlan {
            unit: "xts".to_owned(),
            generation: 1,
            denominations: 20,
            input_fee_ppk: 0,
            final_expiry: None,
        };
        let mint = MintKeys::derive(&[3; 32], &plan)?;
        let key = mint.keyset().keys.get(&1).copied();
        let notes = swaps.saturating_mul(inputs);
        let mut made = Vec::with_capacity(notes);
        for place in 0..notes {
            let secret = format!("{place:064x}");
            let mut factor = [5; 32];
            for (byte, of) in factor.iter_mut().zip(place.to_be_bytes()) {
                *byte = of;
            }
            let factor = SecretScalar::from_bytes(&factor)?;
            let message = blind(secret.as_bytes(), &factor)?;
            let promise = mint.sign(1, &message)?;
            let Some(key) = key else { continue };
            made.push((secret, unblind(&promise.signature, &factor, &key)?, message));
        }
        Ok(Self { mint, inputs, notes: made })
    }

    fn swap(&self) -> Result<()> {
        for batch in self.notes.chunks(TOGETHER.saturating_mul(self.inputs)) {
            let mut claimed = Vec::with_capacity(batch.len());
            for (secret, signature, _) in batch {
                let hashed = hash_to_curve(secret.as_bytes())?;
                claimed.push(Note { amount: 1, hashed, signature: *signature });
            }
            let weights: Vec<u128> =
                claimed.iter().map(|_| u128::from_be_bytes(random()) | 1).collect();
            ensure!(self.mint.verify(&claimed, &weights)?.is_empty(), "a note is not signed");
            for (_, _, message) in batch {
                black_box(self.mint.sign(1, message)?);
            }
        }
        Ok(())
    }
}
