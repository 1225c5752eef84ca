//! A wallet's life after its opening: classes changed, sums of a class capped, rest, sub-wallets,
//! closing. One row for each refusal, in its place before every later one.

use super::support::*;
use crate::{
    Action, Direction, HoldingRules, HoldingTerms, LimitExceeded, LimitKind, Refusal, Standing,
    StepUp, SubLimits,
};
use yufu_base::{AccountId, Digest};

const TICKETS: AccountId = AccountId::new(20);
const DAYS: u64 = 86_400;

fn rules(cap: u64) -> Action {
    let terms = HoldingTerms {
        aggregate_balance: [(class("IV"), cap)].into(),
        dormant_after_days: Some(100),
    };
    Action::SetHoldingRules { rules: HoldingRules::new(terms).unwrap() }
}

fn fill(account: AccountId, minor: u64) -> Action {
    let direction = Direction::DepositToDigital(account);
    Action::Exchange { direction, amount: cny(minor) }
}

fn empty(account: AccountId, minor: u64) -> Action {
    let direction = Direction::DigitalToDeposit(account);
    Action::Exchange { direction, amount: cny(minor) }
}

fn set_class(account: AccountId, to: &str) -> Action {
    Action::SetClass { account, class: class(to) }
}

fn close(account: AccountId) -> Action {
    Action::CloseWallet { account }
}

fn dormant(account: AccountId) -> Action {
    Action::FlagDormant { account }
}

fn awake(account: AccountId) -> Action {
    Action::Reactivate { account, evidence: Digest::of(b"presentation") }
}

fn sub(account: AccountId, parent: AccountId, limits: (u64, u64, u64)) -> Action {
    let (per_payment, per_day, balance) = limits;
    let limits = SubLimits { per_payment, per_day, balance };
    Action::OpenSubWallet { account, parent, payee: SHOP, limits, order: Digest::of(b"order") }
}

fn fund(account: AccountId, minor: u64) -> Action {
    Action::FundSubWallet { account, amount: cny(minor), order: Digest::of(b"order") }
}

fn exceeded(kind: LimitKind, of: (u64, u64, u64), classes: &[&str]) -> Refusal {
    let (limit, remaining, requested) = of;
    let names: Vec<_> = classes.iter().map(|name| class(name)).collect();
    let step_up = (!names.is_empty()).then_some(StepUp::Classes(names));
    Refusal::LimitExceeded(LimitExceeded { kind, limit, remaining, requested, step_up })
}

/// Alice holds 800 in class IV, 300 of it in a sub-wallet that pays the shop 50 at a time, 120 a day.
fn city() -> City {
    let mut city = City::furnished();
    city.done(CENTRAL_BANK, rules(3000));
    city.done("bank-a", sub(TICKETS, ALICE, (50, 120, 400)));
    city.done("bank-a", fund(TICKETS, 300));
    city
}

fn refused(city: &mut City, by: &str, action: Action) -> Refusal {
    let before = city.machine.books_hash();
    let refusal = city.submit(by, action).unwrap_err();
    assert_eq!(city.machine.books_hash(), before, "{refusal} changed something");
    refusal
}

const CLOSED: AccountId = AccountId::new(21);
const RESTING: AccountId = AccountId::new(22);

/// As [`city`], with a closed and a dormant wallet, a hundred days later.
fn aged() -> City {
    let mut city = city();
    for account in [CLOSED, RESTING] {
        city.done("bank-a", Action::OpenWallet { account, class: class("IV") });
    }
    city.done("bank-a", close(CLOSED));
    city.now = city.now.plus_seconds(100 * DAYS);
    city.done("bank-a", dormant(RESTING));
    city.done("bank-a", fill(ALICE, 1));
    city
}

