//! The field of secp256k1 in eight lanes: eight numbers beside each other, worked out by the same instructions whatever they are.

#![expect(
    clippy::indexing_slicing,
    reason = "limbs by constant places, in loops that are unrolled"
)]
#![expect(clippy::arithmetic_side_effects, reason = "places of limbs below ten")]

use std::arch::x86_64::{
    __m512i, __mmask8, _mm256_extract_epi64, _mm512_add_epi64, _mm512_and_si512,
    _mm512_castsi512_si256, _mm512_extracti64x4_epi64, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_or_si512, _mm512_permutex2var_epi64,
    _mm512_set_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64,
    _mm512_srli_epi64, _mm512_sub_epi64, _mm512_test_epi64_mask, _mm512_testn_epi64_mask,
};
use std::array::from_fn;

/// Eight numbers modulo the prime: in each lane five limbs of 52 bits, the least first. What is multiplied may exceed the prime, as
/// long as its limbs have 52 bits; by how many times it may is its magnitude, which each operation states.
#[derive(Clone, Copy)]
pub(super) struct Lanes([__m512i; 5]);

/// One number in limbs of 52 bits, below the prime.
pub(super) type Limbs = [u64; 5];

const LIMB: u64 = (1 << 52) - 1;
/// The bits of a limb that are below 2^256 in the last.
const LAST: u64 = (1 << 48) - 1;
/// 2^256 less the prime.
const C: u64 = 0x1_0000_03d1;
const PRIME: Limbs = [0xf_fffe_ffff_fc2f, LIMB, LIMB, LIMB, LAST];

/// The same in each lane.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(super) fn each(value: u64) -> __m512i {
    _mm512_set1_epi64(value.cast_signed())
}

/// The first value in the first lane, and so on.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(super) fn gathered(values: [u64; 8]) -> __m512i {
    let [a, b, c, d, e, f, g, h] = values.map(u64::cast_signed);
    _mm512_set_epi64(h, g, f, e, d, c, b, a)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn scattered(lanes: __m512i) -> [u64; 8] {
    let (a, b) = (_mm512_castsi512_si256(lanes), _mm512_extracti64x4_epi64::<1>(lanes));
    [
        _mm256_extract_epi64::<0>(a),
        _mm256_extract_epi64::<1>(a),
        _mm256_extract_epi64::<2>(a),
        _mm256_extract_epi64::<3>(a),
        _mm256_extract_epi64::<0>(b),
        _mm256_extract_epi64::<1>(b),
        _mm256_extract_epi64::<2>(b),
        _mm256_extract_epi64::<3>(b),
    ]
    .map(i64::cast_unsigned)
}

/// Limbs of more than 52 bits, carried from each to the next; the last keeps what it has.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn carried(sums: [__m512i; 5]) -> Lanes {
    let [s0, s1, s2, s3, s4] = sums;
    let s1 = _mm512_add_epi64(s1, _mm512_srli_epi64::<52>(s0));
    let s2 = _mm512_add_epi64(s2, _mm512_srli_epi64::<52>(s1));
    let s3 = _mm512_add_epi64(s3, _mm512_srli_epi64::<52>(s2));
    let s4 = _mm512_add_epi64(s4, _mm512_srli_epi64::<52>(s3));
    let limb = |sum| _mm512_and_si512(sum, each(LIMB));
    Lanes([limb(s0), limb(s1), limb(s2), limb(s3), s4])
}

/// The ten columns of a product, below 2^57 each: of magnitude 1.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn folded(columns: [__m512i; 10]) -> Lanes {
    let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = columns;
    let Lanes([c5, c6, c7, c8, c9]) = carried([c5, c6, c7, c8, c9]);
    // 2^260 counts 16 C times.
    let r = each(C << 4);
    let zero = _mm512_setzero_si512();
    let r0 = _mm512_madd52lo_epu64(c0, c5, r);
    let r1 = _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(c1, c6, r), c5, r);
    let r2 = _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(c2, c7, r), c6, r);
    let r3 = _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(c3, c8, r), c7, r);
    let r4 = _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(c4, c9, r), c8, r);
    let r5 = _mm512_madd52hi_epu64(zero, c9, r);
    // 2^256 counts C times. What the last limb is carried afterwards leaves less than 2^256 + 2^218.
    let above = _mm512_add_epi64(_mm512_srli_epi64::<48>(r4), _mm512_slli_epi64::<4>(r5));
    let r4 = _mm512_and_si512(r4, each(LAST));
    let r0 = _mm512_madd52lo_epu64(r0, above, each(C));
    let r1 = _mm512_madd52hi_epu64(r1, above, each(C));
    carried([r0, r1, r2, r3, r4])
}

