//! Check-in: one tap identifies the guest to the hotel and pays it through the guest's bank. Two
//! credentials answer one query; the hotel learns no account, the bank no identity (decision 8).

use super::charging::Collected;
use super::identity::with_country;
use super::presentation::{Answer, Purpose};
use super::{RelyingParties, RelyingParty, Returns, hotel, return_address};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use yufu_services::{Access, Stay};

/// The query that identifies the guest.
const IDENTITY: &str = "pid";

/// A room for somebody.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInRequest {
    /// The room.
    pub room: String,
    /// For how many nights.
    pub nights: u16,
    /// What the stay costs, in minor units.
    pub amount_minor: u64,
    /// Where the guest's browser goes on, if it opens the link itself: the wallet sends it there with a `response_code`,
    /// which has to be brought to the request's `/return` before anybody is checked in. None if the desk shows the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
}

/// A check-in that waits for the guest's wallet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckIn {
    /// Its id.
    pub check_in: String,
    /// The presentation request: `openid4vp://...`, for the guest's wallet.
    pub authorization_request: String,
}

/// Where a check-in stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckInState {
    /// `waiting`, `checked_in` or `refused`.
    pub state: String,
    /// The room.
    pub room: String,
    /// Why it was refused: the bank's code.
    pub refusal: Option<String>,
    /// Until when the guest's identity is kept, in seconds since the epoch.
    pub retained_until: Option<u64>,
    /// What the hotel knows of the payment: the payer's bank and the order, no account.
    pub payment: Option<HotelPayment>,
}

/// What the hotel knows of a payment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HotelPayment {
    /// The payer's bank, by its address.
    pub bank: String,
    /// The hotel's own order.
    pub order: String,
    /// The payment's name at the bank, for a refund.
    pub payment: String,
    /// How much, in minor units.
    pub amount_minor: u64,
}

/// Why, and what of, a guest's identity is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    /// What for, in words: it is recorded.
    purpose: String,
    /// The claims, joined by `+`.
    fields: String,
}

/// Begin a check-in.
#[utoipa::path(post, path = "/parties/{party}/v1/desk/check-ins", tag = "relying party",
    params(("party" = String, Path, description = "the hotel")),
    request_body = CheckInRequest, security(("operator" = [])),
    responses((status = 201, body = CheckIn), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, description = "no account takes payments yet", body = ProblemBody)))]
pub(super) async fn check_in(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    headers: HeaderMap,
    request: Result<Json<CheckInRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<CheckIn>), Problem> {
    let hotel = hotel(&parties, &party)?;
    hotel.operator.authenticate(&headers)?;
    Ok((StatusCode::CREATED, Json(hotel.begin_check_in(request?.0).await?)))
}

/// Where a check-in stands. If the bank was out of reach, it is asked again.
#[utoipa::path(get, path = "/parties/{party}/v1/desk/check-ins/{check_in}", tag = "relying party",
    params(("party" = String, Path, description = "the hotel"), ("check_in" = String, Path, description = "the check-in's id")),
    security(("operator" = [])),
    responses((status = 200, body = CheckInState), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, description = "the bank does not answer", body = ProblemBody)))]
pub(super) async fn status(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, check_in)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<CheckInState>, Problem> {
    let hotel = hotel(&parties, &party)?;
    hotel.operator.authenticate(&headers)?;
    Ok(Json(hotel.check_in_state(check_in).await?))
}

/// Read a guest's identity. The read is recorded; after its time the identity is gone.
#[utoipa::path(get, path = "/parties/{party}/v1/desk/check-ins/{check_in}/guest", tag = "relying party",
    params(("party" = String, Path, description = "the hotel"), ("check_in" = String, Path, description = "the check-in's id"), Reading),
    security(("operator" = [])),
    responses((status = 200, description = "claims by name", body = Object), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 410, description = "erased", body = ProblemBody)))]
pub(super) async fn guest(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, check_in)): Path<(String, Uuid)>,
    headers: HeaderMap,
    reading: Result<Query<Reading>, QueryRejection>,
) -> Result<Json<Map<String, Value>>, Problem> {
    let hotel = hotel(&parties, &party)?;
    let actor = hotel.operator.authenticate(&headers)?.name;
    let Query(Reading { purpose, fields }) = reading.map_err(Problem::malformed)?;
    let fields = fields.split(['+', ' ']).map(str::to_owned).collect();
    let access = Access { actor, purpose, fields, at: hotel.now() };
    Ok(Json(hotel.records.guest(check_in, access).await?))
}

impl RelyingParty {
    async fn begin_check_in(&self, request: CheckInRequest) -> Result<CheckIn, Problem> {
        if request.nights == 0 || request.amount_minor == 0 {
            return Err(Problem::malformed("nights and amount_minor are to be at least 1"));
        }
        let returns = match &request.return_to {
            Some(address) => Returns::To(return_address(address)?),
            None => Returns::Nobody,
        };
        let order = self.fresh_order();
        let bill = self.bill(order, request.amount_minor).await?;
        let stay = Stay {
            id: Uuid::new_v4(),
            room: request.room,
            nights: request.nights,
            retained_until: None,
        };
        let charge = (&*order.to_string(), request.amount_minor);
        self.records.prepare_stay(&stay, charge, self.now()).await?;
        let (_, authorization_request) =
            self.ask(Purpose::CheckIn, stay.id.to_string(), Some(bill), returns).await?;
        Ok(CheckIn { check_in: stay.id.to_string(), authorization_request })
    }

    /// The guest's wallet answered: the identity is kept sealed, the payment goes to the bank. If the
    /// bank refuses, there is no stay, and so no ground to keep the identity.
    pub(super) async fn guest_came(&self, answer: Answer) -> Result<(), Problem> {
        let id = Uuid::parse_str(&answer.asked.subject).map_err(Problem::internal)?;
        let (bank, forwarded) = Self::forwarded(&answer)?;
        let found = answer.verified.credentials.get(IDENTITY).and_then(|found| found.first());
        let guest = found.map(with_country);
        let guest =
            guest.ok_or_else(|| Problem::internal("a verified answer lacks the identity"))?;
        let now = self.now();
        let until = answer.verified.receipt.retained_until.unwrap_or(now);
        let goes = (bank.as_str(), forwarded.as_str());
        self.records.register_guest(answer.request(), id, &guest, goes, (now, until)).await?;
        match self.settle_stay(id).await? {
            Collected::Refused(refusal) => Err(refusal),
            Collected::Waiting | Collected::Paid => Ok(()),
        }
    }

    async fn settle_stay(&self, id: Uuid) -> Result<Collected, Problem> {
        let collected = self.collect(&id.to_string()).await?;
        if matches!(collected, Collected::Refused(_)) {
            self.records.erase_guest(id).await?;
        }
        Ok(collected)
    }

    async fn check_in_state(&self, id: Uuid) -> Result<CheckInState, Problem> {
        let (state, refusal) = match self.settle_stay(id).await? {
            Collected::Waiting => ("waiting", None),
            Collected::Paid => ("checked_in", None),
            Collected::Refused(refusal) => ("refused", Some(refusal.code().to_owned())),
        };
        let stay = self.records.stay(id).await?;
        let charge = self.records.charge(&id.to_string()).await?;
        let payment = (state == "checked_in").then_some(HotelPayment {
            bank: charge.bank,
            order: charge.order,
            payment: charge.payment,
            amount_minor: charge.amount_minor,
        });
        Ok(CheckInState {
            state: state.to_owned(),
            room: stay.room,
            refusal,
            retained_until: stay.retained_until.map(|at| at.seconds()),
            payment,
        })
    }
}
