//! Money on its way: it is neither the wallet's nor the bank's, and comes to either for certain.

use super::*;
use crate::{Exchange, Movement};
use yufu_base::{AccountId, Timestamp};

const BANK: BankNumber = BankNumber(1);
const PEER: PeerNumber = PeerNumber(2);
const NOW: Period = Period { day: 10, year: 2026 };

fn name(text: &str) -> InstitutionId {
    text.parse().unwrap()
}

fn furnished() -> (Ledger<u8>, WalletSlot) {
    let mut ledger = Ledger::new(&name("central-bank"));
    ledger.open_bank(BANK, &name("bank")).unwrap();
    ledger.open_peer(PEER, &name("other")).unwrap();
    let wallet = ledger.open_wallet(AccountId::new(7), BANK, 4, Timestamp::default()).unwrap();
    for movement in [Movement::CreateReserves, Movement::Issue, Movement::CreditDeposits] {
        let checked = ledger.check_movement(BANK, movement, 100).unwrap().unwrap();
        ledger.commit(checked);
    }
    let fill = Exchange::DepositToDigital(wallet);
    let checked = ledger.check_exchange(BANK, fill, 60).unwrap().unwrap();
    ledger.commit(checked);
    (ledger, wallet)
}

fn send(ledger: &mut Ledger<u8>, wallet: WalletSlot, amount: u64) -> InFlight {
    let checked = ledger.check_flight(wallet, (PEER, BANK), amount, NOW).unwrap().unwrap();
    ledger.commit_flight(checked)
}

#[test]
fn what_is_in_flight_is_part_of_the_supply_wherever_it_goes() {
    let (start, wallet) = furnished();
    let mut away = start.clone();
    let flight = send(&mut away, wallet, 25);
    assert_eq!((away.supply().in_flight, away.supply().wallets), (25, 35));
    assert_eq!(away.in_flight_to(PEER), Some(25));
    assert_eq!(away.wallet_at(wallet).unwrap().spending.on_day(NOW), 25);
    assert!(away.supply().balanced);
    let (mut delivered, mut back) = (away.clone(), away);
    delivered.deliver(&flight);
    let supply = delivered.supply();
    assert_eq!((supply.in_flight, supply.wallets, supply.vaults), (0, 35, 65));
    assert!(supply.balanced);
    back.give_back_flight(&flight);
    let supply = back.supply();
    assert_eq!((supply.in_flight, supply.wallets, supply.vaults), (0, 60, 40));
    assert!(supply.balanced);
    assert_eq!(back.wallet_at(wallet).unwrap().spending.on_day(NOW), 0);
    for ledger in [&delivered, &back] {
        assert_eq!(ledger.flights.coming.len(), 0);
        assert_eq!(ledger.holds.promised.len(), 0);
    }
}

#[test]
fn no_more_leaves_than_is_there() {
    let (ledger, wallet) = furnished();
    let refused = ledger.check_flight(wallet, (PEER, BANK), 61, NOW).unwrap().unwrap_err();
    let account = AccountKind::Wallet;
    let expected = PostingError::InsufficientFunds { account, available: 60, requested: 61 };
    assert_eq!(refused, expected);
    assert!(ledger.check_flight(wallet, (PeerNumber(9), BANK), 1, NOW).is_none());
    assert!(ledger.check_flight(wallet, (PEER, BankNumber(9)), 1, NOW).is_none());
    let refused = ledger.check_arrival(BANK, wallet, 41).unwrap().unwrap_err();
    let account = AccountKind::Vault;
    let expected = PostingError::InsufficientFunds { account, available: 40, requested: 41 };
    assert_eq!(refused, expected);
}

#[test]
fn the_room_that_either_end_needs_is_kept_until_then() {
    let (mut ledger, wallet) = furnished();
    let flight = send(&mut ledger, wallet, 25);
    // So much turnover that only what is in flight still fits.
    let vault = ledger.desk(BANK).unwrap().vault;
    for slot in [vault, wallet.0] {
        ledger.at_mut(slot).credits = u64::MAX - 25;
        ledger.at_mut(slot).debits = u64::MAX - 90;
    }
    let fill = ledger.check_movement(BANK, Movement::Issue, 1).unwrap();
    assert!(fill.is_err(), "there are no reserves");
    let more = Movement::CreateReserves;
    let checked = ledger.check_movement(BANK, more, 50).unwrap().unwrap();
    ledger.commit(checked);
    let refused = ledger.check_movement(BANK, Movement::Issue, 1).unwrap().unwrap_err();
    assert_eq!(refused, PostingError::OutOfRange(AccountKind::Vault));
    let refused = ledger.check_arrival(BANK, wallet, 1).unwrap().unwrap_err();
    assert_eq!(refused, PostingError::OutOfRange(AccountKind::Wallet));
    let mut back = ledger.clone();
    back.give_back_flight(&flight);
    assert_eq!(back.at(wallet.0).credits, u64::MAX);
    ledger.deliver(&flight);
    assert_eq!(ledger.at(vault).credits, u64::MAX);
}

#[test]
fn a_peer_has_its_account_once_and_it_is_found_again() {
    let (mut ledger, wallet) = furnished();
    let id = institution_account(&name("other"), AccountKind::InFlight);
    let again = ledger.open_peer(PeerNumber(3), &name("other"));
    assert_eq!(again, Err(ChartError::AccountExists(id)));
    let flight = send(&mut ledger, wallet, 25);
    let bytes = borsh::to_vec(&ledger).unwrap();
    let mut read = borsh::from_slice::<Ledger<u8>>(&bytes).unwrap();
    assert!(!read.is_flight(&flight));
    assert!(!read.restore_peer(PEER, &name("nobody")));
    assert!(read.restore_peer(PEER, &name("other")));
    assert!(read.is_flight(&flight));
    read.keep_room(&flight);
    assert_eq!(read, ledger);
}
