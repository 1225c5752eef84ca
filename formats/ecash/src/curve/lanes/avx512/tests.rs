//! The field in lanes against the field in one, which has a prime's laws to answer to; with limbs at their ends.

#![expect(clippy::arithmetic_side_effects, reason = "limbs near their ends, and small places")]

use super::field::{Lanes, Limbs, inverses};
use super::limbs;
use crate::curve::field::Fe;
use proptest::prelude::*;

const LIMB: u64 = (1 << 52) - 1;

/// What is worked out of two rows of eight numbers: only where the processor has lanes.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512ifma"))]
fn worked_out(a: &[Limbs; 8], b: &[Limbs; 8]) -> Option<Vec<[Limbs; 8]>> {
    multiversion::target::match_target! {
        "x86_64+avx512f+avx512ifma" => Some(operations(a, b)),
        _ => {
            let _ = (a, b);
            None
        }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn operations(a: &[Limbs; 8], b: &[Limbs; 8]) -> Vec<[Limbs; 8]> {
    let (a, b) = (Lanes::gather(a), Lanes::gather(b));
    let one = Lanes::one();
    // Of magnitude 1.
    let (a1, b1) = (a.mul(one), b.mul(one));
    let inverses = inverses(&[a, b]);
    let results = [
        a,
        a.mul(b),
        a.square(),
        a1.sub::<2>(b1),
        a1.sub_twice(b1),
        a1.sub_both(b1, a1),
        a1.three_halves(),
        a1.negated(0b1010_1010),
        inverses[0].mul(a),
        inverses[1].mul(b),
    ];
    let zeros = a1.zeros();
    let zeros = std::array::from_fn(|lane| [u64::from(zeros & (1 << lane) != 0), 0, 0, 0, 0]);
    results.map(|result| result.scatter()).into_iter().chain([zeros]).collect()
}

fn one_by_one(lane: usize, a: &Limbs, b: &Limbs) -> Vec<Limbs> {
    let (a, b) = (number(a), number(b));
    let [two, three] = [[2, 0, 0, 0, 0], [3, 0, 0, 0, 0]].map(|n| number(&n));
    let both = u64::from(!(a.is_zero() || b.is_zero()));
    let inverted = if both == 1 { Fe::ONE } else { Fe::ONE.sub(Fe::ONE) };
    let results = [
        a,
        a.mul(b),
        a.square(),
        a.sub(b),
        a.sub(b.double()),
        a.sub(b).sub(a.double()),
        a.mul(three).mul(two.invert()),
        if lane % 2 == 1 { a.negate() } else { a },
        inverted,
        inverted,
    ];
    let results = results.map(|result| limbs(&result.to_bytes()));
    results.into_iter().chain([[u64::from(a.is_zero()), 0, 0, 0, 0]]).collect()
}

fn number(limbs: &Limbs) -> Fe {
    let small = |value: u64| {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&value.to_be_bytes());
        Fe::from_bytes(&bytes)
    };
    let radix = small(1 << 52);
    limbs.iter().rev().fold(small(0), |sum, limb| sum.mul(radix).add(small(*limb)))
}

/// Any limbs of 52 bits, and those at their ends: zero, the prime and its multiples, what is next to them.
fn value() -> impl Strategy<Value = Limbs> {
    let prime = limbs(&Fe::ONE.sub(Fe::ONE).sub(Fe::ONE).to_bytes());
    let near = (0_u64..4, 0_u64..3).prop_map(move |(more, times)| {
        let [p0, p1, p2, p3, p4] = prime;
        match times {
            0 => [more, 0, 0, 0, 0],
            1 => [p0 + more, p1, p2, p3, p4],
            _ => [2 * p0 + more - LIMB - 1, LIMB, LIMB, LIMB, 2 * p4 + 1],
        }
    });
    let limb = || prop_oneof![0..=LIMB, Just(0), Just(LIMB)];
    prop_oneof![near, [limb(), limb(), limb(), limb(), limb()]]
}

proptest! {
    #[test]
    fn eight_numbers_are_worked_out_like_each(
        a in prop::collection::vec(value(), 8),
        b in prop::collection::vec(value(), 8),
    ) {
        let (a, b) = (<[Limbs; 8]>::try_from(a).unwrap(), <[Limbs; 8]>::try_from(b).unwrap());
        if let Some(results) = worked_out(&a, &b) {
            for lane in 0..8 {
                let of_lane: Vec<Limbs> = results.iter().map(|row| row[lane]).collect();
                prop_assert_eq!(of_lane, one_by_one(lane, &a[lane], &b[lane]), "lane {}", lane);
            }
        }
    }
}
