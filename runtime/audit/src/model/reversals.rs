//! What can be taken back of what was done: of a payment by refund or dispute, of an entry by
//! correction, never more in all than was moved, and nothing of what is forgotten.

use super::limits::Paying;
use super::pending::Promised;
use super::{Found, Model};
use crate::finding::Irregularity;
use std::collections::BTreeMap;
use yufu_base::{AccountId, CommandId, InstitutionId, Timestamp};
use yufu_machine::Action;

/// A payment that was done.
#[derive(Clone, Copy)]
pub(super) struct Paid {
    pub(super) payer: AccountId,
    pub(super) payee: AccountId,
}

/// An exchange, an issue or a credit that was done.
#[derive(Clone)]
pub(super) struct Entered {
    pub(super) by: InstitutionId,
    pub(super) action: Action,
}

#[derive(Clone)]
enum Done {
    Paid(Paid),
    Entered(Box<Entered>),
}

/// What is left of everything that can be taken back, from the horizon on.
#[derive(Default)]
pub(super) struct Reversals {
    horizon: Timestamp,
    left: BTreeMap<CommandId, (Done, u64)>,
}

impl Reversals {
    pub(super) const fn horizon(&self) -> Timestamp {
        self.horizon
    }

    /// Forgets what was made before `horizon`, which never moves back.
    pub(super) fn forget(&mut self, horizon: Timestamp) {
        self.horizon = self.horizon.max(horizon);
        while let Some(oldest) = self.left.first_entry() {
            if oldest.key().created() >= self.horizon {
                break;
            }
            oldest.remove();
        }
    }

    pub(super) fn payment(&self, id: CommandId) -> Option<Paid> {
        match self.left.get(&id)? {
            (Done::Paid(paid), _) => Some(*paid),
            (Done::Entered(_), _) => None,
        }
    }

    pub(super) fn entry(&self, id: CommandId) -> Option<&Entered> {
        match self.left.get(&id)? {
            (Done::Entered(entered), _) => Some(entered),
            (Done::Paid(_), _) => None,
        }
    }

    /// What can still be taken back.
    pub(super) fn left(&self, id: CommandId) -> u64 {
        self.left.get(&id).map_or(0, |(_, left)| *left)
    }

    pub(super) fn take(&mut self, id: CommandId, minor: u64) {
        if let Some((_, left)) = self.left.get_mut(&id) {
            *left = left.saturating_sub(minor);
        }
    }

    pub(super) fn give_back(&mut self, id: CommandId, minor: u64) {
        if let Some((_, left)) = self.left.get_mut(&id) {
            *left = left.saturating_add(minor);
        }
    }

    /// Takes over what another one knows of an id.
    pub(super) fn copy(&mut self, id: CommandId, from: &Self) {
        self.horizon = from.horizon;
        if let Some(known) = from.left.get(&id) {
            self.left.insert(id, known.clone());
        }
    }
}

impl Model {
    /// What an action names is there, the submitter's to do this with, and not taken beyond it.
    pub(super) fn check_reference(&self, by: &InstitutionId, action: &Action) -> Vec<Irregularity> {
        let (of, there, theirs, within) = match action {
            Action::PostHold { hold, amount } => {
                let held = self.pending.get(*hold).map(|promise| promise.minor);
                let within = held.is_none_or(|held| amount.minor() <= held);
                (*hold, held.is_some(), self.may_decide(by, *hold, true), within)
            }
            Action::ReleaseHold { hold } => {
                let there = self.pending.get(*hold).is_some();
                (*hold, there, self.may_decide(by, *hold, false), true)
            }
            Action::Refund { of, amount, .. } => {
                let payee = self.reversals.payment(*of).map(|paid| paid.payee);
                let theirs = payee.is_some_and(|payee| self.operates(by, payee));
                (*of, payee.is_some(), theirs, amount.minor() <= self.reversals.left(*of))
            }
            Action::DisputePayment { of, amount, .. } => {
                let payer = self.reversals.payment(*of).map(|paid| paid.payer);
                let theirs = payer.is_some_and(|payer| self.operates(by, payer));
                (*of, payer.is_some(), theirs, amount.minor() <= self.reversals.left(*of))
            }
            Action::Correct { of, amount, .. } => {
                let whose = self.reversals.entry(*of).map(|entered| &entered.by);
                let within = amount.minor() <= self.reversals.left(*of);
                (*of, whose.is_some(), whose == Some(by), within)
            }
            _ => return Vec::new(),
        };
        if !there {
            return vec![Irregularity::Unknown(of)];
        }
        let mut found = Vec::new();
        found.extend((!theirs).then_some(Irregularity::NotTheirs(of)));
        found.extend((!within).then_some(Irregularity::MoreThanLeft(of)));
        found.extend(self.check_return(action).err());
        found
    }

    /// What goes back, or is held to go back, fits where it goes.
    fn check_return(&self, action: &Action) -> Found {
        let (Action::Refund { of, amount, .. } | Action::DisputePayment { of, amount, .. }) =
            action
        else {
            return Ok(());
        };
        let Some(paid) = self.reversals.payment(*of) else { return Ok(()) };
        let minor = u128::from(amount.minor());
        self.check_room(paid.payer, minor)?;
        self.check_room_below(paid.payer, minor)
    }

    /// Remembers of an accepted action what can be taken back, before it ends what is pending.
    pub(super) fn note_reversible(
        &mut self,
        id: CommandId,
        by: &InstitutionId,
        action: &Action,
        paying: Option<&Paying>,
    ) {
        let paid = |payer, payee| Done::Paid(Paid { payer, payee });
        let noted = match (action, paying) {
            (Action::Pay { .. } | Action::PayAvailable { .. }, Some(paying)) => {
                Some((paid(paying.payer, paying.payee), paying.minor))
            }
            (Action::PostHold { hold, amount }, _) => {
                let promise = self.pending.get(*hold);
                let promise = promise.filter(|one| matches!(one.what, Promised::Payment { .. }));
                promise.map(|one| (paid(one.payer, one.payee), amount.minor()))
            }
            (
                Action::Exchange { amount, .. }
                | Action::CreateReserves { amount, .. }
                | Action::CancelReserves { amount, .. }
                | Action::Issue { amount, .. }
                | Action::Redeem { amount, .. }
                | Action::SupplyPaper { amount, .. }
                | Action::ReturnPaper { amount, .. }
                | Action::CreditDeposits { amount },
                _,
            ) => {
                let entered = Entered { by: by.clone(), action: action.clone() };
                Some((Done::Entered(Box::new(entered)), amount.minor()))
            }
            _ => None,
        };
        if let Some(noted) = noted {
            self.reversals.left.insert(id, noted);
        }
    }
}
