//! The rules for bearer notes: set by the central bank's desk, on a ledger that has none or other ones.

use super::{CentralBank, PublishedNoteRules};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use std::sync::Arc;
use yufu_machine::{Action, ClassId, NoteRules, NoteTerms};

/// Set the rules for bearer notes, from the next command on.
///
/// They replace those in force. Notes that are out stay as good as they are.
#[utoipa::path(post, path = "/central-bank/v1/note-rules", tag = "central bank",
    request_body = PublishedNoteRules, security(("operator" = [])),
    responses(
        (status = 200, description = "in force, durably", body = CommandDone),
        (status = 400, description = "a class that cannot be one", body = ProblemBody),
        (status = 401, description = "not the desk's token", body = ProblemBody),
        (status = 422, description = "limits that let nothing through, a class that the policy does not have, or an older version of the rules in force",
         body = ProblemBody)))]
pub(super) async fn set(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
    request: Result<Json<PublishedNoteRules>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    bank.operator.authenticate(&headers)?;
    let Json(asked) = request?;
    let rules = Some(rules(&asked)?);
    Ok(Json(bank.command(Action::SetNoteRules { rules }).await?))
}

fn rules(asked: &PublishedNoteRules) -> Result<NoteRules, Problem> {
    let payees = asked.payees.iter().map(|name| ClassId::new(name)).collect::<Result<_, _>>();
    let terms = NoteTerms {
        per_withdrawal: asked.per_withdrawal_minor,
        per_day: asked.per_day_minor,
        per_year: asked.per_year_minor,
        per_redemption: asked.per_redemption_minor,
        payees: payees.map_err(Problem::malformed)?,
        least_promised: asked.least_promised,
    };
    NoteRules::new(terms).map_err(|error| Problem::refused("notes.rules", error))
}
