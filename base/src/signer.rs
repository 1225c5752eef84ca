//! The signer interface: every private key in the system is used through it,
//! whether it lies in software or in a token.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Algorithm {
    /// ECDSA on NIST P-256 with SHA-256 (JOSE `ES256`, RFC 7518 section 3.4).
    Es256,
}

/// A P-256 public key: the uncompressed SEC 1 point, `0x04 || x || y`.
/// Holding one says nothing of whether the point lies on the curve: verification does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// From an uncompressed point; `None` unless it is 65 bytes that begin with 4.
    #[must_use]
    pub fn from_uncompressed(bytes: &[u8]) -> Option<Self> {
        let point: [u8; 65] = bytes.try_into().ok()?;
        (point.first() == Some(&4)).then_some(Self(point))
    }

    /// The uncompressed point, `0x04 || x || y`.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", crate::Digest::of(&self.0))
    }
}

/// An ES256 signature: `r || s`, 32 bytes each, big-endian (RFC 7518 section 3.4).
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", crate::Digest::of(&self.0))
    }
}

/// Why a key could not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The key did not answer or refused.
    #[error("the signing key is unavailable: {0}")]
    Unavailable(String),
    /// The token that holds the key did not sign.
    #[error("{why}")]
    Token {
        /// What is wrong with it.
        fault: TokenFault,
        /// The same at length, with what to do next.
        why: String,
    },
}

/// What is wrong with a token that holds keys, in the order in which it is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenFault {
    /// The module that speaks to it cannot be loaded.
    ModuleMissing,
    /// It is not there.
    TokenAbsent,
    /// It is locked: too many wrong PINs were tried.
    TokenLocked,
    /// The PIN is wrong or lacking. It is not tried again, so that the token does not lock itself.
    PinWrong,
    /// It does not hold the key.
    KeyAbsent,
    /// The session with it was lost, and lost again after it was opened anew.
    SessionLost,
    /// It cannot do what is needed, or not as it must.
    Unfit,
}

impl TokenFault {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ModuleMissing => "key.module_missing",
            Self::TokenAbsent => "key.token_absent",
            Self::TokenLocked => "key.token_locked",
            Self::PinWrong => "key.pin_wrong",
            Self::KeyAbsent => "key.absent",
            Self::SessionLost => "key.session_lost",
            Self::Unfit => "key.token_unfit",
        }
    }
}

/// A private key that can sign. Implemented by software keys and by tokens.
pub trait Signer: Send + Sync {
    /// The algorithm it signs with.
    fn algorithm(&self) -> Algorithm;

    /// Its public half.
    fn public_key(&self) -> PublicKey;

    /// Signs `message` (which it hashes itself).
    ///
    /// # Errors
    /// [`SignerError`] if the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;

    /// Whether it could sign now: asked before what can be done only once, and by whoever watches. A key in
    /// memory always can.
    ///
    /// # Errors
    /// [`SignerError`] if it could not.
    fn ready(&self) -> Result<(), SignerError> {
        Ok(())
    }
}
