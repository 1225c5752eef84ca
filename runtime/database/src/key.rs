//! The keys and the cipher: a master key from outside, data keys per person, AES-256-GCM.

use crate::sealer::SealError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, rand};
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The key above all data keys: 32 random bytes from outside the databases.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// From its bytes, uniformly random.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn derive(&self, purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let mut key = Zeroizing::new([0; 32]);
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"yufu").extract(self.0.as_ref());
        let info = [purpose];
        let derived = secret.expand(&info, hkdf::HKDF_SHA256);
        let filled = derived.and_then(|okm| okm.fill(key.as_mut()));
        filled.map_err(|_| SealError::Cryptography)?;
        Ok(key)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(hidden)")
    }
}

/// The data key of one person. Dropped, it is wiped.
pub struct PersonKey {
    person: Uuid,
    key: LessSafeKey,
}

impl PersonKey {
    pub(crate) fn new(person: Uuid, bytes: &[u8; 32]) -> Result<Self, SealError> {
        Ok(Self { person, key: cipher(bytes)? })
    }

    /// Seals `plain` for a place such as `person.sealed`: AES-256-GCM under a random nonce,
    /// which stands before the ciphertext; place and person are authenticated.
    ///
    /// # Errors
    /// [`SealError::Cryptography`].
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.key, &context(place, self.person), plain)
    }

    /// Opens what was sealed for the same person and place.
    ///
    /// # Errors
    /// [`SealError::Opening`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        open(&self.key, &context(place, self.person), sealed)
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey(hidden)")
    }
}

pub(crate) fn cipher(bytes: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| SealError::Cryptography)?;
    Ok(LessSafeKey::new(key))
}

pub(crate) fn context(place: &str, person: Uuid) -> Vec<u8> {
    [person.as_bytes().as_slice(), place.as_bytes()].concat()
}

pub(crate) fn seal(key: &LessSafeKey, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| SealError::Cryptography)?;
    let mut body = plain.to_vec();
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(context),
        &mut body,
    )
    .map_err(|_| SealError::Cryptography)?;
    Ok([nonce.as_slice(), &body].concat())
}

pub(crate) fn open(
    key: &LessSafeKey,
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Opening)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Opening)?;
    let mut body = Zeroizing::new(body.to_vec());
    let length = match key.open_in_place(nonce, Aad::from(context), &mut body) {
        Ok(plain) => plain.len(),
        Err(_) => return Err(SealError::Opening),
    };
    body.truncate(length);
    Ok(body)
}
