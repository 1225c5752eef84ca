//! The field of secp256k1 in variable time, for sums of public points (see `sums.rs`) and for reading points from their
//! compressed form (see `compressed.rs`): no number by which a point is multiplied in secret ever comes here.

/// The prime is 2^256 less this.
const C: u64 = 0x1_0000_03d1;

/// A cube root of one: `lambda (x, y) = (beta x, y)`, where lambda is a cube root of one modulo the order.
pub(super) const BETA: [u8; 32] = [
    0x7a, 0xe9, 0x6a, 0x2b, 0x65, 0x7c, 0x07, 0x10, 0x6e, 0x64, 0x47, 0x9e, 0xac, 0x34, 0x34, 0xe9,
    0x9c, 0xf0, 0x49, 0x75, 0x12, 0xf5, 0x89, 0x95, 0xc1, 0x39, 0x6c, 0x28, 0x71, 0x95, 0x01, 0xee,
];

/// A number modulo the prime, in four limbs, the least first; any value below 2^256 stands for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fe([u64; 4]);

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
const fn low(wide: u128) -> u64 {
    wide as u64
}

/// `sum + a * b + carry`, at most (2^64 - 1)^2 + 2 (2^64 - 1), which is 2^128 - 1: nothing wraps. In the same time whatever they are:
/// secrets are split with it too.
#[inline(always)]
pub(super) const fn mac(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide =
        (a as u128).wrapping_mul(b as u128).wrapping_add(sum as u128).wrapping_add(carry as u128);
    (low(wide), low(wide >> 64))
}

#[inline(always)]
const fn add_limb(a: u64, b: u64, carry: u64) -> (u64, u64) {
    mac(a, b, 1, carry)
}

#[inline(always)]
const fn sub_limb(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let (first, under) = a.overflowing_sub(b);
    let (second, again) = first.overflowing_sub(borrow);
    (second, (under | again) as u64)
}

impl Fe {
    pub(super) const ONE: Self = Self([1, 0, 0, 0]);
    const ZERO: Self = Self([0; 4]);
    const SEVEN: Self = Self([7, 0, 0, 0]);

