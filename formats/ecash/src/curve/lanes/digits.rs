//! A secret number as the digits that a comb reads, in the same time whatever it is.

use crate::curve::field::mac;
use std::hint::black_box;
use zeroize::Zeroizing;

/// Teeth of a comb.
pub(super) const TEETH: usize = 5;
/// Columns of a comb: its teeth reach over 130 bits.
pub(super) const COLUMNS: usize = 26;

/// A number `a + b lambda` modulo the order, where `lambda (x, y) = (beta x, y)`: of each column, the first last, a digit of `a` and
/// one of `b`. Bit `t` of a digit says whether the tooth `t`, `2^(column + 26 t)`, is added or subtracted.
pub(in crate::curve) type Digits = Zeroizing<[[u8; 2]; COLUMNS]>;

/// A number of 192 bits with a sign, in two's complement, the least limb first.
type Signed = [u64; 3];

/// `A1 - B1 lambda` and `A2 + A1 lambda` are zero modulo the order (Guide to Elliptic Curve Cryptography, section 3.5).
const A1: Signed = [0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd, 0];
const B1: Signed = [0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828, 0];
const A2: Signed = [0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6, 1];
/// `2^384 A1` and `2^384 B1`, divided by the order.
const A1_PART: [u64; 4] =
    [0xe893_209a_45db_b031, 0x3daa_8a14_71e8_ca7f, 0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
const B1_PART: [u64; 4] =
    [0x1571_b4ae_8ac4_7f71, 0x2212_08ac_9df5_06c6, 0x6f54_7fa9_0abf_e4c4, 0xe443_7ed6_010e_8828];

/// The digits of a number below the order, 32 bytes big-endian.
pub(in crate::curve) fn digits(secret: &[u8; 32]) -> Digits {
    let mut number = [0; 4];
    for (limb, word) in number.iter_mut().rev().zip(secret.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*word);
    }
    let halves = odd_halves(number).map(ones);
    let mut digits = Zeroizing::new([[0; 2]; COLUMNS]);
    for (column, digits) in digits.iter_mut().enumerate() {
        for (digit, half) in digits.iter_mut().zip(halves) {
            *digit = (0..TEETH).fold(0, |digit, tooth| {
                let place = column.wrapping_add(tooth.wrapping_mul(COLUMNS));
                digit | (bit(half, place) << tooth)
            });
        }
    }
    digits
}

/// `a` and `b`, both odd and between -2^129 and 2^129.
fn odd_halves(number: [u64; 4]) -> [Signed; 2] {
    let [n0, n1, n2, _] = number;
    let (first, second) = (scaled(number, A1_PART), scaled(number, B1_PART));
    let a = minus(minus([n0, n1, n2], product(first, A1)), product(second, A2));
    let b = minus(product(first, B1), product(second, A1));
    // Of what may be added, the one changes whether a and b are odd, the other whether b is.
    let even = even(a);
    let (a, b) = (plus(a, masked(A1, even)), minus(b, masked(B1, even)));
    let even = self::even(b);
    (minus(a, masked(A2, even)), minus(b, masked(A1, even))).into()
}

/// The bits of an odd number if each that is not set counts as -1: half of it and of 2^130 - 1.
fn ones(number: Signed) -> Signed {
    let [s0, s1, s2] = plus(number, [u64::MAX, u64::MAX, 3]);
    [(s0 >> 1) | (s1 << 63), (s1 >> 1) | (s2 << 63), s2 >> 1]
}

fn bit(number: Signed, place: usize) -> u8 {
    let limb = number.get(place / 64).copied().unwrap_or_default();
    u8::from((limb >> (place % 64)) & 1 == 1)
}

/// All bits if the number is even, else none.
fn even([least, ..]: Signed) -> u64 {
    black_box((least & 1).wrapping_sub(1))
}

fn masked(number: Signed, mask: u64) -> Signed {
    number.map(|limb| limb & mask)
}

/// The product divided by 2^384, to the nearest.
fn scaled(a: [u64; 4], [b0, b1, b2, b3]: [u64; 4]) -> [u64; 2] {
    let mut columns = [0; 4];
    for a in a {
        let [c0, c1, c2, c3] = columns;
        let (_, carry) = mac(c0, a, b0, 0);
        let (c0, carry) = mac(c1, a, b1, carry);
        let (c1, carry) = mac(c2, a, b2, carry);
        let (c2, c3) = mac(c3, a, b3, carry);
        columns = [c0, c1, c2, c3];
    }
    let [_, half, low, high] = columns;
    let (low, carry) = mac(low, half >> 63, 1, 0);
    [low, high.wrapping_add(carry)]
}

/// Modulo 2^192.
fn product([a0, a1]: [u64; 2], [b0, b1, b2]: Signed) -> Signed {
    let (r0, carry) = mac(0, a0, b0, 0);
    let (r1, carry) = mac(0, a0, b1, carry);
    let (r2, _) = mac(0, a0, b2, carry);
    let (r1, carry) = mac(r1, a1, b0, 0);
    let (r2, _) = mac(r2, a1, b1, carry);
    [r0, r1, r2]
}

fn plus([a0, a1, a2]: Signed, [b0, b1, b2]: Signed) -> Signed {
    let (r0, carry) = mac(a0, b0, 1, 0);
    let (r1, carry) = mac(a1, b1, 1, carry);
    [r0, r1, a2.wrapping_add(b2).wrapping_add(carry)]
}

fn minus(a: Signed, b: Signed) -> Signed {
    plus(plus(a, b.map(|limb| !limb)), [1, 0, 0])
}
