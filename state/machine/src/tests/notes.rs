//! Bearer notes: money leaves a wallet for them, they are swapped, and come back into a wallet; every
//! rule that refuses them has its row, and nothing changes then.

use super::support::*;
use crate::{
    AccountKind, Action, Authorisation, HoldingRules, HoldingTerms, Input, KeysetError,
    KeysetNumber, KeysetTerms, LimitExceeded, LimitKind, Melting, Minting, NoteError, NoteRules,
    NoteTerms, Output, Payees, Point, Promise, Refusal, Role, Swapping,
};
use yufu_base::{AccountId, Digest, StateMachine as _};

pub(super) const A: KeysetNumber = KeysetNumber(0);
pub(super) const A_FEE: KeysetNumber = KeysetNumber(1);
pub(super) const A_PAYEES: KeysetNumber = KeysetNumber(2);
pub(super) const B: KeysetNumber = KeysetNumber(3);
const DAY: u64 = 86_400;

pub(super) fn note_terms() -> NoteTerms {
    NoteTerms {
        per_withdrawal: Some(128),
        per_day: Some(200),
        per_year: Some(300),
        per_redemption: Some(64),
        payees: [class("I")].into(),
        least_promised: 0,
    }
}

pub(super) fn set_rules(terms: NoteTerms) -> Action {
    Action::SetNoteRules { rules: Some(NoteRules::new(terms).unwrap()) }
}

pub(super) fn keyset_terms() -> KeysetTerms {
    KeysetTerms {
        denominations: 10,
        input_fee_ppk: 0,
        final_expiry: START.plus_seconds(30 * DAY),
        payees: Payees::Anyone,
    }
}

fn register(number: KeysetNumber, terms: KeysetTerms) -> Action {
    Action::RegisterKeyset { keys: Digest::of(&number.0.to_le_bytes()), terms }
}

pub(super) fn point(number: u64) -> Point {
    let mut bytes = [2; 33];
    bytes[25..].copy_from_slice(&number.to_be_bytes());
    Point(bytes)
}

pub(super) fn input(keyset: KeysetNumber, amount: u64, number: u64) -> Input {
    Input { keyset, amount, point: point(number) }
}

pub(super) fn output(keyset: KeysetNumber, amount: u64, number: u64) -> Output {
    Output { keyset, amount, blinded: point(number) }
}

pub(super) fn mint(payer: AccountId, outputs: &[Output]) -> Action {
    let (order, authorisation) = (Digest::of(b"order"), Authorisation::Ordinary);
    let minting = Minting { payer, outputs: outputs.to_vec(), order, authorisation };
    Action::MintNotes { minting: Box::new(minting) }
}

pub(super) fn swap(inputs: &[Input], outputs: &[Output]) -> Action {
    let swapping = Swapping { inputs: inputs.to_vec(), outputs: outputs.to_vec() };
    Action::SwapNotes { swapping: Box::new(swapping) }
}

pub(super) fn melt(inputs: &[Input], payee: AccountId, change: &[Output]) -> Action {
    let (inputs, change) = (inputs.to_vec(), change.to_vec());
    let melting = Melting { inputs, payee, change, quote: Digest::of(b"quote") };
    Action::MeltNotes { melting: Box::new(melting) }
}

/// Bank A has three keysets, one with a fee and one for registered payees alone, and bank B one. Of
/// the first, 64, 32 and 4 are out; of each of the other two 16. All was Alice's.
pub(super) fn minted() -> City {
    let mut city = City::current();
    for version in [3, 4] {
        city.done(CENTRAL_BANK, Action::ActivateVersion { version });
    }
    city.done(CENTRAL_BANK, set_rules(note_terms()));
    let fee = KeysetTerms { input_fee_ppk: 600, ..keyset_terms() };
    let payees = KeysetTerms { payees: Payees::Registered, ..keyset_terms() };
    city.done("bank-a", register(A, keyset_terms()));
    city.done("bank-a", register(A_FEE, fee));
    city.done("bank-a", register(A_PAYEES, payees));
    city.done("bank-b", register(B, keyset_terms()));
    city.done("bank-a", mint(ALICE, &[output(A, 64, 1), output(A, 32, 2), output(A, 4, 3)]));
    city.done("bank-a", mint(ALICE, &[output(A_FEE, 16, 4), output(A_PAYEES, 16, 5)]));
    city
}

