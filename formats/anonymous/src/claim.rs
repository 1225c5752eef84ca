//! What a credential says: values of three kinds, each signed together with its name and kind.

use crate::encoding::Parts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The claims of a credential, or those shown of it, by name.
pub type Claims = BTreeMap<String, ClaimValue>;

/// The value of a claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClaimValue {
    /// Whether something holds: `age_equal_or_over.18`.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

impl ClaimValue {
    /// What is signed of a claim.
    pub(crate) fn message(&self, name: &str) -> Vec<u8> {
        let parts = Parts::of("yufu.anonymous.claim.v1").and(name.as_bytes());
        match self {
            Self::Flag(flag) => parts.and(b"flag").and(&[u8::from(*flag)]).bytes(),
            Self::Number(number) => parts.and(b"number").and(&number.to_be_bytes()).bytes(),
            Self::Text(text) => parts.and(b"text").and(text.as_bytes()).bytes(),
        }
    }
}
