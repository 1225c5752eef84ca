//! A purse that is killed at any step, before or after the mint saw the request, loses and doubles nothing. The
//! mint may know a repeated request again, or refuse it as one done before.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod support;

use proptest::prelude::*;
use support::{MINT, Person, TestMint};
use yufu_ecash::Token;
use yufu_purse::delay::MOST_REST;
use yufu_purse::{OperationId, Outcome, PayTerms, Progress, Reply, Waiting};

/// What happens to a request at which the purse is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It never arrives.
    Unsent,
    /// It arrives, and its answer gets lost.
    Unheard,
    /// The mint answers that it has trouble, and has none.
    Trouble,
}

const FATES: [Fate; 3] = [Fate::Unsent, Fate::Unheard, Fate::Trouble];

struct World {
    mint: TestMint,
    person: Person,
    other: Person,
    /// What came from accounts.
    funded: u64,
}

type Begin = fn(&mut World) -> OperationId;

/// Every operation, and what begins it with 100 that have rested.
const OPERATIONS: [(&str, Begin); 8] = [
    ("withdraw", |world| {
        world.funded += 37;
        world.person.purse.withdraw(MINT, 37, 50, 5, world.mint.now).unwrap()
    }),
    ("pay with change", |world| pay(world, PayTerms::to_bearer(MINT.to_owned(), 18))),
    ("pay as it is", |world| pay(world, PayTerms::to_bearer(MINT.to_owned(), 32))),
    ("pay locked", |world| {
        let key = world.other.purse.fresh_key(&world.other.seed).unwrap();
        pay(world, PayTerms::to_key(MINT.to_owned(), 18, key, world.mint.now + 1_000))
    }),
    ("receive", |world| {
        let token = token_of_other(world, 9, false);
        let (person, now) = (&mut world.person, world.mint.now);
        person.purse.receive(&person.seed, &token, None, now).unwrap()
    }),
    ("collect", |world| {
        let token = token_of_other(world, 9, true);
        let terms = yufu_purse::OfflineTerms { margin: 10, risk_limit: 0 };
        let (person, now) = (&mut world.person, world.mint.now);
        person.purse.take_offline(&person.seed, &token, terms, now).unwrap();
        person.purse.collect(&person.seed, now)[0]
    }),
    ("redeem with change", |world| {
        world.person.purse.redeem(MINT, 21, "7", world.mint.now).unwrap()
    }),
    ("redeem as it is", |world| world.person.purse.redeem(MINT, 36, "7", world.mint.now).unwrap()),
];

fn pay(world: &mut World, terms: PayTerms) -> OperationId {
    world.person.purse.pay(&world.person.seed, terms, world.mint.now).unwrap()
}

/// A token from the other person, locked to the person if wanted.
fn token_of_other(world: &mut World, amount: u64, locked: bool) -> Token {
    let terms = if locked {
        let key = world.person.purse.fresh_key(&world.person.seed).unwrap();
        PayTerms::to_key(MINT.to_owned(), amount, key, world.mint.now + 1_000)
    } else {
        PayTerms::to_bearer(MINT.to_owned(), amount)
    };
    let now = world.mint.now;
    let id = world.other.purse.pay(&world.other.seed, terms, now).unwrap();
    world.other.run(id, &mut world.mint);
    world.other.purse.handing(id).unwrap().token
}

fn world(forgetful: bool, fee: u64) -> World {
    let mut mint = TestMint::new(fee);
    let mut person = Person::new(1, &mut mint);
    let mut other = Person::new(2, &mut mint);
    person.withdraw(100, &mut mint);
    other.withdraw(100, &mut mint);
    mint.now += MOST_REST;
    mint.forgetful = forgetful;
    World { mint, person, other, funded: 200 }
}

/// Goes on until `kill` requests were made, and is killed at that one. `None` if the operation ended before.
fn run_until(world: &mut World, id: OperationId, kill: usize, fate: Fate) -> Option<()> {
    for sent in 0.. {
        world.person.reopened();
        let saved = world.person.purse.clone();
        let request = world.person.purse.request(&world.person.seed, id).ok()?;
        if sent == kill {
            if fate != Fate::Unsent {
                world.mint.ask(&request);
            }
            if fate == Fate::Trouble {
                let trouble = Reply { status: 503, body: Vec::new() };
                let (now, person) = (world.mint.now, &mut world.person);
                person.purse.handle(&person.seed, id, &trouble, now).unwrap_err();
                assert_eq!(person.purse, saved, "an unclear answer changes nothing");
            }
            return Some(());
        }
        if step(world, id, &request)? {
            return None;
        }
    }
    None
}