/// In Alice's wallet, behind the notes of both banks; the supply balances.
pub(super) fn held(city: &City) -> [u64; 3] {
    let supply = city.machine.supply();
    assert!(supply.balanced, "{supply:?}");
    let behind = ["bank-a", "bank-b"].map(|bank| {
        let out = city.machine.notes_out(&name(bank)).unwrap().minor();
        let id = crate::institution_account(&name(bank), AccountKind::BearerNotes);
        assert_eq!(city.held(id), out);
        out
    });
    assert_eq!(supply.bearer, u128::from(behind[0] + behind[1]));
    [city.held(ALICE), behind[0], behind[1]]
}

#[test]
fn money_becomes_notes_and_comes_back_into_a_wallet_of_any_bank() {
    let mut city = minted();
    assert_eq!(held(&city), [668, 132, 0]);
    let wallet = city.machine.wallet(ALICE, city.now).unwrap();
    assert_eq!(wallet.spent_today, cny(132), "it counts against the limits of the class");
    city.done("bank-a", swap(&[input(A, 64, 10)], &[output(A, 32, 11), output(A, 32, 12)]));
    city.done("bank-a", melt(&[input(A, 32, 11)], CAROL, &[output(A, 2, 13)]));
    assert_eq!((held(&city), city.held(CAROL)), ([668, 102, 0], 830));
    let keyset = city.machine.keysets().remove(0);
    assert_eq!((keyset.issued, keyset.redeemed), (cny(166), cny(96)));
    assert_eq!((keyset.outputs, keyset.spent), (6, 2));
}

#[test]
fn notes_of_one_bank_become_those_of_another_settled_in_the_same_command() {
    let mut city = minted();
    city.done("bank-a", swap(&[input(A, 32, 10)], &[output(B, 32, 11)]));
    assert_eq!(held(&city), [668, 100, 32]);
    let promised = city.machine.promised(&name("bank-b"), &[point(11), point(1)]);
    assert_eq!(promised, [vec![Promise { keyset: B, amount: 32 }], vec![]]);
    // Of bank B, it can be paid by bank B alone.
    let not_its = Refusal::Keyset(KeysetError::NotOwned(B));
    assert_eq!(city.submit("bank-a", melt(&[input(B, 32, 12)], SHOP, &[])), Err(not_its));
    city.done("bank-b", melt(&[input(B, 32, 12)], SHOP, &[]));
    assert_eq!((held(&city), city.held(SHOP)), ([668, 100, 0], 832));
}

#[test]
fn the_fee_of_notes_goes_to_the_banks_stock() {
    let mut city = minted();
    let vault = |city: &City| {
        city.machine.bank_balance(&name("bank-a"), AccountKind::Vault).unwrap().minor()
    };
    let before = vault(&city);
    city.done(
        "bank-a",
        swap(
            &[input(A_FEE, 16, 10)],
            &[output(A, 8, 11), output(A, 4, 12), output(A, 2, 13), output(A, 1, 14)],
        ),
    );
    assert_eq!((vault(&city) - before, held(&city)), (1, [668, 131, 0]));
}

#[test]
fn what_is_spent_and_what_was_promised_is_told_by_bank() {
    let mut city = minted();
    city.done("bank-a", swap(&[input(A, 4, 10)], &[output(A_FEE, 4, 11)]));
    let points = [point(10), point(11)];
    assert_eq!(city.machine.are_spent(&name("bank-a"), &points), [true, false]);
    assert_eq!(city.machine.are_spent(&name("bank-b"), &points), [false, false]);
    let found = city.machine.promised(&name("bank-a"), &[point(11), point(3)]);
    assert_eq!(
        found,
        [vec![Promise { keyset: A_FEE, amount: 4 }], vec![Promise { keyset: A, amount: 4 }],]
    );
}

