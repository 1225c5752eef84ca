//! The purse: notes, counters and what is under way, one value to be saved as a whole.

use crate::allowance::Batch;
use crate::choosing::Candidate;
use crate::keysets::{KnownMint, bare};
use crate::note::{HeldNote, NoteSecret, worth};
use crate::offline::OfflineNote;
use crate::operation::{Operation, OperationId};
use crate::output::Planned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yufu_ecash::amount::split_within;
use yufu_ecash::{DeriveError, KeysetId, Point, SecretScalar, Seed};
use yufu_jose::sha256;

/// The name under which keys are counted beside keysets: no keyset has it, as ids are digests of keys.
const KEYS: &[u8] = b"yufu.purse.keys.v1";
/// How many keys above the last that was counted are tried.
const KEYS_AHEAD: u64 = 20;
/// The most notes that one step asks for, and the most that it spends for a sum.
pub(crate) const MOST_OUTPUTS: usize = 200;

/// A wallet of notes. It is saved, encrypted, after every call that changes it and before what the call
/// gave is sent: then whatever happens in between, nothing is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purse {
    pub(crate) mints: BTreeMap<String, KnownMint>,
    /// The next counter of each keyset: each gives one secret, once.
    pub(crate) counters: BTreeMap<KeysetId, u64>,
    pub(crate) notes: Vec<HeldNote>,
    pub(crate) operations: BTreeMap<OperationId, Operation>,
    /// How many operations were begun.
    pub(crate) begun: u64,
    /// Taken without network, not yet changed for own ones.
    #[serde(default)]
    pub(crate) offline: Vec<OfflineNote>,
    /// Notes that were ever taken without network, by their hashed secret, and when they are over.
    #[serde(default)]
    pub(crate) seen: BTreeMap<String, Option<u64>>,
    /// Mints whose notes here came from a backup: they are asked first what became of them.
    #[serde(default)]
    pub(crate) from_backup: BTreeSet<String>,
    /// Blind tokens, by mint: each is good for one top-up until its keyset ends.
    #[serde(default)]
    pub(crate) tokens: BTreeMap<String, Vec<HeldNote>>,
    /// Batches of tokens that are asked for, by mint.
    #[serde(default)]
    pub(crate) batches: BTreeMap<String, Batch>,
}

/// What a purse holds of one mint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The mint's address.
    pub mint: String,
    /// What its notes count.
    pub unit: String,
    /// In notes that can be spent now: of no keyset that is over.
    pub ready: u64,
    /// In notes that rest after a withdrawal.
    pub resting: u64,
    /// When the last of them have rested, in Unix seconds.
    pub rested_at: Option<u64>,
    /// In notes that a step under way has in hand.
    pub under_way: u64,
    /// Taken without network.
    pub offline: u64,
}

/// Notes that will be worth nothing after a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// Their keyset.
    pub keyset: KeysetId,
    /// What they are worth.
    pub amount: u64,
    /// From when on they are not redeemed, in Unix seconds.
    pub at: u64,
}

/// The purse came from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the purse is from a backup, and its notes may have been spent since: restore it from its seed first"
)]
pub struct FromBackup;

impl Purse {
    /// What it holds, by mint.
    #[must_use]
    pub fn holdings(&self, now: u64) -> Vec<Holding> {
        let of = |(mint, known): (&String, &KnownMint)| {
            let good = |note: &HeldNote| known.keysets.get(&note.keyset).map(|k| !k.expired(now));
            let own = || self.notes.iter().filter(|note| good(note) == Some(true));
            let under_way = self.operations.values().filter(|op| op.mint == *mint);
            let offline = self.offline.iter().filter(|note| note.mint == *mint);
            Holding {
                mint: mint.clone(),
                unit: known.unit.clone(),
                ready: worth(own().filter(|note| !note.rests(now))),
                resting: worth(own().filter(|note| note.rests(now))),
                rested_at: own().filter(|n| n.rests(now)).filter_map(|n| n.rests_until).max(),
                under_way: under_way.map(Operation::own).fold(0, u64::saturating_add),
                offline: worth(offline.map(|note| &note.note)),
            }
        };
        self.mints.iter().map(of).collect()
    }

    /// What is held in notes, spendable or not, of all mints.
    #[must_use]
    pub fn balance(&self) -> u64 {
        worth(&self.notes)
    }

    /// Notes by keyset that end, the soonest first.
    #[must_use]
    pub fn expiring(&self) -> Vec<Expiring> {
        let keysets = self.mints.values().flat_map(|mint| mint.keysets.values());
        let mut found: Vec<Expiring> = keysets
            .filter_map(|keyset| {
                let amount = worth(self.notes.iter().filter(|note| note.keyset == keyset.id));
                let at = keyset.final_expiry.filter(|_| amount > 0)?;
                Some(Expiring { keyset: keyset.id, amount, at })
            })
            .collect();
        found.sort_by_key(|expiring| expiring.at);
        found
    }

    /// Marks it as copied from a backup: it does nothing until it was restored from its seed.
    pub fn came_from_backup(&mut self) {
        self.from_backup = self.mints.keys().cloned().collect();
    }

    /// A fresh key, for somebody to lock notes to: to be saved before it is shown.
    ///
    /// # Errors
    /// [`DeriveError`], for counters that nobody finds.
    pub fn fresh_key(&mut self, seed: &Seed) -> Result<Point, DeriveError> {
        let index = self.next_key();
        Ok(key(seed, index)?.to_point())
    }

