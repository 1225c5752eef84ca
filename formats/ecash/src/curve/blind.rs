//! The wallet's half of a blind signature: blind, and unblind what came back (NUT-00).

use super::{Point, SecretScalar, Unhashable, hash_to_curve};
use secp256k1::SECP256K1;

/// Why a message could not be blinded or a signature not unblinded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlindError {
    /// The secret has no point.
    #[error(transparent)]
    Unhashable(#[from] Unhashable),
    /// The sum is the point at infinity: with a random factor this does not happen.
    #[error("the blinding factor cancels the point: take another one")]
    Cancels,
}

/// `B_ = Y + rG`: what the mint is asked to sign for `secret`, and does not recognise later.
///
/// # Errors
/// [`BlindError`], for secrets and factors that nobody finds.
pub fn blind(secret: &[u8], factor: &SecretScalar) -> Result<Point, BlindError> {
    let hashed = hash_to_curve(secret)?;
    add(&hashed, &factor.to_point())
}

/// `C = C_ - rK`: the signature on the secret itself, from the mint's on the blinded message.
///
/// # Errors
/// [`BlindError::Cancels`] if the mint's signature is `rK`.
pub fn unblind(signature: &Point, factor: &SecretScalar, key: &Point) -> Result<Point, BlindError> {
    let mask = times(factor, key)?;
    add(signature, &Point(mask.0.negate(SECP256K1)))
}

/// `C_ = C + rK`: the blind signature again, for who was given `r` (NUT-12).
pub(crate) fn reblind(
    signature: &Point,
    factor: &SecretScalar,
    key: &Point,
) -> Result<Point, BlindError> {
    add(signature, &times(factor, key)?)
}

fn times(factor: &SecretScalar, point: &Point) -> Result<Point, BlindError> {
    Point::from_coordinates(&factor.times(point)).map_err(|_| BlindError::Cancels)
}

fn add(a: &Point, b: &Point) -> Result<Point, BlindError> {
    a.0.combine(&b.0).map(Point).map_err(|_| BlindError::Cancels)
}
