//! The bank as a verifier: asks a wallet over OpenID4VP 1.0, verifies its answer, acts on it once.

use super::opening::presented;
use super::{Bank, Banks, named};
use crate::http::{Page, Problem, ProblemBody};
use crate::relying_party::{Asker, ComingBack, Means, Returns, came_in_browser};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use std::sync::Arc;
use yufu_onboarding::{Account, OnboardingError, Verification};
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE, TransactionData};
use yufu_verifier::Verified;

/// The id of the query for an identity.
pub(super) const QUERY: &str = "pid";
/// The id of the query for a guardianship.
pub(super) const GUARDIANSHIP: &str = "guardianship";

/// A purpose for which the bank may ask: the name of its registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To open an account.
    OpenAccount,
    /// To confirm a payment above the limit.
    ConfirmPayment,
    /// To put another key in command of an account.
    ChangeKey,
    /// To open an account for a minor, as the guardian.
    OpenForWard,
    /// To wake a dormant wallet.
    WakeAccount,
}

impl Purpose {
    /// Its name in the profile and in the records.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OpenAccount => "open-account",
            Self::ConfirmPayment => "confirm-payment",
            Self::ChangeKey => "change-key",
            Self::OpenForWard => "open-account-for-ward",
            Self::WakeAccount => "wake-account",
        }
    }

    /// The names of its queries, in the order of the registered credentials.
    const fn queries(self) -> &'static [&'static str] {
        match self {
            Self::OpenForWard => &[QUERY, GUARDIANSHIP],
            _ => &[QUERY],
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::OpenAccount,
            Self::ConfirmPayment,
            Self::ChangeKey,
            Self::OpenForWard,
            Self::WakeAccount,
        ];
        all.into_iter().find(|p| p.name() == name)
    }
}

/// The signed presentation request.
#[utoipa::path(get, path = "/banks/{bank}/openid4vp/{id}/request", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn request(
    State(banks): State<Arc<Banks>>,
    Path((bank, id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&banks, &bank)?.request_object(&id, &[]).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/banks/{bank}/openid4vp/{id}/request", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce, wallet_metadata"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody), (status = 422, description = "the wallet takes nothing of what is asked", body = ProblemBody)))]
pub(super) async fn request_with_nonce(
    State(banks): State<Arc<Banks>>,
    Path((bank, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&banks, &bank)?.request_object(&id, &body).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/banks/{bank}/openid4vp/{id}/response", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted, with the bank's receipt", body = Object), (status = 400, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "the step that the presentation was for is refused by a rule", body = ProblemBody)))]
pub(super) async fn respond(
    State(banks): State<Arc<Banks>>,
    Path((bank, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(named(&banks, &bank)?.answered(&id, &body).await?))
}

/// Whoever began comes back: the answer that the wallet gave counts.
#[utoipa::path(post, path = "/banks/{bank}/openid4vp/{id}/return", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    request_body = ComingBack,
    responses((status = 200, description = "done, with the bank's receipt", body = Object), (status = 403, description = "no answer waits for this code", body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 422, description = "the step that the presentation was for is refused by a rule", body = ProblemBody)))]
pub(super) async fn come_back(
    State(banks): State<Arc<Banks>>,
    Path((bank, id)): Path<(String, String)>,
    request: Result<Json<ComingBack>, JsonRejection>,
) -> Result<Json<DirectPostResponse>, Problem> {
    let Json(ComingBack { response_code }) = request?;
    Ok(Json(named(&banks, &bank)?.came_back(&id, &response_code).await?))
}

/// Whoever opens that address in a browser is told where to go on; nothing is done by it.
#[utoipa::path(get, path = "/banks/{bank}/openid4vp/{id}/return", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a page that says where to go on", body = String, content_type = "text/html"), (status = 404, body = ProblemBody)))]
pub(super) async fn opened_in_browser(
    State(banks): State<Arc<Banks>>,
    Path((bank, _id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Page, Problem> {
    named(&banks, &bank)?;
    Ok(came_in_browser(&headers))
}

/// What a verified presentation is acted on with.
pub(super) struct Answer {
    /// The request that was answered.
    pub(super) verification: Verification,
    /// What was verified.
    pub(super) verified: Verified,
    /// The bank's signed receipt.
    pub(super) receipt: String,
}

/// The refusal of somebody else's identity.
pub(super) fn not_the_holder() -> Problem {
    let detail = "the identity presented is not the account holder's: use the holder's own";
    Problem::forbidden("presentation.not_the_holder", detail)
}

impl Bank {
    /// That whoever was presented holds the account.
    pub(super) async fn must_be_shown_by_holder(
        &self,
        account: &Account,
        answer: &Answer,
    ) -> Result<(), Problem> {
        let person = self.party.get().identity.person(presented(answer)?)?;
        let holder = match account.customer {
            Some(customer) => self.records.is_customer(customer, &person.number).await?,
            None => false,
        };
        if holder { Ok(()) } else { Err(not_the_holder()) }
    }

    /// Starts a presentation for `purpose`, about `subject`; the link for the wallet. Whatever a bank asks was begun by
    /// the wallet itself, which has to come back before its answer counts.
    pub(super) async fn ask(
        &self,
        purpose: Purpose,
        subject: String,
        transaction: impl Into<Option<TransactionData>>,
    ) -> Result<(String, String), Problem> {
        let (name, queries, now) = (purpose.name(), purpose.queries(), self.now());
        let back = (Returns::Here, now);
        let started = self.party.get().start(name, queries, transaction.into(), back)?;
        let verification = Verification {
            id: started.id.clone(),
            purpose: purpose.name().to_owned(),
            subject,
            session: started.session,
            expires_at: started.expires_at,
            answered: false,
        };
        self.records.start_verification(verification).await?;
        Ok((started.id, started.link))
    }
}

impl Asker for Bank {
    type Waiting = Verification;

    fn means(&self) -> Means<'_> {
        let (party, trust, held) = (self.party.get(), &self.trust, &self.held);
        Means { party, trust, held, now: self.now() }
    }

    async fn waiting(&self, id: &str) -> Result<Verification, Problem> {
        let found = self.records.verification(id).await?;
        if found.answered { Err(OnboardingError::AlreadyAnswered.into()) } else { Ok(found) }
    }

    fn session(verification: &Verification) -> &str {
        &verification.session
    }

    async fn store_session(&self, id: &str, session: &str) -> Result<(), Problem> {
        Ok(self.records.store_session(id, session).await?)
    }

    async fn act(
        &self,
        verification: Verification,
        verified: Verified,
        response: &DirectPostResponse,
    ) -> Result<(), Problem> {
        let receipt = response.receipt.clone().unwrap_or_default();
        let purpose = Purpose::parse(&verification.purpose);
        let answer = Answer { verification, verified, receipt };
        match purpose {
            Some(Purpose::OpenAccount) => self.opened(answer).await,
            Some(Purpose::ConfirmPayment) => self.confirmed(answer).await,
            Some(Purpose::ChangeKey) => self.recovered(answer).await,
            Some(Purpose::OpenForWard) => self.opened_for_ward(answer).await,
            Some(Purpose::WakeAccount) => self.shown_to_wake(answer).await,
            None => Err(Problem::internal("a stored request has no known purpose")),
        }
    }
}
