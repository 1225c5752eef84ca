//! Signatures made and verified eight beside each other, where the processor multiplies eight numbers of 52 bits at once (AVX-512 IFMA).
//! It is our own arithmetic on a mint's keys, and so: the same instructions and the same addresses whatever the secrets are, and every
//! point that leaves is looked at by libsecp256k1. Elsewhere, and for what has no answer here, libsecp256k1 does it.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod digits;

pub(super) use digits::{Digits, digits};

#[cfg(target_arch = "x86_64")]
use avx512::{ordinates_of_all, present, sign_part, verify_all};

/// The x of a point, 32 bytes big-endian.
pub(super) type Abscissa = [u8; 32];
/// The y of a point, 32 bytes big-endian.
pub(super) type Ordinate = [u8; 32];
/// `x || y`, both big-endian; all zero for what was not worked out.
pub(super) type Coordinates = [u8; 64];

/// A point, blinded or hashed, and the key that signs it, or is said to have signed it.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) message: Coordinates,
    pub(super) key: &'a Digits,
}

/// The points of a signature and its proof.
#[derive(Clone, Copy)]
pub(super) struct Signed {
    /// `k B_`.
    pub(super) signature: Coordinates,
    /// `r G`.
    pub(super) first: Coordinates,
    /// `r B_`.
    pub(super) second: Coordinates,
}

/// Gives, for the task at a place and the signature on it, the nonce's digits.
pub(super) type Nonces<'a> = dyn FnMut(usize, &Coordinates) -> Digits + 'a;

/// From so many signatures on, eight beside each other take less than one after the other.
pub(super) const WORTH: usize = 2;
/// What is signed together: four tables of eight points, which a core's own memory holds.
const TOGETHER: usize = 32;

/// All of them, in their order; `None` if this processor has no such lanes.
pub(super) fn sign(tasks: &[Task<'_>], nonce: &mut Nonces<'_>) -> Option<Vec<Signed>> {
    let mut signed = Vec::with_capacity(tasks.len());
    for (part, first) in tasks.chunks(TOGETHER).zip((0_usize..).step_by(TOGETHER)) {
        let mut nonce =
            |place: usize, signature: &Coordinates| nonce(first.saturating_add(place), signature);
        if !sign_part(part, &mut nonce, &mut signed) {
            return None;
        }
    }
    Some(signed)
}

/// Of each task whether its key made the signature beside it; `None` if this processor has no such lanes. What is said to be signed is
/// signed; of what is not said to be, one in more than 2^100 may be nevertheless.
pub(super) fn verify(tasks: &[(Task<'_>, Coordinates)]) -> Option<Vec<bool>> {
    let mut signed = Vec::with_capacity(tasks.len());
    verify_all(tasks, &mut signed).then_some(signed)
}

/// How many are worked out beside each other: one if this processor has no such lanes.
pub(super) fn width() -> usize {
    if present() { 8 } else { 1 }
}

/// Of each x the y of the point that has it, the odd one or the even one; `None` in the place of an x that no point has. `None` for all if this
/// processor has no such lanes.
pub(super) fn ordinates(all: &[(Abscissa, bool)]) -> Option<Vec<Option<Ordinate>>> {
    let mut found = Vec::with_capacity(all.len());
    ordinates_of_all(all, &mut found).then_some(found)
}

#[cfg(not(target_arch = "x86_64"))]
const fn present() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn ordinates_of_all(_: &[(Abscissa, bool)], _: &mut Vec<Option<Ordinate>>) -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn sign_part(_: &[Task<'_>], _: &mut Nonces<'_>, _: &mut Vec<Signed>) -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn verify_all(_: &[(Task<'_>, Coordinates)], _: &mut Vec<bool>) -> bool {
    false
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn where_the_processor_has_lanes_everything_is_worked_out_in_them() {
        let has = width() == 8;
        let secret = |n: u8| crate::SecretScalar::from_bytes(&[n; 32]).unwrap();
        let key = digits(&[7; 32]);
        for count in [1, 7, 8, 9, 33] {
            let messages: Vec<_> =
                (1..=count).map(|n| secret(n).to_point().coordinates()).collect();
            let tasks: Vec<_> = messages.iter().map(|m| Task { message: *m, key: &key }).collect();
            let signed =
                sign(&tasks, &mut |place, _| digits(&[u8::try_from(place).unwrap() + 1; 32]));
            assert_eq!(signed.is_some(), has);
            let Some(signed) = signed else { continue };
            assert_eq!(signed.len(), messages.len());
            for (message, (signed, n)) in messages.iter().zip(signed.iter().zip(1..)) {
                let point = crate::Point::from_coordinates(message).unwrap();
                assert_eq!(signed.signature, secret(7).times(&point));
                assert_eq!(signed.first, secret(n).to_point().coordinates());
                assert_eq!(signed.second, secret(n).times(&point));
            }
            let mut claimed: Vec<_> =
                tasks.iter().zip(&signed).map(|(task, signed)| (*task, signed.signature)).collect();
            claimed[0].1 = messages[0];
            let mut verified = vec![true; messages.len()];
            verified[0] = false;
            assert_eq!(verify(&claimed), Some(verified));
        }
    }
}
