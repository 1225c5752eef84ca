//! Holds: what is held, posted, released, lapsed and undone.

use super::*;
use crate::{AccountKind, Exchange, Movement};
use proptest::prelude::*;
use yufu_base::AccountId;

const BANK: BankNumber = BankNumber(1);
const TODAY: Period = Period { day: 10, year: 2026 };
const LATER: Timestamp = Timestamp::from_seconds(100);

/// Two wallets of class 4 with 60 each.
fn ledger() -> (Ledger<u8>, WalletSlot, WalletSlot) {
    let mut ledger = Ledger::new(&"central-bank".parse().unwrap());
    ledger.open_bank(BANK, &"bank".parse().unwrap()).unwrap();
    let mut open =
        |id| ledger.open_wallet(AccountId::new(id), BANK, 4, Timestamp::default()).unwrap();
    let (one, two) = (open(1), open(2));
    for movement in [Movement::CreateReserves, Movement::Issue, Movement::CreditDeposits] {
        let checked = ledger.check_movement(BANK, movement, 1000).unwrap().unwrap();
        ledger.commit(checked);
    }
    for wallet in [one, two] {
        let fill = Exchange::DepositToDigital(wallet);
        let checked = ledger.check_exchange(BANK, fill, 60).unwrap().unwrap();
        ledger.commit(checked);
    }
    (ledger, one, two)
}

fn id(number: u128) -> CommandId {
    CommandId::at(Timestamp::default(), number)
}

fn hold(
    ledger: &mut Ledger<u8>,
    number: u128,
    between: (WalletSlot, WalletSlot),
    amount: u64,
) -> Result<(), PostingError> {
    let terms = (LATER, HoldPurpose::Payment);
    let checked = ledger.check_hold(between, amount, Some((TODAY, None)), terms)?;
    ledger.commit_hold(id(number), checked);
    Ok(())
}

fn spent(ledger: &Ledger<u8>, wallet: WalletSlot) -> u64 {
    ledger.at(wallet.0).wallet().unwrap().spending.on_day(TODAY)
}

#[test]
fn what_is_held_stays_the_payers_but_is_not_there_to_spend() {
    let (mut ledger, one, two) = ledger();
    hold(&mut ledger, 1, (one, two), 50).unwrap();
    assert_eq!((ledger.balance(one), ledger.available(one)), (60, 10));
    assert_eq!((ledger.balance(two), ledger.available(two)), (60, 60));
    assert_eq!(ledger.held_by_class(BANK, 4), 120);
    assert_eq!(ledger.held_or_promised_by_class(BANK, 4), 170);
    let short = PostingError::InsufficientFunds {
        account: AccountKind::Wallet,
        available: 10,
        requested: 11,
    };
    assert_eq!(hold(&mut ledger, 2, (one, two), 11), Err(short));
    assert_eq!(ledger.check_payment(one, two, 11, TODAY).unwrap_err(), short);
    assert!(ledger.check_payment(one, two, 10, TODAY).is_ok());
    assert_eq!(spent(&ledger, one), 50);
}

#[test]
fn a_hold_is_posted_in_full_or_in_part_and_the_rest_is_not_spent() {
    for (posted, left) in [(50, 10), (20, 40), (99, 10)] {
        let (mut ledger, one, two) = ledger();
        hold(&mut ledger, 1, (one, two), 50).unwrap();
        assert!(ledger.post_hold(id(1), posted).is_some());
        assert_eq!((ledger.balance(one), ledger.available(one)), (left, left));
        assert_eq!(ledger.balance(two), 120 - left);
        assert_eq!(spent(&ledger, one), 60 - left);
        assert_eq!(ledger.post_hold(id(1), posted), None);
        assert!(ledger.supply().balanced);
    }
}

#[test]
fn a_released_hold_leaves_all_as_it_was() {
    let (before, one, two) = ledger();
    let mut ledger = before.clone();
    hold(&mut ledger, 1, (one, two), 50).unwrap();
    assert!(ledger.release_hold(id(1)).is_some());
    assert_eq!(ledger.release_hold(id(1)), None);
    assert_eq!((ledger.available(one), spent(&ledger, one)), (60, 0));
    assert_eq!(ledger.held_or_promised_by_class(BANK, 4), 120);
    assert!(before.supply() == ledger.supply());
}

#[test]
fn holds_lapse_in_the_order_of_their_times() {
    let (mut ledger, one, two) = ledger();
    for (number, seconds) in [(1, 30), (2, 10), (3, 20)] {
        let terms = (Timestamp::from_seconds(seconds), HoldPurpose::Payment);
        let checked = ledger.check_hold((one, two), 5, None, terms).unwrap();
        ledger.commit_hold(id(number), checked);
    }
    assert_eq!(ledger.lapsed_hold(Timestamp::from_seconds(9)), None);
    let mut lapsed = Vec::new();
    while let Some((id, _)) = ledger.lapsed_hold(Timestamp::from_seconds(20)) {
        lapsed.push(id);
        ledger.release_hold(id);
    }
    assert_eq!(lapsed, [id(2), id(3)]);
}

#[test]
fn a_change_of_class_takes_along_what_is_promised() {
    let (mut ledger, one, two) = ledger();
    hold(&mut ledger, 1, (one, two), 50).unwrap();
    ledger.set_class(two, 3);
    assert_eq!(ledger.held_or_promised_by_class(BANK, 3), 110);
    assert_eq!(ledger.held_or_promised_by_class(BANK, 4), 60);
    ledger.post_hold(id(1), 50);
    assert_eq!(ledger.held_or_promised_by_class(BANK, 3), 110);
    assert_eq!(ledger.held_by_class(BANK, 3), 110);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_undone_chain_leaves_every_byte_as_it_was_and_books_are_read_back_whole(
        before in proptest::collection::vec((0..4_u8, 0..5_u128, 1..30_u64), 0..12),
        chain in proptest::collection::vec((0..4_u8, 0..5_u128, 1..30_u64), 1..12),
    ) {
        let (mut ledger, one, two) = ledger();
        let step = |ledger: &mut Ledger<u8>, (what, number, amount): (u8, u128, u64)| match what {
            0 if ledger.hold(id(number)).is_none() => {
                hold(ledger, number, (one, two), amount).unwrap_or_default();
            }
            1 => { ledger.post_hold(id(number), amount); }
            2 => { ledger.release_hold(id(number)); }
            _ => if let Ok(checked) = ledger.check_payment(two, one, amount, TODAY) {
                ledger.commit(checked);
            },
        };
        before.into_iter().for_each(|one| step(&mut ledger, one));
        let kept = ledger.clone();
        ledger.begin_chain();
        chain.iter().for_each(|one| step(&mut ledger, *one));
        ledger.undo_chain();
        prop_assert_eq!(&ledger, &kept);
        let bytes = borsh::to_vec(&kept).unwrap();
        let mut read: Ledger<u8> = borsh::from_slice(&bytes).unwrap();
        read.restore_holds(kept.holds().map(|(id, hold)| (id, *hold)));
        prop_assert_eq!(&read, &kept);
        ledger.begin_chain();
        chain.into_iter().for_each(|one| step(&mut ledger, one));
        ledger.keep_chain();
        prop_assert!(ledger.supply().balanced);
    }
}
