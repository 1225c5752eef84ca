//! One row for each rule that refuses to send, to receive, to settle or to register, which breaks
//! as many of the later rules as it can.

use super::*;
use crate::{AccountKind, HoldingRules, Role, SubLimits, institution_account};

const NOBODY: AccountId = AccountId::new(99);

/// Each is refused under its code and changes nothing.
fn refuses(city: &mut City, by: &str, action: Action, refusal: &Refusal) {
    let before = city.machine.books_hash();
    assert_eq!(city.submit(by, action).as_ref(), Err(refusal));
    assert_eq!(city.machine.books_hash(), before, "{} changed something", refusal.code());
    assert!(refusal.to_string().contains(' '));
}

/// What is refused of a payment that is `good` otherwise.
fn of_sending(
    now: Timestamp,
    good: &Sending,
    (below, closed): (AccountId, AccountId),
) -> Vec<(Refusal, Sending)> {
    let late = Sending { expires: now, ..good.clone() };
    let poor = || Sending { foreign: xts(999_999), amount: cny(99_999), ..good.clone() };
    vec![
        (
            Refusal::InstitutionUnknown(name("nowhere")),
            Sending { peer: name("nowhere"), correspondent: name(CENTRAL_BANK), ..late.clone() },
        ),
        (
            Refusal::NotABank(name(CENTRAL_BANK)),
            Sending { peer: name("bank-b"), correspondent: name(CENTRAL_BANK), ..late.clone() },
        ),
        (Refusal::NotAPeer(name("bank-b")), Sending { peer: name("bank-b"), ..late.clone() }),
        (
            Refusal::Deadline { now, latest: latest(now) },
            Sending { correspondent: name("bank-a"), ..late.clone() },
        ),
        (
            Refusal::Deadline { now, latest: latest(now) },
            Sending { expires: latest(now).plus_seconds(1), ..good.clone() },
        ),
        (
            Refusal::NoOffer(name("bank-a")),
            Sending { correspondent: name("bank-a"), payer: NOBODY, ..good.clone() },
        ),
        (Refusal::AccountUnknown(NOBODY), Sending { payer: NOBODY, ..poor() }),
        (Refusal::OtherBank(CAROL), Sending { payer: CAROL, ..poor() }),
        (Refusal::AccountClosed(closed), Sending { payer: closed, ..poor() }),
        (Refusal::IsSubWallet(below), Sending { payer: below, ..poor() }),
        (Refusal::AmountZero, Sending { amount: xts(0), ..poor() }),
        (Refusal::AmountZero, Sending { foreign: cny(0), amount: xts(5), ..good.clone() }),
        (
            Refusal::CurrencyDiffers { ledger: cny(0).currency(), given: xts(0).currency() },
            Sending { amount: xts(99_999), foreign: cny(1), ..good.clone() },
        ),
        (
            Refusal::PeerCurrency { peer: xts(0).currency(), given: cny(0).currency() },
            Sending { foreign: cny(999_999), amount: cny(99_999), ..good.clone() },
        ),
        (
            Refusal::OfferedLess { most: 149_998, requested: 149_999 },
            Sending { amount: cny(99_999), foreign: xts(149_999), ..good.clone() },
        ),
        (
            Refusal::InsufficientFunds {
                account: AccountKind::Wallet,
                available: 800,
                requested: 801,
            },
            Sending { amount: cny(801), ..good.clone() },
        ),
    ]
}

#[test]
fn each_rule_of_sending_refuses_before_every_later_rule() {
    let mut pair = Pair::new();
    let city = &mut pair.here;
    let now = city.now;
    let below = AccountId::new(50);
    let limits = SubLimits { per_payment: 50, per_day: 100, balance: 200 };
    let (parent, payee, order) = (BOB, SHOP, Digest::ZERO);
    city.done("bank-a", Action::OpenSubWallet { account: below, parent, payee, limits, order });
    let closed = AccountId::new(51);
    city.done("bank-a", Action::OpenWallet { account: closed, class: class("IV") });
    city.done("bank-a", Action::CloseWallet { account: closed });
    let good = sending(DORA, 100, 150);
    let late = Sending { expires: now, ..good.clone() };
    let rows = of_sending(now, &good, (below, closed));
    let permission = Refusal::NotPermitted { needed: Role::Bank };
    for by in [CENTRAL_BANK, COURT, THERE] {
        refuses(city, by, send(late.clone()), &permission);
    }
    for (refusal, sending) in rows {
        refuses(city, "bank-a", send(sending), &refusal);
    }
    let over = city.submit("bank-a", send(Sending { amount: cny(201), ..good.clone() }));
    assert_eq!(over.unwrap_err().code(), "transfer.limit_exceeded.single");
    let presentation = Digest::of(b"presentation");
    let authorisation = Authorisation::SteppedUp { presentation };
    city.done("bank-a", send(Sending { amount: cny(201), authorisation, ..good }));
}

