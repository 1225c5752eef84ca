//! A wallet's secrets from words that a person keeps (NUT-13), so that notes come back with them.

mod bip32;
mod words;

use crate::curve::SecretScalar;
use crate::encoding::to_hex;
use crate::keyset_id::KeysetId;
use aws_lc_rs::hmac;
use bip32::ExtendedKey;
use std::fmt;
use zeroize::Zeroizing;

pub use words::{WordsError, words_from_entropy};

const CONTEXT: &[u8] = b"Cashu_KDF_HMAC_SHA256";
/// The order of the curve.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// The seed of a wallet: every secret of every keyset follows from it.
pub struct Seed(Zeroizing<[u8; 64]>);

/// The secret and the blinding factor of one note to be.
#[derive(Debug)]
pub struct DerivedNote {
    /// The secret: 64 hexadecimal digits.
    pub secret: Zeroizing<String>,
    /// The factor.
    pub factor: SecretScalar,
}

/// Why a secret could not be derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeriveError {
    /// Keysets of version 1 have fewer.
    #[error("a keyset of version 00 has secrets up to counter 2147483647")]
    Counter,
    /// Nobody finds such a counter.
    #[error("this counter gives no secret: take the next")]
    Unusable,
}

impl Seed {
    /// From 64 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// From the words of BIP-39, in English, and a passphrase, which may be empty.
    ///
    /// # Errors
    /// [`WordsError`] if they are not such words or their checksum is wrong.
    pub fn from_words(words: &str, passphrase: &str) -> Result<Self, WordsError> {
        words::seed(words, passphrase).map(Self)
    }

    /// The note at `counter` of a keyset; each counter is used once.
    ///
    /// # Errors
    /// [`DeriveError`].
    pub fn note(&self, keyset: &KeysetId, counter: u64) -> Result<DerivedNote, DeriveError> {
        match keyset {
            KeysetId::V1(_) => self.note_v1(keyset, counter),
            KeysetId::V2(_) => self.note_v2(keyset, counter),
        }
    }

    /// By HMAC-SHA256, for keysets of version 2.
    fn note_v2(&self, keyset: &KeysetId, counter: u64) -> Result<DerivedNote, DeriveError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        let derive = |kind: u8| {
            let mut context = hmac::Context::with_key(&key);
            for part in [CONTEXT, &keyset.to_bytes(), &counter.to_be_bytes(), &[kind]] {
                context.update(part);
            }
            let bytes = <[u8; 32]>::try_from(context.sign().as_ref()).map(Zeroizing::new);
            bytes.map_err(|_| DeriveError::Unusable)
        };
        let secret = Zeroizing::new(to_hex(&*derive(0)?));
        let factor = SecretScalar::from_bytes(&reduce(&*derive(1)?));
        Ok(DerivedNote { secret, factor: factor.map_err(|_| DeriveError::Unusable)? })
    }

    /// By the path of BIP-32 `m/129372'/0'/keyset'/counter'/{0,1}`, for keysets of version 1.
    fn note_v1(&self, keyset: &KeysetId, counter: u64) -> Result<DerivedNote, DeriveError> {
        let counter = u32::try_from(counter).ok().filter(|c| *c < bip32::HARDENED);
        let counter = counter.ok_or(DeriveError::Counter)?;
        let parent = ExtendedKey::master(&self.0)
            .and_then(|key| key.child(hardened(129_372)))
            .and_then(|key| key.child(hardened(0)))
            .and_then(|key| key.child(hardened(number_of(keyset))))
            .and_then(|key| key.child(hardened(counter)))
            .ok_or(DeriveError::Unusable)?;
        let secret = parent.child(0).ok_or(DeriveError::Unusable)?;
        let factor = parent.child(1).ok_or(DeriveError::Unusable)?;
        let secret = Zeroizing::new(to_hex(&*secret.key().to_bytes()));
        Ok(DerivedNote { secret, factor: factor.key().clone() })
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(secret)")
    }
}

const fn hardened(index: u32) -> u32 {
    index | bip32::HARDENED
}

/// The id's first 8 bytes as a number, modulo 2^31 - 1.
fn number_of(keyset: &KeysetId) -> u32 {
    let number = u64::from_be_bytes(keyset.short());
    number.checked_rem((1 << 31) - 1).and_then(|rest| u32::try_from(rest).ok()).unwrap_or_default()
}

/// Modulo the order, of which no 32 bytes hold twice.
fn reduce(bytes: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    if *bytes < ORDER {
        return Zeroizing::new(*bytes);
    }
    let mut out = Zeroizing::new([0; 32]);
    let mut borrow = false;
    for ((to, a), b) in out.iter_mut().zip(bytes).zip(&ORDER).rev() {
        let (difference, under) = a.overflowing_sub(*b);
        let (difference, again) = difference.overflowing_sub(u8::from(borrow));
        *to = difference;
        borrow = under || again;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nut13_a_factor_above_the_order_is_reduced() {
        assert_eq!(*reduce(&ORDER), [0; 32]);
        let mut above = ORDER;
        above[31] = 0x45;
        assert_eq!(reduce(&above)[31], 4);
        let mut greatest = [0; 32];
        greatest[15] = 1;
        greatest[16..].copy_from_slice(&[
            0x45, 0x51, 0x23, 0x19, 0x50, 0xb7, 0x5f, 0xc4, 0x40, 0x2d, 0xa1, 0x73, 0x2f, 0xc9,
            0xbe, 0xbe,
        ]);
        assert_eq!(*reduce(&[0xff; 32]), greatest);
        let mut below = ORDER;
        below[31] = 0x40;
        assert_eq!(*reduce(&below), below);
    }

    #[test]
    fn nut13_the_number_of_a_keyset_is_that_of_the_vector() {
        assert_eq!(number_of(&"009a1f293253e41e".parse().unwrap()), 864_559_728);
    }
}
