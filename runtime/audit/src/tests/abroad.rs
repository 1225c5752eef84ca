//! Between ledgers: the model finds each rule broken when told that a machine had done what it
//! should not have, and two logs that do not fit each other are found.

use super::support::*;
use crate::model::Model;
use crate::{Irregularity, audit_between};
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, Signer as _, Stamp, StateMachine, Timestamp,
};
use yufu_machine::{
    Action, Authorisation, ClassId, Correspondent, Done, Machine, PeerTerms, Peering, Rate,
    Resolution, ReturnReason, Sending, Submission, Transit,
};

const THERE: &str = "other-central";
const BANK_THERE: &str = "bank-c";
const DORA: AccountId = AccountId::new(7);

fn xts(minor: u64) -> Amount {
    Amount::new(Currency::new("XTS").unwrap(), minor)
}

fn register(peer: &str, currency: Currency, most_unresolved: u32) -> Action {
    let address = "https://ledger.example".to_owned();
    let terms = PeerTerms { address, open: true, most_unresolved, most_days: 2 };
    let (key, peering) = (key_of(peer).public_key(), Peering::new(terms).unwrap());
    Action::RegisterPeer { peer: name(peer), key, currency, peering }
}

fn correspond(peer: &str, there: &str, ready: u64) -> Action {
    let rate = Some(Rate { take: 1, give: 2, until: START.plus_seconds(3_600) });
    let correspondent = Some(Correspondent { there: name(there), rate, ready });
    Action::Correspond { peer: name(peer), correspondent }
}

fn sending(minor: u64) -> Sending {
    Sending {
        payer: ALICE,
        peer: name(THERE),
        payee: DORA,
        amount: cny(minor),
        foreign: xts(minor * 2),
        correspondent: name("bank-b"),
        expires: START.plus_seconds(3_600),
        order: Digest::of(b"order"),
        authorisation: Authorisation::Ordinary,
    }
}

fn send(sending: Sending) -> Action {
    Action::SendAbroad { sending: Box::new(sending) }
}

fn transit(number: u64, minor: u64) -> Transit {
    let Sending { payee, expires, order, .. } = sending(1);
    let (from, to) = (name("bank-b"), name(BANK_THERE));
    Transit { number, payee, amount: xts(minor), from, to, expires, order }
}

fn receive(transit: Transit, settled: u64) -> Action {
    Action::ReceiveFromAbroad { ledger: name(THERE), transit: Box::new(transit), settled }
}

fn settle(number: u64, resolution: Resolution) -> Action {
    Action::SettleTransit { ledger: name("central-bank"), number, resolution }
}

/// One ledger, from which money goes.
fn here() -> Vec<(&'static str, Action)> {
    let mut actions = furnishing();
    let versions = [2, 3].map(|version| ("central-bank", Action::ActivateVersion { version }));
    actions.extend(versions);
    actions.push(("central-bank", register(THERE, xts(0).currency(), 2)));
    actions.push(("bank-b", correspond(THERE, BANK_THERE, 0)));
    actions
}

/// The other one.
fn there() -> Vec<(&'static str, Action)> {
    let (currency, bank) = (xts(0).currency(), name(BANK_THERE));
    let (key, class) = (key_of(THERE).public_key(), ClassId::new("IV").unwrap());
    let amount = xts(5_000);
    let genesis = Action::Genesis { currency, central_bank: name(THERE), key, policy: policy() };
    vec![
        (THERE, genesis),
        (THERE, Action::ActivateVersion { version: 2 }),
        (THERE, Action::ActivateVersion { version: 3 }),
        (THERE, Action::RegisterBank { bank: bank.clone(), key: key_of(BANK_THERE).public_key() }),
        (THERE, Action::CreateReserves { bank: bank.clone(), amount }),
        (THERE, Action::Issue { bank, amount }),
        (BANK_THERE, Action::OpenWallet { account: DORA, class }),
        (THERE, register("central-bank", cny(0).currency(), 2)),
        (BANK_THERE, correspond("central-bank", "bank-b", 900)),
    ]
}