#[test]
fn nothing_leaves_a_wallet_that_is_frozen_or_dormant_nor_to_a_peer_that_is_closed() {
    let mut pair = Pair::new();
    let city = &mut pair.here;
    let freeze = city.named(COURT, freeze(ALICE, 60));
    city.done(PROSECUTOR, Action::ConfirmFreeze { freeze });
    refuses(city, "bank-a", send(sending(DORA, 0, 150)), &Refusal::AccountFrozen(ALICE));
    city.later(60);
    let rules = crate::HoldingTerms { dormant_after_days: Some(1), ..Default::default() };
    let rules = HoldingRules::new(rules).unwrap();
    city.done(CENTRAL_BANK, Action::SetHoldingRules { rules });
    city.later(86_400);
    city.done("bank-a", Action::FlagDormant { account: ALICE });
    let expires = city.now.plus_seconds(60);
    let now = Sending { expires, ..sending(DORA, 0, 150) };
    refuses(city, "bank-a", send(now.clone()), &Refusal::NoOffer(name("bank-b")));
    let rate = Some(Rate { until: expires, ..rate() });
    city.done("bank-b", correspond(THERE, BANK_THERE, rate, 0));
    refuses(city, "bank-a", send(now.clone()), &Refusal::AccountDormant(ALICE));
    city.done(CENTRAL_BANK, set_peer(THERE, PeerTerms { open: false, ..peering() }));
    let expired = Sending { expires: city.now, ..now };
    refuses(city, "bank-a", send(expired), &Refusal::PeerClosed(name(THERE)));
}

#[test]
fn an_offer_is_good_to_the_last_minor_unit_and_until_its_time() {
    let mut pair = Pair::new();
    let less = Refusal::OfferedLess { most: 151, requested: 152 };
    refuses(&mut pair.here, "bank-a", send(sending(DORA, 101, 152)), &less);
    pair.sent(sending(DORA, 101, 151));
    pair.here.now = START.plus_seconds(86_399);
    let expires = latest(pair.here.now);
    pair.sent(Sending { expires, ..sending(DORA, 2, 3) });
    pair.here.later(1);
    let action = send(Sending { expires, ..sending(DORA, 2, 3) });
    refuses(&mut pair.here, "bank-a", action, &Refusal::NoOffer(name("bank-b")));
}

#[test]
fn no_more_is_on_its_way_than_the_terms_say_on_either_side() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.sent(sending(DORA, 2, 3));
    }
    let many = Refusal::TooManyInTransit(3);
    refuses(&mut pair.here, "bank-a", send(sending(DORA, 99_999, 3)), &many);
    // The other side keeps no more than two that are not settled.
    pair.there.done(THERE, set_peer(CENTRAL_BANK, PeerTerms { most_unresolved: 2, ..peering() }));
    pair.deliver(1).unwrap();
    pair.deliver(2).unwrap();
    let third = submission(CENTRAL_BANK, pair.there.id(), receive(pair.transit(3), 0));
    let state = pair.there.machine.state_hash();
    assert_eq!(pair.there.apply(&third), Err(Refusal::TransitsUnsettled(2)));
    assert_eq!(pair.there.machine.state_hash(), state, "time cures it, so it is not remembered");
    pair.here.done(THERE, settle(1, Resolution::Credited));
    pair.deliver(3).unwrap();
    assert_eq!(pair.came_to(3), Some(Resolution::Credited));
    pair.sent(sending(DORA, 2, 3));
}

