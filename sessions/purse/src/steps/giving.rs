//! Paying: notes leave the purse as a token, locked if the payee asks for it, and are its again if nobody
//! takes them (NUT-00, NUT-11, NUT-14, NUT-18).

use super::exchanging::{Swapping, Then};
use super::{CHECKED_AT_ONCE, ask_states, is_spent, states};
use crate::choosing::{covering, exactly};
use crate::message::{Reply, Request};
use crate::note::{HeldNote, worth};
use crate::operation::{Next, OperationId, Outcome, Step, StepError, Waiting, content};
use crate::output::{Planned, Signed};
use crate::purse::{FromBackup, MOST_OUTPUTS, Purse, key, sizes};
use crate::terms::{PayTerms, condition, with_refund};
use serde::{Deserialize, Serialize};
use yufu_ecash::amount::split;
use yufu_ecash::message::{CheckStateResponse, NoteStatus, Proof};
use yufu_ecash::spend::{LockError, Witness};
use yufu_ecash::{DeriveError, Payment, ProofDleq, Seed, Token, TokenError};
use yufu_jose::sha256;

/// Why nothing is paid. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// The mint's keysets are not known.
    #[error("no notes of this mint are held: withdraw some first")]
    MintUnknown,
    /// The purse is from a backup.
    #[error(transparent)]
    FromBackup(#[from] FromBackup),
    /// Nothing, or more notes than are made for at once.
    #[error("{0} cannot be paid at once: choose another amount")]
    Amount(u64),
    /// Too little that can be spent now.
    #[error(
        "{ready} can be spent now and {resting} after a rest (minor units), which is less than the amount and its fee: withdraw more, wait, or do not rest (the bank may then tell by the time who paid)"
    )]
    Insufficient {
        /// What can be spent now.
        ready: u64,
        /// What rests.
        resting: u64,
        /// When all has rested, in Unix seconds.
        rested_at: Option<u64>,
    },
    /// The mint signs nothing now.
    #[error(
        "the mint has no keyset in use that is published: fetch its keysets, or pay exactly what notes give"
    )]
    NoKeyset,
    /// The lock is none that a mint understands.
    #[error("the lock cannot be made: {0}")]
    Lock(#[from] LockError),
    /// The seed gives no key.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

impl PayError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MintUnknown => "purse.mint_unknown",
            Self::FromBackup(_) => "purse.from_backup",
            Self::Amount(_) => "purse.amount",
            Self::Insufficient { .. } => "purse.insufficient",
            Self::NoKeyset => "purse.no_keyset",
            Self::Lock(_) => "purse.condition",
            Self::Derive(_) => "purse.seed",
        }
    }
}

/// What goes to the payee with the notes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Giving {
    offline: bool,
    id: Option<String>,
    memo: Option<String>,
    /// The own key by which locked notes come back, and after when.
    refund: Option<(u64, u64)>,
    locked: bool,
}

/// Notes that were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    terms: Giving,
    notes: Vec<HeldNote>,
    /// Of each note, for a payee without network.
    proofs: Vec<ProofDleq>,
    /// Those that are not known to be taken.
    pub(crate) left: Vec<HeldNote>,
    preimage: Option<String>,
}

/// What a payee is handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handing {
    /// As a text to be shown or sent.
    pub token: Token,
    /// As it is posted to whoever asked for it so.
    pub payment: Payment,
}

/// Where what was given stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenState {
    /// How much.
    pub amount: u64,
    /// What of it is not known to be taken.
    pub left: u64,
    /// Whether it is locked to the payee.
    pub locked: bool,
    /// After when it can be taken back if it is locked, in Unix seconds.
    pub refundable_after: Option<u64>,
}

