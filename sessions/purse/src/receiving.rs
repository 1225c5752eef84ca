//! Receiving with network: the notes of a token are changed at once for own ones, for who gave them has them too.

use crate::keysets::KnownMint;
use crate::note::{HeldNote, worth};
use crate::operation::{OperationId, Step};
use crate::output::Planned;
use crate::purse::{FromBackup, Purse, sizes};
use crate::steps::{Swapping, Then};
use yufu_ecash::amount::fee;
use yufu_ecash::message::{OfflineError, Proof};
use yufu_ecash::spend::{Lock, LockError};
use yufu_ecash::{KeysetId, Point, Seed, Token, TokenError};

/// Why a token is not received. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// The mint's keysets are not known.
    #[error("the keysets of the mint {0} are not known: fetch them first")]
    MintUnknown(String),
    /// The purse is from a backup.
    #[error(transparent)]
    FromBackup(#[from] FromBackup),
    /// Another unit than the mint's.
    #[error("the token is in another unit than its mint's notes: do not accept it")]
    Unit,
    /// The token itself.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A keyset that is not taken.
    #[error(
        "the token has notes of the keyset {0}, which is not published or not known here: do not accept it"
    )]
    Keyset(KeysetId),
    /// A keyset whose time is over.
    #[error("the token has notes of the keyset {0}, whose time is over: they are worth nothing")]
    Expired(KeysetId),
    /// A size that the keyset does not have.
    #[error("the token has a note of {0}, which its keyset does not have: do not accept it")]
    Size(u64),
    /// A proof that came with a note, and does not convince.
    #[error("note {0} carries a proof that its mint did not give: do not accept it")]
    Forged(usize),
    /// A note is in the purse already.
    #[error("note {0} of the token is in this purse already")]
    Repeated(usize),
    /// A condition that nobody can meet.
    #[error("note {note} can be spent by nobody: {reason}")]
    Malformed {
        /// Its place.
        note: usize,
        /// Why.
        reason: LockError,
    },
    /// Locked to others.
    #[error("note {0} is locked to a key that is not of this purse")]
    NotOurs(usize),
    /// Locked to a hash.
    #[error("note {0} is locked to a hash: give its preimage")]
    Hash(usize),
    /// The fee eats it.
    #[error("the token is not worth its mint's fee")]
    Worthless,
    /// The mint signs nothing now.
    #[error("the mint has no keyset in use that is published: fetch its keysets, and repeat")]
    NoKeyset,
}

impl ReceiveError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MintUnknown(_) => "purse.mint_unknown",
            Self::FromBackup(_) => "purse.from_backup",
            Self::Unit => "purse.token_unit",
            Self::Token(_) => "purse.token",
            Self::Keyset(_) => "purse.token_keyset",
            Self::Expired(_) => "purse.token_expired",
            Self::Size(_) | Self::Forged(_) => "purse.token_forged",
            Self::Repeated(_) => "purse.token_repeated",
            Self::Malformed { .. } => "purse.condition",
            Self::NotOurs(_) => "purse.token_locked",
            Self::Hash(_) => "purse.token_hash",
            Self::Worthless => "purse.token_worthless",
            Self::NoKeyset => "purse.no_keyset",
        }
    }
}

