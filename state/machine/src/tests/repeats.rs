//! Repeats, the memory of ids, and its pruning.

use super::support::*;
use crate::{Action, Policy, PolicyTerms, Refusal};
use yufu_base::{Signature, StateMachine};

#[test]
fn a_repeat_gets_the_first_answer_and_changes_nothing() {
    let mut city = City::furnished();
    let payment = submission("bank-a", city.id(), pay(ALICE, BOB, 50));
    let first = city.apply(&payment);
    assert_eq!(first.as_ref().unwrap().balance, Some(cny(750)));
    let state = city.machine.state_hash();
    let mut signed_again = payment;
    signed_again.signature = Signature([8; 64]);
    assert_eq!(city.apply(&signed_again), first);
    assert_eq!(city.machine.state_hash(), state);
    assert_eq!(city.held(ALICE), 750);
}

#[test]
fn a_repeated_refusal_stays_refused_also_when_it_could_be_done_by_now() {
    let mut city = City::furnished();
    let payment = submission("bank-a", city.id(), pay(ALICE, BOB, 150));
    let first = city.apply(&payment);
    assert_eq!(first, Err(Refusal::PayeeFull));
    city.done("bank-a", pay(BOB, SHOP, 200));
    assert_eq!(city.apply(&payment), first);
    city.done("bank-a", pay(ALICE, BOB, 150));
}

#[test]
fn a_refusal_before_admission_is_not_remembered() {
    let mut city = City::furnished();
    let mut payment = submission("bank-a", city.id(), pay(ALICE, SHOP, 1));
    payment.key = key(9);
    let state = city.machine.state_hash();
    assert!(city.apply(&payment).unwrap_err().before_admission());
    assert_eq!(city.machine.state_hash(), state);
    payment.key = key_of("bank-a");
    assert!(city.apply(&payment).is_ok());
}

#[test]
fn ids_are_forgotten_when_they_expire_and_not_before() {
    let mut city = City::furnished();
    let remembered = city.machine.totals().remembered_ids;
    let payment = submission("bank-a", city.id(), pay(ALICE, SHOP, 1));
    let first = city.apply(&payment);
    city.now = city.now.plus_seconds(7 * 86_400);
    assert_eq!(city.apply(&payment), first);
    assert_eq!(city.machine.totals().remembered_ids, remembered + 1);
    city.now = yufu_base::Timestamp::from_millis(city.now.millis() + 1);
    assert_eq!(city.apply(&payment).unwrap_err().code(), "command.id_expired");
    assert_eq!(city.machine.totals().remembered_ids, 0);
}

#[test]
fn a_longer_retention_does_not_revive_what_was_forgotten() {
    let mut city = City::furnished();
    let payment = submission("bank-a", city.id(), pay(ALICE, SHOP, 1));
    city.apply(&payment).unwrap();
    city.now = city.now.plus_seconds(8 * 86_400);
    let longer = PolicyTerms { id_retention_seconds: 30 * 86_400, ..terms() };
    city.done(CENTRAL_BANK, Action::SetPolicy { policy: Policy::new(longer).unwrap() });
    assert_eq!(city.apply(&payment).unwrap_err().code(), "command.id_expired");
    assert_eq!(city.held(ALICE), 799);
}

#[test]
fn one_banks_id_is_not_anothers() {
    let mut city = City::furnished();
    let id = city.id();
    city.apply(&submission("bank-a", id, pay(ALICE, SHOP, 1))).unwrap();
    assert_eq!(city.apply(&submission("bank-b", id, pay(ALICE, SHOP, 1))), Err(Refusal::IdReused));
}
