//! Fresh copies: a week before the old ones end to the second, when few are left, and never because one was shown; by
//! itself at times that were drawn ahead.

use super::city::{TestCity, phrase};
use crate::wallet::renewing_terminal::Watched;
use crate::wallet::{Got, Holder, Passphrase, Wanted};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yufu_base::Timestamp;
use yufu_engine::{Clock, ManualClock, SystemClock};

const WEEK: u64 = 7 * 86_400;
const HOUR: u64 = 3_600;
const BATCH: usize = 10;

/// A city whose identities are valid for ten days, and its clock.
async fn city() -> (TestCity, ManualClock, tempfile::TempDir) {
    let (holds, instead) = ("validity_days = 90\nbatch = 10", "validity_days = 10\nbatch = 10");
    TestCity::start_changed(holds, instead).await
}

/// An attested wallet with the identity of the first adult.
async fn wallet(city: &TestCity, clock: &ManualClock, pseudonyms: bool) -> Holder {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let wallet = city.open(&city.device("mei"), "mei").unwrap().with_clock(clock);
    identified(city, wallet, pseudonyms).await
}

/// The wallet, attested and with the identity of the first adult.
async fn identified(city: &TestCity, mut wallet: Holder, pseudonyms: bool) -> Holder {
    wallet.of_provider("chutian-wallet").unwrap();
    wallet.find_institutions().await.unwrap();
    let offer = city.offer_identity(0).await;
    let (link, digits) = (offer.haip_offer.unwrap(), offer.transaction_code);
    let wanted = Wanted { pseudonyms, mdoc: false };
    let got = wallet.get_attested(&link, Some(digits.as_str()), wanted).await.unwrap();
    assert!(matches!(&got, Got::Received(received) if received.count == BATCH), "{got:?}");
    wallet
}

/// When the copies end, each by its key.
fn copies(wallet: &Holder) -> BTreeSet<(Timestamp, String)> {
    let all = wallet.file.contents.credentials.iter().map(|stored| &stored.held);
    let copies: BTreeSet<(Timestamp, String)> =
        all.map(|held| (held.expires_at().unwrap(), format!("{:?}", held.holder_key()))).collect();
    assert_eq!(copies.len(), wallet.file.contents.credentials.len(), "each has a key of its own");
    copies
}

/// The one day on which all of them end.
fn end(wallet: &Holder) -> Timestamp {
    let ends: BTreeSet<Timestamp> = copies(wallet).into_iter().map(|(end, _)| end).collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    *ends.first().unwrap()
}

/// Lets time pass until then.
fn until(clock: &ManualClock, at: Timestamp) {
    let left = at.millis().checked_sub(clock.read().wall.millis()).unwrap();
    clock.advance(Duration::from_millis(left));
}

