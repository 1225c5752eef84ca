//! The contract of pruning: what is gone is named, what is left is as it was.

use super::{Fixture, append, sealed};
use crate::{Epoch, Head, Log, LogError, PruneError, Seq, verify_chain};

fn records(log: &mut dyn Log, epoch: Epoch, count: u8) -> Vec<Head> {
    let mut heads = vec![Head::EMPTY];
    for number in 0..count {
        heads.push(append(log, *heads.last().unwrap(), epoch, &[number; 10]));
    }
    heads
}

/// Records up to a head are gone, for every handle; the rest is as it was.
pub fn what_was_pruned_is_named_and_the_numbers_go_on(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let mut heads = records(log.as_mut(), epoch, 150);
    assert_eq!(log.base(), Ok(Head::EMPTY));
    let mut other = fixture.open();
    other.prune(epoch, heads[100]).unwrap();
    other.prune(epoch, heads[100]).unwrap();
    other.prune(epoch, heads[40]).unwrap();
    heads.push(append(log.as_mut(), heads[150], epoch, b"after"));
    for log in [&log, &other, &fixture.open()] {
        assert_eq!(log.base(), Ok(heads[100]));
        let pruned = Err(LogError::Pruned { first: Seq::new(101) });
        for from in [0, 1, 40, 100] {
            assert_eq!(log.read(Seq::new(from), 5), pruned, "from {from}");
        }
        assert!(log.read(Seq::new(101), 500).unwrap().iter().map(|r| r.seq.get()).eq(101..=151));
        assert_eq!(verify_chain(log.as_ref()), Ok(heads[151]));
    }
}

/// A log of which nothing is left knows where it stands.
pub fn everything_can_be_pruned_and_the_head_stays(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let heads = records(log.as_mut(), epoch, 3);
    log.prune(epoch, heads[3]).unwrap();
    for log in [&log, &fixture.open()] {
        assert_eq!((log.base(), log.durable_head()), (Ok(heads[3]), Ok(heads[3])));
        assert_eq!(log.read(Seq::new(4), 5), Ok(vec![]));
        assert_eq!(verify_chain(log.as_ref()), Ok(heads[3]));
    }
    let (mut next, epoch) = sealed(fixture);
    let head = append(next.as_mut(), heads[3], epoch, b"four");
    assert_eq!(verify_chain(log.as_ref()), Ok(head));
}

/// Whoever names another past, or is fenced, prunes nothing.
pub fn only_heads_of_the_log_are_pruned_and_only_in_the_epoch_in_force(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let heads = records(log.as_mut(), epoch, 3);
    for head in [heads[1].extend(epoch, b"else"), heads[3].extend(epoch, b"ahead")] {
        let refused = log.prune(epoch, head);
        assert_eq!(refused, Err(PruneError::NoSuchHead { seq: head.seq }));
    }
    let (_, new) = sealed(fixture);
    assert_eq!(log.prune(epoch, heads[2]), Err(PruneError::Fenced(new)));
    assert_eq!(log.base(), Ok(Head::EMPTY));
    assert_eq!(verify_chain(log.as_ref()), Ok(heads[3]));
}
