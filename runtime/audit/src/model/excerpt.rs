//! The part of the books that a chain touches, to try on what a refused one would have done.

use super::Model;
use super::flows::{self, Place};
use std::collections::BTreeSet;
use yufu_base::{AccountId, CommandId};
use yufu_machine::{Action, Order};

impl Model {
    /// A copy of what these transfers have to do with: their wallets, those above and below them,
    /// what is pending or can be taken back, and every institution's own money.
    pub(super) fn excerpt(&self, orders: &[Order]) -> Self {
        let mut part = Self {
            currency: self.currency,
            version: self.version,
            terms: self.terms.clone(),
            rules: self.rules.clone(),
            deadlines: self.deadlines,
            institutions: self.institutions.clone(),
            sums: self.sums.clone(),
            ..Self::default()
        };
        for id in orders.iter().flat_map(|order| named(&order.action)) {
            part.pending.copy(id, &self.pending);
            part.reversals.copy(id, &self.reversals);
        }
        let mut wallets = BTreeSet::new();
        for order in orders {
            wallets.extend(self.concerned(&order.action));
        }
        for wallet in wallets.clone() {
            wallets.extend(self.above(wallet));
        }
        for wallet in wallets.clone() {
            wallets.extend(self.children(wallet));
        }
        for wallet in wallets {
            part.copy_wallet(wallet, self);
        }
        let own = |place: &&Place| !matches!(place, Place::Wallet(_));
        let banks = self.held.range(..Place::Wallet(AccountId::new(0)));
        part.held.extend(
            banks.filter(|(place, _)| own(place)).map(|(place, held)| (place.clone(), *held)),
        );
        part
    }

    fn copy_wallet(&mut self, id: AccountId, from: &Self) {
        if let Some(known) = from.wallets.get(&id) {
            self.wallets.insert(id, known.clone());
            self.below.extend(known.below.map(|below| (below.parent, id)));
        }
        self.held.insert(Place::Wallet(id), from.held_in(id));
        self.pending.copy_sums(id, &from.pending);
        self.freezes.copy(id, &from.freezes);
        self.spent.copy(id, &from.spent);
    }

    /// The wallets a transfer names, itself or through what it names.
    fn concerned(&self, action: &Action) -> Vec<AccountId> {
        match action {
            Action::Pay { payer, payee, .. }
            | Action::PayAvailable { payer, payee, .. }
            | Action::HoldPayment { payer, payee, .. } => vec![*payer, *payee],
            Action::Exchange { direction, .. } => flows::wallet(*direction).into_iter().collect(),
            Action::FundSubWallet { account, .. } => vec![*account],
            Action::PostHold { hold, .. } | Action::ReleaseHold { hold } => {
                let promise = self.pending.get(*hold);
                promise.map_or(Vec::new(), |one| vec![one.payer, one.payee])
            }
            Action::Refund { of, .. } => {
                let paid = self.reversals.payment(*of);
                paid.map_or(Vec::new(), |paid| vec![paid.payer, paid.payee])
            }
            _ => Vec::new(),
        }
    }
}

/// What a transfer names that was begun or done before.
fn named(action: &Action) -> Option<CommandId> {
    match action {
        Action::PostHold { hold, .. } | Action::ReleaseHold { hold } => Some(*hold),
        Action::Refund { of, .. } => Some(*of),
        _ => None,
    }
}
