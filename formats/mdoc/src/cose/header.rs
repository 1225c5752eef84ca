//! The four parts that every COSE message of one party has, and what their headers say.

use crate::cbor::{Fields, ShapeError, Value, expected, read};
use yufu_jose::{Chain, ChainError};

/// Labels of headers (RFC 9052, 3.1; RFC 9360, 2).
const ALG: i64 = 1;
const CRIT: i64 = 2;
const X5CHAIN: i64 = 33;

/// Why a COSE message is not accepted. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoseError {
    /// Not the CBOR of one.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Another algorithm, or none where it is protected.
    #[error("the protected algorithm is {found:?}: only {expected} is accepted")]
    Algorithm {
        /// The number found.
        found: Option<i64>,
        /// The one number taken.
        expected: i64,
    },
    /// Critical headers are declared; none is supported.
    #[error("crit names headers that must be understood: none is supported")]
    Critical,
    /// The certificate chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The signature or code has another length.
    #[error("the signature or code has {0} bytes: expected {1}")]
    Length(usize, usize),
    /// The content is carried where it must not be, or missing.
    #[error("the content must be {0}")]
    Content(&'static str),
    /// The signature or code is not one of this key over this content.
    #[error("the signature or code does not verify with the expected key over this content")]
    Invalid,
}

/// A message taken apart: protected headers as they were written, chain, content, and the signature
/// or code.
pub(super) struct Parts {
    pub(super) protected: Vec<u8>,
    pub(super) chain: Option<Chain>,
    pub(super) content: Option<Vec<u8>>,
    pub(super) end: Vec<u8>,
}

impl Parts {
    pub(super) fn read(of: &'static str, value: Value, alg: i64) -> Result<Self, CoseError> {
        let parts: Option<[Value; 4]> = value.into_array().and_then(|parts| parts.try_into().ok());
        let [protected, unprotected, content, end] = parts.ok_or(expected(of, "four parts"))?;
        let protected = protected.into_bytes().ok_or(expected(of, "protected headers as bytes"))?;
        let mut signed = protected_headers(of, &protected)?;
        let found = signed.labelled(ALG).and_then(|alg| alg.as_integer());
        if found != Some(alg) {
            return Err(CoseError::Algorithm { found, expected: alg });
        }
        let mut open = Fields::new(of, unprotected)?;
        if signed.labelled(CRIT).is_some() || open.labelled(CRIT).is_some() {
            return Err(CoseError::Critical);
        }
        let chain = signed.labelled(X5CHAIN).or_else(|| open.labelled(X5CHAIN));
        let chain = chain.map(|chain| read_chain(of, chain)).transpose()?;
        let content = match content {
            Value::Null => None,
            other => Some(other.into_bytes().ok_or(expected(of, "the content as bytes"))?),
        };
        let end = end.into_bytes().ok_or(expected(of, "the signature or code as bytes"))?;
        Ok(Self { protected, chain, content, end })
    }

    pub(super) fn value(self) -> Value {
        let chain = self.chain.map(|chain| (Value::integer(X5CHAIN), chain_value(&chain)));
        Value::Array(vec![
            Value::Bytes(self.protected),
            Value::Map(chain.into_iter().collect()),
            self.content.map_or(Value::Null, Value::Bytes),
            Value::Bytes(self.end),
        ])
    }
}

/// The protected headers of `alg`, and others beside it.
pub(super) fn protect(alg: i64, others: Vec<(i64, Value)>) -> Vec<u8> {
    let others = others.into_iter().map(|(label, value)| (Value::integer(label), value));
    let alg = (Value::integer(ALG), Value::integer(alg));
    Value::Map(std::iter::once(alg).chain(others).collect()).encode()
}

pub(super) fn protected_headers(of: &'static str, bytes: &[u8]) -> Result<Fields, ShapeError> {
    // No headers are an empty byte string (RFC 9052, 3).
    let headers = if bytes.is_empty() { Value::Map(Vec::new()) } else { read(of, bytes)? };
    Fields::new(of, headers)
}

fn read_chain(of: &'static str, value: Value) -> Result<Chain, CoseError> {
    let certificates = match value {
        Value::Bytes(leaf) => vec![leaf],
        Value::Array(chain) => chain
            .into_iter()
            .map(Value::into_bytes)
            .collect::<Option<Vec<_>>>()
            .ok_or(expected(of, "certificates as bytes"))?,
        _ => return Err(expected(of, "a chain of certificates").into()),
    };
    Ok(Chain::from_der(certificates)?)
}

/// One certificate stands alone, several in a list (RFC 9360, 2).
fn chain_value(chain: &Chain) -> Value {
    let mut certificates: Vec<Value> =
        chain.certificates().map(|der| Value::Bytes(der.to_vec())).collect();
    match (certificates.pop(), certificates.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            certificates.extend(last);
            Value::Array(certificates)
        }
    }
}
