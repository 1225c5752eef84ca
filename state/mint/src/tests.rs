//! One row for each refusal, in order of precedence; and any exchanges at all against books of plain sums.

#![expect(clippy::arithmetic_side_effects, reason = "test code: an overflow is to fail loudly")]

use crate::{
    Expired, Input, KeysetError, KeysetNumber, KeysetTerms, Mint, NoteError, Output, Payees, Point,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{Digest, Timestamp};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const BANK: u32 = 7;
const OTHER: u32 = 8;

const FIRST: KeysetNumber = KeysetNumber(0);
const FEE: KeysetNumber = KeysetNumber(1);
const FOREIGN: KeysetNumber = KeysetNumber(2);
const SOON_OVER: KeysetNumber = KeysetNumber(3);

fn terms(input_fee_ppk: u32, seconds: u64) -> KeysetTerms {
    KeysetTerms {
        denominations: 10,
        input_fee_ppk,
        final_expiry: NOW.plus_seconds(seconds),
        payees: Payees::Anyone,
    }
}

fn point(number: u64) -> Point {
    let mut bytes = [2; 33];
    bytes[25..].copy_from_slice(&number.to_be_bytes());
    Point(bytes)
}

fn note(keyset: KeysetNumber, amount: u64, number: u64) -> Input {
    Input { keyset, amount, point: point(number) }
}

fn output(keyset: KeysetNumber, amount: u64, number: u64) -> Output {
    Output { keyset, amount, blinded: point(number) }
}

/// Three keysets of one bank, one of them with a fee and one soon over, and one of another; each has issued 96.
fn furnished() -> Mint {
    let mut mint = Mint::default();
    let of = [(BANK, 0, 9_000), (BANK, 100, 9_000), (OTHER, 0, 9_000), (BANK, 0, 60)];
    for (number, (owner, fee, seconds)) in (0_u8..).zip(of) {
        let keyset = mint.register(owner, Digest([number; 32]), terms(fee, seconds), NOW).unwrap();
        let outputs = [output(keyset, 64, 500), output(keyset, 32, 501)];
        let issued = mint.check(&[], &outputs, NOW).unwrap();
        assert_eq!(issued.left(), -96);
        mint.commit(issued);
    }
    mint
}

fn spend(mint: &mut Mint, inputs: &[Input], outputs: &[Output]) {
    let checked = mint.check(inputs, outputs, NOW).unwrap();
    mint.commit(checked);
}

#[test]
fn each_rule_refuses_with_its_reason_and_the_first_one_answers() {
    let mut mint = furnished();
    spend(&mut mint, &[note(FIRST, 8, 1)], &[output(FIRST, 8, 2)]);
    let inactive = mint.register(BANK, Digest([9; 32]), terms(0, 100), NOW).unwrap();
    mint.deactivate(BANK, inactive).unwrap();
    let unknown = KeysetNumber(99);
    let rows: [(&[Input], &[Output], NoteError); 13] = [
        (&[], &[], NoteError::Nothing),
        (&[note(unknown, 3, 1)], &[output(inactive, 3, 2)], NoteError::KeysetUnknown(unknown)),
        (&[], &[output(unknown, 1, 2)], NoteError::KeysetUnknown(unknown)),
        (&[note(FIRST, 3, 1)], &[output(inactive, 3, 2)], NoteError::KeysetInactive(inactive)),
        (&[note(FIRST, 3, 1)], &[], NoteError::Denomination { keyset: FIRST, amount: 3 }),
        (&[note(FIRST, 1024, 1)], &[], NoteError::Denomination { keyset: FIRST, amount: 1024 }),
        (&[], &[output(FEE, 0, 2)], NoteError::Denomination { keyset: FEE, amount: 0 }),
        (
            &[note(FIRST, 8, 1), note(FIRST, 4, 3), note(FIRST, 4, 3)],
            &[output(FIRST, 8, 2), output(FIRST, 8, 2)],
            NoteError::InputRepeated { place: 2 },
        ),
        (
            &[note(FIRST, 8, 1)],
            &[output(FIRST, 8, 2), output(FIRST, 8, 2)],
            NoteError::OutputRepeated { place: 1 },
        ),
        (
            &[note(FIRST, 8, 3), note(FIRST, 8, 1)],
            &[output(FIRST, 8, 2)],
            NoteError::Spent { place: 1 },
        ),
        (
            &[note(FIRST, 128, 3)],
            &[output(FIRST, 8, 4), output(FIRST, 8, 2)],
            NoteError::Promised { place: 1 },
        ),
        (&[note(FIRST, 64, 3), note(FIRST, 64, 4)], &[], NoteError::BeyondIssued(FIRST)),
        (&[note(FEE, 128, 3)], &[output(FEE, 128, 4)], NoteError::BeyondIssued(FEE)),
    ];
    let before = mint.clone();
    for (inputs, outputs, refusal) in rows {
        assert_eq!(mint.check(inputs, outputs, NOW).err(), Some(refusal), "{refusal}");
    }
    assert_eq!(mint, before);
}

#[test]
fn a_command_has_a_thousand_notes_and_outputs_at_most() {
    let mint = furnished();
    let outputs = |count| (0..count).map(|n| output(FIRST, 1, 9_000 + n)).collect::<Vec<_>>();
    assert!(mint.check(&[], &outputs(1_000), NOW).is_ok());
    let refused = mint.check(&[], &outputs(1_001), NOW).err();
    assert_eq!(refused, Some(NoteError::TooMany(1_001)));
}

#[test]
fn a_promise_and_a_spent_note_are_found_again() {
    let mut mint = furnished();
    spend(&mut mint, &[note(FIRST, 8, 1)], &[output(FIRST, 8, 2)]);
    let keyset = mint.keyset(FIRST).unwrap();
    assert_eq!(keyset.promised(&point(2)), Some(8));
    assert_eq!((keyset.promised(&point(1)), keyset.promised(&point(500))), (None, Some(64)));
    assert!(keyset.is_spent(&point(1)) && !keyset.is_spent(&point(2)));
    assert_eq!((keyset.promised_outputs(), keyset.spent_notes(), keyset.notes_out()), (3, 1, 2));
}

#[test]
fn what_would_not_fit_is_refused() {
    let mut mint = Mint::default();
    let wide = KeysetTerms { denominations: 64, ..terms(0, 60) };
    let keyset = mint.register(BANK, Digest::ZERO, wide, NOW).unwrap();
    let half = 1 << 63;
    spend(&mut mint, &[], &[output(keyset, half, 1)]);
    let again = [output(keyset, half, 2)];
    assert_eq!(mint.check(&[], &again, NOW).err(), Some(NoteError::OutOfRange(keyset)));
}

#[test]
fn fees_are_added_up_and_rounded_up_once_for_each_bank() {
    let mint = furnished();
    let inputs: Vec<Input> = (0..11).map(|number| note(FEE, 2, number)).collect();
    let outputs = [output(FEE, 16, 90), output(FEE, 4, 91)];
    let checked = mint.check(&inputs, &outputs, NOW).unwrap();
    assert_eq!(checked.shares()[&BANK].fee, 2, "eleven tenths");
    assert_eq!(checked.left(), 0);
    let one = mint.check(&inputs[..1], &[], NOW).unwrap();
    assert_eq!((one.shares()[&BANK].fee, one.left()), (1, 1));
}

#[test]
fn notes_of_one_bank_become_those_of_another_with_each_banks_share_told() {
    let mut mint = furnished();
    let (inputs, outputs) = ([note(FIRST, 32, 1)], [output(FOREIGN, 32, 1)]);
    let checked = mint.check(&inputs, &outputs, NOW).unwrap();
    let share = |owner| (checked.shares()[&owner].redeemed, checked.shares()[&owner].issued);
    assert_eq!((share(BANK), share(OTHER), checked.left()), ((32, 0), (0, 32), 0));
    mint.commit(checked);
    assert_eq!((mint.outstanding(BANK), mint.outstanding(OTHER)), (3 * 96 - 32, 96 + 32));
}

#[test]
fn notes_for_registered_payees_say_so() {
    let mut mint = Mint::default();
    let meals = KeysetTerms { payees: Payees::Registered, ..terms(0, 60) };
    let keyset = mint.register(BANK, Digest::ZERO, meals, NOW).unwrap();
    spend(&mut mint, &[], &[output(keyset, 8, 1)]);
    assert!(mint.check(&[note(keyset, 8, 1)], &[], NOW).unwrap().is_for_registered_payees());
    let becomes = |outputs: &[Output]| mint.check(&[note(keyset, 8, 1)], outputs, NOW).err();
    assert_eq!(becomes(&[output(keyset, 8, 2)]), None);
    let mut both = mint.clone();
    let anyone = both.register(BANK, Digest([1; 32]), terms(0, 60), NOW).unwrap();
    let outputs = [output(keyset, 4, 2), output(anyone, 4, 3)];
    let refused = both.check(&[note(keyset, 8, 1)], &outputs, NOW).err();
    assert_eq!(refused, Some(NoteError::Payees { place: 1 }));
    assert!(!furnished().check(&[note(FIRST, 8, 1)], &[], NOW).unwrap().is_for_registered_payees());
}

#[test]
fn a_keyset_that_is_over_redeems_nothing_and_leaves_what_was_out() {
    let mut mint = furnished();
    let over = NOW.plus_seconds(60);
    let input = [note(SOON_OVER, 8, 1)];
    assert!(mint.check(&input, &[], over.minus_seconds(1)).is_ok());
    assert_eq!(mint.check(&input, &[], over).err(), Some(NoteError::KeysetUnknown(SOON_OVER)));
    let early = over.minus_seconds(1);
    assert_eq!(mint.expire(BANK, SOON_OVER, early), Err(KeysetError::NotOver(SOON_OVER)));
    assert_eq!(mint.expire(OTHER, SOON_OVER, over), Err(KeysetError::NotOwned(SOON_OVER)));
    let expired = Expired { keyset: SOON_OVER, owner: BANK, outstanding: 96 };
    assert_eq!(mint.expire(BANK, SOON_OVER, over), Ok(expired));
    assert!(mint.keyset(SOON_OVER).is_none());
    assert_eq!(mint.expire(BANK, SOON_OVER, over), Err(KeysetError::Unknown(SOON_OVER)));
    // Its number is not given again, or old notes would be another keyset's.
    let next = mint.register(BANK, Digest([3; 32]), terms(0, 9_000), over).unwrap();
    assert_eq!(next, KeysetNumber(4));
}

#[test]
fn keysets_are_registered_once_within_bounds_and_deactivated_by_their_owner() {
    let mut mint = furnished();
    let before = mint.clone();
    let good = terms(0, 60);
    let rows = [
        (Digest([0; 32]), good, KeysetError::Registered(FIRST)),
        (Digest([9; 32]), KeysetTerms { denominations: 0, ..good }, KeysetError::Denominations),
        (Digest([9; 32]), KeysetTerms { denominations: 65, ..good }, KeysetError::Denominations),
        (Digest([9; 32]), terms(1_000_001, 60), KeysetError::Fee),
        (Digest([9; 32]), terms(0, 0), KeysetError::Expired),
    ];
    for (keys, terms, refusal) in rows {
        assert_eq!(mint.register(BANK, keys, terms, NOW), Err(refusal));
    }
    assert_eq!(mint.deactivate(BANK, FOREIGN), Err(KeysetError::NotOwned(FOREIGN)));
    let unknown = KeysetNumber(99);
    assert_eq!(mint.deactivate(BANK, unknown), Err(KeysetError::Unknown(unknown)));
    assert_eq!(mint, before);
    mint.deactivate(BANK, FIRST).unwrap();
    assert_eq!(mint.deactivate(BANK, FIRST), Err(KeysetError::Inactive(FIRST)));
    spend(&mut mint, &[note(FIRST, 32, 1)], &[output(FEE, 32, 1)]);
}

#[test]
fn of_two_outputs_that_are_each_others_negative_the_later_amount_is_kept() {
    let mut mint = furnished();
    let (first, mut second) = (output(FIRST, 1, 7), output(FIRST, 16, 7));
    second.blinded.0[0] ^= 1;
    spend(&mut mint, &[], &[first, second]);
    let keyset = mint.keyset(FIRST).unwrap();
    assert_eq!(keyset.promised(&first.blinded), Some(16));
    assert_eq!(keyset.promised(&second.blinded), Some(16));
}

#[test]
fn the_encoding_is_the_one_written_down() {
    let mut mint = Mint::default();
    mint.register(BANK, Digest([1; 32]), terms(100, 60), NOW).unwrap();
    let mut expected = vec![1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0];
    expected.extend([1; 32]);
    expected.push(10);
    expected.extend(100_u32.to_le_bytes());
    expected.extend(NOW.plus_seconds(60).millis().to_le_bytes());
    expected.extend([0, 1]);
    expected.extend([0; 16]);
    expected.extend([0; 8]);
    expected.extend([1, 0, 0, 0]);
    assert_eq!(borsh::to_vec(&mint).unwrap(), expected);
    // More redeemed than issued is no state.
    let redeemed = expected.len() - 8 - 8 - 4;
    expected[redeemed] = 1;
    assert!(borsh::from_slice::<Mint>(&expected).is_err());
}

proptest! {
    #[test]
    fn any_exchanges_conserve_value_spend_once_and_read_back_as_they_were(
        steps in prop::collection::vec(
            (
                prop::collection::vec((0_u32..4, 0_u32..11, 0_u64..40), 0..4),
                prop::collection::vec((0_u32..4, 0_u32..11, 0_u64..40), 0..4),
            ),
            1..40,
        ),
    ) {
        let mut mint = furnished();
        let mut out: BTreeMap<u32, i128> =
            (0..4).map(|keyset| (keyset, 96)).collect();
        let mut spent = BTreeSet::new();
        for (inputs, outputs) in steps {
            let inputs: Vec<Input> =
                inputs.iter().map(|(k, bits, n)| note(KeysetNumber(*k), 1 << bits, *n)).collect();
            let outputs: Vec<Output> =
                outputs.iter().map(|(k, bits, n)| output(KeysetNumber(*k), 1 << bits, *n)).collect();
            let before = mint.clone();
            let Ok(checked) = mint.check(&inputs, &outputs, NOW) else {
                prop_assert_eq!(&mint, &before);
                continue;
            };
            let value = |amounts: &mut dyn Iterator<Item = u64>| amounts.map(i128::from).sum::<i128>();
            let given = value(&mut inputs.iter().map(|one| one.amount));
            let taken = value(&mut outputs.iter().map(|one| one.amount));
            let fee: i128 = checked.shares().values().map(|share| i128::from(share.fee)).sum();
            prop_assert_eq!(checked.left(), given - taken - fee);
            mint.commit(checked);
            for input in &inputs {
                prop_assert!(spent.insert((input.keyset, input.point)), "spent twice");
                *out.get_mut(&input.keyset.0).unwrap() -= i128::from(input.amount);
            }
            for output in &outputs {
                *out.get_mut(&output.keyset.0).unwrap() += i128::from(output.amount);
            }
            for (number, keyset) in mint.keysets() {
                prop_assert_eq!(i128::from(keyset.outstanding()), out[&number.0]);
            }
        }
        let bytes = borsh::to_vec(&mint).unwrap();
        prop_assert_eq!(borsh::from_slice::<Mint>(&bytes).unwrap(), mint);
    }
}
