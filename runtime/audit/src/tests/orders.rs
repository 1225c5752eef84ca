//! The model finds each rule of version 2 broken: what is pending, what is taken back, what is
//! frozen, and lists of orders. No machine runs here but where it says so.

use super::support::*;
use crate::audit;
use crate::model::Model;
use crate::{Finding, Irregularity};
use yufu_base::{AccountId, CommandId, Digest, Timestamp};
use yufu_machine::{
    Action, Authorisation, Chain, DeadlineTerms, Deadlines, Direction, Done, Machine, Order,
    Orders, Outcome, Refusal,
};

const DAY: u64 = 86_400;
const NONE: [&str; 0] = [];

fn id(number: u128) -> CommandId {
    CommandId::at(START, 5000 + number)
}

fn later(seconds: u64) -> Timestamp {
    START.plus_seconds(seconds)
}

fn hold(payer: AccountId, payee: AccountId, minor: u64, seconds: u64) -> Action {
    let (order, authorisation) = (Digest::ZERO, Authorisation::Ordinary);
    let (amount, expires) = (cny(minor), later(seconds));
    Action::HoldPayment { payer, payee, amount, expires, order, authorisation }
}

fn all(payer: AccountId, payee: AccountId, most: u64, close: bool) -> Action {
    let (order, authorisation) = (Digest::ZERO, Authorisation::Ordinary);
    Action::PayAvailable { payer, payee, most: cny(most), close, order, authorisation }
}

fn post(hold: CommandId, minor: u64) -> Action {
    Action::PostHold { hold, amount: cny(minor) }
}

fn refund(of: CommandId, minor: u64) -> Action {
    Action::Refund { of, amount: cny(minor), order: Digest::ZERO }
}

fn dispute(of: CommandId, minor: u64, seconds: u64) -> Action {
    let (expires, evidence) = (later(seconds), Digest::ZERO);
    Action::DisputePayment { of, amount: cny(minor), expires, evidence }
}

fn correct(of: CommandId, minor: u64) -> Action {
    Action::Correct { of, amount: cny(minor), reason: Digest::ZERO }
}

fn freeze(account: AccountId, seconds: u64) -> Action {
    Action::OrderFreeze { account, legal_reference: Digest::ZERO, until: later(seconds) }
}

fn confirm(freeze: CommandId) -> Action {
    Action::ConfirmFreeze { freeze }
}

fn lift(freeze: CommandId) -> Action {
    Action::LiftFreeze { freeze }
}

/// Version 2 and what it needs.
fn modern() -> Vec<(&'static str, Action)> {
    let deadlines = Deadlines::new(DeadlineTerms {
        hold_days: 2,
        dispute_days: 3,
        freeze_confirm_days: 1,
        freeze_days: 10,
    });
    let key = |name| yufu_base::Signer::public_key(&key_of(name));
    let mut actions = furnishing();
    actions.extend([
        ("central-bank", Action::ActivateVersion { version: 2 }),
        ("central-bank", Action::SetDeadlines { deadlines: deadlines.ok() }),
    ]);
    for name in ["court", "prosecutor", "tax-office"] {
        let authority = self::name(name);
        actions.push(("central-bank", Action::RegisterAuthority { authority, key: key(name) }));
    }
    actions
}

const HELD: u128 = 1;
const PAID: u128 = 2;
const ENTERED: u128 = 3;
const ISSUED: u128 = 4;
const FROZEN: u128 = 5;
const ORDERED: u128 = 7;

/// 100 of Alice's held for Carol; 50 paid to her; 40 of Bob's exchanged; Bob frozen; a freeze of
/// Alice ordered and not confirmed.
fn story_so_far() -> Vec<(u128, &'static str, Action)> {
    let direction = Direction::DepositToDigital(BOB);
    vec![
        (HELD, "bank-a", hold(ALICE, CAROL, 100, DAY)),
        (PAID, "bank-a", pay(ALICE, CAROL, 50)),
        (ENTERED, "bank-a", Action::Exchange { direction, amount: cny(40) }),
        (ISSUED, "central-bank", Action::Issue { bank: name("bank-a"), amount: cny(30) }),
        (FROZEN, "court", freeze(BOB, 5 * DAY)),
        (6, "prosecutor", confirm(id(FROZEN))),
        (ORDERED, "court", freeze(ALICE, 5 * DAY)),
    ]
}

