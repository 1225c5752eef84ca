//! The issuer's records: each stage passed once, each nonce spent once, each place given once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_credentials::{
    Allocation, Authentication, Credentials, CredentialsError, DerivedFrom, Herd, Issuance, Place,
};
use yufu_database::Database;

fn at() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn batch(count: usize) -> Allocation {
    Allocation { count, kept_until: at().plus_seconds(86_400) }
}

async fn open() -> Credentials {
    let one = Herd { places: 200, lists: 1 };
    Credentials::open_with(Database::in_memory().await.unwrap(), one).await.unwrap()
}

/// The places that the lists show as not valid.
async fn void(records: &Credentials) -> BTreeSet<Place> {
    let mut void = BTreeSet::new();
    for list in records.status_lists().await.unwrap() {
        let entries = records.invalid(list, at()).await.unwrap();
        void.extend(entries.iter().map(|entry| Place { list, position: entry.position }));
    }
    void
}

async fn start(records: &Credentials, lookup: &str) -> Issuance {
    let basis = Authentication {
        id: Uuid::now_v7(),
        person: Uuid::now_v7(),
        officer: "officer 7".to_owned(),
        evidence: "card and portrait".to_owned(),
        at: at(),
    };
    let issuance = Issuance {
        id: Uuid::now_v7(),
        authentication: basis.id,
        person: basis.person,
        lookup: lookup.to_owned(),
        session: "offered".to_owned(),
        stage: 0,
        expires_at: at().plus_seconds(600),
        derived_from: None,
    };
    records.start_issuance(basis, issuance.clone()).await.unwrap();
    issuance
}

/// An issuance for somebody that is derived from a card of theirs.
async fn start_from(records: &Credentials, (person, card): (Uuid, Uuid), lookup: &str) -> Issuance {
    let derived_from = Some(DerivedFrom { card, until: at().plus_seconds(3_600) });
    let basis = Authentication {
        id: Uuid::now_v7(),
        person,
        officer: "chip card".to_owned(),
        evidence: "the chip proved itself".to_owned(),
        at: at(),
    };
    let issuance = Issuance {
        id: Uuid::now_v7(),
        authentication: basis.id,
        person,
        lookup: lookup.to_owned(),
        session: "offered".to_owned(),
        stage: 0,
        expires_at: at().plus_seconds(600),
        derived_from,
    };
    records.start_issuance(basis, issuance.clone()).await.unwrap();
    issuance
}

fn count_up() -> impl FnMut() -> u32 {
    let mut next = 0_u32;
    move || {
        next = next.wrapping_add(1);
        next / 2 // every place is drawn twice, so that a taken one is met
    }
}

#[tokio::test]
async fn a_stage_is_passed_once() {
    let records = open().await;
    let offered = start(&records, "code").await;
    records.advance(&offered, "token", "authorised").await.unwrap();
    let raced = records.advance(&offered, "token2", "authorised").await;
    assert!(matches!(raced, Err(CredentialsError::AlreadyPassed)));
    assert!(matches!(records.issuance("code").await, Err(CredentialsError::Unknown(_))));
    let authorised = records.issuance("token").await.unwrap();
    assert_eq!((authorised.stage, authorised.session.as_str()), (1, "authorised"));
}

#[tokio::test]
async fn a_nonce_is_spent_once_and_expires() {
    let records = open().await;
    let nonces = BTreeSet::from(["n".to_owned()]);
    let first = start(&records, "a").await;
    let unknown = records.complete_issuance(&first, &nonces, batch(1), count_up(), at()).await;
    assert!(matches!(unknown, Err(CredentialsError::NonceSpent)));
    records.remember_nonce("n", at(), at().plus_seconds(60)).await.unwrap();
    let late = at().plus_seconds(61);
    let expired = records.complete_issuance(&first, &nonces, batch(1), count_up(), late).await;
    assert!(matches!(expired, Err(CredentialsError::NonceSpent)));
    records.complete_issuance(&first, &nonces, batch(1), count_up(), at()).await.unwrap();
    let second = start(&records, "b").await;
    let spent = records.complete_issuance(&second, &nonces, batch(1), count_up(), at()).await;
    assert!(matches!(spent, Err(CredentialsError::NonceSpent)));
    assert_eq!(
        records.issuance("b").await.unwrap().stage,
        0,
        "nothing of a refused step is written"
    );
}

