//! Numbers modulo the order of the curve that are secret: they wipe themselves and never show.

use super::Point;
use crate::encoding::{deserialize_hex, fixed_from_hex, serialize_hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use zeroize::Zeroizing;

/// The bytes are not a number from 1 to the order of the curve, less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number from 1 to the order of secp256k1, less one, in 32 bytes")]
pub struct ScalarError;

/// A secret number modulo the order of the curve, not zero: a blinding factor `r`, or the private
/// key to which notes are locked. Operations with it take the same time for every value.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretScalar(pub(crate) secp256k1::SecretKey);

impl SecretScalar {
    /// From 32 bytes, big-endian.
    ///
    /// # Errors
    /// [`ScalarError`] for zero and for what is not below the order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ScalarError> {
        secp256k1::SecretKey::from_byte_array(*bytes).map(Self).map_err(|_| ScalarError)
    }

    /// From 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`ScalarError`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self, ScalarError> {
        Self::from_bytes(&Zeroizing::new(fixed_from_hex(text).ok_or(ScalarError)?))
    }

    /// The 32 bytes, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.secret_bytes())
    }

    /// This number times the generator.
    #[must_use]
    pub fn to_point(&self) -> Point {
        Point(self.0.public_key(secp256k1::SECP256K1))
    }

    /// This number times `point`, the same time for every value.
    pub(crate) fn times(&self, point: &Point) -> [u8; 64] {
        secp256k1::ecdh::shared_secret_point(&point.0, &self.0)
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl fmt::Debug for SecretScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretScalar(secret)")
    }
}

impl Serialize for SecretScalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&*self.to_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for SecretScalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Zeroizing::new(deserialize_hex::<32, D>(deserializer)?);
        Self::from_bytes(&bytes).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    #[test]
    fn zero_and_the_order_are_no_secrets() {
        assert_eq!(SecretScalar::from_bytes(&[0; 32]), Err(ScalarError));
        assert_eq!(SecretScalar::from_hex(ORDER), Err(ScalarError));
        assert!(SecretScalar::from_hex(&ORDER.replace("4141", "4140")).is_ok());
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = SecretScalar::from_bytes(&[7; 32]).unwrap();
        assert!(!format!("{secret:?}").contains("07"));
    }
}
