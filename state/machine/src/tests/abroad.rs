//! Two ledgers and what goes between them: it arrives once or comes back, and every rule that
//! refuses or returns it has its row.

mod refusals;
mod returns;
mod state;

use super::support::*;
use crate::{
    Action, Authorisation, Correspondent, Direction, Outcome, PeerTerms, Peering, Rate, Refusal,
    Resolution, Sending, Transit,
};
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, StateMachine as _, Timestamp,
};

/// The other ledger, its one bank and two wallets there: one of class IV, which holds 100, and one
/// without limits.
pub(super) const THERE: &str = "reserve-house";
pub(super) const BANK_THERE: &str = "harbour-bank";
pub(super) const DORA: AccountId = AccountId::new(71);
pub(super) const STORE: AccountId = AccountId::new(72);

pub(super) fn xts(minor: u64) -> Amount {
    Amount::new(Currency::new("XTS").unwrap(), minor)
}

pub(super) fn peering() -> PeerTerms {
    let address = "https://ledger.example".to_owned();
    PeerTerms { address, open: true, most_unresolved: 3, most_days: 2 }
}

pub(super) fn set_peer(peer: &str, terms: PeerTerms) -> Action {
    Action::SetPeer { peer: name(peer), peering: Peering::new(terms).unwrap() }
}

fn register(peer: &str, currency: Currency) -> Action {
    let peering = Peering::new(peering()).unwrap();
    Action::RegisterPeer { peer: name(peer), key: key_of(peer), currency, peering }
}

pub(super) fn correspond(peer: &str, there: &str, rate: Option<Rate>, ready: u64) -> Action {
    let correspondent = Some(Correspondent { there: name(there), rate, ready });
    Action::Correspond { peer: name(peer), correspondent }
}

/// For two minor units here three there, for a day.
pub(super) const fn rate() -> Rate {
    Rate { take: 2, give: 3, until: START.plus_seconds(86_400) }
}

/// Alice, whose class lets her pay 200 at once and 500 a day, sends to the other ledger.
pub(super) fn sending(payee: AccountId, minor: u64, foreign: u64) -> Sending {
    Sending {
        payer: ALICE,
        peer: name(THERE),
        payee,
        amount: cny(minor),
        foreign: xts(foreign),
        correspondent: name("bank-b"),
        expires: START.plus_seconds(3_600),
        order: Digest::of(b"order"),
        authorisation: Authorisation::Ordinary,
    }
}

pub(super) fn send(sending: Sending) -> Action {
    Action::SendAbroad { sending: Box::new(sending) }
}

pub(super) fn receive(transit: Transit, settled: u64) -> Action {
    Action::ReceiveFromAbroad { ledger: name(THERE), transit: Box::new(transit), settled }
}

pub(super) fn settle(number: u64, resolution: Resolution) -> Action {
    Action::SettleTransit { ledger: name(CENTRAL_BANK), number, resolution }
}

/// Two ledgers that know each other, and a clock for both.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) here: City,
    pub(super) there: City,
}

impl Pair {
    pub(super) fn new() -> Self {
        let mut here = City::current();
        here.done(CENTRAL_BANK, Action::ActivateVersion { version: 3 });
        here.done(CENTRAL_BANK, register(THERE, xts(0).currency()));
        here.done("bank-b", correspond(THERE, BANK_THERE, Some(rate()), 0));
        let mut there = Self::other();
        there.done(THERE, register(CENTRAL_BANK, cny(0).currency()));
        there.done(BANK_THERE, correspond(CENTRAL_BANK, "bank-b", None, 5_000));
        Self { here, there }
    }

    /// The other ledger.
    fn other() -> City {
        let mut city = City::empty();
        let Action::Genesis { key: _, policy, .. } = genesis() else { unreachable!() };
        let (currency, central_bank) = (xts(0).currency(), name(THERE));
        let key = key_of(THERE);
        city.done(THERE, Action::Genesis { currency, central_bank, key, policy });
        for version in [2, 3] {
            city.done(THERE, Action::ActivateVersion { version });
        }
        let bank = name(BANK_THERE);
        city.done(THERE, Action::RegisterBank { bank: bank.clone(), key: key_of(BANK_THERE) });
        city.done(THERE, Action::CreateReserves { bank: bank.clone(), amount: xts(9_000) });
        city.done(THERE, Action::Issue { bank, amount: xts(9_000) });
        city.done(BANK_THERE, Action::CreditDeposits { amount: xts(2_000) });
        for (account, of, held) in [(DORA, "IV", 100), (STORE, "I", 1)] {
            city.done(BANK_THERE, Action::OpenWallet { account, class: class(of) });
            let direction = Direction::DepositToDigital(account);
            city.done(BANK_THERE, Action::Exchange { direction, amount: xts(held) });
        }
        city
    }

