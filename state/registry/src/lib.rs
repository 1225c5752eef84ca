//! What money rules must know: institutions, their roles and current keys, and the policy
//! (wallet classes, limits, calendar) as data.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod calendar;
mod class;
mod deadlines;
mod holding;
mod institution;
mod notes;
mod peers;
mod policy;

pub use calendar::UtcOffset;
pub use class::{ClassId, ClassIdError, Limits, WalletClass};
pub use deadlines::{DeadlineError, DeadlineTerms, Deadlines};
pub use holding::{HoldingError, HoldingRules, HoldingTerms};
pub use institution::{Institution, InstitutionNumber, Registry, RegistryError, Role};
pub use notes::{NoteRules, NoteRulesError, NoteTerms};
pub use peers::{Correspondent, Peer, PeerError, PeerTerms, Peering, Peers, Rate};
pub use policy::{Policy, PolicyError, PolicyTerms};
