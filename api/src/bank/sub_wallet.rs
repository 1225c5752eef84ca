//! Sub-wallets: a holder's signed order pushes a smaller wallet to a merchant, fills it, and closes
//! it. Payments from it are orders like any other, signed by the key it was opened for.

use super::{Bank, Banks, named};
use crate::central_bank::WalletState;
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, Digest};
use yufu_keys::random;
use yufu_machine::{Action, SubLimits, Submission};
use yufu_onboarding::{Account, AccountState};
use yufu_payment::{SignedSubWalletOrder, SubWalletOrder, SubWalletStep};

/// An order about sub-wallets.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubWalletRequest {
    /// A JWS of type `yufu-sub-wallet-order+jwt`, signed by the key of the wallet above.
    pub order: String,
}

/// What the order came to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SubWalletDone {
    /// The sub-wallet's account.
    pub account: String,
    /// What it holds now, in minor units.
    pub balance_minor: Option<u64>,
}

/// Open, fill or close a sub-wallet.
///
/// Repeating an order with its id does it once and gives the first answer.
#[utoipa::path(post, path = "/banks/{bank}/v1/sub-wallets", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = SubWalletRequest,
    responses(
        (status = 200, body = SubWalletDone),
        (status = 401, description = "not signed by the account's key, expired, or for another ledger", body = ProblemBody),
        (status = 404, description = "no such account, or not below this one", body = ProblemBody),
        (status = 409, description = "the id was used for another order", body = ProblemBody),
        (status = 422, description = "refused by a rule", body = ProblemBody)))]
pub(super) async fn act(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Json<SubWalletRequest>, JsonRejection>,
) -> Result<Json<SubWalletDone>, Problem> {
    let bank = named(&banks, &bank)?;
    Ok(Json(bank.sub_wallet(&request?.order).await?))
}

/// A sub-wallet below one of the asking wallet's accounts.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(get, path = "/banks/{bank}/v1/accounts/{account}/sub-wallets/{sub}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account above"), ("sub" = String, Path, description = "the sub-wallet's account")),
    security(("request" = [])),
    responses(
        (status = 200, body = WalletState),
        (status = 401, description = "not the account's key", body = ProblemBody),
        (status = 404, description = "no such account, or not below this one", body = ProblemBody)))]
pub(super) async fn below(
    State(banks): State<Arc<Banks>>,
    Path((bank, account, sub)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Json<WalletState>, Problem> {
    let bank = named(&banks, &bank)?;
    let parent: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/sub-wallets/{sub}", bank.id);
    bank.authenticate(parent, &headers, "GET", &path).await?;
    let sub = bank.below(&sub, parent).await?;
    Ok(Json(bank.wallet(sub).await?))
}

impl Bank {
    async fn sub_wallet(&self, text: &str) -> Result<SubWalletDone, Problem> {
        let signed = SignedSubWalletOrder::parse(text).map_err(Problem::malformed)?;
        let parent = self.records.account(signed.unverified().parent).await?;
        let commitment = signed.commitment();
        let ledger = self.central_bank.0.as_str();
        let read = |key: &_| SignedSubWalletOrder::parse(text)?.verify(key, ledger, self.now());
        let order = self.signed_for(&parent, read).await?;
        let account = match self.taken(&order, commitment).await? {
            Some(account) => account,
            None => self.take(&order, &parent, commitment).await?,
        };
        let done = self.submit(order.id).await?;
        Ok(SubWalletDone { account: account.to_string(), balance_minor: done.balance_minor })
    }

    /// The sub-wallet that this very order was about when it was taken before.
    async fn taken(
        &self,
        order: &SubWalletOrder,
        commitment: Digest,
    ) -> Result<Option<AccountId>, Problem> {
        let Some(entry) = self.records.outbox(order.id).await? else { return Ok(None) };
        let known: Submission = borsh::from_slice(&entry.submission).map_err(Problem::internal)?;
        match known.order.action {
            Action::OpenSubWallet { account, order, .. }
            | Action::FundSubWallet { account, order, .. }
                if order == commitment =>
            {
                Ok(Some(account))
            }
            Action::CloseWallet { account } if closes(order, account) => Ok(Some(account)),
            _ => Err(yufu_onboarding::OnboardingError::OrderIdReused.into()),
        }
    }

    /// Takes an order: its rows and its ledger command in one transaction.
    async fn take(
        &self,
        order: &SubWalletOrder,
        parent: &Account,
        commitment: Digest,
    ) -> Result<AccountId, Problem> {
        let now = self.now();
        match &order.step {
            SubWalletStep::Open {
                key,
                payee,
                per_payment_minor,
                per_day_minor,
                balance_minor,
                ..
            } => {
                let account = AccountId::new(u128::from_be_bytes(random()));
                let limits = SubLimits {
                    per_payment: *per_payment_minor,
                    per_day: *per_day_minor,
                    balance: *balance_minor,
                };
                let payee = payee.parse().map_err(Problem::malformed)?;
                let (parent_id, order_digest) = (order.parent, commitment);
                let action = Action::OpenSubWallet {
                    account,
                    parent: parent_id,
                    payee,
                    limits,
                    order: order_digest,
                };
                let new = Account {
                    id: account,
                    // Counted neither as the holder's own nor found by identity: the wallet above is.
                    customer: None,
                    class: parent.class.clone(),
                    wallet_key: serde_json::to_string(key).map_err(Problem::internal)?,
                    state: AccountState::Opening,
                };
                let entry = self.entry(order.id, format!("account:{account}"), action)?;
                self.records.open_account(&new, &entry, now).await?;
                Ok(account)
            }
            SubWalletStep::Fund { account, amount_minor } => {
                let account = self.below(account, order.parent).await?;
                let amount = self.amount(*amount_minor);
                let action = Action::FundSubWallet { account, amount, order: commitment };
                let entry = self.entry(order.id, format!("desk:{}", order.id), action)?;
                self.records.put_outbox(entry, now).await?;
                Ok(account)
            }
            SubWalletStep::Close { account } => {
                let account = self.below(account, order.parent).await?;
                let action = Action::CloseWallet { account };
                let entry = self.entry(order.id, format!("close:{account}"), action)?;
                self.records.put_outbox(entry, now).await?;
                Ok(account)
            }
        }
    }

    /// A sub-wallet, once the ledger says that it lies below `parent`.
    async fn below(&self, account: &str, parent: AccountId) -> Result<AccountId, Problem> {
        let account: AccountId = account.parse().map_err(Problem::malformed)?;
        let above = self.wallet(account).await?.parent;
        if above.is_some_and(|above| above == parent.to_string()) {
            Ok(account)
        } else {
            Err(Problem::not_found("sub-wallet of this wallet"))
        }
    }
}

/// Whether an order closes this account.
fn closes(order: &SubWalletOrder, account: AccountId) -> bool {
    matches!(&order.step, SubWalletStep::Close { account: named } if *named == account.to_string())
}
