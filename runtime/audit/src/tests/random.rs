//! Whatever clients send, what the machine makes of it is what the model makes of it.

use crate::model::Model;
use proptest::prelude::*;
use std::collections::BTreeSet;
use yufu_base::{Stamp, StateMachine};
use yufu_machine::{Machine, Resolution};
use yufu_simulator::{Chance, City, Clients};

/// Runs `seed` for so many commands; gives the codes of all refusals, how many were done, and how many
/// payments left for another ledger, were resolved, came, and were credited.
fn run(seed: u64, commands: usize) -> (BTreeSet<&'static str>, usize, [u64; 4]) {
    let city = City::new(false);
    let (mut chance, mut clients) = (Chance::of(seed), Clients::new(city.clone()));
    let (mut machine, mut model) = (Machine::new(), Model::default());
    let (mut at, mut codes, mut done) = (City::START, BTreeSet::new(), 0);
    let opening: Vec<_> = city.opening();
    for number in 0..opening.len() + commands {
        let command = match opening.get(number) {
            Some(command) => command.clone(),
            None => clients.next(&mut chance, at),
        };
        let outcome = machine.apply(Stamp { at }, &command);
        let found = model.observe(at, &command, &outcome);
        assert_eq!(found, [], "seed {seed}, command {number}: {command:?}: {outcome:?}");
        if number % 16 == 0 {
            assert_eq!(model.compare(&machine), [], "seed {seed}, after command {number}");
        }
        match &outcome {
            Ok(said) => {
                done += 1;
                let each = said.each.as_deref().unwrap_or_default();
                codes.extend(each.iter().filter_map(|one| one.as_ref().err()).map(|r| r.code()));
            }
            Err(refusal) => drop(codes.insert(refusal.code())),
        }
        if number >= opening.len() {
            let seconds = match chance.below(60) {
                0 => chance.below(12 * 86_400),
                1 | 2 => chance.below(20_000),
                _ => chance.below(60),
            };
            at = at.plus_seconds(seconds);
        }
    }
    assert_eq!(model.compare(&machine), [], "seed {seed}");
    (codes, done, between(&machine, &model))
}

fn between(machine: &Machine, model: &Model) -> [u64; 4] {
    let Some(view) = machine.peers().pop() else { return [0; 4] };
    let peer = model.peer(&view.name).unwrap();
    let number = |count: usize| u64::try_from(count).unwrap();
    let resolved = peer.gone.iter().filter(|one| one.resolution.is_some()).count();
    let credited = peer.come.iter().filter(|one| one.resolution == Resolution::Credited).count();
    [view.sent, number(resolved), view.received, number(credited)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_model_agrees_with_the_machine_on_any_commands(seed: u64) {
        run(seed, 150);
    }
}

#[test]
fn the_commands_reach_most_rules() {
    let mut codes = BTreeSet::new();
    let mut done = 0;
    let mut between = [0; 4];
    for seed in 0..120 {
        let (more, accepted, abroad) = run(seed, 250);
        codes.extend(more);
        done += accepted;
        for (sum, more) in between.iter_mut().zip(abroad) {
            *sum += more;
        }
    }
    assert!(done > 3_000, "{done}");
    assert!(between.iter().all(|count| *count > 40), "{between:?}");
    for code in [
        "account.frozen",
        "account.has_holds",
        "command.chain_refused",
        "command.id_expired",
        "command.id_reused",
        "freeze.in_force",
        "freeze.same_authority",
        "freeze.unknown",
        "hold.more_than_held",
        "hold.unknown",
        "keyset.inactive",
        "keyset.not_over",
        "keyset.other_bank",
        "keyset.registered",
        "notes.beyond_issued",
        "notes.denomination",
        "notes.input_repeated",
        "notes.limit_exceeded.daily",
        "notes.limit_exceeded.redemption",
        "notes.no_rules",
        "notes.not_registered_payee",
        "notes.output_repeated",
        "notes.promised",
        "notes.spent",
        "notes.uneven",
        "transfer.deadline",
        "transfer.limit_exceeded.daily",
        "transfer.limit_exceeded.yearly",
        "transfer.more_than_transferred",
        "transfer.not_yours",
        "transfer.payee_full",
        "transfer.unknown",
        "transit.ahead",
        "transit.currency_differs",
        "transit.differs",
        "transit.no_offer",
        "transit.offered_less",
        "transit.other_ledger",
        "transit.peer_closed",
        "transit.settled",
        "transit.too_many",
        "transit.unknown",
        "transit.unsettled",
    ] {
        assert!(codes.contains(code), "{code} is not among {codes:?}");
    }
}
