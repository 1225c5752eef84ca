//! Recomputes the books from the log, independently of the machine's own counters and posting
//! code, and names everything that does not fit.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod auditor;
mod between;
mod finding;
mod model;
mod report;
mod signatures;

#[cfg(test)]
mod tests;

pub use auditor::{AuditError, audit, audit_against};
pub use between::{BetweenFinding, BetweenReport, DirectionReport, audit_between};
pub use finding::Irregularity;
pub use report::{
    AuditReport, Finding, FreezeReport, HeadReport, KeysetReport, PeerReport, PendingReport,
    SupplyReport,
};