#[test]
fn each_rule_of_a_wallets_life_refuses_before_every_later_rule() {
    let mut city = aged();
    let (old, rest) = (CLOSED, RESTING);
    let earliest = city.now.plus_seconds(100 * DAYS);
    let missing = AccountId::new(99);
    let rows = [
        ("command.not_permitted", CENTRAL_BANK, set_class(missing, "V")),
        ("command.not_permitted", CENTRAL_BANK, close(missing)),
        ("command.not_permitted", CENTRAL_BANK, dormant(missing)),
        ("command.not_permitted", CENTRAL_BANK, awake(missing)),
        ("command.not_permitted", CENTRAL_BANK, sub(missing, missing, (0, 0, 0))),
        ("command.not_permitted", CENTRAL_BANK, fund(missing, 0)),
        ("command.not_permitted", "bank-a", rules(0)),
        ("class.unknown", "bank-a", set_class(missing, "V")),
        ("account.unknown", "bank-a", set_class(missing, "I")),
        ("account.other_bank", "bank-b", set_class(old, "IV")),
        ("account.closed", "bank-a", set_class(old, "IV")),
        ("account.dormant", "bank-a", set_class(rest, "IV")),
        ("account.is_sub_wallet", "bank-a", set_class(TICKETS, "IV")),
        ("class.unchanged", "bank-a", set_class(ALICE, "IV")),
        ("account.unknown", "bank-a", close(missing)),
        ("account.other_bank", "bank-b", close(old)),
        ("account.closed", "bank-a", close(old)),
        ("account.has_sub_wallets", "bank-a", close(ALICE)),
        ("account.not_empty", "bank-a", close(BOB)),
        ("account.unknown", "bank-a", dormant(missing)),
        ("account.other_bank", "bank-b", dormant(old)),
        ("account.closed", "bank-a", dormant(old)),
        ("account.dormant", "bank-a", dormant(rest)),
        ("account.moved_lately", "bank-a", dormant(ALICE)),
        ("account.is_sub_wallet", "bank-a", dormant(TICKETS)),
        ("account.unknown", "bank-a", awake(missing)),
        ("account.other_bank", "bank-b", awake(rest)),
        ("account.closed", "bank-a", awake(old)),
        ("account.not_dormant", "bank-a", awake(ALICE)),
        ("account.exists", "bank-a", sub(BOB, missing, (9999, 0, 0))),
        ("account.unknown", "bank-a", sub(missing, missing, (9999, 0, 0))),
        ("account.other_bank", "bank-b", sub(missing, old, (9999, 0, 0))),
        ("account.closed", "bank-a", sub(missing, old, (9999, 0, 0))),
        ("account.dormant", "bank-a", sub(missing, rest, (9999, 0, 0))),
        ("account.is_sub_wallet", "bank-a", sub(missing, TICKETS, (9999, 0, 0))),
        ("sub_wallet.limit_wider", "bank-a", sub(missing, BOB, (201, 0, 0))),
        ("sub_wallet.limit_wider", "bank-a", sub(missing, BOB, (0, 501, 0))),
        ("sub_wallet.limit_wider", "bank-a", sub(missing, BOB, (0, 0, 1001))),
        ("transfer.same_account", "bank-a", sub(missing, SHOP, (1, 1, 1))),
        ("account.unknown", "bank-a", fund(missing, 0)),
        ("account.other_bank", "bank-b", fund(old, 0)),
        ("account.closed", "bank-a", fund(old, 0)),
        ("account.not_sub_wallet", "bank-a", fund(BOB, 0)),
        ("transfer.amount_zero", "bank-a", fund(TICKETS, 0)),
        ("transfer.insufficient_funds", "bank-a", fund(TICKETS, 502)),
        ("sub_wallet.limit_exceeded.balance", "bank-a", fund(TICKETS, 101)),
        ("account.closed", "bank-a", pay(old, BOB, 0)),
        ("account.closed", "bank-a", pay(rest, old, 0)),
        ("account.dormant", "bank-a", pay(rest, rest, 0)),
        ("sub_wallet.other_payee", "bank-a", pay(TICKETS, TICKETS, 0)),
        ("account.closed", "bank-a", fill(old, 0)),
        ("account.dormant", "bank-a", fill(rest, 0)),
        ("account.is_sub_wallet", "bank-a", fill(TICKETS, 0)),
        ("account.is_sub_wallet", "bank-a", empty(TICKETS, 1)),
    ];
    for (code, by, action) in rows {
        let label = format!("{by} {action:?}");
        assert_eq!(refused(&mut city, by, action).code(), code, "{label}");
    }
    let moved = refused(&mut city, "bank-a", dormant(ALICE));
    assert_eq!(moved, Refusal::MovedLately { earliest });
}

#[test]
fn rules_may_name_only_classes_of_the_policy_and_without_rules_nothing_rests() {
    let mut city = City::furnished();
    assert_eq!(refused(&mut city, "bank-a", dormant(AccountId::new(99))), Refusal::NoDormancy);
    let terms =
        HoldingTerms { aggregate_balance: [(class("V"), 1)].into(), dormant_after_days: None };
    let unknown = Action::SetHoldingRules { rules: HoldingRules::new(terms).unwrap() };
    assert_eq!(refused(&mut city, CENTRAL_BANK, unknown), Refusal::ClassUnknown(class("V")));
}

