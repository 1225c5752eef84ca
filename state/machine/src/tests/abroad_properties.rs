//! Whatever is sent, delivered, repeated, delayed, lost and settled between two ledgers: each supply
//! holds at every instant, nothing arrives twice, nothing both arrives and comes back.

use super::abroad::*;
use super::support::*;
use crate::{Action, Correspondent, Order, Resolution, Sending, Submission};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::AccountId;

#[derive(Clone, Debug)]
enum Step {
    /// To whom, how much.
    Send(AccountId, u64),
    /// Says what is unresolved, from this place on; the words stay under way.
    Say(usize),
    /// Of the words under way, this one arrives; whether it may arrive again.
    Arrive(usize, bool),
    /// So much the bank there is ready to give.
    Ready(u64),
    Pause(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let payee = proptest::sample::select(vec![DORA, STORE, AccountId::new(99)]);
    let step = prop_oneof![
        4 => (payee, 1..120_u64).prop_map(|(payee, minor)| Step::Send(payee, minor)),
        6 => (0..4_usize).prop_map(Step::Say),
        9 => (0..6_usize, any::<bool>()).prop_map(|(place, again)| Step::Arrive(place, again)),
        1 => (0..400_u64).prop_map(Step::Ready),
        2 => (1..3_000_u64).prop_map(Step::Pause),
    ];
    proptest::collection::vec(step, 1..90)
}

/// A word under way: to there if true, and back if not.
type Word = (bool, Submission);

struct Between {
    pair: Pair,
    words: Vec<Word>,
    /// By number: how much left and how much is to arrive.
    sent: BTreeMap<u64, (u64, u64)>,
    credited: BTreeSet<u64>,
    returned: BTreeSet<u64>,
}

impl Between {
    fn step(&mut self, step: Step) {
        match step {
            Step::Send(payee, minor) => {
                let expires = self.pair.here.now.plus_seconds(3_600);
                let sending = Sending { expires, ..sending(payee, minor, minor) };
                if self.pair.here.submit("bank-a", send(sending)).is_ok() {
                    let number = self.sent.len() as u64 + 1;
                    self.sent.insert(number, (minor, minor));
                }
            }
            Step::Say(place) => {
                let unresolved = self.pair.here.machine.unresolved(&name(THERE), 9);
                if let Some(transit) = unresolved.get(place) {
                    let action = receive(transit.clone(), self.pair.settled_through());
                    let id = self.pair.there.id();
                    self.words.push((true, submission(CENTRAL_BANK, id, action)));
                }
            }
            Step::Arrive(place, again) => self.arrive(place, again),
            Step::Ready(ready) => {
                let there = name("bank-b");
                let correspondent = Some(Correspondent { there, rate: None, ready });
                let peer = name(CENTRAL_BANK);
                self.pair.there.done(BANK_THERE, Action::Correspond { peer, correspondent });
            }
            Step::Pause(seconds) => self.pair.later(seconds),
        }
    }

    fn arrive(&mut self, place: usize, again: bool) {
        if place >= self.words.len() {
            return;
        }
        let word = if again { self.words[place].clone() } else { self.words.swap_remove(place) };
        let (to_there, command) = word;
        if !to_there {
            self.settle(&command.order);
            return;
        }
        let Action::ReceiveFromAbroad { transit, .. } = &command.order.action else { return };
        let before = self.pair.there.held(DORA) + self.pair.there.held(STORE);
        let outcome = self.pair.there.apply(&command);
        let after = self.pair.there.held(DORA) + self.pair.there.held(STORE);
        let (number, amount) = (transit.number, transit.amount.minor());
        if after != before {
            assert_eq!(after, before + amount);
            assert!(self.credited.insert(number), "{number} is credited twice");
        }
        let resolution = self.pair.there.machine.received(&name(CENTRAL_BANK), transit);
        if let (Ok(_), Some(resolution)) = (outcome, resolution) {
            let credited = resolution == Resolution::Credited;
            assert_eq!(credited, self.credited.contains(&number));
            let id = self.pair.here.id();
            self.words.push((false, submission(THERE, id, settle(number, resolution))));
        }
    }

    fn settle(&mut self, order: &Order) {
        let Action::SettleTransit { number, resolution, .. } = order.action else { return };
        let before = self.pair.here.held(ALICE);
        let outcome = self.pair.here.apply(&submission(THERE, order.id, order.action.clone()));
        let after = self.pair.here.held(ALICE);
        if after != before {
            assert_eq!(after, before + self.sent[&number].0);
            assert!(self.returned.insert(number), "{number} comes back twice");
        }
        if outcome.is_ok() && resolution != Resolution::Credited {
            assert!(self.returned.contains(&number));
        }
    }

    /// What holds at every instant.
    fn holds(&self) {
        self.pair.holds();
        assert!(self.credited.is_disjoint(&self.returned));
        let peer = self.pair.here.machine.peers().remove(0);
        let unresolved = self.pair.here.machine.unresolved(&name(THERE), usize::MAX);
        let in_flight: u64 = unresolved.iter().map(|transit| self.sent[&transit.number].0).sum();
        assert_eq!(peer.in_flight.minor(), in_flight);
        let back: u64 = self.returned.iter().map(|number| self.sent[number].0).sum();
        let left: u64 = self.sent.values().map(|(minor, _)| minor).sum();
        assert_eq!(self.pair.here.held(ALICE), 800 - left + back);
        let arrived: u64 = self.credited.iter().map(|number| self.sent[number].1).sum();
        assert_eq!(self.pair.there.held(DORA) + self.pair.there.held(STORE), 101 + arrived);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_order_of_words_between_two_ledgers_keeps_both_supplies_and_resolves_each_once(
        steps in steps(),
    ) {
        let mut between = Between {
            pair: Pair::new(),
            words: Vec::new(),
            sent: BTreeMap::new(),
            credited: BTreeSet::new(),
            returned: BTreeSet::new(),
        };
        for step in steps {
            between.step(step);
            between.holds();
        }
        // When words are no longer lost, all is resolved.
        for transit in between.pair.here.machine.unresolved(&name(THERE), usize::MAX) {
            let resolution = between.pair.resolve(transit.number);
            let number = transit.number;
            match resolution {
                Resolution::Credited => drop(between.credited.insert(number)),
                Resolution::Returned(_) => prop_assert!(between.returned.insert(number)),
            }
            between.holds();
        }
        prop_assert_eq!(between.pair.in_flight(), 0);
        prop_assert_eq!(between.credited.len() + between.returned.len(), between.sent.len());
    }
}
