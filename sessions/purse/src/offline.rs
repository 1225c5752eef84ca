//! Taking notes without network: what can be checked here is, and what cannot is said of each.

use crate::note::HeldNote;
use crate::operation::{OperationId, Step};
use crate::purse::Purse;
use crate::receiving::ReceiveError;
use crate::steps::{Swapping, Then};
use serde::{Deserialize, Serialize};
use yufu_ecash::message::Proof;
use yufu_ecash::spend::{Lock, LockError, SigFlag};
use yufu_ecash::{Point, Seed, Token, Unhashable};

/// What a payee without network takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfflineTerms {
    /// How long before a lock ends, in seconds, the payee will have network again for certain.
    pub margin: u64,
    /// The most that is held in notes that are not locked to this purse, which their payer may spend again; none is
    /// taken if it is 0.
    pub risk_limit: u64,
}

/// What a note taken without network is worth so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Only this purse can spend it, for good.
    Safe,
    /// Only this purse can spend it, until its payer can have it back.
    Pending {
        /// After when, in Unix seconds.
        until: u64,
    },
    /// Its payer can spend it too: whoever is first has it.
    AtRisk {
        /// Since when, in Unix seconds; none is from the beginning.
        since: Option<u64>,
    },
}

/// A note taken without network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineNote {
    pub(crate) mint: String,
    /// Which token it came with, counted.
    pub(crate) token: u64,
    pub(crate) note: HeldNote,
    /// The own key that it is locked to, if it is.
    key: Option<u64>,
    /// After when its payer can have it back, in Unix seconds.
    until: Option<u64>,
}

/// Why a token is not taken without network. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfflineRefusal {
    /// What every token is checked for.
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    /// A note without the proof that its mint signed it.
    #[error(
        "note {0} carries no proof of its mint's signature: ask the payer for one, or go online"
    )]
    NoProof(usize),
    /// A note that was taken before.
    #[error("note {0} was taken here before: it is the same note again")]
    Seen(usize),
    /// Its condition cannot be met by anybody.
    #[error("note {note} can be spent by nobody: {reason}")]
    Malformed {
        /// Its place.
        note: usize,
        /// Why.
        reason: LockError,
    },
    /// Locked in a way that takes more than this purse's key.
    #[error("note {0} is not locked to a key of this purse alone: ask for notes locked to it")]
    Lock(usize),
    /// The payer could have it back before it is redeemed.
    #[error(
        "the lock of note {note} ends at {until}, too soon to go online before: ask for a longer one"
    )]
    TooSoon {
        /// Its place.
        note: usize,
        /// When, in Unix seconds.
        until: u64,
    },
    /// Its keyset could end before it is redeemed.
    #[error(
        "note {note} is worth nothing from {at} on, too soon to go online before: ask for newer notes"
    )]
    Ending {
        /// Its place.
        note: usize,
        /// When, in Unix seconds.
        at: u64,
    },
    /// Not locked, and no risk is taken, or not so much.
    #[error(
        "notes worth {unlocked} are not locked to this purse, so the payer can spend them again, and at most {limit} is taken so: ask for locked notes, or go online"
    )]
    Risk {
        /// What is not locked, with what is held so already.
        unlocked: u64,
        /// The most.
        limit: u64,
    },
    /// A secret that has no point.
    #[error(transparent)]
    Unhashable(#[from] Unhashable),
}

impl OfflineRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Receive(error) => error.code(),
            Self::NoProof(_) => "purse.offline_no_proof",
            Self::Seen(_) => "purse.offline_seen",
            Self::Malformed { .. } | Self::Unhashable(_) => "purse.condition",
            Self::Lock(_) => "purse.offline_lock",
            Self::TooSoon { .. } | Self::Ending { .. } => "purse.offline_too_soon",
            Self::Risk { .. } => "purse.offline_risk",
        }
    }
}

impl OfflineNote {
    /// What it is worth.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.note.amount
    }

    /// Its mint's address.
    #[must_use]
    pub fn mint(&self) -> &str {
        &self.mint
    }

    /// How safe it is at `now`, in Unix seconds.
    #[must_use]
    pub fn standing(&self, now: u64) -> Standing {
        match (self.key, self.until) {
            (None, _) => Standing::AtRisk { since: None },
            (Some(_), None) => Standing::Safe,
            (Some(_), Some(until)) if now > until => Standing::AtRisk { since: Some(until) },
            (Some(_), Some(until)) => Standing::Pending { until },
        }
    }
}

