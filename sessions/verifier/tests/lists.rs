//! Status lists that are verified once and used for many answers: fresh for their ttl, good until they are too old, and
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
use yufu_trust::{Status, StatusBits, StatusList, StatusListToken, TrustEntry};
use yufu_verifier::{Ages, Authenticated, StatusError, StatusLists};

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

fn issuer(answer: &Authenticated) -> TrustEntry {
    answer.lists().next().unwrap().1.clone()
}

fn list(by: &Party, status: Status, ttl_seconds: Option<u64>) -> String {
    let mut list = StatusList::new(StatusBits::Two, 64).unwrap();
    for index in 0..64 {
        list.set(index, status).unwrap();
    }
    let (uri, expires_at) = (STATUS.into(), NOW.plus_seconds(1_000));
    let token = StatusListToken { uri, issued_at: NOW, expires_at, ttl_seconds, list };
    token.sign(Header::default().with_chain(&by.chain), &by.key).unwrap()
}

const fn later(seconds: u64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

#[test]
fn a_list_serves_many_answers_in_its_ttl_and_none_after_its_stated_age() {
    let world = World::new();
    let mut lists = StatusLists::default();
    let first = answer(&world, NOW);
    let issuer = issuer(&first);
    assert_eq!(lists.wanted(first.lists(), NOW).len(), 1, "nothing is at hand");
    assert!(lists.get(STATUS, &issuer, NOW).is_none());
    let jwt = list(&world.authority, Status::Valid, Some(60));
    lists.take((STATUS, &issuer), &jwt, &world.trust, NOW).unwrap();
    first.verify_against(&lists, NOW).unwrap();

    let second = answer(&world, NOW);
    assert!(lists.wanted(second.lists(), later(59)).is_empty(), "within the ttl nobody is asked");
    assert_eq!(lists.wanted(second.lists(), later(60)).len(), 1, "after it the list is asked for");
    let held = |seconds| lists.get(STATUS, &issuer, later(seconds)).is_some();
    assert!(held(299), "and serves, if nobody answers, for five minutes");
    second.verify_against(&lists, later(299)).unwrap();
    let third = answer(&world, NOW);
    assert!(!held(300), "no longer, whatever end it has");
    let refused = third.verify_against(&lists, later(300)).unwrap_err();
    assert_eq!(refused, StatusError::Missing(STATUS.into()), "then nothing is accepted");
    lists.forget_expired(later(300));
    assert!(lists.get(STATUS, &issuer, NOW).is_none());
}

#[test]
fn a_list_is_fresh_for_a_minute_at_the_most_and_counts_from_when_it_was_signed() {
    let world = World::new();
    let issuer = issuer(&answer(&world, NOW));
    let rows = [
        // The ttl; when it was fetched, after it was signed; until when it is fresh.
        (Some(60), 0, 60),
        (Some(60), 25, 60),
        (Some(20), 5, 20),
        (Some(43_200), 5, 65),
        (None, 5, 65),
        (Some(60), 90, 60),
    ];
    for (ttl, fetched, expected) in rows {
        let mut lists = StatusLists::default();
        let jwt = list(&world.authority, Status::Valid, ttl);
        lists.take((STATUS, &issuer), &jwt, &world.trust, later(fetched)).unwrap();
        let until = lists.fresh_until(STATUS, &issuer, later(fetched)).unwrap();
        assert_eq!(until, later(expected), "ttl {ttl:?}, fetched after {fetched} s");
    }
    let mut strict = StatusLists::of_age(Ages { fresh_seconds: 1, oldest_seconds: 10 });
    let jwt = list(&world.authority, Status::Valid, Some(60));
    strict.take((STATUS, &issuer), &jwt, &world.trust, NOW).unwrap();
    assert_eq!(strict.fresh_until(STATUS, &issuer, NOW), Some(later(1)));
    assert!(strict.get(STATUS, &issuer, later(9)).is_some());
    assert!(strict.get(STATUS, &issuer, later(10)).is_none());
}

#[test]
fn a_list_that_does_not_hold_is_not_taken_and_what_it_revokes_or_suspends_is_refused() {
    let world = World::new();
    let mut lists = StatusLists::default();
    let issuer = issuer(&answer(&world, NOW));
    let forged = list(&world.bank, Status::Valid, Some(60));
    let refused = lists.take((STATUS, &issuer), &forged, &world.trust, NOW).unwrap_err();
    assert!(matches!(refused, StatusError::List { .. }), "{refused}");
    assert!(lists.get(STATUS, &issuer, NOW).is_none());
    for status in [Status::Invalid, Status::Suspended, Status::Other(3)] {
        let jwt = list(&world.authority, status, Some(60));
        lists.take((STATUS, &issuer), &jwt, &world.trust, NOW).unwrap();
        let refused = answer(&world, NOW).verify_against(&lists, NOW).unwrap_err();
        let expected = StatusError::NotValid { id: "id".to_owned(), status };
        assert_eq!(refused, expected, "the list says {status:?}");
    }
    // Suspended for a while, it counts again when the list says so.
    let jwt = list(&world.authority, Status::Valid, Some(60));
    lists.take((STATUS, &issuer), &jwt, &world.trust, NOW).unwrap();
    answer(&world, NOW).verify_against(&lists, NOW).unwrap();
}

#[test]
fn an_answer_that_was_verified_a_while_ago_stands_only_by_lists_as_they_are_now() {
    let world = World::new();
    let mut lists = StatusLists::default();
    let issuer = issuer(&answer(&world, NOW));
    let take = |lists: &mut StatusLists, status, now| {
        let jwt = list(&world.authority, status, Some(60));
        lists.take((STATUS, &issuer), &jwt, &world.trust, now).unwrap();
    };
    take(&mut lists, Status::Valid, NOW);
    let verified = answer(&world, NOW).verify_against(&lists, NOW).unwrap();
    assert_eq!(verified.must_stand(&lists, NOW), Ok(()));
    assert_eq!(lists.wanted(verified.lists(), later(60)).len(), 1, "the list is asked for anew");
    let missing = Err(StatusError::Missing(STATUS.into()));
    assert_eq!(verified.must_stand(&lists, later(300)), missing);
    for status in [Status::Invalid, Status::Suspended] {
        take(&mut lists, status, later(60));
        let refused = Err(StatusError::NotValid { id: "id".to_owned(), status });
        assert_eq!(verified.must_stand(&lists, later(60)), refused);
    }
    take(&mut lists, Status::Valid, later(60));
    assert_eq!(verified.must_stand(&lists, later(60)), Ok(()));
}
