//! Eight points multiplied by eight secret numbers. Of a point the sums of its teeth (2^0, 2^26, ... 2^104 times the point), each added or
//! subtracted, are made once; a number is then read in 26 columns of digits, each of which is one of those sums or its negative.
//! Every entry of a table is read for each digit: neither addresses nor branches depend on a secret.

#![expect(clippy::indexing_slicing, reason = "entries and teeth by constant places")]

use super::field::{Lanes, each, gathered};
use super::limbs;
use super::point::{Affine, Jacobian};
use crate::curve::field::BETA;
use crate::curve::lanes::digits::{COLUMNS, Digits, TEETH};
use std::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
    _mm512_mask_blend_epi64, _mm512_testn_epi64_mask, _mm512_xor_si512,
};
use std::array::from_fn;
use std::cell::Cell;

/// The sums in which the last tooth is added; the others are their negatives. Bit `t` of an entry's place says whether the tooth `t` is added.
pub(super) const ENTRIES: usize = 1 << (TEETH - 1);

/// The digits of eight numbers, in lanes.
pub(super) struct Columns([[__m512i; 2]; COLUMNS]);

impl Columns {
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn gather(numbers: [&Digits; 8]) -> Self {
        Self(from_fn(|column| {
            from_fn(|half| gathered(numbers.map(|digits| u64::from(digits[column][half]))))
        }))
    }
}

/// The place of a digit's entry, and the lanes in which that is to be negated.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn place(digit: __m512i) -> (__m512i, __mmask8) {
    let negative = _mm512_testn_epi64_mask(digit, each(1 << (TEETH - 1)));
    let rest = _mm512_and_si512(digit, each(15));
    (_mm512_mask_blend_epi64(negative, rest, _mm512_xor_si512(rest, each(15))), negative)
}

/// The table of eight points.
pub(super) struct Comb {
    x: [Lanes; ENTRIES],
    beta_x: [Lanes; ENTRIES],
    y: [Lanes; ENTRIES],
    /// In coordinates of this z all entries are given.
    z: Lanes,
}

thread_local! {
    /// Tables that nobody uses just now: each takes 15 kilobytes, and holds nothing secret.
    static ROOM: Cell<Vec<Comb>> = const { Cell::new(Vec::new()) };
}

/// Gives `work` so many tables, with whatever is in them.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn with_combs<T>(count: usize, work: impl FnOnce(&mut [Comb]) -> T) -> T {
    let mut combs = ROOM.take();
    if combs.len() < count {
        combs.resize_with(count, || Comb::of_ones());
    }
    let result = work(combs.get_mut(..count).unwrap_or_default());
    ROOM.set(combs);
    result
}

impl Comb {
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn of_ones() -> Self {
        let ones = [Lanes::one(); ENTRIES];
        Self { x: ones, beta_x: ones, y: ones, z: Lanes::one() }
    }

    /// Becomes the table of these points.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn fill(&mut self, points: Affine) {
        let mut tooth = Jacobian::of(points);
        let mut teeth = [tooth; TEETH];
        let mut twice = [tooth; TEETH - 1];
        for (next, twice) in teeth.iter_mut().skip(1).zip(&mut twice) {
            *twice = tooth.double();
            tooth = twice.doubles(COLUMNS - 1);
            *next = tooth;
        }
        let [first, others @ ..] = teeth;
        let mut place = ENTRIES - 1;
        let mut sum = first;
        for tooth in others {
            sum = sum.add_any(tooth);
        }
        let mut entries = [sum; ENTRIES];
        // From one to the next one tooth turns.
        for step in 1..ENTRIES {
            let turned = (0..TEETH - 1).find(|tooth| step & (1 << tooth) != 0).unwrap_or_default();
            place ^= 1 << turned;
            let added = place & (1 << turned) != 0;
            sum = sum.add_any(if added { twice[turned] } else { twice[turned].negate() });
            entries[place] = sum;
        }
        self.over_one_z(&entries);
    }

    /// The entries in coordinates of one z, the product of theirs: no inversion is needed.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn over_one_z(&mut self, entries: &[Jacobian; ENTRIES]) {
        let mut before = [Lanes::one(); ENTRIES];
        let mut product = Lanes::one();
        for (before, entry) in before.iter_mut().zip(entries) {
            *before = product;
            product = product.mul(entry.z);
        }
        self.z = product;
        let (beta, mut after) = (Lanes::each(limbs(&BETA)), Lanes::one());
        for place in (0..ENTRIES).rev() {
            let entry = entries[place];
            let others = before[place].mul(after);
            let square = others.square();
            after = after.mul(entry.z);
            let x = entry.x.mul(square);
            self.x[place] = x;
            self.beta_x[place] = x.mul(beta);
            self.y[place] = entry.y.mul(square.mul(others));
        }
    }

    /// The points times the numbers.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn times(&self, Columns(columns): &Columns) -> Jacobian {
        let [columns @ .., last] = columns;
        let begin = |[a, b]: [__m512i; 2]| {
            Jacobian::of(self.entry(&self.x, a)).add(self.entry(&self.beta_x, b))
        };
        let sum = columns.iter().rev().fold(begin(*last), |sum, [a, b]| {
            sum.double().add(self.entry(&self.x, *a)).add(self.entry(&self.beta_x, *b))
        });
        Jacobian { z: sum.z.mul(self.z), ..sum }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn entry(&self, xs: &[Lanes; ENTRIES], digit: __m512i) -> Affine {
        let (place, negative) = place(digit);
        let mut found = Affine { x: xs[0], y: self.y[0] };
        let mut at = each(0);
        for (x, y) in xs.iter().zip(&self.y).skip(1) {
            at = _mm512_add_epi64(at, each(1));
            let here = _mm512_cmpeq_epi64_mask(place, at);
            found = Affine { x: found.x.or(here, *x), y: found.y.or(here, *y) };
        }
        found.negated(negative)
    }
}

/// One column of the table of one point that all lanes share, limb by limb.
#[derive(Clone, Copy)]
pub(super) struct SharedColumn {
    pub(super) x: [[u64; ENTRIES]; 5],
    pub(super) beta_x: [[u64; ENTRIES]; 5],
    pub(super) y: [[u64; ENTRIES]; 5],
}

impl SharedColumn {
    pub(super) const EMPTY: Self =
        Self { x: [[0; ENTRIES]; 5], beta_x: [[0; ENTRIES]; 5], y: [[0; ENTRIES]; 5] };

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn entry(&self, xs: &[[u64; ENTRIES]; 5], digit: __m512i) -> Affine {
        let (place, negative) = place(digit);
        Affine { x: Lanes::pick(xs, place), y: Lanes::pick(&self.y, place) }.negated(negative)
    }
}

/// The shared point times the numbers: its table has the sums of each column, so nothing is doubled.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn shared_times(
    table: &[SharedColumn; COLUMNS],
    Columns(columns): &Columns,
) -> Jacobian {
    let [first, table @ ..] = table;
    let [[a, b], columns @ ..] = columns;
    let begin = Jacobian::of(first.entry(&first.x, *a)).add(first.entry(&first.beta_x, *b));
    table.iter().zip(columns).fold(begin, |sum, (column, [a, b])| {
        sum.add(column.entry(&column.x, *a)).add(column.entry(&column.beta_x, *b))
    })
}
