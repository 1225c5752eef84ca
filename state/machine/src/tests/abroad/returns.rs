//! What cannot arrive comes back, each for its reason, and always can.

use super::*;
use crate::{HoldingRules, HoldingTerms, Policy, PolicyTerms, ReturnReason};

fn aggregate(cap: u64) -> Action {
    let terms =
        HoldingTerms { aggregate_balance: [(class("IV"), cap)].into(), ..HoldingTerms::default() };
    Action::SetHoldingRules { rules: HoldingRules::new(terms).unwrap() }
}

/// What has happened there by the time it comes.
type Before = fn(&mut Pair);

#[test]
fn each_reason_returns_what_was_sent_before_every_later_one() {
    const NOBODY: AccountId = AccountId::new(99);
    let close = |pair: &mut Pair| {
        let gone =
            Action::Exchange { direction: Direction::DigitalToDeposit(STORE), amount: xts(1) };
        pair.there.done(BANK_THERE, gone);
        pair.there.done(BANK_THERE, Action::CloseWallet { account: STORE });
    };
    let rows: [(ReturnReason, AccountId, u64, Before); 10] = [
        (ReturnReason::Expired, NOBODY, 150, |pair| {
            pair.there.done(THERE, set_peer(CENTRAL_BANK, PeerTerms { open: false, ..peering() }));
            pair.later(3_600);
        }),
        (ReturnReason::Closed, NOBODY, 150, |pair| {
            pair.there.done(THERE, set_peer(CENTRAL_BANK, PeerTerms { open: false, ..peering() }));
        }),
        (ReturnReason::NoCorrespondent, NOBODY, 150, |pair| {
            pair.there.done(BANK_THERE, correspond(CENTRAL_BANK, "bank-a", None, 5_000));
        }),
        (ReturnReason::NoCorrespondent, NOBODY, 150, |pair| {
            let (peer, correspondent) = (name(CENTRAL_BANK), None);
            pair.there.done(BANK_THERE, Action::Correspond { peer, correspondent });
        }),
        (ReturnReason::PayeeUnknown, NOBODY, 150, |pair| {
            pair.there.done(BANK_THERE, correspond(CENTRAL_BANK, "bank-b", None, 0));
        }),
        (ReturnReason::PayeeClosed, STORE, 150, close),
        (ReturnReason::CorrespondentShort, DORA, 150, |pair| {
            pair.there.done(THERE, aggregate(1));
            pair.there.done(BANK_THERE, correspond(CENTRAL_BANK, "bank-b", None, 149));
        }),
        (ReturnReason::CorrespondentShort, DORA, 150, |pair| {
            let left = Pair::stock(&pair.there, BANK_THERE) - 149;
            let action = Action::Redeem { bank: name(BANK_THERE), amount: xts(left) };
            pair.there.done(THERE, action);
        }),
        (ReturnReason::PayeeFull, DORA, 150, |pair| {
            pair.there.done(THERE, aggregate(249));
        }),
        (ReturnReason::PayeeFull, DORA, 150, |pair| {
            let direction = Direction::DepositToDigital(DORA);
            pair.there.done(BANK_THERE, Action::Exchange { direction, amount: xts(751) });
        }),
    ];
    for (reason, payee, foreign, before) in rows {
        let mut pair = Pair::new();
        let id = pair.sent(sending(payee, 100, foreign));
        before(&mut pair);
        let (of_payee, stock) =
            (pair.there.machine.balance(payee), Pair::stock(&pair.there, BANK_THERE));
        let ready = pair.there.machine.correspondents(&name(CENTRAL_BANK));
        assert_eq!(pair.resolve(1), Resolution::Returned(reason), "{reason:?}");
        assert_eq!((pair.here.held(ALICE), pair.in_flight()), (800, 0), "{reason:?}");
        assert_eq!(pair.there.machine.balance(payee), of_payee, "{reason:?}");
        assert_eq!(Pair::stock(&pair.there, BANK_THERE), stock, "{reason:?}");
        assert_eq!(pair.there.machine.correspondents(&name(CENTRAL_BANK)), ready, "{reason:?}");
        let wallet = pair.here.machine.wallet(ALICE, pair.here.now).unwrap();
        assert_eq!((wallet.spent_today, wallet.promised), (cny(0), cny(0)), "{reason:?}");
        let resolution = pair.here.machine.abroad(id).unwrap().resolution;
        assert_eq!(resolution, Some(Resolution::Returned(reason)));
        assert!(reason.code().starts_with("returned.") && reason.to_string().contains(": "));
    }
}

