//! Sums beside those of libsecp256k1: equal and opposite points, and what was worked out before.

use super::*;
use proptest::prelude::*;
use secp256k1::{SECP256K1, Scalar};

const LAMBDA: [u8; 32] = [
    0x53, 0x63, 0xad, 0x4c, 0xc0, 0x5c, 0x30, 0xe0, 0xa5, 0x26, 0x1c, 0x02, 0x88, 0x12, 0x64, 0x5a,
    0x12, 0x2e, 0x22, 0xea, 0x20, 0x81, 0x66, 0x78, 0xdf, 0x02, 0x96, 0x7c, 0x1b, 0x23, 0xbd, 0x72,
];

/// The same with libsecp256k1.
fn slowly(terms: &[Term], sum: usize) -> Option<Point> {
    let of_it = terms.iter().filter(|term| term.sum == sum);
    let products = of_it.flat_map(|term| {
        let turned =
            term.point.0.mul_tweak(SECP256K1, &Scalar::from_be_bytes(LAMBDA).unwrap()).unwrap();
        let [a, b] = halves(term.weight);
        [(term.point.0, a), (turned, b)]
    });
    let products = products.filter(|(_, by)| *by != 0).map(|(point, by)| {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&by.to_be_bytes());
        point.mul_tweak(SECP256K1, &Scalar::from_be_bytes(bytes).unwrap()).unwrap()
    });
    products
        .fold(None, |sum: Option<secp256k1::PublicKey>, point| match sum {
            None => Some(point),
            Some(sum) => sum.combine(&point).ok(),
        })
        .map(Point)
}

fn point(n: u8) -> Point {
    crate::curve::hash_to_curve(&[n]).unwrap()
}

fn minus(point: Point) -> Point {
    Point(point.0.negate(SECP256K1))
}

#[test]
fn points_that_are_equal_or_cancel_are_added_rightly() {
    let p = point(1);
    let term = |point, weight| Term { sum: 0, point, weight };
    for weight in [1, 2, 7, 8, u128::from(u64::MAX), 1 << 64, u128::MAX] {
        let twice = [term(p, weight), term(p, weight)];
        assert_eq!(sums(&twice, 1), [slowly(&twice, 0)], "{weight}");
        let none = [term(p, weight), term(minus(p), weight)];
        assert_eq!(sums(&none, 1), [None], "{weight}");
        let one = [term(p, weight), term(minus(p), weight), term(p, weight)];
        assert_eq!(sums(&one, 1), [slowly(&one[..1], 0)], "{weight}");
    }
    assert_eq!(sums(&[], 2), [None, None]);
}

#[test]
fn what_was_worked_out_before_on_the_thread_changes_nothing() {
    let of = |count: u8| -> Vec<Term> {
        (0..count)
            .map(|n| Term { sum: 0, point: point(n), weight: u128::from(n) << 90 | 1 })
            .collect()
    };
    for count in [3, 40, 1, 40, 0, 7] {
        let terms = of(count);
        assert_eq!(sums(&terms, 1), [slowly(&terms, 0)], "{count}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn sums_are_those_of_libsecp256k1(
        parts in prop::collection::vec((0_usize..3, 0_u8..6, any::<bool>(), prop_oneof![any::<u128>(), 0_u128..40]), 0..24),
    ) {
        let terms: Vec<Term> = parts.into_iter().map(|(sum, n, negative, weight)| {
            Term { sum, point: if negative { minus(point(n)) } else { point(n) }, weight }
        }).collect();
        let found = sums(&terms, 3);
        for (sum, found) in found.into_iter().enumerate() {
            prop_assert_eq!(found, slowly(&terms, sum));
        }
    }
}
