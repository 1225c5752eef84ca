//! Commands that banks signed.

use super::CentralBank;
use crate::http::{Parsed, Problem, ProblemBody};
use crate::ledger::{self, CommandDone, CommandRequest};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use std::sync::Arc;

/// Submit a signed command.
///
/// The answer comes when the command is durable and applied. Repeating a command with its id gives
/// the first outcome.
#[utoipa::path(post, path = "/central-bank/v1/commands", tag = "central bank",
    request_body = CommandRequest,
    responses(
        (status = 200, description = "done, durably", body = CommandDone),
        (status = 401, description = "the signature does not verify", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing changed", body = ProblemBody),
        (status = 429, description = "too many commands wait", body = ProblemBody),
        (status = 503, description = "commands are not taken now", body = ProblemBody)))]
pub(super) async fn submit(
    State(bank): State<Arc<CentralBank>>,
    request: Result<Parsed<CommandRequest>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    let submission = request?.0.verified()?;
    let id = submission.order.id;
    Ok(Json(ledger::answer(id, bank.ledger.submit(submission).await)?))
}
