//! One code of a shared key (`COSE_Mac0`, RFC 9052, 6.2), HMAC 256/256.

use super::header::{Parts, protect};
use super::{CoseError, Payload, structure};
use crate::cbor::Value;
use aws_lc_rs::hmac;

const OF: &str = "COSE code";
/// HMAC with SHA-256, not shortened (RFC 9053, 3.1).
const HMAC_256: i64 = 5;
/// Bytes of a code.
const CODE: usize = 32;
/// Bytes of a key.
pub const MAC_KEY: usize = 32;

/// A code over content. Not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mac0 {
    protected: Vec<u8>,
    content: Option<Vec<u8>>,
    code: [u8; CODE],
}

impl Mac0 {
    /// Makes the code.
    #[must_use]
    pub fn make(payload: Payload<'_>, key: &[u8; MAC_KEY]) -> Self {
        let protected = protect(HMAC_256, Vec::new());
        let tag = hmac::sign(&hmac_key(key), &structure("MAC0", &protected, payload.content()));
        let mut code = [0; CODE];
        code.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Self { protected, content: payload.carried(), code }
    }

    /// Reads the structure.
    ///
    /// # Errors
    /// [`CoseError`], the first rule broken.
    pub fn from_value(value: Value) -> Result<Self, CoseError> {
        let Parts { protected, content, end, .. } = Parts::read(OF, value, HMAC_256)?;
        let code = end.try_into();
        let code = code.map_err(|end: Vec<u8>| CoseError::Length(end.len(), CODE))?;
        Ok(Self { protected, content, code })
    }

    /// The structure, without a tag.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let Self { protected, content, code } = self.clone();
        Parts { protected, chain: None, content, end: code.to_vec() }.value()
    }

    /// Verifies the code over content that went another way, in constant time.
    ///
    /// # Errors
    /// [`CoseError::Content`] if some is carried, [`CoseError::Invalid`].
    pub fn verify_detached(&self, key: &[u8; MAC_KEY], content: &[u8]) -> Result<(), CoseError> {
        if self.content.is_some() {
            return Err(CoseError::Content("left out"));
        }
        let authenticated = structure("MAC0", &self.protected, content);
        hmac::verify(&hmac_key(key), &authenticated, &self.code).map_err(|_| CoseError::Invalid)
    }
}

fn hmac_key(key: &[u8; MAC_KEY]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}