fn model(actions: Vec<(&str, Action)>) -> Model {
    let mut model = Model::default();
    for command in submissions(actions) {
        assert_eq!(model.observe(START, &command, &Ok(Done::one(START, None))), []);
    }
    model
}

fn found(model: &mut Model, at: Timestamp, by: &str, action: Action) -> Vec<&'static str> {
    let Digest(bytes) = Digest::of(&borsh::to_vec(&action).unwrap());
    let number = u128::from_be_bytes(bytes[..16].try_into().unwrap());
    let command = signed(by, CommandId::at(START, number), action);
    let found = model.observe(at, &command, &Ok(Done::one(at, None)));
    found.iter().map(Irregularity::code).collect()
}

#[test]
fn what_should_not_have_left_is_found() {
    let dear = Sending { foreign: xts(21), ..sending(10) };
    let rows: [(&str, Sending, &[&str]); 11] = [
        ("bank-a", sending(200), &[]),
        ("bank-a", sending(201), &["command.limit"]),
        ("bank-b", sending(10), &["command.wallet"]),
        ("central-bank", sending(10), &["command.permission", "command.wallet"]),
        ("bank-a", sending(0), &["command.malformed", "books.transit"]),
        ("bank-a", dear, &["books.transit"]),
        ("bank-a", Sending { foreign: cny(20), ..sending(10) }, &["books.transit"]),
        ("bank-a", Sending { correspondent: name("bank-a"), ..sending(10) }, &["books.transit"]),
        ("bank-a", Sending { expires: START, ..sending(10) }, &["command.deadline"]),
        (
            "bank-a",
            Sending { expires: START.plus_seconds(172_801), ..sending(10) },
            &["command.deadline"],
        ),
        (
            "bank-a",
            Sending { peer: name("nowhere"), ..sending(10) },
            &["command.deadline", "books.peer"],
        ),
    ];
    for (by, sending, expected) in rows {
        let label = format!("{by} {sending:?}");
        assert_eq!(found(&mut model(here()), START, by, send(sending)), expected, "{label}");
    }
    let mut full = here();
    full.extend([("bank-a", send(sending(10))), ("bank-a", send(sending(11)))]);
    let third = found(&mut model(full), START, "bank-a", send(sending(100)));
    assert_eq!(third, ["books.transit"]);
}

#[test]
fn what_should_not_have_come_or_been_settled_is_found() {
    let there = || model(there());
    assert_eq!(found(&mut there(), START, "central-bank", receive(transit(1, 9), 0)), [""; 0]);
    let rows = [
        (THERE, receive(transit(1, 9), 0), vec!["command.permission", "books.transit"]),
        ("central-bank", receive(transit(2, 9), 0), vec!["books.transit"]),
        ("central-bank", receive(transit(0, 9), 0), vec!["books.transit"]),
    ];
    for (by, action, expected) in rows {
        assert_eq!(found(&mut there(), START, by, action), expected);
    }
    let elsewhere = Action::ReceiveFromAbroad {
        ledger: name("elsewhere"),
        transit: Box::new(transit(1, 9)),
        settled: 0,
    };
    assert_eq!(found(&mut there(), START, "central-bank", elsewhere), ["books.peer"]);
    // A third while two are unsettled, and the second said otherwise.
    let mut more = there();
    for number in [1, 2] {
        found(&mut more, START, "central-bank", receive(transit(number, 9), 0));
    }
    let third = found(&mut more, START, "central-bank", receive(transit(3, 500), 0));
    assert_eq!(third, ["books.transit"]);
    let otherwise = found(&mut more, START, "central-bank", receive(transit(2, 10), 0));
    assert_eq!(otherwise, ["books.transit"]);
    assert_eq!(found(&mut more, START, "central-bank", receive(transit(2, 9), 1)), [""; 0]);
    assert_eq!(
        found(&mut more, START, "central-bank", receive(transit(1, 9), 1)),
        ["books.transit"]
    );
    let mut sent = here();
    sent.push(("bank-a", send(sending(10))));
    let credited = Resolution::Credited;
    let settled = |by, action| found(&mut model(sent.clone()), START, by, action);
    assert_eq!(settled(THERE, settle(1, credited)), [""; 0]);
    assert_eq!(settled(THERE, settle(2, credited)), ["books.transit"]);
    let permission = ["command.permission", "books.transit"];
    assert_eq!(settled("central-bank", settle(1, credited)), permission);
}

