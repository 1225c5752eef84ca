//! Notes as a text that one person sends another (NUT-00): version 4 read and written, version 3 read.

mod v3;
mod v4;

use crate::amount::{SumOverflow, total};
use crate::cbor::CborError;
use crate::curve::{Point, ProofDleq};
use crate::encoding::from_base64;
use crate::keyset_id::{KeysetId, KeysetIdError};
use crate::message::Proof;

/// The longest token that is looked at.
pub const MAX_TOKEN: usize = 256 * 1024;

const SCHEME: &str = "cashu:";
const RAW: &[u8] = b"crawB";

/// Notes of one mint on their way from payer to payee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The mint's address, without a slash at its end.
    pub mint: String,
    /// What the amounts count; old tokens may not say.
    pub unit: Option<String>,
    /// Words from the payer.
    pub memo: Option<String>,
    /// The notes.
    pub notes: Vec<TokenNote>,
}

/// A note in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenNote {
    /// The denomination.
    pub amount: u64,
    /// The keyset that signed.
    pub keyset: TokenKeyset,
    /// The secret.
    pub secret: String,
    /// The signature.
    pub signature: Point,
    /// What meets the conditions of the secret.
    pub witness: Option<String>,
    /// For a payee without network.
    pub dleq: Option<ProofDleq>,
}

/// A keyset as a token names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenKeyset {
    /// By its id.
    Full(KeysetId),
    /// By the first 8 bytes of an id of version 2.
    Short([u8; 8]),
}

/// Why a token is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any that is looked at.
    #[error("a token has at most {MAX_TOKEN} characters: ask for several")]
    TooLong,
    /// Not a token of a version known here.
    #[error("a token begins with cashuA or cashuB")]
    Prefix,
    /// Not base64.
    #[error("the token is not base64 of the URL alphabet")]
    Base64,
    /// Not the CBOR of a token.
    #[error("the token: {0}")]
    Cbor(#[from] CborError),
    /// Not the JSON of a token.
    #[error("the token does not have the members it should: {0}")]
    Json(String),
    /// A keyset's id that is none.
    #[error("the token names a keyset wrongly: {0}")]
    Keyset(#[from] KeysetIdError),
    /// Notes of several mints, which only version 3 could carry.
    #[error("the token has notes of several mints: ask for one token of each")]
    SeveralMints,
    /// No notes.
    #[error("the token has no notes")]
    Empty,
    /// It must say what it counts.
    #[error("a token of version 4 says its unit")]
    NoUnit,
    /// A short name that no known keyset has.
    #[error("the token names a keyset that the mint does not have: fetch its keysets first")]
    UnknownKeyset,
    /// A short name that several have.
    #[error("the token names a keyset by what two keysets begin with: ask for the full name")]
    AmbiguousKeyset,
    /// The sum does not fit.
    #[error(transparent)]
    Sum(#[from] SumOverflow),
}

impl Token {
    /// Reads a token's text, with or without `cashu:` before it.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        let text = text.trim();
        let text = text.strip_prefix(SCHEME).unwrap_or(text);
        let text = text.strip_prefix("//").unwrap_or(text);
        let decode = |body: &str| from_base64(body).ok_or(TokenError::Base64);
        if let Some(body) = text.strip_prefix("cashuB") {
            v4::read(&decode(body)?)?.checked()
        } else if let Some(body) = text.strip_prefix("cashuA") {
            v3::read(&decode(body)?)?.checked()
        } else {
            Err(TokenError::Prefix)
        }
    }

    /// Reads a token in binary form.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        if bytes.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        v4::read(bytes.strip_prefix(RAW).ok_or(TokenError::Prefix)?)?.checked()
    }

    /// The token's text, version 4.
    ///
    /// # Errors
    /// [`TokenError::Empty`], [`TokenError::NoUnit`].
    pub fn to_text(&self) -> Result<String, TokenError> {
        Ok(format!("cashuB{}", yufu_jose::encode_base64url(v4::write(self)?)))
    }

    /// The token in binary form.
    ///
    /// # Errors
    /// [`TokenError::Empty`], [`TokenError::NoUnit`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, TokenError> {
        Ok([RAW, &v4::write(self)?].concat())
    }

    /// Makes a token of notes.
    #[must_use]
    pub fn new(mint: &str, unit: &str, memo: Option<String>, proofs: Vec<Proof>) -> Self {
        let notes = proofs.into_iter().map(TokenNote::from).collect();
        let mint = mint.trim_end_matches('/').to_owned();
        Self { mint, unit: Some(unit.to_owned()), memo, notes }
    }

    /// The notes, with short names of keysets made full by the keysets of the mint.
    ///
    /// # Errors
    /// [`TokenError::UnknownKeyset`], [`TokenError::AmbiguousKeyset`].
    pub fn proofs(&self, known: &[KeysetId]) -> Result<Vec<Proof>, TokenError> {
        let resolve = |note: &TokenNote| {
            let id = match note.keyset {
                TokenKeyset::Full(id) => id,
                TokenKeyset::Short(short) => {
                    let mut found = known.iter().filter(|id| id.short() == short);
                    let first = *found.next().ok_or(TokenError::UnknownKeyset)?;
                    if found.any(|other| *other != first) {
                        return Err(TokenError::AmbiguousKeyset);
                    }
                    first
                }
            };
            Ok(Proof {
                amount: note.amount,
                id,
                secret: note.secret.clone(),
                signature: note.signature,
                witness: note.witness.clone(),
                dleq: note.dleq.clone(),
            })
        };
        self.notes.iter().map(resolve).collect()
    }

    /// What it is worth.
    ///
    /// # Errors
    /// [`TokenError::Sum`].
    pub fn total(&self) -> Result<u64, TokenError> {
        Ok(total(self.notes.iter().map(|note| note.amount))?)
    }

    fn checked(mut self) -> Result<Self, TokenError> {
        if self.notes.is_empty() {
            return Err(TokenError::Empty);
        }
        self.mint.truncate(self.mint.trim_end_matches('/').len());
        self.total()?;
        Ok(self)
    }
}

impl From<Proof> for TokenNote {
    fn from(proof: Proof) -> Self {
        Self {
            amount: proof.amount,
            keyset: TokenKeyset::Full(proof.id),
            secret: proof.secret,
            signature: proof.signature,
            witness: proof.witness,
            dleq: proof.dleq,
        }
    }
}

impl TokenKeyset {
    fn from_bytes(bytes: &[u8]) -> Result<Self, KeysetIdError> {
        match <[u8; 8]>::try_from(bytes) {
            Ok(short) if short.first() == Some(&1) => Ok(Self::Short(short)),
            _ => KeysetId::from_bytes(bytes).map(Self::Full),
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Full(id) => id.to_bytes(),
            Self::Short(short) => short.to_vec(),
        }
    }
}
