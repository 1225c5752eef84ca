//! Texts that only their maker can read and that nobody can make or change: what somebody else
//! carries for a server that keeps nothing (AES-256-GCM under one key, the kind authenticated).

use crate::encoding::{decode_base64url, encode_base64url};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// The longest sealed text that is opened, in bytes.
const MAX_SEALED: usize = 64 * 1024;

/// The key of a server's sealed texts.
pub struct SealingKey(LessSafeKey);

/// A text was not sealed here for this, or was altered, or cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sealed here, for something else, or altered")]
pub struct SealError;

impl SealingKey {
    /// From 32 uniformly random bytes.
    ///
    /// # Errors
    /// [`SealError`] never in practice.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, SealError> {
        UnboundKey::new(&AES_256_GCM, bytes)
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| SealError)
    }

    /// Seals `content` as a text of this kind, in base64url. `nonce` is random and used once.
    ///
    /// # Errors
    /// [`SealError`] if the content cannot be written as JSON.
    pub fn seal<T: Serialize>(
        &self,
        kind: &str,
        content: &T,
        nonce: [u8; NONCE_LEN],
    ) -> Result<String, SealError> {
        let mut bytes = serde_json::to_vec(content).map_err(|_| SealError)?;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(kind.as_bytes()),
                &mut bytes,
            )
            .map_err(|_| SealError)?;
        let mut sealed = nonce.to_vec();
        sealed.append(&mut bytes);
        Ok(encode_base64url(sealed))
    }

    /// Opens a text of this kind.
    ///
    /// # Errors
    /// [`SealError`] for any other text.
    pub fn open<T: DeserializeOwned>(&self, kind: &str, text: &str) -> Result<T, SealError> {
        if text.len() > MAX_SEALED {
            return Err(SealError);
        }
        let sealed = decode_base64url(text).map_err(|_| SealError)?;
        let (nonce, content) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut content = content.to_vec();
        let plain = self
            .0
            .open_in_place(nonce, Aad::from(kind.as_bytes()), &mut content)
            .map_err(|_| SealError)?;
        serde_json::from_slice(plain).map_err(|_| SealError)
    }
}

/// The key that seals, and those before it whose texts are still out.
#[derive(Debug)]
pub struct SealingKeys {
    current: SealingKey,
    former: Vec<SealingKey>,
}

impl SealingKeys {
    /// The key that seals, and the former ones.
    #[must_use]
    pub const fn new(current: SealingKey, former: Vec<SealingKey>) -> Self {
        Self { current, former }
    }

    /// Seals as [`SealingKey::seal`], under the key in use.
    ///
    /// # Errors
    /// [`SealError`] if the content cannot be written as JSON.
    pub fn seal<T: Serialize>(
        &self,
        kind: &str,
        content: &T,
        nonce: [u8; NONCE_LEN],
    ) -> Result<String, SealError> {
        self.current.seal(kind, content, nonce)
    }

    /// Opens a text of this kind that one of the keys sealed.
    ///
    /// # Errors
    /// [`SealError`] for any other text.
    pub fn open<T: DeserializeOwned>(&self, kind: &str, text: &str) -> Result<T, SealError> {
        let opened = self.current.open(kind, text);
        self.former
            .iter()
            .fold(opened, |opened, former| opened.or_else(|_| former.open(kind, text)))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: u8) -> SealingKey {
        SealingKey::new(&[seed; 32]).unwrap()
    }

    #[test]
    fn a_sealed_text_opens_as_its_kind_under_its_key_and_nowhere_else() {
        let text = key(1).seal("code", &"secret", [7; 12]).unwrap();
        assert_eq!(key(1).open::<String>("code", &text), Ok("secret".to_owned()));
        assert_eq!(key(1).open::<String>("token", &text), Err(SealError), "another kind");
        assert_eq!(key(2).open::<String>("code", &text), Err(SealError), "another key");
        assert_eq!(key(1).open::<u32>("code", &text), Err(SealError), "another shape");
        assert!(!format!("{:?}", key(1)).contains('1'));
    }

    #[test]
    fn texts_of_former_keys_are_opened_and_none_is_sealed_under_them() {
        let (old, text) = (key(1), key(1).seal("code", &"begun before", [7; 12]).unwrap());
        let keys = SealingKeys::new(key(2), vec![old]);
        assert_eq!(keys.open::<String>("code", &text), Ok("begun before".to_owned()));
        assert_eq!(keys.open::<String>("token", &text), Err(SealError), "another kind");
        let new = keys.seal("code", &"new", [8; 12]).unwrap();
        assert_eq!(key(1).open::<String>("code", &new), Err(SealError));
        assert_eq!(keys.open::<String>("code", &new), Ok("new".to_owned()));
        let later = SealingKeys::new(key(2), Vec::new());
        assert_eq!(
            later.open::<String>("code", &text),
            Err(SealError),
            "the former one is dropped"
        );
    }

    proptest! {
        #[test]
        fn a_changed_character_opens_nothing(at: prop::sample::Index, with in "[A-Za-z0-9_-]") {
            let text = key(1).seal("code", &"some content", [7; 12]).unwrap();
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != with.as_bytes()[0]);
            bytes[at] = with.as_bytes()[0];
            prop_assert!(key(1).open::<String>("code", &String::from_utf8(bytes).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_opened_or_refused(text in ".{0,200}") {
            prop_assert!(key(1).open::<String>("code", &text).is_err());
        }
    }
}
