//! A person looks at who read her record. She proves who she is as to any relying party: the
//! authority asks for her number, registered for this purpose alone, and hands the list to the
//! very wallet that showed it (OpenID4VP 1.0, 13.3: the response code), so that nobody who sent
//! her the link sees it.

use super::Authority;
use super::handover::Handover;
use super::officer::AccessEntry;
use crate::http::{Problem, ProblemBody, bearer};
use crate::relying_party::{Answered, Party, Returns, Started, rejected};
use crate::trust::TrustSource;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_keys::InUse;
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE};
use yufu_population::Access;
use yufu_verifier::Verified;

/// The purpose for which the authority is registered as a relying party.
const PURPOSE: &str = "who-read";
/// The id of the one credential query.
const QUERY: &str = "pid";
/// The authority as a relying party for a person's own look.
pub struct OwnLook {
    /// How it shows itself to wallets.
    pub party: InUse<Party>,
    /// Whom it trusts: itself, by the list that everybody uses.
    pub trust: TrustSource,
    /// Looks under way.
    pub looks: Looks,
}

/// Looks under way, and lists that wait to be fetched.
#[derive(Default)]
pub struct Looks(Handover<Vec<AccessEntry>>);

/// A look that waits for the wallet's answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Look {
    /// The presentation request: `openid4vp://...`, for the wallet.
    pub authorization_request: String,
}

/// Begin to look at who read one's own record.
#[utoipa::path(post, path = "/authority/v1/looks", tag = "authority",
    responses((status = 201, body = Look), (status = 403, description = "the authority is not registered to ask", body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn begin(
    State(authority): State<Arc<Authority>>,
) -> Result<(StatusCode, Json<Look>), Problem> {
    let now = authority.now();
    let back = (Returns::Nobody, now);
    let started = authority.own_look.party.get().start(PURPOSE, &[QUERY], None, back)?;
    let authorization_request = started.link.clone();
    authority.own_look.looks.asked(started, now)?;
    Ok((StatusCode::CREATED, Json(Look { authorization_request })))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/authority/openid4vp/{id}/request", tag = "authority",
    params(("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce, wallet_metadata"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody), (status = 422, description = "the wallet takes nothing of what is asked", body = ProblemBody)))]
pub(super) async fn request(
    State(authority): State<Arc<Authority>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let look = &authority.own_look;
    let session = look.looks.session(&id)?;
    let (signed, session) = look.party.get().request_object(&session, &body, authority.now())?;
    look.looks.store(&id, session)?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/authority/openid4vp/{id}/response", tag = "authority",
    params(("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted: the receipt, and where to fetch the list", body = Object), (status = 400, body = ProblemBody), (status = 404, description = "unknown, expired, or answered before", body = ProblemBody), (status = 422, description = "the credential is revoked", body = ProblemBody)))]
pub(super) async fn respond(
    State(authority): State<Arc<Authority>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(authority.shown(&id, &body).await?))
}

/// Who read one's own record: once, for the code that the answer's redirect carries.
#[utoipa::path(get, path = "/authority/v1/looks/accesses", tag = "authority",
    security(("request" = [])),
    responses((status = 200, body = [AccessEntry]), (status = 401, body = ProblemBody), (status = 404, description = "no such code, or fetched before", body = ProblemBody)))]
pub(super) async fn fetch(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
) -> Result<Json<Vec<AccessEntry>>, Problem> {
    let code = bearer(&headers).ok_or_else(|| {
        Problem::unauthenticated(
            "send the response_code of the redirect as \"Authorization: Bearer ...\"",
        )
    })?;
    Ok(Json(authority.own_look.looks.take(code, authority.now())?))
}