fn done(at: Timestamp) -> Outcome {
    Ok(Done::one(at, None))
}

fn so_far() -> Model {
    let mut model = Model::default();
    for command in submissions(modern()) {
        assert_eq!(model.observe(START, &command, &done(START)), []);
    }
    for (number, by, action) in story_so_far() {
        let command = signed(by, id(number), action);
        assert_eq!(model.observe(START, &command, &done(START)), [], "{number}");
    }
    model
}

fn found_at(model: &mut Model, at: Timestamp, by: &str, action: Action) -> Vec<&'static str> {
    let label = format!("{at:?}{by}{action:?}");
    let random =
        Digest::of(label.as_bytes()).0.first_chunk().map_or(0, |b| u128::from_be_bytes(*b));
    let command = signed(by, CommandId::at(at, random), action);
    let found = model.observe(at, &command, &done(at));
    found.iter().map(Irregularity::code).collect()
}

#[test]
fn what_version_2_should_have_refused_is_found() {
    let rows: [(&str, Action, &[&str]); 32] = [
        ("central-bank", Action::ActivateVersion { version: 4 }, &["command.version"]),
        ("bank-a", Action::ActivateVersion { version: 3 }, &["command.permission"]),
        ("bank-a", pay(ALICE, CAROL, 1), &[]),
        ("bank-a", hold(ALICE, CAROL, 100, 0), &["command.deadline"]),
        ("bank-a", hold(ALICE, CAROL, 100, 3 * DAY), &["command.deadline"]),
        ("bank-a", hold(ALICE, CAROL, 201, DAY), &["command.limit"]),
        ("bank-a", hold(BOB, CAROL, 1, DAY), &["command.frozen"]),
        ("bank-b", hold(CAROL, ALICE, 151, DAY), &["command.limit"]),
        ("bank-a", post(id(HELD), 10), &["command.not_theirs"]),
        ("central-bank", post(id(HELD), 10), &["command.not_theirs"]),
        ("bank-b", post(id(HELD), 101), &["command.more_than_left"]),
        ("bank-b", post(id(PAID), 1), &["command.unknown"]),
        ("court", post(id(HELD), 1), &["command.permission", "command.not_theirs"]),
        ("bank-a", Action::ReleaseHold { hold: id(HELD) }, &["command.not_theirs"]),
        ("bank-b", Action::ReleaseHold { hold: id(99) }, &["command.unknown"]),
        ("bank-a", refund(id(PAID), 1), &["command.not_theirs"]),
        ("bank-b", refund(id(PAID), 51), &["command.more_than_left"]),
        ("bank-b", refund(id(HELD), 1), &["command.unknown"]),
        ("bank-b", dispute(id(PAID), 1, DAY), &["command.not_theirs"]),
        ("bank-a", dispute(id(PAID), 51, DAY), &["command.more_than_left"]),
        ("bank-a", dispute(id(PAID), 1, 4 * DAY), &["command.deadline"]),
        (
            "bank-b",
            correct(id(ENTERED), 1),
            &["command.wallet", "command.frozen", "command.not_theirs"],
        ),
        ("bank-a", correct(id(ENTERED), 1), &["command.frozen"]),
        ("central-bank", correct(id(ISSUED), 31), &["command.more_than_left"]),
        ("bank-a", correct(id(PAID), 1), &["command.unknown"]),
        ("bank-a", pay(BOB, CAROL, 1), &["command.frozen"]),
        ("bank-a", all(BOB, CAROL, 1, false), &["command.frozen"]),
        (
            "bank-a",
            all(ALICE, CAROL, 900, true),
            &["command.limit", "command.limit", "command.limit", "command.standing"],
        ),
        ("bank-a", freeze(ALICE, DAY), &["command.permission"]),
        ("court", freeze(ALICE, 11 * DAY), &["command.deadline"]),
        ("court", confirm(id(ORDERED)), &["command.not_theirs"]),
        ("tax-office", lift(id(FROZEN)), &["command.not_theirs"]),
    ];
    for (by, action, expected) in rows {
        let label = format!("{by} {action:?}");
        assert_eq!(found_at(&mut so_far(), START, by, action), expected, "{label}");
    }
}

