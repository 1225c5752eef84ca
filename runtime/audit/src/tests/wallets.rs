//! The model finds each rule of a wallet's life broken, and an honest log of such lives passes.

use super::support::*;
use crate::Irregularity;
use crate::audit;
use crate::model::Model;
use yufu_base::{AccountId, CommandId, Digest, Timestamp};
use yufu_machine::{
    Action, ClassId, Direction, Done, HoldingRules, HoldingTerms, Outcome, Policy, SubLimits,
};

const TICKETS: AccountId = AccountId::new(20);
const SPARE: AccountId = AccountId::new(21);
const EMPTY: AccountId = AccountId::new(22);

fn class(name: &str) -> ClassId {
    ClassId::new(name).unwrap()
}

fn rules(cap: u64, days: u32) -> Action {
    let aggregate_balance = [(class("IV"), cap)].into();
    let terms = HoldingTerms { aggregate_balance, dormant_after_days: Some(days) };
    Action::SetHoldingRules { rules: HoldingRules::new(terms).unwrap() }
}

/// As [`policy`], with a class III of which a wallet holds 500 at most.
fn two_classes() -> Action {
    let mut terms = policy().terms().clone();
    let mut three = terms.classes[&class("IV")];
    three.ordinary.balance = Some(500);
    terms.classes.insert(class("III"), three);
    Action::SetPolicy { policy: Policy::new(terms).unwrap() }
}

fn sub(account: AccountId, parent: AccountId, limits: (u64, u64, u64)) -> Action {
    let (per_payment, per_day, balance) = limits;
    let limits = SubLimits { per_payment, per_day, balance };
    Action::OpenSubWallet { account, parent, payee: CAROL, limits, order: Digest::of(b"order") }
}

fn fund(account: AccountId, minor: u64) -> Action {
    Action::FundSubWallet { account, amount: cny(minor), order: Digest::of(b"order") }
}

fn out(account: AccountId, minor: u64) -> Action {
    let direction = Direction::DigitalToDeposit(account);
    Action::Exchange { direction, amount: cny(minor) }
}

fn into(account: AccountId, minor: u64) -> Action {
    let direction = Direction::DepositToDigital(account);
    Action::Exchange { direction, amount: cny(minor) }
}

fn set_class(account: AccountId, to: &str) -> Action {
    Action::SetClass { account, class: class(to) }
}

/// Alice holds 900, of them 300 in a sub-wallet for Carol; a spare wallet is closed.
fn lives() -> Vec<(&'static str, Action)> {
    let mut actions = furnishing();
    actions.extend([
        ("central-bank", rules(1600, 10)),
        ("central-bank", two_classes()),
        ("bank-a", sub(TICKETS, ALICE, (50, 120, 400))),
        ("bank-a", fund(TICKETS, 300)),
        ("bank-a", Action::OpenWallet { account: SPARE, class: class("IV") }),
        ("bank-a", Action::CloseWallet { account: SPARE }),
    ]);
    actions
}

fn done(at: Timestamp) -> Outcome {
    Ok(Done::one(at, None))
}

fn furnished() -> Model {
    let mut model = Model::default();
    for command in submissions(lives()) {
        assert_eq!(model.observe(START, &command, &done(START)), []);
    }
    model
}

fn found(model: &mut Model, days: u64, by: &str, action: Action) -> Vec<&'static str> {
    let at = START.plus_seconds(days * 86_400);
    let label = format!("{action:?}");
    let random =
        Digest::of(label.as_bytes()).0.first_chunk().map_or(0, |b| u128::from_be_bytes(*b));
    let command = signed(by, CommandId::at(at, random), action);
    let found = model.observe(at, &command, &done(at));
    found.iter().map(Irregularity::code).collect()
}

