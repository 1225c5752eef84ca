//! From a secret to the point that is signed for it (NUT-00).

use super::{Compressed, Point, lanes};
use yufu_jose::sha256;

const DOMAIN: &[u8] = b"Secp256k1_HashToCurve_Cashu_";

/// `Y = hash_to_curve(x)`: the point a secret stands for, by which a spent note is remembered.
///
/// # Errors
/// [`Unhashable`] if no counter below 2^16 gives a point. One counter in two does, so none is known.
pub fn hash_to_curve(secret: &[u8]) -> Result<Point, Unhashable> {
    let mut candidates = Candidates::of(secret);
    candidates.find_map(|x| Point::from_compressed(&x).ok()).ok_or(Unhashable)
}

/// [`hash_to_curve`] of many secrets, in their order, which costs less than each by itself.
///
/// # Errors
/// [`Unhashable`].
pub fn hash_all<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Point>, Unhashable> {
    let (_, hashed) = points_and_hashes(&[], secrets);
    hashed.into_iter().map(|hashed| hashed.ok_or(Unhashable)).collect()
}

/// Of each compressed form its point, and of each secret its hash, all worked out beside each other; `None` for what has none.
pub(crate) fn points_and_hashes<'a>(
    compressed: &[Compressed],
    secrets: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Option<Point>>, Vec<Option<Point>>) {
    worked_out(compressed, secrets, lanes::width())
}

/// The same, where as many as `width` cost as much as one.
fn worked_out<'a>(
    compressed: &[Compressed],
    secrets: impl IntoIterator<Item = &'a [u8]>,
    width: usize,
) -> (Vec<Option<Point>>, Vec<Option<Point>>) {
    let mut hashing: Vec<Candidates> = secrets.into_iter().map(Candidates::of).collect();
    let mut hashed = vec![None; hashing.len()];
    let mut open: Vec<usize> = (0..hashing.len()).collect();
    let mut asked = compressed.to_vec();
    let mut points = Vec::new();
    while !asked.is_empty() || !open.is_empty() {
        // Lanes that would be left over try the next candidates of each secret.
        let room = asked.len().saturating_add(open.len()).next_multiple_of(width);
        let tries = room.saturating_sub(asked.len()).checked_div(open.len()).unwrap_or_default();
        let mut tried = Vec::with_capacity(open.len());
        for place in open {
            let before = asked.len();
            asked.extend(hashing.get_mut(place).into_iter().flat_map(|one| one.take(tries)));
            tried.push((place, asked.len().saturating_sub(before)));
        }
        let mut found = Point::each(&asked).into_iter();
        if points.is_empty() {
            points = found.by_ref().take(compressed.len()).collect();
        }
        open = Vec::new();
        for (place, count) in tried {
            let point = found.by_ref().take(count).fold(None, Option::or);
            match hashed.get_mut(place) {
                Some(hashed) if point.is_some() => *hashed = point,
                _ if count > 0 => open.push(place),
                _ => {}
            }
        }
        asked.clear();
    }
    (points, hashed)
}

/// The points that may stand for a secret, in the order in which they are tried.
struct Candidates {
    /// What is hashed: the hash of the secret, and a counter.
    preimage: [u8; 36],
    counters: std::ops::RangeInclusive<u16>,
}

impl Candidates {
    fn of(secret: &[u8]) -> Self {
        let hashed = sha256(&[DOMAIN, secret].concat());
        let mut preimage = [0; 36];
        for (to, from) in preimage.iter_mut().zip(hashed) {
            *to = from;
        }
        Self { preimage, counters: 0..=u16::MAX }
    }
}

impl Iterator for Candidates {
    type Item = Compressed;

    fn next(&mut self) -> Option<Compressed> {
        let counter = u32::from(self.counters.next()?);
        *self.preimage.last_chunk_mut::<4>()? = counter.to_le_bytes();
        Some(Compressed::even(sha256(&self.preimage)))
    }
}

/// No point was found for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no point of the curve was found for this secret: take another secret")]
pub struct Unhashable;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn points_and_hashes_are_worked_out_together_like_each(
            secrets in prop::collection::vec(any::<u64>(), 0..40),
            all in prop::collection::vec(any::<[u8; 32]>(), 0..20),
        ) {
            let secrets: Vec<_> = secrets.iter().map(|secret| secret.to_be_bytes()).collect();
            let secrets: Vec<&[u8]> = secrets.iter().map(<[u8; 8]>::as_slice).collect();
            let all: Vec<_> = all.into_iter().map(Compressed::even).collect();
            let points: Vec<_> = all.iter().map(|one| Point::from_compressed(one).ok()).collect();
            let hashed: Vec<_> = secrets.iter().map(|one| hash_to_curve(one).ok()).collect();
            let each = (points, hashed);
            for width in [1, 8] {
                prop_assert_eq!(&worked_out(&all, secrets.iter().copied(), width), &each);
            }
            prop_assert_eq!(&points_and_hashes(&all, secrets.iter().copied()), &each);
            let (_, hashed) = each;
            prop_assert_eq!(hash_all(secrets).ok(), hashed.into_iter().collect::<Option<Vec<_>>>());
        }
    }
}
