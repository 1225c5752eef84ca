//! Whatever clients send, the view says what the machine came to.

use super::support::{Kept, Written};
use crate::{Entry, Follower, Listing, QueryError, Statement, StatementQuery, TransferKind, View};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_machine::{Action, Machine};
use yufu_simulator::{Chance, City};

fn accounts(machine: &Machine) -> Vec<AccountId> {
    machine.accounts().map(|(id, _)| id).collect()
}

fn all(account: AccountId) -> StatementQuery {
    StatementQuery {
        account,
        from: None,
        until: None,
        cursor: None,
        listing: Listing::OldestFirst,
        limit: NonZeroUsize::new(100_000).unwrap(),
    }
}

fn entries(view: &View, account: AccountId) -> Vec<Entry> {
    let Statement { entries, next, .. } = view.statement(&all(account)).unwrap();
    assert_eq!(next, None);
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn at_every_record_the_entries_of_an_account_sum_to_what_it_holds(seed: u64) {
        let (written, kept) = (Written::by(seed, 60), Kept::new());
        kept.follow(&written.log);
        let view = View::open(kept.path()).unwrap();
        for account in accounts(written.machine()) {
            let entries = entries(&view, account);
            prop_assert!(entries.iter().map(|entry| entry.number).eq(1..=entries.len() as u64));
            for ((_, machine), seq) in written.states.iter().zip(1_u64..) {
                let mut until = entries.iter().filter(|entry| entry.seq.get() <= seq);
                let sum = until.clone().fold(0_i128, |sum, entry| {
                    let amount = i128::from(entry.amount);
                    if entry.comes_in { sum + amount } else { sum - amount }
                });
                let held = machine.balance(account).map_or(0, |amount| amount.minor());
                prop_assert_eq!(sum, i128::from(held), "{} at {}", account, seq);
                prop_assert_eq!(until.next_back().map_or(0, |entry| entry.balance), held);
            }
        }
        prop_assert!(kept.verified(&written.log).is_ok());
    }

    #[test]
    fn a_balance_at_an_instant_is_what_the_machine_held_then(seed: u64) {
        let (written, kept) = (Written::by(seed, 60), Kept::new());
        kept.follow(&written.log);
        let view = View::open(kept.path()).unwrap();
        let newest = written.states.last().unwrap().0;
        for account in accounts(written.machine()) {
            for (at, _) in &written.states {
                for at in [at.millis() - 1, at.millis(), at.millis() + 1] {
                    let at = Timestamp::from_millis(at);
                    let found = view.balance_at(account, at).unwrap();
                    prop_assert_eq!(found.balance, written.held(account, at));
                    prop_assert_eq!(found.settled, at < newest);
                    prop_assert_eq!(found.through.at, newest);
                }
            }
        }
    }

    #[test]
    fn a_transfer_is_found_by_the_id_of_its_own_order_and_no_other(seed: u64) {
        let (written, kept) = (Written::by(seed, 60), Kept::new());
        kept.follow(&written.log);
        let view = View::open(kept.path()).unwrap();
        let mut paid = 0;
        for order in &written.done {
            if let Action::Pay { payer, payee, amount, .. } = &order.action {
                let found = view.transfer(order.id).unwrap();
                prop_assert_eq!(found.kind, TransferKind::Payment);
                let [leg] = found.legs.as_slice() else { panic!("{found:?}") };
                prop_assert_eq!((leg.debit, leg.credit, leg.amount), (*payer, *payee, amount.minor()));
                paid += 1;
            }
        }
        // A run may hold no plain payment that was done.
        prop_assume!(paid > 0);
        let mut commands = BTreeSet::new();
        for account in accounts(written.machine()) {
            for entry in entries(&view, account) {
                let found = view.transfer(entry.command).unwrap();
                prop_assert_eq!((found.seq, found.at), (entry.seq, entry.at));
                let between = [account, entry.counterparty];
                let is_it = |leg: &crate::Leg| {
                    let of = [[leg.debit, leg.credit], [leg.credit, leg.debit]];
                    of.contains(&between) && leg.amount == entry.amount
                };
                prop_assert!(found.legs.iter().any(is_it), "{:?}", found);
                commands.insert(entry.command);
            }
        }
        let done: BTreeSet<CommandId> = written.done.iter().map(|order| order.id).collect();
        prop_assert!(commands.is_subset(&done), "what was not done moved something");
        let nobodys = CommandId::at(City::START, 0xfeed);
        prop_assert_eq!(view.transfer(nobodys), Err(QueryError::TransferUnknown(nobodys)));
    }

    #[test]
    fn pages_put_together_are_the_whole_also_while_entries_arrive(
        seed: u64, limit in 1..40_usize, newest_first: bool, from in 0..90_u64, until in 30..120_u64,
    ) {
        let (mut written, kept) = (Written::by(seed, 40), Kept::new());
        kept.follow(&written.log);
        let account = AccountId::new(6);
        let (first, last) = (written.states[0].0.millis(), written.states.last().unwrap().0.millis());
        let at = |share: u64| Timestamp::from_millis(first + (last - first) * share / 100);
        let (from, until) = (at(from), at(until));
        let listing = if newest_first { Listing::NewestFirst } else { Listing::OldestFirst };
        let limit = NonZeroUsize::new(limit).unwrap();
        let mut query = StatementQuery { from: Some(from), until: Some(until), listing, limit, ..all(account) };
        let (mut pages, mut chance) = (Vec::new(), Chance::of(seed));
        loop {
            let view = View::open(kept.path()).unwrap();
            let page = view.statement(&query).unwrap();
            prop_assert!(page.entries.len() <= limit.get());
            pages.extend(page.entries);
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
            // Later than all that is asked for.
            let now = written.states.last().unwrap().0.max(until).plus_seconds(1);
            let id = CommandId::at(now, chance.bits() | 1);
            let direction = yufu_machine::Direction::PaperToDigital(account);
            let city = City::new(false);
            let action = Action::Exchange { direction, amount: city.amount(1) };
            written.append(now, vec![city.signed("bank-b", id, action)]);
            kept.follow(&written.log);
        }
        let view = View::open(kept.path()).unwrap();
        let within = |entry: &Entry| entry.at >= from && entry.at < until;
        let mut whole: Vec<_> = entries(&view, account).into_iter().filter(within).collect();
        if newest_first {
            whole.reverse();
        }
        prop_assert_eq!(pages, whole);
    }
}

