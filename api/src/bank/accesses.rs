//! Who at the bank looked into the file of an account's holder: for the holder to see.

use super::{Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::looking::FileAccess;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::sync::Arc;
use yufu_base::AccountId;

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
