//! The lanes of processors with AVX-512 IFMA.

mod comb;
mod field;
mod generator;
mod point;

use super::{Abscissa, Coordinates, Digits, Nonces, Ordinate, Signed, Task};
use comb::{Columns, Comb, shared_times, with_combs};
use field::{Lanes, Limbs, inverses, ordinates};
use generator::GENERATOR;
use point::{Affine, Jacobian};
use std::array::from_fn;

/// Whether the processor has such lanes.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512ifma"))]
pub(super) fn present() -> bool {
    multiversion::target::match_target! {
        "x86_64+avx512f+avx512ifma" => true,
        _ => false,
    }
}

/// False if the processor has no such lanes, and then nothing is done.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512ifma"))]
pub(super) fn sign_part(tasks: &[Task<'_>], nonce: &mut Nonces<'_>, to: &mut Vec<Signed>) -> bool {
    multiversion::target::match_target! {
        "x86_64+avx512f+avx512ifma" => in_lanes(tasks, nonce, to).is_some(),
        _ => {
            let _ = (tasks, nonce, to);
            false
        }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn in_lanes(tasks: &[Task<'_>], nonce: &mut Nonces<'_>, to: &mut Vec<Signed>) -> Option<()> {
    let generator = GENERATOR.as_deref()?;
    with_combs(tasks.len().div_ceil(8), |combs| {
        let mut products = Vec::with_capacity(combs.len().saturating_mul(2));
        for (eight, comb) in tasks.chunks(8).zip(&mut *combs) {
            products.push(Task::products(eight, comb)?);
        }
        let mut signatures = scattered(&products);
        signatures.truncate(tasks.len());
        let nonce = |(place, signature)| nonce(place, signature);
        let nonces: Vec<Digits> = signatures.iter().enumerate().map(nonce).collect();
        products.clear();
        for (eight, comb) in nonces.chunks(8).zip(combs) {
            let first = eight.first()?;
            let columns = Columns::gather(from_fn(|lane| eight.get(lane).unwrap_or(first)));
            products.extend([shared_times(generator, &columns), comb.times(&columns)]);
        }
        let proofs = scattered(&products);
        let (pairs, _) = proofs.as_chunks::<16>();
        let pairs = pairs.iter().flat_map(|pair| {
            let (firsts, seconds) = pair.split_at(8);
            firsts.iter().zip(seconds)
        });
        to.extend(signatures.iter().zip(pairs).map(|(signature, (first, second))| Signed {
            signature: *signature,
            first: *first,
            second: *second,
        }));
        Some(())
    })
}

/// The coordinates of each lane of each.
#[target_feature(enable = "avx512f,avx512ifma")]
fn scattered(points: &[Jacobian]) -> Vec<Coordinates> {
    let zs: Vec<Lanes> = points.iter().map(|point| point.z).collect();
    let mut all = Vec::with_capacity(points.len().saturating_mul(8));
    for (point, inverse) in points.iter().zip(inverses(&zs)) {
        all.extend(point.scatter(inverse).iter().map(joined));
    }
    all
}

/// False if the processor has no such lanes, and then nothing is done.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512ifma"))]
pub(super) fn verify_all(tasks: &[(Task<'_>, Coordinates)], to: &mut Vec<bool>) -> bool {
    multiversion::target::match_target! {
        "x86_64+avx512f+avx512ifma" => verify_in_lanes(tasks, to).is_some(),
        _ => {
            let _ = (tasks, to);
            false
        }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn verify_in_lanes(tasks: &[(Task<'_>, Coordinates)], to: &mut Vec<bool>) -> Option<()> {
    with_combs(1, |combs| {
        let comb = combs.first_mut()?;
        for eight in tasks.chunks(8) {
            let (first, _) = eight.first()?;
            let mut asked = [*first; 8];
            for (asked, (task, _)) in asked.iter_mut().zip(eight) {
                *asked = *task;
            }
            let product = Task::products(&asked, comb)?;
            let claimed =
                from_fn(|lane| eight.get(lane).map_or(&first.message, |(_, signature)| signature));
            let same = product.is(gathered(claimed));
            to.extend((0..eight.len()).map(|lane| same & (1 << lane) != 0));
        }
        Some(())
    })
}

impl Task<'_> {
    /// Eight points times their keys, by way of the points' table. Lanes that nobody needs do what the first does.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn products(eight: &[Self], comb: &mut Comb) -> Option<Jacobian> {
        let first = eight.first()?;
        let task = |lane: usize| eight.get(lane).unwrap_or(first);
        comb.fill(gathered(from_fn(|lane| &task(lane).message)));
        Some(comb.times(&Columns::gather(from_fn(|lane| task(lane).key))))
    }
}

/// False if the processor has no such lanes, and then nothing is done.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512ifma"))]
pub(super) fn ordinates_of_all(all: &[(Abscissa, bool)], to: &mut Vec<Option<Ordinate>>) -> bool {
    multiversion::target::match_target! {
        "x86_64+avx512f+avx512ifma" => {
            ordinates_in_lanes(all, to);
            true
        },
        _ => {
            let _ = (all, to);
            false
        }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn ordinates_in_lanes(all: &[(Abscissa, bool)], to: &mut Vec<Option<Ordinate>>) {
    let (pairs, rest) = all.as_chunks::<16>();
    for pair in pairs {
        let (first, second) = pair.split_at(8);
        append_ordinates([first, second], to);
    }
    match rest.split_at_checked(8) {
        Some((first, second)) if !second.is_empty() => append_ordinates([first, second], to),
        _ if rest.is_empty() => {}
        _ => append_ordinates([rest], to),
    }
}

/// Eights, of which the last may be less.
#[target_feature(enable = "avx512f,avx512ifma")]
fn append_ordinates<const N: usize>(
    eights: [&[(Abscissa, bool)]; N],
    to: &mut Vec<Option<Ordinate>>,
) {
    let rows = eights.map(|eight| {
        let x = from_fn(|lane| eight.get(lane).map_or([0; 5], |(x, _)| limbs(x)));
        let odd = eight.iter().rev().fold(0, |mask, (_, odd)| mask << 1 | u8::from(*odd));
        (Lanes::gather(&x), odd)
    });
    for ((y, has), eight) in ordinates(rows).into_iter().zip(eights) {
        let y = y.scatter().into_iter().enumerate().take(eight.len());
        to.extend(y.map(|(lane, y)| (has & (1 << lane) != 0).then(|| bytes(&y))));
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn gathered(points: [&Coordinates; 8]) -> Affine {
    Affine::gather(&points.map(|point| {
        let (halves, _) = point.as_chunks::<32>();
        let mut limbs = halves.iter().map(limbs);
        from_fn(|_| limbs.next().unwrap_or_default())
    }))
}

/// 32 bytes, big-endian, in limbs of 52 bits.
fn limbs(bytes: &[u8; 32]) -> Limbs {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    let [w0, w1, w2, w3] = words;
    let limb = |word| word & ((1 << 52) - 1);
    [
        limb(w0),
        limb((w0 >> 52) | (w1 << 12)),
        limb((w1 >> 40) | (w2 << 24)),
        limb((w2 >> 28) | (w3 << 36)),
        w3 >> 16,
    ]
}

fn bytes([a, b, c, d, e]: &Limbs) -> [u8; 32] {
    let words =
        [(d >> 36) | (e << 16), (c >> 24) | (d << 28), (b >> 12) | (c << 40), a | (b << 52)];
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

fn joined(point: &[Limbs; 2]) -> Coordinates {
    let mut joined = [0; 64];
    for (to, coordinate) in joined.as_chunks_mut::<32>().0.iter_mut().zip(point) {
        *to = bytes(coordinate);
    }
    joined
}

#[cfg(test)]
mod tests;