impl Purse {
    /// Begins to receive a token. `preimage` opens hash locks.
    ///
    /// # Errors
    /// [`ReceiveError`]; nothing changes then.
    pub fn receive(
        &mut self,
        seed: &Seed,
        token: &Token,
        preimage: Option<[u8; 32]>,
        now: u64,
    ) -> Result<OperationId, ReceiveError> {
        let (mint, proofs) = self.read(token, now)?;
        let mut wanted = Vec::new();
        for (note, proof) in proofs.iter().enumerate() {
            let lock = Lock::parse(&proof.secret);
            let lock = lock.map_err(|reason| ReceiveError::Malformed { note, reason })?;
            let Some(lock) = lock else { continue };
            let named: Vec<Point> =
                lock.receivers.keys.iter().chain(&lock.refund.keys).copied().collect();
            let keys = self.own_keys(seed, &named);
            let anybody = lock.expired(now) && lock.refund.keys.is_empty();
            // Without keys of receivers the preimage alone opens it, whoever may have it back.
            let by_hash = lock.hash.is_some() && lock.receivers.keys.is_empty();
            let not_ours = keys.is_empty() && !anybody;
            if not_ours && !by_hash {
                return Err(ReceiveError::NotOurs(note));
            }
            if lock.hash.is_some() && preimage.is_none() && (not_ours || !lock.expired(now)) {
                return Err(ReceiveError::Hash(note));
            }
            wanted.extend(keys);
        }
        wanted.sort_unstable();
        wanted.dedup();
        // Stripped of proofs, which would unmask the payer to the mint.
        let inputs: Vec<HeldNote> = proofs.iter().map(HeldNote::from).collect();
        let outputs = self.plan_all(seed, &mint, &inputs, now);
        let outputs = outputs.ok_or_else(|| self.why_no_outputs(&mint, now))?;
        let then = Then::Receive { offline: Vec::new() };
        let swap = Swapping { inputs, outputs, keys: wanted, preimage, then };
        Ok(self.begin(mint, Step::Swapping(swap), now))
    }

    /// What every token is checked for: its mint and the notes, their keysets known and their proofs good.
    pub(crate) fn read(
        &self,
        token: &Token,
        now: u64,
    ) -> Result<(String, Vec<Proof>), ReceiveError> {
        let unknown = || ReceiveError::MintUnknown(token.mint.clone());
        let (mint, known) = self.mint(&token.mint).ok_or_else(unknown)?;
        self.current(&mint)?;
        if token.unit.as_ref().is_some_and(|unit| *unit != known.unit) {
            return Err(ReceiveError::Unit);
        }
        let ids: Vec<KeysetId> = known.keysets.keys().copied().collect();
        let proofs = token.proofs(&ids)?;
        for (place, proof) in proofs.iter().enumerate() {
            check(known, place, proof, now)?;
            let note = HeldNote::from(proof);
            let given = self
                .operations
                .values()
                .any(|op| matches!(&op.step, Step::Given(_)) && op.holds(&note.secret));
            // What this purse gave may come back to it.
            if self.has(&note.secret) && !given {
                return Err(ReceiveError::Repeated(place));
            }
        }
        let repeated = |(place, proof): (usize, &Proof)| {
            proofs.iter().take(place).any(|other| other.secret == proof.secret)
        };
        match proofs.iter().enumerate().find(|one| repeated(*one)) {
            Some((place, _)) => Err(ReceiveError::Repeated(place)),
            None => Ok((mint, proofs)),
        }
    }

    /// Outputs for all that notes are worth after their fee. `None` if that is nothing, or there is no keyset.
    pub(crate) fn plan_all(
        &mut self,
        seed: &Seed,
        mint: &str,
        notes: &[HeldNote],
        now: u64,
    ) -> Option<Vec<Planned>> {
        let known = self.mints.get(mint)?;
        let keyset = known.active(now)?.id;
        let cost = fee(notes.iter().map(|note| known.fee_ppk(&note.keyset))).ok()?;
        let left = worth(notes).checked_sub(cost).filter(|left| *left > 0)?;
        let sizes = sizes(known, &keyset, left)?;
        Some(self.plan(seed, keyset, sizes.into_iter().map(|size| (size, false))))
    }

    fn why_no_outputs(&self, mint: &str, now: u64) -> ReceiveError {
        match self.mints.get(mint).and_then(|known| known.active(now)) {
            Some(_) => ReceiveError::Worthless,
            None => ReceiveError::NoKeyset,
        }
    }
}

fn check(known: &KnownMint, place: usize, proof: &Proof, now: u64) -> Result<(), ReceiveError> {
    let keyset = known.keysets.get(&proof.id).ok_or(ReceiveError::Keyset(proof.id))?;
    if keyset.expired(now) {
        return Err(ReceiveError::Expired(proof.id));
    }
    let key = keyset.key(proof.amount).ok_or(ReceiveError::Size(proof.amount))?;
    match proof.verify_offline(key) {
        Ok(()) | Err(OfflineError::NoProof) => Ok(()),
        Err(OfflineError::Proof(_)) => Err(ReceiveError::Forged(place)),
    }
}