fn is_batch(got: &[Got]) -> bool {
    matches!(got, [Got::Received(received)] if received.count == BATCH)
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_replaced_a_week_before_they_end_and_not_a_second_earlier() {
    let (city, clock, _folder) = city().await;
    let mut wallet = wallet(&city, &clock, true).await;
    let (before, old_end) = (copies(&wallet), end(&wallet));
    until(&clock, old_end.minus_seconds(WEEK + 1));
    assert!(wallet.renew().await.unwrap().is_empty() && wallet.running_out().is_empty());
    assert_eq!(copies(&wallet), before);

    clock.advance(Duration::from_secs(1));
    let [hint] = &wallet.running_out()[..] else { panic!("{:?}", wallet.running_out()) };
    assert_eq!((hint.left, hint.renews, hint.kind.as_str()), (0, true, "urn:yufu:pid:cn:1"));
    let got = wallet.renew().await.unwrap();
    assert!(is_batch(&got), "{got:?}");
    let after = copies(&wallet);
    assert!(after.is_disjoint(&before), "the old ones are forgotten");
    assert_eq!(after.len(), BATCH, "the new ones are kept");
    assert!(old_end < end(&wallet));
    // As they lie in the file, too; and there is nothing more to do.
    let folder = city.device("mei");
    drop(wallet);
    let mut wallet = reopened(&city, &folder, &clock);
    assert_eq!(copies(&wallet), after);
    assert!(wallet.renew().await.unwrap().is_empty() && wallet.running_out().is_empty());
}

fn reopened(city: &TestCity, folder: &Path, clock: &ManualClock) -> Holder {
    let wallet = Holder::open(folder, "mei", &phrase(), &city.url, city.trust_key).unwrap();
    wallet.with_clock(Arc::new(clock.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_copies_left_nothing_is_asked_and_with_one_a_batch_comes_beside_it() {
    let (city, clock, _folder) = city().await;
    let mut wallet = wallet(&city, &clock, true).await;
    wallet.file.contents.credentials.truncate(2);
    assert!(wallet.renew().await.unwrap().is_empty());
    wallet.file.contents.credentials.truncate(1);
    let left = copies(&wallet);
    assert_eq!(wallet.running_out().len(), 1);
    let got = wallet.renew().await.unwrap();
    assert!(is_batch(&got), "{got:?}");
    assert!(copies(&wallet).is_superset(&left), "what is still good stays");
    assert_eq!(wallet.credentials_left(), BATCH + 1);
    assert!(wallet.renew().await.unwrap().is_empty());
}

/// Has a wallet ask for fresh copies where nobody answers.
fn nobody_answers(wallet: &mut Holder) -> Vec<u8> {
    let stored = wallet.file.contents.grants.first_mut().unwrap();
    let kept = serde_json::to_vec(&stored.grant).unwrap();
    let mut grant: Value = serde_json::from_slice(&kept).unwrap();
    turn_away(&mut grant);
    stored.grant = serde_json::from_value(grant).unwrap();
    kept
}

/// Every endpoint in it leads to a port at which nobody listens.
fn turn_away(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name.ends_with("_endpoint")) {
                    Some(_) => *member = Value::from("http://localhost:9/nobody"),
                    None => turn_away(member),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(turn_away),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_does_not_answer_takes_nothing_away_and_is_asked_again() {
    let (city, clock, _folder) = city().await;
    let mut wallet = wallet(&city, &clock, true).await;
    let before = copies(&wallet);
    until(&clock, end(&wallet).minus_seconds(WEEK));
    let kept = nobody_answers(&mut wallet);
    let refused = wallet.renew().await.unwrap_err();
    assert!(format!("{refused:#}").contains("localhost:9"), "{refused:#}");
    assert_eq!(copies(&wallet), before, "the old ones are good for another week");
    assert_eq!(wallet.file.contents.grants.len(), 1);
    // By itself it is tried again within the hour.
    wallet.file.contents.next_renewal = Some(clock.read().wall.seconds());
    wallet.renew_in_time().await.unwrap_err();
    let again = wallet.next_renewal().unwrap();
    let now = clock.read().wall;
    assert!(now < again && again < now.plus_seconds(HOUR), "{again:?}");
    assert_eq!(copies(&wallet), before);
    wallet.file.contents.grants.first_mut().unwrap().grant = serde_json::from_slice(&kept).unwrap();
    until(&clock, again);
    let got = wallet.renew_in_time().await.unwrap().unwrap();
    assert!(is_batch(&got), "{got:?}");
    assert!(copies(&wallet).is_disjoint(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_keeps_the_pseudonyms_that_there_were_and_brings_none_where_there_were_none() {
    for pseudonyms in [true, false] {
        let (city, clock, _folder) = city().await;
        let mut wallet = wallet(&city, &clock, pseudonyms).await;
        let known = |wallet: &Holder| -> BTreeSet<String> {
            let all = wallet.file.contents.credentials.iter().map(|one| &one.held.credential);
            all.map(|one| format!("{:?}", one.claims().get(yufu_base::SECTOR_PSEUDONYM))).collect()
        };
        let before = known(&wallet);
        assert_eq!((before.len(), before.contains("None")), (1, !pseudonyms), "{before:?}");
        until(&clock, end(&wallet).minus_seconds(WEEK));
        assert!(is_batch(&wallet.renew().await.unwrap()));
        assert_eq!(known(&wallet), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_itself_a_wallet_asks_at_a_time_drawn_ahead_that_no_showing_moves() {
    let (city, clock, _folder) = city().await;
    let mut wallet = wallet(&city, &clock, true).await;
    let begun = clock.read().wall;
    let first = wallet.next_renewal().unwrap();
    assert!(begun < first && first < begun.plus_seconds(24 * HOUR));
    // One copy after the other is shown, down to the last: nothing is fetched, and the time stays.
    wallet.learn_currency().await.unwrap();
    while wallet.credentials_left() > 1 {
        wallet.who_read(&mut |_| true).await.unwrap();
    }
    assert_eq!((wallet.credentials_left(), wallet.next_renewal().unwrap()), (1, first));
    until(&clock, first.minus_seconds(1));
    assert!(wallet.renew_in_time().await.unwrap().is_none(), "not yet");
    clock.advance(Duration::from_secs(1));
    let got = wallet.renew_in_time().await.unwrap().unwrap();
    assert!(is_batch(&got), "{got:?}");
    let now = clock.read().wall;
    let next = wallet.next_renewal().unwrap();
    assert!(now.plus_seconds(18 * HOUR) <= next && next < now.plus_seconds(30 * HOUR));

    // It is in the file: a process that starts anew does not begin anew.
    let folder = city.device("mei");
    drop(wallet);
    let mut wallet = reopened(&city, &folder, &clock);
    assert_eq!(wallet.next_renewal().unwrap(), next);
    // The machine was off at that time: not at once, when somebody switches it on.
    until(&clock, next.plus_seconds(601));
    assert!(wallet.renew_in_time().await.unwrap().is_none());
    let (now, drawn) = (clock.read().wall, wallet.next_renewal().unwrap());
    assert!(now < drawn && drawn < now.plus_seconds(2 * HOUR));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stays_leaves_the_wallet_free_and_renews_when_its_time_has_come() {
    let city = TestCity::start().await;
    let folder = city.device("mei");
    let wallet = city.open(&folder, "mei").unwrap();
    let mut wallet = identified(&city, wallet, true).await;
    wallet.file.contents.credentials.truncate(1);
    wallet.file.save().unwrap();
    let watched = Watched {
        folder: &folder,
        name: "mei",
        phrase: phrase(),
        url: &city.url,
        key: city.trust_key,
        provider: None,
    };
    assert_eq!(watched.look().await.unwrap(), None, "the wallet is in use: later");
    drop(wallet);
    let first = watched.look().await.unwrap().unwrap();
    let mut wallet = city.open(&folder, "mei").unwrap();
    assert_eq!((wallet.next_renewal().unwrap(), wallet.credentials_left()), (first, 1));
    wallet.file.contents.next_renewal = Some(SystemClock::new().read().wall.seconds());
    wallet.file.save().unwrap();
    drop(wallet);
    let next = watched.look().await.unwrap().unwrap();
    assert!(SystemClock::new().read().wall.plus_seconds(17 * HOUR) < next);
    assert_eq!(city.open(&folder, "mei").unwrap().credentials_left(), BATCH + 1);
    let wrong = Watched { phrase: Passphrase::cheap("another"), ..watched };
    wrong.look().await.unwrap_err();
}
