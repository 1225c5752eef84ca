//! The agency's desk: one officer prepares a month and has it paid, another approves it with a token
//! of their own. The desk sees sums, ids of payments and reasons; no pseudonym and no account.

use super::{Agencies, Agency, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_programmes::{Envelope, Item, Month, ProgrammesError, Sum};

/// How many, and how much together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TotalsReport {
    /// How many.
    pub count: u64,
    /// How much, in minor units.
    pub minor: u64,
}

/// Why a run stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunStop {
    /// A code, as of refusals.
    pub code: String,
    /// What is wrong and what to do next.
    pub detail: String,
}

/// An envelope: what it holds and what became of it. Items are what was paid, returned and pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvelopeReport {
    /// Its id.
    pub envelope: String,
    /// The programme.
    pub programme: String,
    /// The month.
    pub month: String,
    /// `prepared`, `approved`, `closed` or `cancelled`.
    pub state: String,
    /// Who prepared it.
    pub prepared_by: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// All of it.
    pub items: TotalsReport,
    /// Paid, for good.
    pub paid: TotalsReport,
    /// Came back, or never left.
    pub returned: TotalsReport,
    /// Not settled.
    pub pending: TotalsReport,
    /// How many of those the bank could not tell the outcome of: they are never paid under another id.
    pub unresolved: u64,
    /// Whether it is being paid at this moment.
    pub running: bool,
    /// Why the last run of this process stopped before its end.
    pub stopped: Option<RunStop>,
}

/// A payment that came back. Whose it is, the desk need not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedPayment {
    /// Its id.
    pub payment: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// `account_closed`, `account_full`, `account_refused`, `identity_revoked` or `proof_of_life_due`.
    pub reason: String,
    /// What the member is to do.
    pub remedy: String,
    /// What the bank said: a code, or nothing.
    pub bank_code: String,
    /// When, in seconds since the epoch.
    pub at: u64,
}

/// What of an envelope's returned payments is to be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reissued {
    /// How many.
    pub reissued: u64,
    /// How many wait for their members.
    pub waiting: u64,
}

/// Prepare a month: a payment for everybody who is due and has none in it. One that waits for
/// approval is returned as it is.
#[utoipa::path(post, path = "/agencies/{agency}/v1/desk/programmes/{programme}/months/{month}", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("programme" = String, Path, description = "the programme"), ("month" = String, Path, description = "such as 2026-11")),
    security(("operator" = [])),
    responses((status = 200, description = "waits for approval already", body = EnvelopeReport), (status = 201, body = EnvelopeReport), (status = 400, description = "no month, or no officer is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 422, description = "nobody is due, or the month has not begun", body = ProblemBody)))]
pub(super) async fn prepare(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, programme, month)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<EnvelopeReport>), Problem> {
    let agency = named(&agencies, &agency)?;
    let officer = agency.operator.authenticate(&headers)?.officer()?;
    let month = month.parse().map_err(Problem::malformed)?;
    let (envelope, new) = agency.prepare(&programme, month, &officer).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(agency.envelope_report(envelope).await?)))
}

/// The envelopes of a month.
#[utoipa::path(get, path = "/agencies/{agency}/v1/desk/programmes/{programme}/months/{month}", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("programme" = String, Path, description = "the programme"), ("month" = String, Path, description = "such as 2026-11")),
    security(("operator" = [])),
    responses((status = 200, body = [EnvelopeReport]), (status = 401, body = ProblemBody)))]
pub(super) async fn month(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, programme, month)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Json<Vec<EnvelopeReport>>, Problem> {
    let agency = named(&agencies, &agency)?;
    agency.either(&headers)?;
    let month = month.parse().map_err(Problem::malformed)?;
    let mut reports = Vec::new();
    for envelope in agency.records.envelopes(&programme, month).await? {
        reports.push(agency.envelope_report(envelope).await?);
    }
    Ok(Json(reports))
}

