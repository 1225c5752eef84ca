//! Many signatures verified at once: one equation with random weights, and the bad ones named.

use super::{MintKey, Point};

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

/// Which claims, by position, do not hold.
///
/// # Errors
/// [`BatchError`].
pub fn verify_batch(claims: &[Claim<'_>], weights: &[u128]) -> Result<Vec<usize>, BatchError> {
    if weights.len() < claims.len() || weights.iter().take(claims.len()).any(|weight| *weight == 0)
    {
        return Err(BatchError::Weights);
    }
    let bad =
        |(_, claim): &(usize, &Claim<'_>)| !claim.key.verifies(&claim.hashed, &claim.signature);
    Ok(claims.iter().enumerate().filter(bad).map(|(index, _)| index).collect())
}
