//! What an issuer publishes: under which key it signs which claims, and for how long. It is the same for everybody, so
//! that nobody is told from others by it.

use crate::claim::Claims;
use crate::encoding::Parts;
use crate::issuer::IssuerPublicKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::Timestamp;

/// Seconds in a day.
const DAY: u64 = 86_400;
/// The most claims of a credential.
const MOST_CLAIMS: usize = 32;
/// The longest epoch: who is withdrawn can show for as long.
const MOST_DAYS: u32 = 31;
/// The longest name of an issuer, a kind, a claim, in bytes.
const LONGEST_NAME: usize = 256;

/// An issuer's terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Terms(Wire);

/// As they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    issuer: String,
    kind: String,
    claims: Vec<String>,
    epoch_days: u32,
    key: IssuerPublicKey,
}

/// Why terms are none. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// No claim, or too many.
    #[error("{0} claims: from 1 to {MOST_CLAIMS} are signed")]
    Count(usize),
    /// A name that is empty, or too long.
    #[error("a name is empty, or longer than {LONGEST_NAME} bytes")]
    Name,
    /// A claim twice.
    #[error("the claim {0} is given twice")]
    Twice(String),
    /// An epoch of no day, or of too many.
    #[error("an epoch of {0} days: from 1 to {MOST_DAYS}")]
    Epoch(u32),
}

impl Terms {
    /// Terms of `issuer`, who signs `claims` in this order under `key`, for whole epochs of `epoch_days`.
    ///
    /// # Errors
    /// [`TermsError`], the first rule that is broken.
    pub fn new(
        issuer: &str,
        kind: &str,
        claims: Vec<String>,
        epoch_days: u32,
        key: IssuerPublicKey,
    ) -> Result<Self, TermsError> {
        let (issuer, kind) = (issuer.to_owned(), kind.to_owned());
        Wire { issuer, kind, claims, epoch_days, key }.try_into()
    }

    /// The issuer's address.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The kind of credential, in the issuer's word.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The names of its claims, in the order in which they are signed.
    #[must_use]
    pub fn claims(&self) -> &[String] {
        &self.0.claims
    }

    /// The key that signs.
    #[must_use]
    pub const fn key(&self) -> &IssuerPublicKey {
        &self.0.key
    }

    /// Which epoch it is, counted from 1970: credentials of another are refused.
    #[must_use]
    pub fn epoch(&self, now: Timestamp) -> u64 {
        now.seconds().checked_div(self.length()).unwrap_or(0)
    }

    /// When an epoch ends: midnight, UTC.
    #[must_use]
    pub fn end(&self, epoch: u64) -> Timestamp {
        Timestamp::from_seconds(epoch.saturating_add(1).saturating_mul(self.length()))
    }

    fn length(&self) -> u64 {
        u64::from(self.0.epoch_days).saturating_mul(DAY)
    }

    /// What every credential of an epoch says to whoever is shown it, and nothing else.
    pub(crate) fn header(&self, epoch: u64) -> Vec<u8> {
        let Wire { issuer, kind, claims, epoch_days, key: _ } = &self.0;
        let parts = Parts::of("yufu.anonymous.header.v1").and(issuer.as_bytes());
        let parts = parts.and(kind.as_bytes()).and(&epoch_days.to_be_bytes());
        let parts = parts.and(&epoch.to_be_bytes());
        claims.iter().fold(parts, |parts, name| parts.and(name.as_bytes())).bytes()
    }

    /// What is signed of `claims`, in order; none if they are not exactly those of the terms.
    pub(crate) fn messages(&self, claims: &Claims) -> Option<Vec<Vec<u8>>> {
        if claims.len() != self.0.claims.len() {
            return None;
        }
        self.0.claims.iter().map(|name| Some(claims.get(name)?.message(name))).collect()
    }

    /// What was signed of the `shown` claims, in order, with their places; none if one is not of the terms.
    pub(crate) fn shown(&self, shown: &Claims) -> Option<(Vec<Vec<u8>>, Vec<usize>)> {
        let of = |(place, name): (usize, &String)| Some((shown.get(name)?.message(name), place));
        let (messages, places): (Vec<_>, Vec<_>) =
            self.0.claims.iter().enumerate().filter_map(of).unzip();
        (places.len() == shown.len()).then_some((messages, places))
    }
}

impl TryFrom<Wire> for Terms {
    type Error = TermsError;

    fn try_from(wire: Wire) -> Result<Self, TermsError> {
        let count = wire.claims.len();
        if count == 0 || count > MOST_CLAIMS {
            return Err(TermsError::Count(count));
        }
        let wrong = |name: &String| name.is_empty() || name.len() > LONGEST_NAME;
        if wire.claims.iter().any(wrong) || wrong(&wire.issuer) || wrong(&wire.kind) {
            return Err(TermsError::Name);
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = wire.claims.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(TermsError::Twice(twice.clone()));
        }
        if wire.epoch_days == 0 || wire.epoch_days > MOST_DAYS {
            return Err(TermsError::Epoch(wire.epoch_days));
        }
        Ok(Self(wire))
    }
}

impl From<Terms> for Wire {
    fn from(terms: Terms) -> Self {
        terms.0
    }
}
