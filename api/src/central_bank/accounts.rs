//! A wallet as its own bank may see it.

use super::CentralBank;
use crate::http::{Problem, ProblemBody, bearer};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, InstitutionId};
use yufu_machine::{Limits, Machine, Standing, WalletView};
use yufu_payment::RequestToken;

/// A wallet account: what it holds, what may still be paid. Amounts in minor units; a
/// missing limit is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletState {
    /// Its class.
    pub class: String,
    /// `open`, `dormant` or `closed`.
    pub standing: String,
    /// The wallet above it, if it is a sub-wallet.
    pub parent: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// What it holds.
    pub balance_minor: u64,
    /// Of that, what pending transfers do not promise to others.
    pub available_minor: u64,
    /// What pending transfers promise to it.
    pub promised_minor: u64,
    /// Whether nothing leaves it, by order of two authorities.
    pub frozen: bool,
    /// The most for one payment.
    pub limit_single_minor: Option<u64>,
    /// The most for one payment after a step-up; absent if the class has none.
    pub limit_single_stepped_up_minor: Option<u64>,
    /// What may still be paid today without a step-up.
    pub remaining_today_minor: Option<u64>,
    /// What may still be paid this year without a step-up.
    pub remaining_this_year_minor: Option<u64>,
    /// How much more it may hold.
    pub remaining_balance_minor: Option<u64>,
}

/// A wallet that the asking bank operates.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the bank's key, for this address.
#[utoipa::path(get, path = "/central-bank/v1/accounts/{account}", tag = "central bank",
    params(("account" = String, Path, description = "the account's id")),
    security(("request" = [])),
    responses(
        (status = 200, body = WalletState),
        (status = 401, description = "not a bank's token", body = ProblemBody),
        (status = 404, description = "no wallet of that bank", body = ProblemBody)))]
pub(super) async fn wallet(
    State(bank): State<Arc<CentralBank>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Result<Json<WalletState>, Problem> {
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/central-bank/v1/accounts/{account}");
    let asker = bank.asking_bank(&headers, ("GET", &path)).await?;
    let found = bank.read(|machine, now| machine.wallet(id, now)).await?;
    let own = found.filter(|wallet| wallet.bank == asker);
    Ok(Json(own.ok_or_else(|| Problem::not_found("wallet of yours"))?.into()))
}

impl CentralBank {
    /// Which registered bank signed the request token.
    pub(super) async fn asking_bank(
        &self,
        headers: &HeaderMap,
        (method, path): (&str, &str),
    ) -> Result<InstitutionId, Problem> {
        let token = bearer(headers).ok_or_else(|| {
            Problem::unauthenticated(
                "send a request token signed by the bank as \"Authorization: Bearer ...\"",
            )
        })?;
        let name = RequestToken::unverified_issuer(token).map_err(Problem::unauthenticated)?;
        let id: InstitutionId = name.parse().map_err(Problem::unauthenticated)?;
        let key_of = |machine: &Machine| machine.institution(&id).map(|found| found.key);
        let (key, now) = self.read(|machine, now| (key_of(machine), now)).await?;
        let key = key.ok_or_else(|| Problem::unauthenticated(format!("{id} is not registered")))?;
        RequestToken::verify(token, &key, (self.id.as_str(), method, path), now)
            .map_err(Problem::unauthenticated)?;
        Ok(id)
    }
}

impl From<WalletView> for WalletState {
    fn from(view: WalletView) -> Self {
        let single = |limits: Limits| limits.per_payment;
        Self {
            class: view.class.to_string(),
            standing: match view.standing {
                Standing::Open => "open",
                Standing::Dormant => "dormant",
                Standing::Closed => "closed",
            }
            .to_owned(),
            parent: view.parent.map(|parent| parent.to_string()),
            currency: view.balance.currency().to_string(),
            balance_minor: view.balance.minor(),
            available_minor: view.available.minor(),
            promised_minor: view.promised.minor(),
            frozen: view.frozen,
            limit_single_minor: single(view.limits),
            limit_single_stepped_up_minor: view.stepped_up.and_then(single),
            remaining_today_minor: view.remaining_today.map(|amount| amount.minor()),
            remaining_this_year_minor: view.remaining_this_year.map(|amount| amount.minor()),
            remaining_balance_minor: view.remaining_balance.map(|amount| amount.minor()),
        }
    }
}
