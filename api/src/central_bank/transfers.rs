//! What another ledger's central bank says comes from there, and the answer what became of it. Both
//! are submissions that the one signs for the other's log: each log carries the other's own words.

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use crate::ledger::{self, CommandRequest, encode, not_submitted, refused};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{CommandId, InstitutionId};
use yufu_keys::random;
use yufu_machine::{Action, Order, Orders, Submission, Transit};

/// What a ledger says to another of payments that left it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// A submission of the saying ledger's central bank, as `/central-bank/v1/commands` takes them:
    /// one payment (`ReceiveFromAbroad`) or a list of them, for the ledger that is asked.
    pub(crate) submission: String,
}

/// What became of them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Answers {
    /// A submission of the answering ledger's central bank for the asking one's log: what became of
    /// one payment (`SettleTransit`), or a list. Absent if nothing can be said of any.
    pub(crate) submission: Option<String>,
}

/// Take what another ledger says comes from there, and answer what became of it.
///
/// Whoever brings it, it is signed. Saying it again gives the first answer.
#[utoipa::path(post, path = "/central-bank/v1/peers/{peer}/transfers", tag = "central bank",
    params(("peer" = String, Path, description = "the name of the ledger that says it")),
    request_body = Words,
    responses(
        (status = 200, description = "taken, durably, or taken before", body = Answers),
        (status = 400, description = "it is something else", body = ProblemBody),
        (status = 401, description = "the signature does not verify", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing changed", body = ProblemBody),
        (status = 503, description = "commands are not taken now", body = ProblemBody)))]
pub(super) async fn take(
    State(bank): State<Arc<CentralBank>>,
    Path(peer): Path<String>,
    request: Result<Json<Words>, JsonRejection>,
) -> Result<Json<Answers>, Problem> {
    let Json(Words { submission }) = request?;
    let said = CommandRequest { submission }.verified()?;
    let peer: InstitutionId = peer.parse().map_err(Problem::malformed)?;
    let transits = transits(&said, &peer)?;
    let outcome = bank.ledger.submit(said).await.map_err(|error| not_submitted(&error))?.outcome;
    let done = outcome.map_err(|refusal| refused(&refusal))?;
    let answers = bank.answers(&peer, &transits).await?;
    // Where nothing can be said, why not is said of the first.
    match done.each.iter().flatten().find_map(|one| one.as_ref().err()) {
        Some(refusal) if answers.submission.is_none() => Err(refused(refusal)),
        _ => Ok(Json(answers)),
    }
}

/// The payments that are said to come, by `peer` and nobody else.
fn transits(said: &Submission, peer: &InstitutionId) -> Result<Vec<Transit>, Problem> {
    if said.institution != *peer {
        return Err(Problem::malformed("submission: of another ledger than the address names"));
    }
    let transit = |action: &Action| match action {
        Action::ReceiveFromAbroad { transit, .. } => Ok(Transit::clone(transit)),
        _ => Err(Problem::malformed("submission: expected payments that come from abroad")),
    };
    match &said.order.action {
        Action::Each { orders } => orders.as_slice().iter().map(|o| transit(&o.action)).collect(),
        action => Ok(vec![transit(action)?]),
    }
}

impl CentralBank {
    /// What became of payments from a peer, signed for its log.
    async fn answers(&self, peer: &InstitutionId, of: &[Transit]) -> Result<Answers, Problem> {
        let answer = |machine: &yufu_machine::Machine| {
            of.iter().filter_map(|transit| machine.answer(peer, transit)).collect::<Vec<_>>()
        };
        let (actions, now) = self.read(|machine, now| (answer(machine), now)).await?;
        let signed = self.sign_together(now, actions)?;
        let submission = signed.map(|signed| encoded(&signed)).transpose()?;
        Ok(Answers { submission })
    }

    /// Signs one action, or several as a list; `None` if there are none.
    pub(super) fn sign_together(
        &self,
        now: yufu_base::Timestamp,
        mut actions: Vec<Action>,
    ) -> Result<Option<Submission>, Problem> {
        let id = || CommandId::at(now, u128::from_be_bytes(random()));
        let Some(last) = actions.pop() else { return Ok(None) };
        let action = if actions.is_empty() {
            last
        } else {
            actions.push(last);
            let orders = actions.into_iter().map(|action| Order { id: id(), action }).collect();
            Action::Each { orders: Orders::new(orders).map_err(Problem::internal)? }
        };
        let signed = ledger::sign(&self.id, &*self.commands.get(), id(), action);
        signed.map(Some).map_err(Problem::internal)
    }
}

/// A submission as it goes over HTTP.
pub(super) fn encoded(submission: &Submission) -> Result<String, Problem> {
    Ok(CommandRequest::new(&encode(submission)?).submission)
}
