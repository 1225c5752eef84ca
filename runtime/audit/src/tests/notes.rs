//! Bearer notes: the model finds each rule broken when told that a machine had done what it should not
//! have, and says what is out of each keyset.

use super::support::*;
use crate::model::Model;
use crate::{Irregularity, audit};
use yufu_base::{AccountId, CommandId, Digest, Timestamp};
use yufu_machine::{
    Action, Authorisation, ClassId, Done, Input, KeysetNumber, KeysetTerms, Melting, Minting,
    NoteRules, NoteTerms, Output, Payees, Point, Swapping,
};

const A: KeysetNumber = KeysetNumber(0);
const A_FEE: KeysetNumber = KeysetNumber(1);
const B: KeysetNumber = KeysetNumber(2);
const NOBODYS: KeysetNumber = KeysetNumber(9);

fn point(number: u8) -> Point {
    Point([number; 33])
}

fn input(keyset: KeysetNumber, amount: u64, number: u8) -> Input {
    Input { keyset, amount, point: point(number) }
}

fn output(keyset: KeysetNumber, amount: u64, number: u8) -> Output {
    Output { keyset, amount, blinded: point(number) }
}

fn mint(payer: AccountId, outputs: &[Output]) -> Action {
    let (outputs, order) = (outputs.to_vec(), Digest::ZERO);
    let authorisation = Authorisation::Ordinary;
    Action::MintNotes { minting: Box::new(Minting { payer, outputs, order, authorisation }) }
}

fn swap(inputs: &[Input], outputs: &[Output]) -> Action {
    let (inputs, outputs) = (inputs.to_vec(), outputs.to_vec());
    Action::SwapNotes { swapping: Box::new(Swapping { inputs, outputs }) }
}

fn melt(inputs: &[Input], payee: AccountId, change: &[Output]) -> Action {
    let (inputs, change, quote) = (inputs.to_vec(), change.to_vec(), Digest::ZERO);
    Action::MeltNotes { melting: Box::new(Melting { inputs, payee, change, quote }) }
}

fn register(number: u8, input_fee_ppk: u32, seconds: u64) -> Action {
    let final_expiry = START.plus_seconds(seconds);
    let terms =
        KeysetTerms { denominations: 8, input_fee_ppk, final_expiry, payees: Payees::Anyone };
    Action::RegisterKeyset { keys: Digest([number; 32]), terms }
}

/// Of the first keyset 64 and 4 are out, of the second 8.
fn noted() -> Vec<(&'static str, Action)> {
    let mut actions = furnishing();
    let versions = [2, 3, 4].map(|version| ("central-bank", Action::ActivateVersion { version }));
    actions.extend(versions);
    let terms = NoteTerms {
        per_withdrawal: Some(100),
        per_day: Some(150),
        per_redemption: Some(32),
        payees: [ClassId::new("IV").unwrap()].into(),
        ..NoteTerms::default()
    };
    let rules = Some(NoteRules::new(terms).unwrap());
    actions.extend([
        ("central-bank", Action::SetNoteRules { rules }),
        ("bank-a", register(0, 0, 900)),
        ("bank-a", register(1, 600, 900)),
        ("bank-b", register(2, 0, 900)),
        ("bank-a", mint(BOB, &[output(A, 64, 1), output(A, 4, 2)])),
        ("bank-a", mint(BOB, &[output(A_FEE, 8, 3)])),
    ]);
    actions
}

fn model(actions: Vec<(&str, Action)>) -> Model {
    let mut model = Model::default();
    for command in submissions(actions) {
        assert_eq!(model.observe(START, &command, &Ok(Done::one(START, None))), []);
    }
    model
}

fn found(at: Timestamp, by: &str, action: Action) -> Vec<&'static str> {
    let command = signed(by, CommandId::at(START, 0xfeed), action);
    let found = model(noted()).observe(at, &command, &Ok(Done::one(at, None)));
    found.iter().map(Irregularity::code).collect()
}

