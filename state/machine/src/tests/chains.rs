//! Several orders under one signature: each for itself, or all or none.

use super::support::*;
use crate::{Action, Chain, Order, Orders, Refusal};
use yufu_base::{Digest, StateMachine};

#[test]
fn each_of_several_orders_comes_to_what_it_would_have_come_to_by_itself() {
    let actions = || {
        [
            pay(ALICE, SHOP, 100),
            pay(ALICE, SHOP, 999),
            pay(BOB, SHOP, 50),
            pay(CAROL, SHOP, 1),
            Action::CloseWallet { account: ALICE },
        ]
    };
    let (mut alone, mut together) = (City::current(), City::current());
    let single: Vec<_> = actions().map(|action| alone.submit("bank-a", action)).into();
    let outcome = together.each("bank-a", actions()).unwrap();
    assert_eq!(outcome.each.as_deref().unwrap(), single);
    assert_eq!(alone.machine.supply(), together.machine.supply());
    assert_eq!(alone.held(ALICE), together.held(ALICE));
}

#[test]
fn a_repeated_list_and_an_order_of_it_by_itself_get_the_first_answers() {
    let mut city = City::current();
    let orders = [pay(ALICE, SHOP, 100), pay(ALICE, SHOP, 999)]
        .map(|action| Order { id: city.id(), action });
    let list = Action::Each { orders: Orders::new(orders.clone().into()).unwrap() };
    let whole = submission("bank-a", city.id(), list);
    let first = city.apply(&whole);
    let state = city.machine.state_hash();
    assert_eq!(city.apply(&whole), first);
    let each = first.unwrap().each.unwrap();
    for (order, outcome) in orders.into_iter().zip(each) {
        assert_eq!(city.apply(&submission("bank-a", order.id, order.action)), outcome);
    }
    assert_eq!(city.machine.state_hash(), state);
    assert_eq!(city.held(ALICE), 700);
}

#[test]
fn an_order_that_was_done_by_itself_is_not_done_again_in_a_list() {
    let mut city = City::current();
    let order = Order { id: city.id(), action: pay(ALICE, SHOP, 100) };
    let first = city.apply(&submission("bank-a", order.id, order.action.clone()));
    let list = Action::Each { orders: Orders::new(vec![order]).unwrap() };
    let outcome = city.submit("bank-a", list).unwrap();
    assert_eq!(outcome.each.unwrap()[0], first);
    assert_eq!(city.held(ALICE), 700);
}

#[test]
fn a_chain_is_done_whole_and_each_transfer_has_its_own_id() {
    let mut city = City::current();
    let orders =
        [pay(ALICE, SHOP, 100), pay(BOB, SHOP, 50)].map(|action| Order { id: city.id(), action });
    let of = orders[0].id;
    let chain = submission(
        "bank-a",
        city.id(),
        Action::Chain { orders: Chain::new(orders.into()).unwrap() },
    );
    let first = city.apply(&chain);
    assert!(first.is_ok());
    assert_eq!(city.apply(&chain), first);
    assert_eq!((city.held(ALICE), city.held(BOB), city.held(SHOP)), (700, 850, 950));
    city.done("bank-a", Action::Refund { of, amount: cny(100), order: Digest::ZERO });
}

#[test]
fn a_chain_with_one_refusal_is_refused_whole_names_the_place_and_leaves_no_trace() {
    let mut city = City::current();
    let held = city.named("bank-a", hold(ALICE, SHOP, 60, 60));
    let paid = city.named("bank-a", pay(BOB, SHOP, 20));
    let before = city.machine.books_hash();
    let refused = city.chain(
        "bank-a",
        [
            pay(ALICE, SHOP, 100),
            Action::PostHold { hold: held, amount: cny(50) },
            Action::Refund { of: paid, amount: cny(20), order: Digest::ZERO },
            hold(BOB, SHOP, 10, 60),
            pay(BOB, ALICE, 999),
        ],
    );
    let Err(Refusal::ChainRefused { place, of }) = refused else { panic!("{refused:?}") };
    assert_eq!((place, of.code()), (4, "transfer.insufficient_funds"));
    assert_eq!(city.machine.books_hash(), before);
    // The hold is there to be posted, the payment to be refunded.
    city.done("bank-a", Action::PostHold { hold: held, amount: cny(60) });
    city.done("bank-a", Action::Refund { of: paid, amount: cny(20), order: Digest::ZERO });
}

#[test]
fn the_ids_of_a_refused_chain_are_free_and_a_used_one_stops_a_chain() {
    let mut city = City::current();
    let good = Order { id: city.id(), action: pay(ALICE, SHOP, 100) };
    let bad = Order { id: city.id(), action: pay(ALICE, SHOP, 999) };
    let chain = Action::Chain { orders: Chain::new(vec![good.clone(), bad]).unwrap() };
    city.submit("bank-a", chain).unwrap_err();
    city.apply(&submission("bank-a", good.id, good.action.clone())).unwrap();
    let chain = Action::Chain { orders: Chain::new(vec![good]).unwrap() };
    let Err(Refusal::ChainRefused { place: 0, of }) = city.submit("bank-a", chain) else {
        panic!("a used id was taken");
    };
    assert_eq!(*of, Refusal::IdReused);
    assert_eq!(city.held(ALICE), 700);
}

#[test]
fn what_a_transfer_of_a_chain_brings_in_the_next_one_can_spend() {
    let mut city = City::current();
    let out =
        Action::Exchange { direction: crate::Direction::DigitalToDeposit(ALICE), amount: cny(700) };
    city.done("bank-a", out);
    city.chain("bank-a", [pay(BOB, ALICE, 100), pay(ALICE, SHOP, 200)]).unwrap();
    assert_eq!(city.held(ALICE), 0);
    assert!(city.machine.supply().balanced);
}

#[test]
fn an_order_of_a_list_may_not_have_the_lists_own_id() {
    for nested in [false, true] {
        let mut city = City::current();
        let id = city.id();
        let mut order = Order { id, action: pay(ALICE, SHOP, 100) };
        if nested {
            let orders = Chain::new(vec![order]).unwrap();
            order = Order { id: city.id(), action: Action::Chain { orders } };
        }
        let list = Action::Each { orders: Orders::new(vec![order]).unwrap() };
        let whole = submission("bank-a", id, list);
        let first = city.apply(&whole);
        let each = first.clone().unwrap().each.unwrap();
        let reused = match &each[0] {
            Err(Refusal::ChainRefused { of, .. }) => **of == Refusal::IdReused,
            other => *other == Err(Refusal::IdReused),
        };
        assert!(reused, "{each:?}");
        assert_eq!(city.apply(&whole), first);
        assert_eq!(city.held(ALICE), 800);
    }
    let mut city = City::current();
    let id = city.id();
    let orders = Chain::new(vec![Order { id, action: pay(ALICE, SHOP, 100) }]).unwrap();
    let refused = city.apply(&submission("bank-a", id, Action::Chain { orders }));
    assert!(matches!(refused, Err(Refusal::ChainRefused { place: 0, .. })));
    assert_eq!(city.held(ALICE), 800);
}
