//! Money moves behind notes and back, never more than is there, and the supply stays what it is.

use super::*;
use crate::Movement;
use yufu_base::{AccountId, Timestamp};

const BANK: BankNumber = BankNumber(1);
const OTHER: BankNumber = BankNumber(2);
const NOW: Period = Period { day: 1, year: 1970 };

/// Two banks with notes, a wallet at each; the first has 100 behind its notes and 100 in its wallet.
fn furnished() -> (Ledger<u8>, [WalletSlot; 2]) {
    let mut ledger = Ledger::new(&"central-bank".parse().unwrap());
    let wallets = [(BANK, "bank"), (OTHER, "other")].map(|(bank, name)| {
        let name = name.parse().unwrap();
        ledger.open_bank(bank, &name).unwrap();
        ledger.open_bearer(bank, &name).unwrap();
        let id = AccountId::new(bank.0.into());
        ledger.open_wallet(id, bank, 4, Timestamp::default()).unwrap()
    });
    for movement in [Movement::CreateReserves, Movement::Issue, Movement::CreditDeposits] {
        let checked = ledger.check_movement(BANK, movement, 200).unwrap().unwrap();
        ledger.commit(checked);
    }
    let fill = crate::Exchange::DepositToDigital(wallets[0]);
    let checked = ledger.check_exchange(BANK, fill, 200).unwrap().unwrap();
    ledger.commit(checked);
    let checked = ledger.check_withdrawal(wallets[0], BANK, 100, NOW).unwrap().unwrap();
    ledger.commit(checked);
    (ledger, wallets)
}

/// In wallets, behind the notes of both banks, in the first bank's vault.
fn held(ledger: &Ledger<u8>) -> [u64; 4] {
    let vault = ledger.bank_account(BANK, AccountKind::Vault).unwrap().balance();
    let supply = ledger.supply();
    assert!(supply.balanced, "{supply:?}");
    let notes = |bank| ledger.bearer_of(bank).unwrap();
    [u64::try_from(supply.wallets).unwrap(), notes(BANK), notes(OTHER), vault]
}

#[test]
fn what_leaves_a_wallet_for_notes_counts_as_spent_and_stays_in_the_supply() {
    let (ledger, [payer, _]) = furnished();
    assert_eq!(held(&ledger), [100, 100, 0, 0]);
    assert_eq!(ledger.wallet_at(payer).unwrap().spending.on_day(NOW), 100);
    let short = ledger.check_withdrawal(payer, BANK, 101, NOW).unwrap().unwrap_err();
    let account = AccountKind::Wallet;
    let expected = PostingError::InsufficientFunds { account, available: 100, requested: 101 };
    assert_eq!(short, expected);
}

#[test]
fn what_notes_are_worth_goes_to_a_wallet_to_another_banks_notes_or_stays_less_the_fee() {
    let (start, [_, payee]) = furnished();
    let rows = [
        (Some((BearerTo::Wallet(payee), 30)), 2, [130, 68, 0, 2]),
        (Some((BearerTo::Bank(OTHER), 30)), 2, [100, 68, 30, 2]),
        (Some((BearerTo::Bank(BANK), 30)), 2, [100, 98, 0, 2]),
        (None, 0, [100, 100, 0, 0]),
    ];
    for (to, fee, expected) in rows {
        let mut ledger = start.clone();
        let checked = ledger.check_backing(Backing { bank: BANK, to, fee }).unwrap().unwrap();
        ledger.commit_backing(checked);
        assert_eq!(held(&ledger), expected, "{to:?}");
    }
}

#[test]
fn no_more_comes_out_of_notes_than_is_behind_them_fee_and_all() {
    let (ledger, [_, payee]) = furnished();
    let (to, account) = (Some((BearerTo::Wallet(payee), 99)), AccountKind::BearerNotes);
    let short = ledger.check_backing(Backing { bank: BANK, to, fee: 2 }).unwrap().unwrap_err();
    let expected = PostingError::InsufficientFunds { account, available: 100, requested: 101 };
    assert_eq!(short, expected);
    let to = Some((BearerTo::Wallet(payee), u64::MAX));
    let beyond = ledger.check_backing(Backing { bank: BANK, to, fee: 1 }).unwrap().unwrap_err();
    assert_eq!(beyond, PostingError::OutOfRange(account));
}

#[test]
fn what_is_over_leaves_the_money_supply() {
    let (mut ledger, _) = furnished();
    ledger.cancel_bearer(BANK, 60);
    assert_eq!((held(&ledger), ledger.supply().backing), ([100, 40, 0, 0], 140));
}

#[test]
fn a_bank_has_one_such_account_which_is_found_again_by_its_name() {
    let (mut ledger, [payer, _]) = furnished();
    let before = ledger.clone();
    ledger.open_bearer(BANK, &"bank".parse().unwrap()).unwrap();
    assert_eq!(ledger, before);
    let bytes = borsh::to_vec(&ledger).unwrap();
    let mut read = borsh::from_slice::<Ledger<u8>>(&bytes).unwrap();
    assert!(read.check_withdrawal(payer, BANK, 1, NOW).is_none());
    for (bank, name) in [(BANK, "bank"), (OTHER, "other")] {
        assert!(read.restore_bearer(bank, &name.parse().unwrap()));
    }
    assert!(!read.restore_bearer(BankNumber(3), &"third".parse().unwrap()));
    assert_eq!(read, ledger);
    assert_eq!(
        read.open_bearer(BankNumber(9), &"nobody".parse().unwrap()),
        Err(ChartError::BankUnknown)
    );
}
