//! Metadata of types: each stays under its name, whatever is published after it.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

use yufu_base::Timestamp;
use yufu_credentials::{Credentials, CredentialsError};
use yufu_database::Database;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

#[tokio::test]
async fn a_document_stays_under_its_name_as_it_was_published_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.sqlite");
    let document = |name: &str, text: &str| (name.to_owned(), "urn:t".to_owned(), text.to_owned());
    {
        let records = Credentials::open(Database::open(&path).await.unwrap()).await.unwrap();
        records.keep_type(document("sha256-a", "first"), NOW).await.unwrap();
        records.keep_type(document("sha256-b", "second"), NOW.plus_seconds(1)).await.unwrap();
        records.keep_type(document("sha256-a", "another"), NOW.plus_seconds(2)).await.unwrap();
    }
    let records = Credentials::open(Database::open(&path).await.unwrap()).await.unwrap();
    assert_eq!(records.type_document("sha256-a").await.unwrap(), "first");
    assert_eq!(records.type_document("sha256-b").await.unwrap(), "second");
    let missing = records.type_document("urn:t").await;
    assert!(matches!(missing, Err(CredentialsError::Unknown(_))));
}
