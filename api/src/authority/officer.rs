//! What an officer does: authenticates a person, which leads to an offer; revokes; and shows a
//! person who read their record.

use super::Authority;
use crate::http::{Problem, ProblemBody};
use crate::issuer::{IssuedOffer, OfferFor, Referring};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_population::{Access, AccessRecord, PersonId};
use yufu_profile::{Column, ResidentNumber};

/// An officer's statement that a person stands before them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Authentication {
    /// The person's resident number.
    pub resident_number: String,
    /// What the officer relied on, in words: it is recorded.
    #[schema(example = "card and portrait compared at counter 3")]
    pub evidence: String,
    /// The credential that is offered.
    #[schema(example = "pid")]
    pub credential: String,
}

/// One touch of a person's record.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AccessEntry {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What for.
    pub purpose: String,
    /// Which fields; never their values.
    pub fields: Vec<String>,
}

/// A person, by number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberOnly {
    /// The resident number.
    pub resident_number: String,
}

/// A revocation of all of a person's credentials.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The resident number.
    pub resident_number: String,
    /// Why, in words: it is recorded.
    pub reason: String,
}

/// How many credentials were revoked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Revoked {
    /// How many.
    pub revoked: u64,
}

/// Record that a person was authenticated, and offer them a credential.
#[utoipa::path(post, path = "/authority/v1/officer/authentications", tag = "authority",
    params(Referring), request_body = Authentication, security(("operator" = [])),
    responses((status = 200, body = IssuedOffer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn authenticate(
    State(authority): State<Arc<Authority>>,
    Query(wish): Query<Referring>,
    headers: HeaderMap,
    request: Result<Json<Authentication>, JsonRejection>,
) -> Result<Json<IssuedOffer>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(request) = request?;
    let number = authority.number(&request.resident_number)?;
    let purpose =
        format!("authentication for the credential {}: {}", request.credential, request.evidence);
    let person = authority.find(&number, &officer, purpose).await?;
    authority.must_live(person).await?;
    let made = authority.offer(person, officer, request).await?;
    Ok(Json(authority.issuer.as_asked(made, &wish).await?))
}

/// Who read a person's record. Looking is recorded too.
#[utoipa::path(post, path = "/authority/v1/officer/accesses", tag = "authority",
    request_body = NumberOnly, security(("operator" = [])),
    responses((status = 200, body = [AccessEntry]), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn accesses(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<NumberOnly>, JsonRejection>,
) -> Result<Json<Vec<AccessEntry>>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let number = authority.number(&request?.resident_number)?;
    let access = authority.access(&officer, "the person asked who read their record".to_owned());
    let records = authority.population.accesses_of(&number, &access).await?;
    Ok(Json(records.into_iter().map(AccessEntry::from).collect()))
}

/// Revoke all of a person's credentials, for good: lost card, replacement, death.
#[utoipa::path(post, path = "/authority/v1/officer/revocations", tag = "authority",
    request_body = Revocation, security(("operator" = [])),
    responses((status = 200, body = Revoked), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn revoke(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<Revocation>, JsonRejection>,
) -> Result<Json<Revoked>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    let Json(request) = request?;
    let number = authority.number(&request.resident_number)?;
    let person =
        authority.find(&number, &officer, format!("revocation: {}", request.reason)).await?;
    Ok(Json(Revoked { revoked: authority.issuer.records.revoke(person.uuid()).await? }))
}

impl From<AccessRecord> for AccessEntry {
    fn from(record: AccessRecord) -> Self {
        let access = record.access;
        Self {
            at: access.at.seconds(),
            actor: access.actor,
            role: access.role,
            purpose: access.purpose,
            fields: access.fields.iter().map(|column| column.word().to_owned()).collect(),
        }
    }
}

impl Authority {
    pub(super) fn number(&self, text: &str) -> Result<ResidentNumber, Problem> {
        let number = self.numbers.parse(text);
        number.map_err(|e| Problem::malformed(format!("resident_number: {e}")))
    }

    pub(super) fn access(&self, officer: &str, purpose: String) -> Access {
        Access {
            actor: officer.to_owned(),
            role: "officer".to_owned(),
            purpose,
            fields: BTreeSet::from([Column::ResidentNumber]),
            at: self.now(),
        }
    }

    pub(super) async fn find(
        &self,
        number: &ResidentNumber,
        officer: &str,
        purpose: String,
    ) -> Result<PersonId, Problem> {
        Ok(self.population.read(number, &self.access(officer, purpose)).await?.person())
    }

    async fn offer(
        &self,
        person: PersonId,
        officer: String,
        request: Authentication,
    ) -> Result<IssuedOffer, Problem> {
        let description = "The six digits that the officer gave you".to_owned();
        let offer = OfferFor {
            credential: request.credential,
            subject: person.uuid(),
            officer,
            evidence: request.evidence,
            code: Some((self.code_digits, description)),
            derived_from: None,
        };
        self.issuer.offer(offer).await
    }
}
