//! The registrar of relying parties: certifies what they may ask, revokes it at its desk, and publishes
//! which registrations are revoked. It takes reports of those who ask for more than they may, or
//! misuse what they got, and publishes how often each was reported. A report's evidence is the request
//! that the party signed itself, so nobody can be reported for what they did not ask; who
//! reports is not asked.

mod certifying;
mod evidence;
mod revoking;

pub use certifying::{ACCESS_ANCHOR, Certified, Certifier, REGISTRATION_ANCHOR};
pub use evidence::{Asked, NoEvidence};
pub use revoking::{DeedEntry, LiftRequest, RegistrationEntry, RevocationEntry, RevocationRequest};

pub use crate::status_list::Published;

use crate::http::{OperatorToken, Problem, ProblemBody};
use crate::trust::TrustSource;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::InstitutionId;
use yufu_engine::Clock;
use yufu_registrations::Registrations;
use yufu_reports::{Reports, ReportsError, Tally};
use yufu_trust::request_digest;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// The longest request, in bytes.
const LONGEST_REQUEST: usize = 64 * 1024;

/// The registrar, and what it works with.
pub struct Registrar {
    /// Its id.
    pub id: InstitutionId,
    /// Certifies relying parties.
    pub certifier: Certifier,
    /// Its records of what it certified and revoked.
    pub registrations: Registrations,
    /// Its list of those revoked, as it was signed last.
    pub published: Published,
    /// Its records of reports.
    pub records: Reports,
    /// By whom it verifies evidence.
    pub trust: TrustSource,
    /// The token of its desk.
    pub operator: OperatorToken,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// A report of a relying party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportDocument {
    /// `yufu-report`
    pub format: String,
    /// 1
    pub version: u32,
    /// The request, as the party signed it: a JWS of type `oauth-authz-req+jwt`.
    pub request: String,
    /// What was asked, by name: for the person who reads the document. The registrar reads the request.
    pub asked: Vec<String>,
    /// Why it is reported, in the person's words; nothing about the person is needed.
    #[schema(example = "asks for my household at a bicycle shop")]
    pub reason: String,
}

/// A report that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportTaken {
    /// Its number; of a request that was reported before, the first report's.
    pub report: String,
    /// Whom it is about.
    pub party: String,
    /// Whether the request goes beyond the registration, as the registrar found.
    pub over_asking: bool,
}

/// How often a party was reported. Anybody can report any request, so `reports` alone says little;
/// `over_asking` the registrar found itself, in requests that the party signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartyReports {
    /// The party's registered id.
    pub party: String,
    /// The party's registered name.
    pub name: String,
    /// Requests that were reported.
    pub reports: u64,
    /// Of these, requests that went beyond the registration.
    pub over_asking: u64,
}

/// A report as the registrar's desk reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportEntry {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Why, in the reporter's words.
    pub reason: String,
    /// Whether the request goes beyond the registration.
    pub over_asking: bool,
    /// The request, as the party signed it.
    pub request: String,
}

pub(crate) fn described() -> OpenApiRouter<Arc<Registrar>> {
    OpenApiRouter::new()
        .routes(routes!(certifying::enrol))
        .routes(routes!(tallies, take))
        .routes(routes!(desk))
        .routes(routes!(revoking::status))
        .routes(routes!(revoking::registrations))
        .routes(routes!(revoking::revocations, revoking::revoke))
        .routes(routes!(revoking::lift))
}

/// Report a relying party. The same request counts once, however often it is reported.
#[utoipa::path(post, path = "/registrar/v1/reports", tag = "registrar", request_body = ReportDocument,
    responses((status = 201, body = ReportTaken), (status = 400, body = ProblemBody), (status = 422, description = "the request is no evidence", body = ProblemBody)))]
async fn take(
    State(registrar): State<Arc<Registrar>>,
    report: Result<Json<ReportDocument>, JsonRejection>,
) -> Result<(StatusCode, Json<ReportTaken>), Problem> {
    Ok((StatusCode::CREATED, Json(registrar.take(report?.0).await?)))
}

/// How often each relying party was reported.
#[utoipa::path(get, path = "/registrar/v1/reports", tag = "registrar",
    responses((status = 200, body = [PartyReports])))]
