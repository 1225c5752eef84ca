//! A payment from another ledger comes: each number in its turn, once; what it came to is kept
//! until the other ledger has settled it. What cannot arrive is returned, which is no refusal.

use crate::books::{Books, Found, Submitter, bank_number};
use crate::command::{Resolution, ReturnReason, Transit};
use crate::limits;
use crate::links::{Link, Received};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::{Digest, InstitutionId};
use yufu_ledger::{AccountKind, Checked, PostingError, WalletSlot};
use yufu_registry::{InstitutionNumber, Role};

/// What of a payment that came is to be written.
struct Arriving {
    checked: Checked,
    payee: WalletSlot,
    bank: InstitutionNumber,
    minor: u64,
}

impl Books {
    pub(crate) fn receive_from_abroad(
        &mut self,
        by: Submitter,
        (ledger, transit, settled): (&InstitutionId, &Transit, u64),
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Peer)?;
        self.must_be_meant(ledger)?;
        let digest = transit.digest();
        if self.is_new(by, (transit.number, digest), settled)? {
            let resolution = match self.arriving(by, transit) {
                Ok(Arriving { checked, payee, bank, minor }) => {
                    self.ledger.commit(checked);
                    self.moved(by, [Some(payee)]);
                    self.registry.peers_mut().gave(by.number, bank, minor);
                    Resolution::Credited
                }
                Err(reason) => Resolution::Returned(reason),
            };
            let link = self.links.entry(by.number).or_default();
            link.settle_received(settled);
            link.received = transit.number;
            link.outcomes.insert(transit.number, Received { transit: digest, resolution });
        } else {
            self.links.entry(by.number).or_default().settle_received(settled);
        }
        Ok(by.done(None))
    }

    /// Whether it comes for the first time; if it came before, it has to be the same.
    fn is_new(
        &self,
        by: Submitter,
        (number, digest): (u64, Digest),
        settled: u64,
    ) -> Result<bool, Refusal> {
        let none = Link::default();
        let link = self.links.get(&by.number).unwrap_or(&none);
        let through = link.settled_by(settled);
        if number <= through {
            return Err(Refusal::TransitSettled(number));
        }
        if number <= link.received {
            let first = link.outcomes.get(&number).map(|one| one.transit);
            let same = first == Some(digest);
            return if same { Ok(false) } else { Err(Refusal::TransitDiffers(number)) };
        }
        let expected = link.received.saturating_add(1);
        if number > expected {
            return Err(Refusal::TransitAhead { expected });
        }
        let peer = self.registry.peers().get(by.number);
        let bound = peer.map_or(0, |peer| peer.peering.terms().most_unresolved);
        if link.received.saturating_sub(through) >= u64::from(bound) {
            return Err(Refusal::TransitsUnsettled(bound));
        }
        Ok(true)
    }

    /// Checks what came, to the last rule.
    fn arriving(&self, by: Submitter, transit: &Transit) -> Result<Arriving, ReturnReason> {
        if transit.expires <= by.now {
            return Err(ReturnReason::Expired);
        }
        let peer = self.registry.peers().get(by.number);
        if !peer.is_some_and(|peer| peer.peering.terms().open) {
            return Err(ReturnReason::Closed);
        }
        let minor = self.minor(transit.amount).map_err(|_| ReturnReason::Amount)?;
        let bank = self.registry.institution(&transit.to).map(|bank| bank.number);
        let bank = bank.ok_or(ReturnReason::NoCorrespondent)?;
        let works = self.registry.peers().correspondent(by.number, bank);
        let works = works.filter(|one| one.there == transit.from);
        let ready = works.ok_or(ReturnReason::NoCorrespondent)?.ready;
        let payee = self.wallet(transit.payee).map_err(|_| ReturnReason::PayeeUnknown)?;
        payee.must_be_open().map_err(|_| ReturnReason::PayeeClosed)?;
        if ready < minor {
            return Err(ReturnReason::CorrespondentShort);
        }
        let checked = self.ledger.check_arrival(bank_number(bank), payee.slot, minor);
        let checked =
            checked.ok_or(ReturnReason::NoCorrespondent)?.map_err(|error| match error {
                PostingError::OutOfRange(AccountKind::Wallet) => ReturnReason::OutOfRange,
                _ => ReturnReason::CorrespondentShort,
            })?;
        if !self.has_room(&payee, minor) {
            return Err(ReturnReason::PayeeFull);
        }
        Ok(Arriving { checked, payee: payee.slot, bank, minor })
    }

    /// Whether a wallet, those above and below it, and its class at its bank may hold so much more.
    fn has_room(&self, to: &Found<'_>, minor: u64) -> bool {
        let (bank, class) = (to.wallet.bank, to.wallet.class);
        let together = self.ledger.held_or_promised_by_class(bank, class);
        let of_class = limits::check_aggregate(&self.registry, class, together, minor);
        self.may_hold_more(to, minor) && of_class.is_ok()
    }
}
