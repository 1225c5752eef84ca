//! The holder's secret, and the commitment to it that an issuer signs without learning it.

use crate::Suite;
use crate::encoding::{EncodingError, POINT, Parts, SCALAR, check, fixed};
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_jose::{decode_base64url, encode_base64url};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};
use zkryptium::bbsplus::ciphersuites::Bls12381Sha256;
use zkryptium::bbsplus::commitment::BlindFactor;
use zkryptium::bbsplus::pseudonym::PseudonymSecret;
use zkryptium::schemes::generics::Commitment as Committed;
use zkryptium::utils::util::bbsplus_utils::hash_to_scalar;

/// How many secret numbers stand behind a holder's pseudonyms. At so many parties even whoever could take discrete
/// logarithms, as a quantum computer may, finds nothing that joins two pseudonyms.
pub const SECRETS: usize = 4;
/// A point, the responses for the blinding and for each secret, a challenge.
pub(crate) const LENGTH: usize = POINT + SCALAR * (SECRETS + 2);
/// Says what a holder's secret is derived for; a change would give everybody new pseudonyms.
const DOMAIN: &str = "yufu.anonymous.secret.v1";
const WHAT: &str = "the commitment";

/// What all pseudonyms of a holder come from. Never printed; wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct HolderSecret([[u8; SCALAR]; SECRETS]);

impl HolderSecret {
    /// The secret that 32 random bytes stand for, the same each time.
    ///
    /// # Errors
    /// [`EncodingError::Invalid`] if the library derives no number.
    pub fn derive(seed: &[u8; 32]) -> Result<Self, EncodingError> {
        let mut secrets = [[0; SCALAR]; SECRETS];
        for (place, secret) in (0_u8..).zip(&mut secrets) {
            let parts = Parts::of(DOMAIN).and(seed).and(&[place]).bytes();
            let parts = Zeroizing::new(parts);
            let scalar = hash_to_scalar::<Bls12381Sha256>(&parts, DOMAIN.as_bytes());
            *secret = scalar.map_err(|_| EncodingError::Invalid("the seed"))?.to_be_bytes();
        }
        Ok(Self(secrets))
    }

    /// As the library takes it. Its copies are not wiped.
    pub(crate) fn numbers(&self) -> Result<Vec<PseudonymSecret>, EncodingError> {
        let read = |bytes| PseudonymSecret::from_bytes(bytes);
        let all: Result<_, _> = self.0.iter().map(read).collect();
        all.map_err(|_| EncodingError::Invalid("the holder's secret"))
    }

    /// Commits to the secret: what goes to an issuer, and what opens it. The library draws the blinding from the
    /// operating system's randomness.
    ///
    /// # Errors
    /// [`EncodingError::Invalid`] if the library commits to nothing.
    pub fn commit(&self) -> Result<(Commitment, Blinding), EncodingError> {
        let made = Committed::<Suite>::commit_with_nym(None, self.numbers()?);
        let (committed, factor) = made.map_err(|_| EncodingError::Invalid(WHAT))?;
        let commitment = Commitment::from_bytes(&committed.to_bytes())?;
        Ok((commitment, Blinding(factor.to_bytes())))
    }
}

impl fmt::Debug for HolderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HolderSecret(…)")
    }
}

/// A commitment to a holder's secret, with a proof that whoever made it knows the secret. It hides the secret from
/// everybody, however much they compute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commitment([u8; LENGTH]);

impl Commitment {
    /// Reads one.
    ///
    /// # Errors
    /// [`EncodingError`], the first rule that is broken. The proof is checked when it is signed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        check(WHAT, bytes, (LENGTH, 1))?;
        let read = Committed::<Suite>::from_bytes(bytes);
        let read = read.map_err(|_| EncodingError::Invalid(WHAT))?;
        let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| EncodingError::Invalid(WHAT))?;
        if read.to_bytes() != bytes { Err(EncodingError::Invalid(WHAT)) } else { Ok(Self(bytes)) }
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The point alone, without the proof: what an issuer registers, and finds again.
    #[must_use]
    pub fn point(&self) -> &[u8] {
        self.0.first_chunk::<POINT>().map_or(&[], <[u8; POINT]>::as_slice)
    }
}

impl TryFrom<String> for Commitment {
    type Error = EncodingError;

    fn try_from(text: String) -> Result<Self, EncodingError> {
        let bytes = decode_base64url(&text).map_err(|_| EncodingError::Base64(WHAT))?;
        Self::from_bytes(&bytes)
    }
}

impl From<Commitment> for String {
    fn from(commitment: Commitment) -> Self {
        encode_base64url(commitment.0)
    }
}

/// What opens a commitment. Never printed; wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(try_from = "String", into = "String")]
pub struct Blinding([u8; SCALAR]);

impl Blinding {
    pub(crate) fn factor(&self) -> Result<BlindFactor, EncodingError> {
        BlindFactor::from_bytes(&self.0).map_err(|_| EncodingError::Invalid("the blinding"))
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(…)")
    }
}

impl TryFrom<String> for Blinding {
    type Error = EncodingError;

    fn try_from(text: String) -> Result<Self, EncodingError> {
        let text = Zeroizing::new(text);
        Ok(Self(fixed("the blinding", &text)?))
    }
}

impl From<Blinding> for String {
    fn from(blinding: Blinding) -> Self {
        encode_base64url(blinding.0)
    }
}