impl Purse {
    /// Begins to pay. If the notes give the amount, and no lock is wanted, they are ready to be handed over at once
    /// ([`Purse::handing`]); else they are changed first, so that no lock is ever on a note that was withdrawn.
    ///
    /// # Errors
    /// [`PayError`]; nothing changes then.
    pub fn pay(&mut self, seed: &Seed, terms: PayTerms, now: u64) -> Result<OperationId, PayError> {
        let (mint, known) = self.mint(&terms.mint).ok_or(PayError::MintUnknown)?;
        self.current(&mint)?;
        let too_many = split(terms.amount).len() > MOST_OUTPUTS;
        if terms.amount == 0 || too_many {
            return Err(PayError::Amount(terms.amount));
        }
        let places = self.spendable(known, now, terms.hurry);
        let candidates = self.candidates(known, &places);
        let at = |chosen: &[usize]| -> Vec<usize> {
            chosen.iter().filter_map(|place| places.get(*place).copied()).collect()
        };
        let as_they_are = terms.lock.is_none() && !terms.offline;
        let exact =
            exactly(&candidates, terms.amount).filter(|chosen| chosen.len() <= MOST_OUTPUTS);
        if let Some(chosen) = exact.filter(|_| as_they_are) {
            let notes = self.take_out(&at(&chosen));
            let given = Given::direct(terms, notes);
            return Ok(self.begin(mint, Step::Given(given), now));
        }
        let Some(chosen) = covering(&candidates, terms.amount) else {
            let holding = self.holdings(now).into_iter().find(|holding| holding.mint == mint);
            let holding = holding.ok_or(PayError::MintUnknown)?;
            let (ready, resting) = (holding.ready, holding.resting);
            return Err(PayError::Insufficient { ready, resting, rested_at: holding.rested_at });
        };
        if chosen.places.len() > MOST_OUTPUTS {
            return Err(PayError::Amount(terms.amount));
        }
        let keyset = known.active(now).ok_or(PayError::NoKeyset)?.id;
        let change = chosen.sum.saturating_sub(chosen.fee).saturating_sub(terms.amount);
        let amount = PayError::Amount(terms.amount);
        let given = sizes(known, &keyset, terms.amount).ok_or(amount)?;
        let kept = sizes(known, &keyset, change).ok_or(PayError::Amount(terms.amount))?;
        let trial = terms.lock.as_ref().map(|lock| with_refund(lock, || key(seed, 0)));
        if let Some(lock) = trial.transpose()? {
            condition(&lock, &terms.tags, &[0; 32])?;
        }
        let sizes = given.into_iter().map(|size| (size, true));
        let sizes = sizes.chain(kept.into_iter().map(|size| (size, false)));
        let mut outputs = self.plan(seed, keyset, sizes);
        let refund = self.lock(seed, &terms, &mut outputs)?;
        let inputs = self.take_out(&at(&chosen.places));
        let locked = terms.lock.is_some();
        let PayTerms { offline, id, memo, .. } = terms;
        let then = Then::Give(Box::new(Giving { offline, id, memo, refund, locked }));
        let swap = Swapping { inputs, outputs, keys: Vec::new(), preimage: None, then };
        Ok(self.begin(mint, Step::Swapping(swap), now))
    }

    /// Gives the outputs for the payee their condition; a fresh refund key of the purse if the lock has none.
    fn lock(
        &mut self,
        seed: &Seed,
        terms: &PayTerms,
        outputs: &mut [Planned],
    ) -> Result<Option<(u64, u64)>, PayError> {
        let Some(lock) = &terms.lock else { return Ok(None) };
        let own = lock.refund.keys.is_empty() && lock.locktime.is_some();
        let index = if own { self.next_key() } else { 0 };
        let lock = with_refund(lock, || key(seed, index))?;
        for output in outputs.iter_mut().filter(|output| output.given) {
            let nonce = sha256(seed.note(&output.keyset, output.counter)?.secret.as_bytes());
            output.condition = Some(condition(&lock, &terms.tags, &nonce)?);
        }
        Ok(lock.locktime.filter(|_| own).map(|locktime| (index, locktime)))
    }

    /// What the payee of an operation is to be handed: as often as need be. `None` before it is ready.
    #[must_use]
    pub fn handing(&self, id: OperationId) -> Option<Handing> {
        let operation = self.operations.get(&id)?;
        let Step::Given(given) = &operation.step else { return None };
        let unit = &self.mints.get(&operation.mint)?.unit;
        let proofs = given.proofs();
        let token = Token::new(&operation.mint, unit, given.terms.memo.clone(), proofs.clone());
        let payment = Payment {
            id: given.terms.id.clone(),
            memo: given.terms.memo.clone(),
            mint: operation.mint.clone(),
            unit: unit.clone(),
            proofs,
        };
        Some(Handing { token, payment })
    }

