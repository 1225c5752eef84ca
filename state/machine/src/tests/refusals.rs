//! One row for each rule: a command that breaks it, and also as many of the later rules as it
//! can, so that the rows prove the precedence too.

use super::support::*;
use crate::{
    AccountKind, Action, Direction, LimitExceeded, LimitKind, Policy, PolicyTerms, Refusal, Role,
    StepUp, Submission, institution_account,
};
use std::collections::BTreeSet;
use yufu_base::{AccountId, Amount, CommandId, Currency, Stamp, StateMachine, Timestamp};

const NOBODY: AccountId = AccountId::new(99);

struct Row {
    code: &'static str,
    refusal: Refusal,
    command: Submission,
}

fn dollars() -> Amount {
    Amount::new(Currency::new("USD").unwrap(), 1)
}

fn limit(kind: LimitKind, limit: u64, remaining: u64, requested: u64, step_up: StepUp) -> Refusal {
    let step_up = Some(step_up);
    Refusal::LimitExceeded(LimitExceeded { kind, limit, remaining, requested, step_up })
}

/// A city where Alice paid 350 and so has 450 left, and 150 of her day.
fn city() -> City {
    let mut city = City::furnished();
    city.done("bank-a", pay(ALICE, SHOP, 200));
    city.done("bank-a", pay(ALICE, SHOP, 150));
    city
}

fn with_amount(action: Action, new: Amount) -> Action {
    match action {
        Action::Pay { payer, payee, order, authorisation, .. } => {
            Action::Pay { payer, payee, amount: new, order, authorisation }
        }
        other => other,
    }
}

/// Rules of admission, each with an order that would be refused later too.
fn admission(city: &mut City) -> Vec<Row> {
    let doomed = || Action::RegisterBank { bank: name("bank-a"), key: key(1) };
    let used = submission("bank-a", city.id(), pay(ALICE, BOB, 1));
    city.apply(&used).unwrap();
    let mut stranger = submission("stranger", city.id(), doomed());
    stranger.key = key(9);
    let mut old_key = submission("bank-a", used.order.id, doomed());
    old_key.key = key(9);
    let oldest = city.now.minus_seconds(7 * 86_400);
    let created = Timestamp::from_millis(oldest.millis() - 1);
    let expired = submission("bank-a", CommandId::at(created, 1), doomed());
    let newest = city.now.plus_seconds(60);
    let early = Timestamp::from_millis(newest.millis() + 1);
    let future = submission("bank-a", CommandId::at(early, 1), doomed());
    let reused = submission("bank-a", used.order.id, doomed());
    let bank = name("bank-a");
    vec![
        row("command.submitter_unknown", Refusal::SubmitterUnknown(name("stranger")), stranger),
        row("command.key_not_current", Refusal::KeyNotCurrent(bank), old_key),
        row("command.id_expired", Refusal::IdExpired { created, oldest }, expired),
        row("command.id_from_future", Refusal::IdFromFuture { created: early, newest }, future),
        row("command.id_reused", Refusal::IdReused, reused),
    ]
}

const fn row(code: &'static str, refusal: Refusal, command: Submission) -> Row {
    Row { code, refusal, command }
}

/// Rules about institutions, classes and accounts.
fn registration(city: &mut City) -> Vec<Row> {
    let central = Role::CentralBank;
    let short = Policy::new(PolicyTerms {
        classes: [(class("I"), terms().classes[&class("I")])].into(),
        ..terms()
    });
    let reserves = |bank: &str, amount| Action::CreateReserves { bank: name(bank), amount };
    let rows = [
        ("ledger.already_open", Refusal::AlreadyOpen, "bank-a", genesis()),
        (
            "command.not_permitted",
            Refusal::NotPermitted { needed: central },
            "bank-a",
            Action::RegisterBank { bank: name("bank-b"), key: key(1) },
        ),
        (
            "institution.registered",
            Refusal::InstitutionRegistered(name("bank-b")),
            CENTRAL_BANK,
            Action::RegisterBank { bank: name("bank-b"), key: key(1) },
        ),
        (
            "institution.unknown",
            Refusal::InstitutionUnknown(name("nobody")),
            CENTRAL_BANK,
            reserves("nobody", cny(0)),
        ),
        (
            "institution.not_a_bank",
            Refusal::NotABank(name(CENTRAL_BANK)),
            CENTRAL_BANK,
            reserves(CENTRAL_BANK, cny(0)),
        ),
        (
            "class.unknown",
            Refusal::ClassUnknown(class("V")),
            "bank-a",
            Action::OpenWallet { account: ALICE, class: class("V") },
        ),
        (
            "policy.class_removed",
            Refusal::ClassRemoved(class("III")),
            CENTRAL_BANK,
            Action::SetPolicy { policy: short.unwrap() },
        ),
        (
            "account.exists",
            Refusal::AccountExists(CAROL),
            "bank-a",
            Action::OpenWallet { account: CAROL, class: class("IV") },
        ),
    ];
    into_rows(city, rows)
}

