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

#[tokio::test]
async fn an_instance_is_stopped_for_good_by_the_key_that_it_left_and_by_no_other() {
    let records = Instances::open(Database::in_memory().await.unwrap()).await.unwrap();
    let at = Timestamp::from_seconds(1_800_000_000);
    records.register("one", "{}", at).await.unwrap();
    records.register("two", "{}", at).await.unwrap();
    records.keep_freeze_key("one", ("old", "{}")).await.unwrap();
    records.keep_freeze_key("one", ("new", "{\"k\":1}")).await.unwrap();
    assert_eq!(records.freeze_key("old").await.unwrap(), None, "replaced");
    assert_eq!(records.freeze_key("new").await.unwrap().unwrap(), "{\"k\":1}");
    records.stop("old", at).await.unwrap();
    assert_eq!(records.instance("one").await.unwrap().unwrap().stopped, None);
    records.stop("new", at).await.unwrap();
    records.stop("new", at.plus_seconds(86_400)).await.unwrap();
    let day = Timestamp::from_seconds(1_800_000_000 / 86_400 * 86_400);
    assert_eq!(records.instance("one").await.unwrap().unwrap().stopped, Some(day));
    records.register("one", "{}", at).await.unwrap();
    assert_eq!(records.instance("one").await.unwrap().unwrap().stopped, Some(day));
    assert_eq!(records.instance("two").await.unwrap().unwrap().stopped, None);
}