#[tokio::test]
async fn every_credential_has_a_place_of_its_own() {
    let records = open().await;
    let none = BTreeSet::new();
    let mut places = BTreeSet::new();
    for lookup in ["a", "b"] {
        let issuance = start(&records, lookup).await;
        let batch =
            records.complete_issuance(&issuance, &none, batch(10), count_up(), at()).await.unwrap();
        places.extend(batch);
    }
    assert_eq!(places.len(), 20);
}

#[tokio::test]
async fn revoking_a_person_marks_all_of_theirs_and_none_of_others() {
    let records = open().await;
    let none = BTreeSet::new();
    let (mine, theirs) = (start(&records, "a").await, start(&records, "b").await);
    let places = records.complete_issuance(&mine, &none, batch(3), count_up(), at()).await.unwrap();
    records.complete_issuance(&theirs, &none, batch(3), count_up(), at()).await.unwrap();
    assert_eq!(records.revoke(mine.person).await.unwrap(), 3);
    assert_eq!(records.revoke(mine.person).await.unwrap(), 0);
    assert_eq!(void(&records).await, places.into_iter().collect());
}

#[tokio::test]
async fn lapsed_issuances_are_forgotten() {
    let records = open().await;
    start(&records, "code").await;
    assert_eq!(records.forget_lapsed(at().plus_seconds(600)).await.unwrap(), 0, "not yet");
    assert_eq!(records.forget_lapsed(at().plus_seconds(601)).await.unwrap(), 1);
    assert!(matches!(records.issuance("code").await, Err(CredentialsError::Unknown(_))));
}

#[tokio::test]
async fn what_is_withdrawn_from_a_holder_is_void_and_nothing_begun_before_is_issued_after() {
    let records = open().await;
    let none = BTreeSet::new();
    let issued = start(&records, "a").await;
    let places =
        records.complete_issuance(&issued, &none, batch(2), count_up(), at()).await.unwrap();
    let under_way = Issuance { person: issued.person, ..start(&records, "b").await };
    records.withdraw(issued.person).await.unwrap();
    for place in &places {
        assert_eq!(records.placed(*place).await.unwrap(), (issued.person, false));
    }
    // Somebody else's goes on.
    let other = Issuance { person: Uuid::now_v7(), ..under_way };
    assert!(records.complete_issuance(&other, &none, batch(1), count_up(), at()).await.is_ok());

    let offered = start(&records, "c").await;
    records.withdraw(offered.person).await.unwrap();
    assert!(matches!(records.issuance("c").await, Err(CredentialsError::Unknown(_))));
    let late = records.advance(&offered, "token", "authorised").await;
    assert!(matches!(late, Err(CredentialsError::AlreadyPassed)));
    let late = records.complete_issuance(&offered, &none, batch(1), count_up(), at()).await;
    assert!(matches!(late, Err(CredentialsError::AlreadyPassed)));
    records.withdraw(offered.person).await.unwrap();
}

#[tokio::test]
async fn what_was_derived_from_a_card_ends_with_it_and_the_persons_other_credentials_stay() {
    let records = open().await;
    let none = BTreeSet::new();
    let at_a_counter = start(&records, "a").await;
    let person = at_a_counter.person;
    records.complete_issuance(&at_a_counter, &none, batch(2), count_up(), at()).await.unwrap();
    let (lost, kept) = (Uuid::now_v7(), Uuid::now_v7());
    let read = start_from(&records, (person, lost), "b").await;
    assert!(records.issuance("b").await.unwrap() == read, "the card is kept with it");
    let derived =
        records.complete_issuance(&read, &none, batch(3), count_up(), at()).await.unwrap();
    let other = start_from(&records, (person, kept), "c").await;
    records.complete_issuance(&other, &none, batch(1), count_up(), at()).await.unwrap();
    let under_way = start_from(&records, (person, lost), "d").await;

    assert_eq!(records.revoke_derived(&[]).await.unwrap(), 0);
    assert_eq!(records.revoke_derived(&[lost]).await.unwrap(), 3);
    assert_eq!(records.revoke_derived(&[lost]).await.unwrap(), 0, "again is harmless");
    assert_eq!(void(&records).await, derived.into_iter().collect());
    let late = records.complete_issuance(&under_way, &none, batch(1), count_up(), at()).await;
    assert!(matches!(late, Err(CredentialsError::AlreadyPassed)));
}
