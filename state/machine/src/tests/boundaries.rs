//! Limits at the fen, at midnight and at the end of the year, the past of an anonymous purse,
//! and orders that come again.

use super::support::*;
use crate::{Action, Direction, LimitKind, Policy, PolicyTerms, Refusal, StepUp, UtcOffset};
use yufu_base::{AccountId, Stamp, StateMachine, Timestamp};

/// 2026-12-31 16:00 UTC: midnight at the end of the year, eight hours east.
const NEW_YEAR: Timestamp = Timestamp::from_seconds(1_798_732_800);
const MINUTE: u64 = 60;

fn fill(city: &mut City, account: AccountId, minor: u64) {
    let direction = Direction::DepositToDigital(account);
    city.done("bank-a", Action::Exchange { direction, amount: cny(minor) });
}

fn refused(city: &mut City, action: Action) -> (LimitKind, u64, Option<StepUp>) {
    let before = city.machine.books_hash();
    let refusal = city.submit("bank-a", action).unwrap_err();
    assert_eq!(city.machine.books_hash(), before);
    match refusal {
        Refusal::LimitExceeded(exceeded) => (exceeded.kind, exceeded.remaining, exceeded.step_up),
        other => panic!("expected a limit, got {other}"),
    }
}

fn classes(names: &[&str]) -> Option<StepUp> {
    Some(StepUp::Classes(names.iter().map(|name| class(name)).collect()))
}

/// A policy whose class IV no presentation lifts, as that of a purse without identity.
fn anonymous_purses(city: &mut City) {
    let mut terms = terms();
    let mut four = terms.classes[&class("IV")];
    four.stepped_up = None;
    terms.classes.insert(class("IV"), four);
    city.done(CENTRAL_BANK, Action::SetPolicy { policy: Policy::new(terms).unwrap() });
}

#[test]
fn one_payment_is_held_to_the_fen() {
    for (minor, passes) in [(199, true), (200, true), (201, false)] {
        let mut city = City::furnished();
        assert_eq!(city.submit("bank-a", pay(ALICE, SHOP, minor)).is_ok(), passes, "{minor}");
        let mut city = City::furnished();
        let up = minor + 300;
        assert_eq!(city.submit("bank-a", stepped_up(ALICE, SHOP, up)).is_ok(), passes, "{up}");
    }
}

#[test]
fn a_day_is_held_to_the_fen() {
    for (minor, passes) in [(99, true), (100, true), (101, false)] {
        let mut city = City::furnished();
        city.done("bank-a", pay(ALICE, SHOP, 200));
        city.done("bank-a", pay(ALICE, SHOP, 200));
        assert_eq!(city.submit("bank-a", pay(ALICE, SHOP, minor)).is_ok(), passes, "{minor}");
    }
}

#[test]
fn a_year_is_held_to_the_fen() {
    for (minor, passes) in [(99, true), (100, true), (101, false)] {
        let mut city = City::furnished();
        for _ in 0..5 {
            city.done("bank-a", pay(ALICE, SHOP, 180));
            fill(&mut city, ALICE, 180);
            city.now = city.now.plus_seconds(86_400);
        }
        assert_eq!(city.submit("bank-a", pay(ALICE, SHOP, minor)).is_ok(), passes, "{minor}");
    }
}

#[test]
fn what_a_wallet_holds_is_held_to_the_fen() {
    for (minor, passes) in [(199, true), (200, true), (201, false)] {
        let mut city = City::furnished();
        let direction = Direction::DepositToDigital(ALICE);
        let action = Action::Exchange { direction, amount: cny(minor) };
        assert_eq!(city.submit("bank-a", action).is_ok(), passes, "{minor}");
        let mut city = City::furnished();
        assert_eq!(city.submit("bank-b", pay(CAROL, ALICE, minor)).is_ok(), passes, "{minor}");
    }
}

#[test]
fn the_day_ends_at_local_midnight_to_the_millisecond() {
    let mut city = City::furnished();
    let midnight = START.plus_seconds(16 * 3600);
    city.now = Timestamp::from_millis(midnight.millis() - 1);
    for minor in [200, 200, 100] {
        city.done("bank-a", pay(ALICE, SHOP, minor));
    }
    assert_eq!(refused(&mut city, pay(ALICE, SHOP, 1)).0, LimitKind::Daily);
    city.now = midnight;
    city.done("bank-a", pay(ALICE, SHOP, 200));
}

