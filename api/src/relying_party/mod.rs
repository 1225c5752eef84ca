//! Relying parties: whoever asks a wallet to show something. What a bank, a hotel, a railway and an
//! authority have in common is [`Party`]; a hotel and a railway are served here.

mod asker;
mod asking;
mod attested;
mod charging;
mod deleting;
mod hotel;
mod identity;
mod looking;
mod party;
mod presentation;
mod putting;
mod railway;
mod returning;
mod ticket_desk;
mod ticket_freezing;
mod ticketing;
mod tickets;

pub(crate) use asker::{Asker, Means};
pub(crate) use asking::{name_of, named as by_query};
pub use hotel::{CheckIn, CheckInRequest, CheckInState, HotelPayment};
pub use identity::IdentityTerms;
pub use party::Party;
pub(crate) use party::{
    Answered, Started, authenticated, not_valid, opened, opened_digital, rejected, return_address,
};
pub use railway::{Booking, BookingRequest, BookingState, NewDeparture};
pub use returning::{ComingBack, HeldAnswers};
pub(crate) use returning::{RESPONSE_CODE, Returns, came_in_browser, with_code};
pub use ticket_desk::TicketFile;
pub use tickets::{ChangeRequest, PassageState, TicketRequest};

use crate::account_key::OwnBank;
use crate::http::{Client, OperatorToken, Problem, ProblemBody};
use crate::issuer::{Issuer, LAPSED_SECONDS, described_haip, well_known_haip};
use crate::signing::HeldKey;
use crate::trust::TrustSource;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{AccountId, Currency, InstitutionId, Signer, Timestamp};
use yufu_engine::Clock;
use yufu_keys::InUse;
use yufu_services::{Services, ServicesError, TicketState};

/// A hotel or a railway, and what it works with.
pub struct RelyingParty {
    /// Its id.
    pub id: InstitutionId,
    /// Its name, as payments show it.
    pub name: String,
    /// What it offers.
    pub service: Service,
    /// The token of its desk.
    pub operator: OperatorToken,
    /// Its records.
    pub records: Services,
    /// How it shows itself to wallets.
    pub party: InUse<Party>,
    /// Answers that wait for whoever began.
    pub held: HeldAnswers,
    /// Whom it trusts to issue what it is shown.
    pub trust: TrustSource,
    /// Calls banks.
    pub client: Client,
    /// The address below which its own bank is reached, and the bank's name.
    pub bank: (InstitutionId, String),
    /// The key that gives orders for its account.
    pub account_key: HeldKey,
    /// The ledger that it is paid in, and its currency.
    pub ledger: (InstitutionId, Currency),
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What a relying party offers.
pub enum Service {
    /// Rooms.
    Hotel,
    /// Journeys: it issues tickets.
    Railway(Box<Issuer>),
}

/// The relying parties that run here, by name.
pub type RelyingParties = BTreeMap<String, Arc<RelyingParty>>;

/// The account that payments are to be taken on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakingsAccount {
    /// The account, which this institution's key was opened with at its bank.
    pub account: String,
}

pub(crate) fn described() -> OpenApiRouter<Arc<RelyingParties>> {
    OpenApiRouter::new()
        .routes(routes!(account))
        .routes(routes!(presentation::request, presentation::request_with_nonce))
        .routes(routes!(presentation::respond))
        .routes(routes!(presentation::come_back, presentation::opened_in_browser))
        .routes(routes!(hotel::check_in))
        .routes(routes!(hotel::status))
        .routes(routes!(hotel::guest))
        .routes(routes!(railway::add_departure))
        .routes(routes!(railway::book))
        .routes(routes!(railway::status))
        .routes(routes!(tickets::open_gate))
        .routes(routes!(tickets::passage))
        .routes(routes!(tickets::give_back))
        .routes(routes!(tickets::change))
        .routes(routes!(ticket_desk::file))
        .routes(routes!(deleting::delete))
        .routes(routes!(looking::looks))
        .routes(routes!(ticket_freezing::leave))
        .routes(routes!(ticket_freezing::freeze))
        .routes(routes!(ticket_freezing::lift))
        .routes(routes!(ticketing::token))
        .routes(routes!(ticketing::nonce))
        .routes(routes!(ticketing::credential))
        .routes(routes!(ticketing::status))
        .routes(routes!(ticketing::status_lists))
        .routes(routes!(ticketing::revocations))
        .merge(described_haip())
}

/// Documents at well-known addresses, whose paths the issuers' identifiers determine.
pub(crate) fn well_known() -> Router<Arc<RelyingParties>> {
    Router::new()
        .route("/.well-known/openid-credential-issuer/parties/{party}", get(ticketing::metadata))
        .route(
            "/.well-known/oauth-authorization-server/parties/{party}",
            get(ticketing::authorization_server),
        )
        .route("/.well-known/jwt-vc-issuer/parties/{party}", get(ticketing::keys))
        .merge(well_known_haip())
}

