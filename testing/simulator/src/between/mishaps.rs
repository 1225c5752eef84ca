//! What goes wrong between two ledgers, counted: what never came about was not tested.

use crate::store::Fate;
use std::collections::BTreeMap;
use std::fmt;

/// What a node was doing when something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// Taking an order to pay to the other ledger.
    Sending,
    /// Taking what the other ledger said of a payment.
    Receiving,
    /// Taking what the other ledger said became of one.
    Settling,
}

/// What went wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The node ended before it was in the log.
    CrashBefore,
    /// The node ended when it was in the log and not applied.
    CrashAfter,
    /// The node ended when it was applied and not answered.
    CrashAnswer,
    /// It was lost, in doubt.
    Lost,
    /// It was kept, in doubt.
    Kept,
    /// It was on its way to the log, in doubt.
    Late,
    /// The log did not take it, and said so.
    Refused,
}

/// Everything that can go wrong between two ledgers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// Within one ledger.
    Within(Doing, Wrong),
    /// What one ledger said did not arrive.
    WordLost,
    /// It arrived twice.
    WordTwice,
    /// It overtook others.
    WordOvertook,
    /// It came ahead of its turn, and was not taken.
    WordAhead,
    /// It came when it was settled already.
    WordStale,
    /// What the other answered did not arrive.
    AnswerLost,
    /// It arrived twice.
    AnswerTwice,
    /// It overtook others.
    AnswerOvertook,
    /// It came when that was settled already.
    AnswerStale,
    /// A payment expired on its way.
    Expired,
    /// A payment came back for another reason.
    Returned,
    /// A payment arrived.
    Credited,
    /// A node ended at rest.
    CrashIdle,
    /// Another node took over.
    Failover,
    /// A node started from a snapshot.
    FromSnapshot,
}

impl Mishap {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let doing = [Doing::Sending, Doing::Receiving, Doing::Settling];
        let wrong = [
            Wrong::CrashBefore,
            Wrong::CrashAfter,
            Wrong::CrashAnswer,
            Wrong::Lost,
            Wrong::Kept,
            Wrong::Late,
            Wrong::Refused,
        ];
        let within = doing.into_iter().flat_map(|one| wrong.map(|two| Self::Within(one, two)));
        let others = [
            Self::WordLost,
            Self::WordTwice,
            Self::WordOvertook,
            Self::WordAhead,
            Self::WordStale,
            Self::AnswerLost,
            Self::AnswerTwice,
            Self::AnswerOvertook,
            Self::AnswerStale,
            Self::Expired,
            Self::Returned,
            Self::Credited,
            Self::CrashIdle,
            Self::Failover,
            Self::FromSnapshot,
        ];
        within.chain(others).collect()
    }
}

impl Wrong {
    pub(super) const fn of(fate: Fate) -> Option<Self> {
        Some(match fate {
            Fate::Fine => return None,
            Fate::Full | Fate::Busy => Self::Refused,
            Fate::Lost => Self::Lost,
            Fate::Kept | Fate::KeptUnread => Self::Kept,
            Fate::Late => Self::Late,
            Fate::CrashBefore => Self::CrashBefore,
            Fate::CrashAfter => Self::CrashAfter,
        })
    }
}

/// How often each came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mishaps(BTreeMap<Mishap, u64>);

impl Mishaps {
    pub(super) fn count(&mut self, mishap: Mishap) {
        let count = self.0.entry(mishap).or_default();
        *count = count.saturating_add(1);
    }

    /// How often one came about.
    #[must_use]
    pub fn of(&self, mishap: Mishap) -> u64 {
        self.0.get(&mishap).copied().unwrap_or(0)
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (mishap, more) in &other.0 {
            let count = self.0.entry(*mishap).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// Those that never came about.
    #[must_use]
    pub fn missing(&self) -> Vec<Mishap> {
        Mishap::all().into_iter().filter(|mishap| self.of(*mishap) == 0).collect()
    }
}

impl fmt::Display for Mishaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, mishap) in Mishap::all().into_iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            match mishap {
                Mishap::Within(doing, wrong) => write!(f, "{separator}{doing:?}{wrong:?}")?,
                other => write!(f, "{separator}{other:?}")?,
            }
            write!(f, " {}", self.of(mishap))?;
        }
        Ok(())
    }
}
