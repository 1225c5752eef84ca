//! What goes to other ledgers and comes from them, by the auditor's own books. They keep every number
//! there ever was, with all that was said of it and what it came to.

mod judging;
mod refusing;

use super::flows::{Flow, Place};
use super::spent::Period;
use super::{Found, Model};
use crate::finding::Irregularity;
use crate::report::PeerReport;
use std::collections::BTreeMap;
use yufu_base::{AccountId, CommandId, Currency, InstitutionId, Timestamp};
use yufu_machine::{
    AbroadView, Action, Correspondent, Machine, PeerTerms, Resolution, Sending, Transit,
};

/// A payment that left.
#[derive(Clone)]
pub(crate) struct Gone {
    id: CommandId,
    payer: AccountId,
    correspondent: InstitutionId,
    pub(crate) minor: u64,
    counted: Option<Period>,
    pub(crate) transit: Transit,
    pub(crate) resolution: Option<Resolution>,
}

/// A payment that came.
#[derive(Clone)]
pub(crate) struct Come {
    pub(crate) transit: Transit,
    pub(crate) resolution: Resolution,
}

/// All there was with one other ledger. Numbers are places in the lists, from 1 on.
#[derive(Clone)]
pub(crate) struct Peer {
    currency: Currency,
    terms: PeerTerms,
    correspondents: BTreeMap<InstitutionId, Correspondent>,
    pub(crate) gone: Vec<Gone>,
    pub(crate) come: Vec<Come>,
    /// Up to here it says that what came is settled there.
    settled: u64,
}

pub(super) type Peers = BTreeMap<InstitutionId, Peer>;

impl Peer {
    fn unresolved(&self) -> impl Iterator<Item = &Gone> {
        self.gone.iter().filter(|one| one.resolution.is_none())
    }

    fn unresolved_at(&self, number: u64) -> Option<&Gone> {
        self.gone.get(place(number)?).filter(|one| one.resolution.is_none())
    }

    fn settled_through(&self) -> u64 {
        let settled = self.gone.iter().take_while(|one| one.resolution.is_some()).count();
        count(settled)
    }

    fn come_at(&self, number: u64) -> Option<&Come> {
        self.come.get(place(number)?)
    }

    fn settled_by(&self, through: u64) -> u64 {
        self.settled.max(through.min(count(self.come.len())))
    }

    /// How far ahead what goes there may expire.
    pub(super) const fn most_days(&self) -> u32 {
        self.terms.most_days
    }

    /// What is on its way there.
    pub(crate) fn in_flight(&self) -> u128 {
        self.unresolved().map(|one| u128::from(one.minor)).fold(0, u128::saturating_add)
    }
}

fn place(number: u64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}

pub(super) fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

impl Model {
    /// All there was with one other ledger.
    pub(crate) fn peer(&self, name: &InstitutionId) -> Option<&Peer> {
        self.peers.get(name)
    }

    /// The name of this ledger.
    pub(crate) fn name(&self) -> Option<&InstitutionId> {
        let central = |role| role == yufu_machine::Role::CentralBank;
        self.institutions.iter().find_map(|(id, (role, _))| central(*role).then_some(id))
    }

    /// What an accepted action does about other ledgers, with what does not fit.
    pub(super) fn abroad(
        &mut self,
        at: Timestamp,
        id: CommandId,
        by: &InstitutionId,
        action: &Action,
    ) -> Vec<Irregularity> {
        match action {
            Action::RegisterPeer { peer, currency, peering, .. } => {
                let new = Peer {
                    currency: *currency,
                    terms: peering.terms().clone(),
                    correspondents: BTreeMap::new(),
                    gone: Vec::new(),
                    come: Vec::new(),
                    settled: 0,
                };
                let twice = self.peers.insert(peer.clone(), new).is_some();
                twice.then_some(Irregularity::OpenedTwice).into_iter().collect()
            }
            Action::SetPeer { peer, peering } => {
                let terms = peering.terms().clone();
                self.with_peer(peer, |known| known.terms = terms)
            }
            Action::Correspond { peer, correspondent } => {
                self.with_peer(peer, |known| match correspondent {
                    Some(one) => drop(known.correspondents.insert(by.clone(), one.clone())),
                    None => drop(known.correspondents.remove(by)),
                })
            }
            Action::SendAbroad { sending } => self.send(at, id, sending),
            Action::ReceiveFromAbroad { ledger, transit, settled } => {
                let mut found = self.check_meant(ledger);
                found.extend(self.receive(at, by, transit, *settled));
                found
            }
            Action::SettleTransit { ledger, number, resolution } => {
                let mut found = self.check_meant(ledger);
                found.extend(self.settle(at, by, *number, *resolution));
                found
            }
            _ => Vec::new(),
        }
    }

