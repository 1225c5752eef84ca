//! The auditor's own plain books: what is held where, from the accepted commands alone, with
//! none of the machine's accounts, postings or counters. What was done is held against rules
//! written a second time; what was refused is checked where the reason names a number.

mod abroad;
mod answers;
mod below;
mod compare;
mod deadlines;
mod excerpt;
mod flows;
mod freezes;
mod limits;
mod meaning;
mod notes;
mod pending;
mod refusals;
mod reversals;
mod rights;
mod spent;
mod wallets;

use crate::finding::Irregularity;
use answers::Answers;
use flows::{Flow, Place};
use freezes::Freezes;
use pending::Pending;
use reversals::Reversals;
use spent::Spent;
use std::collections::{BTreeMap, BTreeSet};
use wallets::Known;
use yufu_base::{AccountId, Amount, Currency, InstitutionId, PublicKey, Timestamp};
use yufu_machine::{
    Action, ClassId, DeadlineTerms, HoldingTerms, Order, PolicyTerms, Role, Submission,
};

pub(crate) use abroad::{Come, Gone};

type Found = Result<(), Irregularity>;

pub(crate) struct Model {
    currency: Option<Currency>,
    /// Which version of the rules is in force.
    version: u16,
    terms: Option<PolicyTerms>,
    rules: HoldingTerms,
    deadlines: Option<DeadlineTerms>,
    institutions: BTreeMap<InstitutionId, (Role, PublicKey)>,
    wallets: BTreeMap<AccountId, Known>,
    /// Wallets and the sub-wallets that were ever opened below them.
    below: BTreeSet<(AccountId, AccountId)>,
    /// What all wallets of a class at a bank hold, or are promised.
    sums: BTreeMap<(InstitutionId, ClassId), i128>,
    held: BTreeMap<Place, i128>,
    pending: Pending,
    freezes: Freezes,
    peers: abroad::Peers,
    notes: notes::Notes,
    reversals: Reversals,
    /// M0 created less M0 cancelled.
    issued: i128,
    spent: Spent,
    answers: Answers,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            currency: None,
            version: 1,
            terms: None,
            rules: HoldingTerms::default(),
            deadlines: None,
            institutions: BTreeMap::new(),
            wallets: BTreeMap::new(),
            below: BTreeSet::new(),
            sums: BTreeMap::new(),
            held: BTreeMap::new(),
            pending: Pending::default(),
            freezes: Freezes::default(),
            peers: abroad::Peers::new(),
            notes: notes::Notes::default(),
            reversals: Reversals::default(),
            issued: 0,
            spent: Spent::default(),
            answers: Answers::default(),
        }
    }
}

impl Model {
    /// An order was done. Every rule it breaks is found, but it was done: its effects are noted.
    fn accept(&mut self, at: Timestamp, by: &InstitutionId, order: &Order) -> Vec<Irregularity> {
        let Order { id, action } = order;
        let mut found = Vec::new();
        found.extend(self.check_right(by, action).err());
        found.extend(self.check_version(action).err());
        let (meant, version) = (self.meant(action), self.version);
        let action = meant.as_ref();
        if let Some(amount) = flows::amount(action) {
            found.extend(self.check_amount(amount).err());
        }
        let paying = self.paying(action);
        if let Some(paying) = &paying {
            let nothing = paying.minor == 0 && matches!(action, Action::PayAvailable { .. });
            found.extend(nothing.then(|| Irregularity::Overdrawn(paying.payer.to_string())));
            found.extend(self.check_payment(at, paying));
            found.extend(self.check_below(at, paying));
            self.spend(at, paying);
        }
        found.extend(self.check_wallets(by, action).err());
        found.extend(self.check_life(at, action).err());
        found.extend(self.check_frozen(action).err());
        found.extend(self.check_deadline(at, action).err());
        found.extend(self.check_reference(by, &order.action));
        let flows = self.flows(by, &order.action, action, paying.as_ref());
        if version > 1 {
            self.note_reversible(*id, by, &order.action, paying.as_ref());
        }
        found.extend(self.pend(*id, &order.action, paying.as_ref()).err());
        for flow in flows {
            found.extend(self.flow(&flow).err());
        }
        if let Some(wallet) = flows::filled(action) {
            found.extend(self.check_room(wallet, 0).err());
        }
        found.extend(self.change(by, action).err());
        found.extend(self.freeze(at, *id, by, action).err());
        found.extend(self.abroad(at, *id, by, action));
        found.extend(self.notes(at, by, action));
        found.extend(self.live(at, by, action, paying.as_ref()));
        found
    }