#[test]
fn the_commands_reach_every_kind_of_transfer() {
    let mut kinds = BTreeSet::new();
    for seed in 0..30 {
        let (written, kept) = (Written::by(seed, 200), Kept::new());
        kept.follow(&written.log);
        let view = View::open(kept.path()).unwrap();
        for account in accounts(written.machine()) {
            kinds.extend(entries(&view, account).iter().map(|entry| entry.kind));
        }
    }
    for kind in [
        TransferKind::Payment,
        TransferKind::HeldPayment,
        TransferKind::Dispute,
        TransferKind::Refund,
        TransferKind::Correction,
        TransferKind::Exchange,
        TransferKind::Movement,
        TransferKind::Filling,
        TransferKind::Emptying,
        TransferKind::Sent,
        TransferKind::Received,
        TransferKind::Settled,
        TransferKind::Returned,
        TransferKind::Withdrawal,
        TransferKind::Redemption,
        TransferKind::NoteExchange,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} is not among {kinds:?}");
    }
    assert!(!kinds.contains(&TransferKind::Other), "{kinds:?}");
}

#[test]
fn an_account_with_many_entries_is_found_by_entry_and_time() {
    let (mut written, kept, city) = (Written::new(), Kept::new(), City::new(false));
    written.append(City::START, city.opening());
    let shop = AccountId::new(6);
    for number in 0..700_u64 {
        let at = City::START.plus_seconds(1 + number);
        let direction = yufu_machine::Direction::DepositToDigital(shop);
        let action = Action::Exchange { direction, amount: city.amount(1) };
        let id = CommandId::at(at, u128::from(number) + 1);
        written.append(at, vec![city.signed("bank-b", id, action)]);
    }
    let mut follower = Follower::open(&kept.place, &written.log).unwrap();
    follower.catch_up(&written.log, &mut |_| true).unwrap();
    let view = View::open(kept.path()).unwrap();
    let limit = NonZeroUsize::new(3).unwrap();
    for number in [1, 63, 64, 65, 128, 300, 639, 640, 641, 700] {
        let at = City::START.plus_seconds(number);
        let found = view.balance_at(shop, at).unwrap();
        assert_eq!((found.entry, found.balance), (number + 1, 700 + number));
        let query = StatementQuery { from: Some(at), limit, ..all(shop) };
        let first = view.statement(&query).unwrap().entries[0];
        assert_eq!((first.number, first.at), (number + 1, at));
        let query = StatementQuery { until: Some(at), listing: Listing::NewestFirst, ..query };
        let query = StatementQuery { from: None, ..query };
        assert_eq!(view.statement(&query).unwrap().entries[0].number, number);
    }
    assert!(view.balance_at(AccountId::new(0xdead), City::START).is_err());
}