#[test]
fn a_keyset_that_is_over_leaves_the_money_supply_with_what_was_out() {
    let mut city = minted();
    let expire = |keyset| Action::ExpireKeyset { keyset };
    let early = Refusal::Keyset(KeysetError::NotOver(A));
    assert_eq!(city.submit("bank-a", expire(A)), Err(early));
    city.later(30 * DAY);
    let over = Refusal::Notes(NoteError::KeysetUnknown(A));
    assert_eq!(city.submit("bank-a", melt(&[input(A, 4, 9)], CAROL, &[])), Err(over));
    let not_its = Refusal::Keyset(KeysetError::NotOwned(A));
    assert_eq!(city.submit("bank-b", expire(A)), Err(not_its));
    let issued = city.machine.supply().backing;
    city.done("bank-a", expire(A));
    assert_eq!((held(&city), issued - city.machine.supply().backing), ([668, 32, 0], 100));
    let gone = Refusal::Keyset(KeysetError::Unknown(A));
    assert_eq!(city.submit("bank-a", expire(A)), Err(gone));
}

#[test]
fn a_repeat_is_answered_as_the_first_time_and_another_command_spends_nothing_twice() {
    let mut city = minted();
    let swapping = swap(&[input(A, 4, 10)], &[output(A, 4, 11)]);
    let first = submission("bank-a", city.id(), swapping);
    let outcome = city.apply(&first);
    assert!(outcome.is_ok());
    let state = city.machine.state_hash();
    assert_eq!(city.apply(&first), outcome);
    assert_eq!(city.machine.state_hash(), state);
    let again = swap(&[input(A, 4, 10)], &[output(A, 4, 12)]);
    let spent = Refusal::Notes(NoteError::Spent { place: 0 });
    assert_eq!(city.submit("bank-a", again), Err(spent));
    // What was refused promised nothing that could be signed.
    assert_eq!(city.machine.promised(&name("bank-a"), &[point(12)]), [vec![]]);
}

fn limit(kind: LimitKind, limit: u64, remaining: u64, requested: u64) -> Refusal {
    Refusal::LimitExceeded(LimitExceeded { kind, limit, remaining, requested, step_up: None })
}

/// Holds each row against the city, which is left as it was.
fn refused(city: &mut City, rows: Vec<(&str, Action, Refusal)>) {
    for (by, action, refusal) in rows {
        let before = city.machine.books_hash();
        assert_eq!(city.submit(by, action.clone()), Err(refusal), "{action:?}");
        assert_eq!(city.machine.books_hash(), before, "{action:?}");
    }
}

#[test]
fn each_rule_on_keysets_refuses_with_its_reason() {
    let mut city = minted();
    let bank = Refusal::NotPermitted { needed: Role::Bank };
    let central = Refusal::NotPermitted { needed: Role::CentralBank };
    let unknown = NoteTerms { payees: [class("V")].into(), ..note_terms() };
    let gone = KeysetNumber(9);
    let over = KeysetTerms { final_expiry: city.now, ..keyset_terms() };
    let rows = vec![
        ("bank-a", set_rules(note_terms()), central),
        (CENTRAL_BANK, set_rules(unknown), Refusal::ClassUnknown(class("V"))),
        (CENTRAL_BANK, register(gone, keyset_terms()), bank),
        ("bank-b", register(A, keyset_terms()), Refusal::Keyset(KeysetError::Registered(A))),
        ("bank-a", register(gone, over), Refusal::Keyset(KeysetError::Expired)),
        (
            "bank-b",
            Action::DeactivateKeyset { keyset: A },
            Refusal::Keyset(KeysetError::NotOwned(A)),
        ),
        (
            "bank-b",
            Action::DeactivateKeyset { keyset: gone },
            Refusal::Keyset(KeysetError::Unknown(gone)),
        ),
    ];
    refused(&mut city, rows);
    city.done("bank-a", Action::DeactivateKeyset { keyset: A });
    city.done(CENTRAL_BANK, Action::SetNoteRules { rules: None });
    let inactive = Refusal::Keyset(KeysetError::Inactive(A));
    let no_more = Refusal::Notes(NoteError::KeysetInactive(A));
    let rows = vec![
        ("bank-a", Action::DeactivateKeyset { keyset: A }, inactive),
        ("bank-a", swap(&[input(A, 4, 10)], &[output(A, 4, 11)]), no_more),
        ("bank-a", register(gone, keyset_terms()), Refusal::NoNoteRules),
        ("bank-a", mint(BOB, &[output(A_FEE, 1, 11)]), Refusal::NoNoteRules),
    ];
    refused(&mut city, rows);
    // Without rules no new ones are made, and what is out is redeemed.
    city.done("bank-a", melt(&[input(A, 64, 10)], CAROL, &[]));
}

