//! What is on its way between this ledger and others: in the one direction the durable outbox, in
//! the other the memory of what each number came to. Both are bounded by what is unresolved.

use crate::command::{Resolution, Transit};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_base::{CommandId, Digest};
use yufu_ledger::InFlight;
use yufu_registry::InstitutionNumber;

/// What was sent and is not resolved.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Sent {
    /// The command that sent it.
    pub(crate) id: CommandId,
    /// What of it is in this ledger.
    pub(crate) flight: InFlight,
    /// What is said of it to the peer.
    pub(crate) transit: Transit,
}

/// What came, and what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Received {
    /// The digest of what the peer said of it.
    pub(crate) transit: Digest,
    pub(crate) resolution: Resolution,
}

/// Both directions between this ledger and one other.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Link {
    /// The newest number given to what was sent.
    pub(crate) sent: u64,
    pub(crate) unresolved: BTreeMap<u64, Sent>,
    /// The newest number that came.
    pub(crate) received: u64,
    /// Up to here the peer has settled what came here, so it asks for none of it again.
    pub(crate) settled: u64,
    /// What each came to that the peer may ask for again.
    pub(crate) outcomes: BTreeMap<u64, Received>,
}

impl Link {
    /// Up to here all that was sent is resolved.
    pub(crate) fn settled_through(&self) -> u64 {
        let oldest = self.unresolved.first_key_value().map(|(number, _)| *number);
        oldest.map_or(self.sent, |oldest| oldest.saturating_sub(1))
    }

    /// Up to where the peer has settled what came here, once it says `through`.
    pub(crate) fn settled_by(&self, through: u64) -> u64 {
        self.settled.max(through.min(self.received))
    }

    /// Forgets what the peer has settled.
    pub(crate) fn settle_received(&mut self, through: u64) {
        self.settled = self.settled_by(through);
        self.outcomes = self.outcomes.split_off(&self.settled.saturating_add(1));
    }

    /// Whether what was read back fits together.
    pub(crate) fn fits(&self) -> bool {
        let numbered = self.unresolved.iter().all(|(number, sent)| sent.transit.number == *number);
        let last_sent = self.unresolved.last_key_value().map_or(0, |(number, _)| *number);
        let last_received = self.outcomes.last_key_value().map_or(0, |(number, _)| *number);
        let kept = u64::try_from(self.outcomes.len()).ok();
        numbered
            && !self.unresolved.contains_key(&0)
            && last_sent <= self.sent
            && last_received <= self.received
            && self.received.checked_sub(self.settled) == kept
    }
}

/// One for each peer.
pub(crate) type Links = BTreeMap<InstitutionNumber, Link>;
