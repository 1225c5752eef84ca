//! Versions of the rules: an old log gives what it gave, a new rule waits until it is in force, and a
//! state of either version is read back as it was.

use super::support::*;
use crate::{Action, Machine, Outcome, Refusal, Submission};
use yufu_base::{Digest, Snapshot, Stamp, StateMachine};

const COMMANDS: &[u8] = include_bytes!("../../fixtures/version-1.commands");
const EXPECTED: &str = include_str!("../../fixtures/version-1.expected");

/// The same of the build of version 2, which began under version 1.
const COMMANDS_OF_2: &[u8] = include_bytes!("../../fixtures/version-2.commands");
const EXPECTED_OF_2: &str = include_str!("../../fixtures/version-2.expected");

/// The same of the build of version 3.
const COMMANDS_OF_3: &[u8] = include_bytes!("../../fixtures/version-3.commands");
const EXPECTED_OF_3: &str = include_str!("../../fixtures/version-3.expected");

/// A log as the build of its time applied it.
fn log_of(commands: &[u8]) -> Vec<(Stamp, Submission)> {
    borsh::from_slice(commands).unwrap()
}

fn old_log() -> Vec<(Stamp, Submission)> {
    log_of(COMMANDS)
}

/// What a log comes to, told as the fixtures tell it.
fn told(machine: &mut Machine, log: &[(Stamp, Submission)]) -> String {
    let outcomes: Vec<Outcome> =
        log.iter().map(|(stamp, command)| machine.apply(*stamp, command)).collect();
    format!(
        "commands {}\ndone {}\noutcomes {}\nstate {}\n",
        outcomes.len(),
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        Digest::of(&borsh::to_vec(&outcomes).unwrap()),
        machine.state_hash(),
    )
}

fn read_back(machine: &Machine) -> Machine {
    let mut bytes = Vec::new();
    machine.write_state(&mut bytes).unwrap();
    Machine::read_state(&mut bytes.as_slice()).unwrap()
}

#[test]
fn a_log_of_version_1_gives_the_outcomes_and_the_state_that_its_build_gave() {
    let mut machine = Machine::new();
    assert_eq!(told(&mut machine, &old_log()), EXPECTED);
    assert_eq!(machine.version(), 1);
}

#[test]
fn a_log_of_version_2_gives_the_outcomes_and_the_state_that_its_build_gave() {
    let mut machine = Machine::new();
    assert_eq!(told(&mut machine, &log_of(COMMANDS_OF_2)), EXPECTED_OF_2);
    assert_eq!(machine.version(), 2);
}

#[test]
fn a_log_of_version_3_gives_the_outcomes_and_the_state_that_its_build_gave() {
    let mut machine = Machine::new();
    assert_eq!(told(&mut machine, &log_of(COMMANDS_OF_3)), EXPECTED_OF_3);
    assert_eq!(machine.version(), 3);
}

#[test]
fn a_state_is_read_back_as_it_was_in_either_version_and_goes_on_alike() {
    let mut machine = Machine::new();
    for (place, (stamp, command)) in old_log().iter().enumerate() {
        machine.apply(*stamp, command).unwrap_or_else(|_| crate::Done::one(stamp.at, None));
        if place % 16 == 0 {
            let read = read_back(&machine);
            assert_eq!(read.state_hash(), machine.state_hash(), "after {place}");
            machine = read;
        }
    }
    let mut city = City::current();
    let hold = city.named("bank-a", hold(ALICE, SHOP, 50, 86_400));
    let paid = city.named("bank-a", pay(ALICE, SHOP, 20));
    city.done("bank-a", Action::Refund { of: paid, amount: cny(5), order: Digest::ZERO });
    let freeze = city.named(COURT, freeze(BOB, 5 * 86_400));
    city.done(PROSECUTOR, Action::ConfirmFreeze { freeze });
    let mut read = City { machine: read_back(&city.machine), now: city.now, ids: city.ids };
    assert_eq!(read.machine.state_hash(), city.machine.state_hash());
    for city in [&mut city, &mut read] {
        let frozen = city.submit("bank-a", pay(BOB, SHOP, 1));
        assert_eq!(frozen, Err(Refusal::AccountFrozen(BOB)));
        city.done("bank-a", Action::PostHold { hold, amount: cny(30) });
        let again = Action::Refund { of: paid, amount: cny(16), order: Digest::ZERO };
        let left = Refusal::MoreThanTransferred { of: paid, left: 15, requested: 16 };
        assert_eq!(city.submit("bank-a", again), Err(left));
        city.later(6 * 86_400);
        city.done("bank-a", pay(BOB, SHOP, 1));
    }
    assert_eq!(read.machine.state_hash(), city.machine.state_hash());
}

#[test]
fn a_cut_or_altered_state_is_refused_or_another_one() {
    let mut city = City::current();
    city.done("bank-a", hold(ALICE, SHOP, 50, 60));
    let mut bytes = Vec::new();
    city.machine.write_state(&mut bytes).unwrap();
    let hash = city.machine.state_hash();
    for cut in (0..bytes.len()).step_by(7) {
        assert!(Machine::read_state(&mut &bytes[..cut]).is_err(), "cut at {cut}");
    }
    for place in (0..bytes.len()).step_by(5) {
        let mut altered = bytes.clone();
        altered[place] ^= 1;
        if let Ok(read) = Machine::read_state(&mut altered.as_slice()) {
            assert_ne!(read.state_hash(), hash, "altered at {place}");
        }
    }
    bytes.push(0);
    assert!(Machine::read_state(&mut bytes.as_slice()).is_err());
}

#[test]
fn what_is_not_in_force_is_refused_and_not_remembered() {
    let mut city = City::furnished();
    let deadlines = submission(CENTRAL_BANK, city.id(), Action::SetDeadlines { deadlines: None });
    let state = city.machine.state_hash();
    let refused = city.apply(&deadlines).unwrap_err();
    assert_eq!(refused, Refusal::NotInForce { in_force: 1, needed: 2 });
    assert!(refused.before_admission());
    assert_eq!(city.machine.state_hash(), state);
    city.done(CENTRAL_BANK, Action::ActivateVersion { version: 2 });
    assert_eq!(city.machine.version(), 2);
    assert!(city.apply(&deadlines).is_ok());
}

#[test]
fn versions_are_activated_one_after_another_by_the_central_bank() {
    let mut city = City::furnished();
    let activate = |version| Action::ActivateVersion { version };
    let refused = city.submit("bank-a", activate(2)).unwrap_err();
    assert_eq!(refused.code(), "command.not_permitted");
    for version in [0, 1, 3] {
        let refused = city.submit(CENTRAL_BANK, activate(version)).unwrap_err();
        assert_eq!(refused, Refusal::NotNextVersion(1));
    }
    city.done(CENTRAL_BANK, activate(2));
    assert_eq!(city.submit(CENTRAL_BANK, activate(2)), Err(Refusal::NotNextVersion(2)));
}

#[test]
fn what_was_paid_under_version_1_is_remembered_but_cannot_be_taken_back() {
    let mut city = City::furnished();
    let payment = submission("bank-a", city.id(), pay(ALICE, SHOP, 20));
    let first = city.apply(&payment);
    city.done(CENTRAL_BANK, Action::ActivateVersion { version: 2 });
    assert_eq!(city.apply(&payment), first);
    let of = payment.order.id;
    let refund = Action::Refund { of, amount: cny(5), order: Digest::ZERO };
    assert_eq!(city.submit("bank-a", refund), Err(Refusal::TransferUnknown(of)));
}
