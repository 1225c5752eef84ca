//! A log in memory, for tests and simulations: durable as long as a clone of it lives.

use crate::{
    Appended, Epoch, Head, Log, LogError, MAX_PAYLOAD, PruneError, Record, Refusal, SealError, Seq,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A log in memory. Clones share the same records, as connections to one database do.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    epoch: Epoch,
    base: Head,
    records: Vec<Record>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change below is a single push or assignment, so a panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn head(&self) -> Head {
        self.records.last().map_or(self.base, Record::head)
    }
}

impl Log for MemoryLog {
    fn append(&mut self, after: Head, epoch: Epoch, payload: &[u8]) -> Appended {
        let mut inner = self.inner();
        if payload.len() > MAX_PAYLOAD {
            return Appended::Refused(Refusal::TooLarge { bytes: payload.len() });
        }
        if epoch != inner.epoch || epoch == Epoch::NONE {
            return Appended::Fenced(inner.epoch);
        }
        if after != inner.head() {
            return Appended::Conflict(inner.head());
        }
        let Head { seq, chain } = after.extend(epoch, payload);
        inner.records.push(Record { seq, epoch, payload: payload.to_vec(), chain });
        Appended::Durable(Head { seq, chain })
    }

    fn seal(&mut self, epoch: Epoch) -> Result<Head, SealError> {
        let mut inner = self.inner();
        if epoch <= inner.epoch {
            return Err(SealError::Stale { asked: epoch, current: inner.epoch });
        }
        inner.epoch = epoch;
        Ok(inner.head())
    }

    fn epoch(&self) -> Result<Epoch, LogError> {
        Ok(self.inner().epoch)
    }

    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
        let inner = self.inner();
        let first = inner.base.seq.next();
        if from.max(Seq::FIRST) < first {
            return Err(LogError::Pruned { first });
        }
        let skip = from.get().saturating_sub(first.get());
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Ok(inner.records.iter().skip(skip).take(max).cloned().collect())
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        Ok(self.inner().head())
    }

    fn base(&self) -> Result<Head, LogError> {
        Ok(self.inner().base)
    }

    fn prune(&mut self, epoch: Epoch, up_to: Head) -> Result<(), PruneError> {
        let mut inner = self.inner();
        if epoch != inner.epoch {
            return Err(PruneError::Fenced(inner.epoch));
        }
        if up_to.seq < inner.base.seq || up_to == inner.base {
            return Ok(());
        }
        let position = inner.records.iter().position(|record| record.head() == up_to);
        let Some(position) = position else {
            return Err(PruneError::NoSuchHead { seq: up_to.seq });
        };
        inner.records.drain(..=position);
        inner.base = up_to;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Faults, Fixture, Part};

    struct Shared(MemoryLog);

    impl Fixture for Shared {
        fn open(&self) -> Box<dyn Log> {
            Box::new(self.0.clone())
        }
    }

    /// Memory does not fail by itself: a handle that does, once.
    struct Doubtful {
        log: MemoryLog,
        kept: bool,
        failed: bool,
    }

    impl Log for Doubtful {
        fn append(&mut self, after: Head, epoch: Epoch, payload: &[u8]) -> Appended {
            if self.failed {
                return Appended::Refused(Refusal::Unusable);
            }
            self.failed = true;
            if self.kept {
                assert!(matches!(self.log.append(after, epoch, payload), Appended::Durable(_)));
            }
            Appended::Unknown(LogError::Storage("as asked".to_owned()))
        }

        fn seal(&mut self, epoch: Epoch) -> Result<Head, SealError> {
            if self.failed { Err(LogError::Unusable.into()) } else { self.log.seal(epoch) }
        }

        fn epoch(&self) -> Result<Epoch, LogError> {
            self.log.epoch()
        }

        fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
            self.log.read(from, max)
        }

        fn durable_head(&self) -> Result<Head, LogError> {
            self.log.durable_head()
        }
    }

    impl Faults for Shared {
        fn in_doubt(&self, kept: bool) -> Box<dyn Log> {
            Box::new(Doubtful { log: self.0.clone(), kept, failed: false })
        }

        fn flip(&self, seq: Seq, part: Part) {
            let mut inner = self.0.inner();
            let record = inner.records.iter_mut().find(|record| record.seq == seq).unwrap();
            match part {
                Part::Payload => *record.payload.last_mut().unwrap() ^= 0x40,
                Part::Chain => record.chain.0[31] ^= 1,
                Part::Epoch => record.epoch = Epoch::new(record.epoch.get() ^ 2),
            }
        }
    }

    crate::log_contract!(Shared(MemoryLog::new()));
    crate::log_faults_contract!(Shared(MemoryLog::new()));
}
