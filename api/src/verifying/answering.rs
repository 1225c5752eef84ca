//! The wallet's side of a verification, over OpenID4VP 1.0: the request, and the answer to it.

use super::outcome::{Outcome, Waits, several};
use super::waiting::{Note, Request, Stage, Ways, already_answered};
use super::{Purpose, VerifyingParties, VerifyingParty, named};
use crate::http::{Problem, ProblemBody};
use crate::relying_party::{authenticated, by_query, not_valid, opened, opened_digital, with_code};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_keys::random_text;
use yufu_openid4vc::presentation::{
    DirectPost, DirectPostResponse, REQUEST_MEDIA_TYPE, SIGNED_PROTOCOL,
};
use yufu_verifier::Verified;

/// The signed presentation request.
#[utoipa::path(get, path = "/verifiers/{verifier}/openid4vp/{id}/request", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn request(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&parties, &verifier)?.request_object(&id, &[])?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/verifiers/{verifier}/openid4vp/{id}/request", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce, wallet_metadata"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 410, body = ProblemBody), (status = 422, description = "the wallet takes nothing of what is asked", body = ProblemBody)))]
pub(super) async fn request_with_nonce(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&parties, &verifier)?.request_object(&id, &body)?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// What a page got of a wallet, by `navigator.credentials.get`: an encrypted answer, or a refusal.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PageAnswer {
    /// The protocol that the page asked by.
    protocol: String,
    /// What that protocol says: `response` (a JWE), or `error`.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// An answer on its way in.
enum Came<'a> {
    /// A wallet posted this form.
    Form(&'a [u8]),
    /// A page hands this over.
    Page(&'a Map<String, Value>),
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/verifiers/{verifier}/openid4vp/{id}/response", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted, with the verifier's receipt", body = Object), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "the credential is revoked, or its issuer not recognised", body = ProblemBody)))]
pub(super) async fn respond(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(named(&parties, &verifier)?.answered(&id, Came::Form(&body)).await?))
}

/// The wallet's encrypted answer, or its refusal, as the page that asked got it (Digital Credentials API).
#[utoipa::path(post, path = "/verifiers/{verifier}/openid4vp/{id}/digital-credential", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("id" = String, Path, description = "the verification")),
    request_body = PageAnswer,
    responses((status = 200, description = "accepted, with the verifier's receipt, and where the page goes on", body = Object), (status = 400, body = ProblemBody), (status = 404, description = "unknown, or not started for a page", body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "the credential is revoked, or its issuer not recognised", body = ProblemBody)))]
pub(super) async fn respond_for_page(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    answer: Result<Json<PageAnswer>, JsonRejection>,
) -> Result<Json<DirectPostResponse>, Problem> {
    let Json(PageAnswer { protocol, data }) = answer?;
    if protocol != SIGNED_PROTOCOL {
        let detail = format!("the page has to ask by {SIGNED_PROTOCOL}, as it was told to");
        return Err(Problem::malformed(detail));
    }
    Ok(Json(named(&parties, &verifier)?.answered(&id, Came::Page(&data)).await?))
}

impl VerifyingParty {
    fn request_object(&self, id: &str, body: &[u8]) -> Result<String, Problem> {
        let (_, ways) = self.at_work.waiting.open(id)?;
        let mut link = ways.link.clone();
        let signed = self.party.get().sign(&mut link, body, self.now())?;
        drop(ways);
        self.at_work.waiting.sent(id, link);
        Ok(signed)
    }

    /// A request that nobody has answered, and the ways to answer it.
    pub(super) async fn unanswered_request(
        &self,
        id: &str,
    ) -> Result<(Request, Arc<Ways>), Problem> {
        if !self.at_work.waiting.knows(id) && self.at_work.records.verification(id).await.is_ok() {
            return Err(already_answered());
        }
        self.at_work.waiting.open(id)
    }

    async fn answered(&self, id: &str, came: Came<'_>) -> Result<DirectPostResponse, Problem> {
        let (request, ways) = self.unanswered_request(id).await?;
        let several = several(ways.link.query());
        // Before anything of the answer is opened: of whom it is, this party is not to learn.
        let verified = match self.takes(&request, &came) {
            Ok(()) => self.verified(&ways, came).await,
            Err(problem) => Err(problem),
        };
        let verified = match verified {
            Ok(Some(verified)) => verified,
            Ok(None) => {
                self.at_work.waiting.note(id, Note::Declined);
                return Ok(DirectPostResponse::default());
            }
            Err(problem) => {
                self.at_work.waiting.note(id, Note::Refused(problem.code().to_owned()));
                return Err(problem);
            }
        };
        self.accept((id, &request), &several, &verified).await
    }

