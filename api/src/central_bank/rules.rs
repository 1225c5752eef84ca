//! What the central bank's desk changes in the rules: which version of them is in force, and which
//! authorities may order that a wallet is frozen.

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::StateMachine as _;
use yufu_jose::Jwk;
use yufu_machine::{Action, Machine};

/// The version of the rules to be put in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NextVersion {
    /// The one after the version in force.
    pub version: u16,
}

/// An authority that the law lets order freezes: a court, a prosecutor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuthority {
    /// Its id, 1 to 40 of `a-z`, `0-9` and hyphen.
    #[schema(example = "district-court")]
    pub authority: String,
    /// The public key of its commands, a JSON Web Key on P-256.
    #[schema(value_type = Object)]
    pub key: Jwk,
}

/// Put the next version of the ledger's rules in force, from the next command on. It cannot be undone.
#[utoipa::path(post, path = "/central-bank/v1/version", tag = "central bank",
    request_body = NextVersion, security(("operator" = [])),
    responses(
        (status = 200, description = "in force, durably", body = CommandDone),
        (status = 401, description = "not the desk's token", body = ProblemBody),
        (status = 422, description = "not the next version, or one this build does not know",
         body = ProblemBody)))]
pub(super) async fn activate(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
    request: Result<Json<NextVersion>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    bank.operator.authenticate(&headers)?;
    let Json(NextVersion { version }) = request?;
    if version > Machine::VERSION {
        let known = Machine::VERSION;
        let detail = format!("this build knows the rules up to version {known}: update it first");
        return Err(Problem::refused("ledger.version_unknown", detail));
    }
    Ok(Json(bank.command(Action::ActivateVersion { version }).await?))
}

/// Register an authority. Two of them together freeze a wallet; each signs with its own key.
#[utoipa::path(post, path = "/central-bank/v1/authorities", tag = "central bank",
    request_body = NewAuthority, security(("operator" = [])),
    responses(
        (status = 200, description = "registered, durably", body = CommandDone),
        (status = 401, description = "not the desk's token", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing changed", body = ProblemBody)))]
pub(super) async fn register_authority(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
    request: Result<Json<NewAuthority>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    bank.operator.authenticate(&headers)?;
    let Json(NewAuthority { authority, key }) = request?;
    let authority = authority.parse().map_err(Problem::malformed)?;
    Ok(Json(bank.command(Action::RegisterAuthority { authority, key: key.key }).await?))
}