    pub(crate) fn current(&self, mint: &str) -> Result<(), FromBackup> {
        if self.from_backup.contains(mint) { Err(FromBackup) } else { Ok(()) }
    }

    pub(crate) fn mint(&self, mint: &str) -> Option<(String, &KnownMint)> {
        let mint = bare(mint);
        let known = self.mints.get(&mint)?;
        Some((mint, known))
    }

    pub(crate) fn next_key(&mut self) -> u64 {
        self.next_counter(keys_name())
    }

    fn next_counter(&mut self, keyset: KeysetId) -> u64 {
        let next = self.counters.entry(keyset).or_default();
        let taken = *next;
        *next = taken.saturating_add(1);
        taken
    }

    /// Outputs of these sizes, each with a counter of its own; the counters count on at once.
    pub(crate) fn plan(
        &mut self,
        seed: &Seed,
        keyset: KeysetId,
        sizes: impl IntoIterator<Item = (u64, bool)>,
    ) -> Vec<Planned> {
        let mut outputs = Vec::new();
        for (amount, given) in sizes {
            let mut counter = self.next_counter(keyset);
            while matches!(seed.note(&keyset, counter), Err(DeriveError::Unusable)) {
                counter = self.next_counter(keyset);
            }
            outputs.push(Planned { amount, keyset, counter, condition: None, given });
        }
        // In the order of their amounts they do not tell which are change (NUT-03).
        outputs.sort_by_key(|output| output.amount);
        outputs
    }

    /// The places of notes of a mint that may be spent now.
    pub(crate) fn spendable(&self, mint: &KnownMint, now: u64, hurry: bool) -> Vec<usize> {
        let may = |note: &HeldNote| {
            let keyset = mint.keysets.get(&note.keyset);
            keyset.is_some_and(|known| !known.expired(now)) && (hurry || !note.rests(now))
        };
        (0..).zip(&self.notes).filter(|(_, note)| may(note)).map(|(place, _)| place).collect()
    }

    pub(crate) fn candidates(&self, mint: &KnownMint, places: &[usize]) -> Vec<Candidate> {
        let notes = places.iter().filter_map(|place| self.notes.get(*place));
        let of = |note: &HeldNote| Candidate {
            amount: note.amount,
            fee_ppk: mint.fee_ppk(&note.keyset),
            old: mint.is_old(&note.keyset),
        };
        notes.map(of).collect()
    }

    /// Takes notes out, by their places.
    pub(crate) fn take_out(&mut self, places: &[usize]) -> Vec<HeldNote> {
        let mut out = Vec::new();
        let mut place: usize = 0;
        self.notes.retain(|note| {
            let taken = places.contains(&place);
            if taken {
                out.push(note.clone());
            }
            place = place.saturating_add(1);
            !taken
        });
        out
    }

    /// Puts notes in, none twice.
    pub(crate) fn put_in(&mut self, notes: impl IntoIterator<Item = HeldNote>) {
        for note in notes {
            if !self.notes.iter().any(|held| held.secret == note.secret) {
                self.notes.push(note);
            }
        }
    }

    /// Whether a note is in the purse, wherever.
    pub(crate) fn has(&self, secret: &NoteSecret) -> bool {
        self.notes.iter().any(|note| note.secret == *secret)
            || self.offline.iter().any(|one| one.note.secret == *secret)
            || self.operations.values().any(|operation| operation.holds(secret))
    }

    /// The own keys that are among `wanted`, by their counters.
    pub(crate) fn own_keys(&self, seed: &Seed, wanted: &[Point]) -> Vec<u64> {
        let last = self.counters.get(&keys_name()).copied().unwrap_or(0);
        let is_wanted = |index: &u64| {
            let own = key(seed, *index).map(|key| key.to_point());
            own.is_ok_and(|own| wanted.iter().any(|key| x(key) == x(&own)))
        };
        (0..last.saturating_add(KEYS_AHEAD)).filter(is_wanted).collect()
    }
}

/// What a key is known by: a signature does not tell a point from its negative.
fn x(key: &Point) -> [u8; 32] {
    key.to_bytes().last_chunk().copied().unwrap_or_default()
}

/// An own key.
pub(crate) fn key(seed: &Seed, index: u64) -> Result<SecretScalar, DeriveError> {
    Ok(seed.note(&keys_name(), index)?.factor)
}

/// The name of the counter of keys.
pub(crate) fn keys_name() -> KeysetId {
    KeysetId::V2(sha256(KEYS))
}

/// The sizes of notes for a withdrawal: those for `part` so many times over, if `amount` is a multiple of it.
pub(crate) fn sizes_by_part(
    mint: &KnownMint,
    keyset: &KeysetId,
    amount: u64,
    part: u64,
) -> Option<Vec<u64>> {
    let times = amount.checked_div(part).filter(|_| amount.checked_rem(part) == Some(0));
    let times = times.and_then(|times| usize::try_from(times).ok());
    let of_one = times.and_then(|times| Some((times, sizes(mint, keyset, part)?)));
    match of_one {
        Some((times, one)) if one.len().checked_mul(times)? <= MOST_OUTPUTS => {
            Some(one.repeat(times))
        }
        _ => sizes(mint, keyset, amount),
    }
}

/// The sizes of notes for `amount` of a keyset: the fewest powers of two; `None` if it takes too many.
pub(crate) fn sizes(mint: &KnownMint, keyset: &KeysetId, amount: u64) -> Option<Vec<u64>> {
    let greatest = *mint.keysets.get(keyset)?.keys.keys().next_back()?;
    split_within(amount, greatest, MOST_OUTPUTS)
}
