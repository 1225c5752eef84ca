//! The simulated log: one store that several nodes have open, which does at each append what the
//! schedule says: it takes the record or loses it, says so or not, is full, or ends the node.

use crate::faults::{Fault, Faults};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use yufu_log::{Appended, Epoch, Head, Log, LogError, Record, Refusal, SealError, Seq};

/// What becomes of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done and said so.
    Fine,
    /// Refused for certain: the disk is full.
    Full,
    /// Refused for certain: somebody else holds the lock.
    Busy,
    /// Lost, and nobody knows.
    Lost,
    /// Done, and nobody knows; reading back shows it.
    Kept,
    /// Done, and nobody knows; reading back fails.
    KeptUnread,
    /// On its way: it arrives before the next epoch is sealed.
    Late,
    /// The node ends before the record is written.
    CrashBefore,
    /// The node ends after the record is written, before it knows.
    CrashAfter,
}

/// What becomes of sealing or reading at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hitch {
    /// The log cannot be read.
    Read,
    /// The epoch is not sealed, and nobody knows.
    SealLost,
    /// The epoch is sealed, and nobody knows.
    SealKept,
}

#[derive(Debug, Default)]
struct Inner {
    records: Vec<Record>,
    epoch: Epoch,
    /// What becomes of the next appends, in their order; after these all are fine.
    fates: VecDeque<Fate>,
    hitch: Option<Hitch>,
    /// On its way.
    late: Option<Record>,
    /// Nodes that ended: nothing they do has an effect.
    ended: BTreeSet<u64>,
    nodes: u64,
    /// Appends wait while it is shut.
    shut: bool,
    /// How many appends came to the gate.
    arrived: u64,
    faults: Faults,
}

/// The store. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store(Arc<(Mutex<Inner>, Condvar)>);

/// The store as one node has it open.
#[derive(Clone, Debug)]
pub(crate) struct NodeLog {
    store: Store,
    node: u64,
}

impl Store {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it for a new node.
    pub(crate) fn open(&self) -> NodeLog {
        let mut inner = self.inner();
        inner.nodes = inner.nodes.saturating_add(1);
        NodeLog { store: self.clone(), node: inner.nodes }
    }

    /// Ends a node, as a power cut does: what it does from now on has no effect.
    pub(crate) fn end(&self, node: &NodeLog) {
        self.inner().ended.insert(node.node);
    }

    /// Says what becomes of the next append.
    pub(crate) fn plan(&self, fate: Fate) {
        self.inner().fates.push_back(fate);
    }

    /// Says what becomes of the next start.
    pub(crate) fn hinder(&self, hitch: Hitch) {
        self.inner().hitch = Some(hitch);
    }

    /// Forgets what was planned and did not come about.
    pub(crate) fn calm(&self) {
        let mut inner = self.inner();
        inner.fates.clear();
        inner.hitch = None;
    }

    /// Lets no append through until it is opened; gives how many have come so far.
    pub(crate) fn shut(&self) -> u64 {
        let mut inner = self.inner();
        inner.shut = true;
        inner.arrived
    }

    pub(crate) fn reopen(&self) {
        self.inner().shut = false;
        self.0.1.notify_all();
    }

    /// Waits until an append has come after so many; false if the engine gave up before.
    pub(crate) fn wait_for_append(&self, after: u64, gave_up: impl Fn() -> bool) -> bool {
        let mut inner = self.inner();
        while inner.arrived <= after {
            if gave_up() {
                return false;
            }
            let wait = std::time::Duration::from_millis(2);
            inner = match self.0.1.wait_timeout(inner, wait) {
                Ok((inner, _)) => inner,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }

    /// All records, without the way a node has to them.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.inner().records.clone()
    }

    /// Flips a bit of a record: of its payload, beyond that of its chain value, and beyond that of
    /// its epoch. Flipping it again mends it.
    pub(crate) fn flip(&self, place: usize, bit: usize) {
        let mut inner = self.inner();
        let Some(record) = inner.records.get_mut(place) else { return };
        let (byte, mask) = (bit / 8, 1_u8 << (bit % 8));
        let length = record.payload.len();
        match byte.checked_sub(length) {
            None => flip_in(&mut record.payload, byte, mask),
            Some(beyond) if beyond < 32 => flip_in(&mut record.chain.0, beyond, mask),
            Some(beyond) => {
                let mut epoch = record.epoch.get().to_le_bytes();
                flip_in(&mut epoch, beyond.saturating_sub(32), mask);
                record.epoch = Epoch::new(u64::from_le_bytes(epoch));
            }
        }
    }

    pub(crate) fn count(&self, fault: Fault) {
        self.inner().faults.count(fault);
    }

    pub(crate) fn faults(&self) -> Faults {
        self.inner().faults.clone()
    }
}

impl Inner {
    fn head(&self) -> Head {
        self.records.last().map_or(Head::EMPTY, Record::head)
    }

