//! The ledger's machine as the follower runs it: it comes to the same outcomes, and tells beside
//! each what moved.

use borsh::BorshSerialize;
use std::io;
use yufu_base::{Digest, Snapshot, Stamp, StateMachine};
use yufu_machine::{Machine, Outcome, Submission, Transfer};

/// A machine that tells what moved.
#[derive(Clone, Debug)]
pub(crate) struct Traced(pub(crate) Machine);

/// An outcome, and what moved on the way to it. What is committed to is the outcome alone.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) outcome: Outcome,
    pub(crate) transfers: Vec<Transfer>,
}

impl BorshSerialize for Told {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.outcome.serialize(writer)
    }
}

impl Traced {
    /// Before the first command.
    pub(crate) fn new() -> Self {
        Self(Machine::new().traced())
    }
}

impl StateMachine for Traced {
    type Command = Submission;
    type Outcome = Told;

    const VERSION: u16 = Machine::VERSION;

    fn version(&self) -> u16 {
        self.0.version()
    }

    fn apply(&mut self, stamp: Stamp, command: &Submission) -> Told {
        let outcome = self.0.apply(stamp, command);
        Told { outcome, transfers: self.0.take_transfers() }
    }

    fn state_hash(&self) -> Digest {
        self.0.state_hash()
    }
}

impl Snapshot for Traced {
    fn write_state(&self, writer: &mut dyn io::Write) -> io::Result<()> {
        self.0.write_state(writer)
    }

    fn read_state(reader: &mut dyn io::Read) -> io::Result<Self> {
        Machine::read_state(reader).map(|machine| Self(machine.traced()))
    }
}
