//! Verification: walks the records and recomputes the chain.

use crate::{Epoch, Head, Log, LogError, Record, Seq};
use std::collections::VecDeque;

/// How many records are read at once: enough to spare round trips, few enough for memory.
const CHUNK: usize = 16;

/// Recomputes the whole chain, from the log's base, and returns the head it ends in.
///
/// What was pruned is taken at the word of the base: whoever keeps an archive or a snapshot
/// compares the base with it.
///
/// A log alone cannot show that its newest records were cut off: compare the returned head
/// with one kept elsewhere (a signed checkpoint, a replica), or look for that head on the way
/// with [`VerifiedRecords`].
///
/// # Errors
/// [`ChainError`], which names the first record that is altered, missing or out of place.
pub fn verify_chain(log: &dyn Log) -> Result<Head, ChainError> {
    let mut records = VerifiedRecords::new(log, log.base()?);
    for record in &mut records {
        record?;
    }
    Ok(records.head())
}

/// Iterates over the records after a trusted head, each checked against the chain before it
/// is given out. Ends after the first error.
pub struct VerifiedRecords<'a> {
    log: &'a dyn Log,
    head: Head,
    epoch: Epoch,
    waiting: VecDeque<Record>,
    ended: bool,
}

impl<'a> VerifiedRecords<'a> {
    /// The records of `log` after `from`, which is trusted; [`Head::EMPTY`] for all.
    #[must_use]
    pub fn new(log: &'a dyn Log, from: Head) -> Self {
        Self { log, head: from, epoch: Epoch::NONE, waiting: VecDeque::new(), ended: false }
    }

    /// The head verified so far.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    fn advance(&mut self) -> Result<Option<Record>, ChainError> {
        let expected = self.head.seq.next();
        if self.waiting.is_empty() {
            self.waiting = self.log.read(expected, CHUNK)?.into();
        }
        let Some(record) = self.waiting.pop_front() else {
            return self.check_end().map(|()| None);
        };
        if record.seq != expected {
            return Err(ChainError::Missing { seq: expected, found: record.seq });
        }
        if record.epoch < self.epoch {
            return Err(ChainError::EpochDecreased { seq: expected });
        }
        if record.head() != self.head.extend(record.epoch, &record.payload) {
            return Err(ChainError::Altered { seq: expected });
        }
        self.head = record.head();
        self.epoch = record.epoch;
        Ok(Some(record))
    }

    /// The log must not claim a head that its records do not lead to.
    fn check_end(&self) -> Result<(), ChainError> {
        let claimed = self.log.durable_head()?;
        if claimed.seq < self.head.seq {
            return Err(ChainError::CutOff { seq: claimed.seq.next() });
        }
        if claimed.seq == self.head.seq && claimed.chain != self.head.chain {
            return Err(ChainError::Altered { seq: claimed.seq });
        }
        Ok(())
    }
}

impl Iterator for VerifiedRecords<'_> {
    type Item = Result<Record, ChainError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance();
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

/// Checks that the newest record follows from the one before it: what every opening does.
pub(crate) fn check_newest(log: &dyn Log) -> Result<(), ChainError> {
    let (base, newest) = (log.base()?, log.durable_head()?);
    if newest == base {
        return Ok(());
    }
    let before = Seq::new(newest.seq.get().saturating_sub(1));
    let (previous, record) = if before == base.seq {
        (base, log.read(newest.seq, 1)?)
    } else {
        let mut pair = log.read(before, 2)?;
        if pair.len() != 2 {
            return Err(ChainError::Missing { seq: before, found: newest.seq });
        }
        let record = pair.split_off(1);
        (pair.first().map_or(base, Record::head), record)
    };
    let verified = record.first().is_some_and(|record| {
        record.head() == newest && newest == previous.extend(record.epoch, &record.payload)
    });
    if verified { Ok(()) } else { Err(ChainError::Altered { seq: newest.seq }) }
}

/// Why a log is not the one that was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A record is not there although a later one is.
    #[error("record {seq} is missing (the next one found is {found}): restore the log from a copy")]
    Missing {
        /// The record looked for.
        seq: Seq,
        /// The record found instead.
        found: Seq,
    },
    /// The log ends before the head it was to be verified from.
    #[error("record {seq} was cut off, with all after it: restore the log from a copy")]
    CutOff {
        /// The first record that is gone.
        seq: Seq,
    },
    /// A record is of an older epoch than the one before it.
    #[error("record {seq} was written by a fenced writer: restore the log from a copy")]
    EpochDecreased {
        /// The record.
        seq: Seq,
    },
    /// A record's chain value does not follow from it and what precedes it.
    #[error("record {seq} was altered or moved: restore the log from a copy")]
    Altered {
        /// The record.
        seq: Seq,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}
