//! The cryptography of a swap by itself: secrets hashed to points, signatures verified in batches, outputs signed with
//! their proofs. Once as a server does it here, and once as any processor can.

use crate::stopwatch::{Between, cpu_at_once, number};
use anyhow::{Result, ensure};
use std::hint::black_box;
use yufu_ecash::{
    Claim, MintKey, Point, SecretScalar, blind, hash_all, hash_to_curve, unblind, verify_batch,
    verify_together,
};
use yufu_keys::random;

/// Swaps verified together, as the server does when many wait.
const TOGETHER: usize = 64;

/// How the cryptography is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As the server does it: eight beside each other where the processor can.
    Ours,
    /// By libsecp256k1 one after the other, verified in one equation for a batch: as on any processor.
    Portable,
}

/// Processor time for a swap of `inputs` notes for as many, in microseconds: of each slice, `swaps` of them on each of
/// `cores` at once.
pub(super) fn swap(
    way: Way,
    inputs: usize,
    swaps: usize,
    cores: usize,
) -> Result<Between<'static>> {
    let made = (0..cores).map(|_| Exchanges::make(inputs, swaps)).collect::<Result<Vec<_>>>()?;
    Ok(Between::new(move || {
        let seconds = cpu_at_once(&made, |exchanges| exchanges.swap(way))?;
        Ok(seconds * 1e6 / number(swaps.saturating_mul(cores)))
    }))
}

struct Exchanges {
    key: MintKey,
    inputs: usize,
    /// Secrets with the signatures on them, and what is to be signed for them.
    notes: Vec<(String, Point, Point)>,
}

impl Exchanges {
    fn make(inputs: usize, swaps: usize) -> Result<Self> {
        let key = MintKey::from_bytes(&[3; 32])?;
        let notes = swaps.saturating_mul(inputs);
        let mut blinded = Vec::with_capacity(notes);
        for place in 0..notes {
            let secret = format!("{place:064x}");
            let mut factor = [5; 32];
            for (byte, of) in factor.iter_mut().zip(place.to_be_bytes()) {
                *byte = of;
            }
            let factor = SecretScalar::from_bytes(&factor)?;
            let message = blind(secret.as_bytes(), &factor)?;
            blinded.push((secret, factor, message));
        }
        let messages: Vec<_> = blinded.iter().map(|(_, _, message)| (&key, *message)).collect();
        let promises = MintKey::sign_all(&messages)?;
        let mut made = Vec::with_capacity(notes);
        for ((secret, factor, message), promise) in blinded.into_iter().zip(promises) {
            made.push((secret, unblind(&promise.signature, &factor, &key.public())?, message));
        }
        Ok(Self { key, inputs, notes: made })
    }

    fn swap(&self, way: Way) -> Result<()> {
        for batch in self.notes.chunks(TOGETHER.saturating_mul(self.inputs)) {
            let secrets = batch.iter().map(|(secret, _, _)| secret.as_bytes());
            let hashed = match way {
                Way::Ours => hash_all(secrets)?,
                Way::Portable => secrets.map(hash_to_curve).collect::<Result<_, _>>()?,
            };
            let claims = batch.iter().zip(hashed).map(|((_, signature, _), hashed)| Claim {
                key: &self.key,
                hashed,
                signature: *signature,
            });
            let claims: Vec<_> = claims.collect();
            let weights: Vec<u128> =
                claims.iter().map(|_| u128::from_be_bytes(random()) | 1).collect();
            let bad = match way {
                Way::Ours => verify_batch(&claims, &weights)?,
                Way::Portable => verify_together(&claims, &weights)?,
            };
            ensure!(bad.is_empty(), "a note is not signed");
            match way {
                Way::Ours => {
                    let messages = batch.iter().map(|(_, _, message)| (&self.key, *message));
                    black_box(MintKey::sign_all(&messages.collect::<Vec<_>>())?);
                }
                Way::Portable => {
                    for (_, _, message) in batch {
                        black_box(self.key.sign(message)?);
                    }
                }
            }
        }
        Ok(())
    }
}
