//! The quota holds over all banks, each request is good once, and a bank has one keyset in an epoch.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use yufu_allowances::{Allowances, AllowancesError, Grant, Pending, Return, Subject};
use yufu_base::Timestamp;
use yufu_database::Database;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const BATCHES: u32 = 2;

async fn records() -> Allowances {
    Allowances::open(Database::in_memory().await.unwrap()).await.unwrap()
}

async fn ask(records: &Allowances, id: &str, bank: &str) {
    records.ask(new(id, bank)).await.unwrap();
}

fn new(id: &str, bank: &str) -> Pending {
    Pending {
        id: id.to_owned(),
        code: format!("digest of {id}"),
        bank: bank.to_owned(),
        link: "openid4vp://".to_owned(),
        session: "secret".to_owned(),
        expires_at: NOW.plus_seconds(600),
        grant: None,
    }
}

async fn grant(
    records: &Allowances,
    id: &str,
    who: &str,
    epoch: u64,
) -> Result<(), AllowancesError> {
    let subject = Subject { pseudonym: who, most: BATCHES };
    let grant = Grant { token: format!("t-{id}"), subject: format!("{who} there"), epoch };
    records.grant(id, subject, &grant, ("receipt", NOW, NOW.plus_seconds(86_400))).await
}

#[tokio::test]
async fn a_person_has_so_many_batches_in_an_epoch_over_all_banks_and_anew_in_the_next() {
    let records = records().await;
    for (id, bank) in [("1", "a"), ("2", "b"), ("3", "a"), ("4", "b"), ("5", "a")] {
        ask(&records, id, bank).await;
    }
    grant(&records, "1", "mei", 7).await.unwrap();
    grant(&records, "2", "mei", 7).await.unwrap();
    assert!(matches!(grant(&records, "3", "mei", 7).await, Err(AllowancesError::Used(2))));
    assert_eq!(records.asked("3").await.unwrap().grant, None, "nothing of it is kept");
    grant(&records, "3", "li", 7).await.unwrap();
    grant(&records, "4", "mei", 8).await.unwrap();
    // An epoch that is over is forgotten, the one that runs is not.
    records.forget(NOW, 8).await.unwrap();
    grant(&records, "5", "mei", 8).await.unwrap();
    ask(&records, "6", "a").await;
    assert!(matches!(grant(&records, "6", "mei", 8).await, Err(AllowancesError::Used(2))));
}

#[tokio::test]
async fn a_request_is_granted_once_and_its_token_can_be_fetched_again_until_it_lapses() {
    let records = records().await;
    ask(&records, "1", "a").await;
    records.store_session("1", "other").await.unwrap();
    grant(&records, "1", "mei", 7).await.unwrap();
    assert!(matches!(grant(&records, "1", "mei", 7).await, Err(AllowancesError::AlreadyAnswered)));
    assert!(records.store_session("1", "x").await.is_err());
    let found = records.asked_by("digest of 1").await.unwrap();
    assert_eq!((found.session.as_str(), found.bank.as_str()), ("", "a"));
    assert_eq!(found.grant.unwrap().token, "t-1");
    assert_eq!(found.expires_at, NOW.plus_seconds(86_400));
    assert_eq!(records.forget(NOW.plus_seconds(86_400), 7).await.unwrap(), 0);
    assert_eq!(records.forget(NOW.plus_seconds(86_401), 7).await.unwrap(), 1);
    assert!(matches!(records.asked("1").await, Err(AllowancesError::Unknown(_))));
}

#[tokio::test]
async fn a_bank_has_one_keyset_in_an_epoch() {
    let records = records().await;
    records.saw_keyset("a", 7, "01aa").await.unwrap();
    records.saw_keyset("a", 7, "01aa").await.unwrap();
    let other = records.saw_keyset("a", 7, "01bb").await;
    assert!(matches!(other, Err(AllowancesError::KeysetDiffers)));
    records.saw_keyset("a", 8, "01bb").await.unwrap();
    records.saw_keyset("b", 7, "01cc").await.unwrap();
    let known = records.keysets(7).await.unwrap();
    assert_eq!(known, [("a".to_owned(), "01aa".to_owned()), ("b".to_owned(), "01cc".to_owned())]);
}

#[tokio::test]
async fn a_browsers_code_is_used_once_another_replaces_it_and_all_is_forgotten_with_the_request() {
    let records = records().await;
    let to = Return {
        redirect_uri: "http://localhost:33388/callback".to_owned(),
        state: Some("s".to_owned()),
        challenge: "c".to_owned(),
    };
    records.ask_returning(new("1", "a"), to.clone()).await.unwrap();
    ask(&records, "2", "a").await;
    assert_eq!(records.returning("1").await.unwrap(), to);
    assert!(records.returning("2").await.is_err(), "a device has no browser");
    records.replace_code("1", "first").await.unwrap();
    records.replace_code("1", "second").await.unwrap();
    assert!(records.asked_by("first").await.is_err());
    assert_eq!(records.asked_by("second").await.unwrap().id, "1");
    assert!(records.use_code("1", "first").await.is_err());
    records.use_code("1", "second").await.unwrap();
    assert!(records.use_code("1", "second").await.is_err());
    assert!(records.asked_by("second").await.is_err());
    assert_eq!(records.forget(NOW.plus_seconds(3_600), 0).await.unwrap(), 2);
    assert!(records.returning("1").await.is_err());
}
