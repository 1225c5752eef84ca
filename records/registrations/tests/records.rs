//! The registrar's registrations on a real database.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::Database;
use yufu_registrations::{Certifying, Deed, Placed, Registrations, RegistrationsError};

const DAY: u64 = 86_400;
const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const SIZE: i32 = 1 << 17;

async fn records() -> Registrations {
    Registrations::open(Database::in_memory().await.unwrap()).await.unwrap()
}

fn certifying<'a>(party: &'a str, key: &'a str, uses: &'a [&'a str]) -> Certifying<'a> {
    let expires_at = NOW.plus_seconds(360 * DAY);
    let freed_after = Timestamp::from_seconds(0);
    let list = (1, SIZE);
    Certifying { party, access_key: key, intended_uses: uses, expires_at, list, freed_after }
}

/// Places that are drawn one after the other.
fn from(first: u32) -> impl FnMut() -> u32 + Send {
    let mut next = first;
    move || {
        next += 1;
        next - 1
    }
}

fn deed(reason: &str, later: u64) -> Deed {
    let at = NOW.plus_seconds(later);
    Deed { reason: reason.to_owned(), officer: "wang".to_owned(), at }
}

fn uses(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn at(placed: &BTreeMap<String, Placed>, name: &str) -> i32 {
    match &placed[name] {
        Placed::At(place) => *place,
        Placed::Revoked(revocation) => panic!("{revocation:?}"),
    }
}

#[tokio::test]
async fn the_same_key_and_use_keep_their_place_and_the_table_does_not_grow() {
    let records = records().await;
    let hotel = certifying("hotel", "k1", &["check-in", "check-out"]);
    let first = records.place(&hotel, from(100), NOW).await.unwrap();
    assert_eq!((at(&first, "check-in"), at(&first, "check-out")), (100, 101));
    for day in 1..50 {
        let now = NOW.plus_seconds(day * DAY);
        let again = Certifying { expires_at: now.plus_seconds(360 * DAY), ..hotel.clone() };
        assert_eq!(records.place(&again, from(9_000), now).await.unwrap(), first);
    }
    let all = records.all().await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].certified_at, NOW);
    assert_eq!(all[0].renewed_at, NOW.plus_seconds(49 * DAY));
    assert_eq!(all[0].expires_at, NOW.plus_seconds(409 * DAY));
}

#[tokio::test]
async fn each_registration_has_a_place_of_its_own_until_the_list_is_full() {
    let records = records().await;
    let small = Certifying { list: (1, 2), ..certifying("hotel", "k1", &["a", "b"]) };
    let placed = records.place(&small, from(0), NOW).await.unwrap();
    assert_eq!(uses(&["a", "b"]), placed.keys().cloned().collect());
    assert_ne!(at(&placed, "a"), at(&placed, "b"));
    let third = Certifying { list: (1, 2), ..certifying("hotel", "k2", &["a"]) };
    let full = records.place(&third, from(0), NOW).await;
    assert!(matches!(full, Err(RegistrationsError::ListFull)), "{full:?}");
    let nothing = Certifying { list: (1, 0), ..third };
    assert!(records.place(&nothing, from(0), NOW).await.is_err());
    assert_eq!(records.all().await.unwrap().len(), 2, "nothing was written");
}

