//! Signatures under cards' certificates: ECDSA on NIST P-256 and P-384.

use crate::oid;
use crate::tlv::{self, Reader, TlvError};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA384_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};
use yufu_base::PublicKey;

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key or the algorithm is not one that is used here.
    #[error("a key or an algorithm is not one that is read here: ECDSA on P-256 and P-384")]
    Unsupported,
    /// The signature is not of this key over this message.
    #[error("a signature is not of this key over this message")]
    Invalid,
}

impl From<TlvError> for SignatureError {
    fn from(_: TlvError) -> Self {
        Self::Unsupported
    }
}

/// A key that signs certificates, lists and cards.
#[derive(Clone, PartialEq, Eq)]
pub enum SigningKey {
    /// On NIST P-256.
    P256(Vec<u8>),
    /// On NIST P-384.
    P384(Vec<u8>),
}

impl SigningKey {
    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`SignatureError::Unsupported`] for any other key.
    pub fn read(info: &[u8]) -> Result<Self, SignatureError> {
        let mut info = Reader::new(tlv::only(info, 0x30)?);
        let mut algorithm = Reader::new(info.take(0x30)?);
        let kind = algorithm.take(0x06)?;
        let [0, point @ ..] = info.take(0x03)? else { return Err(SignatureError::Unsupported) };
        if kind != oid::EC_PUBLIC_KEY {
            return Err(SignatureError::Unsupported);
        }
        match algorithm.take(0x06)? {
            curve if curve == oid::P256 => Ok(Self::P256(point.to_vec())),
            curve if curve == oid::P384 => Ok(Self::P384(point.to_vec())),
            _ => Err(SignatureError::Unsupported),
        }
    }

    /// The SubjectPublicKeyInfo of a key on NIST P-256.
    #[must_use]
    pub fn write(key: &PublicKey) -> Vec<u8> {
        let curve = [oid::object(oid::EC_PUBLIC_KEY), oid::object(oid::P256)].concat();
        let bits = tlv::constructed(0x03, &[&[0], key.as_bytes()]);
        tlv::constructed(0x30, &[&tlv::object(0x30, &curve), &bits])
    }

    /// The key as a point of NIST P-256, if it is one.
    #[must_use]
    pub fn as_p256(&self) -> Option<PublicKey> {
        match self {
            Self::P256(point) => PublicKey::from_uncompressed(point),
            Self::P384(_) => None,
        }
    }

    /// Verifies a signature in DER.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(
        &self,
        algorithm: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let sha384 = match algorithm {
            name if name == oid::ECDSA_SHA256 => false,
            name if name == oid::ECDSA_SHA384 => true,
            _ => return Err(SignatureError::Unsupported),
        };
        let (algorithm, point): (&EcdsaVerificationAlgorithm, _) = match (self, sha384) {
            (Self::P256(point), false) => (&ECDSA_P256_SHA256_ASN1, point),
            (Self::P256(point), true) => (&ECDSA_P256_SHA384_ASN1, point),
            (Self::P384(point), false) => (&ECDSA_P384_SHA256_ASN1, point),
            (Self::P384(point), true) => (&ECDSA_P384_SHA384_ASN1, point),
        };
        UnparsedPublicKey::new(algorithm, point)
            .verify(message, signature)
            .map_err(|_| SignatureError::Invalid)
    }
}

/// Verifies what a card signed in active authentication: ECDSA with SHA-256, `r || s` (ICAO 9303-11, 6.1).
///
/// # Errors
/// [`SignatureError::Invalid`] if the card does not hold the key.
pub fn verify_challenge(
    key: &SigningKey,
    challenge: &[u8; 8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let SigningKey::P256(point) = key else { return Err(SignatureError::Unsupported) };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(challenge, signature)
        .map_err(|_| SignatureError::Invalid)
}

/// `r || s` in DER, as certificates want it.
pub(crate) fn to_der(signature: &yufu_base::Signature) -> Vec<u8> {
    let (r, s) = signature.0.split_at(32);
    tlv::constructed(0x30, &[&tlv::integer(r), &tlv::integer(s)])
}
