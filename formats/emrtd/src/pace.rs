//! PACE with generic mapping (ICAO 9303-11, 4.4): a session whose keys are strong however weak the password is, as
//! whoever listens or guesses can try one password with each attempt, and no more.

use crate::crypto::{CipherError, Curve, CurveError, Point, Secret, SessionKeys, Suite};
use crate::{oid, tlv};

/// How a card and its reader run PACE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The cipher.
    pub suite: Suite,
    /// The curve.
    pub curve: Curve,
}

impl Protocol {
    /// Its object identifier.
    #[must_use]
    pub fn oid(self) -> Vec<u8> {
        [oid::PACE_ECDH_GM, &[self.suite.number()]].concat()
    }

    /// The generator that nonce and mapping keys lead to.
    ///
    /// # Errors
    /// [`CurveError`] if the other's key is no point of the curve.
    pub fn generator(
        self,
        nonce: &[u8; 16],
        own: &Secret,
        other: &Point,
    ) -> Result<Point, CurveError> {
        self.curve.map(nonce, &self.curve.multiply(own, other)?)
    }

    /// The keys of the session from the ephemeral keys under the mapped generator.
    ///
    /// # Errors
    /// [`CurveError`] if the other's key is no point of the curve.
    pub fn keys(self, own: &Secret, other: &Point) -> Result<SessionKeys, CurveError> {
        Ok(SessionKeys::derive(self.suite, self.curve.multiply(own, other)?.x()))
    }

    /// What proves to the owner of `key` that the session is shared with it (ICAO 9303-11, 4.4.3.4).
    ///
    /// # Errors
    /// [`CipherError`]: does not happen.
    pub fn token(self, keys: &SessionKeys, key: &Point) -> Result<[u8; 8], CipherError> {
        let point = tlv::object(0x86, key.as_bytes());
        keys.sum(&tlv::constructed(0x7F49, &[&oid::object(&self.oid()), &point]))
    }
}
