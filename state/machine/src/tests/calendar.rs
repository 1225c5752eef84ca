//! Days and years are those of the policy's calendar, and views agree with what is refused.

use super::support::*;
use crate::{Action, Policy, PolicyTerms, UtcOffset};
use yufu_base::Timestamp;

#[test]
fn an_allowance_is_renewed_at_local_midnight() {
    let mut city = City::furnished();
    // 15:59 UTC is 23:59 in the policy's calendar, eight hours east.
    city.now = START.plus_seconds(16 * 3600 - 60);
    city.done("bank-a", pay(ALICE, SHOP, 200));
    city.done("bank-a", pay(ALICE, SHOP, 200));
    assert!(city.submit("bank-a", pay(ALICE, SHOP, 150)).is_err());
    let view = city.machine.wallet(ALICE, city.now).unwrap();
    assert_eq!((view.spent_today, view.remaining_today), (cny(400), Some(cny(100))));
    city.now = START.plus_seconds(16 * 3600);
    let view = city.machine.wallet(ALICE, city.now).unwrap();
    assert_eq!((view.spent_today, view.remaining_today), (cny(0), Some(cny(500))));
    assert_eq!((view.spent_this_year, view.remaining_this_year), (cny(400), Some(cny(600))));
    assert_eq!(view.remaining_balance, Some(cny(600)));
    city.done("bank-a", pay(ALICE, SHOP, 150));
}

#[test]
fn a_calendar_that_steps_back_renews_no_allowance() {
    let mut city = City::furnished();
    city.now = START.plus_seconds(16 * 3600);
    city.done("bank-a", pay(ALICE, SHOP, 200));
    city.done("bank-a", pay(ALICE, SHOP, 200));
    let offsets = vec![UtcOffset { from: Timestamp::from_millis(0), seconds_east: 0 }];
    let policy = Policy::new(PolicyTerms { offsets, ..terms() }).unwrap();
    city.done(CENTRAL_BANK, Action::SetPolicy { policy });
    let refused = city.submit("bank-a", pay(ALICE, SHOP, 150)).unwrap_err();
    assert_eq!(refused.code(), "transfer.limit_exceeded.daily");
}
