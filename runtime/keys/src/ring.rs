//! The generations of a key: the one in use, and those before it, whose work is still good for a while. A key that was
//! never rotated has no ring: it is its own first generation.

mod ahead;

pub use ahead::{Ahead, AheadSigner};

use crate::{KeyStore, KeyStoreError, TokenKeyName};
use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::Jwk;

const ENDING: &str = "ring";

/// The generations of a key, the one in use last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    generations: Vec<Generation>,
    /// The next one, which is known to others and not used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ahead: Option<Ahead>,
}

/// One generation of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// Which one: from 1.
    pub number: u32,
    /// Its RFC 7638 thumbprint; none of a key that is not for signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// Since when another is in use, in seconds since the epoch; still in use, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<u64>,
    /// When the last thing that it made ends, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<u64>,
    /// What it made counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Retired>,
}

/// That what a generation made counts no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// Since when, in seconds since the epoch.
    pub at: u64,
    /// Why, in the operator's words; none if its time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Why a key is not rotated or retired.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] KeyStoreError),
    /// There is no such key yet.
    #[error("there is no key {0} here: start the institution first, which makes it")]
    NoKey(String),
    /// The next generation is made already.
    #[error("the next {name} is made already: it is used from {from} s since the epoch on")]
    Ahead {
        /// The key.
        name: String,
        /// From when on it is used, in seconds since the epoch.
        from: u64,
    },
    /// The generation cannot be retired.
    #[error(
        "the key {name} has no former generation {number}: `yufu keys list` shows those there are"
    )]
    NoGeneration {
        /// The key.
        name: String,
        /// The generation.
        number: u32,
    },
}

/// What a key is for, which is how its generations are told apart and made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// It signs.
    Signs,
    /// It seals or opens: 32 bytes that stay in files.
    Seals,
}

impl Ring {
    /// The one in use; the first, if the key was never rotated.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.generations.last().map_or(1, |last| last.number)
    }

    /// The next one, if it is made and not used yet.
    #[must_use]
    pub const fn ahead(&self) -> Option<&Ahead> {
        self.ahead.as_ref()
    }

    /// All of them, the one in use last.
    #[must_use]
    pub fn generations(&self) -> &[Generation] {
        &self.generations
    }

    /// Those before the one in use whose work counts at `now`, the newest first: not retired, and not over.
    pub fn former(&self, now: Timestamp) -> impl Iterator<Item = &Generation> {
        let former = self.generations.iter().rev().skip(1);
        former.filter(move |one| {
            one.retired.is_none() && one.ends.is_none_or(|ends| now.seconds() < ends)
        })
    }

    /// Those before the one in use that may be retired at `now`: their time is over.
    pub fn over(&self, now: Timestamp) -> impl Iterator<Item = &Generation> {
        let former = self.generations.iter().rev().skip(1);
        former.filter(move |one| {
            one.retired.is_none() && one.ends.is_some_and(|ends| now.seconds() >= ends)
        })
    }

    /// The thumbprints of those retired.
    pub fn retired(&self) -> impl Iterator<Item = &str> {
        let retired = self.generations.iter().filter(|one| one.retired.is_some());
        retired.filter_map(|one| one.thumbprint.as_deref())
    }
}

impl KeyStore {
    /// The generations of a key.
    ///
    /// # Errors
    /// [`KeyStoreError`] if they cannot be read.
    pub fn ring(&self, name: &str) -> Result<Ring, KeyStoreError> {
        match self.find(name, ENDING)? {
            Some(bytes) => {
                let path = self.path(name, ENDING)?;
                serde_json::from_slice(&bytes).map_err(|_| KeyStoreError::Unreadable(path))
            }
            None => Ok(Ring::default()),
        }
    }

    /// What the generation in use of a key is called.
    pub(crate) fn in_use(&self, name: &str) -> Result<String, KeyStoreError> {
        Ok(generation_name(name, self.ring(name)?.current()))
    }

    /// Makes the next generation of a key and has it used at once. What the former one made counts until `ends`. A
    /// former key of signatures does not have to be at hand: what was noted of it is enough.
    ///
    /// # Errors
    /// [`RotateError`]; then the former one stays in use.
    pub fn rotate(
        &self,
        name: &str,
        kind: KeyUse,
        (now, ends): (Timestamp, Timestamp),
    ) -> Result<Ring, RotateError> {
        let counts = ends.seconds().saturating_sub(now.seconds());
        self.announce(name, kind, now, counts)?;
        self.take_up(name, now)
    }

    /// What a former generation made counts no more, from now on: `why` says so if its time is not over. Its private
    /// half is removed.
    ///
    /// # Errors
    /// [`RotateError`].
    pub fn retire(
        &self,
        name: &str,
        number: u32,
        why: Option<&str>,
        now: Timestamp,
    ) -> Result<Ring, RotateError> {
        let _one = self.one_at_a_time()?;
        let mut ring = self.ring(name)?;
        let none = || RotateError::NoGeneration { name: name.to_owned(), number };
        if ring.current() == number {
            return Err(none());
        }
        let found = ring.generations.iter_mut().find(|one| one.number == number);
        let found = found.ok_or_else(none)?;
        if found.retired.is_none() {
            let why = why.map(|why| why.replace(char::is_control, " "));
            found.retired = Some(Retired { at: now.seconds(), why });
        }
        self.write(name, &ring)?;
        self.forget(&generation_name(name, number))?;
        Ok(ring)
    }

