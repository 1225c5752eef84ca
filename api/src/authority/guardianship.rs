//! Guardianships: an officer records who acts for a minor, and the guardian's wallet gets a
//! credential that says so; an officer ends it, and the status list says that.

use super::Authority;
use crate::http::{Problem, ProblemBody};
use crate::issuer::{Claims, OfferFor};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_population::{Access, Entry, Excerpt, PersonId};
use yufu_profile::{Column, CredentialType, is_over};

use super::officer::Revoked;

/// The id of the credential in the profile.
pub(super) const GUARDIANSHIP: &str = "guardianship";
/// The record that a claim of it is from.
const GUARDIAN_NUMBER: &str = "guardian_number";

/// An officer's statement that one person acts for another, who is a minor.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGuardianship {
    /// The guardian's resident number.
    pub guardian_number: String,
    /// The ward's resident number.
    pub ward_number: String,
    /// What the officer relied on, in words: it is recorded.
    #[schema(example = "birth certificate and both cards seen at counter 3")]
    pub evidence: String,
}

/// A guardianship that was recorded, and the offer for the guardian's wallet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RecordedGuardianship {
    /// `openid-credential-offer://...`, to be shown as a QR code.
    pub offer: String,
    /// The digits that the guardian types into the wallet.
    pub transaction_code: String,
    /// Until when the offer stands, in seconds since the epoch.
    pub expires: u64,
}

/// The end of a guardianship.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardianshipEnd {
    /// The guardian's resident number.
    pub guardian_number: String,
    /// The ward's resident number.
    pub ward_number: String,
    /// Why, in words: it is recorded.
    #[schema(example = "court order 2026-117")]
    pub reason: String,
}

/// Record that one person is another's guardian, and offer the guardian the credential.
///
/// The guardian is to be of age, the ward not. Both can see that their records were read. Between
/// the same two it may be repeated: the guardian gets fresh credentials.
#[utoipa::path(post, path = "/authority/v1/officer/guardianships", tag = "authority",
    request_body = NewGuardianship, security(("operator" = [])),
    responses((status = 200, body = RecordedGuardianship), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, description = "the guardian is no adult, or the ward no minor", body = ProblemBody)))]
pub(super) async fn record(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<NewGuardianship>, JsonRejection>,
) -> Result<Json<RecordedGuardianship>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    Ok(Json(authority.record_guardianship(officer, request?.0).await?))
}

/// End a guardianship, for good: its credentials become invalid, and what rests on them ends.
#[utoipa::path(post, path = "/authority/v1/officer/guardianship-ends", tag = "authority",
    request_body = GuardianshipEnd, security(("operator" = [])),
    responses((status = 200, body = Revoked), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn end(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    request: Result<Json<GuardianshipEnd>, JsonRejection>,
) -> Result<Json<Revoked>, Problem> {
    let officer = authority.operator.authenticate(&headers)?.name;
    Ok(Json(authority.end_guardianship(officer, request?.0).await?))
}

impl Authority {
    async fn record_guardianship(
        &self,
        officer: String,
        request: NewGuardianship,
    ) -> Result<RecordedGuardianship, Problem> {
        said(&request.evidence)?;
        let why = |what: &str| format!("{what}: {}", request.evidence);
        let guardian = self.born(&request.guardian_number, &officer, why("recording a guardian"));
        let guardian = guardian.await?;
        let ward = self.born(&request.ward_number, &officer, why("recording a guardian of"));
        let ward = ward.await?;
        if !self.is_of_age(&guardian)? {
            let detail =
                format!("a guardian has completed {} years: name another person", self.majority);
            return Err(Problem::refused("guardian.not_of_age", detail));
        }
        if self.is_of_age(&ward)? {
            let detail = "the ward is of age and acts alone: no guardian is recorded";
            return Err(Problem::refused("guardian.ward_of_age", detail));
        }
        let entry =
            Entry { officer: officer.clone(), basis: request.evidence.clone(), at: self.now() };
        let id =
            self.population.record_guardianship(guardian.person(), ward.person(), entry).await?;
        let offer = OfferFor {
            credential: GUARDIANSHIP.to_owned(),
            subject: id,
            officer,
            evidence: request.evidence,
            code: Some((self.code_digits, "The digits that the officer gave you".to_owned())),
            derived_from: None,
        };
        let issued = self.issuer.offer(offer).await?;
        let (offer, transaction_code) = (issued.offer, issued.transaction_code);
        Ok(RecordedGuardianship { offer, transaction_code, expires: issued.expires })
    }

    async fn end_guardianship(
        &self,
        officer: String,
        request: GuardianshipEnd,
    ) -> Result<Revoked, Problem> {
        said(&request.reason)?;
        let purpose = format!("ending a guardianship: {}", request.reason);
        let guardian = self.number(&request.guardian_number)?;
        let guardian = self.find(&guardian, &officer, purpose.clone()).await?;
        let ward = self.number(&request.ward_number)?;
        let ward = self.find(&ward, &officer, purpose).await?;
        let entry = Entry { officer, basis: request.reason, at: self.now() };
        let id = self.population.end_guardianship(guardian, ward, entry).await?;
        Ok(Revoked { revoked: self.issuer.records.revoke(id).await? })
    }

    /// The claims of a guardianship credential: the ward's, and the guardian's number. Both persons
    /// can see that they were read.
    pub(super) async fn guardianship_claims(
        &self,
        id: Uuid,
        kind: &CredentialType,
    ) -> Result<Claims, Problem> {
        let known = self.population.guardianship(id).await?;
        if !known.in_force {
            let detail = "the guardianship has ended: no credential is issued for it";
            return Err(Problem::refused("guardian.ended", detail));
        }
        let purpose = "issuing the guardian's credential to the guardian's wallet".to_owned();
        let number = self.own_number(known.guardian, purpose.clone()).await?;
        let record = |name: &str| (name == GUARDIAN_NUMBER).then(|| number.clone());
        self.claims(known.ward, kind, purpose, record).await
    }

    async fn own_number(&self, person: PersonId, purpose: String) -> Result<String, Problem> {
        let access = self.access("credential issuance", purpose);
        let found = self.population.read_person(person, &access).await?;
        let number = found.value(Column::ResidentNumber).map(str::to_owned);
        number.ok_or_else(|| Problem::internal("a record has no number"))
    }

    /// A person's date of birth, read by an officer.
    async fn born(&self, number: &str, officer: &str, purpose: String) -> Result<Excerpt, Problem> {
        let number = self.number(number)?;
        let fields = BTreeSet::from([Column::ResidentNumber, Column::BirthDate]);
        let access = Access { fields, ..self.access(officer, purpose) };
        Ok(self.population.read(&number, &access).await?)
    }

    fn is_of_age(&self, person: &Excerpt) -> Result<bool, Problem> {
        let birth = person.value(Column::BirthDate).and_then(|date| date.parse().ok());
        let birth = birth.ok_or_else(|| Problem::internal("a record has no date of birth"))?;
        Ok(is_over(birth, self.majority, self.today(self.now())?))
    }
}

fn said(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() || text.len() > 200 {
        return Err(Problem::malformed("say in 1 to 200 bytes what it rests on: it is recorded"));
    }
    Ok(())
}