/// One request and its answer; the quote is paid, and whatever is given counts as over. Whether it is over.
fn step(world: &mut World, id: OperationId, request: &yufu_purse::Request) -> Option<bool> {
    let answer = world.mint.ask(request);
    let person = &mut world.person;
    let progress = person.purse.handle(&person.seed, id, &answer, world.mint.now).unwrap();
    match progress {
        Progress::Waiting(Waiting::Funding { quote, refused: None, .. }) => {
            world.mint.fund(&quote, 1);
            Some(false)
        }
        Progress::Waiting(Waiting::Taking { .. }) => Some(true),
        Progress::Done(Outcome::Lost(_) | Outcome::Refused(_)) => panic!("{progress:?}"),
        Progress::Done(_) => Some(true),
        _ => Some(false),
    }
}

/// After the crash: what was saved is opened, and goes on to its end.
fn resume(world: &mut World, id: OperationId) {
    for _ in 0..100 {
        let Ok(request) = world.person.purse.request(&world.person.seed, id) else { return };
        if step(world, id, &request).unwrap() {
            return;
        }
    }
    panic!("no end");
}

/// Everything that left the accounts is in a purse, in what was given, or was redeemed.
fn conserved(world: &World) {
    let given = |person: &Person| -> u64 {
        let ids: Vec<OperationId> = person.purse.under_way().collect();
        ids.iter().filter_map(|id| person.purse.given(*id)).map(|given| given.left).sum()
    };
    let redeemed: u64 = world.mint.redeemed.values().sum();
    let (person, other) = (&world.person, &world.other);
    let held = person.purse.balance() + other.purse.balance() + given(person);
    assert_eq!(u128::from(held), world.mint.outstanding(), "every note that is out is in a purse");
    assert_eq!(held + redeemed, world.funded);
}

#[test]
fn killed_at_each_step_of_each_operation_nothing_is_lost_or_doubled() {
    let mut kills = 0;
    for (name, begin) in OPERATIONS {
        for (forgetful, fate) in [false, true].into_iter().flat_map(|f| FATES.map(|fate| (f, fate)))
        {
            for (kill, again) in (0..8).flat_map(|kill| (0..5).map(move |again| (kill, again))) {
                let mut world = world(forgetful, 0);
                let id = begin(&mut world);
                if run_until(&mut world, id, kill, fate).is_none() {
                    assert!(kill > 0, "{name} sends something");
                    break;
                }
                kills += 1;
                world.person.reopened();
                // Killed once more on the way back, if there is so much of it.
                let _ = run_until(&mut world, id, again, Fate::Unheard);
                world.person.reopened();
                resume(&mut world, id);
                // What the other gave is taken: its own record of it is over.
                let other = &mut world.other;
                let given: Vec<OperationId> = other.purse.under_way().collect();
                for id in given {
                    let done = other.run(id, &mut world.mint);
                    assert!(matches!(done, Progress::Done(Outcome::Taken { .. })), "{name}");
                }
                conserved(&world);
            }
        }
    }
    assert!(kills > 350, "{kills}");
}

#[test]
fn a_purse_that_comes_back_when_its_quote_is_forgotten_lets_go_of_it_and_has_everything() {
    let quoted = |name: &&str| name.starts_with("withdraw") || name.starts_with("redeem");
    let mut let_go = 0;
    for (name, begin) in OPERATIONS.iter().filter(|(name, _)| quoted(name)) {
        for (kill, fate) in (0..8).flat_map(|kill| FATES.map(|fate| (kill, fate))) {
            let mut world = world(true, 0);
            let id = begin(&mut world);
            if run_until(&mut world, id, kill, fate).is_none() {
                continue;
            }
            world.mint.now += 100_000;
            world.mint.forget_quotes();
            world.person.reopened();
            let done = to_its_end(&mut world, id);
            assert!(!matches!(done, Outcome::Lost(_)), "{name}, killed at {kill}: {done:?}");
            let_go += usize::from(matches!(done, Outcome::Lapsed | Outcome::Refused(_)));
            assert_eq!(world.person.purse.under_way().count(), 0, "{name}, killed at {kill}");
            let held = world.person.purse.balance() + world.other.purse.balance();
            assert_eq!(u128::from(held), world.mint.outstanding(), "{name}, killed at {kill}");
        }
    }
    assert!(let_go > 8, "{let_go}");
}