#[test]
fn the_year_ends_at_local_midnight_to_the_millisecond() {
    let mut city = City::furnished();
    city.now = NEW_YEAR.minus_seconds(10 * 86_400);
    for _ in 0..5 {
        city.done("bank-a", pay(ALICE, SHOP, 200));
        fill(&mut city, ALICE, 200);
        city.now = city.now.plus_seconds(86_400);
    }
    city.now = Timestamp::from_millis(NEW_YEAR.millis() - 1);
    assert_eq!(refused(&mut city, pay(ALICE, SHOP, 1)).0, LimitKind::Yearly);
    city.now = NEW_YEAR;
    city.done("bank-a", pay(ALICE, SHOP, 200));
    let view = city.machine.wallet(ALICE, city.now).unwrap();
    assert_eq!((view.spent_today, view.spent_this_year), (cny(200), cny(200)));
}

#[test]
fn midnight_moves_with_the_offset_table_and_summer_time_gives_no_second_day() {
    let mut city = City::furnished();
    let change = START.plus_seconds(15 * 3600 + 30 * MINUTE);
    let offset = |from, hours| UtcOffset { from, seconds_east: hours * 3600 };
    // At 23:30 the clocks go on by an hour: it is 0:30 of the next day.
    let offsets = vec![offset(Timestamp::from_millis(0), 8), offset(change, 9)];
    let policy = Policy::new(PolicyTerms { offsets, ..terms() }).unwrap();
    city.done(CENTRAL_BANK, Action::SetPolicy { policy });
    city.now = Timestamp::from_millis(change.millis() - 1);
    for minor in [200, 200, 100] {
        city.done("bank-a", pay(ALICE, SHOP, minor));
    }
    assert_eq!(refused(&mut city, pay(ALICE, SHOP, 1)).0, LimitKind::Daily);
    city.now = change;
    city.done("bank-a", pay(ALICE, SHOP, 200));
    // What was midnight before the change is an hour of the same day now.
    city.now = START.plus_seconds(16 * 3600);
    let spent = city.machine.wallet(ALICE, city.now).unwrap().spent_today;
    assert_eq!(spent, cny(200));
}

#[test]
fn a_purse_without_identity_pays_up_to_its_limits_and_no_step_up_lifts_them() {
    let mut city = City::furnished();
    anonymous_purses(&mut city);
    city.done("bank-a", pay(ALICE, SHOP, 200));
    let (kind, remaining, step_up) = refused(&mut city, pay(ALICE, SHOP, 201));
    assert_eq!((kind, remaining, step_up), (LimitKind::Single, 200, classes(&["I", "III"])));
    // A presentation changes nothing for it: the classes that would do are named again.
    let (kind, _, step_up) = refused(&mut city, stepped_up(ALICE, SHOP, 201));
    assert_eq!((kind, step_up), (LimitKind::Single, classes(&["I", "III"])));
    // More than class III allows in one payment leaves class I.
    let (_, _, step_up) = refused(&mut city, pay(ALICE, SHOP, 401));
    assert_eq!(step_up, classes(&["I"]));
}

#[test]
fn paying_from_an_identified_account_instead_leaves_no_tie_to_the_purse() {
    let mut city = City::furnished();
    anonymous_purses(&mut city);
    let (purse, named) = (ALICE, BOB);
    city.done("bank-a", Action::SetClass { account: named, class: class("III") });
    city.done("bank-a", pay(purse, SHOP, 18));
    let refusal = pay(purse, SHOP, 300);
    let refused_command = submission("bank-a", city.id(), refusal);
    city.apply(&refused_command).unwrap_err();
    let instead = submission("bank-a", city.id(), pay(named, SHOP, 300));
    city.apply(&instead).unwrap();
    // What the log holds of the second payment is what it would hold had there been no purse:
    // neither the purse's account, nor the id or order of what was refused from it.
    let bytes = borsh::to_vec(&instead).unwrap();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(holds(&borsh::to_vec(&named).unwrap()));
    assert!(!holds(&borsh::to_vec(&purse).unwrap()));
    assert!(!holds(&borsh::to_vec(&refused_command.order.id).unwrap()));
    // And of the purse only what it paid itself is counted.
    let spent = |city: &City, id| city.machine.wallet(id, city.now).unwrap().spent_today;
    assert_eq!((spent(&city, purse), spent(&city, named)), (cny(18), cny(300)));
}

#[test]
fn an_order_that_comes_again_pays_once_also_after_its_limit_is_used_up() {
    let mut city = City::furnished();
    let first = submission("bank-a", city.id(), pay(ALICE, SHOP, 200));
    let answer = city.apply(&first);
    for minor in [200, 100] {
        city.done("bank-a", pay(ALICE, SHOP, minor));
    }
    assert_eq!(city.apply(&first), answer);
    assert_eq!(city.held(ALICE), 300);
    // A refusal is as final: room that comes later does not let the same order through.
    let late = submission("bank-a", city.id(), pay(ALICE, SHOP, 1));
    let refusal = city.apply(&late).unwrap_err();
    city.now = city.now.plus_seconds(86_400);
    assert_eq!(city.machine.apply(Stamp { at: city.now }, &late), Err(refusal));
    assert_eq!(city.held(ALICE), 300);
}