    /// From 32 bytes, big-endian.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; 4];
        let (words, _) = bytes.as_chunks::<8>();
        for (limb, word) in limbs.iter_mut().rev().zip(words) {
            *limb = u64::from_be_bytes(*word);
        }
        Self(limbs)
    }

    /// 32 bytes, big-endian, below the prime.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (words, _) = bytes.as_chunks_mut::<8>();
        for (word, limb) in words.iter_mut().zip(self.reduced().iter().rev()) {
            *word = limb.to_be_bytes();
        }
        bytes
    }

    /// Below the prime: adding [`C`] overflows exactly if it is not.
    const fn reduced(self) -> [u64; 4] {
        let [a0, a1, a2, a3] = self.0;
        let (r0, c) = add_limb(a0, C, 0);
        let (r1, c) = add_limb(a1, 0, c);
        let (r2, c) = add_limb(a2, 0, c);
        let (r3, c) = add_limb(a3, 0, c);
        if c == 1 { [r0, r1, r2, r3] } else { self.0 }
    }

    /// Whether it stands for zero: as zero, or as the prime.
    #[inline(always)]
    pub(super) const fn is_zero(self) -> bool {
        let [a0, a1, a2, a3] = self.0;
        (a0 | a1 | a2 | a3) == 0 || (a0 == C.wrapping_neg() && (a1 & a2 & a3) == u64::MAX)
    }

    #[inline(always)]
    pub(super) const fn add(self, other: Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (r0, c) = add_limb(a0, b0, 0);
        let (r1, c) = add_limb(a1, b1, c);
        let (r2, c) = add_limb(a2, b2, c);
        let (r3, c) = add_limb(a3, b3, c);
        Self::fold([r0, r1, r2, r3], c)
    }

    #[inline(always)]
    pub(super) const fn sub(self, other: Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (r0, c) = sub_limb(a0, b0, 0);
        let (r1, c) = sub_limb(a1, b1, c);
        let (r2, c) = sub_limb(a2, b2, c);
        let (r3, c) = sub_limb(a3, b3, c);
        let (r0, c) = sub_limb(r0, C & c.wrapping_neg(), 0);
        if c == 0 { Self([r0, r1, r2, r3]) } else { Self::borrowed([r0, r1, r2, r3]) }
    }

    /// The rest of a subtraction in which taking [`C`] borrowed from the second limb: once in 2^31.
    #[cold]
    const fn borrowed(limbs: [u64; 4]) -> Self {
        let [r0, r1, r2, r3] = limbs;
        let (r1, c) = sub_limb(r1, 0, 1);
        let (r2, c) = sub_limb(r2, 0, c);
        let (r3, c) = sub_limb(r3, 0, c);
        // Another borrow leaves a value near 2^256, from whose lowest limb C can be taken.
        Self([r0.wrapping_sub(C & c.wrapping_neg()), r1, r2, r3])
    }

    pub(super) const fn negate(self) -> Self {
        Self::ZERO.sub(self)
    }

    pub(super) const fn double(self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    pub(super) const fn mul(self, other: Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (r0, c) = mac(0, a0, b0, 0);
        let (r1, c) = mac(0, a0, b1, c);
        let (r2, c) = mac(0, a0, b2, c);
        let (r3, r4) = mac(0, a0, b3, c);
        let (r1, c) = mac(r1, a1, b0, 0);
        let (r2, c) = mac(r2, a1, b1, c);
        let (r3, c) = mac(r3, a1, b2, c);
        let (r4, r5) = mac(r4, a1, b3, c);
        let (r2, c) = mac(r2, a2, b0, 0);
        let (r3, c) = mac(r3, a2, b1, c);
        let (r4, c) = mac(r4, a2, b2, c);
        let (r5, r6) = mac(r5, a2, b3, c);
        let (r3, c) = mac(r3, a3, b0, 0);
        let (r4, c) = mac(r4, a3, b1, c);
        let (r5, c) = mac(r5, a3, b2, c);
        let (r6, r7) = mac(r6, a3, b3, c);
        Self::fold_wide([r0, r1, r2, r3], [r4, r5, r6, r7])
    }

    #[inline(always)]
    pub(super) const fn square(self) -> Self {
        let [a0, a1, a2, a3] = self.0;
        let (r1, c) = mac(0, a0, a1, 0);
        let (r2, c) = mac(0, a0, a2, c);
        let (r3, r4) = mac(0, a0, a3, c);
        let (r3, c) = mac(r3, a1, a2, 0);
        let (r4, r5) = mac(r4, a1, a3, c);
        let (r5, r6) = mac(r5, a2, a3, 0);
        let r7 = r6 >> 63;
        let r6 = (r6 << 1) | (r5 >> 63);
        let r5 = (r5 << 1) | (r4 >> 63);
        let r4 = (r4 << 1) | (r3 >> 63);
        let r3 = (r3 << 1) | (r2 >> 63);
        let r2 = (r2 << 1) | (r1 >> 63);
        let r1 = r1 << 1;
        let (r0, c) = mac(0, a0, a0, 0);
        let (r1, c) = add_limb(r1, 0, c);
        let (r2, c) = mac(r2, a1, a1, c);
        let (r3, c) = add_limb(r3, 0, c);
        let (r4, c) = mac(r4, a2, a2, c);
        let (r5, c) = add_limb(r5, 0, c);
        let (r6, c) = mac(r6, a3, a3, c);
        let (r7, _) = add_limb(r7, 0, c);
        Self::fold_wide([r0, r1, r2, r3], [r4, r5, r6, r7])
    }

    /// `low + 2^256 high`: the upper half counts [`C`] times.
    #[inline(always)]
    const fn fold_wide(low: [u64; 4], high: [u64; 4]) -> Self {
        let ([r0, r1, r2, r3], [r4, r5, r6, r7]) = (low, high);
        let (r0, c) = mac(r0, r4, C, 0);
        let (r1, c) = mac(r1, r5, C, c);
        let (r2, c) = mac(r2, r6, C, c);
        let (r3, c) = mac(r3, r7, C, c);
        Self::fold([r0, r1, r2, r3], c)
    }

    /// `limbs + 2^256 carry`, the carry below 2^34.
    #[inline(always)]
    const fn fold(limbs: [u64; 4], carry: u64) -> Self {
        let [r0, r1, r2, r3] = limbs;
        let (r0, c) = mac(r0, carry, C, 0);
        let (r1, c) = add_limb(r1, 0, c);
        if c == 0 { Self([r0, r1, r2, r3]) } else { Self::carried([r0, r1, r2, r3]) }
    }

    /// The rest of a fold that carried out of the second limb: once in 2^60.
    #[cold]
    const fn carried(limbs: [u64; 4]) -> Self {
        let [r0, r1, r2, r3] = limbs;
        let (r2, c) = add_limb(r2, 0, 1);
        let (r3, c) = add_limb(r3, 0, c);
        // Another carry leaves a value below 2^68: adding C reaches two limbs at most.
        let (r0, c) = add_limb(r0, C & c.wrapping_neg(), 0);
        Self([r0, r1.wrapping_add(c), r2, r3])
    }

    /// The inverse, by Fermat: to the power of the prime less two. Zero stays zero.
    pub(super) fn invert(self) -> Self {
        let (one, [x2, x22, x223]) = (Row([self]), Row([self]).powers());
        let tail = x223.squared(23).mul(x22).squared(5).mul(one).squared(3).mul(x2);
        let Row([inverse]) = tail.squared(2).mul(one);
        inverse
    }

    /// Of each x the y of the points of the curve that is odd, or even; `None` if no point has this x.
    pub(super) fn ordinates<const N: usize>(all: [(Self, bool); N]) -> [Option<Self>; N] {
        let squares = all.map(|(x, _)| x.square().mul(x).add(Self::SEVEN));
        let Row(roots) = Row(squares).roots();
        let mut found = [None; N];
        for (((found, square), root), (_, odd)) in found.iter_mut().zip(squares).zip(roots).zip(all)
        {
            if root.square().reduced() == square.reduced() {
                let [least, ..] = root.reduced();
                *found = Some(if (least & 1 == 1) == odd { root } else { root.negate() });
            }
        }
        found
    }
}

