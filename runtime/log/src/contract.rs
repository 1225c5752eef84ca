//! The contract of [`Log`], as tests that every implementation runs: `log_contract!(fixture)`
//! makes one test of each rule.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking"
)]

mod faults;
mod pruning;

pub use faults::{
    Faults, Part, a_flipped_bit_is_found_wherever_it_is, a_writer_in_doubt_appends_nothing_more,
    an_append_in_doubt_is_told_as_it_came_out,
};
pub use pruning::{
    everything_can_be_pruned_and_the_head_stays,
    only_heads_of_the_log_are_pruned_and_only_in_the_epoch_in_force,
    what_was_pruned_is_named_and_the_numbers_go_on,
};

use crate::{Appended, Epoch, Head, Log, MAX_PAYLOAD, Refusal, SealError, Seq, verify_chain};

/// Opens one log again and again: two open handles are two writers of the same log.
pub trait Fixture {
    /// Another handle to the same log, which is empty and unsealed when first opened.
    fn open(&self) -> Box<dyn Log>;
}

impl<F: Fn() -> Box<dyn Log>> Fixture for F {
    fn open(&self) -> Box<dyn Log> {
        self()
    }
}

/// One test per rule of the contract, each on a fresh fixture from the expression.
#[macro_export]
macro_rules! log_contract {
    ($fixture:expr) => {
        $crate::log_rules!(log_rules_as_tests, $fixture);
    };
}

