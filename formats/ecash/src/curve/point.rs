//! A point of secp256k1 that is there: on the curve, not at infinity, known by its one compressed form.

use super::Compressed;
use crate::encoding::{deserialize_text, serialize_hex, to_hex, write_hex};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io;

/// Why bytes are not a point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Not 33 bytes: the compressed form of SEC 1 is the only one taken, and infinity has none.
    #[error("a point is 33 bytes in compressed form, these are {0}")]
    Length(usize),
    /// The first byte says another form.
    #[error("a compressed point begins with 02 or 03, not with {0:02x}")]
    Prefix(u8),
    /// No point of the curve has this x, or x is not below the field's prime.
    #[error("the bytes are no point of secp256k1")]
    NotOnCurve,
    /// The text is not hexadecimal.
    #[error("a point is written as 66 hexadecimal digits")]
    Hex,
}

/// A point of secp256k1: a blinded message `B_`, a signature `C_` or `C`, a key `K`, a hashed
/// secret `Y` (NUT-00). Never infinity. Its bytes are opaque to whoever only stores or compares it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point(pub(crate) secp256k1::PublicKey);

impl Point {
    /// From its 33 compressed bytes.
    ///
    /// # Errors
    /// [`PointError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        Self::from_compressed(&Compressed::from_bytes(bytes)?)
    }

    /// The point whose compressed form these are.
    pub(crate) fn from_compressed(compressed: &Compressed) -> Result<Self, PointError> {
        let [point] = Self::beside([compressed]);
        point.ok_or(PointError::NotOnCurve)
    }

    /// From 66 hexadecimal digits of either case.
    ///
    /// # Errors
    /// [`PointError::Hex`], or what [`Point::from_bytes`] says.
    pub fn from_hex(text: &str) -> Result<Self, PointError> {
        Self::from_compressed(&Compressed::from_hex(text)?)
    }

    /// The compressed form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 33] {
        self.0.serialize()
    }

    /// The compressed form in lower-case hexadecimal.
    #[must_use]
    pub fn to_hex(&self) -> String {
        to_hex(&self.to_bytes())
    }

    /// The x coordinate: what a BIP-340 signature is checked against.
    pub(crate) fn x(&self) -> [u8; 32] {
        self.0.x_only_public_key().0.serialize()
    }

    /// `0x04 || x || y`.
    pub(crate) fn uncompressed(&self) -> [u8; 65] {
        self.0.serialize_uncompressed()
    }

    /// `x || y`.
    pub(crate) fn coordinates(&self) -> [u8; 64] {
        let [_, coordinates @ ..] = self.uncompressed();
        coordinates
    }

    /// From `x || y`; fails for what is not on the curve.
    pub(crate) fn from_coordinates(coordinates: &[u8; 64]) -> Result<Self, PointError> {
        secp256k1::PublicKey::from_slice(&uncompressed(coordinates))
            .map(Self)
            .map_err(|_| PointError::NotOnCurve)
    }
}

/// `0x04 || x || y`, of `x || y`.
pub(super) fn uncompressed(coordinates: &[u8; 64]) -> [u8; 65] {
    let mut bytes = [4; 65];
    let [_, rest @ ..] = &mut bytes;
    *rest = *coordinates;
    bytes
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.to_bytes())
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.to_bytes())
    }
}

impl std::str::FromStr for Point {
    type Err = PointError;

    fn from_str(text: &str) -> Result<Self, PointError> {
        Self::from_hex(text)
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.to_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, Self::from_hex)
    }
}

impl BorshSerialize for Point {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&self.to_bytes())
    }
}

impl BorshDeserialize for Point {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let bytes = <[u8; 33]>::deserialize_reader(reader)?;
        Self::from_bytes(&bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const G: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

    #[test]
    fn each_form_that_is_not_the_compressed_one_is_refused_by_its_own_name() {
        let g = Point::from_hex(G).unwrap();
        assert_eq!(Point::from_bytes(&[]), Err(PointError::Length(0)));
        assert_eq!(Point::from_bytes(&[0]), Err(PointError::Length(1)), "infinity");
        assert_eq!(Point::from_bytes(&g.uncompressed()), Err(PointError::Length(65)));
        for prefix in [0, 1, 4, 5, 6, 7, 255] {
            let mut bytes = g.to_bytes();
            bytes[0] = prefix;
            assert_eq!(Point::from_bytes(&bytes), Err(PointError::Prefix(prefix)));
        }
        assert_eq!(Point::from_hex(G.trim_start_matches('0')), Err(PointError::Hex));
        assert_eq!(Point::from_hex(&G.replace('7', "g")), Err(PointError::Hex));
    }

    #[test]
    fn an_x_at_or_above_the_prime_or_off_the_curve_is_refused() {
        let mut bytes = [0xff; 33];
        bytes[0] = 2;
        assert_eq!(Point::from_bytes(&bytes), Err(PointError::NotOnCurve), "x above p");
        let mut above = bytes;
        above[28..].copy_from_slice(&[0xfe, 0xff, 0xff, 0xfc, 0x30]);
        assert_eq!(
            Point::from_bytes(&above),
            Err(PointError::NotOnCurve),
            "p + 1, of which 1 is on the curve"
        );
        let mut five = [0; 33];
        five[0] = 2;
        five[32] = 5;
        assert_eq!(Point::from_bytes(&five), Err(PointError::NotOnCurve));
        assert_eq!(
            Point::from_bytes(&[[2].as_slice(), &[0; 32]].concat()),
            Err(PointError::NotOnCurve)
        );
    }

    proptest! {
        #[test]
        fn bytes_are_a_point_exactly_if_they_are_libsecp256k1s(
            prefix in 2_u8..4,
            x in prop_oneof![
                any::<[u8; 32]>(),
                // Near zero, and around the prime.
                any::<u8>().prop_map(|low| [[0; 31].as_slice(), &[low]].concat().try_into().unwrap()),
                any::<[u8; 5]>().prop_map(|low| [[0xff; 27].as_slice(), &low].concat().try_into().unwrap()),
            ],
        ) {
            let bytes = [[prefix].as_slice(), &x].concat();
            let theirs = secp256k1::PublicKey::from_slice(&bytes).map(Point).ok();
            prop_assert_eq!(Point::from_bytes(&bytes).ok(), theirs);
        }
    }

    #[test]
    fn a_point_goes_through_json_and_borsh_unchanged() {
        let point = Point::from_hex(&G.to_uppercase()).unwrap();
        assert_eq!(serde_json::to_string(&point).unwrap(), format!("\"{G}\""));
        let bytes = borsh::to_vec(&point).unwrap();
        assert_eq!(bytes.len(), 33);
        assert_eq!(borsh::from_slice::<Point>(&bytes).unwrap(), point);
        assert!(borsh::from_slice::<Point>(&[9; 33]).is_err());
    }
}
