//! The operator's desk: who is listed, taking an institution off the list while it is served, and putting it back. Whoever
//! was taken off is off from the next list on, and enrols no more until it is put back.

use super::operator::{Listed, Register, TrustOperator};
use crate::http::{Problem, ProblemBody};
use crate::registrar::check_reason;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{InstitutionId, Timestamp};

/// Whom an officer takes off the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovalRequest {
    /// The institution's id.
    #[schema(example = "bank-of-jiangcheng")]
    pub institution: String,
    /// Why, in 1 to 500 characters. The institution is told when it enrols.
    pub reason: String,
}

/// Why an institution is put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovalLift {
    /// Why, in 1 to 500 characters.
    pub reason: String,
}

/// What an officer did, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deed {
    /// The officer, by staff name.
    pub officer: String,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Why.
    pub reason: String,
}

/// An institution was taken off the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removal {
    /// Who took it off.
    pub removed: Deed,
    /// Who put it back; absent while it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Deed>,
}

/// An institution as the operator knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedInstitution {
    /// Its id.
    pub institution: String,
    /// What it is, in the word of the profile.
    pub kind: String,
    /// Whether the list names it.
    pub listed: bool,
    /// Its address; absent if it has not enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was taken off and put back, oldest first.
    pub removals: Vec<Removal>,
    /// The sequence of the list as it is now.
    pub sequence: u64,
}

pub(super) fn described() -> OpenApiRouter<Arc<TrustOperator>> {
    OpenApiRouter::new()
        .routes(routes!(institutions))
        .routes(routes!(remove))
        .routes(routes!(restore))
}

/// Every institution of the profile, and whether it is on the list.
#[utoipa::path(get, path = "/trust-list/v1/desk/institutions", tag = "trust", security(("operator" = [])),
    responses((status = 200, body = [ListedInstitution]), (status = 401, body = ProblemBody)))]
async fn institutions(
    State(operator): State<Arc<TrustOperator>>,
    headers: HeaderMap,
) -> Result<Json<Vec<ListedInstitution>>, Problem> {
    operator.desk.authenticate(&headers)?;
    let all = operator.register.known.keys();
    let all: Result<Vec<ListedInstitution>, Problem> = all.map(|id| operator.entry(id)).collect();
    Ok(Json(all?))
}

/// Take an institution off the list, from its next sequence on: what it signs counts nowhere any more, and it is not
/// found. It enrols no more until it is put back. One that is off stays so, with the first reason.
#[utoipa::path(post, path = "/trust-list/v1/desk/removals", tag = "trust", security(("operator" = [])), request_body = RemovalRequest,
    responses((status = 200, body = ListedInstitution), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "no such institution", body = ProblemBody), (status = 409, description = "the operator itself", body = ProblemBody)))]
async fn remove(
    State(operator): State<Arc<TrustOperator>>,
    headers: HeaderMap,
    request: Result<Json<RemovalRequest>, JsonRejection>,
) -> Result<Json<ListedInstitution>, Problem> {
    let officer = operator.desk.authenticate(&headers)?.officer()?;
    let RemovalRequest { institution, reason } = request?.0;
    Ok(Json(operator.remove(&institution, officer, reason)?))
}

/// Put an institution back as it was; it enrols again at its next start.
#[utoipa::path(post, path = "/trust-list/v1/desk/removals/{institution}/lift", tag = "trust",
    params(("institution" = String, Path, description = "the institution's id")), security(("operator" = [])), request_body = RemovalLift,
    responses((status = 200, body = ListedInstitution), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "no such institution", body = ProblemBody)))]
async fn restore(
    State(operator): State<Arc<TrustOperator>>,
    Path(institution): Path<String>,
    headers: HeaderMap,
    request: Result<Json<RemovalLift>, JsonRejection>,
) -> Result<Json<ListedInstitution>, Problem> {
    let officer = operator.desk.authenticate(&headers)?.officer()?;
    Ok(Json(operator.restore(&institution, officer, request?.0.reason)?))
}

/// Why an institution that was taken off does not get onto the list by enrolling.
pub(super) fn refused(id: &InstitutionId, removed: &Deed) -> Problem {
    let detail = format!(
        "the operator took {id} off the trust list at {} s since the epoch: {}; ask it to put {id} back, then start again",
        removed.at, removed.reason
    );
    Problem::forbidden("enrolment.removed", detail)
}

impl Listed {
    /// When and why it was taken off, if it is.
    pub(super) fn removed(&self) -> Option<&Deed> {
        let last = self.removals.last().filter(|last| last.lifted.is_none());
        last.map(|last| &last.removed)
    }

    /// Whether the list names it.
    pub(super) fn stands(&self) -> bool {
        !self.url.is_empty() && self.removed().is_none()
    }
}

impl Register {
    /// Changes what is kept of an institution, durably before it counts.
    fn change(
        &self,
        id: &InstitutionId,
        now: Timestamp,
        change: impl FnOnce(&mut Listed),
    ) -> Result<(), Problem> {
        let mut all = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(id).cloned().unwrap_or_default();
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            after.since = now.seconds();
            self.keep(id, &after)?;
            all.insert(id.clone(), after);
        }
        Ok(())
    }
}

impl TrustOperator {
    fn remove(
        &self,
        institution: &str,
        officer: String,
        reason: String,
    ) -> Result<ListedInstitution, Problem> {
        let id = self.known(institution)?;
        if id == self.id {
            let detail =
                "the operator does not take itself off its own list: nobody could read it any more";
            return Err(Problem::conflict("trust.operator_stays", detail));
        }
        self.decide(&id, officer, reason, |listed, removed| {
            if listed.removed().is_none() {
                listed.removals.push(Removal { removed, lifted: None });
            }
        })
    }

    fn restore(
        &self,
        institution: &str,
        officer: String,
        reason: String,
    ) -> Result<ListedInstitution, Problem> {
        self.decide(&self.known(institution)?, officer, reason, |listed, lifted| {
            if let Some(last) = listed.removals.last_mut().filter(|last| last.lifted.is_none()) {
                last.lifted = Some(lifted);
            }
        })
    }

    /// What an officer does about an institution, with the reason.
    fn decide(
        &self,
        id: &InstitutionId,
        officer: String,
        reason: String,
        change: impl FnOnce(&mut Listed, Deed),
    ) -> Result<ListedInstitution, Problem> {
        check_reason(&reason)?;
        let now = self.clock.read().wall;
        let deed = Deed { officer, at: now.seconds(), reason };
        self.register.change(id, now, |listed| change(listed, deed))?;
        self.entry(id)
    }

    fn known(&self, institution: &str) -> Result<InstitutionId, Problem> {
        let id = institution.parse::<InstitutionId>().ok();
        let id = id.filter(|id| self.register.known.contains_key(id));
        id.ok_or_else(|| Problem::not_found("institution of that id in the profile"))
    }

    fn entry(&self, id: &InstitutionId) -> Result<ListedInstitution, Problem> {
        let sequence = self.stamped()?.sequence;
        let all = self.register.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = all.get(id).cloned().unwrap_or_default();
        let kind = self.register.known.get(id).map_or("", |known| known.kind);
        Ok(ListedInstitution {
            institution: id.to_string(),
            kind: kind.to_owned(),
            listed: listed.stands(),
            url: Some(listed.url).filter(|url| !url.is_empty()),
            removals: listed.removals,
            sequence,
        })
    }
}
