//! What is done with a ticket: it opens a gate once, is given back, or changed. Each time it is
//! presented, and nothing else is.

use super::presentation::{Answer, Purpose};
use super::ticketing::TICKET;
use super::{RelyingParties, RelyingParty, Returns, railway, rejected};
use crate::http::{ClientError, Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_payment::RequestToken;
use yufu_services::{ServicesError, TicketState};

/// A request to present a ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TicketRequest {
    /// Its id.
    pub request: String,
    /// The presentation request: `openid4vp://...`, for the wallet.
    pub authorization_request: String,
    /// The booking of the ticket that a change leads to; only for a change.
    pub booking: Option<String>,
}

/// Whether somebody may pass.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PassageState {
    /// Whether a valid ticket was presented to this request.
    pub open: bool,
}

/// To which departure a ticket is changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// The departure, at the same price.
    pub departure: String,
}

/// What a request for a change is about.
#[derive(Serialize, Deserialize)]
struct Change {
    departure: String,
    ticket: Uuid,
}

/// Ask for a ticket at a gate.
#[utoipa::path(post, path = "/parties/{party}/v1/desk/gates/{gate}/requests", tag = "relying party",
    params(("party" = String, Path, description = "the railway"), ("gate" = String, Path, description = "the gate")),
    security(("operator" = [])),
    responses((status = 201, body = TicketRequest), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn open_gate(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, gate)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<TicketRequest>), Problem> {
    let railway = railway(&parties, &party)?;
    railway.operator.authenticate(&headers)?;
    // The gate shows it, and lets pass whoever stands before it.
    let (request, authorization_request) =
        railway.ask(Purpose::PassGate, gate, None, Returns::Nobody).await?;
    let asked = TicketRequest { request, authorization_request, booking: None };
    Ok((StatusCode::CREATED, Json(asked)))
}

/// Whether the gate opens.
#[utoipa::path(get, path = "/parties/{party}/v1/desk/gates/{gate}/requests/{request}", tag = "relying party",
    params(("party" = String, Path, description = "the railway"), ("gate" = String, Path, description = "the gate"), ("request" = String, Path, description = "the request's id")),
    security(("operator" = [])),
    responses((status = 200, body = PassageState), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn passage(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, gate, request)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Json<PassageState>, Problem> {
    let railway = railway(&parties, &party)?;
    railway.operator.authenticate(&headers)?;
    let asked = railway.records.asked(&request).await?;
    if asked.purpose != Purpose::PassGate.name() || asked.subject != gate {
        return Err(Problem::not_found("request at this gate"));
    }
    Ok(Json(PassageState { open: asked.answered }))
}

/// Give a ticket back: the wallet is asked for it, the money goes back to the account that paid.
#[utoipa::path(post, path = "/parties/{party}/v1/refunds", tag = "relying party",
    params(("party" = String, Path, description = "the railway")),
    responses((status = 201, body = TicketRequest), (status = 404, body = ProblemBody)))]
pub(super) async fn give_back(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
) -> Result<(StatusCode, Json<TicketRequest>), Problem> {
    let railway = railway(&parties, &party)?;
    let (request, authorization_request) =
        railway.ask(Purpose::RefundTicket, String::new(), None, Returns::Here).await?;
    let asked = TicketRequest { request, authorization_request, booking: None };
    Ok((StatusCode::CREATED, Json(asked)))
}

/// Change a ticket to another departure at the same price.
#[utoipa::path(post, path = "/parties/{party}/v1/changes", tag = "relying party",
    params(("party" = String, Path, description = "the railway")), request_body = ChangeRequest,
    responses((status = 201, body = TicketRequest), (status = 404, body = ProblemBody)))]
pub(super) async fn change(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    request: Result<Json<ChangeRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<TicketRequest>), Problem> {
    let railway = railway(&parties, &party)?;
    Ok((StatusCode::CREATED, Json(railway.begin_change(&request?.departure).await?)))
}

impl RelyingParty {
    /// A ticket was presented at a gate: it is used, once.
    pub(super) async fn passed(&self, answer: Answer) -> Result<(), Problem> {
        let ticket = self.presented_ticket(&answer)?;
        let now = self.now();
        Ok(self.records.take_ticket(answer.request(), ticket, TicketState::Used, now).await?)
    }

