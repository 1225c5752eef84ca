//! The keys and the cipher: a master key from outside, data keys per person, AES-256-GCM.

use crate::sealer::SealError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
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
        expanded(self.0.as_ref(), purpose)
    }
}

/// A key for a purpose out of a secret that cannot be guessed.
fn expanded(secret: &[u8], purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut key = Zeroizing::new([0; 32]);
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"yufu").extract(secret);
    let info = [purpose];
    let derived = secret.expand(&info, hkdf::HKDF_SHA256);
    let filled = derived.and_then(|okm| okm.fill(key.as_mut()));
    filled.map_err(|_| SealError::Cryptography)?;
    Ok(key)
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

/// A key that a random code gives, which is kept nowhere: only whoever brings the code opens what was sealed under it.
pub struct CodeKey(LessSafeKey);

impl CodeKey {
    /// The key of a code that cannot be guessed.
    ///
    /// # Errors
    /// [`SealError::Cryptography`].
    pub fn of(code: &str) -> Result<Self, SealError> {
        Ok(Self(cipher(&*expanded(code.as_bytes(), b"sealed under a code")?)?))
    }

    /// Seals `plain` for a place, as [`PersonKey::seal`] does.
    ///
    /// # Errors
    /// [`SealError::Cryptography`].
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.0, place.as_bytes(), plain)
    }

    /// Opens what was sealed under the same code for the same place.
    ///
    /// # Errors
    /// [`SealError::Opening`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        open(&self.0, place.as_bytes(), sealed)
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey(hidden)")
    }
}

/// A data key outside of its sealer, for whoever looks for what can still be read. Dropped, it is wiped.
pub struct BareKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// The data key of a person from how it lies in a database of keys.
    ///
    /// # Errors
    /// [`SealError::Opening`] if another master key wrapped it.
    pub fn unwrap(&self, person: Uuid, wrapped: &[u8]) -> Result<BareKey, SealError> {
        let wrapping = cipher(&*self.derive(WRAPPING)?)?;
        let bytes = open(&wrapping, &context(WRAPPED, person), wrapped)?;
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SealError::Opening)?;
        Ok(BareKey(Zeroizing::new(bytes)))
    }
}

impl BareKey {
    /// What these bytes would be if this key had sealed them, for whatever place: nothing is authenticated, so it is
    /// noise if it had not. `None` if they are too short to be sealed.
    #[must_use]
    pub fn reveal(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let length = body.len().checked_sub(AES_256_GCM.tag_len())?;
        let mut plain = Zeroizing::new(body.get(..length)?.to_vec());
        // The counter of GCM for a nonce of 96 bits: 1 is for the tag, the data begin at 2.
        let mut counter = [0_u8; 16];
        let (start, rest) = counter.split_at_mut_checked(NONCE_LEN)?;
        start.copy_from_slice(nonce);
        rest.copy_from_slice(&2_u32.to_be_bytes());
        let key = UnboundCipherKey::new(&AES_256, self.0.as_ref()).ok()?;
        let key = DecryptingKey::ctr(key).ok()?;
        let counter = DecryptionContext::Iv128(FixedLength::from(counter));
        key.decrypt(&mut plain, counter).ok()?;
        Some(plain)
    }
}

impl fmt::Debug for BareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BareKey(hidden)")
    }
}

/// What the key that wraps data keys is derived for.
pub(crate) const WRAPPING: &[u8] = b"wrap data keys";
/// The place that a wrapped data key is bound to.
pub(crate) const WRAPPED: &str = "data_key.wrapped";

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
