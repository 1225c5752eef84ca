//! P-256 keys in software, and the verification of their signatures.

use aws_lc_rs::agreement;
use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use std::fmt;
use yufu_base::{Algorithm, PublicKey, Signature, Signer, SignerError};
use zeroize::Zeroizing;

/// The signature does not belong to this message and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not one of this key over this message")]
pub struct SignatureInvalid;

/// Why a private key could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes are not a private scalar of P-256.
    #[error("not a P-256 private key: expected 32 bytes between 1 and the group order")]
    Scalar,
    /// The bytes are not a PKCS#8 P-256 key.
    #[error("not a P-256 private key in PKCS#8 (RFC 5958)")]
    Pkcs8,
}

/// Verifies an ES256 signature (RFC 7518 section 3.4).
///
/// # Errors
/// [`SignatureInvalid`] if it does not verify, also when the key is no point of the curve.
pub fn verify(
    key: &PublicKey,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureInvalid> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes())
        .verify(message, &signature.0)
        .map_err(|_| SignatureInvalid)
}

/// A P-256 signing key held in memory. The library wipes it when it is dropped.
pub struct SoftwareKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl SoftwareKey {
    /// The key that `seed` determines. Every seed gives one; draw it from a
    /// cryptographic source.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] never in practice (it would take 256 misses of 2^-32 each).
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        Self::from_scalar(&*scalar_from_seed(seed)?)
    }

    /// The key whose private scalar is `scalar`, big-endian.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] if it is zero or not below the group order.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let public = agreement_key(scalar)?.1;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            scalar,
            public.as_bytes(),
        )
        .map_err(|_| KeyError::Scalar)?;
        Ok(Self { pair, public })
    }

    /// The key in a PKCS#8 document (DER), such as [`SoftwareKey::to_pkcs8`] writes.
    ///
    /// # Errors
    /// [`KeyError::Pkcs8`] if it is not one of P-256.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map_err(|_| KeyError::Pkcs8)?;
        let public =
            PublicKey::from_uncompressed(pair.public_key().as_ref()).ok_or(KeyError::Pkcs8)?;
        Ok(Self { pair, public })
    }

    /// The key as a PKCS#8 document (DER), for storage. Secret.
    ///
    /// # Errors
    /// [`KeyError::Pkcs8`] if the library cannot encode it.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| KeyError::Pkcs8)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The private scalar, big-endian. Secret.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] if the library cannot encode it.
    pub fn to_scalar(&self) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let bytes = self.pair.private_key().as_be_bytes().map_err(|_| KeyError::Scalar)?;
        let scalar = bytes.as_ref().try_into().map_err(|_| KeyError::Scalar)?;
        Ok(Zeroizing::new(scalar))
    }
}

impl Signer for SoftwareKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let unavailable = || SignerError::Unavailable("the cryptographic library refused".into());
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| unavailable())?;
        signature.as_ref().try_into().map(Signature).map_err(|_| unavailable())
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareKey({:?})", self.public)
    }
}

/// The agreement key of a private scalar, and its public half.
pub(crate) fn agreement_key(
    scalar: &[u8; 32],
) -> Result<(agreement::PrivateKey, PublicKey), KeyError> {
    let private = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar)
        .map_err(|_| KeyError::Scalar)?;
    let public = private.compute_public_key().map_err(|_| KeyError::Scalar)?;
    let public = PublicKey::from_uncompressed(public.as_ref()).ok_or(KeyError::Scalar)?;
    Ok((private, public))
}

/// The order of the group of P-256 (SP 800-186, 3.2.1.3), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// A private scalar from any 32 bytes: SHA-256 under a counter until it lies below the
/// group order, which the first does but for one in 2^32.
pub(crate) fn scalar_from_seed(seed: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    for counter in 0..=u8::MAX {
        let mut input = Zeroizing::new(b"yufu.p256.seed.v1".to_vec());
        input.push(counter);
        input.extend_from_slice(seed);
        let scalar = Zeroizing::new(crate::sha256(&input));
        if *scalar != [0; 32] && *scalar < ORDER {
            return Ok(scalar);
        }
    }
    Err(KeyError::Scalar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_less_than_the_groups_order_and_not_zero() {
        let mut last = ORDER;
        last[31] -= 1;
        assert!(SoftwareKey::from_scalar(&last).is_ok());
        for none in [ORDER, [0; 32], [0xff; 32]] {
            assert!(matches!(SoftwareKey::from_scalar(&none), Err(KeyError::Scalar)));
        }
    }

    #[test]
    fn what_a_key_signs_verifies_with_it_and_no_other() {
        let (key, other) =
            (SoftwareKey::from_seed(&[1; 32]).unwrap(), SoftwareKey::from_seed(&[2; 32]).unwrap());
        let signature = key.sign(b"noodles").unwrap();
        assert_eq!(verify(&key.public_key(), b"noodles", &signature), Ok(()));
        assert_eq!(verify(&key.public_key(), b"bicycle", &signature), Err(SignatureInvalid));
        assert_eq!(verify(&other.public_key(), b"noodles", &signature), Err(SignatureInvalid));
    }

    #[test]
    fn a_point_off_the_curve_verifies_nothing() {
        let signature = SoftwareKey::from_seed(&[1; 32]).unwrap().sign(b"m").unwrap();
        let mut point = [7; 65];
        point[0] = 4;
        let key = PublicKey::from_uncompressed(&point).unwrap();
        assert_eq!(verify(&key, b"m", &signature), Err(SignatureInvalid));
    }

    #[test]
    fn scalars_out_of_range_are_refused_but_every_seed_gives_a_key() {
        assert_eq!(SoftwareKey::from_scalar(&[0; 32]).unwrap_err(), KeyError::Scalar);
        assert_eq!(SoftwareKey::from_scalar(&[0xff; 32]).unwrap_err(), KeyError::Scalar);
        assert!(SoftwareKey::from_seed(&[0; 32]).is_ok());
        assert!(SoftwareKey::from_seed(&[0xff; 32]).is_ok());
    }

    #[test]
    fn a_key_survives_storage() {
        let key = SoftwareKey::from_seed(&[3; 32]).unwrap();
        let stored = SoftwareKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!(stored.public_key(), key.public_key());
        let again = SoftwareKey::from_scalar(&key.to_scalar().unwrap()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(SoftwareKey::from_pkcs8(b"no key").unwrap_err(), KeyError::Pkcs8);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = SoftwareKey::from_seed(&[3; 32]).unwrap();
        assert_eq!(format!("{key:?}"), format!("SoftwareKey({:?})", key.public_key()));
    }
}
