//! The next generation of a key, known ahead: it is made and told to others first, and used from a stated time on.

use super::{Generation, Ring, generation_name, print};
use crate::store::io;
use crate::{KeyStore, KeyStoreError, KeyUse, RotateError};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::sync::Arc;
use yufu_base::{Signer, Timestamp};

/// The generation after the one in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ahead {
    /// Which one.
    pub number: u32,
    /// Its RFC 7638 thumbprint; none of a key that is not for signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// From when on it is to be used, in seconds since the epoch.
    pub from: u64,
    /// For how long what the one before it made counts from then on, in seconds.
    pub counts: u64,
}

/// The signing key that is ahead, with what is known of it.
pub type AheadSigner = (Ahead, Arc<dyn Signer>);

impl Ahead {
    /// Whether its time has come.
    #[must_use]
    pub const fn is_due(&self, now: Timestamp) -> bool {
        self.from <= now.seconds()
    }
}

impl KeyStore {
    /// Makes the next generation of a key, which is used from `from` on, once [`KeyStore::take_up`] says so. What the
    /// former one made counts for `counts` seconds from then on.
    ///
    /// # Errors
    /// [`RotateError`]; then nothing is ahead that was not.
    pub fn announce(
        &self,
        name: &str,
        kind: KeyUse,
        from: Timestamp,
        counts: u64,
    ) -> Result<Ring, RotateError> {
        let _one = self.one_at_a_time()?;
        let mut ring = self.ring(name)?;
        if let Some(Ahead { from, .. }) = ring.ahead {
            return Err(RotateError::Ahead { name: name.to_owned(), from });
        }
        let number = ring.current();
        let thumbprint = self.known(name, number, kind)?;
        if ring.generations.is_empty() {
            ring.generations.push(Generation::new(number, thumbprint));
        }
        let next = number.saturating_add(1);
        let fresh = generation_name(name, next);
        let thumbprint = match kind {
            KeyUse::Signs => Some(print(self.key(&fresh)?.public_key())),
            KeyUse::Seals => {
                self.master_called(&fresh)?;
                None
            }
        };
        ring.ahead = Some(Ahead { number: next, thumbprint, from: from.seconds(), counts });
        self.write(name, &ring)?;
        Ok(ring)
    }

    /// Has the generation that is ahead used from `now` on; nothing is ahead then. Again is harmless.
    ///
    /// # Errors
    /// [`RotateError`]; then the former one stays in use.
    pub fn take_up(&self, name: &str, now: Timestamp) -> Result<Ring, RotateError> {
        let _one = self.one_at_a_time()?;
        let mut ring = self.ring(name)?;
        let Some(Ahead { number, thumbprint, counts, .. }) = ring.ahead.take() else {
            return Ok(ring);
        };
        if let Some(former) = ring.generations.last_mut() {
            former.replaced = Some(now.seconds());
            former.ends = Some(now.seconds().saturating_add(counts));
        }
        ring.generations.push(Generation::new(number, thumbprint));
        self.write(name, &ring)?;
        Ok(ring)
    }

    /// Lets go of the generation that is ahead, which nobody used: it was lost.
    ///
    /// # Errors
    /// [`RotateError`].
    pub fn drop_ahead(&self, name: &str) -> Result<(), RotateError> {
        let _one = self.one_at_a_time()?;
        let mut ring = self.ring(name)?;
        let Some(Ahead { number, .. }) = ring.ahead.take() else { return Ok(()) };
        let called = generation_name(name, number);
        self.forget(&called)?;
        self.forget_reference(&called)?;
        self.write(name, &ring)
    }

    /// The signing key that is ahead, and what is known of it.
    ///
    /// # Errors
    /// [`KeyStoreError`] if it cannot be read.
    pub fn ahead(&self, name: &str) -> Result<Option<AheadSigner>, KeyStoreError> {
        let Some(ahead) = self.ring(name)?.ahead else { return Ok(None) };
        let signer = self.key(&generation_name(name, ahead.number))?;
        Ok(Some((ahead, signer)))
    }

    /// The former signing keys whose work counts at `now` and that are still at hand, the newest first.
    ///
    /// # Errors
    /// [`KeyStoreError`] if one cannot be read.
    pub fn former_signers(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Vec<Arc<dyn Signer>>, KeyStoreError> {
        let ring = self.ring(name)?;
        let mut signers = Vec::new();
        for one in ring.former(now) {
            if self.has(name, one.number, KeyUse::Signs)? {
                signers.push(self.former_key(&generation_name(name, one.number))?);
            }
        }
        Ok(signers)
    }

    /// Held while a ring is changed: a command and a server may do so at once.
    pub(super) fn one_at_a_time(&self) -> Result<File, KeyStoreError> {
        let path = self.path("rings", "lock")?;
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        // As everything in this folder: nobody else reads it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let held = options.open(&path).and_then(|file| file.lock().map(|()| file));
        held.map_err(|cause| io(&path, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_750_000_000);
    const SOON: Timestamp = Timestamp::from_seconds(1_750_000_060);

    #[test]
    fn a_key_ahead_is_known_and_not_used_until_it_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let first = store.signer("access").unwrap().public_key();
        let ring = store.announce("access", KeyUse::Signs, SOON, 100).unwrap();
        assert!(!ring.ahead().unwrap().is_due(NOW) && ring.ahead().unwrap().is_due(SOON));
        let (ahead, next) = store.ahead("access").unwrap().unwrap();
        assert_eq!((ahead.number, ahead.thumbprint), (2, Some(print(next.public_key()))));
        assert_eq!(store.signer("access").unwrap().public_key(), first);
        let twice = store.announce("access", KeyUse::Signs, SOON, 100);
        assert!(matches!(twice, Err(RotateError::Ahead { .. })));

        let ring = store.take_up("access", SOON).unwrap();
        assert_eq!(store.signer("access").unwrap().public_key(), next.public_key());
        assert_eq!(ring.generations()[0].ends, Some(SOON.seconds() + 100));
        assert_eq!(store.take_up("access", SOON).unwrap(), ring, "again is harmless");
        let former = store.former_signers("access", SOON).unwrap();
        assert_eq!(former[0].public_key(), first, "it is at hand until it is retired");
        store.retire("access", 1, Some("stolen"), SOON).unwrap();
        assert!(store.former_signers("access", SOON).unwrap().is_empty());
    }

    #[test]
    fn a_key_ahead_that_was_lost_is_let_go_of_and_another_made() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        store.signer("access").unwrap();
        let lost = store.announce("access", KeyUse::Signs, SOON, 100).unwrap();
        store.drop_ahead("access").unwrap();
        let ring = store.announce("access", KeyUse::Signs, SOON, 100).unwrap();
        assert_ne!(ring.ahead().unwrap().thumbprint, lost.ahead().unwrap().thumbprint);
    }
}
