//! Changing notes for others (NUT-03): for exact change, to lock, to receive, to renew.

use super::giving::{Given, Giving};
use super::recovering::Asking;
use super::redeeming::Melting;
use crate::message::{Reply, Request};
use crate::note::{HeldNote, proofs, worth};
use crate::offline::OfflineNote;
use crate::operation::{Around, Next, OperationId, Outcome, Step, StepError, Waiting, answer};
use crate::output::{Planned, Signed, finish, messages};
use crate::purse::{Purse, key, sizes};
use serde::{Deserialize, Serialize};
use yufu_ecash::Seed;
use yufu_ecash::amount::fee;
use yufu_ecash::message::{BlindSignature, Signatures, SwapRequest};
use yufu_ecash::spend::{Transaction, unlock};

/// Notes are changed for others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Swapping {
    pub(crate) inputs: Vec<HeldNote>,
    pub(crate) outputs: Vec<Planned>,
    /// The own keys that sign for locked inputs.
    pub(crate) keys: Vec<u64>,
    /// What is shown for hash locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preimage: Option<[u8; 32]>,
    pub(crate) then: Then,
}

/// What the new notes are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    /// A withdrawal's: they rest for so many seconds.
    Withdraw { rest: u64 },
    /// To have newer ones, which rest for as long as the old ones would have.
    Renew { rest: u64 },
    /// Some are given to somebody.
    Give(Box<Giving>),
    /// They were somebody else's; those taken without network stand here.
    Receive { offline: Vec<OfflineNote> },
    /// They were given, and are taken back.
    TakeBack(Box<Given>),
    /// Some are redeemed.
    Redeem { quote: String, amount: u64 },
}

impl Purse {
    /// Changes notes whose keyset is not signed with any more, or ends before `before` in Unix seconds, for new
    /// ones. `None` if there are none, or if it is not known yet which of them are spent.
    ///
    /// # Errors
    /// [`StepError::MintUnknown`], [`StepError::NoKeyset`].
    pub fn renew(
        &mut self,
        seed: &Seed,
        mint: &str,
        before: u64,
        now: u64,
    ) -> Result<Option<OperationId>, StepError> {
        let (mint, known) = self.mint(mint).ok_or(StepError::MintUnknown)?;
        if self.current(&mint).is_err() {
            return Ok(None);
        }
        let active = known.active(now).ok_or(StepError::NoKeyset)?.id;
        let ending = |note: &HeldNote| {
            let keyset = known.keysets.get(&note.keyset);
            let ends = keyset.and_then(|keyset| keyset.final_expiry).is_some_and(|at| at < before);
            note.keyset != active && (ends || known.is_old(&note.keyset))
        };
        let mut places = self.spendable(known, now, true);
        places.retain(|place| self.notes.get(*place).is_some_and(ending));
        let notes: Vec<&HeldNote> =
            places.iter().filter_map(|place| self.notes.get(*place)).collect();
        let cost = fee(notes.iter().map(|note| known.fee_ppk(&note.keyset))).unwrap_or(u64::MAX);
        let left = worth(notes.iter().copied()).saturating_sub(cost);
        let Some(sizes) = sizes(known, &active, left).filter(|_| left > 0) else { return Ok(None) };
        let rests = notes.iter().filter_map(|note| note.rests_until).max();
        let outputs = self.plan(seed, active, sizes.into_iter().map(|size| (size, false)));
        let mut inputs = self.take_out(&places);
        // What rests goes on resting: the new notes are no older than the old ones.
        let then = Then::Renew { rest: rests.map_or(0, |until| until.saturating_sub(now)) };
        inputs.sort_by_key(|note| note.amount);
        let swap = Swapping { inputs, outputs, keys: Vec::new(), preimage: None, then };
        Ok(Some(self.begin(mint, Step::Swapping(swap), now)))
    }
}

impl Swapping {
    pub(crate) fn request(&self, seed: &Seed) -> Result<Request, StepError> {
        let outputs = messages(&self.outputs, seed)?;
        let mut inputs = proofs(&self.inputs);
        let keys =
            self.keys.iter().map(|index| key(seed, *index)).collect::<Result<Vec<_>, _>>()?;
        let transaction = Transaction { outputs: &outputs, quote: None };
        // Without randomness of their own the signatures are the same when the request is repeated.
        unlock(&mut inputs, transaction, &keys, self.preimage.as_ref(), &[0; 32])?;
        Ok(Request::post("/v1/swap", &SwapRequest { inputs, outputs }))
    }

    pub(crate) fn handle(
        self,
        purse: &mut Purse,
        around: Around<'_>,
        reply: &Reply,
    ) -> Result<Next, StepError> {
        match answer::<Signatures>(reply)? {
            Ok(signed) => finished(purse, around, &self.outputs, &signed.signatures, self.then),
            Err(refusal) => Ok(Next::Step(Step::Asking(Asking::new(self, &refusal)))),
        }
    }

    /// Back to where they were.
    pub(crate) fn release(then: Then, notes: Vec<HeldNote>, purse: &mut Purse) -> Option<Step> {
        match then {
            Then::Withdraw { .. } | Then::Renew { .. } | Then::Give(_) | Then::Redeem { .. } => {
                purse.put_in(notes);
                None
            }
            Then::Receive { offline } => {
                let back = |one: &OfflineNote| notes.iter().any(|n| n.secret == one.note.secret);
                purse.offline.extend(offline.into_iter().filter(back));
                None
            }
            Then::TakeBack(given) => Some(Step::Given(given.with_left(notes))),
        }
    }
}

/// What follows once the mint has signed.
pub(super) fn finished(
    purse: &mut Purse,
    around: Around<'_>,
    outputs: &[Planned],
    signatures: &[BlindSignature],
    then: Then,
) -> Result<Next, StepError> {
    let (_, known) = purse.mint(around.mint).ok_or(StepError::MintUnknown)?;
    let signed = finish(outputs, around.seed, known, signatures)?;
    let (given, own): (Vec<Signed>, Vec<Signed>) = signed.into_iter().partition(|one| one.given);
    let mut own: Vec<HeldNote> = own.into_iter().map(|one| one.note).collect();
    let amount = worth(&own);
    if let Then::Withdraw { rest } | Then::Renew { rest } = then
        && rest > 0
    {
        for note in &mut own {
            note.rests_until = Some(around.now.saturating_add(rest));
        }
    }
    purse.put_in(own);
    Ok(match then {
        Then::Withdraw { .. } => Next::Done(Outcome::Withdrawn(amount)),
        Then::Renew { .. } => Next::Done(Outcome::Renewed(amount)),
        Then::Receive { .. } => Next::Done(Outcome::Received(amount)),
        Then::TakeBack(_) => Next::Done(Outcome::TakenBack(amount)),
        Then::Give(giving) => {
            let given = Given::new(*giving, given);
            let waiting = Waiting::Taking { left: worth(&given.left) };
            Next::Wait(Step::Given(given), waiting)
        }
        Then::Redeem { quote, amount } => {
            let inputs = given.into_iter().map(|one| one.note).collect();
            Next::Step(Step::Melting(Melting { quote, amount, inputs }))
        }
    })
}