#[test]
fn an_action_of_version_2_before_it_is_in_force_is_found() {
    let mut model = Model::default();
    for command in submissions(furnishing()) {
        assert_eq!(model.observe(START, &command, &done(START)), []);
    }
    let found = found_at(&mut model, START, "bank-a", all(ALICE, CAROL, 1, false));
    assert_eq!(found, ["command.version"]);
    let key = yufu_base::Signer::public_key(&key_of("court"));
    let register = Action::RegisterAuthority { authority: name("court"), key };
    assert_eq!(found_at(&mut model, START, "central-bank", register), ["command.version"]);
    let activate = Action::ActivateVersion { version: 3 };
    assert_eq!(found_at(&mut model, START, "central-bank", activate), ["command.version"]);
}

#[test]
fn what_is_pending_is_neither_there_to_spend_nor_beyond_its_time_to_post() {
    let mut model = so_far();
    // 850 are left of Alice's 900, 100 of them promised.
    let out = |minor| Action::Exchange {
        direction: Direction::DigitalToDeposit(ALICE),
        amount: cny(minor),
    };
    assert_eq!(found_at(&mut model, START, "bank-a", out(751)), ["command.overdrawn"]);
    let mut model = so_far();
    assert_eq!(found_at(&mut model, later(DAY - 1), "bank-b", post(id(HELD), 40)), NONE);
    assert_eq!(
        found_at(&mut model, later(DAY - 1), "bank-b", post(id(HELD), 1)),
        ["command.unknown"]
    );
    let mut model = so_far();
    assert_eq!(found_at(&mut model, later(DAY), "bank-b", post(id(HELD), 1)), ["command.unknown"]);
}

#[test]
fn what_is_released_counts_again_on_its_own_day_only() {
    // 150 of 500 are spent or held today.
    let mut model = so_far();
    for minor in [175, 174] {
        assert_eq!(found_at(&mut model, START, "bank-a", pay(ALICE, BOB, minor)), NONE);
    }
    assert_eq!(found_at(&mut model, START, "bank-a", pay(ALICE, BOB, 2)), ["command.limit"]);
    let mut model = so_far();
    let release = Action::ReleaseHold { hold: id(HELD) };
    assert_eq!(found_at(&mut model, START, "bank-b", release), NONE);
    for (payee, minor) in [(BOB, 200), (BOB, 150), (CAROL, 100)] {
        assert_eq!(found_at(&mut model, START, "bank-a", pay(ALICE, payee, minor)), NONE);
    }
    assert_eq!(found_at(&mut model, START, "bank-a", pay(ALICE, CAROL, 1)), ["command.limit"]);
    // What was held yesterday makes no room today.
    let (mut model, at) = (so_far(), later(DAY - 1));
    for (payee, minor) in [(BOB, 200), (BOB, 150), (CAROL, 150)] {
        assert_eq!(found_at(&mut model, at, "bank-a", pay(ALICE, payee, minor)), NONE);
    }
    let release = Action::ReleaseHold { hold: id(HELD) };
    assert_eq!(found_at(&mut model, at, "bank-b", release), NONE);
    assert_eq!(found_at(&mut model, at, "bank-a", pay(ALICE, CAROL, 1)), ["command.limit"]);
}

