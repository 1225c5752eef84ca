//! An account handed over to another wallet: the key that commands it signs that another one does.

use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_jose::Jwk;
use yufu_onboarding::{AccountState, KeyChange, KeyWay, OnboardingError};
use yufu_payment::{HandOverOrder, SignedHandOver};

/// An order that hands an account over.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverRequest {
    /// A JWS of type `yufu-hand-over-order+jwt`, signed by the key that commands the account.
    pub order: String,
}

/// An account whose key was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyChanged {
    /// The account: the same as before.
    pub account: String,
    /// Its class.
    pub class: String,
    /// When the key was changed, in seconds since the epoch.
    pub since: u64,
}

/// Take an account over by an order of the key that commands it.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the NEW key, for this address: it proves
/// that whoever takes over holds the key. The old key stops at once, and payment credentials that
/// were issued to it are revoked. Repeating an order changes the key once and gives the first answer.
#[utoipa::path(post, path = "/banks/{bank}/v1/hand-overs", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = HandOverRequest,
    security(("request" = [])),
    responses(
        (status = 200, description = "changed, durably", body = KeyChanged),
        (status = 401, description = "not signed by the account's key, expired, for another bank, or the new key is not proven", body = ProblemBody),
        (status = 403, description = "the key that signed commands the account no longer, or the wallet attestation is refused", body = ProblemBody),
        (status = 404, description = "no such account", body = ProblemBody),
        (status = 409, description = "the id was used for another order, or the account is not open", body = ProblemBody)))]
pub(super) async fn hand_over(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<HandOverRequest>, JsonRejection>,
) -> Result<Json<KeyChanged>, Problem> {
    let bank = named(&banks, &bank)?;
    Ok(Json(bank.hand_over(&headers, &request?.order).await?))
}

impl Bank {
    async fn hand_over(&self, headers: &HeaderMap, text: &str) -> Result<KeyChanged, Problem> {
        let signed = SignedHandOver::parse(text).map_err(Problem::malformed)?;
        let asked = signed.unverified();
        self.prove(&asked.key, headers, &format!("/banks/{}/v1/hand-overs", self.id))?;
        let id = asked.id.to_string();
        if self.handed_over_at(asked).await?.is_none() {
            let account = self.records.account(asked.account).await?;
            let read = |key: &_| {
                SignedHandOver::parse(text)
                    .and_then(|s| s.verify(key, self.id.as_str(), self.now()))
            };
            let order = self.signed_for(&account, read).await?;
            if account.state != AccountState::Open {
                let detail = format!("the account is {}", account.state.as_str());
                return Err(Problem::conflict("account.not_open", detail));
            }
            let provider = self.comes_through(headers, &order.key).await?;
            let change = KeyChange {
                id,
                account: order.account,
                way: KeyWay::HandedOver,
                evidence: text.to_owned(),
                former_key: account.wallet_key,
                new_key: serde_json::to_string(&order.key).map_err(Problem::internal)?,
                provider,
            };
            self.records.hand_over(&change, self.now()).await?;
        }
        self.finish_key_changes().await?;
        let at = self.handed_over_at(asked).await?;
        let since = at.ok_or_else(|| Problem::internal("a change of a key was not kept"))?;
        let class = self.records.account(asked.account).await?.class;
        Ok(KeyChanged { account: asked.account.to_string(), class, since: since.seconds() })
    }

    /// When this very order changed the key, if it did.
    async fn handed_over_at(&self, order: &HandOverOrder) -> Result<Option<Timestamp>, Problem> {
        let known = self.records.key_change(&order.id.to_string()).await?;
        let Some((account, key, at)) = known else { return Ok(None) };
        let key: Jwk = serde_json::from_str(&key).map_err(Problem::internal)?;
        if account == order.account && key.key == order.key.key {
            Ok(Some(at))
        } else {
            Err(OnboardingError::OrderIdReused.into())
        }
    }
}
