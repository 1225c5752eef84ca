//! The one machine that replicas agree on: it composes ledger and registry, admits signed
//! commands, remembers their ids, and answers each with an outcome.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod books;
mod command;
mod encoding;
mod freezes;
mod limits;
mod links;
mod machine;
mod memory;
mod notes;
mod outcome;
mod refusal;
mod reversal;
mod slab;
mod steps;
mod sub_wallets;
mod tracing;
mod views;

#[cfg(test)]
mod tests;

pub use command::{
    Action, Authorisation, Chain, Direction, Melting, Minting, Order, Orders, OrdersError,
    Resolution, ReturnReason, Sending, SubLimits, Submission, Swapping, Transit,
};
pub use freezes::FreezeCounts;
pub use machine::Machine;
pub use outcome::{Done, Outcome};
pub use refusal::{LimitExceeded, LimitKind, Refusal, StepUp};
pub use views::{AbroadView, KeysetView, PeerView, Promise, Totals, WalletView};
pub use yufu_ledger::{
    Account, AccountKind, AccountNumber, Hold, HoldPurpose, Standing, Supply, Transfer,
    TransferKind, institution_account,
};
pub use yufu_mint::{
    Input, KeysetError, KeysetNumber, KeysetTerms, MOST_NOTES, NoteError, Output, Payees, Point,
};
pub use yufu_registry::{
    ClassId, ClassIdError, Correspondent, DeadlineError, DeadlineTerms, Deadlines, HoldingError,
    HoldingRules, HoldingTerms, Institution, InstitutionNumber, Limits, NoteRules, NoteRulesError,
    NoteTerms, Peer, PeerError, PeerTerms, Peering, Policy, PolicyError, PolicyTerms, Rate, Role,
    UtcOffset, WalletClass,
};