#[test]
fn a_dispute_takes_from_what_can_be_refunded_until_it_is_over() {
    let mut model = so_far();
    let held = signed("bank-a", id(60), dispute(id(PAID), 30, DAY));
    assert_eq!(model.observe(START, &held, &done(START)), []);
    let refunded =
        |model: &mut Model, at, minor| found_at(model, at, "bank-b", refund(id(PAID), minor));
    assert_eq!(refunded(&mut model, START, 21), ["command.more_than_left"]);
    let mut model = so_far();
    assert_eq!(model.observe(START, &held, &done(START)), []);
    assert_eq!(refunded(&mut model, later(DAY - 1), 20), NONE);
    let conceded = found_at(&mut model, later(DAY - 1), "bank-a", post(id(60), 30));
    assert_eq!(conceded, ["command.not_theirs"]);
    let mut model = so_far();
    assert_eq!(model.observe(START, &held, &done(START)), []);
    assert_eq!(found_at(&mut model, START, "central-bank", post(id(60), 10)), NONE);
    assert_eq!(refunded(&mut model, START, 41), ["command.more_than_left"]);
}

#[test]
fn freezes_end_by_themselves_and_are_counted() {
    let mut model = so_far();
    assert_eq!(
        found_at(&mut model, later(DAY), "tax-office", confirm(id(ORDERED))),
        ["command.unknown"]
    );
    assert_eq!(
        found_at(&mut model, later(5 * DAY - 1), "bank-a", pay(BOB, CAROL, 1)),
        ["command.frozen"]
    );
    assert_eq!(found_at(&mut model, later(5 * DAY), "bank-a", pay(BOB, CAROL, 1)), NONE);
    let found = so_far().compare(&Machine::new());
    let counts = ["freezes ordered", "freezes confirmed", "freezes in force", "pending transfers"];
    for wanted in counts {
        let named = |one: &Irregularity| matches!(one, Irregularity::Total { total, .. } if *total == wanted);
        assert!(found.iter().any(named), "{wanted}");
    }
}

fn orders(actions: Vec<Action>) -> Vec<Order> {
    (70..).zip(actions).map(|(number, action)| Order { id: id(number), action }).collect()
}

#[test]
fn each_order_of_a_list_and_all_of_a_chain_are_held_to_the_rules() {
    let actions = vec![pay(ALICE, CAROL, 1), pay(BOB, CAROL, 1)];
    let list = Action::Each { orders: Orders::new(orders(actions.clone())).unwrap() };
    let answered =
        |each: Vec<Outcome>| Ok(Done { at: START, balance: None, each: Some(each.into()) });
    let frozen: Outcome = Err(Refusal::AccountFrozen(BOB));
    let rows = [
        (answered(vec![done(START), frozen.clone()]), vec![]),
        (answered(vec![done(START), done(START)]), vec!["command.frozen"]),
        (answered(vec![frozen.clone(), frozen]), vec!["command.refusal"]),
        (answered(vec![done(START)]), vec!["command.answers"]),
        (done(START), vec!["command.answers"]),
    ];
    for (outcome, expected) in rows {
        let command = signed("bank-a", id(69), list.clone());
        let found = so_far().observe(START, &command, &outcome);
        assert_eq!(found.iter().map(Irregularity::code).collect::<Vec<_>>(), expected);
    }
    let chain = Action::Chain { orders: Chain::new(orders(actions)).unwrap() };
    assert_eq!(found_at(&mut so_far(), START, "bank-a", chain), ["command.frozen"]);
}

