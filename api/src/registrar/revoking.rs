//! The registrar's desk on registrations: which there are, revoking a party's use, lifting that; and the
//! list of those revoked, which wallets fetch whole.

use super::{Registrar, check_reason};
use crate::http::{Problem, ProblemBody};
use crate::status_list::{self, Asked};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_base::InstitutionId;
use yufu_registrations::{Deed, Registration, RegistrationsError, Revocation};
use yufu_trust::Status;

/// The number of the list in which every registration has its place. One for all, so that a wallet that fetches it
/// says nothing of whose registration it looks at.
pub(super) const LIST: i32 = 1;
/// How many places it has.
pub(super) const LIST_SIZE: i32 = 1 << 17;

/// What an officer revokes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationRequest {
    /// The party's registered id.
    #[schema(example = "yellow-crane-hotel")]
    pub party: String,
    /// Which use of it; all of them if absent.
    #[serde(default)]
    #[schema(example = "check-in")]
    pub intended_use: Option<String>,
    /// Why, in 1 to 500 characters. The party is told.
    pub reason: String,
}

/// Why a revocation is lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftRequest {
    /// Why, in 1 to 500 characters.
    pub reason: String,
}

/// Who did something at the desk, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeedEntry {
    /// The officer, by staff name.
    pub officer: String,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Why.
    pub reason: String,
}

/// A revocation of a party's use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevocationEntry {
    /// Its id.
    pub revocation: String,
    /// The party's registered id.
    pub party: String,
    /// The use.
    pub intended_use: String,
    /// Who revoked it.
    pub revoked: DeedEntry,
    /// Who lifted it; absent while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<DeedEntry>,
}

/// A registration that was certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegistrationEntry {
    /// The party's registered id.
    pub party: String,
    /// The use.
    pub intended_use: String,
    /// Its place in the status list.
    pub place: i32,
    /// The thumbprint of the access key (RFC 7638).
    pub access_key: String,
    /// When it was first certified, in seconds since the epoch.
    pub certified_at: u64,
    /// When it was last certified, in seconds since the epoch.
    pub renewed_at: u64,
    /// Until when its newest certificate holds, in seconds since the epoch.
    pub expires_at: u64,
    /// The revocation that ended it for good; absent while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<String>,
}

/// A status list of registrations, signed.
#[utoipa::path(get, path = "/registrar/status/{list}", tag = "registrar",
    params(("list" = String, Path, description = "the list's number")),
    responses((status = 200, description = "Token Status List; as CWT if `Accept` asks for application/statuslist+cwt", body = String, content_type = "application/statuslist+jwt"), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(registrar): State<Arc<Registrar>>,
    Path(list): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    registrar.status_list(&list, &headers).await
}

/// Every registration, with its place in the list.
#[utoipa::path(get, path = "/registrar/v1/desk/registrations", tag = "registrar", security(("operator" = [])),
    responses((status = 200, body = [RegistrationEntry]), (status = 401, body = ProblemBody)))]
pub(super) async fn registrations(
    State(registrar): State<Arc<Registrar>>,
    headers: HeaderMap,
) -> Result<Json<Vec<RegistrationEntry>>, Problem> {
    registrar.operator.authenticate(&headers)?;
    let all = registrar.registrations.all().await?;
    Ok(Json(all.into_iter().map(RegistrationEntry::from).collect()))
}

/// Every revocation, newest first.
#[utoipa::path(get, path = "/registrar/v1/desk/revocations", tag = "registrar", security(("operator" = [])),
    responses((status = 200, body = [RevocationEntry]), (status = 401, body = ProblemBody)))]
pub(super) async fn revocations(
    State(registrar): State<Arc<Registrar>>,
    headers: HeaderMap,
) -> Result<Json<Vec<RevocationEntry>>, Problem> {
    registrar.operator.authenticate(&headers)?;
    let all = registrar.registrations.revocations().await?;
    Ok(Json(all.into_iter().map(RevocationEntry::from).collect()))
}

/// Revoke a party's use, or all of its uses: its certificates for it are void for good, and it gets no new
/// one until the revocation is lifted. One that stands is answered as it is.
#[utoipa::path(post, path = "/registrar/v1/desk/revocations", tag = "registrar", security(("operator" = [])), request_body = RevocationRequest,
    responses((status = 200, description = "what stands now, by use", body = [RevocationEntry]), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "no such party or use", body = ProblemBody)))]
pub(super) async fn revoke(
    State(registrar): State<Arc<Registrar>>,
    headers: HeaderMap,
    request: Result<Json<RevocationRequest>, JsonRejection>,
) -> Result<Json<Vec<RevocationEntry>>, Problem> {
    let officer = registrar.operator.authenticate(&headers)?.officer()?;
    let stand = registrar.revoke(request?.0, officer).await?;
    Ok(Json(stand.into_iter().map(RevocationEntry::from).collect()))
}

