//! An agency: pays programmes to members whom it knows by a pseudonym. They enrol with their
//! wallets; officers prepare, approve and pay a month; what comes back stays with its envelope.

mod attested;
mod desk;
mod enrolment;
mod freezing;
mod issuing;
mod life;
mod membership;
mod paying;
mod running;

pub use desk::{EnvelopeReport, Reissued, ReturnedPayment, RunStop, TotalsReport};
pub use enrolment::{EnrolmentBegun, EnrolmentRequest, EnrolmentState, ProgrammeNotice};
pub(crate) use issuing::well_known;
pub use membership::{MemberFile, MemberPayment, NextAccount, PayoutChange};
pub use running::Runs;

use crate::http::{Client, OperatorToken, Problem};
use crate::issuer::{Issuer, LAPSED_SECONDS, described_haip};
use crate::relying_party::{HeldAnswers, Party, TakingsAccount};
use crate::signing::HeldKey;
use crate::trust::TrustSource;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{AccountId, CommandId, Currency, InstitutionId, Timestamp};
use yufu_engine::Clock;
use yufu_keys::{InUse, random};
use yufu_profile::{Programme, UtcOffsets};
use yufu_programmes::{Month, Programmes, ProgrammesError};

use crate::http::ProblemBody;

/// An agency, and what it works with.
pub struct Agency {
    /// Its id.
    pub id: InstitutionId,
    /// The token of the officers who prepare and pay.
    pub operator: OperatorToken,
    /// The token of those who approve: another one.
    pub approver: OperatorToken,
    /// Itself as an issuer, if the profile has it attest anything to its members.
    pub issuer: Option<Box<Issuer>>,
    /// Its records.
    pub records: Programmes,
    /// How it shows itself to wallets.
    pub party: InUse<Party>,
    /// Answers that wait for whoever began.
    pub held: HeldAnswers,
    /// Whom it trusts to issue identities, and to say which were revoked.
    pub trust: TrustSource,
    /// Calls its bank.
    pub client: Client,
    /// Its bank, and the address below which that is reached.
    pub bank: (InstitutionId, String),
    /// The key that gives orders for its account.
    pub account_key: HeldKey,
    /// The ledger that it pays on, and its currency.
    pub ledger: (InstitutionId, Currency),
    /// Its programmes, by id.
    pub programmes: BTreeMap<String, Programme>,
    /// The country's civil time: months begin at its midnight.
    pub offsets: UtcOffsets,
    /// For how many days the ledger keeps the answer to an order's id.
    pub id_retention_days: u32,
    /// Which envelopes are being paid.
    pub runs: Runs,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The agencies that run here, by name.
pub type Agencies = BTreeMap<String, Arc<Agency>>;

pub(crate) fn described() -> OpenApiRouter<Arc<Agencies>> {
    OpenApiRouter::new()
        .routes(routes!(account))
        .routes(routes!(enrolment::programmes))
        .routes(routes!(enrolment::begin))
        .routes(routes!(enrolment::status))
        .routes(routes!(enrolment::request, enrolment::request_with_nonce))
        .routes(routes!(enrolment::respond))
        .routes(routes!(enrolment::come_back, enrolment::opened_in_browser))
        .routes(routes!(membership::mine))
        .routes(routes!(membership::payout))
        .routes(routes!(membership::leave))
        .routes(routes!(freezing::leave))
        .routes(routes!(freezing::freeze))
        .routes(routes!(issuing::offer))
        .routes(routes!(issuing::token))
        .routes(routes!(issuing::nonce))
        .routes(routes!(issuing::credential))
        .routes(routes!(issuing::status))
        .routes(routes!(issuing::status_lists))
        .routes(routes!(issuing::revocations))
        .routes(routes!(desk::prepare, desk::month))
        .routes(routes!(desk::report))
        .routes(routes!(desk::approve))
        .routes(routes!(desk::cancel))
        .routes(routes!(desk::run))
        .routes(routes!(desk::returns))
        .routes(routes!(desk::reissue_all))
        .routes(routes!(desk::reissue))
        .merge(described_haip())
}

/// Set the account that payments leave from.
#[utoipa::path(post, path = "/agencies/{agency}/v1/desk/account", tag = "agency desk",
    params(("agency" = String, Path, description = "the agency")),
    request_body = TakingsAccount, security(("operator" = [])),
    responses((status = 200, body = TakingsAccount), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody)))]
async fn account(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
    headers: HeaderMap,
    request: Result<Json<TakingsAccount>, JsonRejection>,
) -> Result<Json<TakingsAccount>, Problem> {
    let agency = named(&agencies, &agency)?;
    agency.operator.authenticate(&headers)?;
    let Json(request) = request?;
    let account: AccountId = request.account.parse().map_err(Problem::malformed)?;
    agency.records.set_account(&account.to_string()).await?;
    Ok(Json(request))
}

/// The agency of that name.
fn named(agencies: &Agencies, name: &str) -> Result<Arc<Agency>, Problem> {
    agencies.get(name).cloned().ok_or_else(|| Problem::not_found("agency here"))
}

impl Agency {
    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    fn programme(&self, id: &str) -> Result<&Programme, Problem> {
        self.programmes.get(id).ok_or_else(|| Problem::not_found("programme here"))
    }

    fn fresh(&self) -> CommandId {
        CommandId::at(self.now(), u128::from_be_bytes(random()))
    }

    /// The month that it is in the country.
    fn month(&self) -> Result<Month, Problem> {
        let beyond = || Problem::internal("the clock is beyond all calendars");
        let date = self.offsets.date_at(self.now()).ok_or_else(beyond)?;
        let year = u16::try_from(date.year()).map_err(Problem::internal)?;
        let month = u8::try_from(date.month()).map_err(Problem::internal)?;
        Month::new(year, month).ok_or_else(beyond)
    }

    /// Forgets enrolments that lapsed a day ago; how many.
    ///
    /// # Errors
    /// If the records fail.
    pub async fn forget_lapsed(&self) -> Result<u64, Problem> {
        let lapsed = self.records.forget_lapsed(self.now().minus_seconds(LAPSED_SECONDS)).await?;
        let issued = match &self.issuer {
            Some(issuer) => issuer.forget_lapsed().await?,
            None => 0,
        };
        let answers = self.held.forget_lapsed(self.now()).await?;
        Ok(lapsed.saturating_add(issued).saturating_add(answers))
    }
}

impl From<ProgrammesError> for Problem {
    fn from(error: ProgrammesError) -> Self {
        match error {
            ProgrammesError::Unknown(what) => Self::not_found(what),
            ProgrammesError::AlreadyAnswered => {
                Self::conflict("presentation.already_answered", error)
            }
            ProgrammesError::NoAccount => Self::unavailable("party.no_account", error),
            ProgrammesError::PayoutOlder => Self::conflict("payout.older", error),
            ProgrammesError::SameOfficer(_) => Self::forbidden("disbursement.same_officer", error),
            ProgrammesError::EnvelopeState { found } => {
                Self::conflict("disbursement.state", error).with("state", found.as_str())
            }
            ProgrammesError::NothingDue => Self::refused("disbursement.nothing_due", error),
            ProgrammesError::NotReturned(_) => Self::conflict("disbursement.not_returned", error),
            ProgrammesError::NothingCorrected { reason } => {
                Self::refused("disbursement.cause_stands", error).with("reason", reason.as_str())
            }
            ProgrammesError::Unbalanced(_) => {
                tracing::error!(%error, "an envelope does not add up");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "disbursement.unbalanced", error)
            }
            other => Self::internal(other),
        }
    }
}