#[test]
fn a_refusal_of_version_2_with_a_number_that_is_not_so_is_found() {
    let of = id(PAID);
    let refused = |place, of: Refusal| Refusal::ChainRefused { place, of: Box::new(of) };
    let chain = |actions| Action::Chain { orders: Chain::new(orders(actions)).unwrap() };
    let pays = || chain(vec![pay(ALICE, CAROL, 200), pay(ALICE, CAROL, 151)]);
    let daily = |remaining| {
        Refusal::LimitExceeded(yufu_machine::LimitExceeded {
            kind: yufu_machine::LimitKind::Daily,
            limit: 500,
            remaining,
            requested: 151,
            step_up: None,
        })
    };
    let more = |left, requested| Refusal::MoreThanTransferred { of, left, requested };
    let rows = [
        ("bank-b", refund(of, 51), more(50, 51), true),
        ("bank-b", refund(of, 51), more(40, 51), false),
        ("bank-b", refund(of, 50), more(50, 50), false),
        ("bank-b", refund(of, 1), Refusal::TransferUnknown(of), false),
        ("bank-a", refund(of, 1), Refusal::NotYours(of), true),
        ("bank-b", refund(of, 1), Refusal::NotYours(of), false),
        ("bank-b", post(id(HELD), 101), Refusal::MoreThanHeld { held: 100, requested: 101 }, true),
        ("bank-b", post(id(HELD), 101), Refusal::MoreThanHeld { held: 99, requested: 101 }, false),
        ("bank-b", post(id(HELD), 1), Refusal::HoldUnknown(id(HELD)), false),
        ("bank-a", pay(ALICE, CAROL, 1), Refusal::AccountFrozen(ALICE), false),
        ("bank-a", pay(BOB, CAROL, 1), Refusal::AccountFrozen(BOB), true),
        ("bank-a", Action::CloseWallet { account: ALICE }, Refusal::HasHolds(ALICE), true),
        ("bank-a", Action::CloseWallet { account: BOB }, Refusal::HasHolds(BOB), false),
        ("prosecutor", confirm(id(FROZEN)), Refusal::FreezeInForce(id(FROZEN)), true),
        ("prosecutor", confirm(id(ORDERED)), Refusal::FreezeInForce(id(ORDERED)), false),
        ("prosecutor", confirm(id(ORDERED)), Refusal::SameAuthority(id(ORDERED)), false),
        ("court", lift(id(99)), Refusal::FreezeUnknown(id(99)), true),
        ("court", lift(id(FROZEN)), Refusal::FreezeUnknown(id(FROZEN)), false),
        ("bank-a", hold(ALICE, CAROL, 1, 60), Refusal::NoDeadlines, false),
        ("bank-a", pays(), refused(1, daily(150)), true),
        ("bank-a", pays(), refused(1, daily(350)), false),
        ("bank-a", pays(), refused(0, Refusal::AccountFrozen(ALICE)), false),
        ("bank-a", pays(), refused(2, daily(150)), false),
    ];
    for (by, action, refusal, so) in rows {
        let command = signed(by, id(80), action);
        let found = so_far().observe(START, &command, &Err(refusal.clone()));
        assert_eq!(found.is_empty(), so, "{refusal:?}");
    }
}

#[test]
fn an_honest_log_of_version_2_passes_and_a_tampered_one_does_not() {
    let mut commands = submissions(modern());
    commands.extend(story_so_far().into_iter().map(|(n, by, action)| signed(by, id(n), action)));
    commands.push(signed("bank-b", id(90), post(id(HELD), 60)));
    commands.push(signed("bank-b", id(91), refund(id(PAID), 20)));
    commands.push(signed("bank-a", id(92), hold(ALICE, CAROL, 10, DAY)));
    let log = Doctored::honest(&commands);
    let report = audit(&log).unwrap();
    assert_eq!(report.findings, Vec::<Finding>::new());
    assert_eq!((report.pending.transfers, report.pending.amount), (1, 10));
    let freezes = report.freezes;
    assert_eq!((freezes.ordered, freezes.confirmed, freezes.in_force), (2, 1, 1));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["pending"]["amount"], "10");
    assert_eq!(json["freezes"]["ordered"], 2);
    let doctored = log.rewritten(|batches| {
        for command in batches.iter_mut().flat_map(|batch| &mut batch.commands) {
            if let Action::PostHold { amount, .. } = &mut command.order.action {
                *amount = cny(61);
            }
        }
    });
    let codes = codes(&audit(&doctored).unwrap());
    assert!(codes.contains_key("command.signature") && codes.contains_key("record.outcomes"));
}
