//! The cryptography of a swap by itself: secrets hashed to points, signatures verified in one
//! equation over a batch, outputs signed with their proofs.

use crate::stopwatch::{Stopwatch, number};
use anyhow::{Result, ensure};
use std::hint::black_box;
use yufu_ecash::{
    KeysetPlan, KeysetSigner as _, MintKeys, Note, SecretScalar, blind, hash_to_curve, unblind,
};

/// Swaps verified together, as the server does when many wait.
const TOGETHER: usize = 64;

/// Processor time for a swap of `inputs` notes for as many, in microseconds, over `swaps` of them.
pub(super) fn swap_micros(inputs: usize, swaps: usize) -> Result<f64> {
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
    let watch = Stopwatch::start();
    for batch in made.chunks(TOGETHER.saturating_mul(inputs)) {
        let mut claimed = Vec::with_capacity(batch.len());
        for (secret, signature, _) in batch {
            let hashed = hash_to_curve(secret.as_bytes())?;
            claimed.push(Note { amount: 1, hashed, signature: *signature });
        }
        let weights: Vec<u128> = (1..).take(claimed.len()).map(|n: u128| n << 64 | 1).collect();
        ensure!(mint.verify(&claimed, &weights)?.is_empty(), "a note is not signed");
        for (_, _, message) in batch {
            black_box(mint.sign(1, message)?);
        }
    }
    Ok(watch.cpu_seconds() * 1e6 / number(swaps))
}
