//! What had to become of a payment that came, and whether one might leave: the rules, said a second
//! time. A turnover beyond 64 bits is not recomputed here: no log has one.

use super::super::Model;
use super::count;
use crate::finding::Irregularity;
use yufu_base::{InstitutionId, Timestamp};
use yufu_machine::{Authorisation, Resolution, ReturnReason, Sending, Standing, Transit};

impl Model {
    /// What becomes of a payment that comes now, for the first time.
    pub(super) fn judge(&self, at: Timestamp, by: &InstitutionId, transit: &Transit) -> Resolution {
        match self.obstacle(at, by, transit) {
            Some(reason) => Resolution::Returned(reason),
            None => Resolution::Credited,
        }
    }

    fn obstacle(
        &self,
        at: Timestamp,
        by: &InstitutionId,
        transit: &Transit,
    ) -> Option<ReturnReason> {
        let minor = i128::from(transit.amount.minor());
        let peer = self.peers.get(by)?;
        let works = peer.correspondents.get(&transit.to).filter(|one| one.there == transit.from);
        let stands = self.stands(transit.payee);
        let stock = super::Place::Vault(transit.to.clone());
        let has = self.held.get(&stock).copied().unwrap_or(0);
        let ready = works.map_or(0, |one| i128::from(one.ready));
        let counts = minor > 0 && Some(transit.amount.currency()) == self.currency;
        let obstacles = [
            (at >= transit.expires, ReturnReason::Expired),
            (!peer.terms.open, ReturnReason::Closed),
            (!counts, ReturnReason::Amount),
            (works.is_none(), ReturnReason::NoCorrespondent),
            (stands.is_none(), ReturnReason::PayeeUnknown),
            (stands == Some(Standing::Closed), ReturnReason::PayeeClosed),
            (minor > ready || minor > has, ReturnReason::CorrespondentShort),
            (!self.takes(transit), ReturnReason::PayeeFull),
        ];
        obstacles.into_iter().find(|(there, _)| *there).map(|(_, reason)| reason)
    }

    /// Whether the payee, and all of its class at its bank, may hold that much more.
    fn takes(&self, transit: &Transit) -> bool {
        let (payee, minor) = (transit.payee, u128::from(transit.amount.minor()));
        let fits = self.check_room(payee, minor).and_then(|()| self.check_room_below(payee, minor));
        let Some(known) = self.wallets.get(&payee) else { return false };
        let of_class = self.rules.aggregate_balance.get(&known.class).is_none_or(|cap| {
            let sum = self.sums.get(&(known.bank.clone(), known.class)).copied().unwrap_or(0);
            let after = sum.saturating_add(i128::from(transit.amount.minor()));
            after <= i128::from(*cap)
        });
        fits.is_ok() && of_class
    }

    /// Every rule that a payment which left has broken.
    pub(super) fn check_sending(&self, at: Timestamp, sending: &Sending) -> Vec<Irregularity> {
        let mut found = Vec::new();
        let Some(peer) = self.peers.get(&sending.peer) else {
            return vec![Irregularity::Peer(sending.peer.clone())];
        };
        let next = count(peer.gone.len()).saturating_add(1);
        let broken = || Irregularity::Transit { peer: sending.peer.clone(), number: next };
        let full = count(peer.unresolved().count()) >= u64::from(peer.terms.most_unresolved);
        let foreign = sending.foreign;
        let counts = foreign.minor() > 0 && foreign.currency() == peer.currency;
        let offered = self.offered(at, sending).is_some_and(|most| foreign.minor() <= most);
        if !peer.terms.open || full || !counts || !offered {
            found.push(broken());
        }
        let stepped_up = sending.authorisation != Authorisation::Ordinary;
        let minor = sending.amount.minor();
        found.extend(self.check_spending(at, sending.payer, minor, stepped_up));
        found
    }

    /// The most that the named bank gives for it now; `None` if nothing.
    pub(super) fn offered(&self, at: Timestamp, sending: &Sending) -> Option<u64> {
        let one = self.peers.get(&sending.peer)?.correspondents.get(&sending.correspondent)?;
        let rate = one.rate.filter(|rate| at < rate.until)?;
        let (take, give) = (u128::from(rate.take), u128::from(rate.give));
        let product = give.saturating_mul(sending.amount.minor().into());
        Some(product.checked_div(take).map_or(0, |most| u64::try_from(most).unwrap_or(u64::MAX)))
    }
}
