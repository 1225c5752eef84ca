//! The mint's key for one denomination: signs blindly, proves it, recognises its signatures.

use super::dleq::challenge;
use super::{Dleq, Point, ScalarError, SecretScalar};
use aws_lc_rs::hmac;
use secp256k1::Scalar;
use std::fmt;
use zeroize::Zeroizing;

const NONCE: &[u8] = b"Cashu_DLEQ_R_v1";

/// A signing key of a mint with what is computed from it once: its public point and the key of its
/// nonces. Every operation on the secret takes the same time whatever its value.
pub struct MintKey {
    secret: SecretScalar,
    public: Point,
    uncompressed: [u8; 65],
    nonces: hmac::Key,
}

/// A blind signature and the proof that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// `C_ = kB_`.
    pub signature: Point,
    /// That it was made with the published key.
    pub dleq: Dleq,
}

/// A key could not sign: no nonce of 256 was usable. Nobody finds such a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no nonce for this message: ask for another blinded message")]
pub struct NoNonce;

impl MintKey {
    /// The key with this secret, 32 bytes big-endian.
    ///
    /// # Errors
    /// [`ScalarError`] for zero and for what is not below the order.
    pub fn from_bytes(secret: &[u8; 32]) -> Result<Self, ScalarError> {
        let nonces = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let secret = SecretScalar::from_bytes(secret)?;
        let public = secret.to_point();
        Ok(Self { secret, public, uncompressed: public.uncompressed(), nonces })
    }

    /// Its public point `K`.
    #[must_use]
    pub const fn public(&self) -> Point {
        self.public
    }

    /// Signs a blinded message. The nonce follows from key and message (NUT-12), so that the same
    /// message gets the same bytes again, after a crash and at a restore.
    ///
    /// # Errors
    /// [`NoNonce`].
    pub fn sign(&self, message: &Point) -> Result<Promise, NoNonce> {
        let signature =
            Point::from_coordinates(&self.secret.times(message)).map_err(|_| NoNonce)?;
        let blinded = message.uncompressed();
        let signed = signature.uncompressed();
        for counter in 0..=u8::MAX {
            let Some(nonce) = self.nonce(&blinded, &signed, counter) else { continue };
            let mut second = [4; 65];
            for (to, from) in second.iter_mut().skip(1).zip(nonce.times(message)) {
                *to = from;
            }
            let e =
                challenge(&[nonce.to_point().uncompressed(), second, self.uncompressed, signed]);
            if let Some(s) = self.response(&nonce, e) {
                return Ok(Promise { signature, dleq: Dleq { e, s } });
            }
        }
        Err(NoNonce)
    }

    /// Whether `signature` is this key's on the secret that hashes to `hashed`.
    #[must_use]
    pub fn verifies(&self, hashed: &Point, signature: &Point) -> bool {
        self.times(hashed) == Some(*signature)
    }

    /// The secret times `point`.
    pub(crate) fn times(&self, point: &Point) -> Option<Point> {
        Point::from_coordinates(&self.secret.times(point)).ok()
    }

    fn nonce(&self, blinded: &[u8; 65], signed: &[u8; 65], counter: u8) -> Option<SecretScalar> {
        let mut context = hmac::Context::with_key(&self.nonces);
        for part in [NONCE, &self.uncompressed, blinded, signed, &[counter]] {
            context.update(part);
        }
        let tag = context.sign();
        let bytes = Zeroizing::new(<[u8; 32]>::try_from(tag.as_ref()).ok()?);
        SecretScalar::from_bytes(&bytes).ok()
    }

    /// `s = r + ek` modulo the order.
    fn response(&self, nonce: &SecretScalar, e: [u8; 32]) -> Option<[u8; 32]> {
        let e = Scalar::from_be_bytes(e).ok()?;
        let product = self.secret.0.mul_tweak(&e).ok()?;
        Some(product.add_tweak(&Scalar::from(nonce.0)).ok()?.secret_bytes())
    }
}

impl fmt::Debug for MintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MintKey({})", self.public)
    }
}
