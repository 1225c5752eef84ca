//! Points before they are worked out: of many, several at once.

use super::field::Fe;
use super::{Point, PointError, lanes};
use crate::encoding::{deserialize_text, fixed_from_hex};
use serde::{Deserialize, Deserializer};

/// From so many points on, eight beside each other take less than one to four.
const BESIDE: usize = 3;

/// What is written as a compressed point: the form is right, and whether a point has this x is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compressed {
    x: [u8; 32],
    odd: bool,
}

impl Compressed {
    /// The even one of the two points that may have this x.
    pub(crate) const fn even(x: [u8; 32]) -> Self {
        Self { x, odd: false }
    }

    /// From 33 bytes.
    ///
    /// # Errors
    /// [`PointError`], but for [`PointError::NotOnCurve`].
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        let length = |_| PointError::Length(bytes.len());
        let [prefix, x @ ..] = <[u8; 33]>::try_from(bytes).map_err(length)?;
        match prefix {
            2 => Ok(Self { x, odd: false }),
            3 => Ok(Self { x, odd: true }),
            other => Err(PointError::Prefix(other)),
        }
    }

    /// From 66 hexadecimal digits of either case.
    ///
    /// # Errors
    /// [`PointError::Hex`], or what [`Compressed::from_bytes`] says.
    pub(crate) fn from_hex(text: &str) -> Result<Self, PointError> {
        if text.len() != 66 && text.len().is_multiple_of(2) {
            return Err(PointError::Length(text.len() / 2));
        }
        Self::from_bytes(&fixed_from_hex::<33>(text).ok_or(PointError::Hex)?)
    }
}

impl Compressed {
    /// The point with this y; libsecp256k1 looks whether it is one.
    fn with(&self, y: [u8; 32]) -> Option<Point> {
        let mut coordinates = [0; 64];
        let (to, _) = coordinates.as_chunks_mut::<32>();
        for (to, from) in to.iter_mut().zip([self.x, y]) {
            *to = from;
        }
        Point::from_coordinates(&coordinates).ok()
    }
}

impl<'de> Deserialize<'de> for Compressed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, Self::from_hex)
    }
}

impl Point {
    /// Of each its point, in their order, which costs less than each by itself; `None` for what is none.
    pub(crate) fn each(compressed: &[Compressed]) -> Vec<Option<Self>> {
        if compressed.len() >= BESIDE {
            let asked: Vec<_> = compressed.iter().map(|one| (one.x, one.odd)).collect();
            if let Some(ordinates) = lanes::ordinates(&asked) {
                let point = |(compressed, y): (&Compressed, Option<_>)| compressed.with(y?);
                return compressed.iter().zip(ordinates).map(point).collect();
            }
        }
        Self::in_rows(compressed)
    }

    /// The same on any processor.
    fn in_rows(compressed: &[Compressed]) -> Vec<Option<Self>> {
        let mut points = Vec::with_capacity(compressed.len());
        let (fours, rest) = compressed.as_chunks::<4>();
        let (twos, rest) = rest.as_chunks::<2>();
        for four in fours {
            points.extend(Self::beside(four.each_ref()));
        }
        for two in twos {
            points.extend(Self::beside(two.each_ref()));
        }
        for one in rest {
            points.extend(Self::beside([one]));
        }
        points
    }

    /// The points, worked out beside each other; `None` for what is none. Their y are worked out here, faster than
    /// libsecp256k1 does, which then looks whether both coordinates are a point.
    pub(crate) fn beside<const N: usize>(compressed: [&Compressed; N]) -> [Option<Self>; N] {
        let ordinates = Fe::ordinates(compressed.map(|one| (Fe::from_bytes(&one.x), one.odd)));
        let mut points = [None; N];
        for ((point, compressed), y) in points.iter_mut().zip(compressed).zip(ordinates) {
            *point = y.and_then(|y| compressed.with(y.to_bytes()));
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn many_are_worked_out_like_each(
            all in prop::collection::vec((any::<[u8; 32]>(), any::<bool>()), 0..40),
        ) {
            let all: Vec<_> = all.into_iter().map(|(x, odd)| Compressed { x, odd }).collect();
            let each: Vec<_> = all.iter().map(|one| Point::from_compressed(one).ok()).collect();
            prop_assert_eq!(&Point::each(&all), &each);
            prop_assert_eq!(Point::in_rows(&all), each);
        }
    }
}
