//! The keysets of mints that the purse takes: those that are published for everybody, and no others. A
//! mint that signed with a keyset for one person alone could tell that person's notes from all others.

use crate::message::{Reply, Request, Unmet};
use crate::purse::Purse;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yufu_ecash::{KeysResponse, Keyset, KeysetError, KeysetId, KeysetInfo, KeysetsResponse, Point};

/// Keysets that were published where everybody sees the same, and signed for: read elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Each with how many outputs were promised of it.
    pub keysets: BTreeMap<KeysetId, u64>,
    /// How many it takes for notes to hide among each other.
    pub least_outputs: u64,
}

/// Why a keyset is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysetRefusal {
    /// It is not among those published.
    #[error(
        "the mint's keyset {0} is not published: it could be there for you alone, so its notes are not taken"
    )]
    NotPublished(KeysetId),
    /// Too few outputs were promised of it.
    #[error(
        "of the keyset {id} only {promised} outputs were promised, and {least} are wanted to hide among: wait until it is used more"
    )]
    TooFewOutputs {
        /// Which.
        id: KeysetId,
        /// How many were.
        promised: u64,
        /// How many must be.
        least: u64,
    },
    /// Its keys are not what its id says.
    #[error(transparent)]
    Keys(#[from] KeysetError),
    /// It has sizes of notes that are no powers of two.
    #[error("the keyset {0} has notes that are no powers of two: they could tell whose they are")]
    Sizes(KeysetId),
    /// The mint sent keys of another keyset.
    #[error("the mint sent another keyset than was asked for: do not use it")]
    Another,
    /// The mint did not answer with keysets.
    #[error("the mint did not answer with its keysets ({0}): try again")]
    Unanswered(String),
}

impl KeysetRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPublished(_) => "purse.keyset_unpublished",
            Self::TooFewOutputs { .. } => "purse.keyset_too_new",
            Self::Keys(_) | Self::Another => "purse.keyset_keys",
            Self::Sizes(_) => "purse.keyset_sizes",
            Self::Unanswered(_) => "purse.unanswered",
        }
    }
}

/// What is known of a mint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownMint {
    /// What its notes count.
    pub(crate) unit: String,
    /// The keysets that were taken, with whether they are signed with now.
    pub(crate) keysets: BTreeMap<KeysetId, Keyset>,
}

/// What a mint's list of keysets leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// To be sent, and each answer given to [`Purse::take_keys`].
    pub wanted: Vec<Request>,
    /// Keysets in use that are not taken.
    pub refused: Vec<KeysetRefusal>,
}

impl KnownMint {
    pub(crate) fn key(&self, keyset: &KeysetId, amount: u64) -> Option<&Point> {
        self.keysets.get(keyset)?.key(amount)
    }

    pub(crate) fn fee_ppk(&self, keyset: &KeysetId) -> u64 {
        self.keysets.get(keyset).and_then(|known| known.input_fee_ppk).unwrap_or(0)
    }

    /// The keyset to ask for outputs of: the active one that lasts longest.
    pub(crate) fn active(&self, now: u64) -> Option<&Keyset> {
        let active = self.keysets.values().filter(|k| k.active == Some(true) && !k.expired(now));
        active.max_by_key(|keyset| (keyset.final_expiry.unwrap_or(u64::MAX), keyset.id))
    }

    pub(crate) fn is_old(&self, keyset: &KeysetId) -> bool {
        self.keysets.get(keyset).is_none_or(|known| known.active != Some(true))
    }
}

impl Purse {
    /// Asks a mint for its keysets.
    #[must_use]
    pub fn ask_keysets() -> Request {
        Request::get("/v1/keysets".to_owned())
    }

