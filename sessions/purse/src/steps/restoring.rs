//! Restoring from the seed: what a mint ever signed for it (NUT-09), and what of that is unspent (NUT-07). In
//! small requests, as those named together are told to be one person's.

use super::{CHECKED_AT_ONCE, ask_states, is_spent, states};
use crate::keysets::bare;
use crate::message::{Reply, Request};
use crate::note::{HeldNote, worth};
use crate::operation::{Around, Next, OperationId, Outcome, Step, StepError, Waiting, content};
use crate::output::{Planned, SignatureError, messages};
use crate::purse::{Purse, keys_name};
use serde::{Deserialize, Serialize};
use yufu_ecash::message::{CheckStateResponse, NoteState, RestoreRequest, RestoreResponse};
use yufu_ecash::{KeysetId, Seed};

/// How many outputs one request names.
pub const RESTORED_AT_ONCE: u64 = 25;
/// After how many counters without a signature a keyset is taken to have no more.
pub const GAP: u64 = 100;
/// How far the counter of keys is set on: which were used is not known.
const KEYS_SKIPPED: u64 = 1_000;

/// What was ever signed is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restoring {
    keyset: KeysetId,
    /// The next counter.
    at: u64,
    /// How many in a row were not signed.
    empty: u64,
    /// Keysets that are still to be asked for.
    further: Vec<KeysetId>,
    pub(crate) found: Vec<HeldNote>,
}

/// What of it is unspent is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checking {
    pub(crate) left: Vec<HeldNote>,
    unspent: u64,
}

impl Purse {
    /// Begins to restore the notes of a mint from the seed; those that are held are checked too. A keyset that is
    /// not known is not looked at.
    ///
    /// # Errors
    /// [`StepError::MintUnknown`].
    pub fn restore(&mut self, mint: &str, now: u64) -> Result<OperationId, StepError> {
        let mint = bare(mint);
        let known = self.mints.get(&mint).ok_or(StepError::MintUnknown)?;
        let mut further: Vec<KeysetId> = known.keysets.keys().copied().collect();
        let keyset = further.pop().ok_or(StepError::MintUnknown)?;
        let keysets = known.keysets.clone();
        let (held, others) =
            self.notes.drain(..).partition(|note: &HeldNote| keysets.contains_key(&note.keyset));
        self.notes = others;
        let restoring = Restoring { keyset, at: 0, empty: 0, further, found: held };
        Ok(self.begin(mint, Step::Restoring(restoring), now))
    }
}

impl Restoring {
    fn outputs(&self) -> Vec<Planned> {
        let counters = self.at..self.at.saturating_add(RESTORED_AT_ONCE);
        let keyset = self.keyset;
        let of = |counter| Planned { amount: 1, keyset, counter, condition: None, given: false };
        counters.map(of).collect()
    }

    pub(crate) fn request(&self, seed: &Seed) -> Result<Request, StepError> {
        let outputs = messages(&self.outputs(), seed)?;
        Ok(Request::post("/v1/restore", &RestoreRequest { outputs }))
    }

    pub(crate) fn handle(
        mut self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        let answer: RestoreResponse = content(reply)?;
        let known = purse.mints.get(around.mint).ok_or(StepError::MintUnknown)?;
        let outputs = self.outputs();
        let asked = messages(&outputs, around.seed)?;
        let (mut found, mut last) = (Vec::new(), None);
        for (output, signed) in answer.outputs.iter().zip(&answer.signatures) {
            let which = asked.iter().position(|message| message.blinded == output.blinded);
            let planned = which.and_then(|place| outputs.get(place));
            let planned = planned.ok_or(SignatureError::Other)?;
            let planned = Planned { amount: signed.amount, ..planned.clone() };
            last = last.max(Some(planned.counter));
            found.push((planned.counter, planned.finish(around.seed, known, signed)?.note));
        }
        let is_new = |(counter, note): &(u64, HeldNote)| {
            let known = purse.has(&note.secret);
            let planned = purse.operations.values().flat_map(|operation| operation.outputs());
            let mut planned = planned.filter(|output| output.keyset == self.keyset);
            let held = self.found.iter().any(|held| held.secret == note.secret);
            !known && !held && !planned.any(|output| output.counter == *counter)
        };
        let new: Vec<HeldNote> = found.into_iter().filter(is_new).map(|(_, note)| note).collect();
        self.found.extend(new);
        if let Some(last) = last {
            let counter = purse.counters.entry(self.keyset).or_default();
            *counter = (*counter).max(last.saturating_add(1));
        }
        let after = |last: u64| self.at.saturating_add(RESTORED_AT_ONCE).saturating_sub(last);
        self.empty = match last {
            Some(last) => after(last).saturating_sub(1),
            None => self.empty.saturating_add(RESTORED_AT_ONCE),
        };
        self.at = self.at.saturating_add(RESTORED_AT_ONCE);
        if self.empty >= GAP {
            match self.further.pop() {
                Some(keyset) => (self.keyset, self.at, self.empty) = (keyset, 0, 0),
                None => return Ok(Checking { left: self.found, unspent: 0 }.next(purse, around)),
            }
        }
        Ok(Next::Step(Step::Restoring(self)))
    }
}

impl Checking {
    pub(crate) fn request(&self) -> Result<Request, StepError> {
        ask_states(self.left.iter().take(CHECKED_AT_ONCE))
    }

    pub(crate) fn handle(
        mut self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        let answer: CheckStateResponse = content(reply)?;
        let asked: Vec<HeldNote> = self.left.iter().take(CHECKED_AT_ONCE).cloned().collect();
        let states = states(&asked, answer)?;
        if states.iter().any(|status| status.state == NoteState::Pending) {
            return Ok(Next::Wait(Step::Checking(self), Waiting::Mint));
        }
        self.left = self.left.iter().skip(asked.len()).cloned().collect();
        let unspent = asked.into_iter().zip(&states).filter(|(_, status)| !is_spent(status));
        let unspent: Vec<HeldNote> = unspent.map(|(note, _)| note).collect();
        self.unspent = self.unspent.saturating_add(worth(&unspent));
        purse.put_in(unspent);
        Ok(self.next(purse, around))
    }

    fn next(self, purse: &mut Purse, around: Around<'_>) -> Next {
        if !self.left.is_empty() {
            return Next::Step(Step::Checking(self));
        }
        let keys = purse.counters.get(&keys_name()).copied().unwrap_or(0);
        purse.counters.insert(keys_name(), keys.saturating_add(KEYS_SKIPPED));
        purse.from_backup.remove(around.mint);
        Next::Done(Outcome::Restored(self.unspent))
    }
}
