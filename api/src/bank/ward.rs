//! Opening an account for a minor: the guardian shows an identity and the guardianship in one answer,
//! the account is the ward's, and the guardian's wallet operates it.

use super::opening::{NUMBER, Opening, OpeningRequest, credential, presented, text};
use super::presentation::{Answer, GUARDIANSHIP, Purpose};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use std::sync::Arc;
use yufu_base::AccountId;
use yufu_onboarding::Guardian;

use super::desk::Look;
use super::opening::BIRTHDATE;

/// Begin to open an account for a ward, as the guardian. Where it stands: as of any opening.
#[utoipa::path(post, path = "/banks/{bank}/v1/ward-openings", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = OpeningRequest,
    responses((status = 201, body = Opening), (status = 400, body = ProblemBody), (status = 403, description = "the bank is not registered to ask", body = ProblemBody), (status = 422, description = "no such class, or not remotely", body = ProblemBody)))]
pub(super) async fn open(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<OpeningRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Opening>), Problem> {
    let bank = named(&banks, &bank)?;
    let Json(request) = request?;
    let provider = bank.comes_through(&headers, &request.wallet_key).await?;
    let opening = bank.start_opening(request, Purpose::OpenForWard, provider).await?;
    Ok((StatusCode::CREATED, Json(opening)))
}

/// Look at who operates a ward's account. The look is recorded, and the ward can see it.
#[utoipa::path(get, path = "/banks/{bank}/v1/desk/accounts/{account}/guardian", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id"), Look),
    security(("operator" = [])),
    responses((status = 200, description = "the guardian's claims, by name", body = Object), (status = 401, body = ProblemBody), (status = 404, description = "no guardian operates it", body = ProblemBody)))]
pub(super) async fn guardian(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Map<String, Value>>, Problem> {
    let bank = named(&banks, &bank)?;
    let operator = bank.operator.authenticate(&headers)?;
    let Query(look) = look.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let account: AccountId = account.parse().map_err(Problem::malformed)?;
    let access = look.access(operator.name, bank.now());
    let wanted = access.fields.clone();
    let found = bank.records.guardian(account, access).await?;
    let mut claims = found.ok_or_else(|| Problem::not_found("guardian"))?.claims;
    claims.retain(|name, _| wanted.contains(name));
    Ok(Json(claims))
}

impl Bank {
    /// A verified presentation of both credentials opens the ward's account.
    pub(super) async fn opened_for_ward(&self, answer: Answer) -> Result<(), Problem> {
        let own = self.party.get().identity.person(presented(&answer)?)?;
        let shown = credential(&answer, GUARDIANSHIP)?;
        let named = member(&shown.claims, "guardian")?;
        if own.number != text(named, NUMBER)? {
            let detail =
                "the guardianship names another guardian than the identity shown: use your own";
            return Err(Problem::forbidden("guardian.not_the_guardian", detail));
        }
        let ward = member(&shown.claims, "ward")?.clone();
        let ward_birthdate = text(&ward, BIRTHDATE)?.to_owned();
        if self.wallet_rules.ages.of_age(&ward_birthdate, self.now())? {
            let detail = "the ward is of age and opens an account alone, with an identity";
            return Err(Problem::refused("account.ward_of_age", detail));
        }
        let status = shown.status.as_ref().map(|status| (status.uri.clone(), status.index));
        let status = status.ok_or_else(|| {
            let detail = "the guardianship has no status, so that its end could not be seen";
            Problem::new(StatusCode::BAD_REQUEST, "presentation.rejected", detail)
        })?;
        let guardian = Guardian { claims: own.claims, ward_birthdate, status };
        let number = text(&ward, NUMBER)?.to_owned();
        let enrolment = self.enrolment(answer, number, ward)?;
        let command = enrolment.command.command;
        self.records.enrol_ward(enrolment, &guardian, self.now()).await?;
        self.submit(command).await?;
        Ok(())
    }
}

/// A claim that holds others.
fn member<'a>(
    claims: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, Problem> {
    claims.get(name).and_then(Value::as_object).ok_or_else(|| {
        let detail = format!("the guardianship lacks the claim {name}");
        Problem::new(StatusCode::BAD_REQUEST, "presentation.rejected", detail)
    })
}
