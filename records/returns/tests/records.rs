//! Answers that wait: had with their code alone, in time, by whoever opens the records next; and unreadable in them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use yufu_base::Timestamp;
use yufu_database::Database;
use yufu_returns::{MOST_HELD, Returns, ReturnsError};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const UNTIL: Timestamp = NOW.plus_seconds(600);
const ANSWER: &str = r#"{"family_name":"王"}"#;

async fn open() -> (Returns, Database) {
    let database = Database::in_memory().await.unwrap();
    (Returns::open(database.clone()).await.unwrap(), database)
}

async fn count(database: &Database) -> i64 {
    let count = "SELECT count(*) AS count FROM held_answers";
    let statement = Statement::from_string(DbBackend::Sqlite, count);
    let row = database.connection().query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "count").unwrap()
}

async fn run(database: &Database, sql: &str) {
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    database.connection().execute_raw(statement).await.unwrap();
}

#[tokio::test]
async fn an_answer_is_had_with_its_own_code_in_time_and_also_by_another_process() {
    let (returns, database) = open().await;
    returns.hold(("1", "code"), ANSWER, (NOW, UNTIL)).await.unwrap();
    returns.hold(("1", "other"), "else", (NOW, UNTIL)).await.unwrap();
    let another = Returns::open(database).await.unwrap();
    for records in [&returns, &another] {
        // A step that was cut off is repeated.
        for _ in 0..2 {
            let found = records.answer(("1", "code"), NOW).await.unwrap();
            assert_eq!(found.unwrap().as_str(), ANSWER);
        }
        let just = UNTIL.minus_seconds(1);
        assert!(records.answer(("1", "code"), just).await.unwrap().is_some());
        for (request, code, at) in [("1", "guess", NOW), ("2", "code", NOW), ("1", "code", UNTIL)] {
            assert!(
                records.answer((request, code), at).await.unwrap().is_none(),
                "{request} {code}"
            );
        }
        assert!(records.any("1", NOW).await.unwrap());
        assert!(!records.any("2", NOW).await.unwrap() && !records.any("1", UNTIL).await.unwrap());
    }
}

#[tokio::test]
async fn what_counted_is_gone_with_all_other_answers_to_its_request_and_what_lapsed_with_the_next()
{
    let (returns, database) = open().await;
    for (request, code) in [("1", "a"), ("1", "b"), ("2", "a")] {
        returns.hold((request, code), ANSWER, (NOW, UNTIL)).await.unwrap();
    }
    returns.over("1").await.unwrap();
    returns.over("1").await.unwrap();
    assert_eq!(count(&database).await, 1);
    assert!(returns.answer(("2", "a"), NOW).await.unwrap().is_some());
    assert_eq!(returns.forget_lapsed(UNTIL.minus_seconds(1)).await.unwrap(), 0);
    returns.hold(("3", "a"), ANSWER, (UNTIL, UNTIL.plus_seconds(600))).await.unwrap();
    assert_eq!(count(&database).await, 1, "what has lapsed makes room");
    assert_eq!(returns.forget_lapsed(UNTIL.plus_seconds(600)).await.unwrap(), 1);
    assert_eq!(count(&database).await, 0);
}

#[tokio::test]
async fn whoever_has_a_link_can_have_no_more_than_a_few_answers_wait() {
    let (returns, database) = open().await;
    for code in 0..MOST_HELD {
        returns.hold(("1", &code.to_string()), ANSWER, (NOW, UNTIL)).await.unwrap();
    }
    let refused = returns.hold(("1", "more"), ANSWER, (NOW, UNTIL)).await.unwrap_err();
    assert!(matches!(refused, ReturnsError::Full), "{refused}");
    assert_eq!(count(&database).await, i64::try_from(MOST_HELD).unwrap());
    returns.hold(("2", "a"), ANSWER, (NOW, UNTIL)).await.unwrap();
}

#[tokio::test]
async fn nothing_in_a_row_tells_the_answer_or_the_code_and_an_altered_one_opens_for_nobody() {
    let (returns, database) = open().await;
    returns.hold(("1", "the-code"), ANSWER, (NOW, UNTIL)).await.unwrap();
    let statement = Statement::from_string(DbBackend::Sqlite, "SELECT * FROM held_answers");
    let row = database.connection().query_one_raw(statement).await.unwrap().unwrap();
    let (id, request): (String, String) =
        (row.try_get("", "id").unwrap(), row.try_get("", "request").unwrap());
    let sealed: Vec<u8> = row.try_get("", "sealed").unwrap();
    let all = [id.as_bytes(), request.as_bytes(), &sealed].concat();
    for secret in ["the-code", "family_name", "王"] {
        let holds = all.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds, "{secret}");
    }
    // Moved to another request it does not open either.
    returns.hold(("2", "the-code"), "else", (NOW, UNTIL)).await.unwrap();
    run(
        &database,
        "UPDATE held_answers SET sealed = (SELECT sealed FROM held_answers WHERE request = '2')",
    )
    .await;
    let refused = returns.answer(("1", "the-code"), NOW).await.unwrap_err();
    assert!(matches!(refused, ReturnsError::Damaged), "{refused}");
    assert!(returns.answer(("2", "the-code"), NOW).await.unwrap().is_some());
}