/// Rules about transfers.
fn transfers(city: &mut City) -> Vec<Row> {
    let classes = |names: &[&str]| StepUp::Classes(names.iter().map(|n| class(n)).collect());
    let short =
        Refusal::InsufficientFunds { account: AccountKind::Wallet, available: 449, requested: 450 };
    let fill = |account, minor| Action::Exchange {
        direction: Direction::PaperToDigital(account),
        amount: cny(minor),
    };
    let rows = [
        ("account.unknown", Refusal::AccountUnknown(NOBODY), "bank-a", pay(CAROL, NOBODY, 0)),
        ("account.other_bank", Refusal::OtherBank(CAROL), "bank-a", pay(CAROL, CAROL, 0)),
        ("transfer.same_account", Refusal::SameAccount, "bank-a", pay(ALICE, ALICE, 0)),
        (
            "transfer.amount_zero",
            Refusal::AmountZero,
            "bank-a",
            with_amount(pay(ALICE, BOB, 0), Amount::new(dollars().currency(), 0)),
        ),
        (
            "transfer.currency_differs",
            Refusal::CurrencyDiffers { ledger: cny(0).currency(), given: dollars().currency() },
            "bank-a",
            with_amount(pay(ALICE, BOB, 0), Amount::new(dollars().currency(), 99_999)),
        ),
        ("transfer.insufficient_funds", short, "bank-a", pay(ALICE, BOB, 450)),
        (
            "transfer.limit_exceeded.single",
            limit(LimitKind::Single, 200, 200, 201, StepUp::Presentation),
            "bank-a",
            pay(ALICE, BOB, 201),
        ),
        (
            "transfer.limit_exceeded.daily",
            limit(LimitKind::Daily, 500, 149, 150, StepUp::Presentation),
            "bank-a",
            pay(ALICE, BOB, 150),
        ),
        (
            "transfer.limit_exceeded.daily",
            limit(LimitKind::Daily, 600, 249, 250, classes(&["I", "III"])),
            "bank-a",
            stepped_up(ALICE, BOB, 250),
        ),
        ("transfer.payee_full", Refusal::PayeeFull, "bank-a", pay(ALICE, BOB, 100)),
        (
            "transfer.limit_exceeded.balance",
            limit(LimitKind::Balance, 1000, 99, 100, classes(&["I", "III"])),
            "bank-a",
            fill(BOB, 100),
        ),
    ];
    into_rows(city, rows)
}