    fn with_peer(
        &mut self,
        name: &InstitutionId,
        change: impl FnOnce(&mut Peer),
    ) -> Vec<Irregularity> {
        match self.peers.get_mut(name) {
            Some(peer) => {
                change(peer);
                Vec::new()
            }
            None => vec![Irregularity::Peer(name.clone())],
        }
    }

    fn check_meant(&self, ledger: &InstitutionId) -> Vec<Irregularity> {
        let meant = self.name() == Some(ledger);
        (!meant).then(|| Irregularity::Peer(ledger.clone())).into_iter().collect()
    }

    fn send(&mut self, at: Timestamp, id: CommandId, sending: &Sending) -> Vec<Irregularity> {
        let (payer, minor) = (sending.payer, sending.amount.minor());
        let mut found = self.check_sending(at, sending);
        if let Some(terms) = &self.terms {
            self.spent.add(terms, at, payer, minor);
        }
        let counted = self.spent.period_of(payer);
        let way = (Place::Wallet(payer), Place::InFlight(sending.peer.clone()));
        found.extend(self.moved_between(way, minor).err());
        self.coming_back(payer, i128::from(minor));
        self.touched(at, payer);
        let Some(peer) = self.peers.get_mut(&sending.peer) else { return found };
        let number = count(peer.gone.len()).saturating_add(1);
        let there = peer.correspondents.get(&sending.correspondent);
        let to = there.map_or_else(|| sending.correspondent.clone(), |one| one.there.clone());
        let transit = Transit {
            number,
            payee: sending.payee,
            amount: sending.foreign,
            from: sending.correspondent.clone(),
            to,
            expires: sending.expires,
            order: sending.order,
        };
        let correspondent = sending.correspondent.clone();
        let gone = Gone { id, payer, correspondent, minor, counted, transit, resolution: None };
        peer.gone.push(gone);
        found
    }

    fn settle(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        number: u64,
        resolution: Resolution,
    ) -> Vec<Irregularity> {
        let unknown = || vec![Irregularity::Transit { peer: by.clone(), number }];
        let known = self.peers.get_mut(by).zip(place(number));
        let Some(gone) = known.and_then(|(peer, place)| peer.gone.get_mut(place)) else {
            return unknown();
        };
        if gone.resolution.is_some() {
            return unknown();
        }
        gone.resolution = Some(resolution);
        let Gone { payer, minor, counted, .. } = *gone;
        let to = match resolution {
            Resolution::Credited => Place::Vault(gone.correspondent.clone()),
            Resolution::Returned(_) => Place::Wallet(payer),
        };
        self.coming_back(payer, i128::from(minor).saturating_neg());
        if resolution != Resolution::Credited {
            self.spent.give_back(payer, counted, minor);
            self.touched(at, payer);
        }
        let moved = self.moved_between((Place::InFlight(by.clone()), to), minor);
        moved.err().into_iter().collect()
    }

    fn receive(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        transit: &Transit,
        settled: u64,
    ) -> Vec<Irregularity> {
        let wrong = || vec![Irregularity::Transit { peer: by.clone(), number: transit.number }];
        let Some(peer) = self.peers.get(by) else { return wrong() };
        let through = peer.settled_by(settled);
        if let Some(first) = peer.come_at(transit.number) {
            let again = first.transit == *transit && transit.number > through;
            self.with_peer(by, |peer| peer.settled = through);
            return if again { Vec::new() } else { wrong() };
        }
        let next = count(peer.come.len()).saturating_add(1) == transit.number;
        let kept = count(peer.come.len()).saturating_sub(through);
        let fits = next && kept < u64::from(peer.terms.most_unresolved);
        let resolution = self.judge(at, by, transit);
        let mut found = Vec::new();
        if resolution == Resolution::Credited {
            let (from, to) = (Place::Vault(transit.to.clone()), Place::Wallet(transit.payee));
            let minor = transit.amount.minor();
            found.extend(self.moved_between((from, to), minor).err());
            self.touched(at, transit.payee);
            self.with_peer(by, |peer| {
                if let Some(one) = peer.correspondents.get_mut(&transit.to) {
                    one.ready = one.ready.saturating_sub(minor);
                }
            });
        }
        self.with_peer(by, |peer| {
            peer.settled = through;
            peer.come.push(Come { transit: transit.clone(), resolution });
        });
        if !fits {
            found.extend(wrong());
        }
        found
    }