/// Applies what the machine does of it; gives what both logs' commands are.
fn applied(commands: &[Submission]) -> Machine {
    let mut machine = Machine::new();
    for (number, commands) in (0..).zip(commands.chunks(3)) {
        for command in commands {
            machine.apply(Stamp { at: START.plus_seconds(number) }, command).unwrap();
        }
    }
    machine
}

fn carols(minor: u64) -> Sending {
    let authorisation = Authorisation::SteppedUp { presentation: Digest::ZERO };
    let amount = cny(minor.min(400));
    Sending { payer: CAROL, foreign: xts(899.min(minor * 2)), amount, authorisation, ..sending(1) }
}

#[test]
fn two_logs_that_fit_are_found_to_and_their_sums_told() {
    let returned = Resolution::Returned(ReturnReason::CorrespondentShort);
    let mut there = there();
    let mut here = here();
    here.extend([("bank-a", send(sending(100))), ("bank-b", send(carols(400)))]);
    there.push(("central-bank", receive(transit(1, 200), 0)));
    there.push(("central-bank", receive(transit(2, 800), 0)));
    here.push((THERE, settle(1, Resolution::Credited)));
    let (half, there) = (submissions(here.clone()), submissions(there));
    let report = audit_between(&Doctored::honest(&half), &Doctored::honest(&there)).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!((report.there.in_flight, report.there.settled), (400, 100));
    assert_eq!(report.one.supply.in_flight, 400);
    here.push((THERE, settle(2, returned)));
    let whole = submissions(here);
    let report = audit_between(&Doctored::honest(&whole), &Doctored::honest(&there)).unwrap();
    assert!(report.ok, "{report:?}");
    let sums = [report.there.left, report.there.settled, report.there.given_back];
    assert_eq!(sums, [500, 100, 400]);
    assert_eq!((report.there.sent, report.there.credited, report.there.returned), (2, 1, 1));
    assert_eq!((report.back.sent, report.there.in_flight), (0, 0));
    assert!(applied(&whole).supply().balanced);
}

#[test]
fn two_logs_that_do_not_fit_are_found_out() {
    let codes = |one: &[Submission], other: &[Submission]| {
        let report = audit_between(&Doctored::honest(one), &Doctored::honest(other)).unwrap();
        assert!(report.one.ok && report.other.ok, "each by itself is in order");
        assert!(!report.ok);
        report.there.findings.iter().map(|one| (one.number, one.code)).collect::<Vec<_>>()
    };
    let mut sent = here();
    sent.push(("bank-a", send(sending(100))));
    let unsettled = submissions(sent.clone());
    sent.push((THERE, settle(1, Resolution::Returned(ReturnReason::Expired))));
    let returned = submissions(sent);
    let mut came = there();
    let nothing = submissions(came.clone());
    came.push(("central-bank", receive(transit(1, 200), 0)));
    let credited = submissions(came);
    let mut otherwise = there();
    otherwise.push(("central-bank", receive(transit(1, 201), 0)));
    let otherwise = submissions(otherwise);
    let one = Some(1);
    assert_eq!(codes(&returned, &credited), [(one, "between.settled_otherwise")]);
    assert_eq!(codes(&returned, &nothing), [(one, "between.settled_unreceived")]);
    assert_eq!(codes(&unsettled, &otherwise), [(one, "between.differs")]);
    assert_eq!(codes(&submissions(here()), &credited), [(one, "between.never_sent")]);
}