/// Numbers that are raised to the same power beside each other: each step of one waits for the step before, and the
/// processor does those of the others meanwhile.
#[derive(Clone, Copy)]
struct Row<const N: usize>([Fe; N]);

impl<const N: usize> Row<N> {
    #[inline(always)]
    fn mul(self, Self(others): Self) -> Self {
        let Self(mut values) = self;
        for (value, other) in values.iter_mut().zip(others) {
            *value = value.mul(other);
        }
        Self(values)
    }

    fn squared(self, times: u32) -> Self {
        let Self(mut values) = self;
        for _ in 0..times {
            for value in &mut values {
                *value = value.square();
            }
        }
        Self(values)
    }

    /// To the powers of which both exponents below begin: 2^2 - 1, 2^22 - 1, 2^223 - 1.
    fn powers(self) -> [Self; 3] {
        let x2 = self.squared(1).mul(self);
        let x3 = x2.squared(1).mul(self);
        let x6 = x3.squared(3).mul(x3);
        let x9 = x6.squared(3).mul(x3);
        let x11 = x9.squared(2).mul(x2);
        let x22 = x11.squared(11).mul(x11);
        let x44 = x22.squared(22).mul(x22);
        let x88 = x44.squared(44).mul(x44);
        let x176 = x88.squared(88).mul(x88);
        let x220 = x176.squared(44).mul(x44);
        [x2, x22, x220.squared(3).mul(x3)]
    }

    /// Of each a square root, to the power of a quarter of the prime and one; of what has none, something else.
    fn roots(self) -> Self {
        let [x2, x22, x223] = self.powers();
        x223.squared(23).mul(x22).squared(6).mul(x2).squared(2)
    }
}

/// Inverts all of them at the cost of one inversion and three products each. None may be zero.
/// Four chains of products run beside each other, as the processor does four at a time. `before` is room to work in.
pub(super) fn invert_all(values: &mut [Fe], before: &mut Vec<[Fe; 4]>) {
    let (fours, rest) = values.as_chunks_mut::<4>();
    let mut product = [Fe::ONE; 4];
    before.clear();
    before.reserve(fours.len());
    for four in fours.iter() {
        before.push(product);
        product = times(product, *four);
    }
    let mut inverse = invert_chain(product, rest);
    for (four, before) in fours.iter_mut().zip(before.iter()).rev() {
        let inverted = times(inverse, *before);
        inverse = times(inverse, *four);
        *four = inverted;
    }
}

