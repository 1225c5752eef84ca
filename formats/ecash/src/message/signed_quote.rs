//! Quotes that only the holder of a key can take (NUT-20, NUT-29).

use super::note::BlindedMessage;
use super::quote::{BatchCheckRequest, BatchMintRequest, MintRequest};
use crate::curve::{Point, SecretScalar, sign_message, verify_message};
use std::collections::BTreeSet;

const DOMAIN: &[u8] = b"Cashu_MintQuoteSig_v1";

/// Why the notes of a quote are not given out. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteSignatureError {
    /// The quote names a key and nothing is signed.
    #[error("the quote is locked to a key: sign the quote and the outputs with it")]
    Missing,
    /// The signature is not the key's on this quote and these outputs.
    #[error("the signature on quote and outputs is not by the quote's key: sign exactly these")]
    Invalid,
    /// The quote names no key and something is signed.
    #[error("the quote is not locked to a key: leave its signature out")]
    NotLocked,
}

/// Why a batch of quotes is no batch. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchShapeError {
    /// No quotes.
    #[error("a batch names at least one quote")]
    Empty,
    /// More quotes than the mint takes.
    #[error("a batch names at most {0} quotes")]
    TooMany(usize),
    /// A quote twice.
    #[error("a batch names each quote once")]
    Duplicate,
    /// A list that is not as long as the quotes.
    #[error("a batch has as many {0} as quotes")]
    Lengths(&'static str),
}

/// What is signed: a name of its own, the quote's id, and every output's amount and blinded message,
/// each with its length before it. So NUT-20 has it from June 2026 on, and so peers sign.
#[must_use]
pub fn quote_message(quote: &str, outputs: &[BlindedMessage]) -> Vec<u8> {
    let mut message = DOMAIN.to_vec();
    let mut part = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        message.extend(length.to_be_bytes());
        message.extend(bytes);
    };
    part(quote.as_bytes());
    for output in outputs {
        let amount: Vec<u8> =
            output.amount.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
        part(&amount);
        part(&output.blinded.to_bytes());
    }
    message
}

/// What was signed before: the quote's id and every blinded message as texts, one after the other.
#[must_use]
pub fn plain_quote_message(quote: &str, outputs: &[BlindedMessage]) -> Vec<u8> {
    let hex = outputs.iter().map(|output| output.blinded.to_hex());
    std::iter::once(quote.to_owned()).chain(hex).collect::<String>().into_bytes()
}

/// Signs for a quote with its key; `auxiliary` is fresh randomness, or zeros.
#[must_use]
pub fn sign_quote(
    key: &SecretScalar,
    quote: &str,
    outputs: &[BlindedMessage],
    auxiliary: &[u8; 32],
) -> String {
    sign_message(key, &quote_message(quote, outputs), auxiliary)
}

/// The same for a mint that refuses the form of today.
#[must_use]
pub fn sign_quote_plain(
    key: &SecretScalar,
    quote: &str,
    outputs: &[BlindedMessage],
    auxiliary: &[u8; 32],
) -> String {
    sign_message(key, &plain_quote_message(quote, outputs), auxiliary)
}

fn check(
    key: Option<&Point>,
    quote: &str,
    outputs: &[BlindedMessage],
    signature: Option<&str>,
) -> Result<(), QuoteSignatureError> {
    let Some(key) = key else { return Ok(()) };
    let signature = signature.ok_or(QuoteSignatureError::Missing)?;
    let messages = [quote_message, plain_quote_message];
    if messages.iter().any(|message| verify_message(key, &message(quote, outputs), signature)) {
        Ok(())
    } else {
        Err(QuoteSignatureError::Invalid)
    }
}

impl MintRequest {
    /// Checks the signature that the quote's key asks for. A signature on a quote without a key is
    /// ignored, as peers do.
    ///
    /// # Errors
    /// [`QuoteSignatureError::Missing`], [`QuoteSignatureError::Invalid`].
    pub fn check_signature(&self, key: Option<&Point>) -> Result<(), QuoteSignatureError> {
        check(key, &self.quote, &self.outputs, self.signature.as_deref())
    }
}

impl BatchCheckRequest {
    /// Checks that there are quotes, at most `most`, and each once.
    ///
    /// # Errors
    /// [`BatchShapeError`].
    pub fn check_shape(&self, most: usize) -> Result<(), BatchShapeError> {
        check_quotes(&self.quotes, most)
    }
}

fn check_quotes(quotes: &[String], most: usize) -> Result<(), BatchShapeError> {
    if quotes.is_empty() {
        return Err(BatchShapeError::Empty);
    }
    if quotes.len() > most {
        return Err(BatchShapeError::TooMany(most));
    }
    if quotes.iter().collect::<BTreeSet<_>>().len() != quotes.len() {
        return Err(BatchShapeError::Duplicate);
    }
    Ok(())
}

impl BatchMintRequest {
    /// Checks that there are quotes, at most `most`, each once, and lists of their length.
    ///
    /// # Errors
    /// [`BatchShapeError`].
    pub fn check_shape(&self, most: usize) -> Result<(), BatchShapeError> {
        check_quotes(&self.quotes, most)?;
        let quotes = self.quotes.len();
        if self.quote_amounts.as_ref().is_some_and(|amounts| amounts.len() != quotes) {
            return Err(BatchShapeError::Lengths("quote_amounts"));
        }
        if self.signatures.as_ref().is_some_and(|signatures| signatures.len() != quotes) {
            return Err(BatchShapeError::Lengths("signatures"));
        }
        Ok(())
    }

    /// Checks the signatures that the quotes' keys ask for, given in the order of the quotes.
    ///
    /// # Errors
    /// Any [`QuoteSignatureError`]; none of the quotes may be taken then.
    pub fn check_signatures(&self, keys: &[Option<Point>]) -> Result<(), QuoteSignatureError> {
        let none = Vec::new();
        let signatures = self.signatures.as_ref().unwrap_or(&none);
        for (index, quote) in self.quotes.iter().enumerate() {
            let key = keys.get(index).and_then(Option::as_ref);
            let signature = signatures.get(index).and_then(Option::as_deref);
            if key.is_none() && signature.is_some() {
                return Err(QuoteSignatureError::NotLocked);
            }
            check(key, quote, &self.outputs, signature)?;
        }
        Ok(())
    }
}
