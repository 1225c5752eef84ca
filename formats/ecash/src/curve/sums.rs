//! Weighted sums of public points, fast and in variable time: what verifying many signatures at once
//! consists of. Weights are known to nobody before; points are what was received. No secret comes here.
//!
//! A weight `a + 2^64 b` means `a + b lambda`, where `lambda (x, y) = (beta x, y)`: different weights
//! are different numbers modulo the order, and both halves share 64 doublings. Points are added as
//! pairs of coordinates, with one inversion for each round of additions.

use super::Point;
use super::field::{BETA, Fe, invert_all};
use std::cell::Cell;

/// Digits of 64 bits in signed windows reach one place further.
const PLACES: usize = 65;

#[derive(Clone, Copy)]
struct Affine {
    x: Fe,
    y: Fe,
}

/// A point with its weight, and the sum it belongs to.
pub(super) struct Term {
    pub(super) sum: usize,
    pub(super) point: Point,
    pub(super) weight: u128,
}

/// The points that belong to one place of one sum: where they stand, and how many there are.
#[derive(Clone, Copy, Default)]
struct Column {
    start: usize,
    length: usize,
}

/// A digit of a weight: to which column which multiple of which number goes, and whether it is subtracted.
type Entry = (usize, usize, usize, bool);

/// Room to work in. It is as large as what was last worked out on this thread: memory that is asked for and given back for each
/// batch costs more than the sums do where the system clears it in pages of two megabytes.
#[derive(Default)]
struct Room {
    multiples: Vec<[Affine; 4]>,
    entries: Vec<Entry>,
    points: Vec<Affine>,
    inverses: Vec<Fe>,
    before: Vec<[Fe; 4]>,
}

/// The most digits for which room is kept: some megabytes. What is larger is rare.
const KEPT: usize = 1 << 15;

thread_local! {
    static ROOM: Cell<Room> = Cell::default();
}

/// The sums, by number; `None` for one that is the point at infinity.
pub(super) fn sums(terms: &[Term], count: usize) -> Vec<Option<Point>> {
    let mut room = ROOM.take();
    let found = room.sums(terms, count);
    if room.entries.capacity() <= KEPT {
        ROOM.set(room);
    }
    found
}

impl Room {
    fn sums(&mut self, terms: &[Term], count: usize) -> Vec<Option<Point>> {
        let Self { multiples, entries, points, inverses, before } = self;
        odd_multiples(terms, multiples, before);
        let mut columns = vec![Column::default(); count.saturating_mul(PLACES)];
        entries.clear();
        entries.reserve(terms.len().saturating_mul(32));
        for (term, first) in terms.iter().zip((0_usize..).step_by(2)) {
            for (half, number) in halves(term.weight).into_iter().zip(first..) {
                digits(half, |place, index, negative| {
                    let column = term.sum.saturating_mul(PLACES).saturating_add(place);
                    if let Some(column) = columns.get_mut(column) {
                        column.length = column.length.saturating_add(1);
                    }
                    entries.push((column, number, index, negative));
                });
            }
        }
        sorted(multiples, entries, &mut columns, points);
        while add_pairs(points, &mut columns, (&mut *inverses, &mut *before)) {}
        let first =
            |column: &Column| (column.length > 0).then(|| points.get(column.start)).flatten();
        let horner = |places: &[Column]| horner(places.iter().rev().map(first));
        finish(columns.chunks(PLACES).map(horner).collect(), before)
    }
}

