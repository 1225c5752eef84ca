//! Replay: from the beginning of a log, or from a snapshot, to the state it leads to, every commitment checked.

use crate::batch::{Batch, BatchError, Checkpoint, Commitment, decode_batch};
use crate::trail::{Trail, outcomes_digest};
use yufu_base::{Digest, StateMachine, Timestamp};
use yufu_log::{ChainError, Head, Log, Record, Seq, VerifiedRecords};

/// A machine on its way through a log.
#[derive(Clone, Debug)]
pub struct Replay<M> {
    pub(crate) machine: M,
    pub(crate) head: Head,
    pub(crate) at: Timestamp,
    pub(crate) trail: Trail,
    /// The state after the newest marked record.
    pub(crate) mark: Option<Checkpoint>,
    /// The newest checkpoint that a record carried.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Bytes of the records applied, since the beginning or the snapshot.
    pub(crate) bytes: u64,
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
    pub fn new(machine: M) -> Self {
        let trail = Trail::new(machine.version());
        let at = Timestamp::from_millis(0);
        Self { machine, head: Head::EMPTY, at, trail, mark: None, checkpoint: None, bytes: 0 }
    }

    /// Applies the next record, which [`VerifiedRecords`] gave out.
    ///
    /// # Errors
    /// [`ReplayError`]; the machine is then as before the record.
    pub fn apply(&mut self, record: &Record) -> Result<Replayed<M>, ReplayError> {
        let batch = self.check(record)?;
        let apply = |command| self.machine.apply(batch.header.stamp, command);
        let outcomes: Vec<M::Outcome> = batch.commands.iter().map(apply).collect();
        self.trail.push(outcomes_digest(&outcomes), self.machine.version());
        self.at = batch.header.stamp.at;
        self.head = record.head();
        let bytes = u64::try_from(record.payload.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
        self.checkpoint = batch.header.checkpoint.or(self.checkpoint);
        if batch.header.marked {
            let state_root = self.machine.state_hash();
            self.mark = Some(Checkpoint { seq: record.seq, state_root });
        }
        Ok(Replayed { batch, outcomes })
    }

    /// Whether the record follows from what was applied.
    fn check(&self, record: &Record) -> Result<Batch<M::Command>, ReplayError> {
        let seq = record.seq;
        let expected = self.head.seq.next();
        if seq != expected {
            return Err(ChainError::Missing { seq: expected, found: seq }.into());
        }
        let batch = decode_batch::<M>(&record.payload)
            .map_err(|source| ReplayError::Batch { seq, source })?;
        let header = batch.header;
        if header.stamp.at < self.at {
            return Err(ReplayError::StampDecreased { seq });
        }
        let (newest, point) = self.trail.newest();
        let (through, said, is, version) = match header.outcomes {
            Commitment::Before(digest) => (newest, digest, self.trail.last(), point.version),
            Commitment::Through { seq: through, digest } => {
                let point =
                    self.trail.at(through).ok_or(ReplayError::OutcomesLag { seq, through })?;
                (through, digest, point.running, point.version)
            }
        };
        if header.machine_version != version {
            let found = header.machine_version;
            return Err(ReplayError::MachineVersion { seq, found, in_force: version });
        }
        if said != is {
            return Err(ReplayError::Outcomes { seq: through, by: seq });
        }
        match header.checkpoint {
            Some(checkpoint) if self.mark != Some(checkpoint) => {
                Err(ReplayError::Checkpoint { seq: checkpoint.seq, by: seq })
            }
            _ => Ok(batch),
        }
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

    /// The running digest of all outcomes so far: what the next record may commit to.
    pub fn outcomes(&self) -> Digest {
        self.trail.newest().1.running
    }

    /// The state after the newest marked record: what a checkpoint may be of.
    pub const fn mark(&self) -> Option<Checkpoint> {
        self.mark
    }

    /// The newest checkpoint that a record carried, held against the state.
    pub const fn checkpoint(&self) -> Option<Checkpoint> {
        self.checkpoint
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
    /// A record commits to outcomes of records too far before it, or not before it.
    #[error(
        "record {seq} commits to the outcomes up to record {through}, which is none of the {OUTCOMES_LAG} and one before it: \
         its writer was defective", OUTCOMES_LAG = crate::OUTCOMES_LAG
    )]
    OutcomesLag {
        /// The record.
        seq: Seq,
        /// The last record that it covers.
        through: Seq,
    },
    /// A record was written under other rules than those in force.
    #[error(
        "record {seq} was written under machine version {found}, where version {in_force} is in force: \
         use the build that wrote it, and report it"
    )]
    MachineVersion {
        /// The record.
        seq: Seq,
        /// The version that it names.
        found: u16,
        /// The version in force.
        in_force: u16,
    },
    /// The commands of a record come to something else than when they were first applied.
    #[error(
        "the commands up to record {seq} give other outcomes than record {by} commits to: \
         use the build that wrote them, and report it"
    )]
    Outcomes {
        /// The record whose outcomes differ, or the last of several of which one's do.
        seq: Seq,
        /// The record that commits to them.
        by: Seq,
    },
    /// The state after a record is another than when a snapshot was made of it.
    #[error(
        "the state after record {seq} is not the one that the checkpoint in record {by} names: \
         use the build that wrote it, and report it"
    )]
    Checkpoint {
        /// The record that the checkpoint is of.
        seq: Seq,
        /// The record that carries it.
        by: Seq,
    },
}