/// An envelope: its sums, compared with its payments one by one. For both tokens.
#[utoipa::path(get, path = "/agencies/{agency}/v1/desk/envelopes/{envelope}", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("envelope" = String, Path, description = "the envelope's id")),
    security(("operator" = [])),
    responses((status = 200, body = EnvelopeReport), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 500, description = "it does not add up", body = ProblemBody)))]
pub(super) async fn report(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, envelope)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<EnvelopeReport>, Problem> {
    let agency = named(&agencies, &agency)?;
    agency.either(&headers)?;
    let envelope = agency.records.envelope(envelope).await?;
    Ok(Json(agency.envelope_report(envelope).await?))
}

/// Approve a prepared envelope: with the approver's token, and by another officer than prepared it.
#[utoipa::path(post, path = "/agencies/{agency}/v1/desk/envelopes/{envelope}/approval", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("envelope" = String, Path, description = "the envelope's id")),
    security(("operator" = [])),
    responses((status = 200, body = EnvelopeReport), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, description = "not the approver's token", body = ProblemBody), (status = 403, description = "the officer who prepared it", body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "not prepared", body = ProblemBody)))]
pub(super) async fn approve(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, envelope)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<EnvelopeReport>, Problem> {
    let agency = named(&agencies, &agency)?;
    let officer = agency.approver.authenticate(&headers)?.officer()?;
    let envelope = agency.records.approve(envelope, &officer, agency.now()).await?;
    Ok(Json(agency.envelope_report(envelope).await?))
}

/// Give up an envelope that was not approved.
#[utoipa::path(post, path = "/agencies/{agency}/v1/desk/envelopes/{envelope}/cancellation", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("envelope" = String, Path, description = "the envelope's id")),
    security(("operator" = [])),
    responses((status = 200, body = EnvelopeReport), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "approved, closed or cancelled", body = ProblemBody)))]
pub(super) async fn cancel(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, envelope)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<EnvelopeReport>, Problem> {
    let agency = named(&agencies, &agency)?;
    let officer = agency.operator.authenticate(&headers)?.officer()?;
    let envelope = agency.records.cancel(envelope, &officer, agency.now()).await?;
    Ok(Json(agency.envelope_report(envelope).await?))
}

/// Pay an approved envelope, or what is left of it. It goes on after the answer: the report says how
/// far it is. Repeating it pays nothing twice.
#[utoipa::path(post, path = "/agencies/{agency}/v1/desk/envelopes/{envelope}/runs", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("envelope" = String, Path, description = "the envelope's id")),
    security(("operator" = [])),
    responses((status = 202, body = EnvelopeReport), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "not approved", body = ProblemBody)))]
pub(super) async fn run(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, envelope)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<EnvelopeReport>), Problem> {
    let agency = named(&agencies, &agency)?;
    let officer = agency.operator.authenticate(&headers)?.officer()?;
    let envelope = agency.records.note_run(envelope, &officer, agency.now()).await?;
    agency.start_run(&envelope);
    Ok((StatusCode::ACCEPTED, Json(agency.envelope_report(envelope).await?)))
}

/// The payments of an envelope that came back, with the reasons.
#[utoipa::path(get, path = "/agencies/{agency}/v1/desk/envelopes/{envelope}/returns", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("envelope" = String, Path, description = "the envelope's id")),
    security(("operator" = [])),
    responses((status = 200, body = [ReturnedPayment]), (status = 401, body = ProblemBody)))]
pub(super) async fn returns(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, envelope)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<Vec<ReturnedPayment>>, Problem> {
    let agency = named(&agencies, &agency)?;
    agency.either(&headers)?;
    let returns = agency.records.returns(envelope).await?;
    Ok(Json(returns.into_iter().filter_map(ReturnedPayment::of).collect()))
}

/// Have those returned payments of an envelope sent again whose cause their members removed. Then run it.
#[utoipa::path(post, path = "/agencies/{agency}/v1/desk/envelopes/{envelope}/reissues", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("envelope" = String, Path, description = "the envelope's id")),
    security(("operator" = [])),
    responses((status = 200, body = Reissued), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, body = ProblemBody)))]
