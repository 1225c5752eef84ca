//! Walks the log: chain, encoding, stamps, signatures, outcomes; replays the machine; and has
//! the model observe every command.

use crate::finding::Irregularity;
use crate::model::Model;
use crate::report::AuditReport;
use crate::signatures;
use yufu_base::{StateMachine, Timestamp};
use yufu_engine::{Checkpoint, Commitment, Header, Trail, decode_batch, outcomes_digest};
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
    audited(log, published).map(|(report, _)| report)
}

/// The same, with the recomputed books.
pub(crate) fn audited(log: &dyn Log, published: Head) -> Result<(AuditReport, Model), AuditError> {
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
    trail: Trail,
    /// Whether the last record did: once outcomes differ, those of all records after do too.
    agreed: bool,
    /// The state after the newest marked record: what the next checkpoint must be of.
    mark: Option<Checkpoint>,
    report: AuditReport,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            machine: Machine::new(),
            model: Model::default(),
            head: Head::EMPTY,
            at: Timestamp::default(),
            trail: Trail::new(Machine::new().version()),
            agreed: true,
            mark: None,
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
        let stamp = batch.header.stamp;
        self.header(record.seq, &batch.header);
        let signed = signatures::verify_all(&batch.commands);
        let mut outcomes = Vec::with_capacity(batch.commands.len());
        for (command, signed) in batch.commands.iter().zip(signed) {
            if !signed {
                self.report.find(seq, Some(command.order.id), &Irregularity::Signature);
            }
            let outcome = self.machine.apply(stamp, command);
            self.observe(record.seq, stamp.at, command, &outcome);
            outcomes.push(outcome);
        }
        self.trail.push(outcomes_digest(&outcomes), self.machine.version());
        if batch.header.marked {
            let state_root = self.machine.state_hash();
            self.mark = Some(Checkpoint { seq: record.seq, state_root });
        }
        self.at = self.at.max(stamp.at);
        self.head = record.head();
        self.report.records = self.report.records.saturating_add(1);
        true
    }

    /// What a record says before its commands has to follow from the records before it.
    fn header(&mut self, seq: Seq, header: &Header) {
        let mut find = |what: &Irregularity| self.report.find(Some(seq), None, what);
        if header.stamp.at < self.at {
            find(&Irregularity::StampDecreased);
        }
        let (newest, point) = self.trail.newest();
        let (through, agrees, version) = match header.outcomes {
            Commitment::Before(digest) => (newest, digest == self.trail.last(), point.version),
            Commitment::Through { seq, digest } => match self.trail.at(seq) {
                Some(point) => (seq, digest == point.running, point.version),
                None => (seq, false, point.version),
            },
        };
        if header.machine_version != version {
            find(&Irregularity::MachineVersion {
                found: header.machine_version,
                in_force: version,
            });
        }
        if self.agreed && !agrees {
            find(&Irregularity::Outcomes(through));
        }
        self.agreed = agrees;
        if let Some(checkpoint) = header.checkpoint.filter(|_| header.checkpoint != self.mark) {
            find(&Irregularity::State(checkpoint.seq));
        }
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

    fn close(mut self) -> (AuditReport, Model) {
        for irregularity in self.model.compare(&self.machine) {
            self.report.find(None, None, &irregularity);
        }
        self.report.head = self.head.into();
        self.report.state_hash = self.machine.state_hash().to_string();
        self.report.supply = self.machine.supply().into();
        self.report.freezes = self.machine.totals().freezes.into();
        self.report.pending = self.model.pending();
        self.report.peers = self.model.peers_report();
        self.report.keysets = self.model.keysets_report();
        (self.report, self.model)
    }
}
