//! What the railway has on file of a ticket: everything that it stored, and no person.

use super::{RelyingParties, RelyingParty, railway};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// A ticket as the railway has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketFile {
    /// Its number.
    pub ticket: String,
    /// The departure.
    pub departure: String,
    /// The seat.
    pub seat: u32,
    /// `booked`, `valid`, `used`, `refunding`, `refunded`, `changed` or `lapsed`.
    pub state: String,
    /// The railway's own order for its payment.
    pub order: String,
    /// What was paid, in minor units.
    pub amount_minor: u64,
    /// The payer's bank, by its address.
    pub bank: String,
    /// The payment's name at that bank.
    pub payment: String,
}

/// What the railway has on file of a ticket.
#[utoipa::path(get, path = "/parties/{party}/v1/desk/tickets/{ticket}", tag = "relying party",
    params(("party" = String, Path, description = "the railway"), ("ticket" = String, Path, description = "the ticket's number")),
    security(("operator" = [])),
    responses((status = 200, body = TicketFile), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn file(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, ticket)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<TicketFile>, Problem> {
    let railway = railway(&parties, &party)?;
    railway.operator.authenticate(&headers)?;
    Ok(Json(railway.ticket_file(ticket).await?))
}

impl RelyingParty {
    async fn ticket_file(&self, id: Uuid) -> Result<TicketFile, Problem> {
        let ticket = self.records.ticket(id).await?;
        let charge = self.records.charge(&ticket.paid_by.to_string()).await?;
        Ok(TicketFile {
            ticket: id.to_string(),
            departure: ticket.departure,
            seat: ticket.seat,
            state: ticket.state.to_string(),
            order: charge.order,
            amount_minor: charge.amount_minor,
            bank: charge.bank,
            payment: charge.payment,
        })
    }
}
