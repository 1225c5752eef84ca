//! The desk's side of a verification: start one, learn how it stands, read what was kept.

use super::outcome::{Waits, digest};
use super::waiting::{ALREADY_ANSWERED, Note, Request, Stage, Ways};
use super::{VerifyingParties, VerifyingParty, named};
use crate::http::{Problem, ProblemBody};
use crate::relying_party::{RESPONSE_CODE, return_address};
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use yufu_base::Timestamp;
use yufu_openid4vc::dcql::DcqlQuery;
use yufu_verifications::{Access, Kept, Verification, VerificationsError};
use yufu_verifier::Question;

/// What evidence is called in access records.
const EVIDENCE: &str = "evidence";

/// A verification to be started.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerificationRequest {
    /// What it is for: a purpose that the verifier is registered for.
    pub purpose: String,
    /// Where the person's browser goes on afterwards, if it opens the link itself: the wallet sends it there with
    /// a `response_code`, without which the result is not told. None if another device shows the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// The origin of the page on which the person is (`https://inn.example`), if that page is to ask the wallet behind
    /// the browser itself, by the Digital Credentials API. The link is good all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// A query of the caller's own (DCQL; OpenID4VP 1.0, section 6), within what the purpose is registered for. None asks
    /// as the purpose does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub dcql_query: Option<Value>,
}

impl VerificationRequest {
    /// One for a purpose, as that asks, which another device shows.
    #[must_use]
    pub fn of(purpose: &str) -> Self {
        let (return_to, origin, dcql_query) = (None, None, None);
        Self { purpose: purpose.to_owned(), return_to, origin, dcql_query }
    }
}

/// What a page gives to `navigator.credentials.get`, among `digital.requests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageRequest {
    /// The protocol: `openid4vp-v1-signed`.
    pub protocol: String,
    /// What that protocol says: the signed request.
    #[schema(value_type = Object)]
    pub data: Value,
    /// Where the page posts what it gets, as JSON: `protocol` and `data`.
    pub answer_to: String,
}

/// A verification that waits for a wallet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Begun {
    /// Its id.
    pub verification: String,
    /// The presentation request: `openid4vp://...`, for the person's wallet.
    pub authorization_request: String,
    /// A page that shows the link, and asks itself where it can: for whoever has none of their own.
    pub page: String,
    /// The request for a page of the origin that was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digital_credential: Option<PageRequest>,
    /// Until when it may be answered, in seconds since the epoch.
    pub expires: u64,
}

/// How a verification stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VerificationState {
    /// `waiting`, `yes`, `no`, `declined` or `expired`. Only `yes` and `no` are final before the request's end.
    pub state: String,
    /// What it is for.
    pub purpose: String,
    /// Why the last answer did not count, if one did not: a code.
    pub refusal: Option<String>,
    /// When it was answered, in seconds since the epoch.
    pub answered: Option<u64>,
    /// Until when it, and what is kept with it, is kept, in seconds since the epoch.
    pub retained_until: Option<u64>,
    /// The receipt that the person has too: which claims were shown, no values.
    pub receipt: Option<String>,
}

/// Which browser asks for a result.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Brought {
    /// The code with which the wallet sent the person back.
    response_code: Option<String>,
}

/// Why, and what, is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    /// What for, in words: it is recorded.
    purpose: String,
    /// The claims, joined by `+`; not for evidence.
    #[serde(default)]
    fields: String,
}

/// Start a verification.
#[utoipa::path(post, path = "/verifiers/{verifier}/v1/desk/verifications", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier")),
    request_body = VerificationRequest, security(("operator" = [])),
    responses((status = 201, body = Begun), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, description = "not registered for it, or not any more", body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, description = "too many wait", body = ProblemBody)))]
pub(super) async fn begin(
    State(parties): State<Arc<VerifyingParties>>,
    Path(verifier): Path<String>,
    headers: HeaderMap,
    request: Result<Json<VerificationRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let party = named(&parties, &verifier)?;
    party.operator.authenticate(&headers)?;
    Ok((StatusCode::CREATED, Json(party.begin(request?.0).await?)))
}