fn into_rows<const N: usize>(
    city: &mut City,
    rows: [(&'static str, Refusal, &str, Action); N],
) -> Vec<Row> {
    let make = |(code, refusal, by, action)| row(code, refusal, submission(by, city.id(), action));
    rows.into_iter().map(make).collect()
}

#[test]
fn each_rule_refuses_under_its_code_before_every_later_rule() {
    let mut city = city();
    // Notes for the public, or nobody could bring any to the desk.
    let notes = Action::Exchange { direction: Direction::DepositToPaper, amount: cny(500) };
    city.done("bank-a", notes);
    let mut rows = admission(&mut city);
    rows.extend(registration(&mut city));
    rows.extend(transfers(&mut city));
    for Row { code, refusal, command } in rows {
        let before = city.machine.books_hash();
        let given = city.apply(&command).unwrap_err();
        assert_eq!(given, refusal);
        assert_eq!(given.code(), code);
        assert_eq!(city.machine.books_hash(), before, "{code} changed something");
    }
}

#[test]
fn an_id_at_the_very_edge_of_the_tolerance_is_admitted() {
    let mut city = City::furnished();
    let newest = CommandId::at(city.now.plus_seconds(60), 1);
    assert!(city.apply(&submission("bank-a", newest, pay(ALICE, SHOP, 1))).is_ok());
    let oldest = CommandId::at(city.now.minus_seconds(7 * 86_400), 1);
    assert!(city.apply(&submission("bank-a", oldest, pay(ALICE, SHOP, 1))).is_ok());
}

#[test]
fn nothing_is_done_before_genesis_and_only_the_central_bank_it_names_opens() {
    let mut city = City::empty();
    let refused = city.submit(CENTRAL_BANK, pay(ALICE, BOB, 1));
    assert_eq!(refused.unwrap_err().code(), "ledger.not_open");
    let refused = city.submit("bank-a", genesis());
    assert_eq!(refused, Err(Refusal::SubmitterUnknown(name("bank-a"))));
    let mut forged = submission(CENTRAL_BANK, city.id(), genesis());
    forged.key = key(9);
    assert_eq!(city.apply(&forged), Err(Refusal::KeyNotCurrent(name(CENTRAL_BANK))));
    let late = submission(CENTRAL_BANK, city.id(), genesis());
    let a_month_later = Stamp { at: START.plus_seconds(30 * 86_400) };
    let refused = city.machine.apply(a_month_later, &late);
    assert_eq!(refused.unwrap_err().code(), "command.id_expired");
    assert_eq!(city.machine.currency(), None);
    city.done(CENTRAL_BANK, genesis());
    assert_eq!(city.machine.currency(), Some(cny(0).currency()));
}

#[test]
fn the_yearly_limit_is_held_over_days() {
    let mut city = City::furnished();
    for _ in 0..4 {
        city.done("bank-a", pay(ALICE, SHOP, 200));
        city.now = city.now.plus_seconds(86_400);
    }
    let fill = Direction::DepositToDigital(ALICE);
    city.done("bank-a", Action::Exchange { direction: fill, amount: cny(900) });
    city.done("bank-a", pay(ALICE, SHOP, 150));
    let refused = city.submit("bank-a", pay(ALICE, SHOP, 51)).unwrap_err();
    assert_eq!(refused, limit(LimitKind::Yearly, 1000, 50, 51, StepUp::Presentation));
    assert_eq!(refused.code(), "transfer.limit_exceeded.yearly");
    city.done("bank-a", stepped_up(ALICE, SHOP, 150));
    let refused = city.submit("bank-a", stepped_up(ALICE, SHOP, 101)).unwrap_err();
    let classes = StepUp::Classes(vec![class("I"), class("III")]);
    assert_eq!(refused, limit(LimitKind::Yearly, 1100, 0, 101, classes));
}

#[test]
fn nothing_lifts_a_limit_that_no_class_is_without() {
    let mut city = City::furnished();
    let mut strict = terms();
    let three = strict.classes[&class("III")];
    strict.classes.insert(class("I"), three);
    city.done(CENTRAL_BANK, Action::SetPolicy { policy: Policy::new(strict).unwrap() });
    let Err(Refusal::LimitExceeded(exceeded)) = city.submit("bank-b", pay(CAROL, SHOP, 401)) else {
        panic!("expected a limit");
    };
    assert_eq!((exceeded.kind, exceeded.step_up), (LimitKind::Single, None));
}

#[test]
fn turnover_beyond_64_bits_is_refused() {
    let mut city = City::furnished();
    let all = cny(u64::MAX);
    let action = Action::CreateReserves { bank: name("bank-a"), amount: all };
    let refused = city.submit(CENTRAL_BANK, action).unwrap_err();
    assert_eq!(refused, Refusal::OutOfRange(AccountKind::Backing));
    assert_eq!(refused.code(), "transfer.out_of_range");
}

#[test]
fn an_institutions_own_account_is_no_wallet() {
    let mut city = City::furnished();
    let vault = institution_account(&name("bank-a"), AccountKind::Vault);
    assert!(city.machine.balance(vault).is_some());
    let refused = city.submit("bank-a", pay(ALICE, vault, 1));
    assert_eq!(refused, Err(Refusal::AccountUnknown(vault)));
}

#[test]
fn an_institution_replaces_its_own_key_and_the_central_bank_anyones() {
    let mut city = City::furnished();
    let replace = |bank: &str, byte| Action::ReplaceKey { institution: name(bank), key: key(byte) };
    let refused = city.submit("bank-a", replace("bank-b", 9));
    assert_eq!(refused, Err(Refusal::NotPermitted { needed: Role::CentralBank }));
    city.done("bank-a", replace("bank-a", 9));
    let refused = city.submit("bank-a", pay(ALICE, SHOP, 1));
    assert_eq!(refused, Err(Refusal::KeyNotCurrent(name("bank-a"))));
    city.done(
        CENTRAL_BANK,
        Action::ReplaceKey { institution: name("bank-a"), key: key_of("bank-a") },
    );
    city.done("bank-a", pay(ALICE, SHOP, 1));
}

#[test]
fn every_code_stands_for_one_rule_and_every_message_says_more_than_the_code() {
    let mut city = city();
    let mut rows = admission(&mut city);
    rows.extend(registration(&mut city));
    rows.extend(transfers(&mut city));
    let codes: BTreeSet<&str> = rows.iter().map(|row| row.code).collect();
    // All but the second row of the daily limit differ.
    assert_eq!(codes.len(), rows.len() - 1);
    for row in rows {
        assert!(row.refusal.to_string().contains(' '), "{}", row.code);
    }
}