async fn tallies(
    State(registrar): State<Arc<Registrar>>,
) -> Result<Json<Vec<PartyReports>>, Problem> {
    let tallies = registrar.records.tallies().await?;
    Ok(Json(tallies.into_iter().map(PartyReports::from).collect()))
}

/// The reports of a party, for the registrar to follow up.
#[utoipa::path(get, path = "/registrar/v1/desk/reports/{party}", tag = "registrar",
    params(("party" = String, Path, description = "the party's registered id")), security(("operator" = [])),
    responses((status = 200, body = [ReportEntry]), (status = 401, body = ProblemBody)))]
async fn desk(
    State(registrar): State<Arc<Registrar>>,
    Path(party): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Vec<ReportEntry>>, Problem> {
    registrar.operator.authenticate(&headers)?;
    let reports = registrar.records.of(&party).await?;
    Ok(Json(reports.into_iter().map(ReportEntry::from).collect()))
}

impl Registrar {
    async fn take(&self, report: ReportDocument) -> Result<ReportTaken, Problem> {
        report.check()?;
        let now = self.clock.read().wall;
        let trust = self.trust.list(now).await?;
        let asked = Asked::read(&report.request, &trust, now)
            .map_err(|error| Problem::refused("report.no_evidence", error))?;
        let over_asking = asked.beyond.is_some();
        let entered = yufu_reports::Report {
            request_digest: request_digest(&report.request),
            request: report.request,
            party: asked.id.clone(),
            name: asked.party.get("en").to_owned(),
            reason: report.reason,
            over_asking,
            at: now,
        };
        let report = self.records.enter(entered).await?.to_string();
        Ok(ReportTaken { report, party: asked.id, over_asking })
    }
}

impl ReportDocument {
    /// A report of a signed request.
    #[must_use]
    pub fn new(request: &str, asked: &Asked, reason: &str) -> Self {
        Self {
            format: "yufu-report".to_owned(),
            version: 1,
            request: request.to_owned(),
            asked: asked.claims.iter().map(|(vct, path)| format!("{path} of {vct}")).collect(),
            reason: reason.to_owned(),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        if self.format != "yufu-report" || self.version != 1 {
            return Err(Problem::malformed("expected format yufu-report, version 1"));
        }
        check_reason(&self.reason)?;
        if self.request.len() > LONGEST_REQUEST {
            return Err(Problem::malformed(format!("request: at most {LONGEST_REQUEST} bytes")));
        }
        Ok(())
    }
}

/// A reason is words, and not too many.
pub(crate) fn check_reason(reason: &str) -> Result<(), Problem> {
    if (1..=LONGEST_REASON).contains(&reason.trim().chars().count()) {
        return Ok(());
    }
    Err(Problem::malformed(format!("reason: say why in 1 to {LONGEST_REASON} characters")))
}

impl From<Tally> for PartyReports {
    fn from(tally: Tally) -> Self {
        let Tally { party, name, reports, over_asking } = tally;
        Self { party, name, reports, over_asking }
    }
}

impl From<yufu_reports::Report> for ReportEntry {
    fn from(report: yufu_reports::Report) -> Self {
        let yufu_reports::Report { reason, over_asking, request, at, .. } = report;
        Self { at: at.seconds(), reason, over_asking, request }
    }
}

impl From<ReportsError> for Problem {
    fn from(error: ReportsError) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(reason: &str) -> ReportDocument {
        ReportDocument {
            format: "yufu-report".to_owned(),
            version: 1,
            request: "x".to_owned(),
            asked: Vec::new(),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_report_states_a_reason_within_bounds() {
        assert!(document("too much").check().is_ok());
        assert!(document(&"字".repeat(LONGEST_REASON)).check().is_ok());
        for bad in ["", "  ", &"字".repeat(LONGEST_REASON + 1)] {
            assert!(document(bad).check().is_err(), "{bad}");
        }
        assert!(ReportDocument { version: 2, ..document("x") }.check().is_err());
        let long = "x".repeat(LONGEST_REQUEST + 1);
        assert!(ReportDocument { request: long, ..document("x") }.check().is_err());
    }
}
