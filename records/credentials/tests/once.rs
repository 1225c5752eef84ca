//! What may happen once: markers, grants, officers' checks; one by one and many at the same time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_credentials::{
    Allocation, Batch, Check, Credentials, CredentialsError, Decision, DerivedFrom, Marker,
    NewGrant, Once, Place,
};
use yufu_database::Database;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

async fn records() -> (Credentials, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("credentials.sqlite")).await.unwrap();
    (Credentials::open(database).await.unwrap(), folder)
}

fn marker(what: Once, id: &str) -> Marker {
    Marker { what, id: id.to_owned(), expires_at: NOW.plus_seconds(60) }
}

fn grant(id: &str, person: u128) -> NewGrant {
    NewGrant {
        id: id.to_owned(),
        person: Uuid::from_u128(person),
        expires_at: NOW.plus_seconds(1000),
        derived_from: None,
    }
}

fn batch(id: &str, grant: &str, count: usize) -> Batch {
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    Batch {
        id: id.to_owned(),
        grant: grant.to_owned(),
        check: None,
        person: Uuid::from_u128(1),
        derived_from: None,
        pseudonyms: Vec::new(),
        wanted: Allocation { count, kept_until: NOW.plus_seconds(9) },
        draw: Box::new(|| DRAWN.fetch_add(7, Ordering::Relaxed)),
    }
}

