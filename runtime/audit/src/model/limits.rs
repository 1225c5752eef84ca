//! Limits by the auditor's own books: of a payment, of a day and a year, of what a wallet may hold.

use super::{Found, Model};
use crate::finding::Irregularity;
use yufu_base::{AccountId, Timestamp};
use yufu_machine::Limits;

/// A payment, done or held.
#[derive(Clone, Copy)]
pub(super) struct Paying {
    pub(super) payer: AccountId,
    pub(super) payee: AccountId,
    pub(super) minor: u64,
    pub(super) stepped_up: bool,
}

impl Model {
    pub(super) fn check_payment(&self, at: Timestamp, paying: &Paying) -> Vec<Irregularity> {
        // A sub-wallet's payment is one of the wallet above it.
        let payer = self.above(paying.payer).unwrap_or(paying.payer);
        let mut found = self.check_spending(at, payer, paying.minor, paying.stepped_up);
        found.extend(self.check_room(paying.payee, paying.minor.into()).err());
        found
    }

    /// What leaves a wallet keeps to the limits of its class.
    pub(super) fn check_spending(
        &self,
        at: Timestamp,
        payer: AccountId,
        minor: u64,
        stepped_up: bool,
    ) -> Vec<Irregularity> {
        let Some(limits) = self.limits(payer, stepped_up) else {
            return vec![Irregularity::Wallet(payer)];
        };
        let (day, year) = self.spent_so_far(at, payer);
        let minor = u128::from(minor);
        [
            ("single", limits.per_payment, 0),
            ("daily", limits.per_day, day),
            ("yearly", limits.per_year, year),
        ]
        .into_iter()
        .filter(|(_, limit, used)| {
            limit.is_some_and(|limit| used.saturating_add(minor) > u128::from(limit))
        })
        .map(|(limit, _, _)| Irregularity::Limit { limit, account: payer })
        .collect()
    }

    /// A wallet, with those below it and what is promised to them, holds no more than it may.
    pub(super) fn check_room(&self, wallet: AccountId, minor: u128) -> Found {
        let wallet = self.above(wallet).unwrap_or(wallet);
        let cap = self.limits(wallet, false).and_then(|limits| limits.balance);
        let held = u128::try_from(self.held_with_below(wallet)).unwrap_or(0);
        let over = cap.is_some_and(|cap| held.saturating_add(minor) > u128::from(cap));
        let limit = Irregularity::Limit { limit: "balance", account: wallet };
        if over { Err(limit) } else { Ok(()) }
    }

    pub(super) fn limits(&self, wallet: AccountId, stepped_up: bool) -> Option<Limits> {
        let class = self.wallets.get(&wallet)?.class;
        let class = self.terms.as_ref()?.classes.get(&class)?;
        Some(class.stepped_up.filter(|_| stepped_up).unwrap_or(class.ordinary))
    }

    pub(super) fn spent_so_far(&self, at: Timestamp, wallet: AccountId) -> (u128, u128) {
        self.terms.as_ref().map_or((0, 0), |terms| self.spent.so_far(terms, at, wallet))
    }

    /// Counts a payment for the wallet that pays and for the one above it.
    pub(super) fn spend(&mut self, at: Timestamp, paying: &Paying) {
        let above = self.above(paying.payer);
        let Some(terms) = &self.terms else { return };
        for wallet in [Some(paying.payer), above].into_iter().flatten() {
            self.spent.add(terms, at, wallet, paying.minor);
        }
    }
}