#[test]
fn each_rule_of_receiving_refuses_before_every_later_rule() {
    let mut pair = Pair::new();
    for _ in 0..2 {
        pair.sent(sending(DORA, 2, 3));
    }
    let two = pair.transit(2);
    pair.resolve(1);
    let one = Transit { number: 1, amount: xts(4), ..two.clone() };
    let permission = Refusal::NotPermitted { needed: Role::Peer };
    for by in [THERE, BANK_THERE] {
        refuses(&mut pair.there, by, receive(two.clone(), 0), &permission);
    }
    let (ledger, transit) = (name(CENTRAL_BANK), Box::new(Transit { number: 9, ..two.clone() }));
    let elsewhere = Action::ReceiveFromAbroad { ledger, transit, settled: 0 };
    let other = Refusal::OtherLedger(name(CENTRAL_BANK));
    refuses(&mut pair.there, CENTRAL_BANK, elsewhere, &other);
    let rows = [
        (Refusal::TransitSettled(0), Transit { number: 0, ..two.clone() }, 0),
        (Refusal::TransitSettled(1), one.clone(), 1),
        (Refusal::TransitDiffers(1), one, 0),
        (Refusal::TransitAhead { expected: 2 }, Transit { number: 3, ..two.clone() }, 0),
    ];
    for (refusal, transit, settled) in rows {
        refuses(&mut pair.there, CENTRAL_BANK, receive(transit, settled), &refusal);
    }
    // What it says is settled beyond what came is not believed.
    pair.there.done(CENTRAL_BANK, receive(two.clone(), 99));
    let altered = Transit { amount: xts(4), ..two };
    refuses(&mut pair.there, CENTRAL_BANK, receive(altered, 1), &Refusal::TransitDiffers(2));
    assert_eq!(pair.there.held(DORA), 106);
}

#[test]
fn only_the_peer_settles_what_went_to_it_and_once() {
    let mut pair = Pair::new();
    pair.sent(sending(DORA, 2, 3));
    let credited = Resolution::Credited;
    let permission = Refusal::NotPermitted { needed: Role::Peer };
    for by in [CENTRAL_BANK, "bank-a", "bank-b", COURT] {
        refuses(&mut pair.here, by, settle(1, credited), &permission);
    }
    let elsewhere = Action::SettleTransit { ledger: name(THERE), number: 7, resolution: credited };
    refuses(&mut pair.here, THERE, elsewhere, &Refusal::OtherLedger(name(THERE)));
    for number in [0, 2] {
        refuses(&mut pair.here, THERE, settle(number, credited), &Refusal::TransitUnknown(number));
    }
    // Another peer has numbers of its own.
    pair.here.done(CENTRAL_BANK, super::register("elsewhere", xts(0).currency()));
    refuses(&mut pair.here, "elsewhere", settle(1, credited), &Refusal::TransitUnknown(1));
    pair.here.done(THERE, settle(1, credited));
    refuses(&mut pair.here, THERE, settle(1, credited), &Refusal::TransitUnknown(1));
}

#[test]
fn peers_are_registered_by_the_central_bank_and_banks_say_what_they_do_for_them() {
    let mut pair = Pair::new();
    let city = &mut pair.here;
    let central = Refusal::NotPermitted { needed: Role::CentralBank };
    let bank = Refusal::NotPermitted { needed: Role::Bank };
    let register = |peer| super::register(peer, xts(0).currency());
    refuses(city, "bank-a", register("bank-a"), &central);
    let taken = Refusal::InstitutionRegistered(name(THERE));
    refuses(city, CENTRAL_BANK, register(THERE), &taken);
    let squatted = institution_account(&name("elsewhere"), AccountKind::InFlight);
    city.done("bank-a", Action::OpenWallet { account: squatted, class: class("IV") });
    refuses(city, CENTRAL_BANK, register("elsewhere"), &Refusal::AccountExists(squatted));
    refuses(city, THERE, set_peer("nobody", peering()), &central);
    let unknown = Refusal::InstitutionUnknown(name("nobody"));
    refuses(city, CENTRAL_BANK, set_peer("nobody", peering()), &unknown);
    let no_peer = Refusal::NotAPeer(name("bank-a"));
    refuses(city, CENTRAL_BANK, set_peer("bank-a", peering()), &no_peer);
    refuses(city, CENTRAL_BANK, correspond("nobody", BANK_THERE, None, 0), &bank);
    refuses(city, "bank-a", correspond("nobody", BANK_THERE, None, 0), &unknown);
    refuses(
        city,
        "bank-a",
        correspond("bank-b", BANK_THERE, None, 0),
        &Refusal::NotAPeer(name("bank-b")),
    );
    // A peer moves nothing else.
    let reserves = Action::CreateReserves { bank: name(THERE), amount: cny(1) };
    refuses(city, CENTRAL_BANK, reserves, &Refusal::NotABank(name(THERE)));
    refuses(city, THERE, pay(ALICE, BOB, 1), &bank);
}
