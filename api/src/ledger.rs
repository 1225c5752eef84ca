//! What institutions say to the ledger: signed submissions on their way in, outcomes and refusals
//! on their way out. Shared by the central bank, which answers, and the banks, which ask.

use crate::http::Problem;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use yufu_base::{CommandId, InstitutionId, Signer, SignerError, Timestamp};
use yufu_engine::{Applied, ReadError, SubmitError};
use yufu_jose::{decode_base64url, encode_base64url};
use yufu_keys::random;
use yufu_machine::{Action, LimitExceeded, Order, Outcome, Refusal, StepUp, Submission};

/// The refusal of a command that is signed with another key than the ledger knows.
pub(crate) const KEY_NOT_CURRENT: &str = "command.key_not_current";

/// A signed command for the ledger.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRequest {
    /// The submission in its canonical encoding (borsh), in base64url: institution, key, order
    /// and an ES256 signature over "yufu.command.v1\0", the institution and the order.
    pub(crate) submission: String,
}

/// What an accepted command came to, durably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandDone {
    /// The command's id.
    pub id: String,
    /// When, by the ledger's clock: milliseconds since the epoch.
    pub at: u64,
    /// The record of the log that carries it; of a repeat, the one that carries the repeat.
    pub seq: u64,
    /// The balance afterwards of the wallet that the command was about, in minor units.
    pub balance_minor: Option<u64>,
    /// Of a list of orders, what each came to, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<OrderOutcome>,
}

/// What one of several orders came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum OrderOutcome {
    /// It was done.
    Done {
        /// The balance afterwards of the wallet that it was about, in minor units.
        balance_minor: Option<u64>,
    },
    /// A rule refused it; it changed nothing.
    Refused {
        /// The code of the rule, as in `docs/errors.md`.
        code: String,
        /// What to do next.
        detail: String,
    },
}

/// Signs an order for the ledger.
pub(crate) fn sign(
    institution: &InstitutionId,
    signer: &dyn Signer,
    id: CommandId,
    action: Action,
) -> Result<Submission, SignerError> {
    let order = Order { id, action };
    let signature = signer.sign(&Submission::signing_bytes(institution, &order))?;
    Ok(Submission { institution: institution.clone(), key: signer.public_key(), order, signature })
}

/// The same order by the key in use, if it was signed with one before it: the order is what counts, so a repeat gets
/// its first answer.
pub(crate) fn signed_anew(
    submission: Submission,
    signer: &dyn Signer,
) -> Result<Submission, SignerError> {
    if submission.key == signer.public_key() {
        return Ok(submission);
    }
    let Submission { institution, order, .. } = submission;
    sign(&institution, signer, order.id, order.action)
}

/// That `next` is an institution's key at a ledger from now on: said by `former` through `say`. If the ledger does not
/// take that key's word any more, it may have been told before: then `next` says so itself.
pub(crate) async fn replace_key<F>(
    institution: &InstitutionId,
    (former, next): (&dyn Signer, &dyn Signer),
    now: Timestamp,
    say: impl Fn(Submission) -> F,
) -> Result<(), Problem>
where
    F: Future<Output = Result<CommandDone, Problem>>,
{
    let said_by = |signer: &dyn Signer| {
        let id = CommandId::at(now, u128::from_be_bytes(random()));
        let (institution, key) = (institution.clone(), next.public_key());
        let action = Action::ReplaceKey { institution: institution.clone(), key };
        sign(&institution, signer, id, action).map_err(Problem::internal)
    };
    match say(said_by(former)?).await {
        Err(problem) if problem.code() == KEY_NOT_CURRENT => say(said_by(next)?).await.map(drop),
        other => other.map(drop),
    }
}

/// A submission's canonical encoding.
pub(crate) fn encode(submission: &Submission) -> Result<Vec<u8>, Problem> {
    borsh::to_vec(submission).map_err(Problem::internal)
}

impl CommandRequest {
    pub(crate) fn new(encoded: &[u8]) -> Self {
        Self { submission: encode_base64url(encoded) }
    }

