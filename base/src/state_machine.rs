//! The state-machine interface between what replicas agree on and what runs it.

use crate::{Digest, Timestamp};
use borsh::{BorshDeserialize, BorshSerialize};

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

    /// The version of the rules. It is written beside each record; a log is replayed only
    /// by a machine that knows the version.
    const VERSION: u16;

    /// Applies one command.
    fn apply(&mut self, stamp: Stamp, command: &Self::Command) -> Self::Outcome;

    /// The digest of the whole state, over its canonical encoding.
    fn state_hash(&self) -> Digest;
}