impl Authority {
    async fn shown(&self, id: &str, body: &[u8]) -> Result<DirectPostResponse, Problem> {
        let look = &self.own_look;
        let session = look.looks.session(id)?;
        let answered = look.party.get().answered(&session, body, &look.trust, self.now()).await?;
        // One answer: of two at once, one finds the look gone.
        look.looks.answered(id)?;
        let Answered::Verified(verified, mut response) = answered else {
            return Ok(DirectPostResponse::default());
        };
        self.issuer.must_stand(&verified).await?;
        let entries = self.accesses_of_holder(&verified).await?;
        let code = look.looks.ready(entries, self.now());
        let address = self.issuer.metadata.credential_issuer.as_str();
        response.redirect_uri = Some(format!("{address}/v1/looks/accesses#response_code={code}"));
        Ok(response)
    }

    async fn accesses_of_holder(&self, verified: &Verified) -> Result<Vec<AccessEntry>, Problem> {
        let shown = verified.credentials.get(QUERY).and_then(|found| found.first());
        let shown = shown.ok_or_else(|| rejected("no identity was shown"))?;
        let party = self.own_look.party.get();
        let number = party.identity.number(&shown.claims)?;
        let number = self.numbers.parse(number).map_err(rejected)?;
        let access = Access {
            actor: "the person".to_owned(),
            role: "subject".to_owned(),
            purpose: "the person looked at who read the record, with her wallet".to_owned(),
            fields: BTreeSet::new(),
            at: self.now(),
        };
        let records = self.population.accesses_of(&number, &access).await?;
        Ok(records.into_iter().map(AccessEntry::from).collect())
    }
}

impl Looks {
    fn asked(&self, started: Started, now: Timestamp) -> Result<(), Problem> {
        if self.0.asked(started, now) {
            return Ok(());
        }
        let detail = "too many people look at their records at once: try again in some minutes";
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "look.too_many", detail))
    }

    fn session(&self, id: &str) -> Result<String, Problem> {
        self.0.session(id).ok_or_else(gone)
    }

    fn store(&self, id: &str, fresh: String) -> Result<(), Problem> {
        self.0.store(id, fresh).then_some(()).ok_or_else(gone)
    }

    fn answered(&self, id: &str) -> Result<(), Problem> {
        self.0.answered(id).then_some(()).ok_or_else(gone)
    }

    fn ready(&self, entries: Vec<AccessEntry>, now: Timestamp) -> String {
        self.0.ready(entries, now)
    }

    fn take(&self, code: &str, now: Timestamp) -> Result<Vec<AccessEntry>, Problem> {
        let gone = "list for this code, or it was fetched before: begin a new look";
        self.0.take(code, now).ok_or_else(|| Problem::not_found(gone))
    }
}

fn gone() -> Problem {
    Problem::not_found("look under way: begin a new one")
}

#[cfg(test)]
mod tests {
    use super::super::handover::{HANDOVER_SECONDS, MOST};
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn started(id: usize) -> Started {
        Started {
            id: id.to_string(),
            session: "s".to_owned(),
            expires_at: NOW.plus_seconds(600),
            link: String::new(),
        }
    }

    #[test]
    fn a_list_is_handed_over_once_and_in_time() {
        let looks = Looks::default();
        let code = looks.ready(Vec::new(), NOW);
        assert!(looks.take("another", NOW).is_err());
        assert!(looks.take(&code, NOW.plus_seconds(HANDOVER_SECONDS - 1)).is_ok());
        assert!(looks.take(&code, NOW).is_err(), "fetched twice");
        let late = looks.ready(Vec::new(), NOW);
        assert!(looks.take(&late, NOW.plus_seconds(HANDOVER_SECONDS)).is_err());
    }

    #[test]
    fn a_look_is_answered_once() {
        let looks = Looks::default();
        looks.asked(started(1), NOW).unwrap();
        assert!(looks.session("1").is_ok());
        looks.answered("1").unwrap();
        assert!(looks.answered("1").is_err());
        assert!(looks.session("1").is_err() && looks.store("1", String::new()).is_err());
    }

    #[test]
    fn looks_are_bounded_and_lapse() {
        let looks = Looks::default();
        for id in 0..MOST {
            looks.asked(started(id), NOW).unwrap();
        }
        assert_eq!(looks.asked(started(MOST), NOW).unwrap_err().code(), "look.too_many");
        assert!(looks.asked(started(MOST), NOW.plus_seconds(600)).is_ok());
    }
}
