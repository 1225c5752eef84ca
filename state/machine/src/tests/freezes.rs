//! Freezing a wallet with due process.

use super::support::*;
use crate::{Action, Direction, FreezeCounts, Refusal, Role, SubLimits};
use yufu_base::{AccountId, Digest};

fn confirm(freeze: yufu_base::CommandId) -> Action {
    Action::ConfirmFreeze { freeze }
}

fn lift(freeze: yufu_base::CommandId) -> Action {
    Action::LiftFreeze { freeze }
}

#[test]
fn two_authorities_freeze_a_wallet_and_nobody_else_does() {
    let mut city = City::current();
    for by in ["bank-a", CENTRAL_BANK] {
        let refused = city.submit(by, freeze(ALICE, 60));
        assert_eq!(refused, Err(Refusal::NotPermitted { needed: Role::Authority }));
    }
    let id = city.named(COURT, freeze(ALICE, 60));
    city.done("bank-a", pay(ALICE, SHOP, 1));
    assert_eq!(city.submit(COURT, confirm(id)), Err(Refusal::SameAuthority(id)));
    city.done(PROSECUTOR, confirm(id));
    assert_eq!(city.submit(PROSECUTOR, confirm(id)), Err(Refusal::FreezeInForce(id)));
    assert_eq!(city.submit("bank-a", pay(ALICE, SHOP, 1)), Err(Refusal::AccountFrozen(ALICE)));
    assert!(city.machine.wallet(ALICE, city.now).unwrap().frozen);
    let counts = city.machine.totals().freezes;
    let expected =
        FreezeCounts { ordered: 1, confirmed: 1, in_force: 1, ..FreezeCounts::default() };
    assert_eq!(counts, expected);
}

#[test]
fn nothing_leaves_a_frozen_wallet_and_all_may_come_in() {
    let mut city = City::current();
    let below = AccountId::new(50);
    let limits = SubLimits { per_payment: 50, per_day: 100, balance: 200 };
    let order = Digest::ZERO;
    let open = Action::OpenSubWallet { account: below, parent: ALICE, payee: SHOP, limits, order };
    city.done("bank-a", open);
    let fund = |minor| Action::FundSubWallet { account: below, amount: cny(minor), order };
    city.done("bank-a", fund(100));
    let held = city.named("bank-a", hold(ALICE, SHOP, 60, 86_400));
    let paid = city.named("bank-a", pay(BOB, ALICE, 20));
    let paid_below = city.named("bank-b", pay(CAROL, below, 10));
    let id = city.named(COURT, freeze(ALICE, 86_400));
    city.done(PROSECUTOR, confirm(id));
    let exchange = |direction, minor| Action::Exchange { direction, amount: cny(minor) };
    let out = [
        pay(ALICE, SHOP, 1),
        pay(below, SHOP, 1),
        hold(ALICE, SHOP, 1, 60),
        fund(1),
        exchange(Direction::DigitalToPaper(ALICE), 1),
        exchange(Direction::DigitalToDeposit(ALICE), 1),
        Action::Refund { of: paid, amount: cny(1), order },
        Action::Refund { of: paid_below, amount: cny(1), order },
        Action::CloseWallet { account: ALICE },
    ];
    for action in out {
        assert_eq!(city.submit("bank-a", action), Err(Refusal::AccountFrozen(ALICE)));
    }
    let dispute = Action::DisputePayment {
        of: paid,
        amount: cny(1),
        expires: city.now.plus_seconds(60),
        evidence: order,
    };
    assert_eq!(city.submit("bank-a", dispute), Err(Refusal::AccountFrozen(ALICE)));
    city.done("bank-a", pay(BOB, ALICE, 1));
    city.done("bank-a", exchange(Direction::DepositToDigital(ALICE), 1));
    // What was promised before the freeze is the payee's to take.
    city.done("bank-a", Action::PostHold { hold: held, amount: cny(60) });
}

#[test]
fn a_freeze_ends_at_its_time_and_one_that_nobody_confirms_after_two_days() {
    let mut city = City::current();
    let in_force = city.named(COURT, freeze(ALICE, 3 * 86_400));
    city.done(PROSECUTOR, confirm(in_force));
    let waiting = city.named(COURT, freeze(BOB, 3 * 86_400));
    city.later(2 * 86_400);
    assert_eq!(city.submit(PROSECUTOR, confirm(waiting)), Err(Refusal::FreezeUnknown(waiting)));
    city.later(86_400 - 1);
    assert_eq!(city.submit("bank-a", pay(ALICE, SHOP, 1)), Err(Refusal::AccountFrozen(ALICE)));
    city.later(1);
    city.done("bank-a", pay(ALICE, SHOP, 1));
    let counts = city.machine.totals().freezes;
    assert_eq!((counts.lapsed, counts.unconfirmed, counts.in_force), (1, 1, 0));
}

#[test]
fn either_authority_lifts_a_freeze_and_another_one_stays_in_force() {
    let mut city = City::current();
    let third = name("tax-office");
    let key = key_of("tax-office");
    city.done(CENTRAL_BANK, Action::RegisterAuthority { authority: third, key });
    let [one, two] = [60, 120].map(|seconds| {
        let id = city.named(COURT, freeze(ALICE, seconds));
        city.done(PROSECUTOR, confirm(id));
        id
    });
    assert_eq!(city.submit("tax-office", lift(one)), Err(Refusal::NotYours(one)));
    city.done(PROSECUTOR, lift(one));
    assert_eq!(city.submit("bank-a", pay(ALICE, SHOP, 1)), Err(Refusal::AccountFrozen(ALICE)));
    city.done(COURT, lift(two));
    assert_eq!(city.submit(COURT, lift(two)), Err(Refusal::FreezeUnknown(two)));
    city.done("bank-a", pay(ALICE, SHOP, 1));
    assert_eq!(city.machine.totals().freezes.lifted, 2);
}

#[test]
fn a_freeze_needs_an_end_in_time_and_a_wallet_that_is_open() {
    let mut city = City::current();
    let latest = city.now.plus_seconds(180 * 86_400);
    for seconds in [0, 180 * 86_400 + 1] {
        let refused = city.submit(COURT, freeze(ALICE, seconds));
        assert_eq!(refused, Err(Refusal::Deadline { now: city.now, latest }));
    }
    let nobody = AccountId::new(99);
    let refused = city.submit(COURT, freeze(nobody, 60));
    assert_eq!(refused, Err(Refusal::AccountUnknown(nobody)));
}

#[test]
fn an_authority_is_no_bank_and_moves_nothing() {
    let mut city = City::current();
    let refused = city.submit(COURT, pay(ALICE, SHOP, 1));
    assert_eq!(refused, Err(Refusal::NotPermitted { needed: Role::Bank }));
    let action = Action::CreateReserves { bank: name(COURT), amount: cny(1) };
    assert_eq!(city.submit(CENTRAL_BANK, action), Err(Refusal::NotABank(name(COURT))));
}
