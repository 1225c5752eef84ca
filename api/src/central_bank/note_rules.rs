//! The rules for bearer notes: set by the central bank's desk, on a ledger that has none or other ones, and withdrawn.

use super::{CentralBank, PublishedNoteRules};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use std::sync::Arc;
use yufu_machine::{Action, ClassId, KeysetView, NoteRules, NoteTerms, Payees};

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

/// Withdraw the rules for bearer notes: no new ones are made from the next command on.
///
/// Notes that are out are swapped and redeemed as before, until their keysets are over. Again is harmless.
#[utoipa::path(post, path = "/central-bank/v1/note-rules/withdraw", tag = "central bank",
    security(("operator" = [])),
    responses(
        (status = 200, description = "withdrawn, durably", body = CommandDone),
        (status = 401, description = "not the desk's token", body = ProblemBody),
        (status = 409, description = "notes are out that registered payees alone redeem, and without rules nobody is one", body = ProblemBody),
        (status = 422, description = "an older version of the rules in force", body = ProblemBody)))]
pub(super) async fn withdraw(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
) -> Result<Json<CommandDone>, Problem> {
    bank.operator.authenticate(&headers)?;
    let keysets = bank.read(|machine, _| machine.keysets()).await?;
    let stranded = keysets.iter().filter(|keyset| keyset.terms.payees == Payees::Registered);
    let out = |keyset: &KeysetView| keyset.issued.minor().saturating_sub(keyset.redeemed.minor());
    let out = stranded.map(out).fold(0_u64, u64::saturating_add);
    if out > 0 {
        let detail = format!(
            "{out} minor units are out in notes for registered payees alone, and without rules nobody is one: let the payees redeem them first, or set rules that let little be withdrawn"
        );
        return Err(Problem::conflict("notes.payees_needed", detail).with("outstanding_minor", out));
    }
    Ok(Json(bank.command(Action::SetNoteRules { rules: None }).await?))
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
