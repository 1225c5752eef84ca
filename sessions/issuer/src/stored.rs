//! How sessions are kept between requests: one enum for storage, digests for look-up.

use crate::{Authorised, Offered};
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_jose::{encode_base64url, sha256};

/// A session in any of its storable states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum IssuerSession {
    /// The offer is out.
    Offered(Offered),
    /// The code was exchanged for a token.
    Authorised(Authorised),
}

impl From<Offered> for IssuerSession {
    fn from(state: Offered) -> Self {
        Self::Offered(state)
    }
}

impl From<Authorised> for IssuerSession {
    fn from(state: Authorised) -> Self {
        Self::Authorised(state)
    }
}

/// A refusal, and the session as it goes on. Store it before answering: a wrong
/// transaction code counts only if it is remembered.
pub struct Refused<S, E> {
    /// Which rule was broken.
    pub error: E,
    /// The session to store in place of the old one; `None` if it is over: delete it.
    pub session: Option<Box<S>>,
}

impl<S, E: fmt::Debug> fmt::Debug for Refused<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("error", &self.error)
            .field("over", &self.session.is_none())
            .finish()
    }
}

/// The name under which a session is stored while a code or token stands for it: a digest,
/// so that a stolen store opens nothing.
#[must_use]
pub fn secret_id(secret: &str) -> String {
    encode_base64url(sha256(secret.as_bytes()))
}
