//! Points before they are worked out: of many, several at once.

use super::field::Fe;
use super::{Point, PointError};
use crate::encoding::{deserialize_text, fixed_from_hex};
use serde::{Deserialize, Deserializer};

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

impl<'de> Deserialize<'de> for Compressed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, Self::from_hex)
    }
}

impl Point {
    /// All of them, in their order, which costs less than each by itself; or the place of the first that is no point.
    ///
    /// # Errors
    /// The place, from 0.
    pub(crate) fn all(compressed: &[Compressed]) -> Result<Vec<Self>, usize> {
        let mut points = Vec::with_capacity(compressed.len());
        let (fours, rest) = compressed.as_chunks::<4>();
        let (twos, rest) = rest.as_chunks::<2>();
        for four in fours {
            Self::append(four.each_ref(), &mut points)?;
        }
        for two in twos {
            Self::append(two.each_ref(), &mut points)?;
        }
        for one in rest {
            Self::append([one], &mut points)?;
        }
        Ok(points)
    }

    fn append<const N: usize>(
        compressed: [&Compressed; N],
        to: &mut Vec<Self>,
    ) -> Result<(), usize> {
        for point in Self::beside(compressed) {
            to.push(point.ok_or(to.len())?);
        }
        Ok(())
    }

    /// The points, worked out beside each other; `None` for what is none. Their y are worked out here, faster than
    /// libsecp256k1 does, which then looks whether both coordinates are a point.
    pub(crate) fn beside<const N: usize>(compressed: [&Compressed; N]) -> [Option<Self>; N] {
        let ordinates = Fe::ordinates(compressed.map(|one| (Fe::from_bytes(&one.x), one.odd)));
        let mut points = [None; N];
        for ((point, compressed), y) in points.iter_mut().zip(compressed).zip(ordinates) {
            let Some(y) = y else { continue };
            let mut coordinates = [0; 64];
            let (to, _) = coordinates.as_chunks_mut::<32>();
            for (to, from) in to.iter_mut().zip([compressed.x, y.to_bytes()]) {
                *to = from;
            }
            *point = Self::from_coordinates(&coordinates).ok();
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
        fn many_are_worked_out_like_each_and_the_first_that_is_none_is_named(
            all in prop::collection::vec((any::<[u8; 32]>(), any::<bool>()), 0..12),
            whole in any::<bool>(),
        ) {
            let all = all.into_iter().map(|(x, odd)| Compressed { x, odd });
            let is_one = |one: &Compressed| Point::from_compressed(one).is_ok();
            let all: Vec<_> = all.filter(|one| !whole || is_one(one)).collect();
            let each: Vec<_> = all.iter().map(|one| Point::from_compressed(one).ok()).collect();
            match each.iter().position(Option::is_none) {
                Some(place) => prop_assert_eq!(Point::all(&all), Err(place)),
                None => prop_assert_eq!(Point::all(&all).ok(), each.into_iter().collect()),
            }
        }
    }
}