/// Set the account that payments are taken on.
#[utoipa::path(post, path = "/parties/{party}/v1/desk/account", tag = "relying party",
    params(("party" = String, Path, description = "the relying party")),
    request_body = TakingsAccount, security(("operator" = [])),
    responses((status = 200, body = TakingsAccount), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody)))]
async fn account(
    State(parties): State<Arc<RelyingParties>>,
    Path(party): Path<String>,
    headers: HeaderMap,
    request: Result<Json<TakingsAccount>, JsonRejection>,
) -> Result<Json<TakingsAccount>, Problem> {
    let party = named(&parties, &party)?;
    party.operator.authenticate(&headers)?;
    let Json(request) = request?;
    let account: AccountId = request.account.parse().map_err(Problem::malformed)?;
    party.records.set_account(&account.to_string()).await?;
    Ok(Json(request))
}

/// The relying party of that name.
fn named(parties: &RelyingParties, name: &str) -> Result<Arc<RelyingParty>, Problem> {
    parties.get(name).cloned().ok_or_else(|| Problem::not_found("relying party here"))
}

/// The hotel of that name.
fn hotel(parties: &RelyingParties, name: &str) -> Result<Arc<RelyingParty>, Problem> {
    let found = parties.get(name).filter(|party| matches!(party.service, Service::Hotel));
    found.cloned().ok_or_else(|| Problem::not_found("hotel here"))
}

/// The railway of that name.
fn railway(parties: &RelyingParties, name: &str) -> Result<Arc<RelyingParty>, Problem> {
    let found = parties.get(name).filter(|party| matches!(party.service, Service::Railway(_)));
    found.cloned().ok_or_else(|| Problem::not_found("railway here"))
}

impl RelyingParty {
    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// Has `next` command its account from now on.
    ///
    /// # Errors
    /// If its bank cannot be told; then the former key stays in use.
    pub async fn command_account_with(&self, next: Arc<dyn Signer>) -> Result<(), Problem> {
        let own = OwnBank { client: &self.client, bank: &self.bank, now: self.now() };
        self.account_key.hand_over(next, self.records.named_account().await?, own).await
    }

    /// Itself as an issuer of tickets.
    fn issuer(&self) -> Result<&Issuer, Problem> {
        match &self.service {
            Service::Railway(issuer) => Ok(issuer),
            Service::Hotel => Err(Problem::not_found("issuer here")),
        }
    }

    /// Forgets answers that nobody came back for, requests and bookings that lapsed a day ago, and what lapsed in the issuing
    /// of tickets; how many.
    ///
    /// # Errors
    /// If the records fail.
    pub async fn forget_lapsed(&self) -> Result<u64, Problem> {
        let answers = self.held.forget_lapsed(self.now()).await?;
        let lapsed = self.records.forget_lapsed(self.now().minus_seconds(LAPSED_SECONDS)).await?;
        let issued = match &self.service {
            Service::Railway(issuer) => issuer.forget_lapsed().await?,
            Service::Hotel => 0,
        };
        Ok(answers.saturating_add(lapsed).saturating_add(issued))
    }

    /// Erases the identities whose time has come; how many those were.
    ///
    /// # Errors
    /// If the records do not answer: to be repeated.
    pub async fn erase_expired(&self) -> Result<usize, Problem> {
        Ok(self.records.erase_expired(self.now()).await?)
    }
}

/// The code of a step that a ticket's state does not allow.
const fn ticket_code(found: TicketState) -> &'static str {
    match found {
        TicketState::Booked => "ticket.booked",
        TicketState::Valid => "ticket.valid",
        TicketState::Used => "ticket.used",
        TicketState::Refunding => "ticket.refunding",
        TicketState::Refunded => "ticket.refunded",
        TicketState::Changed => "ticket.changed",
        TicketState::Lapsed => "ticket.lapsed",
    }
}

impl From<ServicesError> for Problem {
    fn from(error: ServicesError) -> Self {
        match error {
            ServicesError::Unknown(what) => Self::not_found(what),
            ServicesError::AlreadyAnswered => {
                Self::conflict("presentation.already_answered", error)
            }
            ServicesError::NoAccount => Self::unavailable("party.no_account", error),
            ServicesError::SoldOut => Self::refused("departure.sold_out", error),
            ServicesError::TicketState { found, .. } => Self::refused(ticket_code(found), error),
            ServicesError::Erased => Self::new(StatusCode::GONE, "guest.erased", error),
            other => Self::internal(other),
        }
    }
}
