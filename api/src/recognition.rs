//! Recognition, the operator's side: another country's trust list is fetched from where, and verified
//! with the key that, its operator was told out of band. Who issues identities there is taken over for
//! as long as that list holds. What was seen last is kept, so that no older list comes back.

use crate::http::{Client, ClientError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use yufu_base::Timestamp;
use yufu_jose::Jwk;
use yufu_keys::{KeyStore, KeyStoreError};
use yufu_trust::{RecognisedList, Role, TrustEntry, TrustList, TrustListError, TrustPin};

/// The document in the operator's store.
const DOCUMENT: &str = "recognised";

/// Another country's trust list, as the operator was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Where its list is.
    pub url: String,
    /// The key that signs it.
    pub key: Jwk,
    /// Who of that list is taken over: unless more is stated, those who issue identities.
    pub roles: BTreeSet<Role>,
}

/// The lists that an operator recognises, and what it knows of them.
pub struct Recognition {
    store: KeyStore,
    client: Client,
    memory: Mutex<Memory>,
}

/// What survives a restart.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Memory {
    /// Whom the operator recognises.
    terms: Vec<Recognised>,
    /// The newest list of each country.
    newest: BTreeMap<String, Newest>,
}

/// The newest list seen.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Newest {
    /// Its sequence: nothing older is taken.
    sequence: u64,
    /// What is taken over of it.
    entries: Vec<TrustEntry>,
    /// By which key it is known, once that was followed by another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<TrustPin>,
}

/// Why another country's list is not taken over; what was taken over before lapses at its time.
#[derive(Debug, thiserror::Error)]
pub enum RecognitionError {
    /// It could not be fetched.
    #[error("the list of {0} cannot be fetched: {1}")]
    Fetch(String, ClientError),
    /// It is not to be trusted.
    #[error("the list of {0} is refused: {1}")]
    Refused(String, TrustListError),
    /// It could not be kept: then it is not used.
    #[error("the list of {0} cannot be kept: {1}")]
    Store(String, KeyStoreError),
}

/// What of other countries goes on the operator's own list.
pub(crate) struct TakenOver {
    /// Their parties.
    pub(crate) entries: Vec<TrustEntry>,
    /// Where the people's wallets find their lists.
    pub(crate) lists: Vec<RecognisedList>,
}

impl Recognition {
    /// Recognises the lists of `terms`, with what `store` has kept of them. A list that is recognised
    /// no longer is forgotten.
    ///
    /// # Errors
    /// [`KeyStoreError`] if what was kept cannot be read or written.
    pub fn open(
        store: KeyStore,
        client: Client,
        terms: Vec<Recognised>,
    ) -> Result<Self, KeyStoreError> {
        // What cannot be read is not forgotten: an older list could come back.
        let unreadable = |_| KeyStoreError::Unreadable(format!("{DOCUMENT}.json").into());
        let kept = store.find(DOCUMENT, "json")?;
        let kept = kept.map(|bytes| serde_json::from_slice(&bytes).map_err(unreadable));
        let mut memory: Memory = kept.transpose()?.unwrap_or_default();
        if memory.terms != terms {
            let same = |country: &String| {
                let of = |list: &[Recognised]| list.iter().find(|t| t.country == *country).cloned();
                of(&memory.terms).is_some() && of(&memory.terms) == of(&terms)
            };
            let mut newest = memory.newest.clone();
            newest.retain(|country, _| same(country));
            memory = Memory { terms, newest };
            write(&store, &memory)?;
        }
        Ok(Self { store, client, memory: Mutex::new(memory) })
    }

    /// Fetches every recognised list anew. What went wrong is told; a list that cannot be had, or is
    /// refused, leaves what was taken over before as it was, until that lapses.
    pub async fn refresh(&self, now: Timestamp) -> Vec<RecognitionError> {
        let terms = self.memory().terms.clone();
        let mut errors = Vec::new();
        for one in terms {
            errors.extend(self.fetch(&one, now).await.err());
        }
        errors
    }

    /// Whether every recognised list is known and holds.
    #[must_use]
    pub fn is_complete(&self, now: Timestamp) -> bool {
        let memory = self.memory();
        memory.terms.iter().all(|one| {
            let newest = memory.newest.get(&one.country);
            newest.is_some_and(|newest| newest.entries.iter().any(|entry| holds(entry, now)))
        })
    }

    async fn fetch(&self, one: &Recognised, now: Timestamp) -> Result<(), RecognitionError> {
        let country = || one.country.clone();
        let fetched = self.client.get_text(&one.url).await;
        let text = fetched.map_err(|error| RecognitionError::Fetch(country(), error))?;
        let before = self.memory().newest.get(&one.country).cloned();
        let known = before.as_ref().map(|newest| newest.sequence);
        let pin = before.and_then(|newest| newest.pin);
        let pin = pin.unwrap_or_else(|| TrustPin::given(one.key.key));
        let (list, pin) = TrustList::verify_by(&text, &pin, now, known)
            .map_err(|error| RecognitionError::Refused(country(), error))?;
        let entries = list.taken_over(&one.country, &one.roles);
        let newest = Newest { sequence: list.sequence, entries, pin: Some(pin) };
        self.keep(&one.country, newest).map_err(|error| RecognitionError::Store(country(), error))
    }

    /// Keeps a list's contents durably before they are used.
    fn keep(&self, country: &str, newest: Newest) -> Result<(), KeyStoreError> {
        let mut memory = self.memory();
        if memory.newest.get(country) == Some(&newest) {
            return Ok(());
        }
        let mut after = memory.clone();
        after.newest.insert(country.to_owned(), newest);
        write(&self.store, &after)?;
        *memory = after;
        Ok(())
    }

    pub(crate) fn taken_over(&self, now: Timestamp) -> TakenOver {
        let memory = self.memory();
        let all = memory.newest.values().flat_map(|newest| &newest.entries);
        let lists = memory.terms.iter().map(|one| RecognisedList {
            country: one.country.clone(),
            url: one.url.clone(),
            key: one.key.clone(),
        });
        TakenOver {
            entries: all.filter(|entry| holds(entry, now)).cloned().collect(),
            lists: lists.collect(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn holds(entry: &TrustEntry, now: Timestamp) -> bool {
    entry.origin.as_ref().is_some_and(|origin| now < origin.expires_at)
}

fn write(store: &KeyStore, memory: &Memory) -> Result<(), KeyStoreError> {
    let json = serde_json::to_vec_pretty(memory).unwrap_or_default();
    store.replace(DOCUMENT, "json", &json)
}

#[cfg(test)]
mod tests;
