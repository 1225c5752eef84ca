//! What opens a card: the number on its face (CAN), or what its machine-readable zone says.

use crate::crypto::{CipherError, Suite, decrypt_with, encrypt_with, sha1};
use zeroize::Zeroizing;

/// The number on the face of a card is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number on the card's face has six digits: read it again")]
pub struct CanError;

/// What opens a card under PACE.
#[derive(Clone)]
pub enum AccessKey {
    /// The six digits on its face.
    Can(Zeroizing<String>),
    /// The digest of the machine-readable zone: document number, birth, expiry, with their check digits.
    Zone(Zeroizing<[u8; 20]>),
}

impl AccessKey {
    /// The number on the card's face.
    ///
    /// # Errors
    /// [`CanError`] unless it is six digits.
    pub fn can(digits: &str) -> Result<Self, CanError> {
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self::Can(Zeroizing::new(digits.to_owned())))
        } else {
            Err(CanError)
        }
    }

    /// What the machine-readable zone says (see [`crate::mrz::Mrz::information`]).
    #[must_use]
    pub fn zone(information: &str) -> Self {
        Self::Zone(Zeroizing::new(sha1(&[information.as_bytes()])))
    }

    /// The reference of the password in MSE:Set AT (ICAO 9303-11, 4.4.4.1): 1 for the zone, 2 for the CAN.
    #[must_use]
    pub const fn reference(&self) -> u8 {
        match self {
            Self::Zone(_) => 1,
            Self::Can(_) => 2,
        }
    }

    /// Enciphers the nonce of PACE.
    ///
    /// # Errors
    /// [`CipherError`]: does not happen.
    pub fn seal_nonce(&self, suite: Suite, nonce: &[u8; 16]) -> Result<Vec<u8>, CipherError> {
        encrypt_with(suite, &self.key(suite), &vec![0; suite.block()], nonce)
    }

    /// Deciphers the nonce of PACE.
    ///
    /// # Errors
    /// [`CipherError::Blocks`] unless it has 16 bytes.
    pub fn open_nonce(&self, suite: Suite, sealed: &[u8]) -> Result<[u8; 16], CipherError> {
        let nonce = decrypt_with(suite, &self.key(suite), &vec![0; suite.block()], sealed)?;
        nonce.try_into().map_err(|_| CipherError::Blocks)
    }

    /// The key that the password leads to: KDF(f(password), 3).
    #[must_use]
    pub fn key(&self, suite: Suite) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Can(digits) => suite.derive(digits.as_bytes(), 3),
            Self::Zone(digest) => suite.derive(digest.as_ref(), 3),
        }
    }
}

/// The seed of the document basic access keys (ICAO 9303-11, 9.7.2): the first 16 bytes of the digest of what the
/// machine-readable zone says.
#[must_use]
pub fn document_key_seed(information: &str) -> Zeroizing<[u8; 16]> {
    let digest = sha1(&[information.as_bytes()]);
    Zeroizing::new(digest.first_chunk::<16>().copied().unwrap_or_default())
}
