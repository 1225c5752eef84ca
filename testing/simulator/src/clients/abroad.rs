//! What goes to another ledger and comes from it, and what that one says: in its turn, again, ahead,
//! otherwise than before, about what never left.

use super::Clients;
use super::actions::deadline;
use crate::chance::Chance;
use crate::city::{City, WALLETS};
use yufu_base::{AccountId, Amount, Digest, Timestamp};
use yufu_machine::{
    Action, Authorisation, Correspondent, PeerTerms, Rate, Resolution, ReturnReason, Sending,
    Transit,
};

/// How far the two directions have come, as far as clients know.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Abroad {
    /// So many were sent, refused ones included.
    sent: u64,
    /// So many numbers were said to have come.
    come: u64,
}

impl Abroad {
    pub(super) fn note(&mut self, action: &Action) {
        match action {
            Action::SendAbroad { .. } => self.sent = self.sent.saturating_add(1),
            Action::ReceiveFromAbroad { transit, .. } => self.come = self.come.max(transit.number),
            _ => {}
        }
    }
}

impl Clients {
    pub(super) fn abroad(&self, chance: &mut Chance, now: Timestamp) -> (&'static str, Action) {
        match chance.below(24) {
            0..=9 => self.send(chance, now),
            10..=16 => (City::PEER, self.receive(chance)),
            17..=20 => (City::PEER, self.settle(chance)),
            21 => {
                let terms = PeerTerms { open: !chance.one_in(3), ..City::peering() };
                (City::CENTRAL_BANK, City::set_peer(terms))
            }
            _ => {
                let by = chance.pick(&City::BANKS).copied().unwrap_or_default();
                let until = now.plus_seconds(chance.below(6 * 86_400));
                let rate = Rate { take: chance.below(4), give: chance.below(4), until };
                let rate = (!chance.one_in(6)).then_some(rate);
                let (there, ready) = (City::name("there"), chance.below(900));
                let one = Correspondent { there, rate, ready };
                let (peer, correspondent) =
                    (City::name(City::PEER), (!chance.one_in(9)).then_some(one));
                (by, Action::Correspond { peer, correspondent })
            }
        }
    }

    fn send(&self, chance: &mut Chance, now: Timestamp) -> (&'static str, Action) {
        let (payer, by) = self.wallet(chance);
        let amount = self.money(chance);
        let currency = if chance.one_in(20) { amount.currency() } else { City::currency_there() };
        let minor = amount.minor().saturating_add(chance.below(9)).saturating_sub(8);
        let bank = chance.pick(&City::BANKS).copied().unwrap_or_default();
        let stepped_up = Authorisation::SteppedUp { presentation: Digest::ZERO };
        let sending = Sending {
            payer,
            peer: City::name(if chance.one_in(30) { bank } else { City::PEER }),
            payee: AccountId::new(1),
            amount,
            foreign: Amount::new(currency, minor),
            correspondent: City::name(bank),
            expires: deadline(chance, now, 2),
            order: Digest::ZERO,
            authorisation: if chance.one_in(6) { stepped_up } else { Authorisation::Ordinary },
        };
        (by, Action::SendAbroad { sending: Box::new(sending) })
    }

    /// A number that is next, or one of the last: what it says follows from the number, mostly.
    fn receive(&self, chance: &mut Chance) -> Action {
        let next = self.abroad.come.saturating_add(if chance.one_in(12) { 2 } else { 1 });
        let number = next.saturating_sub(chance.below(4)).max(1);
        let place = usize::try_from(number).unwrap_or(0);
        let wallet = WALLETS.get(place % 8).map_or(99, |(id, _)| *id);
        let minor = number.wrapping_mul(37) % 160;
        let other = u64::from(chance.one_in(16));
        let bank = City::BANKS.get(place % 2).copied().unwrap_or_default();
        let days = if number.is_multiple_of(9) { 0 } else { 60 * 86_400 };
        let transit = Transit {
            number,
            payee: AccountId::new(wallet),
            amount: self.city.amount(minor.saturating_add(other)),
            from: City::name("there"),
            to: City::name(bank),
            expires: City::START.plus_seconds(days),
            order: Digest::ZERO,
        };
        let settled = match chance.below(5) {
            0 => number.saturating_sub(chance.below(4)),
            _ => 0,
        };
        let ledger = if chance.one_in(30) { City::PEER } else { City::CENTRAL_BANK };
        let ledger = City::name(ledger);
        Action::ReceiveFromAbroad { ledger, transit: Box::new(transit), settled }
    }

    fn settle(&self, chance: &mut Chance) -> Action {
        let number = chance.below(self.abroad.sent.min(12)).saturating_add(1);
        let resolution = if chance.one_in(2) {
            Resolution::Credited
        } else {
            let reason = chance.pick(&ReturnReason::ALL).copied();
            Resolution::Returned(reason.unwrap_or(ReturnReason::Expired))
        };
        Action::SettleTransit { ledger: City::name(City::CENTRAL_BANK), number, resolution }
    }
}
