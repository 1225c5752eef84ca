//! Commands of anyone, applied to a city's ledger one after another, each in a record of its own.

#![expect(clippy::expect_used, reason = "a target tells what does not hold by a panic")]

use crate::written;
use std::sync::OnceLock;
use yufu_base::{Digest, Snapshot as _, Stamp, StateMachine as _, Timestamp};
use yufu_engine::{Batch, Commitment, Header, outcomes_digest};
use yufu_log::{Appended, Epoch, Head, Log as _, MemoryLog};
use yufu_machine::{Machine, Outcome, Submission};
use yufu_simulator::City;

/// The most steps that are taken of one input.
const MOST: usize = 64;

/// A command, and how long after the one before it is stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// In minutes.
    pub minutes: u16,
    /// What is submitted. Nobody verifies its signature.
    pub command: Submission,
}

impl Step {
    /// As [`steps`] reads it: minutes and the command's length, each in two bytes, the lower one
    /// first; then the command. `None` if it is too long.
    #[must_use]
    pub fn encoded(&self) -> Option<Vec<u8>> {
        let command = borsh::to_vec(&self.command).ok()?;
        let length = u16::try_from(command.len()).ok()?;
        Some([&self.minutes.to_le_bytes()[..], &length.to_le_bytes(), &command].concat())
    }
}

/// The steps in `bytes`; what does not decode is left out.
#[must_use]
pub fn steps(mut bytes: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(([m0, m1, l0, l1], rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([*l0, *l1])).min(rest.len());
        let (command, rest) = rest.split_at(length);
        if let Ok(command) = borsh::from_slice(command) {
            steps.push(Step { minutes: u16::from_le_bytes([*m0, *m1]), command });
        }
        bytes = rest;
        if steps.len() == MOST {
            break;
        }
    }
    steps
}

/// Takes `bytes` for commands to a city's ledger ([`steps`]).
///
/// # Panics
/// If money is not conserved, a state read back goes on otherwise, or the audit does not agree.
pub fn ledger(bytes: &[u8]) {
    let steps = steps(bytes);
    if steps.is_empty() {
        return;
    }
    let mut history = opened().deep_clone();
    for step in &steps {
        history.at = history.at.plus_seconds(u64::from(step.minutes).saturating_mul(60));
        let state = written(&history.machine);
        let mut read =
            Machine::read_state(&mut state.as_slice()).expect("what was written is read");
        history.submit(&step.command);
        let again = read.apply(Stamp { at: history.at }, &step.command);
        assert_eq!(history.last.as_slice(), [again], "a state read back answers otherwise");
        assert_eq!(read.state_hash(), history.machine.state_hash(), "and changes otherwise");
        assert!(history.machine.supply().balanced, "money is not conserved");
    }
    history.audit();
}

/// A log, and the machine that it leads to.
struct History {
    machine: Machine,
    log: MemoryLog,
    records: Vec<Vec<u8>>,
    head: Head,
    last: Vec<Outcome>,
    at: Timestamp,
}

/// The city's ledger as a run begins with it.
fn opened() -> &'static History {
    static OPENED: OnceLock<History> = OnceLock::new();
    OPENED.get_or_init(|| {
        let mut history = History::empty();
        for command in City::new(false).opening() {
            history.submit(&command);
            assert!(history.last.iter().all(Result::is_ok), "the city does not open");
        }
        history
    })
}

impl History {
    fn empty() -> Self {
        let mut log = MemoryLog::new();
        // An empty log is sealed by whoever comes.
        drop(log.seal(Epoch::NONE.next()));
        let (machine, head, at) = (Machine::new(), Head::EMPTY, City::START);
        Self { machine, log, records: Vec::new(), head, last: Vec::new(), at }
    }

    /// The same with a log of its own.
    fn deep_clone(&self) -> Self {
        let mut copy = Self::empty();
        for payload in &self.records {
            copy.append(payload.clone());
        }
        let (machine, last) = (self.machine.clone(), self.last.clone());
        Self { machine, last, at: self.at, ..copy }
    }

    fn append(&mut self, payload: Vec<u8>) {
        let appended = self.log.append(self.head, Epoch::NONE.next(), &payload);
        self.head = match appended {
            Appended::Durable(head) => Some(head),
            _ => None,
        }
        .expect("a log in memory takes what is appended");
        self.records.push(payload);
    }

    /// A record of one command, written and applied.
    fn submit(&mut self, command: &Submission) {
        let stamp = Stamp { at: self.at };
        let first = self.records.is_empty();
        let outcomes = if first { Digest::ZERO } else { outcomes_digest(&self.last) };
        let header = Header {
            machine_version: self.machine.version(),
            stamp,
            outcomes: Commitment::Before(outcomes),
            marked: false,
            checkpoint: None,
        };
        let batch = Batch { header, commands: vec![command.clone()] };
        self.append(batch.payload().expect("what was decoded encodes"));
        self.last = vec![self.machine.apply(stamp, command)];
    }

    /// The audit finds that nothing is signed, and nothing else.
    fn audit(&self) {
        let report = yufu_audit::audit(&self.log).expect("a log in memory is read");
        let other = report.findings.iter().find(|finding| finding.code != "command.signature");
        assert_eq!(other, None, "the audit finds something");
        assert_eq!(report.state_hash, self.machine.state_hash().to_string());
    }
}
