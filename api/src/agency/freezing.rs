//! A membership frozen by the member after a loss or theft: the pseudonym's key decides nothing any more, an account that
//! rests is given up, and what the agency attested is suspended. Showing the identity frees it, with a guard: somebody
//! else may have the key.

use super::{Agencies, Agency, named};
use crate::freezing::{Claimed, FreezeHandle, FreezeHandleKept, Frozen, Remains};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_programmes::{FreezeKey, Member};

/// For how long after a freeze no identity frees, in seconds: for so long a status list may be believed that does not say
/// yet that the identity on the lost device is suspended.
const STATUS_SECONDS: u64 = 300;

/// Leave the key that may freeze a membership. It is to be another one for each.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the sector key, for this address.
#[utoipa::path(post, path = "/agencies/{agency}/v1/programmes/{programme}/members/{pseudonym}/freeze-handle", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("programme" = String, Path, description = "the programme"), ("pseudonym" = String, Path, description = "the member's pseudonym")),
    request_body = FreezeHandle, security(("request" = [])),
    responses((status = 200, body = FreezeHandleKept), (status = 401, description = "not the pseudonym's key", body = ProblemBody), (status = 403, description = "the membership is frozen", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn leave(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, programme, pseudonym)): Path<(String, String, String)>,
    headers: HeaderMap,
    request: Result<Json<FreezeHandle>, JsonRejection>,
) -> Result<Json<FreezeHandleKept>, Problem> {
    let agency = named(&agencies, &agency)?;
    let at = (programme.as_str(), pseudonym.as_str());
    let member = agency.member(at, &headers, ("POST", "/freeze-handle")).await?;
    let (thumbprint, key) = request?.0.kept()?;
    let kept = FreezeKey { member: member.id, thumbprint: thumbprint.clone(), key };
    agency.records.keep_freeze_key(kept, agency.now()).await?;
    Ok(Json(FreezeHandleKept { thumbprint }))
}

/// Freeze the membership for which the asking key was left: its pseudonym's key decides nothing, an account that rests is
/// given up, and what the agency attested is suspended. What is due goes on to the account that was paid before.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the freeze key, for this address. Again is harmless.
#[utoipa::path(post, path = "/agencies/{agency}/v1/freezes", tag = "agency",
    params(("agency" = String, Path, description = "the agency")), security(("request" = [])),
    responses((status = 200, body = Frozen), (status = 401, body = ProblemBody), (status = 403, description = "no such key was left", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn freeze(
    State(agencies): State<Arc<Agencies>>,
    Path(agency): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Frozen>, Problem> {
    Ok(Json(named(&agencies, &agency)?.freeze(&headers).await?))
}

impl Agency {
    async fn freeze(&self, headers: &HeaderMap) -> Result<Frozen, Problem> {
        let claimed = Claimed::read(headers)?;
        let left = self.records.freeze_key(&claimed.thumbprint).await?;
        let path = format!("/agencies/{}/v1/freezes", self.id);
        let key = left.as_ref().map(|left| left.key.as_str());
        claimed.proven(key, (self.id.as_str(), &path), self.now())?;
        let left = left.ok_or_else(|| Problem::not_found("freeze key"))?;
        self.records.rested(self.now()).await?;
        let since = self.records.freeze(left.member, self.now()).await?;
        if let Some(issuer) = &self.issuer {
            issuer.records.suspend_all(left.member).await?;
        }
        Ok(Frozen::since(since).but([Remains::PseudonymKey]))
    }

    /// Frees a member who showed the identity, once that is known to be good. What the agency attested before is void:
    /// its copies lie on the lost device.
    pub(super) async fn free(&self, member: &Member) -> Result<(), Problem> {
        let Some(since) = member.frozen_at else { return Ok(()) };
        let from = since.plus_seconds(STATUS_SECONDS);
        if self.now() < from {
            let detail = format!(
                "this membership was frozen just now: enrol again from {} s since the epoch on, when it is known everywhere which identity was frozen with it",
                from.seconds()
            );
            return Err(frozen(detail, since).with("until", from.seconds()));
        }
        if let Some(issuer) = &self.issuer {
            issuer.records.withdraw(member.id).await?;
        }
        Ok(())
    }
}

/// Refuses what a pseudonym's key alone asks of a membership that its holder had frozen.
pub(super) fn must_not_be_frozen(member: &Member) -> Result<(), Problem> {
    let Some(since) = member.frozen_at else { return Ok(()) };
    let detail = "its holder had this membership frozen: enrol again, which shows your identity (`yufu wallet enrol`)";
    Err(frozen(detail.to_owned(), since))
}

/// Refuses what moves money or attests on the word of a key that somebody else may have.
pub(super) fn must_not_be_guarded(member: &Member) -> Result<(), Problem> {
    if member.guarded_at.is_none() {
        return Ok(());
    }
    let detail = "this membership was frozen once, so that its key alone decides no more: to name another account, enrol again with it, which shows your identity; to use the key again, have your pseudonyms replaced at a counter of the authority, and enrol with the new one";
    Err(Problem::forbidden("membership.identity_wanted", detail))
}

fn frozen(detail: String, since: Timestamp) -> Problem {
    Problem::forbidden("membership.frozen", detail).with("since", since.seconds())
}