pub(super) async fn reissue_all(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, envelope)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<Reissued>, Problem> {
    let agency = named(&agencies, &agency)?;
    let officer = agency.operator.authenticate(&headers)?.officer()?;
    Ok(Json(agency.reissue_all(envelope, &officer).await?))
}

/// Have one returned payment sent again, if its cause was removed. Then run its envelope.
#[utoipa::path(post, path = "/agencies/{agency}/v1/desk/payments/{payment}/reissue", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency"), ("payment" = String, Path, description = "the payment's id")),
    security(("operator" = [])),
    responses((status = 200, body = EnvelopeReport), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "not returned", body = ProblemBody), (status = 422, description = "its cause stands", body = ProblemBody)))]
pub(super) async fn reissue(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, payment)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<EnvelopeReport>, Problem> {
    let agency = named(&agencies, &agency)?;
    let officer = agency.operator.authenticate(&headers)?.officer()?;
    agency.records.rested(agency.now()).await?;
    let item = agency.records.reissue(payment, &officer, agency.fresh(), agency.now()).await?;
    let envelope = agency.records.envelope(item.envelope).await?;
    Ok(Json(agency.envelope_report(envelope).await?))
}

impl Agency {
    /// Whoever has one of the two tokens may look.
    fn either(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let looked = self.operator.authenticate(headers);
        looked.or_else(|_| self.approver.authenticate(headers)).map(|_| ())
    }

    async fn prepare(
        &self,
        programme: &str,
        month: Month,
        officer: &str,
    ) -> Result<(Envelope, bool), Problem> {
        let programme = self.programme(programme)?;
        let now = self.month()?;
        if month > now {
            let detail = format!("{month} has not begun: the latest that can be paid is {now}");
            return Err(Problem::refused("disbursement.month_not_begun", detail));
        }
        let (id, amount) = (programme.id.as_str(), programme.monthly.minor());
        let at = self.now();
        Ok(self.records.prepare((id, month), amount, officer, at, || self.fresh()).await?)
    }

    async fn reissue_all(&self, envelope: Uuid, officer: &str) -> Result<Reissued, Problem> {
        self.records.rested(self.now()).await?;
        let mut done = Reissued { reissued: 0, waiting: 0 };
        for item in self.records.returns(envelope).await? {
            match self.records.reissue(item.id, officer, self.fresh(), self.now()).await {
                Ok(_) => done.reissued = done.reissued.saturating_add(1),
                Err(ProgrammesError::NothingCorrected { .. }) => {
                    done.waiting = done.waiting.saturating_add(1);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(done)
    }

    async fn envelope_report(&self, envelope: Envelope) -> Result<EnvelopeReport, Problem> {
        // First whether it is being paid, then what was: a run that ended is seen with all that it did.
        let (running, stopped) = self.runs.of(envelope.id);
        let envelope = self.records.envelope(envelope.id).await?;
        let unresolved = self.records.unresolved(envelope.id).await?.len();
        let totals = envelope.totals;
        Ok(EnvelopeReport {
            envelope: envelope.id.to_string(),
            programme: envelope.programme,
            month: envelope.month.to_string(),
            state: envelope.state.to_string(),
            prepared_by: envelope.prepared_by,
            approved_by: envelope.approved_by,
            items: totals.items.into(),
            paid: totals.paid.into(),
            returned: totals.returned.into(),
            pending: totals.pending.into(),
            unresolved: u64::try_from(unresolved).unwrap_or(u64::MAX),
            running,
            stopped,
        })
    }
}

impl From<Sum> for TotalsReport {
    fn from(sum: Sum) -> Self {
        Self { count: sum.count, minor: sum.minor }
    }
}

impl ReturnedPayment {
    fn of(item: Item) -> Option<Self> {
        let reason = item.reason?;
        Some(Self {
            payment: item.id.to_string(),
            amount_minor: item.amount_minor,
            reason: reason.to_string(),
            remedy: reason.remedy().to_owned(),
            bank_code: item.detail,
            at: item.settled_at.map_or(0, yufu_base::Timestamp::seconds),
        })
    }
}
