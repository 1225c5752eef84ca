//! The model finds each rule broken when told that a machine had done what it should have
//! refused, or refused for a number that is not so. No machine runs here.

use super::support::*;
use crate::Irregularity;
use crate::model::Model;
use yufu_base::{AccountId, Amount, CommandId, Currency, Signer, Timestamp};
use yufu_machine::{
    AccountKind, Action, ClassId, Direction, Done, LimitExceeded, LimitKind, Machine, Outcome,
    Refusal, Submission,
};

const fn done(at: Timestamp) -> Outcome {
    Ok(Done::one(at, None))
}

fn furnished() -> Model {
    let mut model = Model::default();
    for command in submissions(furnishing()) {
        assert_eq!(model.observe(START, &command, &done(START)), []);
    }
    model
}

fn id(number: u128) -> CommandId {
    CommandId::at(START, 1000 + number)
}

fn found(model: &mut Model, command: &Submission) -> Vec<&'static str> {
    let found = model.observe(START, command, &done(START));
    found.iter().map(Irregularity::code).collect()
}

#[test]
fn what_should_have_been_refused_is_found() {
    let dollars = Amount::new(Currency::new("USD").unwrap(), 1);
    let direction = Direction::DigitalToPaper(CAROL);
    let class = ClassId::new("IV").unwrap();
    let key = key_of("stranger").public_key();
    let rows: [(&str, Action, &[&str]); 16] = [
        ("bank-a", pay(ALICE, CAROL, 201), &["command.limit"]),
        ("bank-a", pay(BOB, ALICE, 150), &["command.limit"]),
        ("bank-b", pay(ALICE, CAROL, 1), &["command.wallet"]),
        ("bank-a", pay(ALICE, ALICE, 1), &["command.malformed"]),
        ("bank-a", pay(ALICE, CAROL, 0), &["command.malformed"]),
        ("bank-a", pay(ALICE, AccountId::new(9), 1), &["command.wallet"]),
        ("bank-a", Action::CreditDeposits { amount: dollars }, &["command.malformed"]),
        ("bank-a", Action::Exchange { direction, amount: cny(1) }, &["command.wallet"]),
        (
            "bank-a",
            Action::Exchange { direction: Direction::PaperToDigital(ALICE), amount: cny(101) },
            &["command.limit"],
        ),
        (
            "bank-a",
            Action::Exchange { direction: Direction::DigitalToPaper(ALICE), amount: cny(901) },
            &["command.overdrawn"],
        ),
        (
            "bank-a",
            Action::CreateReserves { bank: name("bank-a"), amount: cny(1) },
            &["command.permission"],
        ),
        ("central-bank", Action::CreditDeposits { amount: cny(1) }, &["command.permission"]),
        (
            "central-bank",
            Action::Issue { bank: name("bank-a"), amount: cny(10_001) },
            &["command.overdrawn"],
        ),
        ("bank-a", Action::OpenWallet { account: ALICE, class }, &["command.opened_twice"]),
        (
            "central-bank",
            Action::RegisterBank { bank: name("bank-a"), key },
            &["command.opened_twice"],
        ),
        (
            "bank-a",
            Action::ReplaceKey { institution: name("bank-b"), key },
            &["command.permission"],
        ),
    ];
    for (number, (by, action, expected)) in (0..).zip(rows) {
        let label = format!("{by} {action:?}");
        let command = signed(by, id(number), action);
        assert_eq!(found(&mut furnished(), &command), expected, "{label}");
    }
}