    /// Where what was given in an operation stands. `None` before it is ready.
    #[must_use]
    pub fn given(&self, id: OperationId) -> Option<GivenState> {
        let Step::Given(given) = &self.operations.get(&id)?.step else { return None };
        Some(GivenState {
            amount: given.amount(),
            left: worth(&given.left),
            locked: given.terms.locked,
            refundable_after: given.terms.refund.map(|(_, after)| after),
        })
    }

    /// Begins to take back what a payee has not taken, under the same id. `false` if it cannot be at `now`: it is
    /// not ready, or locked yet, or its mint signs nothing.
    pub fn take_back(&mut self, seed: &Seed, id: OperationId, now: u64) -> bool {
        let Some(operation) = self.operations.get(&id).cloned() else { return false };
        let Step::Given(given) = operation.step else { return false };
        let free = match given.terms.refund {
            Some((_, after)) => now > after,
            None => !given.terms.locked,
        };
        let inputs = given.left.clone();
        let Some(outputs) = self.plan_all(seed, &operation.mint, &inputs, now).filter(|_| free)
        else {
            return false;
        };
        let keys = given.terms.refund.iter().map(|(index, _)| *index).collect();
        let then = Then::TakeBack(Box::new(given));
        let swap = Swapping { inputs, outputs, keys, preimage: None, then };
        if let Some(operation) = self.operations.get_mut(&id) {
            operation.step = Step::Swapping(swap);
        }
        true
    }
}

impl Given {
    /// Made for the payee by a swap.
    pub(super) fn new(terms: Giving, signed: Vec<Signed>) -> Self {
        let offline = terms.offline;
        let (notes, proofs): (Vec<_>, Vec<_>) =
            signed.into_iter().map(|one| (one.note, one.dleq)).unzip();
        let proofs = if offline { proofs } else { Vec::new() };
        Self { terms, left: notes.clone(), notes, proofs, preimage: None }
    }

    fn direct(terms: PayTerms, mut notes: Vec<HeldNote>) -> Self {
        notes.sort_by_key(|note| note.amount);
        let PayTerms { id, memo, .. } = terms;
        let terms = Giving { offline: false, id, memo, refund: None, locked: false };
        Self { terms, left: notes.clone(), notes, proofs: Vec::new(), preimage: None }
    }

    /// The same with only these not taken.
    pub(super) fn with_left(self, left: Vec<HeldNote>) -> Self {
        Self { left, ..self }
    }

    pub(super) fn amount(&self) -> u64 {
        worth(&self.notes)
    }

    fn proofs(&self) -> Vec<Proof> {
        let mut proofs = crate::note::proofs(&self.notes);
        for (proof, dleq) in proofs.iter_mut().zip(&self.proofs) {
            proof.dleq = Some(dleq.clone());
        }
        proofs
    }

    pub(crate) fn request(&self) -> Result<Request, StepError> {
        ask_states(self.left.iter().take(CHECKED_AT_ONCE))
    }

    pub(crate) fn handle(mut self, reply: &Reply) -> Result<Next, StepError> {
        let answer: CheckStateResponse = content(reply)?;
        let asked: Vec<HeldNote> = self.left.iter().take(CHECKED_AT_ONCE).cloned().collect();
        let states = states(&asked, answer)?;
        self.preimage = self.preimage.or_else(|| states.iter().find_map(preimage));
        // Those that are not taken are asked for last the next time.
        let mut left: Vec<HeldNote> = self.left.iter().skip(asked.len()).cloned().collect();
        left.extend(asked.into_iter().zip(&states).filter(|(_, s)| !is_spent(s)).map(|(n, _)| n));
        self.left = left;
        if self.left.is_empty() {
            let amount = self.amount();
            return Ok(Next::Done(Outcome::Taken { amount, preimage: self.preimage }));
        }
        let waiting = Waiting::Taking { left: worth(&self.left) };
        Ok(Next::Wait(Step::Given(self), waiting))
    }
}

/// What the payee showed for a hash lock.
fn preimage(status: &NoteStatus) -> Option<String> {
    Witness::parse(status.witness.as_deref()?).ok()?.preimage
}

impl Handing {
    /// The token's text, version 4.
    ///
    /// # Errors
    /// [`TokenError`], which does not happen for notes of a purse.
    pub fn text(&self) -> Result<String, TokenError> {
        self.token.to_text()
    }
}
