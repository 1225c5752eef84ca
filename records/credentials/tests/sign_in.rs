//! Sign-ins and offers by reference: each is answered, or read, once and in time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_credentials::{Credentials, CredentialsError, SignIn, SignInState, SignedIn};
use yufu_database::Database;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

async fn records() -> (Credentials, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("credentials.sqlite")).await.unwrap();
    (Credentials::open(database).await.unwrap(), folder)
}

fn sign_in(id: &str, pushed: &str) -> SignIn {
    SignIn {
        id: id.to_owned(),
        pushed: pushed.to_owned(),
        wanted: vec!["pid".to_owned(), "age".to_owned()],
        session: "a session".to_owned(),
        link: "openid4vp://?x".to_owned(),
        expires_at: NOW.plus_seconds(600),
        state: SignInState::Waits,
    }
}

#[tokio::test]
async fn a_pushed_request_has_one_sign_in_and_that_one_answer() {
    let (records, _folder) = records().await;
    assert!(records.sign_in_for("pushed").await.unwrap().is_none());
    let first = records.begin_sign_in(sign_in("one", "pushed")).await.unwrap();
    // Two looks at the page at the same time: both lead to the one that was first.
    let second = records.begin_sign_in(sign_in("two", "pushed")).await.unwrap();
    assert_eq!((first.id.as_str(), second.id.as_str()), ("one", "one"));
    assert!(matches!(records.sign_in("two").await, Err(CredentialsError::Unknown(_))));
    records.store_sign_in("one", "another session").await.unwrap();
    assert_eq!(records.sign_in("one").await.unwrap().session, "another session");
    let who = SignedIn { person: Uuid::from_u128(7), credentials: vec!["pid".to_owned()] };
    records.answer_sign_in("one", Some(&who)).await.unwrap();
    let found = records.sign_in_for("pushed").await.unwrap().unwrap();
    assert_eq!(found.state, SignInState::Shown(who.clone()));
    assert_eq!((found.session.as_str(), found.wanted), ("", sign_in("", "").wanted));
    for again in [Some(&who), None] {
        let refused = records.answer_sign_in("one", again).await;
        assert!(matches!(refused, Err(CredentialsError::AlreadyAnswered)));
    }
    let refused = records.store_sign_in("one", "x").await;
    assert!(matches!(refused, Err(CredentialsError::AlreadyAnswered)));

    records.begin_sign_in(sign_in("three", "other")).await.unwrap();
    records.answer_sign_in("three", None).await.unwrap();
    assert_eq!(records.sign_in("three").await.unwrap().state, SignInState::Declined);
    records.forget_lapsed(NOW.plus_seconds(601)).await.unwrap();
    assert!(records.sign_in_for("pushed").await.unwrap().is_none(), "forgotten once it lapsed");
}

#[tokio::test]
async fn an_offer_is_read_once_and_in_time() {
    let (records, _folder) = records().await;
    let keep = |id: &str| (id.to_owned(), format!("sealed {id}"));
    records.keep_offer(keep("a"), NOW.plus_seconds(60)).await.unwrap();
    records.keep_offer(keep("b"), NOW.plus_seconds(60)).await.unwrap();
    let unknown = |refused: Result<String, CredentialsError>| {
        assert!(matches!(refused, Err(CredentialsError::Unknown(_))), "{refused:?}");
    };
    unknown(records.take_offer("c", NOW).await);
    let (one, two) = tokio::join!(records.take_offer("a", NOW), records.take_offer("a", NOW));
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    assert_eq!(one.or(two).unwrap(), "sealed a");
    unknown(records.take_offer("b", NOW.plus_seconds(60)).await);
    unknown(records.take_offer("b", NOW).await);
    records.keep_offer(keep("d"), NOW.plus_seconds(60)).await.unwrap();
    assert_eq!(records.forget_lapsed(NOW.plus_seconds(61)).await.unwrap(), 1);
}
