//! An account as its holder sees it: proven by the wallet's key.

use super::{Bank, Banks, named};
use crate::central_bank::WalletState;
use crate::http::{Problem, ProblemBody, bearer};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::AccountId;
use yufu_jose::Jwk;
use yufu_onboarding::Account;
use yufu_payment::RequestToken;

/// An account and what may be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountState {
    /// Its id.
    pub account: String,
    /// The bank that operates it.
    pub bank: String,
    /// Since when the key that asks commands it, in seconds since the epoch.
    pub key_since: u64,
    /// How that key came to: `opened`, `handed_over` or `recovered`.
    pub key_by: String,
    /// The wallet provider that the account is served through; none for a wallet of the bank's own.
    pub served_through: Option<String>,
    /// What the ledger says.
    #[serde(flatten)]
    pub wallet: WalletState,
}

/// An account of the asking wallet.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(get, path = "/banks/{bank}/v1/accounts/{account}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    security(("request" = [])),
    responses(
        (status = 200, body = AccountState),
        (status = 401, description = "not the account's key", body = ProblemBody),
        (status = 403, description = "another key commands the account now", body = ProblemBody),
        (status = 404, description = "no such account", body = ProblemBody)))]
pub(super) async fn account(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<AccountState>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}", bank.id);
    bank.authenticate(id, &headers, "GET", &path).await?;
    let key = bank.records.key_in_force(id).await?;
    Ok(Json(AccountState {
        account,
        bank: bank.id.to_string(),
        key_since: key.since.seconds(),
        key_by: key.way.as_str().to_owned(),
        served_through: key.provider,
        wallet: bank.wallet(id).await?,
    }))
}

impl Bank {
    /// The account, if the request is signed by its wallet key.
    pub(super) async fn authenticate(
        &self,
        id: AccountId,
        headers: &HeaderMap,
        method: &str,
        path: &str,
    ) -> Result<Account, Problem> {
        let token = bearer(headers).ok_or_else(|| {
            Problem::unauthenticated("send a request token signed by the account's wallet key as \"Authorization: Bearer ...\"")
        })?;
        let account = self.records.account(id).await?;
        let here = (self.id.as_str(), method, path);
        let read = |key: &_| RequestToken::verify(token, key, here, self.now());
        self.signed_for(&account, read).await?;
        Ok(account)
    }
}

/// The key that may give orders for an account.
pub(super) fn wallet_key(account: &Account) -> Result<Jwk, Problem> {
    serde_json::from_str(&account.wallet_key).map_err(Problem::internal)
}