    /// Refuses an answer under a name where one under a pseudonym is wanted. Whoever declines may.
    fn takes(&self, request: &Request, came: &Came<'_>) -> Result<(), Problem> {
        if !self.purpose(request).is_ok_and(|purpose| purpose.one_account) {
            return Ok(());
        }
        let answers = match came {
            Came::Form(form) => matches!(DirectPost::from_form(form), Ok(DirectPost::Response(_))),
            Came::Page(data) => data.contains_key("response"),
        };
        if answers {
            let detail = "one account for each person: it is asked for under a pseudonym, by a wallet that has an anonymous credential";
            return Err(Problem::refused("verification.pseudonym_wanted", detail));
        }
        Ok(())
    }

    /// What a request is for.
    pub(super) fn purpose(&self, request: &Request) -> Result<&Purpose, Problem> {
        let purpose = self.purposes.get(&request.purpose);
        purpose.ok_or_else(|| Problem::internal("a request has no known purpose"))
    }

    /// Verifies an answer to the end; none if the person declined.
    async fn verified(&self, ways: &Ways, came: Came<'_>) -> Result<Option<Verified>, Problem> {
        let now = self.now();
        let opened = match came {
            Came::Form(form) => opened(ways.link.clone(), form, now),
            Came::Page(data) => match &ways.page {
                Some((session, _)) => opened_digital(session.clone(), data, now),
                None => {
                    return Err(Problem::not_found("request of a page: start one with its origin"));
                }
            },
        };
        let Some(received) = opened? else { return Ok(None) };
        let trust = self.trust.list(now).await?;
        let answer = authenticated(received, &trust, now)?;
        self.trust.unrevoked(&answer, now).await?;
        let lists = self.trust.lists_for(answer.lists(), &trust, now).await?;
        answer.verify_against(&lists, now).map(by_query).map(Some).map_err(not_valid)
    }

    /// The one answer that counts: kept, where its purpose keeps anything, before it is acknowledged. If a browser began, it
    /// counts once that comes back.
    async fn accept(
        &self,
        (id, request): (&str, &Request),
        several: &BTreeSet<String>,
        verified: &Verified,
    ) -> Result<DirectPostResponse, Problem> {
        let purpose = self.purpose(request)?;
        let code = request.return_to.as_ref().map(|_| random_text());
        let redirect = request.return_to.as_ref().zip(code.as_ref());
        let redirect = redirect.map(|(to, code)| with_code(to, code)).transpose()?;
        let response = self.party.get().respond(verified, redirect)?;
        let receipt = response.receipt.clone().unwrap_or_default();
        let code = code.as_deref();
        let (receipt, shown) = ((receipt, code), (verified, several));
        let outcome = Outcome::of((id, &request.purpose), purpose, shown, receipt, self.now())?;
        self.conclude_or_hold((id, request), code, outcome).await?;
        Ok(response)
    }

    /// Ends a request with an outcome; one that a browser has to come back for waits for it, also across a restart.
    pub(super) async fn conclude_or_hold(
        &self,
        (id, request): (&str, &Request),
        code: Option<&str>,
        outcome: Outcome,
    ) -> Result<(), Problem> {
        let Some(code) = code else { return self.conclude(id, outcome).await };
        let times = (self.now(), request.expires_at);
        let waits = Waits::of(outcome, request);
        self.at_work.held.hold((id, code), &waits, times).await
    }

    /// Ends a request with the one outcome that counts: durable, if anything of it is kept.
    pub(super) async fn conclude(&self, id: &str, outcome: Outcome) -> Result<(), Problem> {
        #[cfg(feature = "zero-knowledge")]
        if let Some(person) = &outcome.account {
            self.anonymous.one_account(id, person, self.now()).await?;
        }
        let before = self.at_work.waiting.settle(id)?;
        self.keep(id, outcome, Some(before)).await
    }

    /// Ends a request that a crash cut off, with an answer that waited for its browser.
    pub(super) async fn conclude_lost(
        &self,
        (id, request): (&str, Request),
        outcome: Outcome,
    ) -> Result<(), Problem> {
        #[cfg(feature = "zero-knowledge")]
        if let Some(person) = &outcome.account {
            self.anonymous.one_account(id, person, self.now()).await?;
        }
        self.at_work.waiting.settle_lost(id, request)?;
        self.keep(id, outcome, None).await
    }

    /// Keeps the one outcome that counts of a request that is being settled; `before` is put back if it cannot be kept.
    async fn keep(&self, id: &str, outcome: Outcome, before: Option<Stage>) -> Result<(), Problem> {
        let waiting = &self.at_work.waiting;
        if !outcome.is_kept() {
            waiting.put(id, Stage::Settled(Box::new(outcome)));
            return Ok(());
        }
        let kept = self.at_work.records.keep(outcome.verification, outcome.to_seal).await;
        match (kept, before) {
            (Ok(()), _) => {
                waiting.forget(id);
                Ok(())
            }
            (Err(error), Some(before)) => {
                waiting.put(id, before);
                Err(Problem::internal(error))
            }
            (Err(error), None) => {
                waiting.forget(id);
                Err(Problem::internal(error))
            }
        }
    }
}
