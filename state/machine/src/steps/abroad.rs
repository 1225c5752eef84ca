//! A payment to another ledger leaves here: taken from the payer into what is in flight, numbered,
//! and kept until the other ledger has said what became of it.

use super::Step;
use super::policy::check_deadline;
use crate::books::{Books, Found, Submitter};
use crate::command::{Authorisation, Resolution, Sending, Transit};
use crate::limits::{self, Asked};
use crate::links::Sent;
use crate::memory::Memory;
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::reversal::Reversible;
use yufu_base::{CommandId, InstitutionId};
use yufu_ledger::PeerNumber;
use yufu_registry::{Correspondent, InstitutionNumber, Peer, Rate, Role};

impl Books {
    pub(crate) fn send_abroad(&mut self, by: Submitter, id: CommandId, sending: &Sending) -> Step {
        by.must_be(Role::Bank)?;
        self.must_be_registered(&sending.peer)?;
        let bank = self.named_bank(&sending.correspondent)?;
        let (number, peer) = self.open_peer_named(&sending.peer)?;
        check_deadline(sending.expires, by.now, peer.peering.latest(by.now))?;
        let (there, rate) = self.offer(by, number, sending)?;
        let from = self.sender(by, sending)?;
        let (minor, foreign) = self.both_amounts(peer, sending)?;
        let most = rate.most_for(minor);
        if foreign > most {
            return Err(Refusal::OfferedLess { most, requested: foreign });
        }
        let link = self.links.get(&number);
        let unresolved = link.map_or(0, |link| link.unresolved.len());
        let bound = peer.peering.terms().most_unresolved;
        if unresolved >= usize::try_from(bound).unwrap_or(usize::MAX) {
            return Err(Refusal::TooManyInTransit(bound));
        }
        let sent = link.map_or(0, |link| link.sent).checked_add(1).ok_or(Refusal::Full)?;
        let now = self.period(by.now);
        let checked = self
            .ledger
            .check_flight(from.slot, (PeerNumber(number.0), bank), minor, now)
            .ok_or_else(|| Refusal::NotAPeer(sending.peer.clone()))??;
        let asked = Asked::new(from.wallet, now, minor);
        let stepped_up = matches!(sending.authorisation, Authorisation::SteppedUp { .. });
        limits::check_payment(self.policy(), from.class, &asked, stepped_up)?;
        let slot = from.slot;
        let flight = self.ledger.commit_flight(checked);
        self.moved(by, [Some(slot)]);
        let transit = sending.transit(sent, there);
        let link = self.links.entry(number).or_default();
        link.sent = sent;
        link.unresolved.insert(sent, Sent { id, flight, transit });
        let balance = self.amount(self.ledger.balance(slot));
        Ok((by.done(Some(balance)), Reversible::abroad(number, sent)))
    }

    /// What the other ledger says became of what went there.
    pub(crate) fn settle_transit(
        &mut self,
        memory: &mut Memory,
        by: Submitter,
        (ledger, number, resolution): (&InstitutionId, u64, Resolution),
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Peer)?;
        self.must_be_meant(ledger)?;
        let link = self.links.get_mut(&by.number);
        let sent = link.and_then(|link| link.unresolved.remove(&number));
        let Sent { id, flight, .. } = sent.ok_or(Refusal::TransitUnknown(number))?;
        match resolution {
            Resolution::Credited => self.ledger.deliver(&flight),
            Resolution::Returned(_) => {
                self.ledger.give_back_flight(&flight);
                self.moved(by, [Some(flight.payer())]);
            }
        }
        let resolved = Reversible::Abroad { peer: by.number, number, came_to: Some(resolution) };
        memory.set_reversible(id, resolved);
        Ok(by.done(None))
    }

    /// What a peer says is said to this ledger and to no other one.
    pub(super) fn must_be_meant(&self, ledger: &InstitutionId) -> Result<(), Refusal> {
        if self.registry.name(InstitutionNumber(0)) == Some(ledger) {
            Ok(())
        } else {
            Err(Refusal::OtherLedger(ledger.clone()))
        }
    }

    fn must_be_registered(&self, name: &InstitutionId) -> Result<InstitutionNumber, Refusal> {
        let found = self.registry.institution(name).map(|found| found.number);
        found.ok_or_else(|| Refusal::InstitutionUnknown(name.clone()))
    }

    /// A registered peer.
    pub(super) fn peer_named(
        &self,
        name: &InstitutionId,
    ) -> Result<(InstitutionNumber, &Peer), Refusal> {
        let number = self.must_be_registered(name)?;
        let peer = self.registry.peers().get(number);
        Ok((number, peer.ok_or_else(|| Refusal::NotAPeer(name.clone()))?))
    }

    fn open_peer_named(&self, name: &InstitutionId) -> Result<(InstitutionNumber, &Peer), Refusal> {
        let (number, peer) = self.peer_named(name)?;
        if peer.peering.terms().open {
            Ok((number, peer))
        } else {
            Err(Refusal::PeerClosed(name.clone()))
        }
    }

    /// What the named bank gives there now, and its name there.
    fn offer(
        &self,
        by: Submitter,
        peer: InstitutionNumber,
        sending: &Sending,
    ) -> Result<(InstitutionId, Rate), Refusal> {
        let bank = self.registry.institution(&sending.correspondent).map(|bank| bank.number);
        let found = bank.and_then(|bank| self.registry.peers().correspondent(peer, bank));
        let rate = found.and_then(|one| one.rate).filter(|rate| rate.until > by.now);
        let there = found.map(|Correspondent { there, .. }| there.clone());
        there.zip(rate).ok_or_else(|| Refusal::NoOffer(sending.correspondent.clone()))
    }

    /// The payer's wallet, fit for it.
    fn sender(&self, by: Submitter, sending: &Sending) -> Result<Found<'_>, Refusal> {
        let from = self.own_wallet(by, sending.payer)?;
        from.must_be_awake()?;
        from.must_not_be_frozen()?;
        self.must_not_be_below(&from)?;
        Ok(from)
    }

    /// The minor units that leave here and arrive there, each something in its ledger's currency.
    fn both_amounts(&self, peer: &Peer, sending: &Sending) -> Result<(u64, u64), Refusal> {
        let (peer, foreign) = (peer.currency, sending.foreign);
        if foreign.is_zero() {
            return Err(Refusal::AmountZero);
        }
        let minor = self.minor(sending.amount)?;
        if foreign.currency() != peer {
            return Err(Refusal::PeerCurrency { peer, given: foreign.currency() });
        }
        Ok((minor, foreign.minor()))
    }
}

impl Sending {
    fn transit(&self, number: u64, there: InstitutionId) -> Transit {
        Transit {
            number,
            payee: self.payee,
            amount: self.foreign,
            from: self.correspondent.clone(),
            to: there,
            expires: self.expires,
            order: self.order,
        }
    }
}