impl Lanes {
    /// The same number in each lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn each(limbs: Limbs) -> Self {
        Self(limbs.map(|limb| each(limb)))
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn one() -> Self {
        Self::each([1, 0, 0, 0, 0])
    }

    /// A number in each lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn gather(numbers: &[Limbs; 8]) -> Self {
        Self(from_fn(|limb| gathered(numbers.map(|number| number[limb]))))
    }

    /// The number of each lane, below the prime. Any magnitude.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn scatter(self) -> [Limbs; 8] {
        let limbs = self.reduced().0.map(|limb| scattered(limb));
        from_fn(|lane| limbs.map(|limb| limb[lane]))
    }

    /// The lanes in which it is zero.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn zeros(self) -> __mmask8 {
        let [a0, a1, a2, a3, a4] = self.reduced().0;
        let any = _mm512_or_si512(_mm512_or_si512(a0, a1), _mm512_or_si512(a2, a3));
        let any = _mm512_or_si512(any, a4);
        _mm512_testn_epi64_mask(any, any)
    }

    /// Below the prime.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn reduced(self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        let below = |last| _mm512_and_si512(last, each(LAST));
        let a0 = _mm512_madd52lo_epu64(a0, _mm512_srli_epi64::<48>(a4), each(C));
        let once = carried([a0, a1, a2, a3, below(a4)]);
        // C more reaches 2^256 exactly if the number is not below the prime.
        let [o0, o1, o2, o3, o4] = once.0;
        let Self([m0, m1, m2, m3, m4]) = carried([_mm512_add_epi64(o0, each(C)), o1, o2, o3, o4]);
        let reached = _mm512_test_epi64_mask(m4, each(LAST + 1));
        once.or(reached, Self([m0, m1, m2, m3, below(m4)]))
    }

    /// Of magnitude 1, of factors of magnitudes up to 15.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn mul(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        let mut low = [_mm512_setzero_si512(); 10];
        let mut high = low;
        for i in 0..5 {
            for j in 0..5 {
                low[i + j] = _mm512_madd52lo_epu64(low[i + j], a[i], b[j]);
                high[i + j + 1] = _mm512_madd52hi_epu64(high[i + j + 1], a[i], b[j]);
            }
        }
        folded(from_fn(|column| _mm512_add_epi64(low[column], high[column])))
    }

    /// Of magnitude 1, of a magnitude up to 15.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn square(self) -> Self {
        let a = self.0;
        let mut sums = [_mm512_setzero_si512(); 10];
        for i in 0..5 {
            for j in i + 1..5 {
                sums[i + j] = _mm512_madd52lo_epu64(sums[i + j], a[i], a[j]);
                sums[i + j + 1] = _mm512_madd52hi_epu64(sums[i + j + 1], a[i], a[j]);
            }
        }
        for sum in &mut sums {
            *sum = _mm512_add_epi64(*sum, *sum);
        }
        for i in 0..5 {
            sums[2 * i] = _mm512_madd52lo_epu64(sums[2 * i], a[i], a[i]);
            sums[2 * i + 1] = _mm512_madd52hi_epu64(sums[2 * i + 1], a[i], a[i]);
        }
        folded(sums)
    }

    /// Less `other`, whose magnitude is below `ABOVE`; of the magnitude of this and `ABOVE` more.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn sub<const ABOVE: u64>(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        carried(from_fn(|i| _mm512_sub_epi64(_mm512_add_epi64(a[i], each(PRIME[i] * ABOVE)), b[i])))
    }

    /// Less twice `other`, of magnitude 1; of a magnitude 3 more.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn sub_twice(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        carried(from_fn(|i| {
            let above = _mm512_add_epi64(a[i], each(PRIME[i] * 3));
            _mm512_sub_epi64(above, _mm512_add_epi64(b[i], b[i]))
        }))
    }

    /// Less `once` and less twice `other`, both of magnitude 1; of a magnitude 4 more.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn sub_both(self, once: Self, other: Self) -> Self {
        let (a, b, c) = (self.0, once.0, other.0);
        carried(from_fn(|i| {
            let above = _mm512_add_epi64(a[i], each(PRIME[i] * 4));
            _mm512_sub_epi64(above, _mm512_add_epi64(b[i], _mm512_add_epi64(c[i], c[i])))
        }))
    }

    /// Three halves of a number of magnitude 1; of magnitude 2.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn three_halves(self) -> Self {
        let a = self.0;
        let zero = _mm512_setzero_si512();
        let odd = _mm512_sub_epi64(zero, _mm512_and_si512(a[0], each(1)));
        let Self([s0, s1, s2, s3, s4]) = carried(from_fn(|i| {
            let three = _mm512_add_epi64(a[i], _mm512_add_epi64(a[i], a[i]));
            _mm512_add_epi64(three, _mm512_and_si512(each(PRIME[i]), odd))
        }));
        let half = |limb, next| {
            let from_next = _mm512_and_si512(_mm512_slli_epi64::<51>(next), each(LIMB));
            _mm512_or_si512(_mm512_srli_epi64::<1>(limb), from_next)
        };
        Self([half(s0, s1), half(s1, s2), half(s2, s3), half(s3, s4), half(s4, zero)])
    }

    /// The negative of a number of magnitude 1, in the lanes of the mask; of magnitude 2.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn negated(self, lanes: __mmask8) -> Self {
        self.or(lanes, Self([_mm512_setzero_si512(); 5]).sub::<2>(self))
    }

    /// `other` in the lanes of the mask.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn or(self, lanes: __mmask8, other: Self) -> Self {
        Self(from_fn(|i| _mm512_mask_blend_epi64(lanes, self.0[i], other.0[i])))
    }

    /// In each lane the number of the table, limb by limb, that its index says. No address depends on the index.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn pick(table: &[[u64; 16]; 5], index: __m512i) -> Self {
        Self(from_fn(|limb| {
            let (eights, _) = table[limb].as_chunks::<8>();
            _mm512_permutex2var_epi64(gathered(eights[0]), index, gathered(eights[1]))
        }))
    }

    /// Seven more, of magnitude 1.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn plus_seven(self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        carried([_mm512_add_epi64(a0, each(7)), a1, a2, a3, a4])
    }

    /// The inverse, by Fermat: to the power of the prime less two. Zero stays zero.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn invert(self) -> Self {
        let one = Row([self]);
        let [x2, x22, x223] = one.powers();
        let tail = x223.squared(23).mul(x22).squared(5).mul(one).squared(3).mul(x2);
        let Row([inverse]) = tail.squared(2).mul(one);
        inverse
    }
}

