//! The contract under faults: appends in doubt, flipped bits. For implementations whose fixture
//! can cause them: `log_faults_contract!(fixture)`.

use super::{Fixture, append, sealed};
use crate::{
    Appended, ChainError, Head, Log, LogError, Record, Refusal, Seq, VerifiedRecords, verify_chain,
};

/// A part of a stored record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What was appended.
    Payload,
    /// What commits to it and all before.
    Chain,
    /// The writer's epoch.
    Epoch,
}

/// Causes faults beneath a log.
pub trait Faults: Fixture {
    /// Another handle, whose next append ends in [`Appended::Unknown`]: with the record `kept`
    /// or lost.
    fn in_doubt(&self, kept: bool) -> Box<dyn Log>;

    /// Flips one bit of a stored record.
    fn flip(&self, seq: Seq, part: Part);
}

/// One test per rule of the contract under faults.
#[macro_export]
macro_rules! log_faults_contract {
    ($fixture:expr) => {
        $crate::log_rules_as_tests!($fixture;
            an_append_in_doubt_is_told_as_it_came_out,
            a_writer_in_doubt_appends_nothing_more,
            a_flipped_bit_is_found_wherever_it_is,
        );
    };
}

/// Reading back tells what came of it, or nothing; the next writer finds the same.
pub fn an_append_in_doubt_is_told_as_it_came_out(fixture: &dyn Faults) {
    let (mut log, epoch) = sealed(fixture);
    let mut head = append(log.as_mut(), Head::EMPTY, epoch, b"certain");
    for kept in [true, false] {
        let mut doubtful = fixture.in_doubt(kept);
        let wanted = head.extend(epoch, b"in doubt");
        let appended = doubtful.append(head, epoch, b"in doubt");
        assert!(matches!(appended, Appended::Unknown(_)), "kept {kept}: {appended:?}");
        match doubtful.read(wanted.seq, 1) {
            Ok(found) => assert_eq!(found.iter().map(Record::head).eq([wanted]), kept),
            Err(error) => assert!(!matches!(error, LogError::Malformed(_)), "{error}"),
        }
        let expected = if kept { wanted } else { head };
        if let Ok(told) = doubtful.durable_head() {
            assert_eq!(told, expected, "kept {kept}");
        }
        head = expected;
        let fresh = fixture.open();
        assert_eq!(fresh.durable_head(), Ok(head), "kept {kept}");
        assert_eq!(verify_chain(fresh.as_ref()), Ok(head));
    }
    let mut next = fixture.open();
    let epoch = epoch.next();
    assert_eq!(next.seal(epoch), Ok(head));
    append(next.as_mut(), head, epoch, b"and on");
}

/// It has to be opened anew.
pub fn a_writer_in_doubt_appends_nothing_more(fixture: &dyn Faults) {
    let (_, epoch) = sealed(fixture);
    let mut doubtful = fixture.in_doubt(false);
    let appended = doubtful.append(Head::EMPTY, epoch, b"in doubt");
    assert!(matches!(appended, Appended::Unknown(_)), "{appended:?}");
    let again = doubtful.append(Head::EMPTY, epoch, b"again");
    assert_eq!(again, Appended::Refused(Refusal::Unusable));
    assert!(doubtful.seal(epoch.next()).is_err());
    assert_eq!(fixture.open().durable_head(), Ok(Head::EMPTY));
}

/// Payload, chain value or epoch, first, middle or last: named, and nothing from there on is
/// given out, however many valid records are behind it.
pub fn a_flipped_bit_is_found_wherever_it_is(fixture: &dyn Faults) {
    let (mut log, epoch) = sealed(fixture);
    let mut head = Head::EMPTY;
    for number in 0..5 {
        head = append(log.as_mut(), head, epoch, &[number; 40]);
    }
    for number in 1..=5 {
        let seq = Seq::new(number);
        for part in [Part::Payload, Part::Chain, Part::Epoch] {
            fixture.flip(seq, part);
            let altered = Err(ChainError::Altered { seq });
            assert_eq!(verify_chain(log.as_ref()), altered, "{part:?} of {number}");
            let mut records = VerifiedRecords::new(log.as_ref(), Head::EMPTY);
            let given: Vec<_> = records.by_ref().map_while(Result::ok).collect();
            assert!(given.iter().map(|r| r.seq.get()).eq(1..number));
            assert!(records.next().is_none(), "it ends at the first error");
            fixture.flip(seq, part);
        }
    }
    assert_eq!(verify_chain(log.as_ref()), Ok(head));
}