    /// The first command opens the books.
    fn open(&mut self, at: Timestamp, command: &Submission) -> Found {
        let Action::Genesis { currency, central_bank, key, policy } = &command.order.action else {
            return Ok(());
        };
        let by = &command.institution;
        let first = self.currency.is_none() && by == central_bank && *key == command.key;
        self.currency = Some(*currency);
        self.terms = Some(policy.terms().clone());
        self.institutions.insert(central_bank.clone(), (Role::CentralBank, *key));
        self.forget(at);
        first.then_some(()).ok_or_else(|| Irregularity::Permission(by.clone()))
    }

    fn check_amount(&self, amount: Amount) -> Found {
        let fits = amount.minor() > 0 && Some(amount.currency()) == self.currency;
        if fits { Ok(()) } else { Err(Irregularity::Malformed) }
    }

    /// What time alone has done by `at`, before the next command.
    fn pass(&mut self, at: Timestamp) {
        self.forget(at);
        for id in self.pending.over(at) {
            self.end_pending(id, 0);
        }
        self.freezes.pass(at);
    }

    fn held_in(&self, wallet: AccountId) -> i128 {
        self.held.get(&Place::Wallet(wallet)).copied().unwrap_or(0)
    }

    /// Of what a wallet holds, what is not promised to others.
    fn available_in(&self, wallet: AccountId) -> i128 {
        self.held_in(wallet).saturating_sub(self.pending.promised_by(wallet))
    }

    /// What a wallet holds and is promised.
    fn coming_to(&self, wallet: AccountId) -> i128 {
        self.held_in(wallet).saturating_add(self.pending.promised_to(wallet))
    }

    fn flow(&mut self, flow: &Flow) -> Found {
        let minor = i128::from(flow.minor);
        if flow.issues {
            self.issued = self.issued.saturating_add(minor);
        }
        if flow.cancels {
            self.issued = self.issued.saturating_sub(minor);
        }
        for (place, minor) in [(&flow.to, minor), (&flow.from, minor.saturating_neg())] {
            if let Some(Place::Wallet(wallet)) = place {
                self.sum(*wallet, minor);
            }
        }
        if let Some(to) = &flow.to {
            let held = self.held.entry(to.clone()).or_default();
            *held = held.saturating_add(minor);
        }
        if let Some(from) = &flow.from {
            let held = self.held.entry(from.clone()).or_default();
            *held = held.saturating_sub(minor);
            let left = match from {
                Place::Wallet(wallet) => self.available_in(*wallet),
                _ => *held,
            };
            if left < 0 {
                return Err(Irregularity::Overdrawn(format!("{from:?}")));
            }
        }
        Ok(())
    }

    /// What an accepted command opens or changes besides money.
    fn change(&mut self, by: &InstitutionId, action: &Action) -> Found {
        let replaced = match action {
            Action::RegisterBank { bank, key } => {
                self.institutions.insert(bank.clone(), (Role::Bank, *key)).is_some()
            }
            Action::RegisterAuthority { authority, key } => {
                self.institutions.insert(authority.clone(), (Role::Authority, *key)).is_some()
            }
            Action::RegisterPeer { peer, key, .. } => {
                self.institutions.insert(peer.clone(), (Role::Peer, *key)).is_some()
            }
            Action::ReplaceKey { institution, key } => {
                match self.institutions.get_mut(institution) {
                    Some((_, current)) => *current = *key,
                    None => return Err(Irregularity::Permission(by.clone())),
                }
                false
            }
            Action::SetPolicy { policy } => {
                self.terms = Some(policy.terms().clone());
                false
            }
            Action::SetDeadlines { deadlines } => {
                self.deadlines = deadlines.as_ref().map(|deadlines| *deadlines.terms());
                false
            }
            Action::ActivateVersion { version } => {
                let next = Some(*version) == self.version.checked_add(1);
                self.version = *version;
                return if next { Ok(()) } else { Err(Irregularity::Version(*version)) };
            }
            _ => false,
        };
        if replaced { Err(Irregularity::OpenedTwice) } else { Ok(()) }
    }
}