    /// A ticket was given back: fenced first, then paid back, then revoked.
    pub(super) async fn given_back(&self, answer: Answer) -> Result<(), Problem> {
        let ticket = self.presented_ticket(&answer)?;
        let to = TicketState::Refunding;
        self.records.take_ticket(answer.request(), ticket, to, self.now()).await?;
        self.finish_refund(ticket).await
    }

    /// Pays a ticket back, if that is still to be done. Safe to repeat: it is paid back once.
    pub(super) async fn finish_refund(&self, id: Uuid) -> Result<(), Problem> {
        let ticket = self.records.ticket(id).await?;
        if ticket.state != TicketState::Refunding {
            return Ok(());
        }
        let charge = self.records.charge(&ticket.paid_by.to_string()).await?;
        let payer_bank = charge.bank.rsplit('/').next().unwrap_or_default();
        let account = self.records.account().await?;
        let (bank, address) = &self.bank;
        let path =
            format!("/banks/{bank}/v1/accounts/{account}/refunds/{payer_bank}/{}", charge.payment);
        let token = RequestToken {
            iss: account,
            aud: bank.to_string(),
            htm: "POST".to_owned(),
            htu: path.clone(),
            iat: self.now(),
        };
        let key = self.account_key.held().await;
        let token = token.sign(&*key).map_err(Problem::internal)?;
        let url = format!("{address}{path}");
        let back: Result<CommandDone, ClientError> =
            self.client.post(&url, Some(&token), &json!({})).await;
        drop(key);
        if let Err(ClientError::Refused(body)) = &back
            && body.status == 422
        {
            // A rule forbids it (the account that paid is full, or closed): the ticket stays good.
            self.records.move_ticket(id, TicketState::Refunding, TicketState::Valid).await?;
        }
        back?;
        self.issuer()?.records.revoke(id).await?;
        self.records.move_ticket(id, TicketState::Refunding, TicketState::Refunded).await?;
        Ok(())
    }

    async fn begin_change(&self, departure: &str) -> Result<TicketRequest, Problem> {
        let departure = self.records.departure(departure).await?.id;
        let ticket = Uuid::new_v4();
        let subject = serde_json::to_string(&Change { departure, ticket });
        let subject = subject.map_err(Problem::internal)?;
        let (request, authorization_request) =
            self.ask(Purpose::ChangeTicket, subject, None, Returns::Here).await?;
        Ok(TicketRequest { request, authorization_request, booking: Some(ticket.to_string()) })
    }

    /// A ticket was presented to be changed: the old one ends as the new one begins.
    pub(super) async fn changed(&self, answer: Answer) -> Result<(), Problem> {
        let old = self.presented_ticket(&answer)?;
        let change: Change =
            serde_json::from_str(&answer.asked.subject).map_err(Problem::internal)?;
        let from = self.records.departure(&self.records.ticket(old).await?.departure).await?;
        let to = self.records.departure(&change.departure).await?;
        if from.price_minor != to.price_minor {
            let detail = "the other departure has another price: give this ticket back and buy one";
            return Err(Problem::refused("ticket.other_price", detail));
        }
        let request = answer.request();
        let tickets = (old, change.ticket);
        self.records.change_ticket(request, tickets, &change.departure, self.now()).await?;
        self.issuer()?.records.revoke(old).await?;
        Ok(())
    }

    /// The number of the ticket that was presented, if this railway issued it.
    fn presented_ticket(&self, answer: &Answer) -> Result<Uuid, Problem> {
        let found = answer.verified.credentials.get(TICKET).and_then(|found| found.first());
        let found = found.ok_or_else(|| rejected("no ticket was presented"))?;
        if found.issuer.identifier != self.issuer()?.metadata.credential_issuer.as_str() {
            return Err(rejected("the ticket is another railway's"));
        }
        let number = text(&found.claims, "ticket");
        let number = number.and_then(|text| Uuid::parse_str(text).ok());
        number.ok_or_else(|| ServicesError::Unknown("ticket").into())
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}
