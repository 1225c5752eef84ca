//! Many signatures verified at once, and the bad ones named: eight beside each other where the processor can, else in one
//! equation with random weights.

use super::sums::{Term, sums};
use super::{MintKey, Point, lanes};
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
/// From so many claims altogether on.
const LEAST: usize = 6;
/// What is verified in one equation: more does not fit into the processor's nearest memory.
const MOST: usize = 256;

type Weighed<'a> = (usize, Claim<'a>, u128);

/// Which claims, by position, do not hold: each looked at by itself, eight beside each other, where the processor can; else as
/// [`verify_together`] does.
///
/// # Errors
/// [`BatchError`].
pub fn verify_batch(claims: &[Claim<'_>], weights: &[u128]) -> Result<Vec<usize>, BatchError> {
    check(claims, weights)?;
    Ok(beside(claims).unwrap_or_else(|| together(claims, weights)))
}

/// Which claims, by position, do not hold, in few equations, on any processor. With weights w drawn after the claims were made, bad ones
/// pass with a probability of 2^-128 unless each key satisfies `sum(w C) = k sum(w Y)`: weights are
/// numbers of 128 bits in two halves, each pair another number modulo the order.
///
/// # Errors
/// [`BatchError`].
pub fn verify_together(claims: &[Claim<'_>], weights: &[u128]) -> Result<Vec<usize>, BatchError> {
    check(claims, weights)?;
    Ok(together(claims, weights))
}

fn check(claims: &[Claim<'_>], weights: &[u128]) -> Result<(), BatchError> {
    let mut weights = weights.iter().take(claims.len());
    if weights.len() < claims.len() || weights.any(|weight| *weight == 0) {
        return Err(BatchError::Weights);
    }
    Ok(())
}

/// Each by itself, eight beside each other; `None` if that is not quicker, or if this processor cannot.
fn beside(claims: &[Claim<'_>]) -> Option<Vec<usize>> {
    if claims.len() < lanes::WORTH {
        return None;
    }
    let tasks =
        claims.iter().map(|claim| (claim.key.task(&claim.hashed), claim.signature.coordinates()));
    let signed = lanes::verify(&tasks.collect::<Vec<_>>())?;
    let unsure = signed.iter().zip(claims).zip(0..).filter(|((signed, _), _)| !**signed);
    let bad = unsure.filter(|((_, claim), _)| !claim.key.verifies(&claim.hashed, &claim.signature));
    Some(bad.map(|(_, place)| place).collect())
}

fn together(claims: &[Claim<'_>], weights: &[u128]) -> Vec<usize> {
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
    bad
}

fn singly(claims: &[Weighed<'_>]) -> Vec<usize> {
    let bad = |(_, claim, _): &&Weighed<'_>| !claim.key.verifies(&claim.hashed, &claim.signature);
    claims.iter().filter(bad).map(|(index, _, _)| *index).collect()
}

/// All at once; if that does not hold, each: what a bad note costs is then bounded by half again.
fn search(claims: &[Weighed<'_>]) -> Vec<usize> {
    if claims.len() >= LEAST && hold(claims) { Vec::new() } else { singly(claims) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::hash_to_curve;
    use proptest::prelude::*;

    fn keys() -> Vec<MintKey> {
        (1..=4).map(|n| MintKey::from_bytes(&[n; 32]).unwrap()).collect()
    }

    fn weights(count: usize) -> Vec<u128> {
        (1..=count as u128)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) | 1)
            .collect()
    }

    fn claim(key: &MintKey, n: usize) -> Claim<'_> {
        let hashed = hash_to_curve(&n.to_be_bytes()).unwrap();
        Claim { key, hashed, signature: key.times(&hashed).unwrap() }
    }

    #[test]
    fn a_weight_too_few_or_zero_is_refused() {
        let keys = keys();
        let claims = [claim(&keys[0], 1), claim(&keys[0], 2)];
        assert_eq!(verify_batch(&claims, &[1]), Err(BatchError::Weights));
        assert_eq!(verify_batch(&claims, &[1, 0]), Err(BatchError::Weights));
        assert_eq!(verify_batch(&claims, &[1, 1, 0]), Ok(vec![]));
        assert_eq!(verify_batch(&[], &[]), Ok(vec![]));
    }

    #[test]
    fn errors_that_cancel_without_weights_are_found_with_them() {
        let keys = keys();
        let mut claims: Vec<Claim<'_>> = (0..8).map(|n| claim(&keys[0], n)).collect();
        let d = hash_to_curve(b"difference").unwrap();
        let plus = |a: Point, b: secp256k1::PublicKey| Point(a.0.combine(&b).unwrap());
        claims[2].signature = plus(claims[2].signature, d.0);
        claims[5].signature = plus(claims[5].signature, d.0.negate(secp256k1::SECP256K1));
        assert_eq!(together(&claims, &[1; 8]), Vec::<usize>::new(), "weights must not be known");
        assert_eq!(together(&claims, &weights(8)), vec![2, 5]);
        assert_eq!(verify_batch(&claims, &weights(8)), Ok(vec![2, 5]));
    }

    #[test]
    fn the_same_claim_many_times_is_verified_rightly() {
        let keys = keys();
        let mut claims = vec![claim(&keys[0], 1); 20];
        assert_eq!(verify_batch(&claims, &[u128::MAX; 20]), Ok(vec![]));
        assert_eq!(together(&claims, &[u128::MAX; 20]), Vec::<usize>::new());
        claims[19].signature = claims[19].hashed;
        assert_eq!(verify_batch(&claims, &[u128::MAX; 20]), Ok(vec![19]));
        assert_eq!(together(&claims, &[u128::MAX; 20]), vec![19]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn exactly_the_bad_ones_are_named(
            of_keys in prop::collection::vec(0_usize..4, 0..40),
            bad in prop::collection::btree_set(0_usize..40, 0..4),
        ) {
            let keys = keys();
            let mut claims: Vec<Claim<'_>> =
                of_keys.iter().enumerate().map(|(n, key)| claim(&keys[*key], n)).collect();
            let bad: Vec<usize> = bad.into_iter().filter(|index| *index < claims.len()).collect();
            for (step, index) in bad.iter().enumerate() {
                claims[*index] = match step % 3 {
                    0 => Claim { signature: claims[*index].hashed, ..claims[*index] },
                    1 => Claim { hashed: hash_to_curve(b"other").unwrap(), ..claims[*index] },
                    _ => Claim { key: &keys[of_keys[*index] ^ 1], ..claims[*index] },
                };
            }
            prop_assert_eq!(&verify_batch(&claims, &weights(claims.len())).unwrap(), &bad);
            prop_assert_eq!(together(&claims, &weights(claims.len())), bad);
        }
    }
}
