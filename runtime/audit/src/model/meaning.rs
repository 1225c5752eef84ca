//! What an action comes to: whom it pays how much, what a correction does, which wallet gives, and
//! all of it as flows.

use super::Model;
use super::flows::{self, Flow, Place};
use super::limits::Paying;
use std::borrow::Cow;
use yufu_base::{AccountId, InstitutionId};
use yufu_machine::{Action, Authorisation, Direction};

impl Model {
    /// A correction of an exchange or an issue is one the other way round, by its rules.
    pub(super) fn meant<'a>(&self, action: &'a Action) -> Cow<'a, Action> {
        let Action::Correct { of, amount, .. } = action else { return Cow::Borrowed(action) };
        let amount = *amount;
        let opposite = match self.reversals.entry(*of).map(|entered| &entered.action) {
            Some(Action::Exchange { direction, .. }) => {
                Action::Exchange { direction: other_way(*direction), amount }
            }
            Some(Action::CreateReserves { bank, .. }) => {
                Action::CancelReserves { bank: bank.clone(), amount }
            }
            Some(Action::CancelReserves { bank, .. }) => {
                Action::CreateReserves { bank: bank.clone(), amount }
            }
            Some(Action::Issue { bank, .. }) => Action::Redeem { bank: bank.clone(), amount },
            Some(Action::Redeem { bank, .. }) => Action::Issue { bank: bank.clone(), amount },
            Some(Action::SupplyPaper { bank, .. }) => {
                Action::ReturnPaper { bank: bank.clone(), amount }
            }
            Some(Action::ReturnPaper { bank, .. }) => {
                Action::SupplyPaper { bank: bank.clone(), amount }
            }
            // What was credited to depositors has no action of its own that takes it back.
            _ => return Cow::Borrowed(action),
        };
        Cow::Owned(opposite)
    }

    /// The payment an action makes or holds, if it comes to one.
    pub(super) fn paying(&self, action: &Action) -> Option<Paying> {
        let (payer, payee, minor, authorisation) = match action {
            Action::Pay { payer, payee, amount, authorisation, .. }
            | Action::HoldPayment { payer, payee, amount, authorisation, .. } => {
                (*payer, *payee, amount.minor(), authorisation)
            }
            Action::PayAvailable { payer, payee, most, close, authorisation, .. } => {
                let has = u64::try_from(self.available_in(*payer)).unwrap_or(0);
                let minor = has.min(most.minor());
                // A wallet that has nothing pays nothing when it is closed.
                if minor == 0 && *close {
                    return None;
                }
                (*payer, *payee, minor, authorisation)
            }
            _ => return None,
        };
        let stepped_up = *authorisation != Authorisation::Ordinary;
        Some(Paying { payer, payee, minor, stepped_up })
    }

    /// The wallet something leaves, or is promised by; not one whose promise is kept.
    pub(super) fn gives(&self, action: &Action) -> Option<AccountId> {
        match action {
            Action::Pay { payer, .. }
            | Action::PayAvailable { payer, .. }
            | Action::HoldPayment { payer, .. } => Some(*payer),
            Action::Exchange { direction, .. } => {
                flows::wallet(*direction).filter(|_| flows::filled(action).is_none())
            }
            Action::FundSubWallet { account, .. } => self.above(*account),
            Action::SendAbroad { sending } => Some(sending.payer),
            Action::MintNotes { minting } => Some(minting.payer),
            Action::Refund { of, .. } | Action::DisputePayment { of, .. } => {
                self.reversals.payment(*of).map(|paid| paid.payee)
            }
            _ => None,
        }
    }

    /// All that an accepted action moves: `meant` is what it comes to.
    pub(super) fn flows(
        &self,
        by: &InstitutionId,
        action: &Action,
        meant: &Action,
        paying: Option<&Paying>,
    ) -> Vec<Flow> {
        let between = |from, to, minor| {
            let (from, to) = (Some(Place::Wallet(from)), Some(Place::Wallet(to)));
            vec![Flow { from, to, minor, issues: false, cancels: false }]
        };
        match (action, paying) {
            (Action::HoldPayment { .. }, _) => Vec::new(),
            (_, Some(paying)) => between(paying.payer, paying.payee, paying.minor),
            (Action::PostHold { hold, amount }, _) => {
                let promise = self.pending.get(*hold);
                promise.map_or(Vec::new(), |one| between(one.payer, one.payee, amount.minor()))
            }
            (Action::Refund { of, amount, .. }, _) => {
                let paid = self.reversals.payment(*of);
                paid.map_or(Vec::new(), |paid| between(paid.payee, paid.payer, amount.minor()))
            }
            (Action::Correct { of, amount, .. }, _) => {
                let entry = self.reversals.entry(*of).map(|entered| &entered.action);
                match entry {
                    Some(Action::CreditDeposits { .. }) => {
                        let (from, to) = (Some(Place::Deposits(by.clone())), None);
                        let minor = amount.minor();
                        vec![Flow { from, to, minor, issues: false, cancels: false }]
                    }
                    _ => flows::of(by, meant),
                }
            }
            _ => flows::of(by, meant).into_iter().chain(self.flow_below(meant)).collect(),
        }
    }
}

const fn other_way(direction: Direction) -> Direction {
    match direction {
        Direction::PaperToDigital(id) => Direction::DigitalToPaper(id),
        Direction::DepositToDigital(id) => Direction::DigitalToDeposit(id),
        Direction::DigitalToPaper(id) => Direction::PaperToDigital(id),
        Direction::DigitalToDeposit(id) => Direction::DepositToDigital(id),
        Direction::PaperToDeposit => Direction::DepositToPaper,
        Direction::DepositToPaper => Direction::PaperToDeposit,
    }
}
