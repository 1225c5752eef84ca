//! Places in several lists: scattered, never two at one, freed when nobody looks any more, and never at an end.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_credentials::{
    Allocation, Batch, Credentials, CredentialsError, Herd, ListState, NewGrant, Place,
};
use yufu_database::Database;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const DAY: u64 = 86_400;

async fn records(herd: Herd) -> Credentials {
    let records = Credentials::open_with(Database::in_memory().await.unwrap(), herd).await.unwrap();
    let (id, expires_at) = ("g".to_owned(), NOW.plus_seconds(1_000 * DAY));
    let grant = NewGrant { id, person: Uuid::from_u128(1), expires_at, derived_from: None };
    records.grant(grant, Vec::new(), NOW).await.unwrap();
    records
}

fn batch(id: usize, count: usize, kept_until: Timestamp) -> Batch {
    Batch {
        id: format!("batch-{id}"),
        grant: "g".to_owned(),
        check: None,
        person: Uuid::from_u128(id as u128),
        derived_from: None,
        pseudonyms: Vec::new(),
        wanted: Allocation { count, kept_until },
        draw: Box::new(|| u32::from_be_bytes(Uuid::new_v4().as_bytes()[..4].try_into().unwrap())),
    }
}

async fn issue(records: &Credentials, id: usize, count: usize, until: Timestamp) -> Vec<Place> {
    records.issue_batch(batch(id, count, until), Vec::new(), NOW).await.unwrap()
}

