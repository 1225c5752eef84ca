//! A log in memory, for tests and simulations: durable as long as a clone of it lives.

use crate::{Appended, Epoch, Head, Log, LogError, MAX_PAYLOAD, Record, Refusal, SealError, Seq};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A log in memory. Clones share the same records, as connections to one database do.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    epoch: Epoch,
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
        self.records.last().map_or(Head::EMPTY, Record::head)
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
        let skip = usize::try_from(from.get().saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(self.inner().records.iter().skip(skip).take(max).cloned().collect())
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        Ok(self.inner().head())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> impl crate::contract::Fixture {
        let log = MemoryLog::new();
        move || Box::new(log.clone()) as Box<dyn Log>
    }

    crate::log_contract!(fixture());
}
