//! What the central bank's own desk does: money into and out of existence, and the clock.

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::Amount;
use yufu_machine::Action;

/// An operation of the central bank with one commercial bank.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// What is done.
    pub kind: OperationKind,
    /// With which bank.
    #[schema(example = "first-bank")]
    pub bank: String,
    /// How much, in minor units of the ledger's currency.
    pub amount_minor: u64,
}

/// What the central bank does with a bank's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// New central-bank money, as reserves of the bank.
    CreateReserves,
    /// Reserves cease to exist.
    CancelReserves,
    /// Digital cash into the bank's vault, against its reserves.
    Issue,
    /// Digital cash from the bank's vault, back into its reserves.
    Redeem,
    /// Notes to the bank, against its reserves.
    SupplyPaper,
    /// Notes from the bank, back into its reserves.
    ReturnPaper,
}

/// Do an operation with a bank's money.
#[utoipa::path(post, path = "/central-bank/v1/operations", tag = "central bank",
    request_body = Operation, security(("operator" = [])),
    responses(
        (status = 200, description = "done, durably", body = CommandDone),
        (status = 401, description = "not the desk's token", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing changed", body = ProblemBody)))]
pub(super) async fn operate(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
    request: Result<Json<Operation>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    bank.operator.authenticate(&headers)?;
    let Json(operation) = request?;
    let action = bank.action(&operation).await?;
    Ok(Json(bank.command(action).await?))
}

/// Go on after the clock jumped: the operator has checked it.
#[utoipa::path(post, path = "/central-bank/v1/clock/confirm", tag = "central bank",
    security(("operator" = [])),
    responses(
        (status = 204, description = "commands are taken again"),
        (status = 401, description = "not the desk's token", body = ProblemBody)))]
pub(super) async fn confirm_clock(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    bank.operator.authenticate(&headers)?;
    bank.ledger.confirm_clock();
    Ok(StatusCode::NO_CONTENT)
}

impl CentralBank {
    async fn action(&self, operation: &Operation) -> Result<Action, Problem> {
        let bank = operation.bank.parse().map_err(Problem::malformed)?;
        let currency = self.read(|machine, _| machine.currency()).await?;
        let closed = || Problem::unavailable("ledger.not_open", "the ledger is not open yet");
        let amount = Amount::new(currency.ok_or_else(closed)?, operation.amount_minor);
        Ok(match operation.kind {
            OperationKind::CreateReserves => Action::CreateReserves { bank, amount },
            OperationKind::CancelReserves => Action::CancelReserves { bank, amount },
            OperationKind::Issue => Action::Issue { bank, amount },
            OperationKind::Redeem => Action::Redeem { bank, amount },
            OperationKind::SupplyPaper => Action::SupplyPaper { bank, amount },
            OperationKind::ReturnPaper => Action::ReturnPaper { bank, amount },
        })
    }
}
