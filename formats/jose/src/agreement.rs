//! P-256 keys that agree on secrets (ECDH): of messages, of sessions between two devices.

use crate::KeyError;
use crate::key::{agreement_key, scalar_from_seed};
use aws_lc_rs::agreement;
use std::fmt;
use yufu_base::PublicKey;
use zeroize::Zeroizing;

/// The other side's key is no point of P-256, so that there is nothing to agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side's key is not a point of P-256: ask it for another")]
pub struct NoAgreement;

/// A private key that agrees with others on secrets. The library wipes it when it is dropped.
pub struct AgreementKey {
    private: agreement::PrivateKey,
    public: PublicKey,
}

impl AgreementKey {
    /// The key that `seed` determines; every seed gives one.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] never in practice.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        Self::from_scalar(&*scalar_from_seed(seed)?)
    }

    /// The key whose private scalar is `scalar`, big-endian.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] if it is zero or not below the group order.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let (private, public) = agreement_key(scalar)?;
        Ok(Self { private, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The secret shared with the holder of `peer`: the x coordinate of ECDH (SEC 1, 3.3.1).
    /// Derive keys from it; never use it as one.
    ///
    /// # Errors
    /// [`NoAgreement`] if `peer` is no point of the curve.
    pub fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<Vec<u8>>, NoAgreement> {
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, peer.as_bytes());
        let shared = |secret: &[u8]| Ok(Zeroizing::new(secret.to_vec()));
        agreement::agree(&self.private, peer, NoAgreement, shared)
    }
}

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgreementKey({:?})", self.public)
    }
}

/// Whether a key is a point of P-256, and so can be agreed with and verify signatures.
#[must_use]
pub fn on_curve(key: &PublicKey) -> bool {
    let unparsed = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, key.as_bytes());
    agreement::ParsedPublicKey::try_from(&unparsed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_and_strangers_do_not() {
        let [own, peer, other] =
            [1, 2, 3].map(|seed| AgreementKey::from_seed(&[seed; 32]).unwrap());
        let shared = own.agree(&peer.public_key()).unwrap();
        assert_eq!(peer.agree(&own.public_key()), Ok(shared.clone()));
        assert_ne!(other.agree(&own.public_key()), Ok(shared));
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let mut point = *AgreementKey::from_seed(&[1; 32]).unwrap().public_key().as_bytes();
        point[64] ^= 1;
        let off = PublicKey::from_uncompressed(&point).unwrap();
        assert_eq!(AgreementKey::from_seed(&[2; 32]).unwrap().agree(&off), Err(NoAgreement));
        assert!(!on_curve(&off));
    }
}
