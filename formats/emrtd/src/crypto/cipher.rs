//! The ciphers of a session and their checksums: two-key triple DES with the retail MAC, AES with CMAC
//! (ICAO 9303-11, 9.8.6 and 9.8.7).

use crate::crypto::{sha1, sha256};
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt};
use aes::cipher::{KeyInit, KeyIvInit};
use zeroize::Zeroizing;

/// Why bytes could not be enciphered, deciphered or summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// They are not whole blocks, or a key has the wrong length.
    #[error("the bytes are not whole blocks of the cipher")]
    Blocks,
    /// The padding at the end is not what it must be.
    #[error("the padding is not that of ISO/IEC 9797-1, method 2")]
    Padding,
}

/// Which cipher and checksum a session uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suite {
    /// Triple DES with two keys, CBC and retail MAC.
    TripleDes,
    /// AES with keys of 128 bits, CBC and CMAC.
    Aes128,
    /// AES with keys of 256 bits, CBC and CMAC.
    Aes256,
}

impl Suite {
    /// The last number of the object identifiers of PACE and chip authentication.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::TripleDes => 1,
            Self::Aes128 => 2,
            Self::Aes256 => 4,
        }
    }

    /// The suite with this number.
    #[must_use]
    pub const fn of_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::TripleDes),
            2 => Some(Self::Aes128),
            4 => Some(Self::Aes256),
            _ => None,
        }
    }

    /// How many bytes a block has.
    #[must_use]
    pub const fn block(self) -> usize {
        match self {
            Self::TripleDes => 8,
            Self::Aes128 | Self::Aes256 => 16,
        }
    }

    /// KDF(secret, counter) of ICAO 9303-11, 9.7.1.
    pub(crate) fn derive(self, secret: &[u8], counter: u32) -> Zeroizing<Vec<u8>> {
        let counter = counter.to_be_bytes();
        let mut key = match self {
            Self::TripleDes | Self::Aes128 => sha1(&[secret, &counter]).to_vec(),
            Self::Aes256 => sha256(&[secret, &counter]).to_vec(),
        };
        key.truncate(if self == Self::Aes256 { 32 } else { 16 });
        Zeroizing::new(key)
    }
}

/// The two keys of a session.
#[derive(Clone)]
pub struct SessionKeys {
    suite: Suite,
    encryption: Zeroizing<Vec<u8>>,
    authentication: Zeroizing<Vec<u8>>,
}

impl SessionKeys {
    /// The keys that follow from a shared secret (ICAO 9303-11, 9.7.4).
    #[must_use]
    pub fn derive(suite: Suite, secret: &[u8]) -> Self {
        Self { suite, encryption: suite.derive(secret, 1), authentication: suite.derive(secret, 2) }
    }

    /// Which cipher they are for.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Enciphers whole blocks, beginning with `iv`.
    pub(crate) fn encrypt(&self, iv: &[u8], blocks: &[u8]) -> Result<Vec<u8>, CipherError> {
        encrypt_with(self.suite, &self.encryption, iv, blocks)
    }

    /// Deciphers whole blocks.
    pub(crate) fn decrypt(&self, iv: &[u8], blocks: &[u8]) -> Result<Vec<u8>, CipherError> {
        decrypt_with(self.suite, &self.encryption, iv, blocks)
    }

    /// The checksum of eight bytes. Triple DES pads by itself, AES sums what is there.
    pub(crate) fn sum(&self, message: &[u8]) -> Result<[u8; 8], CipherError> {
        match self.suite {
            Suite::TripleDes => retail_mac(&self.authentication, message),
            Suite::Aes128 => cmac_of::<cmac::Cmac<aes::Aes128>>(&self.authentication, message),
            Suite::Aes256 => cmac_of::<cmac::Cmac<aes::Aes256>>(&self.authentication, message),
        }
    }

    /// The initial vector of a message under the send sequence counter.
    pub(crate) fn vector(&self, counter: &[u8]) -> Result<Vec<u8>, CipherError> {
        match self.suite {
            Suite::TripleDes => Ok(vec![0; 8]),
            Suite::Aes128 | Suite::Aes256 => self.encrypt(&[0; 16], counter),
        }
    }

