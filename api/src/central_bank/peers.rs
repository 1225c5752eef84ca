//! Other ledgers: registered by the desk, dealt with as it says, and how things stand with each told to
//! everybody.

use super::CentralBank;
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{CommandId, Currency, InstitutionId};
use yufu_jose::Jwk;
use yufu_machine::{Action, PeerTerms, PeerView, Peering};

/// Another ledger, to be registered as a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPeer {
    /// Its name: `ledger` of its own `/central-bank/v1/ledger`.
    #[schema(example = "reserve-house")]
    pub peer: String,
    /// The public key of its central bank's commands: `key` of the same. Compare it by another way.
    #[schema(value_type = Object)]
    pub key: Jwk,
    /// The currency it holds, ISO 4217.
    pub currency: String,
    /// How it is dealt with.
    pub terms: Terms,
}

/// How a peer is dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Where its central bank answers, without a slash at the end.
    #[schema(example = "https://ledger.example")]
    pub address: String,
    /// Whether anything new goes there or is taken from there.
    pub open: bool,
    /// How many payments there may be unresolved at a time, and from there unsettled; at most 100,000.
    pub most_unresolved: u32,
    /// How many days ahead a payment there may expire; at most 366.
    pub most_days: u32,
}

/// How a peer is dealt with from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedPeer {
    /// The new public key of its central bank's commands, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub key: Option<Jwk>,
    /// How it is dealt with.
    pub terms: Terms,
}

/// Another ledger, and how things stand with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerState {
    /// Its name.
    pub peer: String,
    /// The currency it holds, ISO 4217.
    pub currency: String,
    /// Where its central bank answers.
    pub address: String,
    /// Whether anything new goes there or is taken from there.
    pub open: bool,
    /// What is on its way there, in minor units of this ledger's currency.
    pub in_flight_minor: u64,
    /// How many payments went there.
    pub sent: u64,
    /// Up to this number all of them are resolved.
    pub settled_through: u64,
    /// How many payments came from there, returned ones included.
    pub received: u64,
}

/// A payment to another ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AbroadState {
    /// Where it went.
    pub peer: String,
    /// Its number on the way there.
    pub number: u64,
    /// `in_flight`; `credited`; or why it came back: `returned.expired`, `returned.peer_closed`,
    /// `returned.amount`, `returned.no_correspondent`, `returned.payee_unknown`,
    /// `returned.payee_closed`, `returned.correspondent_short`, `returned.out_of_range`,
    /// `returned.payee_full`.
    pub state: String,
}

/// Register another ledger as a peer.
#[utoipa::path(post, path = "/central-bank/v1/peers", tag = "central bank",
    request_body = NewPeer, security(("operator" = [])),
    responses(
        (status = 200, description = "registered, durably", body = CommandDone),
        (status = 400, description = "its terms are none", body = ProblemBody),
        (status = 401, description = "not the desk's token", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing changed", body = ProblemBody)))]
pub(super) async fn register(
    State(bank): State<Arc<CentralBank>>,
    headers: HeaderMap,
    request: Result<Json<NewPeer>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    bank.operator.authenticate(&headers)?;
    let Json(NewPeer { peer, key, currency, terms }) = request?;
    let peer = peer.parse().map_err(Problem::malformed)?;
    let currency = Currency::new(&currency).map_err(Problem::malformed)?;
    let (key, peering) = (key.key, terms.validated()?);
    Ok(Json(bank.command(Action::RegisterPeer { peer, key, currency, peering }).await?))
}

/// Deal with a peer otherwise from now on. What is on its way is resolved in any case.
#[utoipa::path(put, path = "/central-bank/v1/peers/{peer}", tag = "central bank",
    params(("peer" = String, Path, description = "the peer's name")),
    request_body = ChangedPeer, security(("operator" = [])),
    responses(
        (status = 200, description = "in force, durably", body = CommandDone),
        (status = 400, description = "its terms are none", body = ProblemBody),
        (status = 401, description = "not the desk's token", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing changed", body = ProblemBody)))]
pub(super) async fn change(
    State(bank): State<Arc<CentralBank>>,
    Path(peer): Path<String>,
    headers: HeaderMap,
    request: Result<Json<ChangedPeer>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    bank.operator.authenticate(&headers)?;
    let Json(ChangedPeer { key, terms }) = request?;
    let peer: InstitutionId = peer.parse().map_err(Problem::malformed)?;
    let peering = terms.validated()?;
    let done = bank.command(Action::SetPeer { peer: peer.clone(), peering }).await?;
    match key {
        Some(Jwk { key, .. }) => {
            Ok(Json(bank.command(Action::ReplaceKey { institution: peer, key }).await?))
        }
        None => Ok(Json(done)),
    }
}

/// The other ledgers that money goes to and comes from.
#[utoipa::path(get, path = "/central-bank/v1/peers", tag = "central bank",
    responses(
        (status = 200, body = Vec<PeerState>),
        (status = 503, description = "not the ledger's one writer now", body = ProblemBody)))]
pub(super) async fn list(
    State(bank): State<Arc<CentralBank>>,
) -> Result<Json<Vec<PeerState>>, Problem> {
    let peers = bank.read(|machine, _| machine.peers()).await?;
    Ok(Json(peers.into_iter().map(PeerState::from).collect()))
}

/// What became of a payment to another ledger, as long as its command is remembered.
///
/// For the bank that ordered it: nobody else knows the command's id. The bearer token is a JWS of type
/// `yufu-request+jwt` by the bank's key, for this address.
#[utoipa::path(get, path = "/central-bank/v1/abroad/{command}", tag = "central bank",
    params(("command" = String, Path, description = "the id of the command that sent it")),
    security(("request" = [])),
    responses(
        (status = 200, body = AbroadState),
        (status = 401, description = "not a bank's token", body = ProblemBody),
        (status = 404, description = "nothing was sent by it, or it is forgotten", body = ProblemBody)))]
pub(super) async fn abroad(
    State(bank): State<Arc<CentralBank>>,
    Path(command): Path<String>,
    headers: HeaderMap,
) -> Result<Json<AbroadState>, Problem> {
    let id: CommandId = command.parse().map_err(Problem::malformed)?;
    let path = format!("/central-bank/v1/abroad/{command}");
    bank.asking_bank(&headers, ("GET", &path)).await?;
    let found = bank.read(|machine, _| machine.abroad(id)).await?;
    let found = found.ok_or_else(|| Problem::not_found("payment to another ledger"))?;
    let state = found.resolution.map_or("in_flight", |resolution| resolution.code());
    let (peer, number, state) = (found.peer.to_string(), found.number, state.to_owned());
    Ok(Json(AbroadState { peer, number, state }))
}

impl Terms {
    fn validated(self) -> Result<Peering, Problem> {
        let Self { address, open, most_unresolved, most_days } = self;
        Peering::new(PeerTerms { address, open, most_unresolved, most_days })
            .map_err(Problem::malformed)
    }
}

impl From<PeerView> for PeerState {
    fn from(view: PeerView) -> Self {
        let PeerView { name, currency, terms, in_flight, sent, settled_through, received } = view;
        Self {
            peer: name.to_string(),
            currency: currency.to_string(),
            address: terms.address,
            open: terms.open,
            in_flight_minor: in_flight.minor(),
            sent,
            settled_through,
            received,
        }
    }
}