#[tokio::test]
async fn what_was_used_is_refused_and_takes_nothing_with_it() {
    let (records, _folder) = records().await;
    records.use_once(vec![marker(Once::DpopProof, "a")], None, NOW).await.unwrap();
    let both = vec![marker(Once::Nonce, "n"), marker(Once::DpopProof, "a")];
    let refused = records.use_once(both, None, NOW).await;
    assert!(matches!(refused, Err(CredentialsError::UsedBefore(Once::DpopProof))));
    // The nonce of the refused step is still good; a proof of another kind has names of its own.
    records.use_once(vec![marker(Once::Nonce, "n")], None, NOW).await.unwrap();
    records.use_once(vec![marker(Once::AttestationProof, "a")], None, NOW).await.unwrap();
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_was_exchanged_for() {
    let (records, _folder) = records().await;
    records.grant(grant("g", 1), vec![], NOW).await.unwrap();
    records.use_once(vec![], Some("g".into()), NOW).await.unwrap();
    let again = records.grant(grant("g", 1), vec![], NOW).await;
    assert!(matches!(again, Err(CredentialsError::CodeReplayed)));
    let ended = records.use_once(vec![], Some("g".into()), NOW).await;
    assert!(matches!(ended, Err(CredentialsError::GrantEnded)));
    let issued = records.issue_batch(batch("b", "g", 1), vec![], NOW).await;
    assert!(matches!(issued, Err(CredentialsError::GrantEnded)));
}

#[tokio::test]
async fn a_grant_ends_with_its_time_and_with_what_ends_the_persons_credentials() {
    let (records, _folder) = records().await;
    for (id, person) in [("a", 1), ("b", 2), ("c", 3)] {
        records.grant(grant(id, person), vec![], NOW).await.unwrap();
    }
    let stands =
        async |id: &str, at| records.use_once(vec![], Some(id.to_owned()), at).await.is_ok();
    assert!(stands("a", NOW.plus_seconds(999)).await);
    assert!(!stands("a", NOW.plus_seconds(1000)).await);
    let card = Uuid::from_u128(9);
    let derived_from = Some(DerivedFrom { card, until: NOW.plus_seconds(99) });
    records.grant(NewGrant { derived_from, ..grant("d", 4) }, vec![], NOW).await.unwrap();
    assert!(stands("d", NOW).await);
    records.revoke_derived(&[card]).await.unwrap();
    assert!(!stands("d", NOW).await, "it ends with the card");
    records.revoke(Uuid::from_u128(1)).await.unwrap();
    records.withdraw(Uuid::from_u128(2)).await.unwrap();
    assert!(!stands("a", NOW).await && !stands("b", NOW).await && stands("c", NOW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_steps_at_once_are_each_done_once_and_a_refused_one_harms_no_other() {
    let (records, _folder) = records().await;
    records.grant(grant("g", 1), vec![], NOW).await.unwrap();
    let steps = (0..200).map(|number| {
        let records = records.clone();
        // Each marker is used by two steps.
        let markers = vec![marker(Once::Token, &(number / 2).to_string())];
        tokio::spawn(async move {
            records.issue_batch(batch(&number.to_string(), "g", 3), markers, NOW).await
        })
    });
    let (mut places, mut refused) = (BTreeSet::new(), 0);
    for step in steps.collect::<Vec<_>>() {
        match step.await.unwrap() {
            Ok(batch) => places.extend(batch),
            Err(CredentialsError::UsedBefore(Once::Token)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((places.len(), refused), (300, 100));
}

#[tokio::test]
async fn a_batch_that_failed_becomes_void_and_no_other() {
    let (records, _folder) = records().await;
    records.grant(grant("g", 1), vec![], NOW).await.unwrap();
    let first = records.issue_batch(batch("x", "g", 2), vec![], NOW).await.unwrap();
    records.issue_batch(batch("y", "g", 2), vec![], NOW).await.unwrap();
    records.revoke_batch("x").await.unwrap();
    records.revoke_batch("x").await.unwrap();
    let void = records.invalid(1, NOW).await.unwrap();
    let void: BTreeSet<Place> =
        void.iter().map(|entry| Place { list: 1, position: entry.position }).collect();
    assert_eq!(void, first.into_iter().collect());
}

#[tokio::test]
async fn a_check_is_decided_once_and_what_was_approved_is_fetched_once() {
    let (records, _folder) = records().await;
    records.grant(grant("g", 1), vec![], NOW).await.unwrap();
    let check = |id: &str| Check {
        id: id.to_owned(),
        grant: "g".to_owned(),
        person: Uuid::from_u128(1),
        credential: "residence".to_owned(),
        at: NOW,
    };
    for id in ["yes", "no"] {
        records.defer(check(id), vec![], NOW).await.unwrap();
    }
    assert_eq!(records.checks().await.unwrap().len(), 2);
    let fetch = async |id: &str| {
        let batch = Batch { check: Some(id.to_owned()), ..batch(id, "g", 1) };
        records.issue_batch(batch, vec![], NOW).await
    };
    assert!(matches!(fetch("yes").await, Err(CredentialsError::CheckWaits)));
    let decision = |approved| Decision {
        officer: "Chen".to_owned(),
        evidence: "file 7".to_owned(),
        approved,
        at: NOW,
    };
    records.decide("yes", decision(true)).await.unwrap();
    records.decide("no", decision(false)).await.unwrap();
    let twice = records.decide("no", decision(true)).await;
    assert!(matches!(twice, Err(CredentialsError::AlreadyPassed)));
    assert!(records.checks().await.unwrap().is_empty());
    assert!(matches!(fetch("no").await, Err(CredentialsError::CheckDeclined)));
    assert_eq!(fetch("yes").await.unwrap().len(), 1);
    assert!(matches!(fetch("yes").await, Err(CredentialsError::Unknown(_))));
}

#[tokio::test]
async fn what_would_be_refused_anyway_is_forgotten_and_grants_that_stand_are_not() {
    let (records, _folder) = records().await;
    records.grant(grant("g", 1), vec![marker(Once::DpopProof, "a")], NOW).await.unwrap();
    assert_eq!(records.forget_lapsed(NOW.plus_seconds(61)).await.unwrap(), 1, "the marker");
    assert_eq!(records.forget_lapsed(NOW.plus_seconds(61)).await.unwrap(), 0);
    assert_eq!(records.forget_lapsed(NOW.plus_seconds(1001)).await.unwrap(), 1, "the grant");
}