    /// The 32 secret bytes called `name`, the generation in use first, then those before it that are still good.
    ///
    /// # Errors
    /// [`KeyStoreError`] if they cannot be read or made.
    pub fn masters(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Vec<(u32, [u8; 32])>, KeyStoreError> {
        let ring = self.ring(name)?;
        let numbers = std::iter::once(ring.current()).chain(ring.former(now).map(|one| one.number));
        let of = |number| Ok((number, self.master_called(&generation_name(name, number))?));
        numbers.map(of).collect()
    }

    fn known(&self, name: &str, number: u32, kind: KeyUse) -> Result<Option<String>, RotateError> {
        let called = generation_name(name, number);
        let missing = || RotateError::NoKey(name.to_owned());
        match kind {
            KeyUse::Signs => {
                let public = self.public_key(&called)?.ok_or_else(missing)?;
                Ok(Some(print(public)))
            }
            KeyUse::Seals => {
                self.find(&called, "key")?.ok_or_else(missing)?;
                Ok(None)
            }
        }
    }

    /// Whether there is this generation of a key.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    pub fn has(&self, name: &str, number: u32, kind: KeyUse) -> Result<bool, KeyStoreError> {
        let called = generation_name(name, number);
        Ok(match kind {
            KeyUse::Signs => self.public_key(&called)?.is_some(),
            KeyUse::Seals => self.find(&called, "key")?.is_some(),
        })
    }

    /// What is kept of a generation of a key that is in a token, if it is in one.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    pub fn generation_in_token(
        &self,
        name: &str,
        number: u32,
    ) -> Result<Option<TokenKeyName>, KeyStoreError> {
        self.named_in_token(&generation_name(name, number))
    }

    fn write(&self, name: &str, ring: &Ring) -> Result<(), RotateError> {
        let path = self.path(name, ENDING)?;
        let bytes = serde_json::to_vec_pretty(ring).map_err(|_| KeyStoreError::Unreadable(path))?;
        Ok(self.replace(name, ENDING, &bytes)?)
    }
}

impl Generation {
    /// The first one of a key that was never rotated.
    #[must_use]
    pub const fn first() -> Self {
        Self::new(1, None)
    }

    const fn new(number: u32, thumbprint: Option<String>) -> Self {
        Self { number, thumbprint, replaced: None, ends: None, retired: None }
    }
}

/// What the first, second, ... generation of a key is called.
pub(crate) fn generation_name(name: &str, number: u32) -> String {
    if number == 1 { name.to_owned() } else { format!("{name}-{number}") }
}

fn print(public: PublicKey) -> String {
    Jwk::from(public).thumbprint_base64url()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_750_000_000);
    const LATER: Timestamp = Timestamp::from_seconds(1_760_000_000);

    fn store(folder: &tempfile::TempDir) -> KeyStore {
        KeyStore::open(folder.path()).unwrap()
    }

    #[test]
    fn a_rotated_key_signs_from_then_on_and_the_former_one_is_known_until_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let first = store.signer("credentials").unwrap().public_key();
        let ring = store.rotate("credentials", KeyUse::Signs, (NOW, LATER)).unwrap();
        let second = store.signer("credentials").unwrap().public_key();
        assert_ne!(first, second);
        assert_eq!(ring.current(), 2);
        assert_eq!(ring.generations()[0].thumbprint, Some(print(first)));
        assert_eq!(ring.former(NOW).count(), 1);
        assert_eq!((ring.former(LATER).count(), ring.over(LATER).count()), (0, 1));
        assert_eq!(ring.over(NOW).count(), 0);
        assert_eq!(store.ring("credentials").unwrap(), ring);
    }

    #[test]
    fn a_retired_key_is_gone_and_its_thumbprint_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let first = store.signer("credentials").unwrap().public_key();
        let current = |store: &KeyStore| store.retire("credentials", 1, None, NOW);
        assert!(matches!(current(&store), Err(RotateError::NoGeneration { .. })), "it is in use");
        store.rotate("credentials", KeyUse::Signs, (NOW, LATER)).unwrap();
        let ring = store.retire("credentials", 1, Some("stolen\n"), NOW).unwrap();
        assert_eq!(ring.retired().collect::<Vec<_>>(), [print(first)]);
        assert_eq!(ring.former(NOW).count(), 0);
        let why = ring.generations()[0].retired.as_ref().unwrap().why.as_deref();
        assert_eq!(why, Some("stolen "));
        assert!(!folder.path().join("credentials.p8").exists(), "the private half is removed");
        assert_eq!(current(&store).unwrap(), ring, "again is harmless");
    }

    #[test]
    fn sealing_keys_go_on_until_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        assert!(matches!(
            store.rotate("sessions", KeyUse::Seals, (NOW, LATER)),
            Err(RotateError::NoKey(_))
        ));
        let first = store.masters("sessions", NOW).unwrap();
        store.rotate("sessions", KeyUse::Seals, (NOW, LATER)).unwrap();
        let both = store.masters("sessions", NOW).unwrap();
        assert_eq!(both.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(both[1].1, first[0].1);
        assert_eq!(store.masters("sessions", LATER).unwrap().len(), 1, "its time is over");
    }

    #[test]
    fn a_damaged_ring_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        store.replace("credentials", ENDING, b"what").unwrap();
        assert!(matches!(store.signer("credentials"), Err(KeyStoreError::Unreadable(_))));
    }
}
