//! Freezes by the holder, and customers whose time has come.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{ACCOUNT, NUMBER, ask, at, command, records, sealer};
use uuid::Uuid;
use yufu_base::{AccountId, Timestamp};
use yufu_database::{Database, SealError};
use yufu_onboarding::{
    Access, Answered, CounterStep, FreezeKey, KeyChange, KeyWay, Onboarding, OnboardingError,
};

/// An open account in a name, and the database of data keys.
async fn open() -> (Onboarding, Uuid, Database) {
    let (records, keys) = records().await;
    let customer = enrol(&records, "opening", ACCOUNT).await;
    (records, customer, keys)
}

async fn enrol(records: &Onboarding, verification: &str, account: AccountId) -> Uuid {
    support::enrol(records, verification, account, None).await
}

async fn close(records: &Onboarding, account: AccountId) {
    close_at(records, account, at()).await;
}

async fn close_at(records: &Onboarding, account: AccountId, when: Timestamp) {
    let closing = command(account.bits().wrapping_add(100), &format!("close:{account}"));
    records.put_outbox(closing.clone(), when).await.unwrap();
    records.record_outcome(closing.command, "{}", true).await.unwrap();
}

fn look() -> Access {
    let fields = vec!["family_name".to_owned()];
    Access { actor: "teller".to_owned(), purpose: "complaint".to_owned(), fields, at: at() }
}

#[tokio::test]
async fn a_customer_is_erased_once_no_account_is_open_and_the_time_has_come() {
    let (records, customer, keys) = open().await;
    let (early, due) = (at().plus_seconds(59), at().plus_seconds(60));
    assert_eq!(records.erase_expired(due, 0).await.unwrap(), 0, "the account is open");
    close(&records, ACCOUNT).await;
    assert_eq!(records.erase_expired(early, 0).await.unwrap(), 0, "the law keeps it");
    assert!(records.customer_claims(customer, look()).await.is_ok());
    assert_eq!(records.erase_expired(due, 0).await.unwrap(), 1);
    assert_eq!(records.erase_expired(due, 0).await.unwrap(), 0);
    let gone = records.customer_claims(customer, look()).await;
    assert!(matches!(gone, Err(OnboardingError::Erased)));
    assert!(matches!(sealer(&keys).await.key(customer).await, Err(SealError::Erased)));
    assert!(!records.is_customer(customer, NUMBER).await.unwrap(), "nothing leads to the number");
    assert_eq!(records.accesses(customer).await.unwrap().len(), 1, "who looked stays");
    // Whoever comes back is a new customer.
    let again = enrol(&records, "again", AccountId::new(2)).await;
    assert_ne!(again, customer);
    assert!(records.customer_claims(again, look()).await.is_ok());
}

#[tokio::test]
async fn a_customer_is_kept_as_long_from_the_end_of_the_last_account_as_from_what_was_shown() {
    let (records, customer, _) = open().await;
    let closed = at().plus_seconds(600);
    close_at(&records, ACCOUNT, closed).await;
    let early = closed.plus_seconds(59);
    assert_eq!(records.erase_expired(early, 60).await.unwrap(), 0, "the relation ended later");
    assert!(records.customer_claims(customer, look()).await.is_ok());
    assert_eq!(records.erase_expired(closed.plus_seconds(60), 60).await.unwrap(), 1);
}

#[tokio::test]
async fn a_key_that_a_restored_file_brings_back_is_destroyed_at_the_next_start() {
    let (records, customer, keys) = open().await;
    close(&records, ACCOUNT).await;
    records.erase_expired(at().plus_seconds(60), 0).await.unwrap();
    sealer(&keys).await.create(&[customer]).await.unwrap();
    assert_eq!(records.erase_again().await.unwrap(), 1);
    assert!(matches!(sealer(&keys).await.key(customer).await, Err(SealError::Erased)));
}

#[tokio::test]
async fn a_freeze_holds_until_an_officer_or_a_fresh_key_lifts_it_and_both_are_seen() {
    let (records, customer, _) = open().await;
    assert_eq!(records.frozen_since(ACCOUNT).await.unwrap(), None);
    assert_eq!(records.freeze(ACCOUNT, None, at()).await.unwrap(), at());
    let later = at().plus_seconds(60);
    assert_eq!(records.freeze(ACCOUNT, None, later).await.unwrap(), at(), "as it was");
    let step = || CounterStep { officer: "wang".to_owned(), evidence: "form 7".to_owned() };
    records.lift_freeze(ACCOUNT, step(), later).await.unwrap();
    assert_eq!(records.frozen_since(ACCOUNT).await.unwrap(), None);
    let none = records.lift_freeze(ACCOUNT, step(), later).await;
    assert!(matches!(none, Err(OnboardingError::NotFrozen)));

    let key = |thumbprint: &str| FreezeKey {
        account: ACCOUNT,
        thumbprint: thumbprint.to_owned(),
        key: "{}".to_owned(),
    };
    records.keep_freeze_key(key("first"), at()).await.unwrap();
    records.keep_freeze_key(key("second"), at()).await.unwrap();
    assert_eq!(records.freeze_key("first").await.unwrap(), None, "replaced");
    assert_eq!(records.freeze_key("second").await.unwrap(), Some(key("second")));
    records.freeze(ACCOUNT, Some(step()), later).await.unwrap();
    ask(&records, "recovery").await;
    let change = KeyChange {
        id: "recovery".to_owned(),
        account: ACCOUNT,
        way: KeyWay::Recovered,
        evidence: String::new(),
        former_key: "a".to_owned(),
        new_key: "b".to_owned(),
        provider: None,
    };
    let answered = Answered { receipt: "receipt".to_owned(), retained_until: at(), begun: later };
    records.recover(&change, &answered, later).await.unwrap();
    assert_eq!(records.frozen_since(ACCOUNT).await.unwrap(), None);
    assert_eq!(records.freeze_key("second").await.unwrap(), None, "of the former wallet");

    let accesses = records.accesses(customer).await.unwrap();
    let seen: Vec<(&str, &str)> = accesses
        .iter()
        .map(|one| (one.actor.as_str(), one.purpose.rsplit(' ').next().unwrap()))
        .collect();
    for expected in
        [("the holder", "frozen"), ("wang", "freed"), ("wang", "frozen"), ("the holder", "freed")]
    {
        assert!(seen.contains(&expected), "{seen:?}");
    }
}
