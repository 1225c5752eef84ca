//! Two logs audited together: each by itself, and then what the one says it sent against what the
//! other says came. Both have to be at rest, or be copies of one moment: what is sent in between
//! looks like something that was never sent.

use crate::auditor::{AuditError, audited};
use crate::model::{Come, Gone, Model};
use crate::report::{AuditReport, decimal};
use serde::Serialize;
use yufu_base::InstitutionId;
use yufu_log::{Head, Log};
use yufu_machine::Resolution;

/// What an audit of two logs came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BetweenReport {
    /// Whether nothing was found in either log nor between them.
    pub ok: bool,
    /// The one log by itself.
    pub one: AuditReport,
    /// The other log by itself.
    pub other: AuditReport,
    /// What went from the one to the other.
    pub there: DirectionReport,
    /// What went from the other to the one.
    pub back: DirectionReport,
}

/// What went from one ledger to another. Amounts in minor units of the sending ledger's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DirectionReport {
    /// The sending ledger.
    pub from: String,
    /// The receiving ledger.
    pub to: String,
    /// How many payments left.
    pub sent: u64,
    /// Of these, received there and credited.
    pub credited: u64,
    /// Of these, received there and returned.
    pub returned: u64,
    /// All that left payers' wallets.
    #[serde(serialize_with = "decimal")]
    pub left: u128,
    /// Of that, paid to correspondents, because it arrived.
    #[serde(serialize_with = "decimal")]
    pub settled: u128,
    /// Of that, given back to payers.
    #[serde(serialize_with = "decimal")]
    pub given_back: u128,
    /// Of that, neither yet.
    #[serde(serialize_with = "decimal")]
    pub in_flight: u128,
    /// What does not fit between the two logs.
    pub findings: Vec<BetweenFinding>,
}

/// Something that does not fit between two logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BetweenFinding {
    /// The number of the payment, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The stable code of the rule.
    pub code: &'static str,
    /// What was found.
    pub message: &'static str,
}

/// Audits two logs, and what went between their ledgers.
///
/// # Errors
/// [`AuditError`] if one of them cannot be read.
pub fn audit_between(one: &dyn Log, other: &dyn Log) -> Result<BetweenReport, AuditError> {
    let (first, first_model) = audited(one, Head::EMPTY)?;
    let (second, second_model) = audited(other, Head::EMPTY)?;
    let there = direction(&first_model, &second_model);
    let back = direction(&second_model, &first_model);
    let between = there.findings.is_empty() && back.findings.is_empty();
    let ok = first.ok && second.ok && between;
    Ok(BetweenReport { ok, one: first, other: second, there, back })
}

fn direction(from: &Model, to: &Model) -> DirectionReport {
    let name = |model: &Model| model.name().map(InstitutionId::to_string).unwrap_or_default();
    let mut report = DirectionReport { from: name(from), to: name(to), ..Default::default() };
    let sender = to.name().and_then(|name| from.peer(name));
    let receiver = from.name().and_then(|name| to.peer(name));
    let gone = sender.map(|peer| peer.gone.as_slice()).unwrap_or_default();
    let come = receiver.map(|peer| peer.come.as_slice()).unwrap_or_default();
    for (place, one) in gone.iter().enumerate() {
        report.count(one, come.get(place));
        report.findings.extend(mismatch(one, come.get(place)));
    }
    for invented in come.iter().skip(gone.len()) {
        report.find(Some(invented.transit.number), "between.never_sent");
    }
    let flies = sender.map_or(0, |peer| peer.in_flight());
    let accounted = report.settled.saturating_add(report.given_back).saturating_add(flies);
    if flies != report.in_flight || accounted != report.left {
        report.find(None, "between.sums");
    }
    report
}

impl DirectionReport {
    fn count(&mut self, gone: &Gone, come: Option<&Come>) {
        let add = |sum: &mut u128| *sum = sum.saturating_add(gone.minor.into());
        let more = |count: &mut u64| *count = count.saturating_add(1);
        more(&mut self.sent);
        add(&mut self.left);
        match gone.resolution {
            Some(Resolution::Credited) => add(&mut self.settled),
            Some(Resolution::Returned(_)) => add(&mut self.given_back),
            None => add(&mut self.in_flight),
        }
        match come.map(|come| come.resolution) {
            Some(Resolution::Credited) => more(&mut self.credited),
            Some(Resolution::Returned(_)) => more(&mut self.returned),
            None => {}
        }
    }

    fn find(&mut self, number: Option<u64>, code: &'static str) {
        self.findings.push(finding(number, code));
    }
}

/// Settled as it came to, and said alike on both sides.
fn mismatch(gone: &Gone, come: Option<&Come>) -> Option<BetweenFinding> {
    let code = match (gone.resolution, come) {
        (_, Some(come)) if come.transit != gone.transit => "between.differs",
        (Some(_), None) => "between.settled_unreceived",
        (Some(settled), Some(come)) if come.resolution != settled => "between.settled_otherwise",
        _ => return None,
    };
    Some(finding(Some(gone.transit.number), code))
}

fn finding(number: Option<u64>, code: &'static str) -> BetweenFinding {
    let message = match code {
        "between.never_sent" => "it came to the one ledger and never left the other",
        "between.differs" => "what came is not what left: payee, amount or bank differ",
        "between.settled_unreceived" => "it was settled where it left and never came to the other",
        "between.settled_otherwise" => {
            "where it left it was settled otherwise than it came to: credited for returned, or the other way round"
        }
        _ => "what left is not the sum of what was settled, given back and is in flight",
    };
    BetweenFinding { number, code, message }
}
