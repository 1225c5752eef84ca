//! The state-machine interface between what replicas agree on and what runs it.

use crate::{Digest, Timestamp};
use borsh::{BorshDeserialize, BorshSerialize};
use std::io;

/// What the engine fixes for a command before it is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Stamp {
    /// The time the machine is to take as now. Never decreases along the log.
    pub at: Timestamp,
}

/// A deterministic machine: the same commands with the same stamps, from the same
/// beginning, give the same outcomes and the same state hash on every build.
///
/// # Invariants
/// `apply` does no I/O, reads no clock, draws no randomness, and cannot fail: a refusal
/// is an outcome, and a refused command changes nothing but the memory of its refusal.
pub trait StateMachine {
    /// What is ordered. Borsh is the canonical codec of the log.
    type Command: BorshSerialize + BorshDeserialize + Clone + Send + 'static;
    /// What a command came to.
    type Outcome: BorshSerialize + Clone + Send + 'static;

    /// The newest version of the rules that this build knows; it knows all before it, from 1 on.
    const VERSION: u16;

    /// The version in force. It is written beside each record, which is replayed only by a
    /// machine in which the same version is in force. A command of the log raises it.
    fn version(&self) -> u16 {
        Self::VERSION
    }

    /// Applies one command.
    fn apply(&mut self, stamp: Stamp, command: &Self::Command) -> Self::Outcome;

    /// The digest of the whole state, over its canonical encoding.
    fn state_hash(&self) -> Digest;
}

/// A machine whose whole state can be written down and read back.
pub trait Snapshot: Sized {
    /// Writes the state in its canonical encoding, in many small writes: buffer them.
    ///
    /// # Errors
    /// Those of the writer.
    fn write_state(&self, writer: &mut dyn io::Write) -> io::Result<()>;

    /// Reads a state that [`Snapshot::write_state`] wrote, to the last byte, in many small reads.
    ///
    /// # Errors
    /// Those of the reader; [`io::ErrorKind::InvalidData`] for anything but a state.
    fn read_state(reader: &mut dyn io::Read) -> io::Result<Self>;
}