impl Purse {
    /// Takes a token without network. Gives what it is worth. The notes are the purse's own once [`Purse::collect`]
    /// has changed them.
    ///
    /// # Errors
    /// [`OfflineRefusal`]; nothing changes then.
    pub fn take_offline(
        &mut self,
        seed: &Seed,
        token: &Token,
        terms: OfflineTerms,
        now: u64,
    ) -> Result<u64, OfflineRefusal> {
        let (mint, proofs) = self.read(token, now)?;
        let number = self.begun;
        let (mut notes, mut seen) = (Vec::new(), Vec::new());
        for (place, proof) in proofs.iter().enumerate() {
            if proof.dleq.is_none() {
                return Err(OfflineRefusal::NoProof(place));
            }
            let hashed = proof.hashed()?.to_hex();
            if self.seen.contains_key(&hashed) {
                return Err(OfflineRefusal::Seen(place));
            }
            let keyset = self.mints.get(&mint).and_then(|known| known.keysets.get(&proof.id));
            let ends = keyset.and_then(|keyset| keyset.final_expiry);
            seen.push((hashed, ends));
            let (key, until) = self.lock_of(seed, place, proof, terms.margin, now)?;
            if let Some(at) = ends.filter(|ends| *ends < now.saturating_add(terms.margin)) {
                return Err(OfflineRefusal::Ending { note: place, at });
            }
            let note = HeldNote::from(proof);
            notes.push(OfflineNote { mint: mint.clone(), token: number, note, key, until });
        }
        let risked = self.offline.iter().chain(&notes).filter(|one| one.key.is_none());
        let unlocked = risked.fold(0_u64, |sum, one| sum.saturating_add(one.amount()));
        if notes.iter().any(|one| one.key.is_none()) && unlocked > terms.risk_limit {
            return Err(OfflineRefusal::Risk { unlocked, limit: terms.risk_limit });
        }
        let worth = notes.iter().fold(0_u64, |sum, one| sum.saturating_add(one.amount()));
        self.begun = self.begun.saturating_add(1);
        self.offline.extend(notes);
        self.seen.retain(|_, over| over.is_none_or(|over| over > now));
        self.seen.extend(seen);
        Ok(worth)
    }

    /// Notes taken without network that are not changed for own ones yet.
    #[must_use]
    pub fn offline(&self) -> &[OfflineNote] {
        &self.offline
    }

    /// Begins to change notes taken without network for own ones, each token by itself: a note that was spent
    /// elsewhere spoils no others. Those whose lock ends first go first.
    pub fn collect(&mut self, seed: &Seed, now: u64) -> Vec<OperationId> {
        let mut tokens: Vec<(Option<u64>, u64)> =
            self.offline.iter().map(|one| (one.until, one.token)).collect();
        tokens.sort_by_key(|(until, token)| (until.unwrap_or(u64::MAX), *token));
        tokens.dedup_by_key(|(_, token)| *token);
        let mut begun = Vec::new();
        for (_, token) in tokens {
            let of_it = |one: &&OfflineNote| one.token == token;
            let offline: Vec<OfflineNote> = self.offline.iter().filter(of_it).cloned().collect();
            let Some(mint) = offline.first().map(|one| one.mint.clone()) else { continue };
            let inputs: Vec<HeldNote> = offline.iter().map(|one| one.note.clone()).collect();
            let Some(outputs) = self.plan_all(seed, &mint, &inputs, now) else { continue };
            let mut keys: Vec<u64> = offline.iter().filter_map(|one| one.key).collect();
            keys.sort_unstable();
            keys.dedup();
            self.offline.retain(|one| one.token != token);
            let then = Then::Receive { offline };
            let swap = Swapping { inputs, outputs, keys, preimage: None, then };
            begun.push(self.begin(mint, Step::Swapping(swap), now));
        }
        begun
    }

    /// The own key that a note is locked to, and until when; none of both if it is not locked.
    fn lock_of(
        &self,
        seed: &Seed,
        note: usize,
        proof: &Proof,
        margin: u64,
        now: u64,
    ) -> Result<(Option<u64>, Option<u64>), OfflineRefusal> {
        let lock = Lock::parse(&proof.secret);
        let lock = lock.map_err(|reason| OfflineRefusal::Malformed { note, reason })?;
        let Some(lock) = lock else { return Ok((None, None)) };
        let key: Option<&Point> = match lock.receivers.keys.as_slice() {
            [only] if lock.hash.is_none() && lock.sig_flag == SigFlag::Inputs => Some(only),
            _ => None,
        };
        let own = key.and_then(|key| self.own_keys(seed, &[*key]).first().copied());
        let own = own.ok_or(OfflineRefusal::Lock(note))?;
        match lock.locktime {
            Some(until) if until < now.saturating_add(margin) => {
                Err(OfflineRefusal::TooSoon { note, until })
            }
            until => Ok((Some(own), until)),
        }
    }
}