#[test]
fn each_rule_on_withdrawals_refuses_with_its_reason_in_order() {
    let mut city = minted();
    city.done("bank-a", Action::OpenWallet { account: AccountId::new(50), class: class("IV") });
    let (unknown, other) = (AccountId::new(99), Refusal::OtherBank(CAROL));
    let foreign = Refusal::Keyset(KeysetError::NotOwned(B));
    let empty =
        Refusal::InsufficientFunds { account: AccountKind::Wallet, available: 0, requested: 1 };
    let one = |number| [output(A, 1, number)];
    let many = [output(A, 128, 20), output(A, 64, 21), output(A, 8, 22), output(A, 1, 23)];
    let mut twice = one(20).to_vec();
    twice.extend(one(20));
    let rows = vec![
        (CENTRAL_BANK, mint(ALICE, &one(20)), Refusal::NotPermitted { needed: Role::Bank }),
        ("bank-a", mint(unknown, &[output(B, 1, 20)]), foreign),
        ("bank-a", mint(unknown, &one(20)), Refusal::AccountUnknown(unknown)),
        ("bank-a", mint(CAROL, &one(20)), other),
        ("bank-a", mint(BOB, &[]), Refusal::Notes(NoteError::Nothing)),
        ("bank-a", mint(BOB, &twice), Refusal::Notes(NoteError::OutputRepeated { place: 1 })),
        ("bank-a", mint(BOB, &one(1)), Refusal::Notes(NoteError::Promised { place: 0 })),
        ("bank-a", mint(AccountId::new(50), &one(20)), empty),
        ("bank-a", mint(SHOP, &many[..2]), limit(LimitKind::NotesSingle, 128, 128, 192)),
        ("bank-a", mint(ALICE, &many[1..]), limit(LimitKind::NotesDaily, 200, 68, 73)),
    ];
    refused(&mut city, rows);
    let class_limit = city.submit("bank-a", mint(BOB, &many)).unwrap_err();
    assert_eq!(class_limit.code(), "transfer.limit_exceeded.single");
    city.later(DAY);
    city.done("bank-a", mint(ALICE, &[output(A, 128, 30)]));
    city.later(DAY);
    let yearly = limit(LimitKind::NotesYearly, 300, 40, 64);
    refused(&mut city, vec![("bank-a", mint(ALICE, &[output(A, 64, 31)]), yearly)]);
}

