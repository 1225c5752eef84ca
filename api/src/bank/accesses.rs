//! Who at the bank looked into the file of an account's holder: for the holder to see.

use super::{Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::AccountId;
use yufu_onboarding::Access;

/// One look into a customer's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileAccess {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Who at the bank.
    pub actor: String,
    /// What for.
    pub purpose: String,
    /// Which claims; never their values.
    pub fields: Vec<String>,
}

/// Who looked into the file behind the asking wallet's account, oldest first. An account without a
/// named holder has no file: the list is empty.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(get, path = "/banks/{bank}/v1/accounts/{account}/accesses", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    security(("request" = [])),
    responses(
        (status = 200, body = [FileAccess]),
        (status = 401, description = "not the account's key", body = ProblemBody),
        (status = 404, description = "no such account", body = ProblemBody)))]
pub(super) async fn accesses(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Vec<FileAccess>>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/accesses", bank.id);
    let account = bank.authenticate(id, &headers, "GET", &path).await?;
    let looks = match account.customer {
        Some(customer) => bank.records.accesses(customer).await?,
        None => Vec::new(),
    };
    Ok(Json(looks.into_iter().map(FileAccess::from).collect()))
}

impl From<Access> for FileAccess {
    fn from(access: Access) -> Self {
        let Access { actor, purpose, fields, at } = access;
        Self { at: at.seconds(), actor, purpose, fields }
    }
}