#[test]
fn what_the_other_ledger_cannot_count_comes_back() {
    let mut pair = Pair::new();
    pair.sent(sending(DORA, 100, 150));
    let transit = Transit { amount: cny(150), ..pair.transit(1) };
    pair.there.done(CENTRAL_BANK, receive(transit.clone(), 0));
    let found = pair.there.machine.received(&name(CENTRAL_BANK), &transit);
    assert_eq!(found, Some(Resolution::Returned(ReturnReason::Amount)));
    // A wallet that took and gave nearly all that can be counted.
    let (half, other) = (u64::MAX / 2, AccountId::new(73));
    let bank = name(BANK_THERE);
    let (reserves, issue) = (xts(half + 9_000), xts(half + 9_000));
    pair.there.done(THERE, Action::CreateReserves { bank: bank.clone(), amount: reserves });
    pair.there.done(THERE, Action::Issue { bank, amount: issue });
    pair.there.done(BANK_THERE, Action::CreditDeposits { amount: xts(half) });
    pair.there.done(BANK_THERE, Action::OpenWallet { account: other, class: class("I") });
    let direction = Direction::DepositToDigital(STORE);
    pair.there.done(BANK_THERE, Action::Exchange { direction, amount: xts(half) });
    for (payer, payee, minor) in [(STORE, other, half), (other, STORE, half - 5_000)] {
        let Action::Pay { order, authorisation, .. } = pay(payer, payee, 1) else { unreachable!() };
        let amount = xts(minor);
        pair.there.done(BANK_THERE, Action::Pay { payer, payee, amount, order, authorisation });
    }
    pair.there.done(BANK_THERE, correspond(CENTRAL_BANK, "bank-b", None, u64::MAX));
    let rows = [
        (2, 5_001, Resolution::Returned(ReturnReason::OutOfRange)),
        (3, 4_000, Resolution::Credited),
    ];
    for (number, minor, expected) in rows {
        let transit = Transit { number, payee: STORE, amount: xts(minor), ..pair.transit(1) };
        pair.there.done(CENTRAL_BANK, receive(transit.clone(), 0));
        let found = pair.there.machine.received(&name(CENTRAL_BANK), &transit);
        assert_eq!(found, Some(expected));
    }
}

#[test]
fn what_comes_back_comes_back_whatever_became_of_the_wallet() {
    let mut pair = Pair::new();
    pair.sent(sending(AccountId::new(99), 200, 300));
    let closing = pair.here.submit("bank-a", Action::CloseWallet { account: ALICE });
    assert_eq!(closing, Err(Refusal::HasHolds(ALICE)));
    // The room is kept: 600 are there, 200 may come back, and 1,000 may be held.
    let fill = |minor| Action::Exchange {
        direction: Direction::DepositToDigital(ALICE),
        amount: cny(minor),
    };
    let over = pair.here.submit("bank-a", fill(201)).unwrap_err();
    assert_eq!(over.code(), "transfer.limit_exceeded.balance");
    pair.here.done("bank-a", fill(200));
    let mut terms = terms();
    let mut four = terms.classes[&class("IV")];
    for limits in [&mut four.ordinary, four.stepped_up.as_mut().unwrap()] {
        limits.balance = Some(1);
    }
    terms.classes.insert(class("IV"), four);
    let policy = Policy::new(PolicyTerms { id_retention_seconds: 60, ..terms }).unwrap();
    pair.here.done(CENTRAL_BANK, Action::SetPolicy { policy });
    pair.here.done(CENTRAL_BANK, aggregate(1));
    let freeze = pair.here.named(COURT, freeze(ALICE, 86_400));
    pair.here.done(PROSECUTOR, Action::ConfirmFreeze { freeze });
    pair.here.done(CENTRAL_BANK, set_peer(THERE, PeerTerms { open: false, ..peering() }));
    pair.later(3_600);
    assert_eq!(pair.resolve(1), Resolution::Returned(ReturnReason::Expired));
    assert_eq!(pair.here.held(ALICE), 1_000);
}

#[test]
fn what_comes_back_on_another_day_makes_no_room_in_that_one() {
    let mut pair = Pair::new();
    pair.here.now = START.plus_seconds(15 * 3_600);
    pair.there.now = pair.here.now;
    let expires = pair.here.now.plus_seconds(7_200);
    pair.sent(Sending { expires, ..sending(AccountId::new(99), 200, 300) });
    pair.later(3_601);
    pair.here.done("bank-a", pay(ALICE, SHOP, 150));
    pair.resolve(1);
    let wallet = pair.here.machine.wallet(ALICE, pair.here.now).unwrap();
    assert_eq!((wallet.spent_today, wallet.spent_this_year), (cny(150), cny(150)));
}

#[test]
fn a_frozen_or_dormant_payee_may_be_paid_as_from_here() {
    let mut pair = Pair::new();
    let rules = HoldingTerms { dormant_after_days: Some(1), ..HoldingTerms::default() };
    let rules = HoldingRules::new(rules).unwrap();
    pair.there.done(THERE, Action::SetHoldingRules { rules });
    pair.later(86_400);
    pair.there.done(BANK_THERE, Action::FlagDormant { account: DORA });
    let rate = Some(Rate { until: latest(pair.here.now), ..rate() });
    pair.here.done("bank-b", correspond(THERE, BANK_THERE, rate, 0));
    let expires = latest(pair.here.now);
    pair.sent(Sending { expires, ..sending(DORA, 100, 150) });
    assert_eq!(pair.resolve(1), Resolution::Credited);
}