    fn write(&mut self, record: Record) -> Appended {
        let head = record.head();
        self.records.push(record);
        Appended::Durable(head)
    }
}

impl NodeLog {
    fn gone() -> LogError {
        LogError::Storage("the node ended".to_owned())
    }

    /// The store, if the node is still there.
    fn inner(&self) -> Result<MutexGuard<'_, Inner>, LogError> {
        let inner = self.store.inner();
        if inner.ended.contains(&self.node) { Err(Self::gone()) } else { Ok(inner) }
    }
}

impl Log for NodeLog {
    fn append(&mut self, after: Head, epoch: Epoch, payload: &[u8]) -> Appended {
        let mut inner = self.store.inner();
        inner.arrived = inner.arrived.saturating_add(1);
        self.store.0.1.notify_all();
        while inner.shut {
            inner = self.store.0.1.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.ended.contains(&self.node) {
            return Appended::Unknown(Self::gone());
        }
        if epoch != inner.epoch || epoch == Epoch::NONE {
            // Which of the two a store notices first is its own affair.
            let moved = after != inner.head() && after.seq.get().is_multiple_of(2);
            inner.faults.count(if moved { Fault::Conflict } else { Fault::Fenced });
            return if moved {
                Appended::Conflict(inner.head())
            } else {
                Appended::Fenced(inner.epoch)
            };
        }
        if after != inner.head() {
            inner.faults.count(Fault::Conflict);
            return Appended::Conflict(inner.head());
        }
        let Head { seq, chain } = after.extend(epoch, payload);
        let record = Record { seq, epoch, payload: payload.to_vec(), chain };
        let unknown = |what: &str| Appended::Unknown(LogError::Storage(what.to_owned()));
        let fate = inner.fates.pop_front().unwrap_or(Fate::Fine);
        if let Some(fault) = Fault::of(fate) {
            inner.faults.count(fault);
        }
        match fate {
            Fate::Fine => inner.write(record),
            Fate::Full => Appended::Refused(Refusal::Full),
            Fate::Busy => Appended::Refused(Refusal::Busy),
            Fate::Lost => unknown("the connection broke"),
            Fate::Kept => {
                let _ = inner.write(record);
                unknown("the connection broke")
            }
            Fate::KeptUnread => {
                let _ = inner.write(record);
                inner.hitch = Some(Hitch::Read);
                unknown("the connection broke")
            }
            Fate::Late => {
                inner.late = Some(record);
                unknown("the answer did not come")
            }
            Fate::CrashBefore => {
                inner.ended.insert(self.node);
                Appended::Unknown(Self::gone())
            }
            Fate::CrashAfter => {
                let _ = inner.write(record);
                inner.ended.insert(self.node);
                Appended::Unknown(Self::gone())
            }
        }
    }

    fn seal(&mut self, epoch: Epoch) -> Result<Head, SealError> {
        let mut inner = self.inner()?;
        if epoch <= inner.epoch {
            return Err(SealError::Stale { asked: epoch, current: inner.epoch });
        }
        let hitch = inner.hitch.take();
        if hitch == Some(Hitch::SealLost) {
            inner.faults.count(Fault::SealLost);
            return Err(LogError::Storage("the connection broke".to_owned()).into());
        }
        // What is on its way arrives before, or never.
        if let Some(late) = inner.late.take().filter(|late| late.seq == inner.head().seq.next()) {
            inner.faults.count(Fault::Arrived);
            inner.records.push(late);
        }
        inner.epoch = epoch;
        if hitch == Some(Hitch::SealKept) {
            inner.faults.count(Fault::SealKept);
            return Err(LogError::Storage("the connection broke".to_owned()).into());
        }
        Ok(inner.head())
    }

    fn epoch(&self) -> Result<Epoch, LogError> {
        Ok(self.inner()?.epoch)
    }

    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
        let mut inner = self.inner()?;
        if inner.hitch == Some(Hitch::Read) {
            inner.hitch = None;
            inner.faults.count(Fault::ReadError);
            return Err(LogError::Storage("the disk does not answer".to_owned()));
        }
        let skip = usize::try_from(from.get().saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(inner.records.iter().skip(skip).take(max).cloned().collect())
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        Ok(self.inner()?.head())
    }
}

fn flip_in(bytes: &mut [u8], place: usize, mask: u8) {
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= mask;
    }
}
