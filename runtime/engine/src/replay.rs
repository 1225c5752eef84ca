//! Replay: from the beginning of a log to the state it leads to, every commitment checked.

use crate::batch::{Batch, BatchError, decode_batch, outcomes_digest};
use yufu_base::{Digest, StateMachine, Timestamp};
use yufu_log::{ChainError, Head, Log, Record, Seq, VerifiedRecords};

/// A machine on its way through a log.
#[derive(Clone, Debug)]
pub struct Replay<M> {
    machine: M,
    head: Head,
    at: Timestamp,
    outcomes: Digest,
}

/// One record, applied.
#[derive(Clone, Debug)]
pub struct Replayed<M: StateMachine> {
    /// What it carried.
    pub batch: Batch<M::Command>,
    /// What its commands came to, in their order.
    pub outcomes: Vec<M::Outcome>,
}

impl<M: StateMachine> Replay<M> {
    /// A replay of a whole log, from `machine` as it was before the first command.
    pub const fn new(machine: M) -> Self {
        Self { machine, head: Head::EMPTY, at: Timestamp::from_millis(0), outcomes: Digest::ZERO }
    }

    /// Applies the next record, which [`VerifiedRecords`] gave out.
    ///
    /// # Errors
    /// [`ReplayError`]; the machine is then as before the record.
    pub fn apply(&mut self, record: &Record) -> Result<Replayed<M>, ReplayError> {
        let seq = record.seq;
        let expected = self.head.seq.next();
        if seq != expected {
            return Err(ChainError::Missing { seq: expected, found: seq }.into());
        }
        let batch = decode_batch::<M>(&record.payload)
            .map_err(|source| ReplayError::Batch { seq, source })?;
        if batch.stamp.at < self.at {
            return Err(ReplayError::StampDecreased { seq });
        }
        if batch.previous_outcomes != self.outcomes {
            return Err(ReplayError::Outcomes { seq: self.head.seq, by: seq });
        }
        let apply = |command| self.machine.apply(batch.stamp, command);
        let outcomes: Vec<M::Outcome> = batch.commands.iter().map(apply).collect();
        self.outcomes = outcomes_digest(&outcomes);
        self.at = batch.stamp.at;
        self.head = record.head();
        Ok(Replayed { batch, outcomes })
    }

    /// Verifies and applies all records the log holds beyond those applied so far.
    ///
    /// # Errors
    /// [`ReplayError`], which names the first record that is not as it was written.
    pub fn catch_up(&mut self, log: &dyn Log) -> Result<(), ReplayError> {
        self.catch_up_telling(log, &mut |_| {})
    }

    /// The same, telling of each record that was applied: a long log takes a while.
    ///
    /// # Errors
    /// As [`Replay::catch_up`].
    pub fn catch_up_telling(
        &mut self,
        log: &dyn Log,
        tell: &mut dyn FnMut(Seq),
    ) -> Result<(), ReplayError> {
        for record in VerifiedRecords::new(log, self.head) {
            self.apply(&record?)?;
            tell(self.head.seq);
        }
        Ok(())
    }

    /// The machine as far as it has come.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// The newest record applied.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The newest stamp.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What the next record has to name as the outcomes before it.
    pub const fn outcomes(&self) -> Digest {
        self.outcomes
    }

    /// The machine, to go on with.
    pub fn into_machine(self) -> M {
        self.machine
    }
}

/// Why a log cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The chain does not hold.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A record's payload is not a batch for this machine.
    #[error("record {seq}: {source}")]
    Batch {
        /// The record.
        seq: Seq,
        /// Why.
        source: BatchError,
    },
    /// A record's stamp is earlier than the one before.
    #[error("record {seq} is stamped earlier than the one before it: its writer was defective")]
    StampDecreased {
        /// The record.
        seq: Seq,
    },
    /// The commands of a record come to something else than when they were first applied.
    #[error(
        "the commands of record {seq} give other outcomes than record {by} commits to: \
         use the build that wrote them, and report it"
    )]
    Outcomes {
        /// The record whose outcomes differ.
        seq: Seq,
        /// The record that commits to them.
        by: Seq,
    },
}
