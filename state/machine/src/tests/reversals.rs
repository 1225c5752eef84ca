//! Refunds and corrections: by whoever it falls to, never more in all than was transferred.

use super::support::*;
use crate::{Action, Direction, Refusal};
use yufu_base::{AccountId, CommandId, Digest};

fn refund(of: CommandId, minor: u64) -> Action {
    Action::Refund { of, amount: cny(minor), order: Digest::ZERO }
}

fn correct(of: CommandId, minor: u64) -> Action {
    Action::Correct { of, amount: cny(minor), reason: Digest::ZERO }
}

#[test]
fn a_payment_is_refunded_in_full_or_in_part_and_never_beyond() {
    let mut city = City::current();
    let of = city.named("bank-a", pay(ALICE, CAROL, 100));
    assert_eq!(city.submit("bank-a", refund(of, 1)), Err(Refusal::NotYours(of)));
    city.done("bank-b", refund(of, 30));
    city.done("bank-b", refund(of, 70));
    let none = Refusal::MoreThanTransferred { of, left: 0, requested: 1 };
    assert_eq!(city.submit("bank-b", refund(of, 1)), Err(none));
    assert_eq!((city.held(ALICE), city.held(CAROL)), (800, 800));
    // What was spent stays spent: a refund is no way round a limit.
    assert_eq!(city.machine.wallet(ALICE, city.now).unwrap().spent_today, cny(100));
    assert_eq!(city.machine.wallet(CAROL, city.now).unwrap().spent_today, cny(0));
}

#[test]
fn a_refund_itself_is_not_refunded_and_a_repeat_pays_back_once() {
    let mut city = City::current();
    let of = city.named("bank-a", pay(ALICE, CAROL, 100));
    let back = submission("bank-b", city.id(), refund(of, 30));
    let first = city.apply(&back);
    assert_eq!(city.apply(&back), first);
    assert_eq!(city.held(ALICE), 730);
    let again = city.submit("bank-a", refund(back.order.id, 1));
    assert_eq!(again, Err(Refusal::TransferUnknown(back.order.id)));
}

#[test]
fn a_refund_needs_both_wallets_open_and_room_and_money() {
    let mut city = City::current();
    let of = city.named("bank-a", pay(ALICE, SHOP, 150));
    let direction = Direction::DepositToDigital(ALICE);
    city.done("bank-a", Action::Exchange { direction, amount: cny(300) });
    assert_eq!(city.submit("bank-a", refund(of, 51)), Err(Refusal::PayeeFull));
    city.done("bank-a", pay(SHOP, CAROL, 910));
    let short = city.submit("bank-a", refund(of, 50)).unwrap_err();
    assert_eq!(short.code(), "transfer.insufficient_funds");
    let direction = Direction::DigitalToDeposit(ALICE);
    city.done("bank-a", Action::Exchange { direction, amount: cny(950) });
    city.done("bank-a", Action::CloseWallet { account: ALICE });
    assert_eq!(city.submit("bank-a", refund(of, 1)), Err(Refusal::AccountClosed(ALICE)));
}

#[test]
fn what_is_forgotten_cannot_be_taken_back() {
    let mut city = City::current();
    let of = city.named("bank-a", pay(ALICE, CAROL, 100));
    city.later(7 * 86_400);
    city.done("bank-b", refund(of, 1));
    city.later(1);
    assert_eq!(city.submit("bank-b", refund(of, 1)), Err(Refusal::TransferUnknown(of)));
    let never = city.id();
    assert_eq!(city.submit("bank-b", refund(never, 1)), Err(Refusal::TransferUnknown(never)));
    let refused = city.id();
    city.apply(&submission("bank-a", refused, pay(ALICE, CAROL, 999))).unwrap_err();
    assert_eq!(city.submit("bank-b", refund(refused, 1)), Err(Refusal::TransferUnknown(refused)));
}

#[test]
fn whoever_made_an_entry_by_mistake_takes_it_back_by_its_reverse() {
    let exchanges: [fn(AccountId) -> Direction; 4] = [
        Direction::DepositToDigital,
        Direction::DigitalToDeposit,
        |_| Direction::DepositToPaper,
        Direction::DigitalToPaper,
    ];
    for direction in exchanges {
        let mut city = City::current();
        let before = city.machine.supply();
        let direction = direction(ALICE);
        let of = city.named("bank-a", Action::Exchange { direction, amount: cny(50) });
        assert_eq!(city.submit("bank-b", correct(of, 1)), Err(Refusal::NotYours(of)));
        city.done("bank-a", correct(of, 20));
        let left = Refusal::MoreThanTransferred { of, left: 30, requested: 31 };
        assert_eq!(city.submit("bank-a", correct(of, 31)), Err(left));
        city.done("bank-a", correct(of, 30));
        assert_eq!(city.machine.supply(), before, "{direction:?}");
    }
}

#[test]
fn an_issue_and_a_credit_are_corrected_too_as_far_as_the_money_is_there() {
    let mut city = City::current();
    let before = city.machine.supply();
    let bank = || name("bank-b");
    let issue = Action::Issue { bank: bank(), amount: cny(1000) };
    let of = city.named(CENTRAL_BANK, issue);
    assert_eq!(city.submit("bank-b", correct(of, 1)), Err(Refusal::NotYours(of)));
    city.done(CENTRAL_BANK, correct(of, 1000));
    let of = city.named("bank-b", Action::CreditDeposits { amount: cny(70) });
    city.done("bank-b", correct(of, 70));
    assert_eq!(city.machine.supply(), before);
    let payment = city.named("bank-a", pay(ALICE, SHOP, 1));
    let refused = city.submit("bank-a", correct(payment, 1));
    assert_eq!(refused, Err(Refusal::TransferUnknown(payment)));
}

#[test]
fn a_correction_keeps_the_rules_of_what_it_does() {
    let mut city = City::current();
    let direction = Direction::DepositToDigital(ALICE);
    let of = city.named("bank-a", Action::Exchange { direction, amount: cny(200) });
    city.done("bank-a", pay(ALICE, SHOP, 200));
    city.later(86_400);
    for _ in 0..2 {
        city.done("bank-a", pay(ALICE, SHOP, 200));
    }
    city.later(86_400);
    city.done("bank-a", pay(ALICE, SHOP, 200));
    city.done("bank-a", pay(ALICE, SHOP, 100));
    let refused = city.submit("bank-a", correct(of, 200)).unwrap_err();
    assert_eq!(refused.code(), "transfer.insufficient_funds");
    city.done("bank-a", correct(of, 100));
}