#[test]
fn notes_that_should_not_have_been_made_are_found() {
    let one = [output(A, 1, 9)];
    let rows: [(&str, Action, &[&str]); 9] = [
        ("bank-a", mint(ALICE, &one), &[]),
        ("bank-b", mint(ALICE, &one), &["command.wallet", "books.keyset"]),
        ("bank-a", mint(CAROL, &one), &["command.wallet"]),
        ("bank-a", mint(ALICE, &[output(A, 3, 9)]), &["command.note"]),
        ("bank-a", mint(ALICE, &[output(A, 1, 1)]), &["command.note"]),
        ("bank-a", mint(ALICE, &[output(NOBODYS, 1, 1)]), &["books.keyset"]),
        ("bank-a", mint(ALICE, &[output(A, 128, 9)]), &["command.limit"]),
        ("bank-a", mint(BOB, &[output(A, 64, 9), output(A, 16, 8)]), &["command.limit"]),
        (
            "central-bank",
            mint(ALICE, &one),
            &["command.permission", "command.wallet", "books.keyset"],
        ),
    ];
    for (by, action, expected) in rows {
        let label = format!("{by} {action:?}");
        let found = found(START, by, action);
        assert_eq!(found, expected, "{label}");
    }
}

#[test]
fn notes_that_should_not_have_been_taken_are_found() {
    let (four, late) = ([input(A, 4, 9)], START.plus_seconds(900));
    let rows: [(Timestamp, &str, Action, &[&str]); 13] = [
        (START, "bank-a", swap(&four, &[output(A, 4, 8)]), &[]),
        (START, "bank-a", swap(&four, &[output(B, 4, 8)]), &[]),
        (START, "bank-a", melt(&four, CAROL, &[output(A, 1, 8)]), &[]),
        (START, "bank-b", swap(&four, &[output(B, 4, 8)]), &["books.keyset"]),
        (START, "bank-a", swap(&four, &[output(A, 8, 8)]), &["command.notes_uneven"]),
        (
            START,
            "bank-a",
            swap(&[input(A_FEE, 4, 9)], &[output(A, 4, 8)]),
            &["command.notes_uneven"],
        ),
        (START, "bank-a", swap(&[four[0], four[0]], &[output(A, 8, 8)]), &["command.note"]),
        (
            START,
            "bank-a",
            melt(&[input(A, 128, 9)], CAROL, &[output(A, 32, 8), output(A, 64, 7)]),
            &["command.beyond_issued"],
        ),
        (START, "bank-a", melt(&[input(A, 64, 9)], CAROL, &[]), &["command.limit"]),
        (START, "bank-a", melt(&four, AccountId::new(99), &[]), &["command.wallet"]),
        (START, "bank-a", melt(&four, CAROL, &[output(A, 4, 8)]), &["command.notes_uneven"]),
        (START, "bank-a", Action::ExpireKeyset { keyset: A }, &["books.keyset"]),
        (late, "bank-a", melt(&four, CAROL, &[]), &["books.keyset"]),
    ];
    for (at, by, action, expected) in rows {
        let label = format!("{by} {action:?}");
        let found = found(at, by, action);
        assert_eq!(found, expected, "{label}");
    }
}

#[test]
fn a_keyset_is_registered_once_and_ended_by_its_own_bank() {
    let late = START.plus_seconds(900);
    let rows: [(Timestamp, &str, Action, &[&str]); 6] = [
        (START, "bank-b", register(0, 0, 900), &["books.keyset"]),
        (START, "bank-b", register(7, 0, 0), &["books.keyset"]),
        (START, "bank-b", Action::DeactivateKeyset { keyset: A }, &["books.keyset"]),
        (START, "bank-a", Action::DeactivateKeyset { keyset: A }, &[]),
        (late, "bank-a", Action::ExpireKeyset { keyset: A }, &[]),
        (late, "bank-a", Action::ExpireKeyset { keyset: NOBODYS }, &["books.keyset"]),
    ];
    for (at, by, action, expected) in rows {
        assert_eq!(found(at, by, action.clone()), expected, "{by} {action:?}");
    }
}

#[test]
fn the_report_says_what_is_out_of_each_keyset() {
    let mut actions = noted();
    actions.push(("bank-a", swap(&[input(A, 4, 9)], &[output(B, 4, 8)])));
    let report = audit(&Doctored::honest(&submissions(actions))).unwrap();
    assert!(report.ok, "{:?}", report.findings);
    let sums: Vec<_> = report
        .keysets
        .iter()
        .map(|keyset| (keyset.bank.as_str(), keyset.issued, keyset.redeemed, keyset.outstanding))
        .collect();
    assert_eq!(sums, [("bank-a", 68, 4, 64), ("bank-a", 8, 0, 8), ("bank-b", 4, 0, 4)]);
    assert_eq!((report.supply.bearer, report.supply.balanced), (76, true));
}
