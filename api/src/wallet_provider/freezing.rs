//! An instance stopped for good after a loss or theft, by the key that it left. Nobody could say who may start it again:
//! the provider knows no persons. Whoever finds the device makes a new instance.

use super::{WalletProviders, named};
use crate::freezing::{Claimed, FreezeHandle, FreezeHandleKept, Frozen};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::sync::Arc;

/// Leave the key that may stop the asking instance.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the instance's key, for this address.
#[utoipa::path(post, path = "/wallet-providers/{provider}/v1/freeze-handles", tag = "wallet provider",
    params(("provider" = String, Path, description = "the provider")), request_body = FreezeHandle,
    security(("request" = [])),
    responses((status = 200, body = FreezeHandleKept), (status = 401, body = ProblemBody), (status = 403, description = "no registered instance", body = ProblemBody)))]
pub(super) async fn leave(
    State(providers): State<Arc<WalletProviders>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    request: Result<Json<FreezeHandle>, JsonRejection>,
) -> Result<Json<FreezeHandleKept>, Problem> {
    let provider = named(&providers, &provider)?;
    let instance = provider.authenticate(&headers, "POST", "freeze-handles").await?;
    let (thumbprint, key) = request?.0.kept()?;
    provider.records.keep_freeze_key(&instance.thumbprint, (&thumbprint, &key)).await?;
    Ok(Json(FreezeHandleKept { thumbprint }))
}

/// Stop the instance that left the asking key, for good: nothing is vouched for any more that lies in it.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the freeze key, for this address. Again is harmless.
#[utoipa::path(post, path = "/wallet-providers/{provider}/v1/freezes", tag = "wallet provider",
    params(("provider" = String, Path, description = "the provider")), security(("request" = [])),
    responses((status = 200, body = Frozen), (status = 401, body = ProblemBody), (status = 403, description = "no such key was left", body = ProblemBody)))]
pub(super) async fn stop(
    State(providers): State<Arc<WalletProviders>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Frozen>, Problem> {
    let provider = named(&providers, &provider)?;
    let (claimed, now) = (Claimed::read(&headers)?, provider.clock.read().wall);
    let key = provider.records.freeze_key(&claimed.thumbprint).await?;
    let path = format!("/wallet-providers/{}/v1/freezes", provider.id);
    claimed.proven(key.as_deref(), (provider.id.as_str(), &path), now)?;
    provider.records.stop(&claimed.thumbprint, now).await?;
    Ok(Json(Frozen::since(now)))
}