/// How a verification stands.
#[utoipa::path(get, path = "/verifiers/{verifier}/v1/desk/verifications/{verification}", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("verification" = String, Path, description = "its id"), Brought),
    security(("operator" = [])),
    responses((status = 200, body = VerificationState), (status = 401, body = ProblemBody), (status = 403, description = "the browser that began has to bring its code", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn state(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    headers: HeaderMap,
    brought: Result<Query<Brought>, QueryRejection>,
) -> Result<Json<VerificationState>, Problem> {
    let party = named(&parties, &verifier)?;
    party.operator.authenticate(&headers)?;
    let Query(brought) = brought.map_err(Problem::malformed)?;
    Ok(Json(party.state(&id, brought.response_code.as_deref()).await?))
}

/// Claims that were shown, where the purpose keeps them. The read is recorded.
#[utoipa::path(get, path = "/verifiers/{verifier}/v1/desk/verifications/{verification}/claims", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("verification" = String, Path, description = "its id"), Reading),
    security(("operator" = [])),
    responses((status = 200, description = "the claims, by name", body = Object), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "none, or erased", body = ProblemBody), (status = 409, description = "the purpose keeps none", body = ProblemBody)))]
pub(super) async fn claims(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    headers: HeaderMap,
    reading: Result<Query<Reading>, QueryRejection>,
) -> Result<Json<Map<String, Value>>, Problem> {
    let party = named(&parties, &verifier)?;
    let actor = party.operator.authenticate(&headers)?.name;
    let Query(Reading { purpose, fields }) = reading.map_err(Problem::malformed)?;
    let fields: Vec<String> = fields.split(['+', ' ']).map(str::to_owned).collect();
    Ok(Json(party.read(&id, Kept::Claims, (actor, purpose, fields)).await?))
}

/// The signed answer with its request, where the purpose keeps it. The read is recorded.
#[utoipa::path(get, path = "/verifiers/{verifier}/v1/desk/verifications/{verification}/evidence", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("verification" = String, Path, description = "its id"), Reading),
    security(("operator" = [])),
    responses((status = 200, description = "request_object and presentations", body = Object), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "none, or erased", body = ProblemBody), (status = 409, description = "the purpose keeps none", body = ProblemBody)))]
pub(super) async fn evidence(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    headers: HeaderMap,
    reading: Result<Query<Reading>, QueryRejection>,
) -> Result<Json<Map<String, Value>>, Problem> {
    let party = named(&parties, &verifier)?;
    let actor = party.operator.authenticate(&headers)?.name;
    let Query(Reading { purpose, .. }) = reading.map_err(Problem::malformed)?;
    let fields = vec![EVIDENCE.to_owned()];
    Ok(Json(party.read(&id, Kept::Evidence, (actor, purpose, fields)).await?))
}

impl VerifyingParty {
    async fn begin(&self, wanted: VerificationRequest) -> Result<Begun, Problem> {
        let VerificationRequest { purpose, return_to, origin, dcql_query } = wanted;
        return_to.as_deref().map(return_address).transpose()?;
        let now = self.now();
        let question = self.question(&purpose, dcql_query, now).await?;
        let party = self.party.get();
        let (session, link) = party.begin(&purpose, question.clone(), now)?;
        let in_browser = |origin: String| {
            party.begin_in_browser(&purpose, question, (&origin, session.id()), now)
        };
        let paged = origin.map(in_browser).transpose()?;
        let (id, expires_at) = (session.id().to_owned(), session.expires_at());
        let base = party.verifier(&purpose)?.base();
        let below = |what: &str| base.join(&format!("{id}/{what}")).map_err(Problem::internal);
        let page = below("page")?.to_string();
        let answer_to = below("digital-credential")?.to_string();
        let digital_credential = paged.as_ref().map(|(_, request)| PageRequest {
            protocol: request.protocol.clone(),
            data: request.data.clone(),
            answer_to,
        });
        let shown = link.to_link();
        let ways = Ways { link: session, shown: shown.clone(), page: paged };
        let stage = Stage::Open(Arc::new(ways));
        let request = Request { purpose, return_to, expires_at, stage, note: None };
        self.at_work.waiting.add(&id, request, now)?;
        Ok(Begun {
            verification: id,
            authorization_request: shown,
            page,
            digital_credential,
            expires: expires_at.seconds(),
        })
    }

    /// What is asked for a purpose: by a query of the caller's own, by that of the profile, or for all that is registered.
    async fn question(
        &self,
        purpose: &str,
        own: Option<Value>,
        now: Timestamp,
    ) -> Result<Question, Problem> {
        if let Some(own) = own {
            let query: DcqlQuery = serde_json::from_value(own)
                .map_err(|error| Problem::malformed(format!("dcql_query: {error}")))?;
            return self.party.get().question_of(query);
        }
        let party = self.party.get();
        let registered = party.verifier(purpose)?.certificate();
        let terms = self.purposes.get(purpose);
        let ids = terms.map(|terms| &*terms.credentials).unwrap_or_default();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        match terms.and_then(|terms| terms.query.as_ref()) {
            Some(query) => {
                let list = self.trust.list(now).await?;
                party.put(registered, &ids, query, &list)
            }
            None => party.question(registered, &ids, None),
        }
    }

