//! The registrar's records on a real database.

use yufu_base::Timestamp;
use yufu_database::Database;
use yufu_reports::{Report, Reports, Tally};

fn report(request: &str, party: &str, over_asking: bool) -> Report {
    Report {
        request_digest: format!("digest of {request}"),
        request: request.to_owned(),
        party: party.to_owned(),
        name: party.to_uppercase(),
        reason: "asked for my household".to_owned(),
        over_asking,
        at: Timestamp::from_seconds(1_000),
    }
}

#[tokio::test]
async fn a_request_counts_once_and_parties_are_counted_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports.sqlite");
    let reports = Reports::open(Database::open(&path).await.unwrap()).await.unwrap();
    let first = reports.enter(report("a", "hotel", true)).await.unwrap();
    let again = reports.enter(report("a", "hotel", true)).await.unwrap();
    assert_eq!(first, again);
    reports.enter(report("b", "hotel", false)).await.unwrap();
    reports.enter(report("c", "bank", false)).await.unwrap();
    let tally = |party: &str, reports, over_asking| Tally {
        party: party.to_owned(),
        name: party.to_uppercase(),
        reports,
        over_asking,
    };
    let expected = vec![tally("bank", 1, 0), tally("hotel", 2, 1)];
    assert_eq!(reports.tallies().await.unwrap(), expected);
    let kept = reports.of("hotel").await.unwrap();
    assert_eq!(kept, [report("a", "hotel", true), report("b", "hotel", false)]);
    drop(reports);
    let reopened = Reports::open(Database::open(&path).await.unwrap()).await.unwrap();
    assert_eq!(reopened.tallies().await.unwrap(), expected);
}
