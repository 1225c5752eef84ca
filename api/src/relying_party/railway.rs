//! Buying a ticket: a seat is booked, paid by a payment credential alone, and issued as a credential
//! bound to the passenger's key. The railway never learns who travels.

use super::charging::Collected;
use super::presentation::{Answer, Purpose};
use super::{RelyingParties, RelyingParty, Returns, railway, return_address};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_services::{Departure, TicketState};

/// A departure for the timetable.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeparture {
    /// Its id.
    #[schema(example = "G532-2026-11-24-second")]
    pub id: String,
    /// The train's number.
    pub train: String,
    /// The day.
    #[schema(example = "2026-11-24")]
    pub date: String,
    /// The class.
    pub class: String,
    /// The price of a seat, in minor units.
    pub price_minor: u64,
    /// How many seats it has.
    pub seats: u16,
}

/// A wish to travel.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingRequest {
    /// The departure.
    pub departure: String,
    /// Where the browser goes on that began to book, if one did: the wallet sends it there with a `response_code`, which
    /// has to be brought to the request's `/return` before anything is paid. Without it, whoever books brings the code
    /// that its wallet is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
}

/// A booking that waits to be paid.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Booking {
    /// Its id, which is the ticket's number: known to the wallet that booked alone.
    pub booking: String,
    /// The presentation request: `openid4vp://...`, for the wallet. Asks for the payment alone.
    pub authorization_request: String,
}

/// Where a booking stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BookingState {
    /// `booked`, `valid`, `used`, `refunding`, `refunded`, `changed` or `lapsed`.
    pub state: String,
    /// Why the payment was refused: the bank's code.
    pub refusal: Option<String>,
    /// The offer of the ticket, `openid-credential-offer://...`, while it is valid.
    pub offer: Option<String>,
    /// The same offer for attested wallets, `haip-vci://...`, where the railway issues to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub haip_offer: Option<String>,
}

/// Enter a departure into the timetable.
#[utoipa::path(post, path = "/parties/{party}/v1/desk/departures", tag = "relying party",
    params(("party" = String, Path, description = "the railway")),
    request_body = NewDeparture, security(("operator" = [])),
    responses((status = 201, body = NewDeparture), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn add_departure(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    headers: HeaderMap,
    request: Result<Json<NewDeparture>, JsonRejection>,
) -> Result<(StatusCode, Json<NewDeparture>), Problem> {
    let railway = railway(&parties, &party)?;
    railway.operator.authenticate(&headers)?;
    let Json(new) = request?;
    if new.price_minor == 0 || new.seats == 0 {
        return Err(Problem::malformed("price_minor and seats are to be at least 1"));
    }
    let departure = Departure {
        id: new.id.clone(),
        train: new.train.clone(),
        date: new.date.clone(),
        class: new.class.clone(),
        price_minor: new.price_minor,
        seats: new.seats,
    };
    railway.records.add_departure(&departure).await?;
    Ok((StatusCode::CREATED, Json(new)))
}

/// Book a seat.
#[utoipa::path(post, path = "/parties/{party}/v1/bookings", tag = "relying party",
    params(("party" = String, Path, description = "the railway")), request_body = BookingRequest,
    responses((status = 201, body = Booking), (status = 404, body = ProblemBody), (status = 422, description = "sold out", body = ProblemBody)))]
pub(super) async fn book(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    request: Result<Json<BookingRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Booking>), Problem> {
    let railway = railway(&parties, &party)?;
    Ok((StatusCode::CREATED, Json(railway.begin_booking(&request?.0).await?)))
}

/// Where a booking stands; while its ticket is valid, with an offer of it.
#[utoipa::path(get, path = "/parties/{party}/v1/bookings/{booking}", tag = "relying party",
    params(("party" = String, Path, description = "the railway"), ("booking" = String, Path, description = "the booking's id")),
    responses((status = 200, body = BookingState), (status = 404, body = ProblemBody), (status = 503, description = "the bank does not answer", body = ProblemBody)))]
pub(super) async fn status(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, booking)): Path<(String, Uuid)>,
) -> Result<Json<BookingState>, Problem> {
    Ok(Json(railway(&parties, &party)?.booking_state(booking).await?))
}

impl RelyingParty {
    async fn begin_booking(&self, request: &BookingRequest) -> Result<Booking, Problem> {
        let returns = match &request.return_to {
            Some(address) => Returns::To(return_address(address)?),
            None => Returns::Here,
        };
        let departure = self.records.departure(&request.departure).await?;
        let (id, order) = (Uuid::new_v4(), self.fresh_order());
        let bill = self.bill(order, departure.price_minor).await?;
        self.records.book(id, &departure, &order.to_string(), self.now()).await?;
        let (_, authorization_request) =
            self.ask(Purpose::BuyTicket, id.to_string(), Some(bill), returns).await?;
        Ok(Booking { booking: id.to_string(), authorization_request })
    }

    pub(super) async fn ticket_bought(&self, answer: Answer) -> Result<(), Problem> {
        let subject = answer.asked.subject.clone();
        let id = Uuid::parse_str(&subject).map_err(Problem::internal)?;
        let (bank, forwarded) = Self::forwarded(&answer)?;
        let goes = (bank.as_str(), forwarded.as_str());
        self.records.forward(answer.request(), &subject, goes, self.now()).await?;
        match self.settle_ticket(id).await? {
            Collected::Refused(refusal) => Err(refusal),
            Collected::Waiting | Collected::Paid => Ok(()),
        }
    }

    /// Asks the bank if need be; a paid ticket becomes valid.
    async fn settle_ticket(&self, id: Uuid) -> Result<Collected, Problem> {
        let collected = self.collect(&id.to_string()).await?;
        let booked = self.records.ticket(id).await?.state == TicketState::Booked;
        if booked && matches!(collected, Collected::Paid) {
            self.records.move_ticket(id, TicketState::Booked, TicketState::Valid).await?;
        }
        Ok(collected)
    }

    async fn booking_state(&self, id: Uuid) -> Result<BookingState, Problem> {
        let mut ticket = self.records.ticket(id).await?;
        let mut refusal = None;
        match ticket.state {
            TicketState::Booked => {
                if let Collected::Refused(problem) = self.settle_ticket(id).await? {
                    refusal = Some(problem.code().to_owned());
                }
                ticket = self.records.ticket(id).await?;
            }
            TicketState::Refunding => {
                self.finish_refund(id).await?;
                ticket = self.records.ticket(id).await?;
            }
            _ => {}
        }
        let made = match ticket.state {
            TicketState::Valid => Some(self.offer_ticket(id).await?),
            _ => None,
        };
        let (offer, haip_offer) = made.map(|made| (made.offer, made.haip_offer)).unzip();
        let state = ticket.state.to_string();
        Ok(BookingState { state, refusal, offer, haip_offer: haip_offer.flatten() })
    }
}
