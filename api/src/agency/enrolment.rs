//! Enrolment: a member names its account with the key that its pseudonym stands for, and shows the
//! pseudonym and the one thing that the programme needs. The agency asks nothing else.

use super::{Agencies, Agency, named};
use crate::http::{Page, Problem, ProblemBody};
use crate::relying_party::{Asker, ComingBack, Means, Returns, came_in_browser, rejected};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_jose::Jwk;
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE};
use yufu_payment::PayoutInstruction;
use yufu_profile::Programme;
use yufu_programmes::{Enrolment, Life, Payout, ProgrammesError};
use yufu_verifier::Verified;

/// The id of the one credential query.
pub(super) const QUERY: &str = "pid";

/// A programme, as everybody may read it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProgrammeNotice {
    /// Its id.
    #[schema(example = "basic-pension")]
    pub programme: String,
    /// Its name, by language (BCP 47).
    pub name: BTreeMap<String, String>,
    /// The sector whose pseudonym members are known by.
    pub sector: String,
    /// The claim that has to be shown, and true.
    pub needs: String,
    /// What a member gets each month, in minor units.
    pub monthly_minor: u64,
    /// After how many days a member has to show again that it is alive.
    pub proof_of_life_days: u32,
}

/// A wish to be enrolled.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The programme.
    pub programme: String,
    /// The sector key, a P-256 JWK: its thumbprint is the pseudonym that has to be shown.
    #[schema(value_type = Object)]
    pub key: Jwk,
    /// A JWS of type `yufu-payout+jwt` by that key: where to pay.
    pub payout: String,
}

/// An enrolment that waits for the wallet's answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentBegun {
    /// Its id.
    pub enrolment: String,
    /// The presentation request: `openid4vp://...`, for the wallet.
    pub authorization_request: String,
}

/// Where an enrolment stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentState {
    /// `waiting` or `enrolled`.
    pub state: String,
}

/// The programmes of an agency.
#[utoipa::path(get, path = "/agencies/{agency}/v1/programmes", tag = "agency",
    params(("agency" = String, Path, description = "the agency")),
    responses((status = 200, body = [ProgrammeNotice]), (status = 404, body = ProblemBody)))]
pub(super) async fn programmes(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
) -> Result<Json<Vec<ProgrammeNotice>>, Problem> {
    let agency = named(&agencies, &agency)?;
    Ok(Json(agency.programmes.values().map(ProgrammeNotice::from).collect()))
}

/// Begin to enrol, or to show anew that one is alive.
#[utoipa::path(post, path = "/agencies/{agency}/v1/enrolments", tag = "agency",
    params(("agency" = String, Path, description = "the agency")), request_body = EnrolmentRequest,
    responses((status = 201, body = EnrolmentBegun), (status = 401, description = "the account is not signed for with that key, for this programme, now", body = ProblemBody), (status = 403, description = "the agency is not registered to ask", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn begin(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
    request: Result<Json<EnrolmentRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<EnrolmentBegun>), Problem> {
    let agency = named(&agencies, &agency)?;
    Ok((StatusCode::CREATED, Json(agency.begin_enrolment(request?.0).await?)))
}

/// Where an enrolment stands.
#[utoipa::path(get, path = "/agencies/{agency}/v1/enrolments/{enrolment}", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("enrolment" = String, Path, description = "the enrolment's id")),
    responses((status = 200, body = EnrolmentState), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, enrolment)): Path<(String, String)>,
) -> Result<Json<EnrolmentState>, Problem> {
    let found = named(&agencies, &agency)?.records.enrolment(&enrolment).await?;
    let state = if found.answered { "enrolled" } else { "waiting" };
    Ok(Json(EnrolmentState { state: state.to_owned() }))
}