/// Hands the names of the rules on to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! log_rules {
    ($then:ident, $with:expr) => {
        $crate::$then!($with;
            an_empty_log_has_the_empty_head_and_no_epoch,
            appends_are_numbered_from_one_and_chained,
            what_was_appended_is_read_back_in_order_by_any_handle,
            an_unsealed_log_takes_nothing,
            an_epoch_never_sealed_cannot_write,
            another_head_conflicts_and_writes_nothing,
            the_same_number_with_another_chain_conflicts,
            a_sealed_out_writer_is_fenced_and_writes_nothing,
            of_two_candidates_for_an_epoch_one_wins,
            sealing_returns_the_head_it_protects,
            an_oversized_payload_is_refused_and_the_writer_goes_on,
            an_empty_payload_is_a_record_too,
            an_append_beside_a_seal_is_before_it_or_not_at_all,
            a_fenced_writer_shows_no_stale_head,
            what_was_pruned_is_named_and_the_numbers_go_on,
            everything_can_be_pruned_and_the_head_stays,
            only_heads_of_the_log_are_pruned_and_only_in_the_epoch_in_force,
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! log_rules_as_tests {
    ($fixture:expr; $($rule:ident),+ $(,)?) => {
        $(#[test]
        fn $rule() {
            $crate::contract::$rule(&$fixture);
        })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! log_rules_as_calls {
    ($each:expr; $($rule:ident),+ $(,)?) => {
        $($each(stringify!($rule), &|fixture| $crate::contract::$rule(fixture));)+
    };
}

/// A rule of the contract, on a fixture.
pub type Rule<'a> = &'a dyn Fn(&dyn Fixture);

/// Tells every rule with its name: for fixtures that are too dear to be made for each.
pub fn each_rule(mut each: impl FnMut(&str, Rule<'_>)) {
    crate::log_rules!(log_rules_as_calls, each);
}

fn sealed(fixture: &dyn Fixture) -> (Box<dyn Log>, Epoch) {
    let mut log = fixture.open();
    let epoch = log.epoch().unwrap().next();
    log.seal(epoch).unwrap();
    (log, epoch)
}

fn append(log: &mut dyn Log, after: Head, epoch: Epoch, payload: &[u8]) -> Head {
    let head = after.extend(epoch, payload);
    assert_eq!(log.append(after, epoch, payload), Appended::Durable(head));
    head
}

/// A new log: head empty, no epoch, no records.
pub fn an_empty_log_has_the_empty_head_and_no_epoch(fixture: &dyn Fixture) {
    let log = fixture.open();
    assert_eq!(log.durable_head().unwrap(), Head::EMPTY);
    assert_eq!(log.epoch().unwrap(), Epoch::NONE);
    assert_eq!(log.read(Seq::FIRST, 10).unwrap(), []);
    assert_eq!(verify_chain(log.as_ref()), Ok(Head::EMPTY));
}

/// Heads follow [`Head::extend`].
pub fn appends_are_numbered_from_one_and_chained(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let first = append(log.as_mut(), Head::EMPTY, epoch, b"one");
    assert_eq!(first.seq, Seq::FIRST);
    let second = append(log.as_mut(), first, epoch, b"two");
    assert_eq!(second.seq, Seq::new(2));
    assert_eq!(log.durable_head().unwrap(), second);
    assert_eq!(verify_chain(log.as_ref()), Ok(second));
}

/// Reading pages through the records, from any number on, on any handle.
pub fn what_was_appended_is_read_back_in_order_by_any_handle(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let mut head = Head::EMPTY;
    for number in 0..20_u8 {
        head = append(log.as_mut(), head, epoch, &vec![number; 1 << (number % 18)]);
    }
    for log in [&log, &fixture.open()] {
        let all = log.read(Seq::FIRST, 100).unwrap();
        assert_eq!(all.len(), 20);
        for (number, record) in (0..20_u8).zip(&all) {
            assert_eq!(record.seq.get(), u64::from(number).saturating_add(1));
            assert_eq!(record.payload, vec![number; 1 << (number % 18)]);
            assert_eq!(record.epoch, epoch);
        }
        assert_eq!(all.last().unwrap().head(), head);
        let page = log.read(Seq::new(7), 3).unwrap();
        assert!(page.iter().map(|r| r.seq.get()).eq([7, 8, 9]));
        assert_eq!(log.read(Seq::new(21), 3).unwrap(), []);
        assert_eq!(log.read(Seq::FIRST, 0).unwrap(), []);
    }
}

/// Nobody writes before an epoch is sealed.
pub fn an_unsealed_log_takes_nothing(fixture: &dyn Fixture) {
    let mut log = fixture.open();
    let appended = log.append(Head::EMPTY, Epoch::NONE, b"x");
    assert_eq!(appended, Appended::Fenced(Epoch::NONE));
    assert_eq!(log.durable_head().unwrap(), Head::EMPTY);
}

/// A higher epoch has to be sealed before it writes.
pub fn an_epoch_never_sealed_cannot_write(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    assert_eq!(log.append(Head::EMPTY, epoch.next(), b"x"), Appended::Fenced(epoch));
    assert_eq!(log.durable_head().unwrap(), Head::EMPTY);
}

/// A writer that is behind, or ahead, learns the head.
pub fn another_head_conflicts_and_writes_nothing(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let mut other = fixture.open();
    let first = append(log.as_mut(), Head::EMPTY, epoch, b"mine");
    assert_eq!(other.append(Head::EMPTY, epoch, b"late"), Appended::Conflict(first));
    let ahead = first.extend(epoch, b"imagined");
    assert_eq!(log.append(ahead, epoch, b"early"), Appended::Conflict(first));
    assert_eq!(other.durable_head().unwrap(), first);
    append(other.as_mut(), first, epoch, b"in turn");
}

/// The head is number and chain: a writer with another past does not get in.
pub fn the_same_number_with_another_chain_conflicts(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let first = append(log.as_mut(), Head::EMPTY, epoch, b"one");
    let other = Head::EMPTY.extend(epoch, b"another");
    assert_eq!(log.append(other, epoch, b"two"), Appended::Conflict(first));
    assert_eq!(log.durable_head().unwrap(), first);
}

/// After a seal, the writer before it gets its own answer.
pub fn a_sealed_out_writer_is_fenced_and_writes_nothing(fixture: &dyn Fixture) {
    let (mut former, old) = sealed(fixture);
    let first = append(former.as_mut(), Head::EMPTY, old, b"one");
    let (mut log, new) = sealed(fixture);
    assert_eq!(former.append(first, old, b"two"), Appended::Fenced(new));
    assert_eq!(former.append(Head::EMPTY, old, b"two"), Appended::Fenced(new));
    assert_eq!(log.durable_head().unwrap(), first);
    let second = append(log.as_mut(), first, new, b"two");
    assert_eq!(verify_chain(former.as_ref()), Ok(second));
}

/// Epochs only rise, and each is sealed once.
pub fn of_two_candidates_for_an_epoch_one_wins(fixture: &dyn Fixture) {
    let (mut one, mut two) = (fixture.open(), fixture.open());
    let epoch = Epoch::new(5);
    one.seal(epoch).unwrap();
    assert_eq!(two.seal(epoch), Err(SealError::Stale { asked: epoch, current: epoch }));
    let lower = Epoch::new(4);
    assert_eq!(two.seal(lower), Err(SealError::Stale { asked: lower, current: epoch }));
    assert_eq!(two.seal(Epoch::new(9)), Ok(Head::EMPTY));
    assert_eq!(one.epoch().unwrap(), Epoch::new(9));
}

/// What a new writer has to know before it starts.
pub fn sealing_returns_the_head_it_protects(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let first = append(log.as_mut(), Head::EMPTY, epoch, b"one");
    assert_eq!(fixture.open().seal(epoch.next()), Ok(first));
}

/// A refusal leaves the writer usable.
pub fn an_oversized_payload_is_refused_and_the_writer_goes_on(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let bytes = MAX_PAYLOAD.saturating_add(1);
    let refused = Appended::Refused(Refusal::TooLarge { bytes });
    assert_eq!(log.append(Head::EMPTY, epoch, &vec![0; bytes]), refused);
    append(log.as_mut(), Head::EMPTY, epoch, b"small");
}

/// Nothing is something.
pub fn an_empty_payload_is_a_record_too(fixture: &dyn Fixture) {
    let (mut log, epoch) = sealed(fixture);
    let first = append(log.as_mut(), Head::EMPTY, epoch, b"");
    assert_eq!(log.read(Seq::FIRST, 1).unwrap().first().unwrap().payload, b"");
    assert_eq!(verify_chain(log.as_ref()), Ok(first));
}

/// Whom another writer fenced is not told that the log still ends where it left it.
pub fn a_fenced_writer_shows_no_stale_head(fixture: &dyn Fixture) {
    let (mut former, old) = sealed(fixture);
    let first = append(former.as_mut(), Head::EMPTY, old, b"one");
    assert_eq!(former.durable_head(), Ok(first));
    let (mut log, new) = sealed(fixture);
    let second = append(log.as_mut(), first, new, b"two");
    // An error would do too: what is forbidden is an answer from the past.
    assert!(
        former.durable_head().is_ok_and(|head| head == second) || former.durable_head().is_err()
    );
    let read = former.read(second.seq, 1);
    assert!(read.is_err() || read.is_ok_and(|r| r.iter().map(crate::Record::head).eq([second])));
    assert_eq!(former.append(second, old, b"three"), Appended::Fenced(new));
}

/// However the two fall together: what was acknowledged is under the head that the seal returned,
/// and nothing comes after it.
pub fn an_append_beside_a_seal_is_before_it_or_not_at_all(fixture: &dyn Fixture) {
    for _ in 0..10 {
        let (mut former, old) = sealed(fixture);
        let mut head = former.durable_head().unwrap();
        let mut next = fixture.open();
        let (told, begun) = std::sync::mpsc::channel();
        let writer = std::thread::spawn(move || {
            loop {
                match former.append(head, old, b"beside") {
                    Appended::Durable(next) => head = next,
                    other => return (head, other),
                }
                // Nobody listens any more once the seal is under way.
                let _ = told.send(());
            }
        });
        for _ in 0..3 {
            begun.recv().unwrap();
        }
        let sealed = next.seal(old.next()).unwrap();
        let (acknowledged, ended) = writer.join().unwrap();
        assert_eq!(ended, Appended::Fenced(old.next()));
        assert_eq!(acknowledged, sealed);
        assert_eq!(next.durable_head(), Ok(sealed));
    }
}