/// Several that are raised to the same power beside each other: the processor does a step of one while the step of another is not ended.
#[derive(Clone, Copy)]
struct Row<const N: usize>([Lanes; N]);

impl<const N: usize> Row<N> {
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn mul(self, Self(others): Self) -> Self {
        let Self(mut values) = self;
        for (value, other) in values.iter_mut().zip(others) {
            *value = value.mul(other);
        }
        Self(values)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn squared(self, times: u32) -> Self {
        let Self(mut values) = self;
        for _ in 0..times {
            for value in &mut values {
                *value = value.square();
            }
        }
        Self(values)
    }

    /// To the powers of 2^2 - 1, 2^22 - 1 and 2^223 - 1, with which both exponents begin.
    #[target_feature(enable = "avx512f,avx512ifma")]
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
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn roots(self) -> Self {
        let [x2, x22, x223] = self.powers();
        x223.squared(23).mul(x22).squared(6).mul(x2).squared(2)
    }
}

/// Of each x, of magnitude 1, the y of a point of the curve, odd in the lanes of the mask beside it and even in the others; and the lanes
/// that have such a point.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn ordinates<const N: usize>(all: [(Lanes, __mmask8); N]) -> [(Lanes, __mmask8); N] {
    let squares = all.map(|(x, _)| x.square().mul(x).plus_seven());
    let Row(roots) = Row(squares).roots();
    from_fn(|row| {
        let root = roots[row];
        let has = root.square().sub::<3>(squares[row]).zeros();
        let root = root.reduced();
        let odd = _mm512_test_epi64_mask(root.0[0], each(1));
        (root.negated(odd ^ all[row].1), has)
    })
}

/// Of each its inverse, for one inversion and three products each. What is zero in a lane makes all of that lane zero.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn inverses(values: &[Lanes]) -> Vec<Lanes> {
    let mut product = Lanes::one();
    let mut inverses = Vec::with_capacity(values.len());
    for value in values {
        inverses.push(product);
        product = product.mul(*value);
    }
    let mut inverse = product.invert();
    for (before, value) in inverses.iter_mut().zip(values).rev() {
        *before = before.mul(inverse);
        inverse = inverse.mul(*value);
    }
    inverses
}