    pub(super) fn moved_between(&mut self, (from, to): (Place, Place), minor: u64) -> Found {
        let (from, to) = (Some(from), Some(to));
        self.flow(&Flow { from, to, minor, issues: false, cancels: false })
    }

    /// What may come back to a wallet counts as promised to it.
    fn coming_back(&mut self, payer: AccountId, minor: i128) {
        self.sum(payer, minor);
        self.pending.coming(payer, minor);
    }

    /// What is on its way from each wallet, and may come back: counted anew.
    pub(super) fn may_come_back(&self) -> impl Iterator<Item = (AccountId, i128)> {
        let gone = self.peers.values().flat_map(Peer::unresolved);
        gone.map(|one| (one.payer, i128::from(one.minor)))
    }

    /// What went to each and came from it.
    pub(crate) fn peers_report(&self) -> Vec<PeerReport> {
        let credited = |come: &&Come| come.resolution == Resolution::Credited;
        let report = |(name, peer): (&InstitutionId, &Peer)| PeerReport {
            peer: name.to_string(),
            sent: count(peer.gone.len()),
            unresolved: count(peer.unresolved().count()),
            in_flight: peer.in_flight(),
            received: count(peer.come.len()),
            credited: count(peer.come.iter().filter(credited).count()),
        };
        self.peers.iter().map(report).collect()
    }

    /// The machine's side of it against these books.
    pub(super) fn compare_abroad(&self, machine: &Machine) -> Vec<Irregularity> {
        let views = machine.peers();
        let mut found = Vec::new();
        let named: Vec<_> = views.iter().map(|view| &view.name).collect();
        found.extend(
            self.peers.keys().filter(|name| !named.contains(name)).cloned().map(Irregularity::Peer),
        );
        for view in views {
            let Some(peer) = self.peers.get(&view.name) else {
                found.push(Irregularity::Peer(view.name));
                continue;
            };
            let numbers = (view.sent, view.settled_through, view.received);
            let own = (count(peer.gone.len()), peer.settled_through(), count(peer.come.len()));
            let terms = (view.currency, &view.terms) == (peer.currency, &peer.terms);
            let banks: BTreeMap<_, _> = machine.correspondents(&view.name).into_iter().collect();
            let flies = u128::from(view.in_flight.minor()) == peer.in_flight();
            let outbox: Vec<_> = peer.unresolved().map(|one| one.transit.clone()).collect();
            let same = machine.unresolved(&view.name, usize::MAX) == outbox;
            if numbers != own || !terms || banks != peer.correspondents || !flies || !same {
                found.push(Irregularity::Peer(view.name.clone()));
            }
            found.extend(peer.compare_numbers(&view.name, machine));
        }
        found
    }
}

impl Peer {
    /// What each number came to, as far as the machine still says so.
    fn compare_numbers(&self, name: &InstitutionId, machine: &Machine) -> Vec<Irregularity> {
        let differs = |number| Irregularity::Transit { peer: name.clone(), number };
        let come = self.come.iter().filter(|come| {
            let kept = (come.transit.number > self.settled).then_some(come.resolution);
            machine.received(name, &come.transit) != kept
        });
        let gone = self.gone.iter().filter(|gone| {
            // As long as its command is remembered.
            machine.abroad(gone.id).is_some_and(|AbroadView { number, resolution, .. }| {
                (number, resolution) != (gone.transit.number, gone.resolution)
            })
        });
        let numbers = come.map(|one| one.transit.number).chain(gone.map(|one| one.transit.number));
        numbers.map(differs).collect()
    }
}