    /// Takes a mint's list of keysets of `unit`: which are in use changes with it.
    ///
    /// # Errors
    /// [`KeysetRefusal::Unanswered`]. Keysets that are not taken stand in the answer.
    pub fn take_keysets(
        &mut self,
        mint: &str,
        unit: &str,
        published: &Published,
        reply: &Reply,
    ) -> Result<Learnt, KeysetRefusal> {
        let list: KeysetsResponse = reply.read().map_err(unanswered)?;
        let mint = bare(mint);
        let known = self
            .mints
            .entry(mint)
            .or_insert_with(|| KnownMint { unit: unit.to_owned(), keysets: BTreeMap::new() });
        let mut learnt = Learnt::default();
        let of_unit: Vec<&KeysetInfo> = list.keysets.iter().filter(|k| k.unit == unit).collect();
        for info in &of_unit {
            if let Some(keyset) = known.keysets.get_mut(&info.id) {
                keyset.active = Some(info.active);
                continue;
            }
            match published.admit(&info.id) {
                Ok(()) => learnt.wanted.push(Request::get(format!("/v1/keys/{}", info.id))),
                Err(refusal) if info.active => learnt.refused.push(refusal),
                Err(_) => {}
            }
        }
        // What is not in the list any more is signed with no more.
        let listed: BTreeSet<KeysetId> = of_unit.iter().map(|info| info.id).collect();
        for (id, keyset) in &mut known.keysets {
            if !listed.contains(id) {
                keyset.active = Some(false);
            }
        }
        Ok(learnt)
    }

    /// Takes the keys of a keyset that the list of a mint led to.
    ///
    /// # Errors
    /// [`KeysetRefusal`]; the keyset is not taken then.
    pub fn take_keys(
        &mut self,
        mint: &str,
        published: &Published,
        reply: &Reply,
    ) -> Result<KeysetId, KeysetRefusal> {
        let answer: KeysResponse = reply.read().map_err(unanswered)?;
        let [mut keyset] =
            <[Keyset; 1]>::try_from(answer.keysets).map_err(|_| KeysetRefusal::Another)?;
        published.admit(&keyset.id)?;
        keyset.check()?;
        if keyset.keys.keys().any(|amount| !amount.is_power_of_two()) {
            return Err(KeysetRefusal::Sizes(keyset.id));
        }
        let known = self.mints.get_mut(&bare(mint)).ok_or(KeysetRefusal::Another)?;
        if keyset.unit != known.unit {
            return Err(KeysetRefusal::Another);
        }
        keyset.active = Some(keyset.active.unwrap_or(true));
        let id = keyset.id;
        known.keysets.insert(id, keyset);
        Ok(id)
    }

    /// A mint is reached under another address from now on: its notes are the same.
    pub fn moved(&mut self, from: &str, to: &str) {
        let (from, to) = (bare(from), bare(to));
        let Some(known) = self.mints.remove(&from) else { return };
        match self.mints.get_mut(&to) {
            Some(there) => there.keysets.extend(known.keysets),
            None => drop(self.mints.insert(to.clone(), known)),
        }
        let operations = self.operations.values_mut().map(|operation| &mut operation.mint);
        let offline = self.offline.iter_mut().map(|note| &mut note.mint);
        operations
            .chain(offline)
            .filter(|mint| **mint == from)
            .for_each(|mint| mint.clone_from(&to));
        if let Some(tokens) = self.tokens.remove(&from) {
            self.tokens.entry(to.clone()).or_default().extend(tokens);
        }
        if let Some(batch) = self.batches.remove(&from) {
            self.batches.insert(to.clone(), batch);
        }
        if self.from_backup.remove(&from) {
            self.from_backup.insert(to);
        }
    }

    /// Whether a mint's keysets are known, so that notes of it can be had.
    #[must_use]
    pub fn knows(&self, mint: &str) -> bool {
        self.mints.get(&bare(mint)).is_some_and(|known| !known.keysets.is_empty())
    }
}

impl Published {
    fn admit(&self, id: &KeysetId) -> Result<(), KeysetRefusal> {
        let promised = *self.keysets.get(id).ok_or(KeysetRefusal::NotPublished(*id))?;
        if promised < self.least_outputs {
            let least = self.least_outputs;
            return Err(KeysetRefusal::TooFewOutputs { id: *id, promised, least });
        }
        Ok(())
    }
}

/// A mint's address as it is compared.
pub(crate) fn bare(mint: &str) -> String {
    mint.trim_end_matches('/').to_owned()
}

fn unanswered(unmet: Unmet) -> KeysetRefusal {
    KeysetRefusal::Unanswered(match unmet {
        Unmet::Refused(refusal) => refusal.detail,
        Unmet::Unclear(status) => status.to_string(),
        Unmet::Malformed(reason) => reason,
    })
}
