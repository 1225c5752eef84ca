//! What anybody may know: how much money there is and where, and where the log stands.

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::StateMachine as _;
use yufu_jose::Jwk;
use yufu_machine::{FreezeCounts, Supply};

/// All money of the ledger by where it is, in minor units, paper and digital together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupplyReport {
    /// ISO 4217.
    pub currency: String,
    /// Issued by the central bank: all that follows but the last two is part of it.
    pub issued: u64,
    /// Banks' reserves at the central bank.
    pub reserves: u64,
    /// Notes in banks' vaults.
    pub paper_in_vaults: u64,
    /// Notes and coins in the public's hands.
    pub paper_in_circulation: u64,
    /// Digital cash in banks' vaults.
    pub digital_in_vaults: u64,
    /// Digital cash in wallets.
    pub digital_in_wallets: u64,
    /// Digital cash behind bearer notes: as much as is out in them.
    pub digital_in_notes: u64,
    /// On its way between ledgers.
    pub in_flight: u64,
    /// Deposits that banks owe their customers: not central-bank money.
    pub deposits: u64,
    /// Whether issued = held + in flight, and every bank's books balance.
    pub balanced: bool,
}

/// Where the log stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// The ledger's name: the id of its central bank. Orders name it.
    pub ledger: String,
    /// The newest record.
    pub seq: u64,
    /// The head of the hash chain: commits to every record before it.
    pub chain: String,
    /// The version of the rules that is in force.
    pub version: u16,
    /// Its currency, ISO 4217.
    pub currency: String,
    /// Digits after the point of an amount in major units.
    pub decimals: u8,
    /// The public key of the central bank's commands, a JSON Web Key: what other ledgers know it by.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub key: Option<Jwk>,
    /// Which key followed which, oldest first: JWS of type `yufu-next-key+jwt`, each by the key before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub succession: Vec<String>,
    /// The newest checkpoint that a record carries; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<LedgerCheckpoint>,
}

/// The state after a record, as the log commits to it: whoever replays the log comes to the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerCheckpoint {
    /// The record.
    pub seq: u64,
    /// The state's hash after it, 64 hexadecimal digits.
    pub state_root: String,
}

/// How much money there is, and where.
#[utoipa::path(get, path = "/central-bank/v1/supply", tag = "central bank",
    responses(
        (status = 200, body = SupplyReport),
        (status = 503, description = "not the ledger's one writer now", body = ProblemBody)))]
pub(super) async fn supply(
    State(bank): State<Arc<CentralBank>>,
) -> Result<Json<SupplyReport>, Problem> {
    Ok(Json(bank.supply().await?))
}

/// Where the log stands.
#[utoipa::path(get, path = "/central-bank/v1/ledger", tag = "central bank",
    responses(
        (status = 200, body = Ledger),
        (status = 503, description = "not the ledger's one writer now", body = ProblemBody)))]
pub(super) async fn ledger(State(bank): State<Arc<CentralBank>>) -> Result<Json<Ledger>, Problem> {
    let version = bank.read(|machine, _| machine.version()).await?;
    let head = bank.ledger.head();
    Ok(Json(Ledger {
        ledger: bank.id.to_string(),
        seq: head.seq.get(),
        chain: head.chain.to_string(),
        version,
        currency: bank.currency.0.to_string(),
        decimals: bank.currency.1,
        key: Some(Jwk::from(bank.commands.public_key())),
        succession: bank.succession.get().to_vec(),
        checkpoint: bank.ledger.checkpoint().map(|checkpoint| LedgerCheckpoint {
            seq: checkpoint.seq.get(),
            state_root: checkpoint.state_root.to_string(),
        }),
    }))
}

/// How many wallets were and are frozen by order of two authorities: counts, and no wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreezeReport {
    /// Ordered since the ledger was opened.
    pub ordered: u64,
    /// Of these, confirmed by another authority, and so in force from then on.
    pub confirmed: u64,
    /// Of those confirmed, ended by their time.
    pub lapsed: u64,
    /// Ended by an authority before their time.
    pub lifted: u64,
    /// Never confirmed in time.
    pub unconfirmed: u64,
    /// In force now.
    pub in_force: u64,
}

/// How many wallets were and are frozen.
#[utoipa::path(get, path = "/central-bank/v1/freezes", tag = "central bank",
    responses(
        (status = 200, body = FreezeReport),
        (status = 503, description = "not the ledger's one writer now", body = ProblemBody)))]
pub(super) async fn freezes(
    State(bank): State<Arc<CentralBank>>,
) -> Result<Json<FreezeReport>, Problem> {
    let counts = bank.read(|machine, _| machine.totals().freezes).await?;
    let FreezeCounts { ordered, confirmed, lapsed, lifted, unconfirmed, in_force } = counts;
    Ok(Json(FreezeReport { ordered, confirmed, lapsed, lifted, unconfirmed, in_force }))
}

impl CentralBank {
    /// How much money there is, and where.
    ///
    /// # Errors
    /// Why the ledger cannot be read.
    pub async fn supply(&self) -> Result<SupplyReport, Problem> {
        let (supply, currency) =
            self.read(|machine, _| (machine.supply(), machine.currency())).await?;
        Ok(report(&supply, currency.map(|c| c.to_string()).unwrap_or_default()))
    }
}

fn report(supply: &Supply, currency: String) -> SupplyReport {
    // Sums over all accounts; each is bounded by the turnover of one account, which fits 64 bits.
    let minor = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
    SupplyReport {
        currency,
        issued: minor(supply.backing),
        reserves: minor(supply.reserves),
        paper_in_vaults: minor(supply.paper_vaults),
        paper_in_circulation: minor(supply.paper_public),
        digital_in_vaults: minor(supply.vaults),
        digital_in_wallets: minor(supply.wallets),
        digital_in_notes: minor(supply.bearer),
        in_flight: minor(supply.in_flight),
        deposits: minor(supply.deposits),
        balanced: supply.balanced,
    }
}