#[test]
fn each_rule_on_swaps_and_redemptions_refuses_with_its_reason_in_order() {
    let mut city = minted();
    let unknown = AccountId::new(99);
    let uneven = |taken, given| Refusal::NotesUneven { taken, given };
    let (note, spent) = ([input(A, 4, 10)], NoteError::Spent { place: 0 });
    city.done("bank-a", swap(&[input(A, 32, 19)], &[output(A, 32, 18)]));
    let rows = vec![
        (CENTRAL_BANK, swap(&note, &[]), Refusal::NotPermitted { needed: Role::Bank }),
        ("bank-b", swap(&note, &[]), Refusal::Keyset(KeysetError::NotOwned(A))),
        (
            "bank-a",
            swap(&note, &[output(A, 2, 11), output(B, 2, 12)]),
            Refusal::Keyset(KeysetError::NotOwned(B)),
        ),
        ("bank-a", swap(&[input(A, 32, 19)], &[]), Refusal::Notes(spent)),
        ("bank-a", swap(&note, &[output(A, 2, 11)]), uneven(4, 2)),
        ("bank-a", swap(&note, &[output(A, 8, 11)]), uneven(4, 8)),
        ("bank-a", swap(&[], &[output(A, 8, 11)]), uneven(0, 8)),
        ("bank-a", swap(&[input(A_FEE, 1, 10), input(A_FEE, 1, 11)], &[]), uneven(0, 0)),
        (
            "bank-a",
            swap(&[input(A, 128, 11)], &[output(A, 128, 12)]),
            Refusal::Notes(NoteError::BeyondIssued(A)),
        ),
        ("bank-b", melt(&note, CAROL, &[]), Refusal::Keyset(KeysetError::NotOwned(A))),
        (
            "bank-a",
            melt(&note, CAROL, &[output(B, 1, 11)]),
            Refusal::Keyset(KeysetError::NotOwned(B)),
        ),
        ("bank-a", melt(&note, unknown, &[]), Refusal::AccountUnknown(unknown)),
        ("bank-a", melt(&[input(A, 32, 19)], CAROL, &[]), Refusal::Notes(spent)),
        ("bank-a", melt(&note, CAROL, &[output(A, 4, 11)]), uneven(4, 4)),
        (
            "bank-a",
            melt(&[input(A_PAYEES, 16, 11)], CAROL, &[]),
            Refusal::NotRegisteredPayee(CAROL),
        ),
        (
            "bank-a",
            melt(&[input(A, 64, 11), input(A, 4, 12)], SHOP, &[]),
            limit(LimitKind::NotesRedeemed, 64, 64, 68),
        ),
    ];
    refused(&mut city, rows);
    city.done("bank-a", melt(&[input(A_PAYEES, 16, 11)], SHOP, &[]));
}

#[test]
fn a_payee_holds_no_more_than_it_may_and_what_it_holds_is_not_told() {
    let mut city = minted();
    city.done("bank-a", pay(ALICE, BOB, 100));
    let note = [input(A, 4, 10)];
    assert_eq!(city.submit("bank-a", melt(&note, BOB, &[])), Err(Refusal::PayeeFull));
    let rules = HoldingRules::new(HoldingTerms {
        aggregate_balance: [(class("III"), 803)].into(),
        dormant_after_days: None,
    });
    city.done(CENTRAL_BANK, Action::SetHoldingRules { rules: rules.unwrap() });
    assert_eq!(city.submit("bank-a", melt(&note, CAROL, &[])), Err(Refusal::PayeeFull));
    city.done("bank-a", melt(&note, SHOP, &[]));
}

#[test]
fn nothing_leaves_a_frozen_or_a_dormant_wallet_into_notes() {
    let mut city = minted();
    let freeze = city.named(COURT, freeze(BOB, 5 * DAY));
    city.done(PROSECUTOR, Action::ConfirmFreeze { freeze });
    let one = mint(BOB, &[output(A, 1, 20)]);
    refused(&mut city, vec![("bank-a", one, Refusal::AccountFrozen(BOB))]);
}

#[test]
fn notes_need_version_4_and_leave_older_states_as_they_were() {
    let mut city = City::current();
    city.done(CENTRAL_BANK, Action::ActivateVersion { version: 3 });
    let state = city.machine.state_hash();
    let early = Refusal::NotInForce { in_force: 3, needed: 4 };
    assert_eq!(city.submit("bank-a", register(A, keyset_terms())), Err(early));
    assert_eq!(city.machine.state_hash(), state);
}