#[test]
fn a_wallet_changes_class_both_ways_but_only_into_one_that_may_hold_what_it_holds() {
    let mut city = City::furnished();
    city.done("bank-a", set_class(ALICE, "III"));
    city.done("bank-a", fill(ALICE, 201));
    let refusal = refused(&mut city, "bank-a", set_class(ALICE, "IV"));
    assert_eq!(refusal, exceeded(LimitKind::Balance, (1000, 1000, 1001), &["I", "III"]));
    city.done("bank-a", empty(ALICE, 1));
    city.done("bank-a", set_class(ALICE, "IV"));
    assert!(city.submit("bank-a", pay(ALICE, SHOP, 201)).is_err());
    assert_eq!(city.machine.wallet(ALICE, city.now).unwrap().class, class("IV"));
}

#[test]
fn what_was_paid_in_one_class_counts_in_the_next() {
    let mut city = City::furnished();
    city.done("bank-b", pay(CAROL, SHOP, 400));
    city.done("bank-b", set_class(CAROL, "IV"));
    city.done("bank-b", pay(CAROL, SHOP, 100));
    let refusal = refused(&mut city, "bank-b", pay(CAROL, SHOP, 1));
    assert_eq!(refusal.code(), "transfer.limit_exceeded.daily");
}

#[test]
fn all_wallets_of_a_class_at_a_bank_hold_the_cap_and_not_a_fen_more() {
    let mut city = City::furnished();
    // Alice 800 and Bob 900 are of class IV at bank A.
    city.done(CENTRAL_BANK, rules(1800));
    let refusal = refused(&mut city, "bank-a", fill(ALICE, 101));
    assert_eq!(refusal, exceeded(LimitKind::Aggregate, (1800, 100, 101), &["I", "III"]));
    assert_eq!(refusal.code(), "transfer.limit_exceeded.aggregate");
    // Between two of them, the sum stays; from another class or bank it grows.
    city.done("bank-a", pay(BOB, ALICE, 100));
    assert_eq!(refused(&mut city, "bank-b", pay(CAROL, BOB, 101)), Refusal::PayeeFull);
    city.done("bank-b", pay(CAROL, BOB, 100));
    assert_eq!(
        refused(&mut city, "bank-a", fill(ALICE, 1)).code(),
        "transfer.limit_exceeded.aggregate"
    );
    // The cap is each bank's own, and a class that is not named has none.
    city.done("bank-b", set_class(CAROL, "IV"));
    let refusal = refused(&mut city, "bank-a", set_class(SHOP, "IV"));
    assert_eq!(refusal, exceeded(LimitKind::Aggregate, (1800, 0, 800), &["I", "III"]));
    // A lower cap takes nothing away; it keeps more from coming.
    city.done(CENTRAL_BANK, rules(10));
    assert_eq!(city.held(ALICE), 900);
    city.done("bank-a", empty(ALICE, 900));
    assert_eq!(
        refused(&mut city, "bank-a", fill(ALICE, 1)).code(),
        "transfer.limit_exceeded.aggregate"
    );
}

#[test]
fn a_closed_wallet_neither_pays_nor_is_paid_and_is_never_opened_again() {
    let mut city = City::furnished();
    assert_eq!(refused(&mut city, "bank-a", close(ALICE)), Refusal::NotEmpty(800));
    city.done("bank-a", empty(ALICE, 800));
    city.done("bank-a", close(ALICE));
    let closed = Refusal::AccountClosed(ALICE);
    assert_eq!(refused(&mut city, "bank-a", pay(ALICE, SHOP, 1)), closed);
    assert_eq!(refused(&mut city, "bank-a", pay(BOB, ALICE, 1)), closed);
    let again = Action::OpenWallet { account: ALICE, class: class("IV") };
    assert_eq!(refused(&mut city, "bank-a", again), Refusal::AccountExists(ALICE));
    assert_eq!(city.machine.wallet(ALICE, city.now).unwrap().standing, Standing::Closed);
}

#[test]
fn a_wallet_rests_after_the_days_of_the_rules_to_the_millisecond_and_wakes_for_its_holder() {
    let mut city = city();
    city.now = START.plus_seconds(100 * DAYS).minus_seconds(1);
    assert_eq!(refused(&mut city, "bank-a", dormant(BOB)).code(), "account.moved_lately");
    // A payment from the sub-wallet is movement of the wallet above it.
    city.done("bank-a", pay(TICKETS, SHOP, 1));
    city.now = START.plus_seconds(100 * DAYS);
    city.done("bank-a", dormant(BOB));
    assert_eq!(refused(&mut city, "bank-a", dormant(ALICE)).code(), "account.moved_lately");
    assert_eq!(refused(&mut city, "bank-a", pay(BOB, SHOP, 1)), Refusal::AccountDormant(BOB));
    city.done("bank-a", pay(ALICE, BOB, 1));
    assert_eq!(refused(&mut city, "bank-a", pay(BOB, SHOP, 1)), Refusal::AccountDormant(BOB));
    city.done("bank-a", awake(BOB));
    city.done("bank-a", pay(BOB, SHOP, 1));
    city.now = city.now.plus_seconds(100 * DAYS);
    city.done("bank-a", dormant(ALICE));
    assert_eq!(refused(&mut city, "bank-a", pay(TICKETS, SHOP, 1)), Refusal::AccountDormant(ALICE));
    assert_eq!(refused(&mut city, "bank-a", fund(TICKETS, 1)), Refusal::AccountDormant(ALICE));
}

