//! Two ledgers and what goes between them: nodes of either end at any point, words and answers get
//! lost, come twice and overtake each other. At every instant both supplies hold, and nothing
//! arrives twice, or arrives and comes back; when the faults stop, all is resolved.

mod checks;
mod mishaps;
mod side;
mod steps;

pub use mishaps::{Mishap, Mishaps};

use crate::chance::Chance;
use crate::run::{Failure, Simulator};
use side::Side;
use yufu_machine::Submission;

/// What a run between two ledgers came to that went well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BetweenReport {
    /// What went wrong on the way.
    pub mishaps: Mishaps,
    /// How often a node ended and another one went on from there.
    pub crash_points: u64,
    /// Payments that left either ledger.
    pub sent: u64,
}

/// Which of the two ledgers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    One,
    Other,
}

impl Which {
    pub(crate) const BOTH: [Self; 2] = [Self::One, Self::Other];

    pub(crate) const fn opposite(self) -> Self {
        match self {
            Self::One => Self::Other,
            Self::Other => Self::One,
        }
    }
}

/// Something signed on its way to a ledger.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) to: Which,
    pub(crate) signed: Submission,
}

pub(crate) struct Between {
    chance: Chance,
    one: Side,
    other: Side,
    /// Under way, in the order they were sent.
    messages: Vec<Message>,
    mishaps: Mishaps,
}

impl Simulator {
    /// How many steps a run between two ledgers has.
    const BETWEEN: u64 = 90;

    /// Runs the schedule of `seed` between two ledgers. In one of sixteen all is truly signed.
    ///
    /// # Errors
    /// [`Failure`] if anything is not as it has to be.
    pub fn run_between(&self, seed: u64) -> Result<BetweenReport, Failure> {
        let failed = |step, what| Failure { seed, step, what };
        let signs = seed.is_multiple_of(16);
        let make = |which| Side::open(self, which, signs).map_err(|what| failed(0, what));
        let mut between = Between {
            chance: Chance::of(seed),
            one: make(Which::One)?,
            other: make(Which::Other)?,
            messages: Vec::new(),
            mishaps: Mishaps::default(),
        };
        for step in 1..=Self::BETWEEN {
            between.step().map_err(|what| failed(step, what))?;
            between.hold().map_err(|what| failed(step, what))?;
        }
        let last = Self::BETWEEN.saturating_add(1);
        between.finish(signs).map_err(|what| failed(last, what))
    }
}

impl Between {
    const fn side(&mut self, which: Which) -> &mut Side {
        match which {
            Which::One => &mut self.one,
            Which::Other => &mut self.other,
        }
    }

    const fn at(&self, which: Which) -> &Side {
        match which {
            Which::One => &self.one,
            Which::Other => &self.other,
        }
    }

    /// The faults stop: each says what is unresolved until nothing is.
    fn finish(&mut self, signed: bool) -> Result<BetweenReport, String> {
        self.messages.clear();
        for which in Which::BOTH {
            self.side(which).calm()?;
        }
        self.hold()?;
        for _ in 0..40 {
            for which in Which::BOTH {
                self.say(which, usize::MAX)?;
                while !self.messages.is_empty() {
                    self.arrive_undisturbed()?;
                    self.hold()?;
                }
            }
        }
        self.hold()?;
        self.resolved()?;
        let crash_points = self.one.crash_points.saturating_add(self.other.crash_points);
        let sent = self.one.sent().saturating_add(self.other.sent());
        self.audited(signed)?;
        Ok(BetweenReport { mishaps: self.mishaps.clone(), crash_points, sent })
    }
}
