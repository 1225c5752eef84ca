//! Payments whose amount is not final yet, disputes, and what is pending when its time is over.

use super::support::*;
use crate::{Action, Policy, PolicyTerms, Refusal};
use yufu_base::{AccountId, CommandId, Digest};

fn post(hold: CommandId, minor: u64) -> Action {
    Action::PostHold { hold, amount: cny(minor) }
}

fn release(hold: CommandId) -> Action {
    Action::ReleaseHold { hold }
}

fn dispute(of: CommandId, minor: u64) -> impl Fn(&City) -> Action {
    move |city| Action::DisputePayment {
        of,
        amount: cny(minor),
        expires: city.now.plus_seconds(86_400),
        evidence: Digest::ZERO,
    }
}

fn refund(of: CommandId, minor: u64) -> Action {
    Action::Refund { of, amount: cny(minor), order: Digest::ZERO }
}

#[test]
fn what_is_held_can_be_neither_spent_nor_taken_out_and_counts_against_the_limits() {
    let mut city = City::current();
    city.done("bank-a", hold(ALICE, SHOP, 200, 60));
    let wallet = city.machine.wallet(ALICE, city.now).unwrap();
    assert_eq!((wallet.balance, wallet.available), (cny(800), cny(600)));
    assert_eq!(wallet.spent_today, cny(200));
    city.done("bank-a", pay(ALICE, SHOP, 200));
    let over = city.submit("bank-a", hold(ALICE, SHOP, 101, 60)).unwrap_err();
    assert_eq!(over.code(), "transfer.limit_exceeded.daily");
    let direction = crate::Direction::DigitalToDeposit(ALICE);
    let out = Action::Exchange { direction, amount: cny(401) };
    assert_eq!(city.submit("bank-a", out).unwrap_err().code(), "transfer.insufficient_funds");
    let closing = city.submit("bank-a", Action::CloseWallet { account: ALICE });
    assert_eq!(closing, Err(Refusal::HasHolds(ALICE)));
}

#[test]
fn the_payees_bank_posts_in_full_or_in_part_once_and_the_rest_is_free_again() {
    for (posted, left) in [(200, 600), (120, 680)] {
        let mut city = City::current();
        let id = city.named("bank-a", hold(ALICE, CAROL, 200, 60));
        assert_eq!(city.submit("bank-a", post(id, 1)), Err(Refusal::NotYours(id)));
        let more = Refusal::MoreThanHeld { held: 200, requested: 201 };
        assert_eq!(city.submit("bank-b", post(id, 201)), Err(more));
        let done = city.submit("bank-b", post(id, posted)).unwrap();
        assert_eq!(done.balance, Some(cny(800 + posted)));
        let wallet = city.machine.wallet(ALICE, city.now).unwrap();
        assert_eq!((wallet.balance, wallet.available), (cny(left), cny(left)));
        assert_eq!(wallet.spent_today, cny(posted));
        assert_eq!(city.submit("bank-b", post(id, 1)), Err(Refusal::HoldUnknown(id)));
        assert!(city.machine.supply().balanced);
    }
}

#[test]
fn only_the_payees_bank_releases_a_held_payment() {
    let mut city = City::current();
    let id = city.named("bank-a", hold(ALICE, CAROL, 200, 60));
    for by in ["bank-a", CENTRAL_BANK] {
        assert_eq!(city.submit(by, release(id)), Err(Refusal::NotYours(id)));
    }
    city.done("bank-b", release(id));
    let wallet = city.machine.wallet(ALICE, city.now).unwrap();
    assert_eq!((wallet.available, wallet.spent_today), (cny(800), cny(0)));
    assert_eq!(city.submit("bank-b", release(id)), Err(Refusal::HoldUnknown(id)));
}

#[test]
fn a_hold_lapses_at_its_time_and_not_before() {
    let mut city = City::current();
    let id = city.named("bank-a", hold(ALICE, CAROL, 200, 60));
    city.later(59);
    city.done("bank-a", pay(ALICE, SHOP, 1));
    assert_eq!(city.machine.totals().holds, 1);
    city.later(1);
    assert_eq!(city.submit("bank-b", post(id, 1)), Err(Refusal::HoldUnknown(id)));
    assert_eq!(city.machine.totals().holds, 0);
    assert_eq!(city.machine.wallet(ALICE, city.now).unwrap().spent_today, cny(1));
}

#[test]
fn what_is_released_counts_no_more_on_its_own_day_and_is_not_given_to_another() {
    let mut city = City::current();
    city.now = START.plus_seconds(15 * 3600);
    let id = city.named("bank-a", hold(ALICE, CAROL, 200, 7200));
    city.later(3601);
    city.done("bank-a", pay(ALICE, SHOP, 150));
    city.done("bank-b", release(id));
    let wallet = city.machine.wallet(ALICE, city.now).unwrap();
    assert_eq!((wallet.spent_today, wallet.spent_this_year), (cny(150), cny(150)));
}

#[test]
fn what_is_promised_to_a_payee_takes_its_room() {
    let mut city = City::current();
    city.done("bank-a", hold(ALICE, BOB, 60, 60));
    assert_eq!(city.submit("bank-b", pay(CAROL, BOB, 41)), Err(Refusal::PayeeFull));
    city.done("bank-b", pay(CAROL, BOB, 40));
    assert_eq!(city.submit("bank-a", hold(ALICE, BOB, 1, 60)), Err(Refusal::PayeeFull));
}

