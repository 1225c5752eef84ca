//! What moved is told with the order that caused it, and telling changes nothing.

use super::support::*;
use crate::{Action, Chain, Direction, Order, Orders, TransferKind};
use yufu_base::{AccountId, CommandId, StateMachine};

fn traced() -> City {
    let mut city = City::current();
    city.machine = std::mem::take(&mut city.machine).traced();
    city
}

/// Command, kind, debited, credited, amount, and both balances of each transfer.
fn moved(city: &mut City) -> Vec<(CommandId, TransferKind, AccountId, AccountId, u64, [u64; 2])> {
    let transfers = city.machine.take_transfers();
    let ids: Vec<AccountId> = city.machine.opened_after(0).map(|(_, one)| one.id()).collect();
    let id = |number: crate::AccountNumber| ids[number.0 as usize];
    let told = transfers.into_iter().map(|one| {
        let balances = [one.debit_balance, one.credit_balance];
        (one.command, one.kind, id(one.debit), id(one.credit), one.amount, balances)
    });
    told.collect()
}

#[test]
fn of_a_list_each_transfer_names_its_own_order_and_a_refused_one_none() {
    let mut city = traced();
    let orders = [pay(ALICE, SHOP, 100), pay(ALICE, SHOP, 999), pay(BOB, SHOP, 50)]
        .map(|action| Order { id: city.id(), action });
    let ids = [orders[0].id, orders[2].id];
    city.done("bank-a", Action::Each { orders: Orders::new(orders.into()).unwrap() });
    let kind = TransferKind::Payment;
    let expected =
        [(ids[0], kind, ALICE, SHOP, 100, [700, 900]), (ids[1], kind, BOB, SHOP, 50, [850, 950])];
    assert_eq!(moved(&mut city), expected);
    assert_eq!(moved(&mut city), []);
}

#[test]
fn a_chain_that_fails_moved_nothing() {
    let mut city = traced();
    let before = city.machine.books_hash();
    city.done("bank-a", pay(ALICE, SHOP, 1));
    let links = [pay(ALICE, SHOP, 100), pay(BOB, SHOP, 2_000)];
    city.chain("bank-a", links).unwrap_err();
    let told = moved(&mut city);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_ne!(city.machine.books_hash(), before);
    let orders =
        [pay(ALICE, SHOP, 100), pay(BOB, SHOP, 50)].map(|a| Order { id: city.id(), action: a });
    let ids = [orders[0].id, orders[1].id];
    city.done("bank-a", Action::Chain { orders: Chain::new(orders.into()).unwrap() });
    assert_eq!(moved(&mut city).iter().map(|one| one.0).collect::<Vec<_>>(), ids);
}

#[test]
fn each_way_money_moves_has_its_kind() {
    let mut city = traced();
    let hold = city.named("bank-a", hold(ALICE, CAROL, 90, 60));
    assert_eq!(moved(&mut city), [], "what is held has not moved");
    city.done("bank-b", Action::PostHold { hold, amount: cny(40) });
    let paid = city.named("bank-a", pay(ALICE, CAROL, 30));
    let of = paid;
    city.done("bank-b", Action::Refund { of, amount: cny(10), order: yufu_base::Digest::ZERO });
    let direction = Direction::DepositToDigital(BOB);
    city.done("bank-a", Action::Exchange { direction, amount: cny(5) });
    city.done(CENTRAL_BANK, Action::Issue { bank: name("bank-a"), amount: cny(7) });
    let kinds: Vec<_> = moved(&mut city).iter().map(|one| (one.1, one.4)).collect();
    let expected = [
        (TransferKind::HeldPayment, 40),
        (TransferKind::Payment, 30),
        (TransferKind::Refund, 10),
        (TransferKind::Exchange, 5),
        (TransferKind::Exchange, 5),
        (TransferKind::Movement, 7),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_machine_that_is_traced_comes_to_the_same() {
    let (mut plain, mut told) = (City::current(), traced());
    for city in [&mut plain, &mut told] {
        city.done("bank-a", pay(ALICE, SHOP, 100));
        city.chain("bank-a", [pay(ALICE, SHOP, 1), pay(BOB, SHOP, 2_000)]).unwrap_err();
        city.submit("bank-b", pay(ALICE, SHOP, 1)).unwrap_err();
    }
    assert_eq!(plain.machine.state_hash(), told.machine.state_hash());
    assert_eq!(plain.machine.take_transfers(), [], "nothing is noted unless it is asked for");
}
