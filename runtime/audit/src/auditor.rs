//! Walks the log: chain, encoding, stamps, signatures, outcomes; replays the machine; and has
//! the model observe every command.

use crate::finding::Irregularity;
use crate::model::Model;
use crate::report::AuditReport;
use crate::signatures;
use yufu_base::{Digest, StateMachine, Timestamp};
use yufu_engine::{decode_batch, outcomes_digest};
use yufu_log::{ChainError, Head, Log, LogError, Record, Seq, VerifiedRecords};
use yufu_machine::{Machine, Outcome, Submission};

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The log could not be read. What it holds is a matter of findings, not of this.
    #[error("the log could not be read: {0}")]
    Log(#[from] LogError),
}

/// Audits a whole log by itself. That its newest records were cut off shows only against a
/// published head: [`audit_against`].
///
/// # Errors
/// [`AuditError`] if the log cannot be read.
pub fn audit(log: &dyn Log) -> Result<AuditReport, AuditError> {
    audit_against(log, Head::EMPTY)
}

/// Audits a whole log, which must lead through the `published` head.
///
/// # Errors
/// [`AuditError`] if the log cannot be read.
pub fn audit_against(log: &dyn Log, published: Head) -> Result<AuditReport, AuditError> {
    let mut audit = Audit::default();
    let mut met = published == Head::EMPTY;
    for record in VerifiedRecords::new(log, Head::EMPTY) {
        let record = match record {
            Ok(record) => record,
            Err(ChainError::Log(error)) => return Err(error.into()),
            Err(error) => {
                let next = audit.head.seq.next();
                audit.report.find(Some(next), None, &Irregularity::Chain(error));
                break;
            }
        };
        met |= record.head() == published;
        if !audit.record(&record) {
            break;
        }
    }
    if !met {
        let lost = Irregularity::Checkpoint(published.seq);
        audit.report.find(Some(published.seq), None, &lost);
    }
    Ok(audit.close())
}

struct Audit {
    machine: Machine,
    model: Model,
    head: Head,
    at: Timestamp,
    /// What the next record must commit to.
    outcomes: Digest,
    report: AuditReport,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            machine: Machine::new(),
            model: Model::default(),
            head: Head::EMPTY,
            at: Timestamp::default(),
            outcomes: Digest::ZERO,
            report: AuditReport { ok: true, ..AuditReport::default() },
        }
    }
}

impl Audit {
    /// Audits one record; false if nothing after it can be audited.
    fn record(&mut self, record: &Record) -> bool {
        let seq = Some(record.seq);
        let batch = match decode_batch::<Machine>(&record.payload) {
            Ok(batch) => batch,
            Err(error) => {
                self.report.find(seq, None, &Irregularity::Batch(error));
                return false;
            }
        };
        if batch.stamp.at < self.at {
            self.report.find(seq, None, &Irregularity::StampDecreased);
        }
        if batch.previous_outcomes != self.outcomes {
            self.report.find(seq, None, &Irregularity::Outcomes(self.head.seq));
        }
        let signed = signatures::verify_all(&batch.commands);
        let mut outcomes = Vec::with_capacity(batch.commands.len());
        for (command, signed) in batch.commands.iter().zip(signed) {
            if !signed {
                self.report.find(seq, Some(command.order.id), &Irregularity::Signature);
            }
            let outcome = self.machine.apply(batch.stamp, command);
            self.observe(record.seq, batch.stamp.at, command, &outcome);
            outcomes.push(outcome);
        }
        self.outcomes = outcomes_digest(&outcomes);
        self.at = self.at.max(batch.stamp.at);
        self.head = record.head();
        self.report.records = self.report.records.saturating_add(1);
        true
    }

    fn observe(&mut self, seq: Seq, at: Timestamp, command: &Submission, outcome: &Outcome) {
        let report = &mut self.report;
        report.commands = report.commands.saturating_add(1);
        let count = if outcome.is_ok() { &mut report.accepted } else { &mut report.refused };
        *count = count.saturating_add(1);
        for irregularity in self.model.observe(at, command, outcome) {
            report.find(Some(seq), Some(command.order.id), &irregularity);
        }
    }

    fn close(mut self) -> AuditReport {
        for irregularity in self.model.compare(&self.machine) {
            self.report.find(None, None, &irregularity);
        }
        self.report.head = self.head.into();
        self.report.state_hash = self.machine.state_hash().to_string();
        self.report.supply = self.machine.supply().into();
        self.report.freezes = self.machine.totals().freezes.into();
        self.report.pending = self.model.pending();
        self.report
    }
}