/// The signed presentation request.
#[utoipa::path(get, path = "/agencies/{agency}/openid4vp/{id}/request", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn request(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&agencies, &agency)?.request_object(&id, &[]).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/agencies/{agency}/openid4vp/{id}/request", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce, wallet_metadata"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody), (status = 422, description = "the wallet takes nothing of what is asked", body = ProblemBody)))]
pub(super) async fn request_with_nonce(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&agencies, &agency)?.request_object(&id, &body).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/agencies/{agency}/openid4vp/{id}/response", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted, with the agency's receipt", body = Object), (status = 400, body = ProblemBody), (status = 403, description = "another pseudonym than the key's", body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "what the programme needs does not hold, or the credential is revoked", body = ProblemBody)))]
pub(super) async fn respond(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(named(&agencies, &agency)?.answered(&id, &body).await?))
}

/// Whoever began comes back: the answer that the wallet gave counts.
#[utoipa::path(post, path = "/agencies/{agency}/openid4vp/{id}/return", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("id" = String, Path, description = "the request")),
    request_body = ComingBack,
    responses((status = 200, description = "enrolled, with the agency's receipt", body = Object), (status = 403, description = "no answer waits for this code, or it shows another pseudonym than the key's", body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 422, description = "what the programme needs does not hold", body = ProblemBody)))]
pub(super) async fn come_back(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, id)): Path<(String, String)>,
    request: Result<Json<ComingBack>, JsonRejection>,
) -> Result<Json<DirectPostResponse>, Problem> {
    let Json(ComingBack { response_code }) = request?;
    Ok(Json(named(&agencies, &agency)?.came_back(&id, &response_code).await?))
}

/// Whoever opens that address in a browser is told where to go on; nothing is done by it.
#[utoipa::path(get, path = "/agencies/{agency}/openid4vp/{id}/return", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a page that says where to go on", body = String, content_type = "text/html"), (status = 404, body = ProblemBody)))]
pub(super) async fn opened_in_browser(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, _id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Page, Problem> {
    named(&agencies, &agency)?;
    Ok(came_in_browser(&headers))
}

impl Agency {
    async fn begin_enrolment(&self, request: EnrolmentRequest) -> Result<EnrolmentBegun, Problem> {
        let programme = self.programme(&request.programme)?;
        let payout = self.payout(&request.payout, &request.key, &programme.id)?;
        let back = (Returns::Here, self.now());
        let started = self.party.get().start(&programme.request, &[QUERY], None, back)?;
        let begun =
            EnrolmentBegun { enrolment: started.id.clone(), authorization_request: started.link };
        let enrolment = Enrolment {
            id: started.id,
            programme: programme.id.clone(),
            pseudonym: request.key.thumbprint_base64url(),
            key: serde_json::to_string(&Jwk::from(request.key.key)).map_err(Problem::internal)?,
            payout,
            session: started.session,
            expires_at: started.expires_at,
            answered: false,
        };
        self.records.begin_enrolment(enrolment).await?;
        Ok(begun)
    }

    /// Where the holder of `key` wants a programme's payments.
    pub(super) fn payout(&self, text: &str, key: &Jwk, programme: &str) -> Result<Payout, Problem> {
        let to = (self.id.as_str(), programme);
        let instruction = PayoutInstruction::verify(text, &key.key, to, self.now());
        let instruction = instruction.map_err(Problem::unauthenticated)?;
        Ok(Payout {
            bank: instruction.bank.to_string(),
            account: instruction.account.to_string(),
            signed_at: instruction.signed_at,
        })
    }

    /// The enrolment as it counts now: of somebody who is a member, another account rests as one that the key alone names
    /// does, for whoever has her wallet has her identity too until she has it frozen.
    async fn entering(&self, waiting: Enrolment) -> Result<Enrolment, Problem> {
        let member = match self.known_member(&waiting.programme, &waiting.pseudonym).await {
            Ok(member) => member,
            Err(ProgrammesError::Unknown(_)) => return Ok(waiting),
            Err(error) => return Err(error.into()),
        };
        self.free(&member).await?;
        let Some(from) = self.rests_until(&member, &waiting.payout).await? else {
            return Ok(waiting);
        };
        match self.records.rest_payout(member.id, &waiting.payout, from).await {
            // Signed before what was named since, which stays.
            Ok(()) | Err(ProgrammesError::PayoutOlder) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Enrolment { payout: member.payout, ..waiting })
    }
}

impl Asker for Agency {
    type Waiting = Enrolment;

    fn means(&self) -> Means<'_> {
        let (party, trust, held) = (self.party.get(), &self.trust, &self.held);
        Means { party, trust, held, now: self.now() }
    }

    async fn waiting(&self, id: &str) -> Result<Enrolment, Problem> {
        let found = self.records.enrolment(id).await?;
        if found.answered { Err(ProgrammesError::AlreadyAnswered.into()) } else { Ok(found) }
    }

    fn session(enrolment: &Enrolment) -> &str {
        &enrolment.session
    }

    async fn store_session(&self, id: &str, session: &str) -> Result<(), Problem> {
        Ok(self.records.store_session(id, session).await?)
    }

    /// Enrols whoever showed what the programme needs, under the pseudonym of the key that signed.
    async fn act(
        &self,
        waiting: Enrolment,
        verified: Verified,
        response: &DirectPostResponse,
    ) -> Result<(), Problem> {
        let programme = self.programme(&waiting.programme)?;
        let claims = shown(&verified)?;
        if text(claims, &programme.pseudonym_claim()) != Some(waiting.pseudonym.as_str()) {
            let detail = "the pseudonym shown is not that of the key that signed for the account: begin anew with this wallet's own";
            return Err(Problem::forbidden("membership.other_pseudonym", detail));
        }
        if find(claims, &programme.needs.to_string()) != Some(&Value::Bool(true)) {
            let detail = format!(
                "the programme needs {}, and the credential says it does not hold: come back when it does, with a credential issued then",
                programme.needs
            );
            return Err(Problem::refused("membership.not_eligible", detail));
        }
        let receipt = response.receipt.clone().unwrap_or_default();
        let life = life(&verified, self.now())?;
        let entering = self.entering(waiting).await?;
        Ok(self.records.enrol(&entering, &receipt, &life, self.month()?).await?)
    }
}

