//! From a secret to the point that is signed for it (NUT-00).

use super::{Compressed, Point};
use yufu_jose::sha256;

const DOMAIN: &[u8] = b"Secp256k1_HashToCurve_Cashu_";

/// `Y = hash_to_curve(x)`: the point a secret stands for, by which a spent note is remembered.
///
/// # Errors
/// [`Unhashable`] if no counter below 2^16 gives a point. One counter in two does, so none is known.
pub fn hash_to_curve(secret: &[u8]) -> Result<Point, Unhashable> {
    let hashed = sha256(&[DOMAIN, secret].concat());
    let mut candidate = [0; 36];
    for (to, from) in candidate.iter_mut().zip(hashed) {
        *to = from;
    }
    for counter in 0..=u32::from(u16::MAX) {
        if let Some(end) = candidate.last_chunk_mut::<4>() {
            *end = counter.to_le_bytes();
        }
        if let Ok(point) = Point::from_compressed(&Compressed::even(sha256(&candidate))) {
            return Ok(point);
        }
    }
    Err(Unhashable)
}

/// No point was found for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no point of the curve was found for this secret: take another secret")]
pub struct Unhashable;
