//! The sequence of the operator's own list: one number, one content. It grows with every change and every day, whatever
//! the change takes away and whatever the clock does, and what was said last survives a restart.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use yufu_base::{Digest, Timestamp};
use yufu_keys::{KeyStore, KeyStoreError};
use yufu_trust::TrustList;

/// The document in the operator's store.
const DOCUMENT: &str = "last";
/// After how long a list is signed anew, in seconds.
pub(super) const RENEWAL_SECONDS: u64 = 86_400;

/// What the operator said last. One process at a time writes it: that which serves the list.
pub struct ListSequence {
    store: KeyStore,
    last: Mutex<Last>,
}

/// What is to be said.
pub(super) struct Saying {
    /// The list, before it has its sequence.
    pub(super) list: TrustList,
    /// When it is said: not of the time of a key that follows.
    pub(super) at: Timestamp,
    /// By which key, and the words on which followed which.
    pub(super) keys: Vec<String>,
}

#[derive(Default)]
struct Last {
    said: Option<Said>,
    /// The list of that sequence, signed.
    signed: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    sequence: u64,
    /// When it was said, in seconds since the epoch.
    issued_at: u64,
    /// The digest of what it said.
    contents: String,
}

impl ListSequence {
    /// What was said last, as `store` has it.
    ///
    /// # Errors
    /// [`KeyStoreError`] if that cannot be read: a sequence that is forgotten could be given out twice.
    pub fn open(store: KeyStore) -> Result<Self, KeyStoreError> {
        let kept = store.find(DOCUMENT, "json")?;
        let unreadable = |_| KeyStoreError::Unreadable(format!("{DOCUMENT}.json").into());
        let said = kept.map(|bytes| serde_json::from_slice(&bytes).map_err(unreadable));
        let last = Last { said: said.transpose()?, signed: None };
        Ok(Self { store, last: Mutex::new(last) })
    }

    /// The list with its sequence and the time of its signing: those of before, if it says the same, by the same key, and
    /// the day is not over; else the next ones, which are kept first. `saying` is what is to be said in this turn: so that
    /// nobody says later what was true before.
    ///
    /// # Errors
    /// [`KeyStoreError`] if it cannot be kept: then nothing is said.
    pub(super) fn stamp(
        &self,
        saying: impl FnOnce() -> Saying,
    ) -> Result<TrustList, KeyStoreError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.stamp_under(&mut last, saying())
    }

    /// As [`ListSequence::stamp`], signed by `sign`; the same text for the same sequence.
    ///
    /// # Errors
    /// As [`ListSequence::stamp`], and those of `sign`.
    pub(super) fn signed<K, E: From<KeyStoreError>>(
        &self,
        saying: impl FnOnce() -> (Saying, K),
        sign: impl FnOnce(&TrustList, &K) -> Result<String, E>,
    ) -> Result<String, E> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (saying, keys) = saying();
        let list = self.stamp_under(&mut last, saying)?;
        if let Some(signed) = &last.signed {
            return Ok(signed.clone());
        }
        let signed = sign(&list, &keys)?;
        last.signed = Some(signed.clone());
        Ok(signed)
    }

    fn stamp_under(
        &self,
        last: &mut Last,
        Saying { list, at, keys }: Saying,
    ) -> Result<TrustList, KeyStoreError> {
        let contents = contents(&list, &keys)?;
        let now = at.seconds();
        let day = |seconds: u64| seconds.checked_div(RENEWAL_SECONDS);
        let holds = |said: &&Said| said.contents == contents && day(said.issued_at) == day(now);
        let said = match last.said.as_ref().filter(holds) {
            Some(said) => said.clone(),
            None => {
                // The time, as long as it runs on and nothing changes twice in a second: so that a restored backup, which
                // has forgotten some, says none of them again.
                let next = last.said.as_ref().map_or(0, |said| said.sequence.saturating_add(1));
                let said = Said { sequence: now.max(next), issued_at: now, contents };
                let json = serde_json::to_vec(&said).map_err(|_| unwritten())?;
                self.store.replace(DOCUMENT, "json", &json)?;
                *last = Last { said: Some(said.clone()), signed: None };
                said
            }
        };
        let issued_at = Timestamp::from_seconds(said.issued_at);
        let lifetime = list.expires_at.seconds().saturating_sub(list.issued_at.seconds());
        let expires_at = issued_at.plus_seconds(lifetime);
        Ok(TrustList { sequence: said.sequence, issued_at, expires_at, ..list })
    }
}

/// What a list says and by which keys, but for its sequence and its dates.
fn contents(list: &TrustList, keys: &[String]) -> Result<String, KeyStoreError> {
    let said = (&list.operator, &list.entries, &list.recognised, &list.directory, keys);
    let bytes = serde_json::to_vec(&said).map_err(|_| unwritten())?;
    Ok(Digest::derive("yufu.trust-list-contents.v1", &bytes).to_string())
}

fn unwritten() -> KeyStoreError {
    KeyStoreError::Unreadable(format!("{DOCUMENT}.json").into())
}

#[cfg(test)]
mod tests;