#[tokio::test]
async fn a_batch_is_scattered_over_all_lists_and_no_place_is_given_twice() {
    let records = records(Herd { places: 4_096, lists: 4 }).await;
    let (mut all, mut in_list, mut pairs) = (BTreeSet::new(), BTreeMap::new(), 0_u32);
    for id in 0..300 {
        let places = issue(&records, id, 10, NOW.plus_seconds(DAY)).await;
        assert_eq!(places.len(), 10);
        for (index, one) in places.iter().enumerate() {
            *in_list.entry(one.list).or_insert(0_u32) += 1;
            let same = places[..index].iter().filter(|other| other.list == one.list);
            pairs += u32::try_from(same.count()).unwrap();
        }
        all.extend(places);
    }
    assert_eq!(all.len(), 3_000);
    assert_eq!(in_list.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(in_list.values().all(|count| (600..900).contains(count)), "{in_list:?}");
    // Two copies of one batch are in one list as often as any two copies are: in a quarter of 13,500 pairs.
    assert!((3_150..3_600).contains(&pairs), "{pairs}");
}

#[tokio::test]
async fn which_copy_of_a_batch_it_is_cannot_be_told_by_its_place() {
    let records = records(Herd { places: 4_096, lists: 4 }).await;
    let (mut ascending, mut first_lists) = (0, 0);
    for id in 0..400 {
        let places = issue(&records, id, 10, NOW.plus_seconds(DAY)).await;
        ascending += u32::from(places[0] < places[9]);
        first_lists += u32::from(places[0].list <= 2);
    }
    // A half of 400 each; six of its standard deviations are 60.
    assert!((140..=260).contains(&ascending), "{ascending}");
    assert!((140..=260).contains(&first_lists), "{first_lists}");
}

#[tokio::test]
async fn a_further_list_is_opened_long_before_the_last_place_is_taken_and_issuing_never_stops() {
    let records = records(Herd { places: 128, lists: 2 }).await;
    let mut all = BTreeSet::new();
    for id in 0..200 {
        all.extend(issue(&records, id, 10, NOW.plus_seconds(DAY)).await);
    }
    assert_eq!(all.len(), 2_000);
    let lists = records.status_lists().await.unwrap();
    assert!(lists.len() > 16, "2,000 places are more than 16 lists of 128 hold: {lists:?}");
    assert!(lists.len() < 32, "nor are they opened for little: {lists:?}");
    let used: BTreeSet<i32> = all.iter().map(|place| place.list).collect();
    assert!(used.len() > 16, "what is opened is used: {used:?}");
}

#[tokio::test]
async fn many_batches_at_once_find_places_when_the_lists_are_nearly_full() {
    let records = records(Herd { places: 64, lists: 2 }).await;
    let steps = (0..60).map(|id| {
        let records = records.clone();
        tokio::spawn(async move { issue(&records, id, 5, NOW.plus_seconds(DAY)).await })
    });
    let mut all = BTreeSet::new();
    for step in steps.collect::<Vec<_>>() {
        all.extend(step.await.unwrap());
    }
    assert_eq!(all.len(), 300);
}

#[tokio::test]
async fn an_ended_place_is_freed_with_whose_it_was_and_taken_again() {
    let herd = Herd { places: 200, lists: 1 };
    let records = records(herd).await;
    let short = issue(&records, 1, 60, NOW.plus_seconds(DAY)).await;
    let long = issue(&records, 2, 5, NOW.plus_seconds(2 * DAY)).await;
    records.revoke_batch("batch-1").await.unwrap();
    let ended = |seconds| NOW.plus_seconds(DAY + seconds);
    assert_eq!(records.invalid(1, ended(0)).await.unwrap().len(), 60);
    let marked = records.invalid(1, ended(1)).await.unwrap();
    assert!(marked.is_empty(), "no mark outlives its credential");
    assert_eq!(records.free_places(ended(0)).await.unwrap(), 0, "somebody may look until then");
    assert_eq!(records.free_places(ended(1)).await.unwrap(), 60);
    for place in &short {
        let past = records.placed(*place).await;
        assert!(matches!(past, Err(CredentialsError::Unknown(_))), "whose it was is looked up");
    }
    for place in &long {
        assert_eq!(records.placed(*place).await.unwrap(), (Uuid::from_u128(2), true));
    }
    let mut again = BTreeSet::new();
    for id in 3..13 {
        again.extend(issue(&records, id, 5, NOW.plus_seconds(3 * DAY)).await);
    }
    assert_eq!(again.len(), 50);
    assert!(long.iter().all(|place| !again.contains(place)), "a place that stands was given away");
    assert!(again.iter().any(|place| short.contains(place)), "freed places come again");
    assert!(records.invalid(1, NOW).await.unwrap().is_empty(), "a place comes back unmarked");
}

#[tokio::test]
async fn whatever_changes_a_status_changes_the_version_of_its_lists_and_of_no_other() {
    let records = records(Herd { places: 4_096, lists: 8 }).await;
    let places = issue(&records, 7, 2, NOW.plus_seconds(DAY)).await;
    let of_batch: BTreeSet<i32> = places.iter().map(|place| place.list).collect();
    let person = Uuid::from_u128(7);
    let mut before = versions(&records).await;
    issue(&records, 8, 10, NOW.plus_seconds(DAY)).await;
    assert_eq!(versions(&records).await, before, "issuing changes no status");
    for step in 0..4 {
        match step {
            0 => drop(records.suspend_all(person).await.unwrap()),
            1 => assert_eq!(records.lift_all(person).await.unwrap(), 2),
            2 => records.revoke_batch("batch-7").await.unwrap(),
            _ => assert_eq!(records.lift_all(person).await.unwrap(), 0, "revoked for good"),
        }
        let after = versions(&records).await;
        for (list, version) in &after {
            let changed = *version != before[list];
            assert_eq!(changed, step < 3 && of_batch.contains(list), "step {step}, list {list}");
        }
        before = after;
    }
    assert_eq!(records.revoke(person).await.unwrap(), 0);
    assert_eq!(versions(&records).await, before, "again is harmless");
    assert!(matches!(records.list_state(9).await, Err(CredentialsError::Unknown("status list"))));
}

async fn versions(records: &Credentials) -> BTreeMap<i32, i64> {
    let mut versions = BTreeMap::new();
    for list in records.status_lists().await.unwrap() {
        let ListState { places, version } = records.list_state(list).await.unwrap();
        assert_eq!(places, 4_096);
        versions.insert(list, version);
    }
    versions
}

#[tokio::test]
async fn a_list_keeps_its_size_and_lists_of_two_processes_are_each_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.sqlite");
    let herd = Herd { places: 32, lists: 1 };
    let open = async |herd| {
        Credentials::open_with(Database::open(&path).await.unwrap(), herd).await.unwrap()
    };
    let (one, other) = (open(herd).await, open(Herd { places: 64, lists: 2 }).await);
    let (id, expires_at) = ("g".to_owned(), NOW.plus_seconds(DAY));
    let grant = NewGrant { id, person: Uuid::from_u128(1), expires_at, derived_from: None };
    one.grant(grant, Vec::new(), NOW).await.unwrap();
    let mut all = BTreeSet::new();
    for id in 0..40 {
        let by = if id % 2 == 0 { &one } else { &other };
        all.extend(issue(by, id, 5, NOW.plus_seconds(DAY)).await);
    }
    assert_eq!(all.len(), 200);
    assert_eq!(one.list_state(1).await.unwrap().places, 32);
    assert_eq!(one.list_state(2).await.unwrap().places, 64);
}
