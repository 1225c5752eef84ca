//! Points of secp256k1 in eight lanes, added and doubled without asking what they are. Where an addition has no answer in these formulas
//! (a point added to itself, to its negative or to infinity) z becomes zero, and stays so: seen at the end, never wrong.

use super::field::{Lanes, Limbs};
use std::arch::x86_64::__mmask8;

/// `(x, y)`, both of magnitude 1; y 2 if it was negated.
#[derive(Clone, Copy)]
pub(super) struct Affine {
    pub(super) x: Lanes,
    pub(super) y: Lanes,
}

/// `(x / z^2, y / z^3)`, of magnitudes up to 5, 3 and 1. What is added to it may be in coordinates of a z of its own, if all of it is:
/// the formulas know nothing of the curve but that its equation has no term in x alone.
#[derive(Clone, Copy)]
pub(super) struct Jacobian {
    pub(super) x: Lanes,
    pub(super) y: Lanes,
    pub(super) z: Lanes,
}

impl Affine {
    /// The points with these coordinates.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn gather(points: &[[Limbs; 2]; 8]) -> Self {
        let (x, y) = (points.map(|[x, _]| x), points.map(|[_, y]| y));
        Self { x: Lanes::gather(&x), y: Lanes::gather(&y) }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn negated(self, lanes: __mmask8) -> Self {
        Self { y: self.y.negated(lanes), ..self }
    }
}

impl Jacobian {
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn of(point: Affine) -> Self {
        Self { x: point.x, y: point.y, z: Lanes::one() }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn double(self) -> Self {
        let Self { x, y, z } = self;
        let s = y.square();
        let l = x.square().three_halves();
        let t = x.mul(s);
        let x3 = l.square().sub_twice(t);
        Self { x: x3, y: l.mul(t.sub::<5>(x3)).sub::<2>(s.square()), z: y.mul(z) }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn doubles(self, times: usize) -> Self {
        (0..times).fold(self, |point, _| point.double())
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn add(self, other: Affine) -> Self {
        let Self { x, y, z } = self;
        let zz = z.square();
        let h = other.x.mul(zz).sub::<6>(x);
        let r = other.y.mul(zz.mul(z)).sub::<4>(y);
        Self::chord((x, y), (h, r), z.mul(h))
    }

    /// Both points with any z.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn add_any(self, other: Self) -> Self {
        let (zz1, zz2) = (self.z.square(), other.z.square());
        let (x, y) = (self.x.mul(zz2), self.y.mul(zz2.mul(other.z)));
        let h = other.x.mul(zz1).sub::<2>(x);
        let r = other.y.mul(zz1.mul(self.z)).sub::<2>(y);
        Self::chord((x, y), (h, r), self.z.mul(other.z).mul(h))
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn chord((x, y): (Lanes, Lanes), (h, r): (Lanes, Lanes), z: Lanes) -> Self {
        let hh = h.square();
        let hhh = hh.mul(h);
        let v = x.mul(hh);
        let x3 = r.square().sub_both(hhh, v);
        Self { x: x3, y: r.mul(v.sub::<6>(x3)).sub::<2>(y.mul(hhh)), z }
    }

    /// Its negative, of magnitude 4 in y.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn negate(self) -> Self {
        Self { y: Lanes::each([0; 5]).sub::<4>(self.y), ..self }
    }

    /// The lanes in which it is this point; never one in which z is zero.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn is(self, point: Affine) -> __mmask8 {
        let zz = self.z.square();
        let x = point.x.mul(zz).sub::<6>(self.x).zeros();
        let y = point.y.mul(zz.mul(self.z)).sub::<4>(self.y).zeros();
        x & y & !self.z.zeros()
    }

    /// The coordinates of each lane, with the inverse of z; both zero where z is.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn scatter(self, inverse: Lanes) -> [[Limbs; 2]; 8] {
        let square = inverse.square();
        let x = self.x.mul(square).scatter();
        let mut y = self.y.mul(square.mul(inverse)).scatter().into_iter();
        x.map(|x| [x, y.next().unwrap_or_default()])
    }
}
