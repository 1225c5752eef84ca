//! Status lists that are verified once and used for many answers: fresh for their ttl, good until they expire, and
//! never instead of one that is missing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use support::*;
use yufu_base::Timestamp;
use yufu_jose::Header;
use yufu_trust::{Status, StatusBits, StatusList, StatusListToken};
use yufu_verifier::{Authenticated, StatusError, StatusLists};

/// An answer that holds but for its status.
fn answer(world: &World, now: Timestamp) -> Authenticated {
    let (session, request) = world.asked(question());
    let shown = Show::honest(world, &request).present();
    let answer = json!({"vp_token": {"id": [shown]}, "state": request.state});
    session
        .open(&form(&request, &answer, Some("response")), now)
        .unwrap()
        .authenticate(&world.trust, now)
        .unwrap()
}

fn list(by: &Party, revoked: bool) -> String {
    let mut list = StatusList::new(StatusBits::Two, 64).unwrap();
    for index in 0..64 {
        list.set(index, if revoked { Status::Invalid } else { Status::Valid }).unwrap();
    }
    let token = StatusListToken {
        uri: STATUS.into(),
        issued_at: NOW,
        expires_at: NOW.plus_seconds(200),
        ttl_seconds: Some(60),
        list,
    };
    token.sign(Header::default().with_chain(&by.chain), &by.key).unwrap()
}

#[test]
fn a_list_serves_many_answers_in_its_ttl_and_none_after_its_end() {
    let world = World::new();
    let mut lists = StatusLists::default();
    let first = answer(&world, NOW);
    assert_eq!(lists.wanted(&first, NOW).len(), 1, "nothing is at hand");
    assert!(!lists.holds(&first, STATUS, NOW));
    let jwt = list(&world.authority, false);
    lists.take(&first, STATUS, &jwt, &world.trust, NOW).unwrap();
    first.verify_against(&lists, NOW).unwrap();

    let later = |seconds| NOW.plus_seconds(seconds);
    let second = answer(&world, NOW);
    assert!(lists.wanted(&second, later(59)).is_empty(), "within the ttl nobody is asked");
    assert_eq!(lists.wanted(&second, later(60)).len(), 1, "after it the list is asked for");
    assert!(lists.holds(&second, STATUS, later(199)), "and serves, if nobody answers, to its end");
    second.verify_against(&lists, later(199)).unwrap();
    let third = answer(&world, NOW);
    assert!(!lists.holds(&third, STATUS, later(200)));
    let refused = third.verify_against(&lists, later(200)).unwrap_err();
    assert_eq!(refused, StatusError::Missing(STATUS.into()), "then nothing is accepted");
    lists.forget_expired(later(200));
    assert!(lists.get(STATUS, &world.trust.entries[0], NOW).is_none());
}

#[test]
fn a_list_that_does_not_hold_is_not_taken_and_what_it_revokes_is_refused() {
    let world = World::new();
    let mut lists = StatusLists::default();
    let first = answer(&world, NOW);
    let forged = list(&world.bank, false);
    let refused = lists.take(&first, STATUS, &forged, &world.trust, NOW).unwrap_err();
    assert!(matches!(refused, StatusError::List { .. }), "{refused}");
    assert!(!lists.holds(&first, STATUS, NOW));
    let jwt = list(&world.authority, true);
    lists.take(&first, STATUS, &jwt, &world.trust, NOW).unwrap();
    let refused = first.verify_against(&lists, NOW).unwrap_err();
    assert!(matches!(refused, StatusError::NotValid { .. }), "{refused}");
}
