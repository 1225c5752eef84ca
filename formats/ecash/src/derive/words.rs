//! The words of BIP-39 that a person writes down.

use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

/// Why words are no seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Not 12 to 24 words by threes.
    #[error("a seed phrase has 12, 15, 18, 21 or 24 words")]
    Count,
    /// A word that is not in the list.
    #[error("word {0} of the seed phrase is not in the English list: check its spelling")]
    Unknown(usize),
    /// The words do not belong together.
    #[error("the seed phrase is mistyped: a word is wrong, or two are exchanged")]
    Checksum,
    /// Not 16 to 32 bytes by fours.
    #[error("words are made of 16, 20, 24, 28 or 32 random bytes")]
    Entropy,
}

/// The words for random bytes: 16 give 12 words.
///
/// # Errors
/// [`WordsError::Entropy`].
pub fn words_from_entropy(entropy: &[u8]) -> Result<Zeroizing<String>, WordsError> {
    let mnemonic = Mnemonic::from_entropy_in(Language::English, entropy);
    Ok(Zeroizing::new(mnemonic.map_err(|_| WordsError::Entropy)?.to_string()))
}

pub(super) fn seed(words: &str, passphrase: &str) -> Result<Zeroizing<[u8; 64]>, WordsError> {
    let words = Zeroizing::new(words.to_lowercase());
    let mnemonic =
        Mnemonic::parse_in_normalized(Language::English, &words).map_err(|error| match error {
            bip39::Error::BadWordCount(_) => WordsError::Count,
            bip39::Error::UnknownWord(index) => WordsError::Unknown(index.saturating_add(1)),
            _ => WordsError::Checksum,
        })?;
    Ok(Zeroizing::new(mnemonic.to_seed(passphrase)))
}