    pub(super) fn later(&mut self, seconds: u64) {
        self.here.later(seconds);
        self.there.later(seconds);
    }

    /// Sends, and gives the command's id.
    pub(super) fn sent(&mut self, sending: Sending) -> CommandId {
        let id = self.here.named("bank-a", send(sending));
        self.holds();
        id
    }

    /// What this ledger says of the number.
    pub(super) fn transit(&self, number: u64) -> Transit {
        let all = self.here.machine.unresolved(&name(THERE), usize::MAX);
        all.into_iter().find(|transit| transit.number == number).unwrap()
    }

    pub(super) fn settled_through(&self) -> u64 {
        self.here.machine.peers().first().unwrap().settled_through
    }

    /// Takes a number to the other ledger, under a new id.
    pub(super) fn deliver(&mut self, number: u64) -> Outcome {
        let (transit, settled) = (self.transit(number), self.settled_through());
        let outcome = self.there.submit(CENTRAL_BANK, receive(transit, settled));
        self.holds();
        outcome
    }

    /// What the other ledger says became of a number.
    pub(super) fn came_to(&self, number: u64) -> Option<Resolution> {
        self.there.machine.received(&name(CENTRAL_BANK), &self.transit(number))
    }

    /// Takes a number there, and back what became of it.
    pub(super) fn resolve(&mut self, number: u64) -> Resolution {
        self.deliver(number).unwrap();
        let resolution = self.came_to(number).unwrap();
        self.here.done(THERE, settle(number, resolution));
        self.holds();
        resolution
    }

    /// Both supplies hold.
    pub(super) fn holds(&self) {
        for machine in [&self.here.machine, &self.there.machine] {
            assert!(machine.supply().balanced, "{:?}", machine.supply());
        }
    }

    pub(super) fn in_flight(&self) -> u128 {
        self.here.machine.supply().in_flight
    }

    pub(super) fn stock(city: &City, bank: &str) -> u64 {
        let kind = crate::AccountKind::Vault;
        city.machine.bank_balance(&name(bank), kind).unwrap().minor()
    }
}

fn institution(text: &str) -> InstitutionId {
    name(text)
}

#[test]
fn a_payment_leaves_is_in_flight_and_arrives_once() {
    let mut pair = Pair::new();
    let (stock_here, stock_there) =
        (Pair::stock(&pair.here, "bank-b"), Pair::stock(&pair.there, BANK_THERE));
    let id = pair.sent(sending(DORA, 100, 150));
    assert_eq!((pair.here.held(ALICE), pair.in_flight()), (700, 100));
    let wallet = pair.here.machine.wallet(ALICE, pair.here.now).unwrap();
    assert_eq!((wallet.spent_today, wallet.promised), (cny(100), cny(100)));
    let abroad = pair.here.machine.abroad(id).unwrap();
    assert_eq!((abroad.peer, abroad.number, abroad.resolution), (institution(THERE), 1, None));
    pair.deliver(1).unwrap();
    assert_eq!((pair.there.held(DORA), pair.in_flight()), (250, 100));
    assert_eq!(Pair::stock(&pair.there, BANK_THERE), stock_there - 150);
    assert_eq!(pair.came_to(1), Some(Resolution::Credited));
    pair.here.done(THERE, settle(1, Resolution::Credited));
    pair.holds();
    assert_eq!((pair.here.held(ALICE), pair.in_flight()), (700, 0));
    assert_eq!(Pair::stock(&pair.here, "bank-b"), stock_here + 100);
    let wallet = pair.here.machine.wallet(ALICE, pair.here.now).unwrap();
    assert_eq!((wallet.spent_today, wallet.promised), (cny(100), cny(0)));
    let resolution = pair.here.machine.abroad(id).unwrap().resolution;
    assert_eq!(resolution, Some(Resolution::Credited));
    let [correspondent] = &pair.there.machine.correspondents(&name(CENTRAL_BANK))[..] else {
        panic!("one bank works with the other ledger");
    };
    assert_eq!((correspondent.0.as_str(), correspondent.1.ready), (BANK_THERE, 4_850));
}

#[test]
fn what_comes_again_is_answered_and_not_credited_again() {
    let mut pair = Pair::new();
    pair.sent(sending(DORA, 100, 150));
    let (transit, settled) = (pair.transit(1), pair.settled_through());
    let command = submission(CENTRAL_BANK, pair.there.id(), receive(transit.clone(), settled));
    let first = pair.there.apply(&command);
    assert_eq!(pair.there.apply(&command), first);
    pair.deliver(1).unwrap();
    assert_eq!(pair.there.held(DORA), 250);
    pair.here.done(THERE, settle(1, Resolution::Credited));
    let again = pair.here.submit(THERE, settle(1, Resolution::Credited));
    assert_eq!(again, Err(Refusal::TransitUnknown(1)));
    // The second carries that the first is settled: it is forgotten, and refused from then on.
    pair.sent(sending(DORA, 100, 150));
    pair.deliver(2).unwrap();
    let late = pair.there.submit(CENTRAL_BANK, receive(transit, settled));
    assert_eq!(late, Err(Refusal::TransitSettled(1)));
    assert_eq!(pair.there.held(DORA), 400);
}