    /// How a verification stands. An answer that waits for the browser that began counts from when that comes back.
    async fn state(&self, id: &str, code: Option<&str>) -> Result<VerificationState, Problem> {
        if let Some(verification) = self.settled(id).await? {
            return told(verification, code);
        }
        let request = self.at_work.waiting.get(id);
        if let Some(came_back) = self.came_back(id, request.as_ref(), code).await? {
            return told(came_back, code);
        }
        // Meanwhile somebody may have been quicker: it is told as it was kept.
        match (self.settled(id).await?, request) {
            (Some(verification), _) => told(verification, code),
            (None, Some(request)) => Ok(self.unanswered(request)),
            (None, None) => Err(Problem::not_found("verification, or not any more: start one")),
        }
    }

    /// The answer that counts now that the browser that began came back with `code`; none if nobody has answered yet. A
    /// request that a crash cut off is known by its answers alone.
    async fn came_back(
        &self,
        id: &str,
        request: Option<&Request>,
        code: Option<&str>,
    ) -> Result<Option<Verification>, Problem> {
        let (now, held) = (self.now(), &self.at_work.held);
        if request.is_some_and(|open| open.return_to.is_none() || now >= open.expires_at) {
            return Ok(None);
        }
        let found: Option<Waits> = match code {
            Some(code) => held.answer((id, code), now).await?,
            None => None,
        };
        let Some(found) = found else {
            return if held.any(id, now).await? { Err(other_browser()) } else { Ok(None) };
        };
        let (lost, outcome) = found.into_outcome(id);
        let verification = outcome.verification.clone();
        let concluded = match request {
            Some(_) => self.conclude(id, outcome).await,
            None => self.conclude_lost((id, lost), outcome).await,
        };
        match concluded {
            Ok(()) => {
                held.over(id).await;
                Ok(Some(verification))
            }
            Err(problem) if problem.code() == ALREADY_ANSWERED => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// What came of a verification, as long as that is known.
    pub(super) async fn settled(&self, id: &str) -> Result<Option<Verification>, Problem> {
        match self.at_work.waiting.get(id).as_ref().map(|request| &request.stage) {
            Some(Stage::Settled(outcome)) => Ok(Some(outcome.verification.clone())),
            Some(Stage::Open(_)) => Ok(None),
            Some(Stage::Settling) | None => self.kept(id).await,
        }
    }

    async fn kept(&self, id: &str) -> Result<Option<Verification>, Problem> {
        match self.at_work.records.verification(id).await {
            Ok(verification) => Ok(Some(verification)),
            Err(VerificationsError::Unknown(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn unanswered(&self, request: Request) -> VerificationState {
        let (state, refusal) = match request.note {
            _ if self.now() >= request.expires_at => ("expired", None),
            Some(Note::Declined) => ("declined", None),
            Some(Note::Refused(code)) => ("waiting", Some(code)),
            None => ("waiting", None),
        };
        VerificationState {
            state: state.to_owned(),
            purpose: request.purpose,
            refusal,
            answered: None,
            retained_until: None,
            receipt: None,
        }
    }

    async fn read(
        &self,
        id: &str,
        kept: Kept,
        (actor, purpose, fields): (String, String, Vec<String>),
    ) -> Result<Map<String, Value>, Problem> {
        let at = self.now();
        let records = &self.at_work.records;
        let verification = records.verification(id).await?;
        if verification.retained_until <= at {
            return Err(VerificationsError::Unknown("verification").into());
        }
        Ok(records.read(id, kept, Access { actor, purpose, fields, at }).await?)
    }
}

fn other_browser() -> Problem {
    let detail = format!(
        "it was begun in a browser, to which the wallet gave a code: ask with the {RESPONSE_CODE} with which that browser came back"
    );
    Problem::forbidden("verification.other_browser", detail)
}

/// How an answered verification is told: to the browser that began, if one did, and to no other.
fn told(found: Verification, code: Option<&str>) -> Result<VerificationState, Problem> {
    let brought = code.map(digest);
    if found.code_digest.is_some() && found.code_digest != brought {
        return Err(other_browser());
    }
    Ok(VerificationState {
        state: if found.result { "yes" } else { "no" }.to_owned(),
        purpose: found.purpose,
        refusal: None,
        answered: Some(found.answered_at.seconds()),
        retained_until: Some(found.retained_until.seconds()),
        receipt: Some(found.receipt),
    })
}
