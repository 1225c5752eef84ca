//! Many signatures verified at once: one equation with random weights, and the bad ones named.

use super::sums::{Term, sums};
use super::{MintKey, Point};
use std::collections::BTreeMap;

/// A signature to verify: made by `key` on the secret that hashes to `hashed`?
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The key.
    pub key: &'a MintKey,
    /// `Y`.
    pub hashed: Point,
    /// `C`.
    pub signature: Point,
}

/// Why a batch was not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Fewer weights than claims, or a weight of zero.
    #[error("a batch needs one random weight that is not zero for each note")]
    Weights,
}

/// From so many claims of a key on, taking part in one equation costs less than verifying each.
const WORTH: usize = 3;
/// What is verified in one equation: more does not fit into the processor's nearest memory.
const MOST: usize = 256;

type Weighed<'a> = (usize, Claim<'a>, u128);

/// Which claims, by position, do not hold. With weights w drawn after the claims were made, bad ones
/// pass with a probability of 2^-128 unless each key satisfies `sum(w C) = k sum(w Y)`: weights are
/// numbers of 128 bits in two halves, each pair another number modulo the order.
///
/// # Errors
/// [`BatchError`].
pub fn verify_batch(claims: &[Claim<'_>], weights: &[u128]) -> Result<Vec<usize>, BatchError> {
    if weights.len() < claims.len() || weights.iter().take(claims.len()).any(|weight| *weight == 0)
    {
        return Err(BatchError::Weights);
    }
    let mut by_key: BTreeMap<Point, Vec<Weighed<'_>>> = BTreeMap::new();
    for (index, (claim, weight)) in claims.iter().zip(weights).enumerate() {
        by_key.entry(claim.key.public()).or_default().push((index, *claim, *weight));
    }
    let (many, few): (Vec<_>, Vec<_>) =
        by_key.into_values().partition(|of_one| of_one.len() >= WORTH);
    let mut bad: Vec<usize> = few.iter().flat_map(|of_one| singly(of_one)).collect();
    let many: Vec<Weighed<'_>> = many.into_iter().flatten().collect();
    for chunk in many.chunks(MOST) {
        bad.extend(search(chunk));
    }
    bad.sort_unstable();
    Ok(bad)
}

fn singly(claims: &[Weighed<'_>]) -> Vec<usize> {
    let bad = |(_, claim, _): &&Weighed<'_>| !claim.key.verifies(&claim.hashed, &claim.signature);
    claims.iter().filter(bad).map(|(index, _, _)| *index).collect()
}

/// All at once; if that does not hold, each half.
fn search(claims: &[Weighed<'_>]) -> Vec<usize> {
    if claims.len() < 2 * WORTH {
        return singly(claims);
    }
    if hold(claims) {
        return Vec::new();
    }
    let (left, right) = claims.split_at(claims.len() / 2);
    let mut bad = search(left);
    bad.extend(search(right));
    bad
}

/// Whether the weighted sum of the signatures is that of the hashed secrets, each key's times the key.
/// Claims of one key stand together.
fn hold(claims: &[Weighed<'_>]) -> bool {
    let mut keys: Vec<&MintKey> = Vec::new();
    let mut terms = Vec::with_capacity(claims.len().saturating_mul(2));
    for (_, claim, weight) in claims {
        if keys.last().is_none_or(|key| key.public() != claim.key.public()) {
            keys.push(claim.key);
        }
        terms.push(Term { sum: 0, point: claim.signature, weight: *weight });
        terms.push(Term { sum: keys.len(), point: claim.hashed, weight: *weight });
    }
    let mut sums = sums(&terms, keys.len().saturating_add(1)).into_iter();
    let signatures = sums.next().flatten();
    let products =
        keys.iter().zip(sums).filter_map(|(key, sum)| sum.and_then(|point| key.times(&point)));
    let products: Vec<Point> = products.collect();
    let references: Vec<&secp256k1::PublicKey> = products.iter().map(|point| &point.0).collect();
    signatures == secp256k1::PublicKey::combine_keys(&references).ok().map(Point)
}