#[test]
fn a_payment_from_a_sub_wallet_counts_against_both() {
    let mut city = city();
    assert_eq!((city.held(ALICE), city.held(TICKETS)), (500, 300));
    let refusal = refused(&mut city, "bank-a", pay(TICKETS, SHOP, 51));
    assert_eq!(refusal, exceeded(LimitKind::SubSingle, (50, 50, 51), &[]));
    city.done("bank-a", pay(TICKETS, SHOP, 50));
    city.done("bank-a", pay(TICKETS, SHOP, 50));
    let refusal = refused(&mut city, "bank-a", pay(TICKETS, SHOP, 21));
    assert_eq!(refusal, exceeded(LimitKind::SubDaily, (120, 20, 21), &[]));
    // Alice's own day has 500: 100 are used from below, funding used none.
    for amount in [200, 199] {
        city.done("bank-a", pay(ALICE, SHOP, amount));
    }
    let refusal = refused(&mut city, "bank-a", pay(TICKETS, SHOP, 2));
    assert_eq!(refusal.code(), "transfer.limit_exceeded.daily");
    city.done("bank-a", pay(TICKETS, SHOP, 1));
    assert_eq!(refused(&mut city, "bank-a", pay(TICKETS, BOB, 1)), Refusal::OtherPayee(SHOP));
    assert_eq!(city.machine.wallet(TICKETS, city.now).unwrap().parent, Some(ALICE));
    assert!(city.machine.supply().balanced);
}

#[test]
fn what_lies_in_sub_wallets_counts_as_held_by_the_wallet_above() {
    let mut city = city();
    let refusal = refused(&mut city, "bank-a", fill(ALICE, 201));
    assert_eq!(refusal, exceeded(LimitKind::Balance, (1000, 200, 201), &["I", "III"]));
    city.done("bank-a", fill(ALICE, 200));
    assert_eq!(refused(&mut city, "bank-a", pay(SHOP, TICKETS, 1)), Refusal::PayeeFull);
    city.done("bank-a", pay(ALICE, SHOP, 200));
    // A refund reaches the sub-wallet, up to what that may hold.
    assert_eq!(refused(&mut city, "bank-a", pay(SHOP, TICKETS, 101)), Refusal::PayeeFull);
    city.done("bank-a", pay(SHOP, TICKETS, 100));
    city.done("bank-a", set_class(ALICE, "III"));
    assert_eq!(city.machine.wallet(TICKETS, city.now).unwrap().class, class("III"));
    let refusal = refused(&mut city, "bank-a", fill(ALICE, 1101));
    assert_eq!(refusal, exceeded(LimitKind::Balance, (2000, 1100, 1101), &["I"]));
}

#[test]
fn closing_a_sub_wallet_returns_the_rest() {
    let mut city = city();
    city.done("bank-a", pay(TICKETS, SHOP, 50));
    city.done("bank-a", close(TICKETS));
    assert_eq!((city.held(ALICE), city.held(TICKETS)), (750, 0));
    assert_eq!(
        refused(&mut city, "bank-a", pay(TICKETS, SHOP, 1)),
        Refusal::AccountClosed(TICKETS)
    );
    assert_eq!(refused(&mut city, "bank-a", fund(TICKETS, 1)), Refusal::AccountClosed(TICKETS));
    city.done("bank-a", empty(ALICE, 750));
    city.done("bank-a", close(ALICE));
    assert!(city.machine.supply().balanced);
}

#[test]
fn there_are_at_most_16_sub_wallets_below_one_wallet() {
    let mut city = City::furnished();
    for id in 30..46 {
        city.done("bank-a", sub(AccountId::new(id), ALICE, (1, 1, 1)));
    }
    let refusal = refused(&mut city, "bank-a", sub(AccountId::new(46), ALICE, (1, 1, 1)));
    assert_eq!(refusal, Refusal::TooManySubWallets(ALICE));
    city.done("bank-a", close(AccountId::new(30)));
    city.done("bank-a", sub(AccountId::new(46), ALICE, (1, 1, 1)));
}