    /// The submission, once its signature is verified by the key that it names. Whether that is
    /// the institution's current key, the machine says.
    pub(crate) fn verified(&self) -> Result<Submission, Problem> {
        let malformed = |cause: String| Problem::malformed(format!("submission: {cause}"));
        let bytes = decode_base64url(&self.submission).map_err(|e| malformed(e.to_string()))?;
        let submission: Submission =
            borsh::from_slice(&bytes).map_err(|e| malformed(e.to_string()))?;
        let signed = Submission::signing_bytes(&submission.institution, &submission.order);
        yufu_jose::verify(&submission.key, &signed, &submission.signature).map_err(|_| {
            let detail = "the signature does not verify with the key that the submission names";
            Problem::new(StatusCode::UNAUTHORIZED, "command.signature_invalid", detail)
        })?;
        submission.prepare();
        Ok(submission)
    }
}

/// What the engine answered, as it goes out.
pub(crate) fn answer(
    id: CommandId,
    applied: Result<Applied<Outcome>, SubmitError>,
) -> Result<CommandDone, Problem> {
    let applied = applied.map_err(|error| not_submitted(&error))?;
    let done = applied.outcome.map_err(|refusal| refused(&refusal))?;
    Ok(CommandDone {
        id: id.to_string(),
        at: done.at.millis(),
        seq: applied.seq.get(),
        balance_minor: done.balance.map(|amount| amount.minor()),
        each: done.each.iter().flatten().map(order_outcome).collect(),
    })
}

fn order_outcome(outcome: &Outcome) -> OrderOutcome {
    match outcome {
        Ok(done) => OrderOutcome::Done { balance_minor: done.balance.map(|amount| amount.minor()) },
        Err(refusal) => {
            OrderOutcome::Refused { code: refusal.code().to_owned(), detail: refusal.to_string() }
        }
    }
}

/// A refusal by the machine's rules.
pub(crate) fn refused(refusal: &Refusal) -> Problem {
    let problem = Problem::refused(refusal.code(), refusal);
    match refusal {
        Refusal::LimitExceeded(LimitExceeded { limit, remaining, requested, step_up, .. }) => {
            problem
                .with("limit_minor", limit)
                .with("remaining_minor", remaining)
                .with("requested_minor", requested)
                .with("step_up", step_up.as_ref().map(step_up_json))
        }
        Refusal::InsufficientFunds { available, requested, .. } => {
            problem.with("available_minor", available).with("requested_minor", requested)
        }
        Refusal::MoreThanTransferred { left, requested, .. } => {
            problem.with("available_minor", left).with("requested_minor", requested)
        }
        Refusal::MoreThanHeld { held, requested } => {
            problem.with("available_minor", held).with("requested_minor", requested)
        }
        Refusal::OfferedLess { most, requested } => {
            problem.with("available_minor", most).with("requested_minor", requested)
        }
        Refusal::TransitAhead { expected } => problem.with("expected", expected),
        Refusal::Deadline { latest, .. } => problem.with("latest", latest.millis()),
        Refusal::ChainRefused { place, of } => {
            problem.with("place", place).with("refused", of.code())
        }
        _ => problem,
    }
}

fn step_up_json(step_up: &StepUp) -> Value {
    match step_up {
        StepUp::Presentation => json!({"kind": "presentation"}),
        StepUp::Classes(classes) => {
            let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
            json!({"kind": "wallet_class", "classes": names})
        }
    }
}

pub(crate) fn not_submitted(error: &SubmitError) -> Problem {
    match error {
        SubmitError::TooLarge { .. } | SubmitError::Unencodable(_) => Problem::malformed(error),
        SubmitError::Overloaded => {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "ledger.overloaded", error)
        }
        SubmitError::ClockJumped(_) => Problem::unavailable("ledger.clock_jumped", error),
        SubmitError::Refused(_) => Problem::unavailable("ledger.not_writable", error),
        SubmitError::Fenced => Problem::unavailable("ledger.fenced", error),
        SubmitError::Unknown => Problem::unavailable("ledger.outcome_unknown", error),
        SubmitError::Stopped(_) => Problem::unavailable("ledger.stopped", error),
    }
}

/// Why the ledger cannot be read.
pub(crate) fn not_read(error: &ReadError) -> Problem {
    match error {
        ReadError::Fenced => Problem::unavailable("ledger.fenced", error),
        ReadError::Unconfirmed(_) => Problem::unavailable("ledger.unconfirmed", error),
        ReadError::Stopped(_) => Problem::unavailable("ledger.stopped", error),
    }
}
