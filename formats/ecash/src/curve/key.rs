//! The mint's key for one denomination: signs blindly, proves it, recognises its signatures.

use super::dleq::challenge;
use super::point::uncompressed;
use super::{Dleq, Point, ScalarError, SecretScalar, lanes};
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
    digits: lanes::Digits,
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
        let digits = lanes::digits(secret);
        let secret = SecretScalar::from_bytes(secret)?;
        let public = secret.to_point();
        Ok(Self { secret, public, uncompressed: public.uncompressed(), nonces, digits })
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
            let second = uncompressed(&nonce.times(message));
            let first = nonce.to_point().uncompressed();
            if let Some(dleq) = self.proof(&nonce, [first, second], signed) {
                return Ok(Promise { signature, dleq });
            }
        }
        Err(NoNonce)
    }

    /// Signs messages, each with the key beside it, to the same bytes as [`MintKey::sign`]: eight beside each other where
    /// the processor can, which takes a tenth of the time.
    ///
    /// # Errors
    /// [`NoNonce`].
    pub fn sign_all(messages: &[(&Self, Point)]) -> Result<Vec<Promise>, NoNonce> {
        let mut beside = Self::sign_beside(messages).into_iter();
        let one_by_one = |(key, message): &(&Self, Point)| match beside.next().flatten() {
            Some(promise) => Ok(promise),
            None => key.sign(message),
        };
        messages.iter().map(one_by_one).collect()
    }

    /// Of each its signature, or `None` if it has to be signed by itself; nothing if all have to.
    fn sign_beside(messages: &[(&Self, Point)]) -> Vec<Option<Promise>> {
        if messages.len() < lanes::WORTH {
            return Vec::new();
        }
        let tasks: Vec<_> = messages.iter().map(|(key, message)| key.task(message)).collect();
        let mut nonces = Vec::with_capacity(messages.len());
        let signed = lanes::sign(&tasks, &mut |place, signature| {
            let asked = messages.get(place).zip(tasks.get(place));
            let nonce = asked.and_then(|((key, _), task)| {
                key.nonce(&uncompressed(&task.message), &uncompressed(signature), 0)
            });
            let digits = nonce.as_ref().map(|nonce| lanes::digits(&nonce.to_bytes()));
            nonces.push(nonce);
            digits.unwrap_or_default()
        });
        let each = messages.iter().zip(nonces).zip(signed.unwrap_or_default());
        each.map(|(((key, _), nonce), signed)| key.promise(&nonce?, &signed)).collect()
    }

    /// What is to be signed, or was said to be, beside others.
    pub(super) fn task(&self, message: &Point) -> lanes::Task<'_> {
        lanes::Task { message: message.coordinates(), key: &self.digits }
    }

    /// What was signed beside others, if all of it is points of the curve.
    fn promise(&self, nonce: &SecretScalar, signed: &lanes::Signed) -> Option<Promise> {
        let signature = Point::from_coordinates(&signed.signature).ok()?;
        let commitments = [signed.first, signed.second];
        if commitments.iter().any(|point| Point::from_coordinates(point).is_err()) {
            return None;
        }
        let [first, second] = commitments.map(|point| uncompressed(&point));
        let dleq = self.proof(nonce, [first, second], uncompressed(&signed.signature))?;
        Some(Promise { signature, dleq })
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

    /// The proof of a signature with its nonce's multiples of the generator and of the message.
    fn proof(
        &self,
        nonce: &SecretScalar,
        [first, second]: [[u8; 65]; 2],
        signed: [u8; 65],
    ) -> Option<Dleq> {
        let e = challenge(&[first, second, self.uncompressed, signed]);
        Some(Dleq { e, s: self.response(nonce, e)? })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::hash_to_curve;
    use proptest::prelude::*;

    /// Any, and those with long runs of equal bits.
    fn secret() -> impl Strategy<Value = [u8; 32]> {
        let runs = (any::<u8>(), 0_usize..32, any::<bool>()).prop_map(|(byte, at, ones)| {
            let mut secret = if ones { [0xfe; 32] } else { [0; 32] };
            secret[at] = byte;
            secret[31] |= 1;
            secret
        });
        prop_oneof![any::<[u8; 32]>(), runs]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn many_are_signed_to_the_same_bytes_as_each(
            secrets in prop::collection::vec(secret(), 1..4),
            count in 0_usize..70,
        ) {
            let keys = secrets.iter().map(MintKey::from_bytes);
            let keys: Vec<_> = keys.filter_map(Result::ok).collect();
            prop_assume!(!keys.is_empty());
            let messages = keys.iter().cycle().zip(0..count);
            let messages: Vec<_> = messages
                .map(|(key, n)| (key, hash_to_curve(&n.to_be_bytes()).unwrap()))
                .collect();
            let each: Vec<_> = messages.iter().map(|(key, m)| key.sign(m).unwrap()).collect();
            prop_assert_eq!(MintKey::sign_all(&messages), Ok(each));
        }
    }

    #[test]
    fn a_message_that_is_the_generator_or_its_key_is_signed_like_any() {
        let key = MintKey::from_bytes(&[9; 32]).unwrap();
        let mut one = [0; 32];
        one[31] = 1;
        let unit = MintKey::from_bytes(&one).unwrap();
        let messages: Vec<_> = [unit.public(), key.public()]
            .into_iter()
            .flat_map(|message| [(&unit, message), (&key, message)])
            .collect();
        let each = messages.iter().map(|(key, message)| key.sign(message)).collect();
        assert_eq!(MintKey::sign_all(&messages), each);
    }
}
