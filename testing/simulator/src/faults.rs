//! What goes wrong in a run, counted: a schedule in which a fault never comes about tests nothing.

use crate::store::Fate;
use std::collections::BTreeMap;
use std::fmt;

/// Everything that can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The log was full, and said so.
    Full,
    /// The log was locked, and said so.
    Busy,
    /// An append was lost, in doubt.
    Lost,
    /// An append was kept, in doubt, and found by reading back.
    Kept,
    /// An append was kept, in doubt, and reading back failed.
    KeptUnread,
    /// An append was still on its way when its outcome was asked for.
    Late,
    /// Such a one arrived after its writer had given up.
    Arrived,
    /// A node ended before its append was written.
    CrashBefore,
    /// A node ended after its append was written, before it was applied.
    CrashAfter,
    /// A node ended after a batch was applied, before its answer arrived.
    CrashAnswer,
    /// A node ended while it had nothing to do.
    CrashIdle,
    /// A node ended amid a snapshot, of which a part was left.
    CrashSnapshot,
    /// A snapshot was damaged and not used.
    SnapshotDamaged,
    /// A node started from a snapshot.
    FromSnapshot,
    /// A former writer was fenced.
    Fenced,
    /// A former writer found another head.
    Conflict,
    /// The log could not be read.
    ReadError,
    /// An epoch was not sealed, in doubt.
    SealLost,
    /// An epoch was sealed, in doubt.
    SealKept,
    /// Another node took over while the former one still ran.
    Failover,
    /// A fenced node was asked to read, and did not.
    StaleRead,
    /// The clock jumped ahead, and stamping stopped.
    ClockAhead,
    /// The clock jumped back, and stamping stopped.
    ClockBack,
    /// A bit of a record was flipped, and found.
    BitFlip,
    /// Several submissions waited while one was written.
    Queued,
    /// A client sent a command again whose outcome it did not know.
    Retried,
}

impl Fault {
    /// All of them, in their order.
    pub const ALL: [Self; 26] = [
        Self::Full,
        Self::Busy,
        Self::Lost,
        Self::Kept,
        Self::KeptUnread,
        Self::Late,
        Self::Arrived,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::CrashAnswer,
        Self::CrashIdle,
        Self::CrashSnapshot,
        Self::SnapshotDamaged,
        Self::FromSnapshot,
        Self::Fenced,
        Self::Conflict,
        Self::ReadError,
        Self::SealLost,
        Self::SealKept,
        Self::Failover,
        Self::StaleRead,
        Self::ClockAhead,
        Self::ClockBack,
        Self::BitFlip,
        Self::Queued,
        Self::Retried,
    ];

    pub(crate) const fn of(fate: Fate) -> Option<Self> {
        Some(match fate {
            Fate::Fine => return None,
            Fate::Full => Self::Full,
            Fate::Busy => Self::Busy,
            Fate::Lost => Self::Lost,
            Fate::Kept => Self::Kept,
            Fate::KeptUnread => Self::KeptUnread,
            Fate::Late => Self::Late,
            Fate::CrashBefore => Self::CrashBefore,
            Fate::CrashAfter => Self::CrashAfter,
        })
    }
}

/// How often each came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(BTreeMap<Fault, u64>);

impl Faults {
    pub(crate) fn count(&mut self, fault: Fault) {
        let count = self.0.entry(fault).or_default();
        *count = count.saturating_add(1);
    }

    /// How often one came about.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or(0)
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (fault, more) in &other.0 {
            let count = self.0.entry(*fault).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// Those that never came about.
    #[must_use]
    pub fn missing(&self) -> Vec<Fault> {
        Fault::ALL.into_iter().filter(|fault| self.of(*fault) == 0).collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in Fault::ALL.into_iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(f, "{separator}{fault:?} {}", self.of(fault))?;
        }
        Ok(())
    }
}