/// Lift a revocation: the party may enrol for that use again, and gets a new certificate. The old ones stay void.
#[utoipa::path(post, path = "/registrar/v1/desk/revocations/{revocation}/lift", tag = "registrar",
    params(("revocation" = String, Path, description = "the revocation")), security(("operator" = [])), request_body = LiftRequest,
    responses((status = 200, body = RevocationEntry), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn lift(
    State(registrar): State<Arc<Registrar>>,
    Path(revocation): Path<String>,
    headers: HeaderMap,
    request: Result<Json<LiftRequest>, JsonRejection>,
) -> Result<Json<RevocationEntry>, Problem> {
    let officer = registrar.operator.authenticate(&headers)?.officer()?;
    let deed = registrar.deed(request?.0.reason, officer)?;
    let id: Uuid = revocation.parse().map_err(|_| Problem::not_found("revocation"))?;
    Ok(Json(registrar.registrations.lift(id, &deed).await?.into()))
}

impl Registrar {
    async fn status_list(&self, list: &str, asked: &HeaderMap) -> Result<Response, Problem> {
        if status_list::number(list)? != LIST {
            return Err(Problem::not_found("status list"));
        }
        let (now, version) = (self.clock.read().wall, self.registrations.version().await?);
        let revoked = async {
            let ended = status_list::ended(now);
            let places = self.registrations.revoked_places(LIST, ended).await?.into_iter();
            Ok(places.map(|place| (place, Status::Invalid)).collect())
        };
        let uri = status_list::address(&self.certifier.identifier, LIST);
        let by = self.certifier.registration_signer()?.public_key();
        let list = Asked { list: LIST, uri, places: LIST_SIZE, version, by };
        let key = || self.certifier.registration_key(now);
        self.published.answer(list, revoked, key, asked, now).await
    }

    async fn revoke(
        &self,
        request: RevocationRequest,
        officer: String,
    ) -> Result<Vec<Revocation>, Problem> {
        let deed = self.deed(request.reason, officer)?;
        let mut uses = self.uses(&request.party).await?;
        if let Some(one) = &request.intended_use {
            uses.retain(|intended_use| intended_use == one);
        }
        if uses.is_empty() {
            return Err(Problem::not_found("registered use of that party"));
        }
        Ok(self.registrations.revoke(&request.party, &uses, &deed).await?)
    }

    /// What a party may be registered for by the profile, and what it was certified for before.
    async fn uses(&self, party: &str) -> Result<BTreeSet<String>, Problem> {
        let certified = self.registrations.all().await?.into_iter();
        let certified = certified.filter(|one| one.party == party).map(|one| one.intended_use);
        let id = party.parse::<InstitutionId>().ok();
        let institution = id.and_then(|id| self.certifier.institutions.get(&id));
        let requests = institution.map_or(&[][..], |institution| &institution.requests);
        Ok(certified.chain(requests.iter().map(|request| request.id.clone())).collect())
    }

    fn deed(&self, reason: String, officer: String) -> Result<Deed, Problem> {
        check_reason(&reason)?;
        Ok(Deed { reason, officer, at: self.clock.read().wall })
    }
}

impl From<Deed> for DeedEntry {
    fn from(deed: Deed) -> Self {
        let Deed { reason, officer, at } = deed;
        Self { officer, at: at.seconds(), reason }
    }
}

impl From<Revocation> for RevocationEntry {
    fn from(revocation: Revocation) -> Self {
        let Revocation { id, party, intended_use, revoked, lifted } = revocation;
        Self {
            revocation: id.to_string(),
            party,
            intended_use,
            revoked: revoked.into(),
            lifted: lifted.map(DeedEntry::from),
        }
    }
}

impl From<Registration> for RegistrationEntry {
    fn from(row: Registration) -> Self {
        Self {
            party: row.party,
            intended_use: row.intended_use,
            place: row.position,
            access_key: row.access_key,
            certified_at: row.certified_at.seconds(),
            renewed_at: row.renewed_at.seconds(),
            expires_at: row.expires_at.seconds(),
            revocation: row.revocation.map(|id| id.to_string()),
        }
    }
}

impl From<RegistrationsError> for Problem {
    fn from(error: RegistrationsError) -> Self {
        match error {
            RegistrationsError::Unknown(what) => Self::not_found(what),
            RegistrationsError::ListFull => Self::unavailable("status_list.full", error),
            other => Self::internal(other),
        }
    }
}
