//! What is pending by the auditor's own books: payments that are held and payments in dispute, and
//! what they promise, each as it stands in the list.

use super::limits::Paying;
use super::spent::Period;
use super::{Found, Model};
use crate::finding::Irregularity;
use std::collections::BTreeMap;
use yufu_base::{AccountId, CommandId, InstitutionId, Timestamp};
use yufu_machine::{Action, Role};

/// Promised by one wallet to another.
#[derive(Clone)]
pub(super) struct Promise {
    pub(super) payer: AccountId,
    pub(super) payee: AccountId,
    pub(super) minor: u64,
    pub(super) expires: Timestamp,
    pub(super) what: Promised,
}

/// What it was promised for.
#[derive(Clone)]
pub(super) enum Promised {
    /// A payment, counted as spent then, also for the wallet above if there is one.
    Payment { counted: Option<Period>, above: Option<AccountId> },
    /// A payment that its payer disputes.
    Dispute { of: CommandId },
}

/// All that is pending.
#[derive(Default)]
pub(super) struct Pending {
    by_id: BTreeMap<CommandId, Promise>,
    by: BTreeMap<AccountId, i128>,
    to: BTreeMap<AccountId, i128>,
    /// Nothing is over before then.
    next: Option<Timestamp>,
}

impl Pending {
    pub(super) fn get(&self, id: CommandId) -> Option<&Promise> {
        self.by_id.get(&id)
    }

    pub(super) fn promised_by(&self, wallet: AccountId) -> i128 {
        self.by.get(&wallet).copied().unwrap_or(0)
    }

    pub(super) fn promised_to(&self, wallet: AccountId) -> i128 {
        self.to.get(&wallet).copied().unwrap_or(0)
    }

    /// Whether anything hangs on a wallet.
    pub(super) fn hangs_on(&self, wallet: AccountId) -> bool {
        self.promised_by(wallet) != 0 || self.promised_to(wallet) != 0
    }

    /// What is over by then.
    pub(super) fn over(&mut self, at: Timestamp) -> Vec<CommandId> {
        if self.next.is_none_or(|next| at < next) {
            return Vec::new();
        }
        let all = || self.by_id.iter().map(|(id, promise)| (*id, promise.expires));
        let over = all().filter(|(_, expires)| at >= *expires).map(|(id, _)| id).collect();
        self.next = all().map(|(_, expires)| expires).filter(|expires| at < *expires).min();
        over
    }

    /// Takes over what another one knows by an id.
    pub(super) fn copy(&mut self, id: CommandId, from: &Self) {
        if let Some(promise) = from.by_id.get(&id) {
            self.by_id.insert(id, promise.clone());
        }
    }

    /// Takes over what another one knows to be promised by and to a wallet.
    pub(super) fn copy_sums(&mut self, wallet: AccountId, from: &Self) {
        for (sums, from) in [(&mut self.by, &from.by), (&mut self.to, &from.to)] {
            sums.extend(from.get(&wallet).map(|sum| (wallet, *sum)));
        }
    }

    /// How many there are, and their sum.
    pub(super) fn totals(&self) -> (usize, u128) {
        let sum = self.by_id.values().map(|promise| u128::from(promise.minor));
        (self.by_id.len(), sum.fold(0, u128::saturating_add))
    }

    /// What the list promises by, and to, each wallet: counted anew.
    pub(super) fn sums(&self) -> BTreeMap<AccountId, (i128, i128)> {
        let mut sums: BTreeMap<_, (i128, i128)> = BTreeMap::new();
        for promise in self.by_id.values() {
            let minor = i128::from(promise.minor);
            let by = sums.entry(promise.payer).or_default();
            by.0 = by.0.saturating_add(minor);
            let to = sums.entry(promise.payee).or_default();
            to.1 = to.1.saturating_add(minor);
        }
        sums
    }

    /// Puts in what is promised for the first time.
    pub(super) fn insert(&mut self, id: CommandId, promise: Promise) {
        self.add(&promise, i128::from(promise.minor));
        self.next = Some(self.next.map_or(promise.expires, |next| next.min(promise.expires)));
        self.by_id.insert(id, promise);
    }

