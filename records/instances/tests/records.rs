//! A wallet provider knows a key and a day.

use yufu_base::Timestamp;
use yufu_database::Database;
use yufu_instances::Instances;

#[tokio::test]
async fn an_instance_is_registered_once_and_known_by_key_and_day_alone() {
    let records = Instances::open(Database::in_memory().await.unwrap()).await.unwrap();
    assert_eq!(records.instance("t").await.unwrap(), None);
    let at = Timestamp::from_seconds(1_800_000_000);
    records.register("t", "{}", at).await.unwrap();
    records.register("t", "{}", at.plus_seconds(86_400)).await.unwrap();
    let known = records.instance("t").await.unwrap().unwrap();
    assert_eq!(known.registered, Timestamp::from_seconds(1_800_000_000 / 86_400 * 86_400));
    assert_eq!(records.instance("other").await.unwrap(), None);
}
