//! The highest sequence of the trust list that was seen here, kept durably: whoever holds back a newer list, or has an
//! older one that has not lapsed yet, gets it past nobody by waiting for a restart.

use crate::trust::{SharedPin, TrustSourceError};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::Jwk;
use yufu_keys::{KeyStore, KeyStoreError};
use yufu_trust::TrustList;

/// The document in the store.
const DOCUMENT: &str = "newest-trust-list";

/// What is known of the newest list. Clones share it.
#[derive(Clone)]
pub struct SeenLists {
    store: KeyStore,
    turn: Arc<Mutex<()>>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// The thumbprint of the key that signs the list: the sequence is that operator's.
    operator: String,
    sequence: u64,
}

impl SeenLists {
    /// What was seen by whoever keeps `store`: one reader each.
    #[must_use]
    pub fn new(store: KeyStore) -> Self {
        Self { store, turn: Arc::default() }
    }

    /// Verifies a list, which must not be older than one seen before, and remembers it before it is used.
    ///
    /// # Errors
    /// [`TrustSourceError::Refused`], the first rule broken; [`TrustSourceError::Memory`] if what was seen cannot be read
    /// or written: then nothing is known of what is held back.
    pub fn verify(
        &self,
        text: &str,
        pin: &SharedPin,
        now: Timestamp,
    ) -> Result<TrustList, TrustSourceError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = self.read()?;
        let known = |key: &PublicKey| {
            let print = Jwk::from(*key).thumbprint_base64url();
            seen.as_ref().filter(|seen| seen.operator == print).map(|seen| seen.sequence)
        };
        let (list, key) = pin.verify(text, now, known)?;
        if known(&key).is_none_or(|known| known < list.sequence) {
            let operator = Jwk::from(key).thumbprint_base64url();
            let seen = Seen { operator, sequence: list.sequence };
            let json = serde_json::to_vec(&seen).map_err(|_| unreadable())?;
            self.store.replace(DOCUMENT, "json", &json)?;
        }
        Ok(list)
    }

    fn read(&self) -> Result<Option<Seen>, KeyStoreError> {
        let Some(bytes) = self.store.find(DOCUMENT, "json")? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| unreadable())
    }
}

fn unreadable() -> KeyStoreError {
    KeyStoreError::Unreadable(format!("{DOCUMENT}.json").into())
}
