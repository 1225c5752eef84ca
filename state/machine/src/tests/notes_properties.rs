//! Whatever is minted, swapped, melted, repeated and expired: every fen is in a wallet, behind a note
//! that is out, or a fee; no note is spent twice; and a state read back goes on alike.

use super::notes::*;
use super::support::*;
use crate::{Action, Input, KeysetNumber, Machine, Output};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{AccountId, Snapshot as _, StateMachine as _};

#[derive(Clone, Debug)]
enum Step {
    Mint(AccountId, Vec<(KeysetNumber, u64)>),
    /// Of the notes out, those at these places; into these outputs, where they come out even.
    Swap(Vec<usize>, KeysetNumber),
    Melt(Vec<usize>, AccountId),
    /// The last command again, under its id.
    Repeat,
    Expire(KeysetNumber),
    Pause(u64),
    ReadBack,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keyset = || proptest::sample::select(vec![A, A_FEE, A_PAYEES, B]);
    let outputs = proptest::collection::vec((keyset(), 0..7_u32), 1..4).prop_map(|outputs| {
        outputs.into_iter().map(|(keyset, bits)| (keyset, 1 << bits)).collect()
    });
    let wallet = || proptest::sample::select(vec![ALICE, BOB, CAROL, SHOP]);
    let places = || proptest::collection::vec(0..12_usize, 1..4);
    let step = prop_oneof![
        5 => (wallet(), outputs).prop_map(|(payer, outputs)| Step::Mint(payer, outputs)),
        6 => (places(), keyset()).prop_map(|(places, keyset)| Step::Swap(places, keyset)),
        4 => (places(), wallet()).prop_map(|(places, payee)| Step::Melt(places, payee)),
        2 => Just(Step::Repeat),
        1 => keyset().prop_map(Step::Expire),
        2 => (1..400_000_u64).prop_map(Step::Pause),
        1 => Just(Step::ReadBack),
    ];
    proptest::collection::vec(step, 1..60)
}

/// The notes that are out, by what is known of them outside.
struct Play {
    city: City,
    out: Vec<Input>,
    spent: BTreeSet<(KeysetNumber, u64)>,
    numbers: u64,
    last: Option<crate::Submission>,
}

impl Play {
    fn new() -> Self {
        let out = vec![
            input(A, 64, 1_001),
            input(A, 32, 1_002),
            input(A, 4, 1_003),
            input(A_FEE, 16, 1_004),
            input(A_PAYEES, 16, 1_005),
        ];
        Self { city: minted(), out, spent: BTreeSet::new(), numbers: 2_000, last: None }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Outputs of a keyset that add up to `sum`.
    fn outputs(&mut self, keyset: KeysetNumber, sum: u64) -> Vec<Output> {
        let bits = (0..10).map(|bit| 1 << bit).filter(|bit| sum & bit != 0);
        bits.collect::<Vec<u64>>()
            .into_iter()
            .map(|amount| output(keyset, amount, self.number()))
            .collect()
    }

    fn submit(&mut self, by: &str, action: Action) -> bool {
        let submission = submission(by, self.city.id(), action);
        self.last = Some(submission.clone());
        self.city.apply(&submission).is_ok()
    }

    /// The notes at some places, all of the first one's keyset, and what they are worth after fees.
    fn taken(&self, places: &[usize]) -> Option<(Vec<Input>, &'static str, u64)> {
        let chosen: BTreeSet<usize> = places.iter().copied().collect();
        let notes: Vec<Input> =
            chosen.iter().filter_map(|place| self.out.get(*place).copied()).collect();
        let first = notes.first()?.keyset;
        let notes: Vec<Input> = notes.into_iter().filter(|note| note.keyset == first).collect();
        let worth: u64 = notes.iter().map(|note| note.amount).sum();
        let count = notes.len() as u64;
        let fee = if first == A_FEE { (600 * count).div_ceil(1000) } else { 0 };
        Some((notes, if first == B { "bank-b" } else { "bank-a" }, worth.saturating_sub(fee)))
    }

    fn came_back(&mut self, notes: &[Input]) {
        for note in notes {
            let number = u64::from_be_bytes(note.point.0[25..].try_into().unwrap());
            assert!(self.spent.insert((note.keyset, number)), "{note:?} was spent twice");
        }
        self.out.retain(|note| !notes.contains(note));
    }

    fn went_out(&mut self, outputs: &[Output]) {
        for output in outputs {
            let number = self.number();
            self.out.push(input(output.keyset, output.amount, number));
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Mint(payer, of) => {
                let outputs: Vec<Output> = of
                    .iter()
                    .map(|(keyset, amount)| output(*keyset, *amount, self.number()))
                    .collect();
                let by = if *payer == CAROL { "bank-b" } else { "bank-a" };
                if self.submit(by, mint(*payer, &outputs)) {
                    self.went_out(&outputs);
                }
            }
            Step::Swap(places, keyset) => {
                let Some((notes, by, worth)) = self.taken(places) else { return };
                let outputs = self.outputs(*keyset, worth);
                if self.submit(by, swap(&notes, &outputs)) {
                    self.came_back(&notes);
                    self.went_out(&outputs);
                }
            }
            Step::Melt(places, payee) => {
                let Some((notes, by, _)) = self.taken(places) else { return };
                if self.submit(by, melt(&notes, *payee, &[])) {
                    self.came_back(&notes);
                }
            }
            Step::Repeat => {
                let Some(last) = self.last.clone() else { return };
                let before = self.city.machine.books_hash();
                drop(self.city.apply(&last));
                assert_eq!(self.city.machine.books_hash(), before);
            }
            Step::Expire(keyset) => {
                let by = if *keyset == B { "bank-b" } else { "bank-a" };
                if self.submit(by, Action::ExpireKeyset { keyset: *keyset }) {
                    self.out.retain(|note| note.keyset != *keyset);
                }
            }
            Step::Pause(seconds) => self.city.later(*seconds),
            Step::ReadBack => {
                let mut bytes = Vec::new();
                self.city.machine.write_state(&mut bytes).unwrap();
                let read = Machine::read_state(&mut bytes.as_slice()).unwrap();
                assert_eq!(read.state_hash(), self.city.machine.state_hash());
                self.city.machine = read;
            }
        }
    }

    fn check(&self) {
        let supply = self.city.machine.supply();
        assert!(supply.balanced, "{supply:?}");
        let mut out: BTreeMap<KeysetNumber, u64> = BTreeMap::new();
        for note in &self.out {
            *out.entry(note.keyset).or_default() += note.amount;
        }
        for keyset in self.city.machine.keysets() {
            let told = keyset.issued.minor() - keyset.redeemed.minor();
            assert_eq!(told, out.get(&keyset.number).copied().unwrap_or(0));
        }
        assert_eq!(supply.bearer, u128::from(out.values().sum::<u64>()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_fen_is_in_a_wallet_behind_a_note_or_a_fee(steps in steps()) {
        let mut play = Play::new();
        play.check();
        for step in &steps {
            play.step(step);
            play.check();
        }
    }
}
