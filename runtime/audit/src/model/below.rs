//! Sub-wallets by the auditor's own books: what lies below what, whom it pays, within what.

use super::flows::{Flow, Place};
use super::limits::Paying;
use super::{Found, Model};
use crate::finding::Irregularity;
use yufu_base::{AccountId, Timestamp};
use yufu_machine::{Action, Standing, SubLimits};

const MOST_BELOW: usize = 16;

/// Of a sub-wallet: what is above it, whom it pays, within what.
#[derive(Clone, Copy)]
pub(super) struct Below {
    pub(super) parent: AccountId,
    pub(super) payee: AccountId,
    pub(super) limits: SubLimits,
}

impl Model {
    /// The wallet above a sub-wallet.
    pub(super) fn above(&self, id: AccountId) -> Option<AccountId> {
        self.below(id).map(|below| below.parent)
    }

    pub(super) fn below(&self, id: AccountId) -> Option<Below> {
        let known = self.wallets.get(&id)?;
        known.below.filter(|_| known.standing != Standing::Closed)
    }

    /// The open sub-wallets of a wallet.
    pub(super) fn children(&self, parent: AccountId) -> impl Iterator<Item = AccountId> {
        let ids =
            self.below.range((parent, AccountId::new(0))..=(parent, AccountId::new(u128::MAX)));
        ids.map(|(_, child)| *child).filter(|child| self.below(*child).is_some())
    }

    /// What a wallet and those below it hold and are promised.
    pub(super) fn held_with_below(&self, id: AccountId) -> i128 {
        let below = self.children(id).map(|child| self.coming_to(child));
        below.fold(self.coming_to(id), i128::saturating_add)
    }

    /// A payment from or into a sub-wallet keeps to what that is for.
    pub(super) fn check_below(&self, at: Timestamp, paying: &Paying) -> Vec<Irregularity> {
        let Paying { payer, payee, minor, .. } = *paying;
        let mut found = Vec::new();
        let minor = u128::from(minor);
        let mut hold = |limit, account, used: u128, of: u64| {
            if used.saturating_add(minor) > u128::from(of) {
                found.push(Irregularity::Limit { limit, account });
            }
        };
        if let Some(below) = self.below(payer) {
            hold("sub-wallet's single", payer, 0, below.limits.per_payment);
            hold("sub-wallet's daily", payer, self.spent_so_far(at, payer).0, below.limits.per_day);
            if below.payee != payee {
                found.push(Irregularity::SubWallet(payer));
            }
        }
        found.extend(self.check_room_below(payee, minor).err());
        found
    }

    pub(super) fn check_room_below(&self, wallet: AccountId, minor: u128) -> Found {
        let Some(below) = self.below(wallet) else { return Ok(()) };
        let held = u128::try_from(self.coming_to(wallet)).unwrap_or(0);
        let over = held.saturating_add(minor) > u128::from(below.limits.balance);
        let limit = Irregularity::Limit { limit: "sub-wallet's balance", account: wallet };
        if over { Err(limit) } else { Ok(()) }
    }

    /// What a command moves between a wallet and the one above it.
    pub(super) fn flow_below(&self, action: &Action) -> Option<Flow> {
        let (from, to, minor) = match action {
            Action::FundSubWallet { account, amount, .. } => {
                (self.above(*account)?, *account, amount.minor())
            }
            Action::CloseWallet { account } => {
                let rest = u64::try_from(self.held_in(*account)).unwrap_or(0);
                (*account, self.above(*account)?, rest)
            }
            _ => return None,
        };
        let (from, to) = (Some(Place::Wallet(from)), Some(Place::Wallet(to)));
        Some(Flow { from, to, minor, issues: false, cancels: false })
    }

    pub(super) fn must_be_below(&self, id: AccountId, wanted: bool) -> Found {
        if self.above(id).is_some() == wanted { Ok(()) } else { Err(Irregularity::SubWallet(id)) }
    }

    pub(super) fn check_sub_limits(&self, parent: AccountId, limits: &SubLimits) -> Found {
        let Some(class) = self.limits(parent, false) else { return Ok(()) };
        let wider = [
            (limits.per_payment, class.per_payment),
            (limits.per_day, class.per_day),
            (limits.balance, class.balance),
        ]
        .into_iter()
        .any(|(limit, of)| of.is_some_and(|of| limit > of));
        let full = self.children(parent).count() >= MOST_BELOW;
        if wider || full { Err(Irregularity::SubWallet(parent)) } else { Ok(()) }
    }
}
