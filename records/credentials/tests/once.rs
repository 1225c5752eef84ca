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
    Allocation, Authentication, Batch, Check, Credentials, CredentialsError, Decision, DerivedFrom,
    Issuance, Marker, NewGrant, Once, Pseudonym,
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
        wanted: Allocation { list: 1, size: 100_000, count, expires_at: NOW.plus_seconds(9) },
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
    let void: BTreeSet<i32> =
        records.invalid(1).await.unwrap().iter().map(|entry| entry.position).collect();
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

/// What steps that are asked for at the same time come to.
async fn at_once<T: Send + 'static>(
    steps: impl Iterator<Item = impl Future<Output = Result<T, CredentialsError>> + Send + 'static>,
) -> Vec<Result<T, CredentialsError>> {
    let mut outcomes = Vec::new();
    for step in steps.map(tokio::spawn).collect::<Vec<_>>() {
        outcomes.push(step.await.unwrap());
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_exchanged_twice_at_once_are_granted_once_and_ended_each() {
    let (records, _folder) = records().await;
    let outcomes = at_once((0..80).map(|number: u128| {
        let records = records.clone();
        async move { records.grant(grant(&(number / 2).to_string(), number), vec![], NOW).await }
    }))
    .await;
    let granted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let replayed = outcomes.iter().filter(|o| matches!(o, Err(CredentialsError::CodeReplayed)));
    assert_eq!((granted, replayed.count()), (40, 40));
    for number in 0..40 {
        let ended = records.use_once(vec![], Some(number.to_string()), NOW).await;
        assert!(matches!(ended, Err(CredentialsError::GrantEnded)), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_taken_up_by_many_at_once_is_taken_up_by_one() {
    let (records, _folder) = records().await;
    let mut offers = Vec::new();
    for number in 0..10 {
        offers.push(offered(&records, &format!("offer {number}")).await);
    }
    let outcomes = at_once((0..100).map(|number: usize| {
        let (records, offer) = (records.clone(), offers[number % 10].clone());
        let next = (format!("next {number}"), "authorised".to_owned());
        let markers = vec![marker(Once::PushedRequest, &number.to_string())];
        async move { records.take_up(offer, next, markers, NOW).await.map(|()| number) }
    }))
    .await;
    let won: Vec<usize> = outcomes.into_iter().filter_map(Result::ok).collect();
    let offers_won: BTreeSet<usize> = won.iter().map(|number| number % 10).collect();
    assert_eq!((won.len(), offers_won.len()), (10, 10));
    for number in 0..10 {
        let former = records.issuance(&format!("offer {number}")).await;
        assert!(matches!(former, Err(CredentialsError::Unknown("issuance"))));
    }
    for number in won {
        let stored = records.issuance(&format!("next {number}")).await.unwrap();
        assert_eq!((stored.stage, stored.session.as_str()), (1, "authorised"));
        // Whose request lost was not used up.
        let used = vec![marker(Once::PushedRequest, &number.to_string())];
        assert!(records.use_once(used, None, NOW).await.is_err());
    }
}

async fn offered(records: &Credentials, lookup: &str) -> Issuance {
    let basis = Authentication {
        id: Uuid::new_v4(),
        person: Uuid::from_u128(1),
        officer: "officer 7".to_owned(),
        evidence: "card and portrait".to_owned(),
        at: NOW,
    };
    let offer = Issuance {
        id: Uuid::new_v4(),
        authentication: basis.id,
        person: basis.person,
        lookup: lookup.to_owned(),
        session: "offered".to_owned(),
        stage: 0,
        expires_at: NOW.plus_seconds(600),
        derived_from: None,
    };
    records.start_issuance(basis, offer.clone()).await.unwrap();
    offer
}

#[tokio::test(flavor = "multi_thread")]
async fn pseudonyms_brought_at_once_are_each_one_persons_and_a_refused_batch_uses_nothing_up() {
    let (records, _folder) = records().await;
    let sector: yufu_base::SectorId = "pension".parse().unwrap();
    for person in 0..60 {
        records.grant(grant(&format!("g{person}"), person), vec![], NOW).await.unwrap();
    }
    // Two persons bring each digest; each person brings it twice.
    let issue = |round: usize, person: u128| {
        let (records, sector) = (records.clone(), sector.clone());
        let digest = vec![u8::try_from(person / 2).unwrap(); 32];
        let id = format!("{round}-{person}");
        let batch = Batch {
            person: Uuid::from_u128(person),
            pseudonyms: vec![Pseudonym { sector, digest }],
            ..batch(&id, &format!("g{person}"), 2)
        };
        let markers = vec![marker(Once::Token, &id)];
        async move { records.issue_batch(batch, markers, NOW).await.map(|places| (person, places)) }
    };
    let steps = (0..2).flat_map(|round| (0..60).map(move |person| (round, person)));
    let outcomes = at_once(steps.clone().map(|(round, person)| issue(round, person))).await;
    let (mut winners, mut places, mut taken) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (outcome, (round, person)) in outcomes.into_iter().zip(steps) {
        match outcome {
            Ok((person, batch)) => {
                winners.insert(person);
                places.extend(batch);
            }
            Err(CredentialsError::PseudonymTaken(_)) => taken.push(format!("{round}-{person}")),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((winners.len(), places.len(), taken.len()), (30, 120, 60));
    assert_eq!(winners.iter().map(|person| person / 2).collect::<BTreeSet<_>>().len(), 30);
    for id in taken {
        records.use_once(vec![marker(Once::Token, &id)], None, NOW).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_at_once_share_no_place_and_those_that_find_none_use_nothing_up() {
    let (records, _folder) = records().await;
    records.grant(grant("g", 1), vec![], NOW).await.unwrap();
    let outcomes = at_once((0..40).map(|number: u32| {
        let records = records.clone();
        let mut next = number;
        let batch = Batch {
            wanted: Allocation { list: 1, size: 100, count: 4, expires_at: NOW.plus_seconds(9) },
            draw: Box::new(move || {
                next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                next >> 8
            }),
            ..batch(&number.to_string(), "g", 4)
        };
        let markers = vec![marker(Once::Token, &number.to_string())];
        async move { records.issue_batch(batch, markers, NOW).await }
    }))
    .await;
    let (mut places, mut all) = (BTreeSet::new(), 0);
    for (number, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(batch) => {
                all += batch.len();
                places.extend(batch);
            }
            Err(CredentialsError::ListFull) => {
                let unused = vec![marker(Once::Token, &number.to_string())];
                records.use_once(unused, None, NOW).await.unwrap();
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(places.len(), all, "two credentials have one place");
    assert!((80..=100).contains(&all), "{all} of a hundred places");
}