#[test]
fn numbers_come_in_their_order_and_one_that_is_ahead_is_taken_when_its_turn_comes() {
    let mut pair = Pair::new();
    for _ in 0..2 {
        pair.sent(sending(DORA, 50, 75));
    }
    let ahead = submission(CENTRAL_BANK, pair.there.id(), receive(pair.transit(2), 0));
    let state = pair.there.machine.state_hash();
    assert_eq!(pair.there.apply(&ahead), Err(Refusal::TransitAhead { expected: 1 }));
    assert_eq!(pair.there.machine.state_hash(), state);
    pair.deliver(1).unwrap();
    assert!(pair.there.apply(&ahead).is_ok());
    assert_eq!(pair.there.held(DORA), 250);
    // They may be settled in any order.
    pair.here.done(THERE, settle(2, Resolution::Credited));
    assert_eq!(pair.settled_through(), 0);
    pair.here.done(THERE, settle(1, Resolution::Credited));
    assert_eq!((pair.settled_through(), pair.in_flight()), (2, 0));
}

#[test]
fn a_peers_key_is_replaced_by_itself_or_by_the_central_bank() {
    let mut pair = Pair::new();
    pair.sent(sending(DORA, 50, 75));
    let replace = |byte| Action::ReplaceKey { institution: name(THERE), key: key(byte) };
    pair.here.done(THERE, replace(9));
    let refused = pair.here.submit(THERE, settle(1, Resolution::Credited));
    assert_eq!(refused, Err(Refusal::KeyNotCurrent(name(THERE))));
    let key = key_of(THERE);
    pair.here.done(CENTRAL_BANK, Action::ReplaceKey { institution: name(THERE), key });
    pair.resolve(1);
}

#[test]
fn several_are_received_and_settled_under_one_signature() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.sent(sending(DORA, 20, 30));
    }
    let all = [1, 2, 3].map(|number| receive(pair.transit(number), 0));
    let each = pair.there.each(CENTRAL_BANK, all).unwrap().each.unwrap();
    assert!(each.iter().all(Result::is_ok));
    let settled = [1, 2, 3].map(|number| settle(number, Resolution::Credited));
    pair.here.each(THERE, settled).unwrap();
    assert_eq!((pair.there.held(DORA), pair.in_flight()), (190, 0));
}

#[test]
fn a_payment_abroad_stands_in_no_chain_and_is_refunded_by_nobody() {
    let mut pair = Pair::new();
    assert!(!send(sending(DORA, 1, 1)).is_transfer());
    let of = pair.sent(sending(DORA, 50, 75));
    let refund = Action::Refund { of, amount: cny(1), order: Digest::ZERO };
    assert_eq!(pair.here.submit("bank-a", refund), Err(Refusal::TransferUnknown(of)));
}

#[test]
fn money_goes_both_ways_between_two_ledgers() {
    let mut pair = Pair::new();
    let back = Some(Rate { take: 3, give: 2, until: START.plus_seconds(86_400) });
    pair.there.done(BANK_THERE, correspond(CENTRAL_BANK, "bank-b", back, 5_000));
    pair.here.done("bank-b", correspond(THERE, BANK_THERE, Some(rate()), 1_000));
    let order = Sending {
        payer: DORA,
        peer: name(CENTRAL_BANK),
        payee: SHOP,
        amount: xts(90),
        foreign: cny(60),
        correspondent: name(BANK_THERE),
        ..sending(DORA, 1, 1)
    };
    pair.there.done(BANK_THERE, send(order));
    let [transit] = &pair.there.machine.unresolved(&name(CENTRAL_BANK), 9)[..] else {
        panic!("one is on its way");
    };
    let ledger = name(CENTRAL_BANK);
    let arrive = Action::ReceiveFromAbroad { ledger, transit: transit.clone().into(), settled: 0 };
    pair.here.done(THERE, arrive);
    let ledger = name(THERE);
    let resolution = pair.here.machine.received(&name(THERE), transit).unwrap();
    pair.there.done(CENTRAL_BANK, Action::SettleTransit { ledger, number: 1, resolution });
    pair.sent(sending(DORA, 100, 150));
    assert_eq!(pair.resolve(1), Resolution::Credited);
    assert_eq!((pair.here.held(SHOP), pair.there.held(DORA)), (860, 160));
}

/// The deadline lies ahead and within what the peer's terms say.
pub(super) const fn latest(now: Timestamp) -> Timestamp {
    now.plus_seconds(2 * 86_400)
}
