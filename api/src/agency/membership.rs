//! A member's own look and steps, each proven with the sector key alone: nothing is shown.

use super::freezing::{must_not_be_frozen, must_not_be_guarded};
use super::life::{DAY, proof_of_life_due};
use super::{Agencies, Agency, named};
use crate::http::{Problem, ProblemBody, bearer};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_jose::Jwk;
use yufu_payment::RequestToken;
use yufu_programmes::{Member, NextPayout, Payment, Payout, ProgrammesError};

/// All that the agency has on file of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberFile {
    /// The programme.
    pub programme: String,
    /// The pseudonym.
    pub pseudonym: String,
    /// `enrolled` or `left`.
    pub state: String,
    /// The first month that is paid.
    #[schema(example = "2026-11")]
    pub since: String,
    /// The bank of the account that is paid.
    pub bank: String,
    /// The account that is paid.
    pub account: String,
    /// When that account was taken down, in seconds since the epoch.
    pub account_since: u64,
    /// Another account that was named, and rests before it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_account: Option<NextAccount>,
    /// The status list in which the credential shown has its place.
    pub status_list: String,
    /// That place.
    pub status_place: u64,
    /// Until when that credential says anything, in seconds since the epoch.
    pub credential_until: u64,
    /// When it was shown last, in seconds since the epoch.
    pub shown_at: u64,
    /// By when it has to be shown again, in seconds since the epoch.
    pub proof_of_life_due: u64,
    /// The payments, the newest month first.
    pub payments: Vec<MemberPayment>,
}

/// An account that was named, and is not paid yet. If it was not the member who named it, she freezes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextAccount {
    /// Its bank.
    pub bank: String,
    /// The account.
    pub account: String,
    /// From when on it is paid, in seconds since the epoch.
    pub from: u64,
}

/// One month's payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberPayment {
    /// The month.
    pub month: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// `pending`, `paid` or `returned`.
    pub state: String,
    /// Why it came back: `account_closed`, `account_full`, `account_refused`, `identity_revoked` or
    /// `proof_of_life_due`.
    pub reason: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// When it was settled, in seconds since the epoch.
    pub settled_at: Option<u64>,
}

/// Another account for a member's payments.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutChange {
    /// A JWS of type `yufu-payout+jwt` by the member's sector key.
    pub payout: String,
}

/// What the agency has on file of the asking member.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the sector key, for this address.
#[utoipa::path(get, path = "/agencies/{agency}/v1/programmes/{programme}/members/{pseudonym}", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("programme" = String, Path, description = "the programme"), ("pseudonym" = String, Path, description = "the member's pseudonym")),
    security(("request" = [])),
    responses((status = 200, body = MemberFile), (status = 401, description = "not the pseudonym's key", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn mine(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, programme, pseudonym)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Json<MemberFile>, Problem> {
    let agency = named(&agencies, &agency)?;
    let member = agency.member((&programme, &pseudonym), &headers, ("GET", "")).await?;
    Ok(Json(agency.file(member).await?))
}

/// Name another account. The instruction is signed with the sector key: it proves itself.
///
/// The account that was paid goes on being paid for as many days as the programme says; at once only if payments come back
/// from it. To name the account that is paid gives up another one that rests.
#[utoipa::path(post, path = "/agencies/{agency}/v1/programmes/{programme}/members/{pseudonym}/account", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("programme" = String, Path, description = "the programme"), ("pseudonym" = String, Path, description = "the member's pseudonym")),
    request_body = PayoutChange,
    responses((status = 200, body = MemberFile), (status = 401, description = "not signed by the pseudonym's key, for this programme, now", body = ProblemBody), (status = 403, description = "the membership is frozen, or was once", body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "a newer instruction was taken", body = ProblemBody)))]
pub(super) async fn payout(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, programme, pseudonym)): Path<(String, String, String)>,
    request: Result<Json<PayoutChange>, JsonRejection>,
) -> Result<Json<MemberFile>, Problem> {
    let agency = named(&agencies, &agency)?;
    let Json(request) = request?;
    let member = agency.known_member(&programme, &pseudonym).await?;
    let payout = agency.payout(&request.payout, &key(&member)?, &programme)?;
    must_not_be_frozen(&member)?;
    must_not_be_guarded(&member)?;
    match agency.rests_until(&member, &payout).await? {
        Some(from) => agency.records.rest_payout(member.id, &payout, from).await?,
        None => agency.records.set_payout(member.id, &payout, agency.now()).await?,
    }
    let member = agency.records.member(&programme, &pseudonym).await?;
    Ok(Json(agency.file(member).await?))
}