    /// The keys themselves, for tests of worked examples.
    #[must_use]
    pub fn exposed(&self) -> (&[u8], &[u8]) {
        (&self.encryption, &self.authentication)
    }
}

/// Enciphers whole blocks with a key of the suite.
pub(crate) fn encrypt_with(
    suite: Suite,
    key: &[u8],
    iv: &[u8],
    blocks: &[u8],
) -> Result<Vec<u8>, CipherError> {
    match suite {
        Suite::TripleDes => encrypt::<des::TdesEde2>(key, iv, blocks),
        Suite::Aes128 => encrypt::<aes::Aes128>(key, iv, blocks),
        Suite::Aes256 => encrypt::<aes::Aes256>(key, iv, blocks),
    }
}

/// Deciphers whole blocks with a key of the suite.
pub(crate) fn decrypt_with(
    suite: Suite,
    key: &[u8],
    iv: &[u8],
    blocks: &[u8],
) -> Result<Vec<u8>, CipherError> {
    match suite {
        Suite::TripleDes => decrypt::<des::TdesEde2>(key, iv, blocks),
        Suite::Aes128 => decrypt::<aes::Aes128>(key, iv, blocks),
        Suite::Aes256 => decrypt::<aes::Aes256>(key, iv, blocks),
    }
}

fn encrypt<C>(key: &[u8], iv: &[u8], blocks: &[u8]) -> Result<Vec<u8>, CipherError>
where
    C: BlockCipherEncrypt + KeyInit,
{
    let mode = cbc::Encryptor::<C>::new_from_slices(key, iv).map_err(|_| CipherError::Blocks)?;
    let mut enciphered = vec![0; blocks.len()];
    mode.encrypt_padded_b2b::<NoPadding>(blocks, &mut enciphered)
        .map_err(|_| CipherError::Blocks)?;
    Ok(enciphered)
}

fn decrypt<C>(key: &[u8], iv: &[u8], blocks: &[u8]) -> Result<Vec<u8>, CipherError>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let mode = cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(|_| CipherError::Blocks)?;
    let mut plain = vec![0; blocks.len()];
    mode.decrypt_padded_b2b::<NoPadding>(blocks, &mut plain).map_err(|_| CipherError::Blocks)?;
    Ok(plain)
}

/// The retail MAC (ISO/IEC 9797-1, algorithm 3 with DES and padding method 2): DES in CBC under the first key, the
/// last block once more under the second and the first.
pub(crate) fn retail_mac(key: &[u8], message: &[u8]) -> Result<[u8; 8], CipherError> {
    let (first, _) = key.split_at_checked(8).ok_or(CipherError::Blocks)?;
    let padded = pad(message, 8);
    let (before, last) =
        padded.split_at_checked(padded.len().saturating_sub(8)).ok_or(CipherError::Blocks)?;
    let chained = encrypt::<des::Des>(first, &[0; 8], before)?;
    let vector = chained.last_chunk::<8>().copied().unwrap_or_default();
    let sum = encrypt::<des::TdesEde2>(key, &vector, last)?;
    sum.try_into().map_err(|_| CipherError::Blocks)
}

fn cmac_of<M: cmac::Mac + KeyInit>(key: &[u8], message: &[u8]) -> Result<[u8; 8], CipherError> {
    let mut sum = <M as KeyInit>::new_from_slice(key).map_err(|_| CipherError::Blocks)?;
    sum.update(message);
    let sum = sum.finalize().into_bytes();
    sum.first_chunk::<8>().copied().ok_or(CipherError::Blocks)
}

/// Padding method 2 of ISO/IEC 9797-1: a bit that is set, then zeros to the end of the block.
pub(crate) fn pad(message: &[u8], block: usize) -> Vec<u8> {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len().checked_rem(block).is_some_and(|rest| rest != 0) {
        padded.push(0);
    }
    padded
}

/// Takes the padding away again.
pub(crate) fn unpad(padded: &[u8]) -> Result<&[u8], CipherError> {
    let end = padded.iter().rposition(|byte| *byte != 0).ok_or(CipherError::Padding)?;
    match padded.split_at_checked(end) {
        Some((message, [0x80, ..])) => Ok(message),
        _ => Err(CipherError::Padding),
    }
}