/// Goes on, whatever comes of it.
fn to_its_end(world: &mut World, id: OperationId) -> Outcome {
    for _ in 0..100 {
        let person = &mut world.person;
        let request = person.purse.request(&person.seed, id).unwrap();
        let answer = world.mint.ask(&request);
        let progress = person.purse.handle(&person.seed, id, &answer, world.mint.now).unwrap();
        match progress {
            Progress::Waiting(Waiting::Funding { quote, refused: None, .. }) => {
                world.mint.fund(&quote, 1);
            }
            Progress::Done(outcome) => return outcome,
            _ => {}
        }
    }
    panic!("no end");
}

#[test]
fn killed_while_it_restores_a_purse_has_everything_in_the_end() {
    for kill in 0.. {
        let mut world = world(false, 0);
        world.person.purse = yufu_purse::Purse::default();
        world.person.learn(&mut world.mint);
        let id = world.person.purse.restore(MINT, world.mint.now).unwrap();
        let killed = run_until(&mut world, id, kill, FATES[kill % 3]);
        world.person.reopened();
        resume(&mut world, id);
        conserved(&world);
        if killed.is_none() {
            assert!(kill > 5);
            break;
        }
    }
}

#[test]
fn killed_while_it_takes_back_a_purse_has_everything_in_the_end() {
    for (kill, fate) in (0..3).flat_map(|kill| FATES.map(|fate| (kill, fate))) {
        let mut world = world(true, 0);
        let id = pay(&mut world, PayTerms::to_bearer(MINT.to_owned(), 18));
        world.person.run(id, &mut world.mint);
        let person = &mut world.person;
        assert!(person.purse.take_back(&person.seed, id, world.mint.now));
        let _ = run_until(&mut world, id, kill, fate);
        world.person.reopened();
        resume(&mut world, id);
        assert_eq!(world.person.purse.balance(), 100);
        conserved(&world);
    }
}

#[test]
fn a_keyset_that_stops_signing_in_the_midst_costs_nothing() {
    for (name, begin) in OPERATIONS {
        let mut world = world(true, 0);
        let id = begin(&mut world);
        // Up to the first request that signs; then the keysets change.
        loop {
            let request = world.person.purse.request(&world.person.seed, id).unwrap();
            if ["/v1/swap", "/v1/mint/bank", "/v1/melt/bank", "/v1/checkstate"]
                .contains(&request.path.as_str())
            {
                break;
            }
            step(&mut world, id, &request).unwrap();
        }
        world.mint.rotate();
        world.person.learn(&mut world.mint);
        // It ends, or is refused with everything back.
        world.person.run(id, &mut world.mint);
        let offline: u64 = world.person.purse.offline().iter().map(|one| one.amount()).sum();
        let (person, other) = (world.person.purse.balance(), world.other.purse.balance());
        let given: u64 = [&world.person, &world.other]
            .iter()
            .flat_map(|one| one.purse.under_way().filter_map(|id| one.purse.given(id)))
            .map(|given| given.left)
            .sum();
        let out = world.mint.outstanding();
        // A token that could not be received is with its payer yet, whose record counts it.
        let counted = if name == "collect" { given } else { given + offline };
        assert_eq!(u128::from(person + other + counted), out, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_two_people_do_and_wherever_they_are_killed_the_sum_stays(
        fee in prop::sample::select(vec![0_u64, 300]),
        forgetful: bool,
        plan in prop::collection::vec((0_usize..8, 0_usize..6, 0_usize..3), 1..6),
    ) {
        let mut world = world(forgetful, fee);
        for (which, kill, fate) in plan {
            world.mint.now += MOST_REST;
            if world.mint.now > 4_900_000 || world.person.purse.balance() < 60 {
                break;
            }
            if world.other.purse.balance() < 30 {
                break;
            }
            let id = OPERATIONS[which].1(&mut world);
            let _ = run_until(&mut world, id, kill, FATES[fate]);
            world.person.reopened();
            resume(&mut world, id);
            let given: Vec<OperationId> = world.other.purse.under_way().collect();
            for id in given {
                world.other.run(id, &mut world.mint);
            }
            let given: u64 = {
                let purse = &world.person.purse;
                purse.under_way().filter_map(|id| purse.given(id)).map(|given| given.left).sum()
            };
            let held = world.person.purse.balance() + world.other.purse.balance() + given;
            prop_assert_eq!(u128::from(held), world.mint.outstanding());
        }
    }
}
