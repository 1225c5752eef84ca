//! A small machine, logs that fail on demand, and the engine's rules.

mod clock;
mod faults;
mod flow;
mod pipeline;
mod reading;
mod snapshots;
mod start;

use crate::{Clock, Engine, Handle, ManualClock, Settings};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, mpsc};
use yufu_base::{Digest, Snapshot, Stamp, StateMachine, Timestamp};
use yufu_log::{
    Appended, Epoch, Head, Log, LogError, MemoryLog, Record, Refusal, SealError, Seq, SqliteLog,
};

/// Adds; refuses what overflows; remembers every stamp. Begins with version 2 of its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Counter {
    /// Whether version 3 is in force.
    raised: bool,
    pub(crate) total: u64,
    pub(crate) applied: u64,
    pub(crate) stamps: Vec<Stamp>,
}

/// Puts version 3 of the rules in force.
pub(crate) const RAISE: Add = Add(u64::MAX - 3);

/// Adds a number. `u64::MAX` has an encoding that does not read back, `u64::MAX - 1` panics
/// the machine.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub(crate) struct Add(pub(crate) u64);

impl BorshDeserialize for Add {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        match u64::deserialize_reader(reader)? {
            u64::MAX => Err(io::Error::other("no such number")),
            number => Ok(Self(number)),
        }
    }
}

impl StateMachine for Counter {
    type Command = Add;
    /// The total after it, or nothing if it was refused.
    type Outcome = Option<u64>;
    const VERSION: u16 = 3;

    fn version(&self) -> u16 {
        if self.raised { 3 } else { 2 }
    }

    fn apply(&mut self, stamp: Stamp, &Add(number): &Add) -> Option<u64> {
        assert!(number != u64::MAX - 1, "a defect in the machine");
        if number == RAISE.0 {
            self.raised = true;
            return Some(self.total);
        }
        self.total = self.total.checked_add(number)?;
        self.applied = self.applied.saturating_add(1);
        self.stamps.push(stamp);
        Some(self.total)
    }

    fn state_hash(&self) -> Digest {
        Digest::of(&borsh::to_vec(self).unwrap())
    }
}

impl Snapshot for Counter {
    fn write_state(&self, writer: &mut dyn io::Write) -> io::Result<()> {
        borsh::to_writer(writer, self)
    }

    fn read_state(mut reader: &mut dyn io::Read) -> io::Result<Self> {
        borsh::from_reader(&mut reader)
    }
}

pub(crate) fn start_time() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub(crate) fn manual_clock() -> ManualClock {
    ManualClock::new(start_time())
}

pub(crate) fn start_with(
    log: impl Log + 'static,
    clock: &ManualClock,
    settings: Settings,
) -> Engine<Counter> {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Engine::start(Box::new(log), Counter::default(), clock, settings).unwrap()
}

pub(crate) fn start(log: impl Log + 'static) -> Engine<Counter> {
    start_with(log, &manual_clock(), Settings::default())
}

pub(crate) fn total(handle: &Handle<Counter>) -> u64 {
    handle.read_unconfirmed(|counter, _| counter.total)
}

/// What an append is to do instead of what it should.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Writes, but does not know.
    Written,
    /// Does not write, and does not know.
    Lost,
    /// Another writer's record is there instead.
    Replaced,
    /// The storage cannot be read any more either.
    Dead,
    /// Refuses.
    Refused(Refusal),
    /// None: does what it should.
    None,
}

/// A log in memory that fails as told, and can be held in the middle of an append.
pub(crate) struct FaultyLog {
    pub(crate) inner: MemoryLog,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) gate: Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>,
    dead: bool,
}

impl FaultyLog {
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults = faults.into_iter().collect();
        Self { inner: MemoryLog::new(), faults, gate: None, dead: false }
    }

    /// Each append says that it has begun and waits for a go, until the go's sender is gone.
    pub(crate) fn gated(mut self) -> (Self, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (begun, begins) = mpsc::channel();
        let (go, goes) = mpsc::channel();
        self.gate = Some((begun, goes));
        (self, begins, go)
    }
}

impl Log for FaultyLog {
    fn append(&mut self, after: Head, epoch: Epoch, payload: &[u8]) -> Appended {
        if let Some((begun, goes)) = &self.gate {
            // Either end may be gone: the test has seen enough.
            let _ = begun.send(());
            let _ = goes.recv();
        }
        let Some(fault) = self.faults.pop_front() else {
            return self.inner.append(after, epoch, payload);
        };
        let doubt = Appended::Unknown(LogError::Storage("injected".to_owned()));
        match fault {
            Fault::Written => {
                assert!(matches!(self.inner.append(after, epoch, payload), Appended::Durable(_)));
                doubt
            }
            Fault::Lost => doubt,
            Fault::Replaced => {
                let next = epoch.next();
                self.inner.seal(next).unwrap();
                assert!(matches!(self.inner.append(after, next, b"other"), Appended::Durable(_)));
                doubt
            }
            Fault::Dead => {
                self.dead = true;
                doubt
            }
            Fault::Refused(refusal) => Appended::Refused(refusal),
            Fault::None => self.inner.append(after, epoch, payload),
        }
    }

    fn seal(&mut self, epoch: Epoch) -> Result<Head, SealError> {
        self.inner.seal(epoch)
    }

    fn epoch(&self) -> Result<Epoch, LogError> {
        if self.dead { Err(LogError::Unusable) } else { self.inner.epoch() }
    }

    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
        if self.dead { Err(LogError::Unusable) } else { self.inner.read(from, max) }
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        self.inner.durable_head()
    }
}

/// Keeps the compiler honest: an engine and its handle go where web servers want them.
#[test]
fn a_handle_is_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Handle<Counter>>();
    fn sent<T: Send + 'static>() {}
    sent::<Engine<Counter>>();
    sent::<Mutex<SqliteLog>>();
}