impl From<&Programme> for ProgrammeNotice {
    fn from(programme: &Programme) -> Self {
        Self {
            programme: programme.id.clone(),
            name: programme
                .name
                .iter()
                .map(|(tag, name)| (tag.to_owned(), name.to_owned()))
                .collect(),
            sector: programme.sector.to_string(),
            needs: programme.needs.to_string(),
            monthly_minor: programme.monthly.minor(),
            proof_of_life_days: programme.proof_of_life_days,
        }
    }
}

/// The claims of the one credential that was shown.
fn shown(verified: &Verified) -> Result<&Map<String, Value>, Problem> {
    let found = verified.credentials.get(QUERY).and_then(|found| found.first());
    let found = found.map(|credential| &credential.claims);
    found.ok_or_else(|| Problem::internal("a verified answer lacks the identity credential"))
}

/// The claim at a path whose names are joined by dots.
fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let found = claims.get(first)?;
    if rest.is_empty() { Some(found) } else { find(found.as_object()?, rest) }
}

pub(super) fn text<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    find(claims, path).and_then(Value::as_str)
}

/// What the credential will say of its holder being alive: nothing, if nobody can revoke it.
fn life(verified: &Verified, now: yufu_base::Timestamp) -> Result<Life, Problem> {
    let missing = || rejected("the credential has no status and expiry: its revocation is unseen");
    let found = verified.credentials.get(QUERY).and_then(|found| found.first());
    let found = found.ok_or_else(missing)?;
    let status = found.status.as_ref().ok_or_else(missing)?;
    Ok(Life {
        status_uri: status.uri.clone(),
        status_index: status.index,
        says_until: found.expires_at.ok_or_else(missing)?,
        shown_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_found_where_its_path_leads_and_nowhere_else() {
        let claims = json!({"a": {"60": true, "b": {"c": "x"}}, "d": "y"});
        let claims = claims.as_object().unwrap();
        assert_eq!(find(claims, "a.60"), Some(&json!(true)));
        assert_eq!((text(claims, "a.b.c"), text(claims, "d")), (Some("x"), Some("y")));
        for nowhere in ["", "a.61", "d.e", "b.c", "a.b.c.d"] {
            assert_eq!(find(claims, nowhere), None, "{nowhere}");
        }
    }
}
