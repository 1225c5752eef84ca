//! A verifier's records: kept once, read with a record of it, erased in time with their keys.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_database::{Database, MasterKey, Sealer};
use yufu_verifications::{Access, Kept, ToSeal, Verification, Verifications, VerificationsError};

fn at() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

async fn open() -> (Verifications, Database) {
    let keys = Database::in_memory().await.unwrap();
    let sealer = Sealer::open(keys, &MasterKey::new([7; 32])).await.unwrap();
    let database = Database::in_memory().await.unwrap();
    (Verifications::open(database.clone(), Arc::new(sealer)).await.unwrap(), database)
}

fn shown(id: &str, days: u64) -> Verification {
    Verification {
        id: id.to_owned(),
        purpose: "check-in".to_owned(),
        result: true,
        receipt: "receipt".to_owned(),
        code_digest: None,
        answered_at: at(),
        retained_until: at().plus_seconds(days.saturating_mul(86_400)),
    }
}

fn to_seal() -> ToSeal {
    let claims = r#"{"family_name":"王","birthdate":"1990-01-01"}"#.to_owned();
    let evidence = r#"{"request_object":"a","presentations":{"pid":["b"]}}"#.to_owned();
    ToSeal { claims: Some(claims), evidence: Some(evidence) }
}

fn access(fields: &[&str]) -> Access {
    Access {
        actor: "desk".to_owned(),
        purpose: "guest register".to_owned(),
        fields: fields.iter().map(|name| (*name).to_owned()).collect(),
        at: at(),
    }
}

#[tokio::test]
async fn what_was_shown_is_read_by_the_name_and_each_read_recorded() {
    let (records, _) = open().await;
    records.keep(shown("a", 30), to_seal()).await.unwrap();
    records.keep(shown("b", 30), ToSeal::default()).await.unwrap();
    assert_eq!(records.verification("a").await.unwrap(), shown("a", 30));
    // What is asked for and not there is not read, and not recorded.
    let asked = access(&["family_name", "sector_pseudonym.pension"]);
    let read = records.read("a", Kept::Claims, asked).await.unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"family_name":"王"}"#);
    let evidence = records.read("a", Kept::Evidence, access(&["evidence"])).await.unwrap();
    assert_eq!(evidence["presentations"]["pid"][0], "b");
    let recorded: Vec<Vec<String>> =
        records.accesses("a").await.unwrap().into_iter().map(|access| access.fields).collect();
    assert_eq!(recorded, [["family_name"], ["evidence"]]);
    let none = records.read("b", Kept::Claims, access(&["family_name"])).await.unwrap_err();
    assert!(matches!(none, VerificationsError::NotKept { what: "claims", .. }), "{none}");
    assert!(records.accesses("b").await.unwrap().is_empty(), "nothing was read");
}

#[tokio::test]
async fn an_answer_is_kept_once_and_a_second_one_writes_nothing() {
    let (records, _) = open().await;
    records.keep(shown("a", 30), ToSeal::default()).await.unwrap();
    // Another one that comes at the same time is kept all the same.
    let (again, other) = tokio::join!(
        records.keep(shown("a", 30), to_seal()),
        records.keep(shown("c", 30), to_seal())
    );
    again.unwrap_err();
    other.unwrap();
    assert_eq!(records.verification("c").await.unwrap(), shown("c", 30));
    records.read("a", Kept::Claims, access(&["family_name"])).await.unwrap_err();
}

#[tokio::test]
async fn nothing_of_a_person_lies_readable_and_its_time_erases_it() {
    let (records, database) = open().await;
    for (id, days) in [("a", 1), ("b", 2)] {
        records.keep(shown(id, days), to_seal()).await.unwrap();
    }
    let rows = raw(&database).await;
    assert!(!rows.contains("王") && !rows.contains("1990-01-01"), "{rows}");
    assert_eq!(records.erase_expired(at().plus_seconds(86_399)).await.unwrap(), 0);
    assert_eq!(records.erase_expired(at().plus_seconds(86_400)).await.unwrap(), 1);
    let gone = records.read("a", Kept::Claims, access(&["family_name"])).await.unwrap_err();
    assert!(matches!(gone, VerificationsError::Unknown(_)), "{gone}");
    records.read("b", Kept::Claims, access(&["family_name"])).await.unwrap();
}

#[tokio::test]
async fn what_waits_is_taken_up_once_and_no_longer_than_it_stands_and_lies_sealed() {
    let (records, database) = open().await;
    records.lay_down("a secret of a request", at().plus_seconds(60)).await.unwrap();
    let sealed = database.connection().query_one_raw(Statement::from_string(
        DbBackend::Sqlite,
        "SELECT CAST(sealed AS TEXT) AS row FROM waiting",
    ));
    let sealed: String = sealed.await.unwrap().unwrap().try_get("", "row").unwrap_or_default();
    assert!(!sealed.contains("secret"), "{sealed}");
    assert_eq!(records.take_up(at()).await.unwrap(), ["a secret of a request"]);
    assert!(records.take_up(at()).await.unwrap().is_empty(), "once");
    records.lay_down("late", at().plus_seconds(60)).await.unwrap();
    assert!(records.take_up(at().plus_seconds(60)).await.unwrap().is_empty(), "it ended");
    assert!(records.take_up(at()).await.unwrap().is_empty(), "and is gone");
}

/// Every value of the table, as text.
async fn raw(database: &Database) -> String {
    let all = "SELECT id || purpose || receipt || CAST(sealed_claims AS TEXT) || CAST(sealed_evidence AS TEXT) AS row FROM verifications";
    let rows = database.connection().query_all_raw(Statement::from_string(DbBackend::Sqlite, all));
    let rows = rows.await.unwrap();
    rows.iter().map(|row| row.try_get::<String>("", "row").unwrap_or_default()).collect()
}
