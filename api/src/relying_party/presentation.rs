//! A hotel's and a railway's OpenID4VP endpoints: the request, and the wallet's answer.

use super::{
    Asker, ComingBack, Means, RelyingParties, RelyingParty, Returns, Service, came_in_browser,
    named,
};
use crate::http::{Page, Problem, ProblemBody};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use std::sync::Arc;
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE, TransactionData};
use yufu_services::{Asked, ServicesError};
use yufu_verifier::Verified;

/// A purpose for which a hotel or a railway asks: the name of its registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    CheckIn,
    BuyTicket,
    PassGate,
    RefundTicket,
    ChangeTicket,
}

impl Purpose {
    const ALL: [Self; 5] =
        [Self::CheckIn, Self::BuyTicket, Self::PassGate, Self::RefundTicket, Self::ChangeTicket];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CheckIn => "check-in",
            Self::BuyTicket => "buy-ticket",
            Self::PassGate => "pass-gate",
            Self::RefundTicket => "refund-ticket",
            Self::ChangeTicket => "change-ticket",
        }
    }

    /// The names of its queries, in the order of the registered credentials.
    const fn queries(self) -> &'static [&'static str] {
        match self {
            Self::CheckIn => &["pid", "payment"],
            Self::BuyTicket => &["payment"],
            Self::PassGate | Self::RefundTicket | Self::ChangeTicket => &["ticket"],
        }
    }
}

/// A verified answer, to be acted on.
pub(super) struct Answer {
    pub(super) asked: Asked,
    pub(super) verified: Verified,
    pub(super) receipt: String,
}

impl Answer {
    /// The request's id and the receipt, which are marked and kept with what follows.
    pub(super) fn request(&self) -> (&str, &str) {
        (&self.asked.id, &self.receipt)
    }
}

/// The signed presentation request.
#[utoipa::path(get, path = "/parties/{party}/openid4vp/{id}/request", tag = "relying party",
    params(("party" = String, Path, description = "the relying party"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn request(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&parties, &party)?.request_object(&id, &[]).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/parties/{party}/openid4vp/{id}/request", tag = "relying party",
    params(("party" = String, Path, description = "the relying party"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce, wallet_metadata"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody), (status = 422, description = "the wallet takes nothing of what is asked", body = ProblemBody)))]
pub(super) async fn request_with_nonce(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&parties, &party)?.request_object(&id, &body).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/parties/{party}/openid4vp/{id}/response", tag = "relying party",
    params(("party" = String, Path, description = "the relying party"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted, with the party's receipt", body = Object), (status = 400, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "the step that the presentation was for is refused by a rule", body = ProblemBody)))]
pub(super) async fn respond(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(named(&parties, &party)?.answered(&id, &body).await?))
}

/// Whoever began comes back: the answer that the wallet gave counts.
#[utoipa::path(post, path = "/parties/{party}/openid4vp/{id}/return", tag = "relying party",
    params(("party" = String, Path, description = "the relying party"), ("id" = String, Path, description = "the request")),
    request_body = ComingBack,
    responses((status = 200, description = "done, with the party's receipt", body = Object), (status = 403, description = "no answer waits for this code", body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 422, description = "the step that the presentation was for is refused by a rule", body = ProblemBody)))]
pub(super) async fn come_back(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, id)): Path<(String, String)>,
    request: Result<Json<ComingBack>, JsonRejection>,
) -> Result<Json<DirectPostResponse>, Problem> {
    let Json(ComingBack { response_code }) = request?;
    Ok(Json(named(&parties, &party)?.came_back(&id, &response_code).await?))
}

/// Whoever opens that address in a browser is told where to go on; nothing is done by it.
#[utoipa::path(get, path = "/parties/{party}/openid4vp/{id}/return", tag = "relying party",
    params(("party" = String, Path, description = "the relying party"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a page that says where to go on", body = String, content_type = "text/html"), (status = 404, body = ProblemBody)))]
pub(super) async fn opened_in_browser(
    State(parties): State<Arc<RelyingParties>>,
    Path((party, _id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Page, Problem> {
    named(&parties, &party)?;
    Ok(came_in_browser(&headers))
}

impl RelyingParty {
    /// Starts a presentation for `purpose`, about `subject`; its id, and the link for the wallet. `returns` says who has to
    /// come back before the answer counts.
    pub(super) async fn ask(
        &self,
        purpose: Purpose,
        subject: String,
        transaction: Option<TransactionData>,
        returns: Returns<'_>,
    ) -> Result<(String, String), Problem> {
        let (name, now) = (purpose.name(), self.now());
        let started =
            self.party.get().start(name, purpose.queries(), transaction, (returns, now))?;
        let asked = Asked {
            id: started.id.clone(),
            purpose: name.to_owned(),
            subject,
            session: started.session,
            expires_at: started.expires_at,
            answered: false,
        };
        self.records.ask(asked).await?;
        Ok((started.id, started.link))
    }
}

impl Asker for RelyingParty {
    type Waiting = Asked;

    fn means(&self) -> Means<'_> {
        let (party, trust, held) = (self.party.get(), &self.trust, &self.held);
        Means { party, trust, held, now: self.now() }
    }

    async fn waiting(&self, id: &str) -> Result<Asked, Problem> {
        let asked = self.records.asked(id).await?;
        if asked.answered { Err(ServicesError::AlreadyAnswered.into()) } else { Ok(asked) }
    }

    fn session(asked: &Asked) -> &str {
        &asked.session
    }

    async fn store_session(&self, id: &str, session: &str) -> Result<(), Problem> {
        Ok(self.records.store_session(id, session).await?)
    }

    async fn act(
        &self,
        asked: Asked,
        verified: Verified,
        response: &DirectPostResponse,
    ) -> Result<(), Problem> {
        if let Service::Railway(issuer) = &self.service {
            issuer.must_stand(&verified).await?;
        }
        let receipt = response.receipt.clone().unwrap_or_default();
        let purpose = Purpose::ALL.into_iter().find(|p| p.name() == asked.purpose);
        let answer = Answer { asked, verified, receipt };
        match purpose {
            Some(Purpose::CheckIn) => self.guest_came(answer).await,
            Some(Purpose::BuyTicket) => self.ticket_bought(answer).await,
            Some(Purpose::PassGate) => self.passed(answer).await,
            Some(Purpose::RefundTicket) => self.given_back(answer).await,
            Some(Purpose::ChangeTicket) => self.changed(answer).await,
            None => Err(Problem::internal("a stored request has no known purpose")),
        }
    }
}
