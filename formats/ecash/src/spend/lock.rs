//! A condition understood: who must sign, what must be shown, until when (NUT-11, NUT-14).

use super::secret::{Conditions, Kind, SecretError};
use crate::curve::Point;
use crate::encoding::{fixed_from_hex, to_hex};
use std::collections::BTreeSet;

/// What a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigFlag {
    /// The input's own secret.
    Inputs,
    /// All inputs and all outputs.
    All,
}

/// How many of some keys must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pathway {
    /// The keys, each once by its x coordinate.
    pub keys: Vec<Point>,
    /// How many of them.
    pub needed: usize,
}

/// A condition of spending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The hash whose preimage must be shown (NUT-14); none for a lock to keys alone.
    pub hash: Option<[u8; 32]>,
    /// What signatures cover.
    pub sig_flag: SigFlag,
    /// Who can spend at any time.
    pub receivers: Pathway,
    /// After when, in Unix seconds, who locked it can have it back.
    pub locktime: Option<u64>,
    /// Who then can spend it too; if nobody is named, anybody.
    pub refund: Pathway,
}

/// Why a condition cannot be understood, so that nobody can spend the note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The secret itself.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A tag that may stand once stands twice.
    #[error("the condition has the tag {0} more than once")]
    RepeatedTag(&'static str),
    /// A flag that is neither `SIG_INPUTS` nor `SIG_ALL`.
    #[error("the condition's sigflag is neither SIG_INPUTS nor SIG_ALL")]
    SigFlag,
    /// A key that is none.
    #[error("the condition names a key that is no compressed point")]
    Key,
    /// A key twice among those of one pathway.
    #[error("the condition names a key twice among {0}")]
    RepeatedKey(&'static str),
    /// A number of signatures that is not positive or more than there are keys.
    #[error("the condition's {0} is not a number from 1 to the count of its keys")]
    Count(&'static str),
    /// A hash that is not 32 bytes.
    #[error("the condition's hash is not 64 hexadecimal digits")]
    Hash,
    /// A refund to nobody.
    #[error("the condition has the tag refund without a key")]
    EmptyRefund,
}

const TAGS: [&str; 6] = ["sigflag", "pubkeys", "n_sigs", "locktime", "refund", "n_sigs_refund"];

impl Lock {
    /// A lock to `key`, back to `refund` after `locktime`: what a payee without network can take.
    #[must_use]
    pub fn to_key(key: Point, locktime: u64, refund: Point) -> Self {
        Self {
            hash: None,
            sig_flag: SigFlag::Inputs,
            receivers: Pathway { keys: vec![key], needed: 1 },
            locktime: Some(locktime),
            refund: Pathway { keys: vec![refund], needed: 1 },
        }
    }

    /// Understands a condition.
    ///
    /// # Errors
    /// Any [`LockError`].
    pub fn read(conditions: &Conditions) -> Result<Self, LockError> {
        for name in TAGS {
            let count =
                conditions.tags.iter().filter(|tag| tag.first().is_some_and(|t| t == name)).count();
            if count > 1 {
                return Err(LockError::RepeatedTag(name));
            }
        }
        let mut names: Vec<&str> = Vec::new();
        let hash = match conditions.kind {
            Kind::PayToKey => {
                names.push(&conditions.data);
                None
            }
            Kind::HashLock => Some(fixed_from_hex(&conditions.data).ok_or(LockError::Hash)?),
        };
        names.extend(conditions.tag("pubkeys").unwrap_or_default().iter().map(String::as_str));
        let refund = conditions.tag("refund");
        if refund.is_some_and(<[String]>::is_empty) {
            return Err(LockError::EmptyRefund);
        }
        let refund: Vec<&str> = refund.unwrap_or_default().iter().map(String::as_str).collect();
        Ok(Self {
            hash,
            sig_flag: sig_flag(conditions.tag("sigflag"))?,
            receivers: pathway(&names, conditions.tag("n_sigs"), "n_sigs", "pubkeys")?,
            locktime: locktime(conditions.tag("locktime")),
            refund: pathway(&refund, conditions.tag("n_sigs_refund"), "n_sigs_refund", "refund")?,
        })
    }

    /// Reads a secret: `None` if whoever has it may spend it.
    ///
    /// # Errors
    /// Any [`LockError`].
    pub fn parse(secret: &str) -> Result<Option<Self>, LockError> {
        Conditions::parse(secret)?.map(|conditions| Self::read(&conditions)).transpose()
    }

    /// The condition as it is written in a secret. `nonce` makes it unique: fresh randomness.
    ///
    /// # Errors
    /// [`LockError`] if a lock was put together that no mint would understand.
    pub fn to_conditions(&self, nonce: &[u8]) -> Result<Conditions, LockError> {
        let mut keys = self.receivers.keys.iter().map(Point::to_hex);
        let (kind, data) = match self.hash {
            Some(hash) => (Kind::HashLock, to_hex(&hash)),
            None => (Kind::PayToKey, keys.next().ok_or(LockError::Key)?),
        };
        let mut tags = Vec::new();
        let mut tag = |name: &str, values: Vec<String>| {
            tags.push(std::iter::once(name.to_owned()).chain(values).collect());
        };
        let keys: Vec<String> = keys.collect();
        if !keys.is_empty() {
            tag("pubkeys", keys);
        }
        if self.receivers.needed > 1 {
            tag("n_sigs", vec![self.receivers.needed.to_string()]);
        }
        if let Some(locktime) = self.locktime {
            tag("locktime", vec![locktime.to_string()]);
        }
        if !self.refund.keys.is_empty() {
            tag("refund", self.refund.keys.iter().map(Point::to_hex).collect());
        }
        if self.refund.needed > 1 {
            tag("n_sigs_refund", vec![self.refund.needed.to_string()]);
        }
        if self.sig_flag == SigFlag::All {
            tag("sigflag", vec!["SIG_ALL".to_owned()]);
        }
        let conditions = Conditions { kind, nonce: to_hex(nonce), data, tags };
        if Self::read(&conditions)? == *self {
            Ok(conditions)
        } else {
            Err(LockError::Count("needed"))
        }
    }

    /// Whether its time has passed.
    #[must_use]
    pub fn expired(&self, now: u64) -> bool {
        self.locktime.is_some_and(|locktime| now > locktime)
    }
}

fn sig_flag(values: Option<&[String]>) -> Result<SigFlag, LockError> {
    match values {
        None => Ok(SigFlag::Inputs),
        Some([flag]) if flag == "SIG_INPUTS" => Ok(SigFlag::Inputs),
        Some([flag]) if flag == "SIG_ALL" => Ok(SigFlag::All),
        Some(_) => Err(LockError::SigFlag),
    }
}

/// A time that cannot be read never comes: the lock is permanent (NUT-11).
fn locktime(values: Option<&[String]>) -> Option<u64> {
    match values {
        Some([only]) => digits(only),
        _ => None,
    }
}

fn pathway(
    names: &[&str],
    count: Option<&[String]>,
    count_tag: &'static str,
    keys_tag: &'static str,
) -> Result<Pathway, LockError> {
    let keys = names.iter().map(|name| Point::from_hex(name)).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|_| LockError::Key)?;
    if keys.iter().map(Point::x).collect::<BTreeSet<_>>().len() != keys.len() {
        return Err(LockError::RepeatedKey(keys_tag));
    }
    let needed = match count {
        None => usize::from(!keys.is_empty()),
        Some([only]) => digits(only)
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| (1..=keys.len()).contains(count))
            .ok_or(LockError::Count(count_tag))?,
        Some(_) => return Err(LockError::Count(count_tag)),
    };
    Ok(Pathway { keys, needed })
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
