//! COSE (RFC 9052) with one algorithm for each purpose: ES256 signatures, HMAC 256/256, P-256 keys.

mod header;
mod key;
mod mac0;
mod sign1;

pub use header::CoseError;
pub use key::{key_from_value, key_to_value};
pub use mac0::{MAC_KEY, Mac0};
pub use sign1::Sign1;

use crate::cbor::Value;

/// What is signed or authenticated: the content, or content that goes another way.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// Carried along.
    Attached(&'a [u8]),
    /// Known to both sides already, and left out.
    Detached(&'a [u8]),
}

impl<'a> Payload<'a> {
    const fn content(self) -> &'a [u8] {
        match self {
            Self::Attached(content) | Self::Detached(content) => content,
        }
    }

    fn carried(self) -> Option<Vec<u8>> {
        match self {
            Self::Attached(content) => Some(content.to_vec()),
            Self::Detached(_) => None,
        }
    }
}

/// What the signature or code is over (RFC 9052, 4.4 and 6.3); nothing is added from outside.
fn structure(context: &str, protected: &[u8], content: &[u8]) -> Vec<u8> {
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    Value::Array(vec![Value::text(context), bytes(protected), bytes(&[]), bytes(content)]).encode()
}
