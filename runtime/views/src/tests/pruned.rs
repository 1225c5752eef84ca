//! A log that was pruned: a view that had come far enough goes on, one that had not says so, and a
//! new one begins where the oldest snapshot does.

use super::support::Kept;
use crate::{Follower, QueryError, View, ViewError, prunable, rebuild, verify};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{AccountId, Timestamp};
use yufu_engine::{Clock, Engine, ManualClock, Settings, Snapshots, load_snapshot, snapshots_in};
use yufu_log::{Log, MemoryLog, Seq};
use yufu_machine::Machine;
use yufu_simulator::{Chance, City, Clients};

/// A log whose engine made snapshots.
async fn played(kept: &Kept) -> MemoryLog {
    let (log, city) = (MemoryLog::new(), City::new(false));
    let clock = Arc::new(ManualClock::new(City::START));
    let again = log.clone();
    let open = Arc::new(move || Ok(Box::new(again.clone()) as Box<dyn Log>));
    let mut snapshots = Snapshots::new(kept.place.snapshots.clone(), open);
    snapshots.keep = NonZeroUsize::new(100).unwrap();
    let settings = (Arc::clone(&clock) as Arc<dyn Clock>, Settings::default());
    let engine = Engine::start_with_snapshots(
        Box::new(log.clone()),
        Machine::new(),
        settings,
        snapshots,
        |_, _| {},
    )
    .unwrap();
    let handle = engine.handle();
    handle.submit_all(city.opening()).await.unwrap();
    let (mut chance, mut clients) = (Chance::of(4), Clients::new(city));
    for number in 0..60 {
        let now = handle.read(|_, now| now).await.unwrap();
        handle.submit(clients.next(&mut chance, now)).await.unwrap();
        if number % 20 == 19 {
            handle.snapshot().await.unwrap();
        }
        clock.advance(Duration::from_secs(7));
    }
    drop(engine.shutdown());
    log
}

#[tokio::test]
async fn a_view_goes_on_begins_anew_or_is_refused_by_how_far_the_log_goes_back() {
    let kept = Kept::new();
    let mut log = played(&kept).await;
    let snapshots = snapshots_in(&kept.place.snapshots).unwrap();
    assert_eq!(snapshots.len(), 3);
    // Beginning from a snapshot, not from the log's first record, it comes to the same.
    let mut follower = Follower::open(&kept.place, &log).unwrap();
    let second = snapshots[1].seq;
    follower.catch_up(&log, &mut |folded| folded.seq < second.next()).unwrap();
    drop(follower);
    let behind = Kept::new();
    let mut follower = Follower::open(&behind.place, &log).unwrap();
    follower.catch_up(&log, &mut |folded| folded.seq < Seq::new(3)).unwrap();
    drop(follower);
    assert_eq!(prunable(&kept.place), Ok(Some(second)));
    let of_behind = crate::Place { view: behind.place.view.clone(), ..kept.place.clone() };
    assert_eq!(prunable(&of_behind), Ok(None), "it has come to no snapshot yet");
    let head = load_snapshot::<Machine>(&snapshots[1].path).unwrap().head();
    log.prune(log.epoch().unwrap(), head).unwrap();
    kept.follow(&log);
    let verified = kept.verified(&log).unwrap();
    assert_eq!(
        (verified.folded_from, verified.through.seq),
        (second, log.durable_head().unwrap().seq)
    );
    let shop = AccountId::new(6);
    let whole = View::open(kept.path()).unwrap().balance_at(shop, City::START).unwrap().balance;
    assert!(whole > 0, "there is history from before");

    // A new one has none of it, and says so.
    let new = Kept::new();
    let place = crate::Place { view: new.place.view.clone(), ..kept.place.clone() };
    drop(rebuild(&place, &log, &mut |_| {}).unwrap());
    let verified = verify(&place, &log, &mut |_| {}).unwrap();
    assert_eq!(verified.folded_from, second);
    let view = View::open(&place.view).unwrap();
    let (now, old) = (Timestamp::from_millis(u64::MAX >> 1), View::open(kept.path()).unwrap());
    for number in 1..=7 {
        let account = AccountId::new(number);
        let balances = [&view, &old].map(|view| view.balance_at(account, now).unwrap().balance);
        assert_eq!(balances[0], balances[1]);
    }
    let refused = view.balance_at(shop, City::START);
    assert!(matches!(refused, Err(QueryError::BeforeHistory { .. })), "{refused:?}");

    // One that had not come so far cannot go on, and a new one without snapshots cannot begin.
    let refused = Follower::open(&of_behind, &log).err().unwrap();
    assert_eq!(refused, ViewError::Pruned { seq: Seq::new(3), first: second.next() });
    let refused = Follower::open(&Kept::new().place, &log).err().unwrap();
    assert_eq!(refused, ViewError::Pruned { seq: Seq::ZERO, first: second.next() });
}