#[test]
fn each_rule_of_a_wallets_life_is_held_by_the_model() {
    let close = |account| Action::CloseWallet { account };
    let rest = |account| Action::FlagDormant { account };
    let wake = |account| Action::Reactivate { account, evidence: Digest::of(b"shown") };
    let rows: [(u64, &str, Action, &[&str]); 26] = [
        (0, "bank-a", pay(ALICE, SPARE, 1), &["command.standing"]),
        (0, "bank-a", into(SPARE, 1), &["command.standing"]),
        (0, "bank-a", into(TICKETS, 1), &["command.sub_wallet"]),
        (0, "bank-a", into(ALICE, 101), &["command.limit", "command.aggregate"]),
        (0, "bank-a", into(BOB, 101), &["command.aggregate"]),
        (0, "bank-b", pay(CAROL, BOB, 101), &["command.aggregate"]),
        (0, "bank-a", pay(TICKETS, CAROL, 51), &["command.limit"]),
        (0, "bank-a", pay(TICKETS, BOB, 50), &["command.sub_wallet"]),
        (
            0,
            "bank-b",
            pay(CAROL, TICKETS, 101),
            &["command.limit", "command.limit", "command.aggregate"],
        ),
        (0, "bank-a", fund(TICKETS, 101), &["command.limit"]),
        (0, "bank-a", fund(BOB, 1), &["command.sub_wallet"]),
        (0, "bank-b", fund(TICKETS, 1), &["command.wallet"]),
        (0, "bank-a", sub(AccountId::new(30), BOB, (201, 1, 1)), &["command.sub_wallet"]),
        (0, "bank-a", sub(AccountId::new(30), TICKETS, (1, 1, 1)), &["command.sub_wallet"]),
        (0, "bank-b", sub(AccountId::new(30), ALICE, (1, 1, 1)), &["command.wallet"]),
        (0, "bank-a", sub(BOB, ALICE, (1, 1, 1)), &["command.opened_twice"]),
        (0, "bank-a", set_class(ALICE, "III"), &["command.limit"]),
        (0, "bank-a", set_class(BOB, "IV"), &["command.limit"]),
        (0, "bank-b", set_class(BOB, "III"), &["command.wallet", "command.limit"]),
        (0, "bank-a", close(BOB), &["command.standing"]),
        (0, "bank-a", close(ALICE), &["command.standing"]),
        (9, "bank-a", rest(BOB), &["command.standing"]),
        (10, "bank-a", rest(BOB), &[]),
        (10, "bank-a", rest(TICKETS), &["command.sub_wallet"]),
        (0, "bank-a", wake(BOB), &["command.standing"]),
        (0, "central-bank", close(TICKETS), &["command.permission", "command.wallet"]),
    ];
    for (days, by, action, expected) in rows {
        let label = format!("{by} {action:?}");
        assert_eq!(found(&mut furnished(), days, by, action), expected, "{label}");
    }
    assert_eq!(found(&mut furnished(), 0, "bank-a", rules(1, 1)), ["command.permission"]);
}

#[test]
fn a_payment_from_below_counts_above_and_rest_stops_both() {
    let mut model = furnished();
    assert_eq!(found(&mut model, 0, "bank-a", pay(ALICE, CAROL, 150)), Vec::<&str>::new());
    assert_eq!(found(&mut model, 0, "bank-a", pay(TICKETS, CAROL, 50)), Vec::<&str>::new());
    let none = Vec::<&str>::new();
    assert_eq!(found(&mut model, 0, "bank-a", pay(TICKETS, CAROL, 49)), none);
    assert_eq!(found(&mut model, 0, "bank-a", pay(TICKETS, CAROL, 22)), ["command.limit"]);
    assert_eq!(found(&mut model, 11, "bank-a", Action::FlagDormant { account: ALICE }), none);
    assert_eq!(found(&mut model, 11, "bank-a", pay(TICKETS, CAROL, 1)), ["command.standing"]);
    assert_eq!(found(&mut model, 11, "bank-a", fund(TICKETS, 1)), ["command.standing"]);
}

#[test]
fn an_honest_log_of_lives_passes_with_its_refusals() {
    let mut actions = lives();
    actions.extend([
        ("bank-a", pay(TICKETS, CAROL, 50)),
        ("bank-a", pay(TICKETS, CAROL, 51)),
        ("bank-a", pay(TICKETS, BOB, 1)),
        ("bank-a", into(BOB, 200)),
        ("bank-a", pay(ALICE, SPARE, 1)),
        ("bank-a", out(BOB, 100)),
        ("bank-a", set_class(BOB, "III")),
        ("bank-a", set_class(ALICE, "III")),
        ("bank-a", Action::FlagDormant { account: BOB }),
        // An empty wallet goes into a class whose cap was lowered below what it holds.
        ("central-bank", rules(1, 10)),
        ("bank-a", Action::OpenWallet { account: EMPTY, class: class("III") }),
        ("bank-a", set_class(EMPTY, "IV")),
        ("bank-a", Action::CloseWallet { account: TICKETS }),
        ("bank-a", pay(TICKETS, CAROL, 1)),
        ("bank-a", out(ALICE, 850)),
        ("bank-a", Action::CloseWallet { account: ALICE }),
    ]);
    let report = audit(&Doctored::honest(&submissions(actions))).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.refused, 7);
    assert!(report.supply.balanced);
}
