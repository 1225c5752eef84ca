//! The report of an audit, ready to be serialised. Amounts are minor units, as decimal text,
//! because JSON readers lose digits beyond 2^53.

use crate::finding::Irregularity;
use serde::{Serialize, Serializer};
use yufu_base::CommandId;
use yufu_log::{Head, Seq};
use yufu_machine::{FreezeCounts, Supply};

/// How many findings a report lists; more are only counted.
const LISTED: usize = 1000;

/// What an audit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Whether nothing was found.
    pub ok: bool,
    /// Records audited.
    pub records: u64,
    /// Commands in them, repeats included.
    pub commands: u64,
    /// Commands that were done.
    pub accepted: u64,
    /// Commands that were refused.
    pub refused: u64,
    /// The newest record audited, with the chain value that commits to all before it.
    pub head: HeadReport,
    /// The digest of the machine's state after the last record audited.
    pub state_hash: String,
    /// All money by where it is, by the machine; a difference to what was recomputed is a finding.
    pub supply: SupplyReport,
    /// What is pending after the last record audited, recomputed.
    pub pending: PendingReport,
    /// How many freezes there were and are, by the machine; a difference is a finding.
    pub freezes: FreezeReport,
    /// What went to other ledgers and came from them, recomputed.
    pub peers: Vec<PeerReport>,
    /// What is out in bearer notes, recomputed.
    pub keysets: Vec<KeysetReport>,
    /// What does not fit, in the order of the log.
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub findings_omitted: u64,
}

/// A position in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeadReport {
    /// The number of the record.
    pub seq: u64,
    /// Its chain value, 64 hexadecimal digits.
    pub chain: String,
}

/// All money by where it is, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SupplyReport {
    /// All M0 ever created less what was cancelled.
    #[serde(serialize_with = "decimal")]
    pub backing: u128,
    /// Reserves of all banks.
    #[serde(serialize_with = "decimal")]
    pub reserves: u128,
    /// Notes in vaults.
    #[serde(serialize_with = "decimal")]
    pub paper_vaults: u128,
    /// Notes in the public's hands.
    #[serde(serialize_with = "decimal")]
    pub paper_public: u128,
    /// Digital cash in banks' stocks.
    #[serde(serialize_with = "decimal")]
    pub vaults: u128,
    /// Digital cash in wallets.
    #[serde(serialize_with = "decimal")]
    pub wallets: u128,
    /// Behind bearer notes.
    #[serde(serialize_with = "decimal")]
    pub bearer: u128,
    /// On its way to another log.
    #[serde(serialize_with = "decimal")]
    pub in_flight: u128,
    /// Deposits at all banks.
    #[serde(serialize_with = "decimal")]
    pub deposits: u128,
    /// Their counter-accounts.
    #[serde(serialize_with = "decimal")]
    pub bank_assets: u128,
    /// Whether the identities hold.
    pub balanced: bool,
}

/// Payments that are held or in dispute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PendingReport {
    /// How many there are.
    pub transfers: usize,
    /// What they promise together, in minor units.
    #[serde(serialize_with = "decimal")]
    pub amount: u128,
}

/// What went to one other ledger and came from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PeerReport {
    /// The other ledger.
    pub peer: String,
    /// How many payments left.
    pub sent: u64,
    /// Of these, how many are unresolved.
    pub unresolved: u64,
    /// What is on its way there, in minor units of this ledger.
    #[serde(serialize_with = "decimal")]
    pub in_flight: u128,
    /// How many came.
    pub received: u64,
    /// Of these, how many were credited; the others were returned.
    pub credited: u64,
}

/// What is out of one keyset. Amounts are minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KeysetReport {
    /// Its number in the log.
    pub keyset: u32,
    /// The bank whose it is.
    pub bank: String,
    /// What it has signed for.
    #[serde(serialize_with = "decimal")]
    pub issued: u128,
    /// What of that came back.
    #[serde(serialize_with = "decimal")]
    pub redeemed: u128,
    /// What is out.
    #[serde(serialize_with = "decimal")]
    pub outstanding: u128,
    /// How many outputs were promised.
    pub outputs: u64,
    /// How many notes were spent.
    pub spent: u64,
}

/// Freezes by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FreezeReport {
    /// Ordered by an authority.
    pub ordered: u64,
    /// Of these, confirmed by another one, and so in force from then on.
    pub confirmed: u64,
    /// Of those in force, ended by their time.
    pub lapsed: u64,
    /// Ended by an authority before their time, in force or not.
    pub lifted: u64,
    /// Never confirmed in time.
    pub unconfirmed: u64,
    /// In force now.
    pub in_force: u64,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The record it is in or was noticed at; absent for the books as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The command, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The stable code of the rule.
    pub code: &'static str,
    /// What was found, and what to do.
    pub message: String,
}

impl AuditReport {
    pub(crate) fn find(
        &mut self,
        record: Option<Seq>,
        command: Option<CommandId>,
        irregularity: &Irregularity,
    ) {
        self.ok = false;
        if self.findings.len() >= LISTED {
            self.findings_omitted = self.findings_omitted.saturating_add(1);
            return;
        }
        self.findings.push(Finding {
            record: record.map(Seq::get),
            command: command.map(|id| id.to_string()),
            code: irregularity.code(),
            message: irregularity.to_string(),
        });
    }
}

impl From<Head> for HeadReport {
    fn from(head: Head) -> Self {
        Self { seq: head.seq.get(), chain: head.chain.to_string() }
    }
}

impl From<Supply> for SupplyReport {
    fn from(supply: Supply) -> Self {
        Self {
            backing: supply.backing,
            reserves: supply.reserves,
            paper_vaults: supply.paper_vaults,
            paper_public: supply.paper_public,
            vaults: supply.vaults,
            wallets: supply.wallets,
            bearer: supply.bearer,
            in_flight: supply.in_flight,
            deposits: supply.deposits,
            bank_assets: supply.bank_assets,
            balanced: supply.balanced,
        }
    }
}

impl From<FreezeCounts> for FreezeReport {
    fn from(counts: FreezeCounts) -> Self {
        Self {
            ordered: counts.ordered,
            confirmed: counts.confirmed,
            lapsed: counts.lapsed,
            lifted: counts.lifted,
            unconfirmed: counts.unconfirmed,
            in_force: counts.in_force,
        }
    }
}

pub(crate) fn decimal<S: Serializer>(minor: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(minor)
}
