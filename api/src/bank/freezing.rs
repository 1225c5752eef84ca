//! An account frozen by its holder after a loss or theft, and freed again. The holder's key, left for this alone, stops
//! what leaves the account and what reads it; showing the identity for another key frees it, or an officer who saw the
//! holder. The ledger is not told: between a holder and the bank nobody else is needed.

use super::branch::{officer, seen};
use super::{Bank, Banks, named};
use crate::freezing::{
    Claimed, Freed, FreezeHandle, FreezeHandleKept, FreezeStep, Frozen, Remains,
};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::AccountId;
use yufu_onboarding::{Account, CounterStep, FreezeKey};

/// Leave the key that may freeze an account. It is to be another one for each account.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(post, path = "/banks/{bank}/v1/accounts/{account}/freeze-handle", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    request_body = FreezeHandle, security(("request" = [])),
    responses((status = 200, body = FreezeHandleKept), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, description = "the account is in nobody's name, so nobody could free it", body = ProblemBody)))]
pub(super) async fn leave(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
    request: Result<Json<FreezeHandle>, JsonRejection>,
) -> Result<Json<FreezeHandleKept>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/freeze-handle", bank.id);
    let account = bank.authenticate(id, &headers, "POST", &path).await?;
    in_a_name(&account)?;
    let (thumbprint, key) = request?.0.kept()?;
    let kept = FreezeKey { account: account.id, thumbprint: thumbprint.clone(), key };
    bank.records.keep_freeze_key(kept, bank.now()).await?;
    Ok(Json(FreezeHandleKept { thumbprint }))
}

/// Freeze the account for which the asking key was left: nothing leaves it, its wallet is answered nothing, and its
/// payment credentials are suspended. It can still be paid to.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the freeze key, for this address. Again is harmless.
#[utoipa::path(post, path = "/banks/{bank}/v1/freezes", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), security(("request" = [])),
    responses((status = 200, body = Frozen), (status = 401, body = ProblemBody), (status = 403, description = "no such key was left", body = ProblemBody)))]
pub(super) async fn freeze(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Frozen>, Problem> {
    let bank = named(&banks, &bank)?;
    let claimed = Claimed::read(&headers)?;
    let left = bank.records.freeze_key(&claimed.thumbprint).await?;
    let path = format!("/banks/{}/v1/freezes", bank.id);
    let key = left.as_ref().map(|left| left.key.as_str());
    claimed.proven(key, (bank.id.as_str(), &path), bank.now())?;
    let left = left.ok_or_else(|| Problem::not_found("freeze key"))?;
    Ok(Json(bank.freeze(left.account, None).await?))
}

/// Freeze an account whose holder stands at the counter. The `Operator` header names the officer.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/accounts/{account}/freezes", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    request_body = FreezeStep, security(("operator" = [])),
    responses((status = 200, body = Frozen), (status = 400, description = "no officer or evidence is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, description = "the account is in nobody's name", body = ProblemBody)))]
pub(super) async fn freeze_at_counter(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
    request: Result<Json<FreezeStep>, JsonRejection>,
) -> Result<Json<Frozen>, Problem> {
    let bank = named(&banks, &bank)?;
    let (account, step) = bank.at_counter(&account, &headers, request).await?;
    in_a_name(&account)?;
    Ok(Json(bank.freeze(account.id, Some(step)).await?))
}

/// Free an account whose holder stands at the counter. The `Operator` header names the officer.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/accounts/{account}/freezes/lift", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    request_body = FreezeStep, security(("operator" = [])),
    responses((status = 200, body = Freed), (status = 400, description = "no officer or evidence is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "its holder has not had it frozen", body = ProblemBody)))]
pub(super) async fn lift_at_counter(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
    request: Result<Json<FreezeStep>, JsonRejection>,
) -> Result<Json<Freed>, Problem> {
    let bank = named(&banks, &bank)?;
    let (account, step) = bank.at_counter(&account, &headers, request).await?;
    // Its credentials first: if this ends between the two, the account is still frozen, and is freed by the same again.
    bank.issuer.records.lift_all(subject(account.id)).await?;
    let now = bank.now();
    bank.records.lift_freeze(account.id, step, now).await?;
    Ok(Json(Freed { at: now.seconds() }))
}

impl Bank {
    /// The account that an officer acts on, and what the officer did it on.
    async fn at_counter(
        &self,
        account: &str,
        headers: &HeaderMap,
        request: Result<Json<FreezeStep>, JsonRejection>,
    ) -> Result<(Account, CounterStep), Problem> {
        let officer = officer(self.operator.authenticate(headers)?)?;
        let id: AccountId = account.parse().map_err(Problem::malformed)?;
        let evidence = request?.0.evidence;
        seen(&evidence)?;
        Ok((self.records.account(id).await?, CounterStep { officer, evidence }))
    }

    async fn freeze(
        &self,
        account: AccountId,
        at_counter: Option<CounterStep>,
    ) -> Result<Frozen, Problem> {
        let since = self.records.freeze(account, at_counter, self.now()).await?;
        self.issuer.records.suspend_all(subject(account)).await?;
        // Whose notes and purses are whose, the bank does not know: it says that it has such.
        let notes = self.mint.is_some().then_some(Remains::BearerNotes);
        Ok(Frozen::since(since).but(notes.into_iter().chain([Remains::Purses])))
    }

    /// Refuses whatever is asked of an account that its holder had frozen.
    pub(super) async fn must_not_be_frozen(&self, account: AccountId) -> Result<(), Problem> {
        let Some(since) = self.records.frozen_since(account).await? else { return Ok(()) };
        let detail = format!(
            "its holder had this account frozen at {} s since the epoch: recover it with your identity (`yufu wallet unfreeze`), or have it freed at a counter of the bank",
            since.seconds()
        );
        Err(Problem::forbidden("account.frozen_by_holder", detail).with("since", since.seconds()))
    }
}

/// As whom the bank's payment credentials know an account.
const fn subject(account: AccountId) -> Uuid {
    Uuid::from_u128(account.bits())
}

/// Only the holder of an account in a name can come forward to free it.
fn in_a_name(account: &Account) -> Result<(), Problem> {
    if account.customer.is_some() {
        return Ok(());
    }
    let detail = "nobody has shown an identity for this account, so nobody could free it again: it is not frozen by a key; hand it over to another wallet instead";
    Err(Problem::refused("account.no_customer", detail))
}