/// Leave a programme: no further month is paid, and what the agency attested is void.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the sector key, for this address.
#[utoipa::path(post, path = "/agencies/{agency}/v1/programmes/{programme}/members/{pseudonym}/leaving", tag = "agency",
    params(("agency" = String, Path, description = "the agency"), ("programme" = String, Path, description = "the programme"), ("pseudonym" = String, Path, description = "the member's pseudonym")),
    security(("request" = [])),
    responses((status = 200, body = MemberFile), (status = 401, description = "not the pseudonym's key", body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn leave(
    State(agencies): State<Arc<Agencies>>,
    Path((agency, programme, pseudonym)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Json<MemberFile>, Problem> {
    let agency = named(&agencies, &agency)?;
    let member = agency.member((&programme, &pseudonym), &headers, ("POST", "/leaving")).await?;
    agency.records.leave(member.id).await?;
    if let Some(issuer) = &agency.issuer {
        issuer.records.withdraw(member.id).await?;
    }
    let member = agency.records.member(&programme, &pseudonym).await?;
    Ok(Json(agency.file(member).await?))
}

impl Agency {
    /// The member, if the request is signed with its sector key, for the address `below` its own.
    pub(super) async fn member(
        &self,
        (programme, pseudonym): (&str, &str),
        headers: &HeaderMap,
        (method, below): (&str, &str),
    ) -> Result<Member, Problem> {
        let token = bearer(headers).ok_or_else(|| {
            Problem::unauthenticated("send a request token signed by the pseudonym's key as \"Authorization: Bearer ...\"")
        })?;
        let member = self.known_member(programme, pseudonym).await?;
        let path =
            format!("/agencies/{}/v1/programmes/{programme}/members/{pseudonym}{below}", self.id);
        let to = (self.id.as_str(), method, path.as_str());
        RequestToken::verify(token, &key(&member)?.key, to, self.now())
            .map_err(Problem::unauthenticated)?;
        must_not_be_frozen(&member)?;
        Ok(member)
    }

    /// The member as it is now: an account whose rest is over is the one that is paid.
    pub(super) async fn known_member(
        &self,
        programme: &str,
        pseudonym: &str,
    ) -> Result<Member, ProgrammesError> {
        self.records.rested(self.now()).await?;
        self.records.member(programme, pseudonym).await
    }

    /// From when on an account that a member names is paid; none if at once.
    pub(super) async fn rests_until(
        &self,
        member: &Member,
        payout: &Payout,
    ) -> Result<Option<Timestamp>, Problem> {
        let named = (&payout.bank, &payout.account);
        let same = named == (&member.payout.bank, &member.payout.account);
        if same || self.records.is_paid_in_vain(member).await? {
            return Ok(None);
        }
        let days = u64::from(self.programme(&member.programme)?.payout_rest_days);
        Ok(Some(self.now().plus_seconds(days.saturating_mul(DAY))))
    }

    async fn file(&self, member: Member) -> Result<MemberFile, Problem> {
        let days = self.programme(&member.programme)?.proof_of_life_days;
        let due = proof_of_life_due(&member, days);
        let payments = self.records.payments(member.id).await?;
        Ok(MemberFile {
            programme: member.programme,
            pseudonym: member.pseudonym,
            state: member.state.to_string(),
            since: member.since.to_string(),
            bank: member.payout.bank,
            account: member.payout.account,
            account_since: member.payout_set_at.seconds(),
            next_account: member.next.map(NextAccount::from),
            status_list: member.status_uri,
            status_place: member.status_index,
            credential_until: member.says_until.seconds(),
            shown_at: member.shown_at.seconds(),
            proof_of_life_due: due.seconds(),
            payments: payments.into_iter().map(MemberPayment::from).collect(),
        })
    }
}

impl From<NextPayout> for NextAccount {
    fn from(next: NextPayout) -> Self {
        let Payout { bank, account, .. } = next.payout;
        Self { bank, account, from: next.from.seconds() }
    }
}

impl From<Payment> for MemberPayment {
    fn from(payment: Payment) -> Self {
        Self {
            month: payment.month.to_string(),
            amount_minor: payment.amount_minor,
            state: payment.state.to_string(),
            reason: payment.reason.map(|reason| reason.to_string()),
            remedy: payment.reason.map(|reason| reason.remedy().to_owned()),
            settled_at: payment.settled_at.map(Timestamp::seconds),
        }
    }
}

fn key(member: &Member) -> Result<Jwk, Problem> {
    serde_json::from_str(&member.key).map_err(Problem::internal)
}