    fn remove(&mut self, id: CommandId) -> Option<Promise> {
        let promise = self.by_id.remove(&id)?;
        self.add(&promise, i128::from(promise.minor).saturating_neg());
        Some(promise)
    }

    fn add(&mut self, promise: &Promise, minor: i128) {
        add_to(&mut self.by, promise.payer, minor);
        add_to(&mut self.to, promise.payee, minor);
    }

    /// Something else may come to a wallet, or no longer.
    pub(super) fn coming(&mut self, wallet: AccountId, minor: i128) {
        add_to(&mut self.to, wallet, minor);
    }
}

fn add_to(sums: &mut BTreeMap<AccountId, i128>, wallet: AccountId, minor: i128) {
    let sum = sums.entry(wallet).or_default();
    *sum = sum.saturating_add(minor);
    if *sum == 0 {
        sums.remove(&wallet);
    }
}

impl Model {
    /// What an accepted action promises, fulfils or releases. Flows are noted apart.
    pub(super) fn pend(
        &mut self,
        id: CommandId,
        action: &Action,
        paying: Option<&Paying>,
    ) -> Found {
        match action {
            Action::HoldPayment { expires, .. } => {
                let Some(paying) = paying else { return Ok(()) };
                let Paying { payer, payee, minor, .. } = *paying;
                let (above, counted) = (self.above(payer), self.spent.period_of(payer));
                let what = Promised::Payment { counted, above };
                self.promise(id, Promise { payer, payee, minor, expires: *expires, what })
            }
            Action::DisputePayment { of, amount, expires, .. } => {
                let Some(payment) = self.reversals.payment(*of) else { return Ok(()) };
                let (payer, payee) = (payment.payee, payment.payer);
                self.reversals.take(*of, amount.minor());
                let (minor, what) = (amount.minor(), Promised::Dispute { of: *of });
                self.promise(id, Promise { payer, payee, minor, expires: *expires, what })
            }
            Action::PostHold { hold, amount } => {
                self.end_pending(*hold, amount.minor());
                Ok(())
            }
            Action::ReleaseHold { hold } => {
                self.end_pending(*hold, 0);
                Ok(())
            }
            Action::Refund { of, amount, .. } | Action::Correct { of, amount, .. } => {
                self.reversals.take(*of, amount.minor());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn promise(&mut self, id: CommandId, promise: Promise) -> Found {
        let payer = promise.payer;
        self.sum(promise.payee, i128::from(promise.minor));
        self.pending.insert(id, promise);
        let overdrawn = || Irregularity::Overdrawn(format!("{payer}, of which some is pending"));
        if self.available_in(payer) < 0 { Err(overdrawn()) } else { Ok(()) }
    }

    /// Ends what is pending, `posted` of it paid: the rest counts as not spent, or not taken back.
    pub(super) fn end_pending(&mut self, id: CommandId, posted: u64) {
        let Some(promise) = self.pending.remove(id) else { return };
        self.sum(promise.payee, i128::from(promise.minor).saturating_neg());
        let rest = promise.minor.saturating_sub(posted);
        match promise.what {
            Promised::Payment { counted, above } => {
                for wallet in [Some(promise.payer), above].into_iter().flatten() {
                    self.spent.give_back(wallet, counted, rest);
                }
            }
            Promised::Dispute { of } => self.reversals.give_back(of, rest),
        }
    }

    /// Who takes a held payment or lets go of it: the payee's bank. A dispute is conceded by the
    /// bank whose wallet pays, withdrawn by the one whose wallet would get it, decided by the
    /// central bank.
    pub(super) fn may_decide(&self, by: &InstitutionId, id: CommandId, posts: bool) -> bool {
        let Some(promise) = self.pending.get(id) else { return false };
        let disputed = matches!(promise.what, Promised::Dispute { .. });
        let whose = if disputed && posts { promise.payer } else { promise.payee };
        let role = self.institutions.get(by).map(|(role, _)| *role);
        let decides = disputed && role == Some(Role::CentralBank);
        decides || self.wallets.get(&whose).is_some_and(|known| known.bank == *by)
    }
}