/// The entries' points, column after column.
fn sorted(
    multiples: &[[Affine; 4]],
    entries: &[Entry],
    columns: &mut [Column],
    points: &mut Vec<Affine>,
) {
    let mut start = 0_usize;
    for column in columns.iter_mut() {
        column.start = start;
        start = start.saturating_add(column.length);
        column.length = 0;
    }
    let nothing = Affine { x: Fe::ONE, y: Fe::ONE };
    points.clear();
    points.resize(start, nothing);
    for (column, number, index, negative) in entries {
        let Some(column) = columns.get_mut(*column) else { continue };
        let place = points.get_mut(column.start.saturating_add(column.length));
        let entry = multiples.get(*number).and_then(|table| table.get(*index)).copied();
        if let (Some(place), Some(entry)) = (place, entry) {
            *place = if *negative { entry.negate() } else { entry };
            column.length = column.length.saturating_add(1);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a weight are what is meant")]
const fn halves(weight: u128) -> [u64; 2] {
    [weight as u64, (weight >> 64) as u64]
}

/// The digits of a number in signed windows of four bits: odd, from -7 to 7, as place, half of the
/// digit's size, and whether it is negative.
fn digits(number: u64, mut digit: impl FnMut(usize, usize, bool)) {
    let mut rest = u128::from(number);
    let mut place = 0_usize;
    while rest != 0 {
        let zeros = rest.trailing_zeros();
        rest >>= zeros;
        place = place.saturating_add(usize::try_from(zeros).unwrap_or(PLACES));
        let [window, _] = halves(rest & 15);
        if window < 8 {
            digit(place, usize::try_from(window >> 1).unwrap_or_default(), false);
            rest &= !15;
        } else {
            digit(
                place,
                usize::try_from(15_u64.saturating_sub(window) >> 1).unwrap_or_default(),
                true,
            );
            rest = (rest | 15).saturating_add(1);
        }
    }
}

impl Affine {
    fn of(point: &Point) -> Self {
        let bytes = point.uncompressed();
        let (coordinates, _) = bytes.get(1..).unwrap_or_default().as_chunks::<32>();
        let mut numbers = coordinates.iter().map(Fe::from_bytes);
        let mut next = || numbers.next().unwrap_or(Fe::ONE);
        Self { x: next(), y: next() }
    }

    const fn negate(self) -> Self {
        Self { x: self.x, y: self.y.negate() }
    }

    /// The sum with `other`, given one over the difference of their x.
    #[inline(always)]
    const fn chord(self, other: Self, inverse: Fe) -> Self {
        self.third(other.x, other.y.sub(self.y).mul(inverse))
    }

    /// Twice this, given one over twice its y.
    const fn tangent(self, inverse: Fe) -> Self {
        let square = self.x.square();
        self.third(self.x, square.double().add(square).mul(inverse))
    }

    #[inline(always)]
    const fn third(self, other_x: Fe, slope: Fe) -> Self {
        let x = slope.square().sub(self.x).sub(other_x);
        Self { x, y: slope.mul(self.x.sub(x)).sub(self.y) }
    }
}

/// 1, 3, 5 and 7 times each point, and the same times lambda, one after the other. The order of the curve is prime and greater than 7: no two of those
/// that are added have the same x.
fn odd_multiples(terms: &[Term], multiples: &mut Vec<[Affine; 4]>, before: &mut Vec<[Fe; 4]>) {
    let ones: Vec<Affine> = terms.iter().map(|term| Affine::of(&term.point)).collect();
    let mut inverses: Vec<Fe> = ones.iter().map(|point| point.y.double()).collect();
    invert_all(&mut inverses, before);
    let twos: Vec<Affine> = ones.iter().zip(&inverses).map(|(one, i)| one.tangent(*i)).collect();
    let mut next = |from: &[Affine]| -> Vec<Affine> {
        let mut inverses: Vec<Fe> = from.iter().zip(&twos).map(|(a, two)| two.x.sub(a.x)).collect();
        invert_all(&mut inverses, before);
        from.iter().zip(&twos).zip(&inverses).map(|((a, two), i)| a.chord(*two, *i)).collect()
    };
    let threes = next(&ones);
    let fives = next(&threes);
    let sevens = next(&fives);
    let beta = Fe::from_bytes(&BETA);
    let all = ones.iter().zip(&threes).zip(&fives).zip(&sevens);
    multiples.clear();
    multiples.extend(all.flat_map(|(((one, three), five), seven)| {
        let table = [*one, *three, *five, *seven];
        [table, table.map(|point| Affine { x: point.x.mul(beta), y: point.y })]
    }));
}

/// Adds the points of each column in pairs; false if no column had two.
fn add_pairs(
    points: &mut [Affine],
    columns: &mut [Column],
    (inverses, before): (&mut Vec<Fe>, &mut Vec<[Fe; 4]>),
) -> bool {
    inverses.clear();
    inverses.reserve(points.len() / 2);
    for column in columns.iter() {
        let (pairs, _) = of(points, *column).as_chunks::<2>();
        inverses.extend(pairs.iter().map(denominator));
    }
    if inverses.is_empty() {
        return false;
    }
    invert_all(inverses, before);
    let mut inverses = inverses.iter().copied();
    for column in columns.iter_mut() {
        let mut kept = 0_usize;
        for pair in 0..column.length / 2 {
            let (pairs, _) = of(points, *column).as_chunks::<2>();
            let pair = pairs.get(pair).copied();
            let sum =
                pair.zip(inverses.next()).and_then(|(pair, inverse)| pair_sum(&pair, inverse));
            kept = keep(points, *column, kept, sum);
        }
        if !column.length.is_multiple_of(2) {
            let last = of(points, *column).last().copied();
            kept = keep(points, *column, kept, last);
        }
        column.length = kept;
    }
    true
}

fn of(points: &[Affine], column: Column) -> &[Affine] {
    let end = column.start.saturating_add(column.length);
    points.get(column.start..end).unwrap_or_default()
}

/// Puts a point, if there is one, where the column has kept `kept`; how many it then has.
#[inline(always)]
fn keep(points: &mut [Affine], column: Column, kept: usize, point: Option<Affine>) -> usize {
    match (point, points.get_mut(column.start.saturating_add(kept))) {
        (Some(point), Some(place)) => {
            *place = point;
            kept.saturating_add(1)
        }
        _ => kept,
    }
}

/// What a pair's sum divides by; one if they cancel.
#[inline(always)]
fn denominator([a, b]: &[Affine; 2]) -> Fe {
    let difference = b.x.sub(a.x);
    if !difference.is_zero() {
        difference
    } else if b.y.sub(a.y).is_zero() {
        a.y.double()
    } else {
        Fe::ONE
    }
}

#[inline(always)]
fn pair_sum([a, b]: &[Affine; 2], inverse: Fe) -> Option<Affine> {
    if !b.x.sub(a.x).is_zero() {
        Some(a.chord(*b, inverse))
    } else {
        b.y.sub(a.y).is_zero().then(|| a.tangent(inverse))
    }
}

/// `(x / z^2, y / z^3)`; infinity is `None`.
type Jacobian = Option<(Fe, Fe, Fe)>;

/// The places of a sum, from the last: doubled at each place, and its point added.
fn horner<'a>(places: impl Iterator<Item = Option<&'a Affine>>) -> Jacobian {
    places.fold(None, |sum, point| {
        let doubled = sum.map(double);
        match point {
            Some(point) => add(doubled, *point),
            None => doubled,
        }
    })
}

/// No point of the curve has y zero: twice a point is a point.
fn double((x, y, z): (Fe, Fe, Fe)) -> (Fe, Fe, Fe) {
    let yy = y.square();
    let s = x.mul(yy).double().double();
    let xx = x.square();
    let m = xx.double().add(xx);
    let x3 = m.square().sub(s.double());
    let y3 = m.mul(s.sub(x3)).sub(yy.square().double().double().double());
    (x3, y3, y.mul(z).double())
}

fn add(sum: Jacobian, point: Affine) -> Jacobian {
    let Some((x, y, z)) = sum else { return Some((point.x, point.y, Fe::ONE)) };
    let zz = z.square();
    let h = point.x.mul(zz).sub(x);
    let r = point.y.mul(zz).mul(z).sub(y);
    if h.is_zero() {
        return r.is_zero().then(|| double((x, y, z)));
    }
    let hh = h.square();
    let hhh = hh.mul(h);
    let v = x.mul(hh);
    let x3 = r.square().sub(hhh).sub(v.double());
    Some((x3, r.mul(v.sub(x3)).sub(y.mul(hhh)), z.mul(h)))
}

fn finish(sums: Vec<Jacobian>, before: &mut Vec<[Fe; 4]>) -> Vec<Option<Point>> {
    let mut inverses: Vec<Fe> = sums.iter().map(|sum| sum.map_or(Fe::ONE, |(_, _, z)| z)).collect();
    invert_all(&mut inverses, before);
    let point = |(sum, inverse): (Jacobian, Fe)| {
        let (x, y, _) = sum?;
        let square = inverse.square();
        let mut bytes = [0; 64];
        let (coordinates, _) = bytes.as_chunks_mut::<32>();
        let values = [x.mul(square), y.mul(square).mul(inverse)];
        for (to, from) in coordinates.iter_mut().zip(values) {
            *to = from.to_bytes();
        }
        Point::from_coordinates(&bytes).ok()
    };
    sums.into_iter().zip(inverses).map(point).collect()
}

#[cfg(test)]
mod tests;