#[test]
fn a_limit_is_recomputed_over_a_day_and_over_a_year() {
    let mut model = furnished();
    let shop = AccountId::new(7);
    let class = ClassId::new("IV").unwrap();
    let open = signed("bank-b", id(0), Action::OpenWallet { account: shop, class });
    assert_eq!(found(&mut model, &open), Vec::<&str>::new());
    let mut limits = Vec::new();
    for number in 0..6 {
        // Two payments a day.
        let at = START.plus_seconds(86_400 * (number / 2));
        let command = signed("bank-a", id(1 + u128::from(number)), pay(ALICE, shop, 190));
        for irregularity in model.observe(at, &command, &done(at)) {
            if let Irregularity::Limit { limit, account } = irregularity {
                limits.push((number, limit, account == ALICE));
            }
        }
    }
    assert_eq!(limits, [(5, "yearly", true), (5, "balance", false)]);
    let command = signed("bank-a", id(9), pay(BOB, CAROL, 200));
    let mut model = furnished();
    assert_eq!(found(&mut model, &command), Vec::<&str>::new());
    let command = signed("bank-a", id(10), pay(BOB, CAROL, 200));
    assert_eq!(found(&mut model, &command), Vec::<&str>::new());
    let command = signed("bank-a", id(11), pay(BOB, ALICE, 101));
    let found = model.observe(START, &command, &done(START));
    assert!(found.contains(&Irregularity::Limit { limit: "daily", account: BOB }));
}

#[test]
fn a_key_that_is_not_current_and_an_unknown_submitter_are_found() {
    let mut command = signed("bank-a", id(1), pay(ALICE, CAROL, 1));
    command.key = key_of("stranger").public_key();
    assert_eq!(found(&mut furnished(), &command), ["command.key"]);
    let command = signed("stranger", id(2), Action::CreditDeposits { amount: cny(1) });
    assert_eq!(found(&mut furnished(), &command), ["command.permission"]);
}

#[test]
fn an_id_that_is_answered_twice_is_found() {
    let mut model = furnished();
    let first = signed("bank-a", id(1), pay(ALICE, CAROL, 1));
    assert_eq!(found(&mut model, &first), Vec::<&str>::new());
    assert_eq!(found(&mut model, &first), Vec::<&str>::new());
    let other = signed("bank-a", id(1), pay(ALICE, CAROL, 2));
    assert_eq!(found(&mut model, &other), ["command.id_used_twice"]);
    let refused = Err(Refusal::PayeeFull);
    assert_eq!(model.observe(START, &first, &refused), [Irregularity::IdUsedTwice]);
}

#[test]
fn an_id_that_is_admitted_out_of_its_time_is_found() {
    let early = START.minus_seconds(40 * 86_400);
    for at in [early, START.plus_seconds(86_400)] {
        let command = signed("bank-a", CommandId::at(at, 5), pay(ALICE, CAROL, 1));
        assert_eq!(found(&mut furnished(), &command), ["command.id_out_of_time"]);
    }
}

#[test]
fn an_id_may_not_come_again_after_it_is_forgotten() {
    let mut model = furnished();
    let first = signed("bank-a", id(1), pay(ALICE, CAROL, 1));
    assert_eq!(found(&mut model, &first), Vec::<&str>::new());
    let later = START.plus_seconds(40 * 86_400);
    let again = model.observe(later, &first, &done(later));
    let codes: Vec<&str> = again.iter().map(Irregularity::code).collect();
    assert_eq!(codes, ["command.id_out_of_time"]);
}

#[test]
fn a_refusal_with_a_number_that_is_not_so_is_found() {
    let exceeded = |kind, limit, remaining| {
        let requested = 201;
        let step_up = None;
        Refusal::LimitExceeded(LimitExceeded { kind, limit, remaining, requested, step_up })
    };
    let short = |available| Refusal::InsufficientFunds {
        account: AccountKind::Wallet,
        available,
        requested: 201,
    };
    let rows = [
        (exceeded(LimitKind::Single, 200, 200), true),
        (exceeded(LimitKind::Single, 201, 201), false),
        (exceeded(LimitKind::Daily, 500, 0), false),
        (short(900), false),
        (short(100), false),
        (Refusal::AccountUnknown(CAROL), false),
    ];
    for (refusal, so) in rows {
        let command = signed("bank-a", id(1), pay(ALICE, CAROL, 201));
        let found = furnished().observe(START, &command, &Err(refusal.clone()));
        assert_eq!(found.is_empty(), so, "{refusal:?}");
    }
}

#[test]
fn a_machine_with_other_books_is_found() {
    let found = furnished().compare(&Machine::new());
    let codes: Vec<_> = found.iter().map(Irregularity::code).collect();
    assert!(codes.contains(&"books.balance") && codes.contains(&"books.total"));
    assert_eq!(Model::default().compare(&Machine::new()), []);
}