#[test]
fn deadlines_lie_ahead_and_not_too_far_and_without_any_nothing_is_held() {
    let mut city = City::current();
    let latest = city.now.plus_seconds(7 * 86_400);
    for seconds in [0, 7 * 86_400 + 1] {
        let refused = city.submit("bank-a", hold(ALICE, SHOP, 1, seconds));
        assert_eq!(refused, Err(Refusal::Deadline { now: city.now, latest }));
    }
    let id = city.named("bank-a", hold(ALICE, SHOP, 1, 7 * 86_400));
    city.done(CENTRAL_BANK, Action::SetDeadlines { deadlines: None });
    assert_eq!(city.submit("bank-a", hold(ALICE, SHOP, 1, 1)), Err(Refusal::NoDeadlines));
    city.done("bank-a", post(id, 1));
}

#[test]
fn a_dispute_holds_what_was_paid_until_somebody_decides() {
    type Decision = fn(CommandId) -> Action;
    // Who decides, how much the payer gets, and what can be refunded afterwards.
    let rows: [(&str, Decision, u64, u64); 5] = [
        ("bank-b", |id| post(id, 60), 60, 40),
        (CENTRAL_BANK, |id| post(id, 25), 25, 75),
        (CENTRAL_BANK, release, 0, 100),
        ("bank-a", release, 0, 100),
        ("nobody", release, 0, 100),
    ];
    for (by, decision, back, refundable) in rows {
        let mut city = City::current();
        let of = city.named("bank-a", pay(ALICE, CAROL, 100));
        let action = dispute(of, 60)(&city);
        assert_eq!(city.submit("bank-b", action.clone()), Err(Refusal::NotYours(of)));
        let id = city.named("bank-a", action);
        assert_eq!(city.machine.wallet(CAROL, city.now).unwrap().available, cny(840));
        let left = Refusal::MoreThanTransferred { of, left: 40, requested: 41 };
        assert_eq!(city.submit("bank-b", refund(of, 41)), Err(left));
        if by == "nobody" {
            city.later(86_400);
        } else {
            city.done(by, decision(id));
        }
        let more = Refusal::MoreThanTransferred { of, left: refundable, requested: refundable + 1 };
        assert_eq!(city.submit("bank-b", refund(of, refundable + 1)), Err(more), "{by}");
        assert_eq!((city.held(ALICE), city.held(CAROL)), (700 + back, 900 - back), "{by}");
    }
}

#[test]
fn a_dispute_is_conceded_by_the_payees_bank_and_withdrawn_by_the_payers() {
    let mut city = City::current();
    let of = city.named("bank-a", pay(ALICE, CAROL, 100));
    let action = dispute(of, 60)(&city);
    let id = city.named("bank-a", action);
    assert_eq!(city.submit("bank-a", post(id, 1)), Err(Refusal::NotYours(id)));
    assert_eq!(city.submit("bank-b", release(id)), Err(Refusal::NotYours(id)));
}

#[test]
fn a_held_payment_is_refunded_by_the_command_that_posted_it() {
    let mut city = City::current();
    let held = city.named("bank-a", hold(ALICE, CAROL, 200, 60));
    let of = city.named("bank-b", post(held, 120));
    assert_eq!(city.submit("bank-b", refund(held, 1)), Err(Refusal::TransferUnknown(held)));
    city.done("bank-b", refund(of, 120));
    assert_eq!(city.held(ALICE), 800);
}

#[test]
fn a_policy_that_shortens_the_memory_leaves_what_is_pending_to_be_posted() {
    let mut city = City::current();
    let held = city.named("bank-a", hold(ALICE, CAROL, 200, 7 * 86_400));
    let policy = PolicyTerms { id_retention_seconds: 60, ..terms() };
    city.done(CENTRAL_BANK, Action::SetPolicy { policy: Policy::new(policy).unwrap() });
    city.later(86_400);
    city.done("bank-b", post(held, 200));
    assert_eq!(city.held(CAROL), 1000);
}

#[test]
fn a_payment_of_all_there_is_pays_at_most_what_is_asked_and_may_close_the_wallet() {
    let mut city = City::current();
    let all = |payer: AccountId, most, close| Action::PayAvailable {
        payer,
        payee: CAROL,
        most: cny(most),
        close,
        order: Digest::ZERO,
        authorisation: crate::Authorisation::Ordinary,
    };
    city.done("bank-a", pay(ALICE, SHOP, 200));
    city.done("bank-a", hold(ALICE, SHOP, 100, 60));
    city.done("bank-a", all(ALICE, 150, false));
    assert_eq!((city.held(ALICE), city.held(CAROL)), (450, 950));
    assert_eq!(city.submit("bank-a", all(ALICE, 500, true)), Err(Refusal::HasHolds(ALICE)));
    city.later(86_400);
    assert_eq!(city.submit("bank-a", all(ALICE, 449, true)), Err(Refusal::NotEmpty(1)));
    let over = city.submit("bank-a", all(ALICE, 450, true)).unwrap_err();
    assert_eq!(over.code(), "transfer.limit_exceeded.single");
    for _ in 0..2 {
        city.done("bank-a", all(ALICE, 200, false));
    }
    city.done("bank-a", all(ALICE, 99, true));
    assert_eq!(city.held(ALICE), 0);
    assert_eq!(city.submit("bank-b", pay(CAROL, ALICE, 1)), Err(Refusal::AccountClosed(ALICE)));
    let account = AccountId::new(70);
    city.done("bank-a", Action::OpenWallet { account, class: class("IV") });
    let none = city.submit("bank-a", all(account, 5, false)).unwrap_err();
    assert_eq!(none.code(), "transfer.insufficient_funds");
    city.done("bank-a", all(account, 5, true));
}