#[inline(always)]
const fn times([a0, a1, a2, a3]: [Fe; 4], [b0, b1, b2, b3]: [Fe; 4]) -> [Fe; 4] {
    [a0.mul(b0), a1.mul(b1), a2.mul(b2), a3.mul(b3)]
}

/// The inverses of `four`; `rest`, of at most three, is inverted in place.
fn invert_chain(mut four: [Fe; 4], rest: &mut [Fe]) -> [Fe; 4] {
    let mut product = Fe::ONE;
    let mut before = [Fe::ONE; 7];
    for (value, before) in four.iter().chain(rest.iter()).zip(&mut before) {
        *before = product;
        product = product.mul(*value);
    }
    let mut inverse = product.invert();
    let count = four.len().saturating_add(rest.len());
    let values = four.iter_mut().chain(rest.iter_mut()).zip(before).take(count);
    for (value, before) in values.collect::<Vec<_>>().into_iter().rev() {
        let inverted = inverse.mul(before);
        inverse = inverse.mul(*value);
        *value = inverted;
    }
    four
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Near zero, near the prime and near 2^256, where carries are.
    fn field() -> impl Strategy<Value = Fe> {
        let edge = (0_u64..4, any::<bool>(), any::<bool>()).prop_map(|(n, top, near)| {
            let base = if near { C.wrapping_neg() } else { 0 };
            let value = base.wrapping_add(n).wrapping_sub(2);
            let rest = if top { u64::MAX } else { 0 };
            Fe([value, rest, rest, rest])
        });
        prop_oneof![edge, any::<[u64; 4]>().prop_map(Fe)]
    }

    fn same(a: Fe, b: Fe) -> bool {
        a.reduced() == b.reduced()
    }

    #[test]
    fn the_prime_is_zero_and_one_more_is_one() {
        let prime = Fe([C.wrapping_neg(), u64::MAX, u64::MAX, u64::MAX]);
        assert!(prime.is_zero());
        assert!(same(prime.add(Fe::ONE), Fe::ONE));
        assert!(same(
            Fe::ZERO.sub(Fe::ONE),
            Fe([C.wrapping_neg() - 1, u64::MAX, u64::MAX, u64::MAX])
        ));
    }

    proptest! {
        #[test]
        fn the_laws_of_a_field_hold(a in field(), b in field(), c in field()) {
            prop_assert!(same(a.add(b), b.add(a)));
            prop_assert!(same(a.add(b).sub(b), a));
            prop_assert!(same(a.sub(b), b.sub(a).negate()));
            prop_assert!(same(a.mul(b), b.mul(a)));
            prop_assert!(same(a.mul(b).mul(c), a.mul(b.mul(c))));
            prop_assert!(same(a.mul(b.add(c)), a.mul(b).add(a.mul(c))));
            prop_assert!(same(a.square(), a.mul(a)));
            prop_assert!(same(a.double(), a.add(a)));
            prop_assert!(a.is_zero() || same(a.mul(a.invert()), Fe::ONE));
            prop_assert!(same(Fe::from_bytes(&a.to_bytes()), a));
        }

        #[test]
        fn of_two_opposite_numbers_that_are_not_zero_one_has_a_root(a in field()) {
            prop_assume!(!a.is_zero());
            let square = a.square();
            let Row([root, none]) = Row([square, square.negate()]).roots();
            prop_assert!(same(root.square(), square));
            prop_assert!(!same(none.square(), square.negate()));
        }

        #[test]
        fn many_are_inverted_like_each(values in prop::collection::vec(field(), 0..9)) {
            let values: Vec<Fe> = values.into_iter().filter(|v| !v.is_zero()).collect();
            let mut all = values.clone();
            invert_all(&mut all, &mut Vec::new());
            prop_assert!(values.iter().zip(&all).all(|(a, b)| same(a.invert(), *b)));
        }
    }
}