#[tokio::test]
async fn what_lapsed_is_forgotten_with_its_place_and_that_it_was_revoked_is_not() {
    let records = records().await;
    records.place(&certifying("hotel", "old", &["a", "b"]), from(10), NOW).await.unwrap();
    records.revoke("hotel", &uses(&["b"]), &deed("misuse", 0)).await.unwrap();
    let end = NOW.plus_seconds(360 * DAY);
    assert_eq!(records.revoked_places(1, end).await.unwrap(), [11]);
    let later = NOW.plus_seconds(361 * DAY);
    let marked = records.revoked_places(1, later).await.unwrap();
    assert!(marked.is_empty(), "it is marked no longer");
    let kept = async || {
        let all = records.all().await.unwrap().into_iter();
        all.map(|row| (row.position, row.access_key)).collect::<Vec<_>>()
    };
    let new = certifying("hotel", "new", &["a"]);
    let new = Certifying { expires_at: later.plus_seconds(DAY), freed_after: end, ..new };
    records.place(&new, from(20), later).await.unwrap();
    assert_eq!(kept().await.len(), 3, "somebody may still look at its place");
    let freed = Certifying { freed_after: end.plus_seconds(1), ..new };
    records.place(&freed, from(20), later).await.unwrap();
    assert_eq!(kept().await, [(20, "new".to_owned())]);
    let again = Certifying { intended_uses: &["a", "b"], access_key: "third", ..freed };
    let placed = records.place(&again, from(11), later).await.unwrap();
    assert_eq!(at(&placed, "a"), 11, "the place is taken again");
    assert!(matches!(placed["b"], Placed::Revoked(_)), "the revocation stands");
    assert_eq!(records.revocations().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_revoked_use_is_certified_no_more_with_any_key_until_it_is_lifted_and_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registrations.sqlite");
    let records = Registrations::open(Database::open(&path).await.unwrap()).await.unwrap();
    let hotel = certifying("hotel", "k1", &["check-in", "check-out"]);
    records.place(&hotel, from(100), NOW).await.unwrap();
    records.place(&certifying("hotel", "k0", &["check-in"]), from(200), NOW).await.unwrap();
    records.place(&certifying("bank", "k2", &["check-in"]), from(300), NOW).await.unwrap();
    let stands = records.revoke("hotel", &uses(&["check-in"]), &deed("misuse", 1)).await.unwrap();
    assert_eq!((stands.len(), &stands[0].revoked), (1, &deed("misuse", 1)));
    assert_eq!(
        records.revoked_places(1, NOW).await.unwrap(),
        [100, 200],
        "of every key of that use"
    );
    drop(records);

    let records = Registrations::open(Database::open(&path).await.unwrap()).await.unwrap();
    for key in ["k1", "fresh"] {
        let again = certifying("hotel", key, &["check-in", "check-out"]);
        let placed = records.place(&again, from(400), NOW).await.unwrap();
        assert_eq!(placed["check-in"], Placed::Revoked(Box::new(stands[0].clone())), "{key}");
        assert!(matches!(placed["check-out"], Placed::At(_)), "{key}");
    }
    let lifted = records.lift(stands[0].id, &deed("mended", 2)).await.unwrap();
    assert_eq!(lifted.lifted, Some(deed("mended", 2)));
    let placed = records.place(&hotel, from(500), NOW).await.unwrap();
    assert_eq!(at(&placed, "check-in"), 500, "a new place");
    assert_eq!(
        records.revoked_places(1, NOW).await.unwrap(),
        [100, 200],
        "the old ones stay revoked"
    );
}

#[tokio::test]
async fn a_revocation_and_its_lifting_keep_their_first_reason_and_may_follow_each_other() {
    let records = records().await;
    records.place(&certifying("hotel", "k1", &["a"]), from(1), NOW).await.unwrap();
    let first = records.revoke("hotel", &uses(&["a"]), &deed("misuse", 1)).await.unwrap();
    let again = records.revoke("hotel", &uses(&["a"]), &deed("again", 2)).await.unwrap();
    assert_eq!(first, again);
    let both = records.revoke("hotel", &uses(&["a", "b"]), &deed("both", 3)).await.unwrap();
    assert_eq!((&both[0], &both[1].revoked), (&first[0], &deed("both", 3)));
    let lifted = records.lift(first[0].id, &deed("mended", 4)).await.unwrap();
    assert_eq!(records.lift(first[0].id, &deed("again", 5)).await.unwrap(), lifted);
    let second = records.revoke("hotel", &uses(&["a"]), &deed("relapse", 6)).await.unwrap();
    assert_ne!(second[0].id, first[0].id);
    let all = records.revocations().await.unwrap();
    let reasons: Vec<&str> = all.iter().map(|one| one.revoked.reason.as_str()).collect();
    assert_eq!(reasons, ["relapse", "both", "misuse"]);
    let unknown = records.lift(Uuid::nil(), &deed("x", 7)).await;
    assert!(matches!(unknown, Err(RegistrationsError::Unknown(_))), "{unknown:?}");
}

#[tokio::test]
async fn a_key_that_its_party_withdraws_ends_what_was_certified_for_it_and_nothing_else() {
    let records = records().await;
    records.place(&certifying("hotel", "old", &["a", "b"]), from(10), NOW).await.unwrap();
    records.place(&certifying("bank", "other", &["a"]), from(20), NOW).await.unwrap();
    let why = deed("the party withdrew its access key", 1);
    assert_eq!(records.withdraw_key("hotel", "old", &why).await.unwrap(), 2);
    assert_eq!(records.withdraw_key("hotel", "old", &why).await.unwrap(), 0, "again is harmless");
    assert_eq!(records.withdraw_key("bank", "old", &why).await.unwrap(), 0);
    assert_eq!(records.revoked_places(1, NOW).await.unwrap(), [10, 11]);
    assert!(records.is_withdrawn("hotel", "old").await.unwrap());
    assert!(!records.is_withdrawn("hotel", "new").await.unwrap());
    // The uses go on under another key.
    let placed = records.place(&certifying("hotel", "new", &["a"]), from(30), NOW).await.unwrap();
    assert_eq!(at(&placed, "a"), 30);
    // What the registrar's desk revoked is not the party's withdrawal.
    records.revoke("bank", &uses(&["a"]), &deed("misuse", 2)).await.unwrap();
    assert!(!records.is_withdrawn("bank", "other").await.unwrap());
}
