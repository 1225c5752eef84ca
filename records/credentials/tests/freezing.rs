//! Freezing what a wallet got, by the key that it left; all of a person's, by an officer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_credentials::{
    Allocation, Authentication, Batch, Credentials, CredentialsError, FreezeHandle, Issuance,
    NewGrant, Place,
};
use yufu_database::Database;

const SUSPENDED: i32 = 2;

fn at() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn wanted() -> Allocation {
    Allocation { count: 3, kept_until: at().plus_seconds(86_400) }
}

async fn open() -> Credentials {
    Credentials::open(Database::in_memory().await.unwrap()).await.unwrap()
}

async fn start(records: &Credentials, person: Uuid, lookup: &str) -> Issuance {
    let basis = Authentication {
        id: Uuid::now_v7(),
        person,
        officer: "officer 7".to_owned(),
        evidence: "card and portrait".to_owned(),
        at: at(),
    };
    let issuance = Issuance {
        id: Uuid::now_v7(),
        authentication: basis.id,
        person,
        lookup: lookup.to_owned(),
        session: "authorised".to_owned(),
        stage: 0,
        expires_at: at().plus_seconds(600),
        derived_from: None,
    };
    records.start_issuance(basis, issuance.clone()).await.unwrap();
    issuance
}

fn handle(key: &str, batch: String, grant: Option<&str>, person: Uuid) -> FreezeHandle {
    FreezeHandle {
        thumbprint: key.to_owned(),
        key: format!("{{\"key\":\"{key}\"}}"),
        batch,
        grant: grant.map(str::to_owned),
        person,
    }
}

fn draw() -> impl FnMut() -> u32 + Send + Sync {
    || u32::try_from(Uuid::new_v4().as_u128() % 1_000).unwrap_or(0)
}

/// Credentials for somebody, in a wallet that left this key.
async fn issue(records: &Credentials, person: Uuid, key: &str) -> Vec<Place> {
    let issuance = start(records, person, &Uuid::new_v4().to_string()).await;
    let left = handle(key, issuance.id.to_string(), None, person);
    records.keep_freeze_handle(left, at()).await.unwrap();
    let none = BTreeSet::new();
    records.complete_issuance(&issuance, &none, wanted(), draw(), at()).await.unwrap()
}

async fn suspended(records: &Credentials) -> BTreeSet<Place> {
    let all = records.invalid(1, at()).await.unwrap();
    let suspended = all.iter().filter(|entry| entry.status == SUSPENDED);
    suspended.map(|entry| Place { list: 1, position: entry.position }).collect()
}

#[tokio::test]
async fn a_key_suspends_what_its_wallet_got_and_nothing_of_another_wallet() {
    let records = open().await;
    let person = Uuid::now_v7();
    let lost: BTreeSet<Place> = issue(&records, person, "phone").await.into_iter().collect();
    let more: BTreeSet<Place> = issue(&records, person, "phone").await.into_iter().collect();
    issue(&records, person, "tablet").await;
    issue(&records, Uuid::now_v7(), "neighbour").await;
    assert_eq!(records.freeze_key("phone").await.unwrap().unwrap(), "{\"key\":\"phone\"}");
    assert_eq!(records.freeze_key("nobody's").await.unwrap(), None);
    let both: BTreeSet<Place> = lost.union(&more).copied().collect();
    for _ in 0..2 {
        assert_eq!(records.freeze("phone", at()).await.unwrap(), BTreeSet::from([person]));
        assert_eq!(suspended(&records).await, both);
    }
    assert_eq!(records.lift_all(person).await.unwrap(), 6);
    assert!(suspended(&records).await.is_empty());
    // What was revoked stays so, frozen or not.
    records.revoke(person).await.unwrap();
    records.freeze("phone", at()).await.unwrap();
    assert_eq!(records.suspend_all(person).await.unwrap(), 0);
    assert_eq!(records.lift_all(person).await.unwrap(), 0);
    assert_eq!(records.invalid(1, at()).await.unwrap().len(), 9);
}

