//! What may be asked of the state about other ledgers.

use crate::command::{Action, Resolution, Transit};
use crate::links::Link;
use crate::machine::Machine;
use crate::reversal::Reversible;
use yufu_base::{Amount, CommandId, Currency, InstitutionId};
use yufu_ledger::PeerNumber;
use yufu_registry::{Correspondent, InstitutionNumber, PeerTerms};

/// Another ledger, and how things stand with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its name.
    pub name: InstitutionId,
    /// The currency it holds.
    pub currency: Currency,
    /// How it is dealt with.
    pub terms: PeerTerms,
    /// What is on its way there.
    pub in_flight: Amount,
    /// How many payments went there.
    pub sent: u64,
    /// Up to this number all of them are resolved.
    pub settled_through: u64,
    /// How many payments came from there, returned ones included.
    pub received: u64,
}

/// What is known of a payment to another ledger, as long as its command is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbroadView {
    /// Where it went.
    pub peer: InstitutionId,
    /// Its number on the way there.
    pub number: u64,
    /// What became of it; `None` while that is not known.
    pub resolution: Option<Resolution>,
}

impl Machine {
    /// All other ledgers, in the order of registration.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerView> {
        let Some(books) = &self.books else { return Vec::new() };
        let view = |(number, peer): (InstitutionNumber, &yufu_registry::Peer)| {
            let none = Link::default();
            let link = books.links.get(&number).unwrap_or(&none);
            let in_flight = books.ledger.in_flight_to(PeerNumber(number.0)).unwrap_or(0);
            Some(PeerView {
                name: books.registry.name(number)?.clone(),
                currency: peer.currency,
                terms: peer.peering.terms().clone(),
                in_flight: books.amount(in_flight),
                sent: link.sent,
                settled_through: link.settled_through(),
                received: link.received,
            })
        };
        books.registry.peers().iter().filter_map(view).collect()
    }

    /// What this ledger says to a peer now: up to `most` payments that went there and are unresolved,
    /// the oldest first. For its central bank to sign; saying it again is harmless.
    #[must_use]
    pub fn words(&self, peer: &InstitutionId, most: usize) -> Vec<Action> {
        let settled = self.link(peer).map_or(0, Link::settled_through);
        let say = |transit| {
            let (ledger, transit) = (peer.clone(), Box::new(transit));
            Action::ReceiveFromAbroad { ledger, transit, settled }
        };
        self.unresolved(peer, most).into_iter().map(say).collect()
    }

    /// What this ledger answers to a peer about a payment that came from there; `None` if it did not
    /// come, or is settled there. For its central bank to sign.
    #[must_use]
    pub fn answer(&self, peer: &InstitutionId, transit: &Transit) -> Option<Action> {
        let (ledger, number) = (peer.clone(), transit.number);
        let resolution = self.received(peer, transit)?;
        Some(Action::SettleTransit { ledger, number, resolution })
    }

    /// Up to `most` of what went to a peer and is unresolved, the oldest first.
    #[must_use]
    pub fn unresolved(&self, peer: &InstitutionId, most: usize) -> Vec<Transit> {
        let Some(link) = self.link(peer) else { return Vec::new() };
        link.unresolved.values().take(most).map(|sent| sent.transit.clone()).collect()
    }

    /// What a payment that came from a peer came to; `None` if it did not come, or is settled there.
    #[must_use]
    pub fn received(&self, peer: &InstitutionId, transit: &Transit) -> Option<Resolution> {
        let received = self.link(peer)?.outcomes.get(&transit.number)?;
        (received.transit == transit.digest()).then_some(received.resolution)
    }

    /// What became of a payment to another ledger, by the command that sent it.
    #[must_use]
    pub fn abroad(&self, id: CommandId) -> Option<AbroadView> {
        let Reversible::Abroad { peer, number, came_to } = self.memory.reversible(id)? else {
            return None;
        };
        let peer = self.books.as_ref()?.registry.name(*peer)?.clone();
        Some(AbroadView { peer, number: *number, resolution: *came_to })
    }

    /// What banks do for a peer, by their names.
    #[must_use]
    pub fn correspondents(&self, peer: &InstitutionId) -> Vec<(InstitutionId, Correspondent)> {
        let found = self.books.as_ref().and_then(|books| {
            let number = books.registry.institution(peer)?.number;
            let named = |(bank, one): (InstitutionNumber, &Correspondent)| {
                Some((books.registry.name(bank)?.clone(), one.clone()))
            };
            Some(books.registry.peers().correspondents(number).filter_map(named).collect())
        });
        found.unwrap_or_default()
    }

    fn link(&self, peer: &InstitutionId) -> Option<&Link> {
        let books = self.books.as_ref()?;
        books.links.get(&books.registry.institution(peer)?.number)
    }
}