#[tokio::test]
async fn what_was_begun_or_granted_for_a_frozen_wallet_brings_nothing_any_more() {
    let records = open().await;
    let person = Uuid::now_v7();
    let begun = start(&records, person, "token").await;
    let left = handle("phone", begun.id.to_string(), None, person);
    records.keep_freeze_handle(left, at()).await.unwrap();
    let grant = NewGrant {
        id: "grant".to_owned(),
        person,
        expires_at: at().plus_seconds(86_400),
        derived_from: None,
    };
    records.grant(grant, Vec::new(), at()).await.unwrap();
    let left = handle("phone", "batch".to_owned(), Some("grant"), person);
    records.keep_freeze_handle(left, at()).await.unwrap();
    records.freeze("phone", at()).await.unwrap();
    assert!(matches!(records.issuance("token").await, Err(CredentialsError::Unknown(_))));
    let late = records.complete_issuance(&begun, &BTreeSet::new(), wanted(), draw(), at()).await;
    assert!(matches!(late, Err(CredentialsError::AlreadyPassed)));
    let batch = Batch {
        id: "later".to_owned(),
        grant: "grant".to_owned(),
        check: None,
        person,
        derived_from: None,
        pseudonyms: Vec::new(),
        wanted: wanted(),
        draw: Box::new(draw()),
    };
    let refused = records.issue_batch(batch, Vec::new(), at()).await;
    assert!(matches!(refused, Err(CredentialsError::GrantEnded)));
}

#[tokio::test]
async fn an_officer_suspends_all_of_a_person_and_what_is_left_counts_as_before() {
    let records = open().await;
    let person = Uuid::now_v7();
    issue(&records, person, "phone").await;
    issue(&records, person, "tablet").await;
    let theirs = issue(&records, Uuid::now_v7(), "neighbour").await;
    assert_eq!(records.suspend_all(person).await.unwrap(), 6);
    let stands = suspended(&records).await;
    assert!(theirs.iter().all(|place| !stands.contains(place)));
    assert_eq!(records.lift_all(person).await.unwrap(), 6);
    // What counts twice is not lost: frozen once more, by key.
    records.freeze("tablet", at()).await.unwrap();
    assert_eq!(suspended(&records).await.len(), 3);
}

#[tokio::test]
async fn a_key_is_forgotten_with_the_last_credential_that_it_could_freeze_and_no_sooner() {
    let records = open().await;
    let person = Uuid::now_v7();
    issue(&records, person, "phone").await;
    let grant = NewGrant {
        id: "grant".to_owned(),
        person,
        expires_at: at().plus_seconds(3 * 86_400),
        derived_from: None,
    };
    records.grant(grant, Vec::new(), at()).await.unwrap();
    let batch = Batch {
        id: "batch".to_owned(),
        grant: "grant".to_owned(),
        check: None,
        person,
        derived_from: None,
        pseudonyms: Vec::new(),
        wanted: wanted(),
        draw: Box::new(draw()),
    };
    records.issue_batch(batch, Vec::new(), at()).await.unwrap();
    let left = handle("tablet", "batch".to_owned(), Some("grant"), person);
    records.keep_freeze_handle(left, at()).await.unwrap();
    let begun = start(&records, person, "token").await;
    let left = handle("watch", begun.id.to_string(), None, person);
    records.keep_freeze_handle(left, at()).await.unwrap();

    let sweep = async |days: u64| {
        let ended = at().plus_seconds(days * 86_400 + 1);
        records.forget_lapsed(ended).await.unwrap();
        records.free_places(ended).await.unwrap();
        records.forget_freeze_keys(ended).await.unwrap()
    };
    let known = async |key: &str| records.freeze_key(key).await.unwrap().is_some();
    // Nothing was looked through yet: what is under way, and credentials that are good, keep their keys.
    assert_eq!(records.forget_freeze_keys(at().plus_seconds(1)).await.unwrap(), 0);
    // The credentials have ended, and what was under way has lapsed; the grant brings more.
    assert_eq!(sweep(1).await, 2);
    assert_eq!((known("phone").await, known("watch").await), (false, false));
    assert!(known("tablet").await);
    assert_eq!(sweep(2).await, 0);
    // Then it has lapsed too.
    assert_eq!(sweep(3).await, 1);
    assert!(!known("tablet").await);
    // A key that was left just now stays, whatever is there.
    let left = handle("new", "elsewhere".to_owned(), None, person);
    records.keep_freeze_handle(left, at().plus_seconds(9 * 86_400)).await.unwrap();
    assert_eq!(sweep(4).await, 0);
    assert!(known("new").await);
}
