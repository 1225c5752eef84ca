//! The bank's desk: cash in and out, deposits, business accounts, and looking into a customer's
//! file, which is recorded.

use super::{Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_jose::Jwk;
use yufu_keys::random;
use yufu_machine::{Action, ClassId, Direction};
use yufu_onboarding::{Access, Account, AccountState};

/// An exchange between forms of money at the desk.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// A UUID of version 7, to repeat an exchange that was not answered; a fresh one if absent.
    pub id: Option<String>,
    /// From what into what.
    pub direction: ExchangeDirection,
    /// The wallet that takes part; absent between paper and deposit.
    pub account: Option<String>,
    /// How much, in minor units.
    pub amount_minor: u64,
}

/// From what into what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeDirection {
    /// Notes into the wallet.
    PaperToDigital,
    /// From the wallet into notes.
    DigitalToPaper,
    /// From a deposit into the wallet.
    DepositToDigital,
    /// From the wallet into a deposit.
    DigitalToDeposit,
    /// Notes into a deposit.
    PaperToDeposit,
    /// From a deposit into notes.
    DepositToPaper,
}

/// A business account, opened at a branch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its wallet class.
    pub class: String,
    /// The key that may give orders: a P-256 JWK.
    #[schema(value_type = Object)]
    pub wallet_key: Jwk,
}

/// An account that was opened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenedAccount {
    /// Its id.
    pub account: String,
}

/// How much is credited.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credit {
    /// In minor units.
    amount_minor: u64,
}

/// Why a customer's file is looked into, and what of it.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Look {
    /// What for, in a few words; it is recorded.
    purpose: String,
    /// The claims wanted, separated by spaces; they are recorded.
    fields: String,
}

impl Look {
    /// The look as it is recorded.
    pub(super) fn access(self, actor: String, at: Timestamp) -> Access {
        let fields = self.fields.split_whitespace().map(str::to_owned).collect();
        Access { actor, purpose: self.purpose, fields, at }
    }
}

/// Exchange between forms of money.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/exchanges", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = Exchange,
    security(("operator" = [])),
    responses((status = 200, body = CommandDone), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn exchange(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<Exchange>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    let bank = named(&banks, &bank)?;
    bank.operator.authenticate(&headers)?;
    let Json(request) = request?;
    bank.no_card_bypassed(&request).await?;
    let id = match &request.id {
        Some(id) => id.parse::<CommandId>().map_err(Problem::malformed)?,
        None => bank.fresh_command_id(),
    };
    let action = Action::Exchange {
        direction: request.direction()?,
        amount: bank.amount(request.amount_minor),
    };
    let entry = bank.entry(id, format!("desk:{id}"), action)?;
    let kept = bank.records.put_outbox(entry.clone(), bank.now()).await?;
    if same_order(&kept.submission, &entry.submission)? {
        Ok(Json(bank.submit(id).await?))
    } else {
        Err(Problem::conflict(
            "command.id_reused",
            "this id was used for another exchange: use a new one",
        ))
    }
}

/// Credit the bank's depositors in all: it lends, or pays interest.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/deposits", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = Credit,
    security(("operator" = [])),
    responses((status = 200, body = CommandDone), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn credit_deposits(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<Credit>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    let bank = named(&banks, &bank)?;
    bank.operator.authenticate(&headers)?;
    let id = bank.fresh_command_id();
    let action = Action::CreditDeposits { amount: bank.amount(request?.amount_minor) };
    bank.records.put_outbox(bank.entry(id, format!("desk:{id}"), action)?, bank.now()).await?;
    Ok(Json(bank.submit(id).await?))
}

/// Open a business account; its papers lie at the branch.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/accounts", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = NewAccount,
    security(("operator" = [])),
    responses((status = 200, body = OpenedAccount), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn open_account(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<NewAccount>, JsonRejection>,
) -> Result<Json<OpenedAccount>, Problem> {
    let bank = named(&banks, &bank)?;
    bank.operator.authenticate(&headers)?;
    let Json(request) = request?;
    let class = ClassId::new(&request.class).map_err(Problem::malformed)?;
    let account = AccountId::new(u128::from_be_bytes(random()));
    let id = bank.fresh_command_id();
    let entry =
        bank.entry(id, format!("account:{account}"), Action::OpenWallet { account, class })?;
    let wallet_key = serde_json::to_string(&request.wallet_key).map_err(Problem::internal)?;
    let new = Account {
        id: account,
        customer: None,
        class: request.class,
        wallet_key,
        state: AccountState::Opening,
    };
    bank.records.open_account(&new, &entry, bank.now()).await?;
    bank.submit(id).await?;
    Ok(Json(OpenedAccount { account: account.to_string() }))
}

/// Look into the file of an account's holder. The look is recorded, and the holder can see it.
#[utoipa::path(get, path = "/banks/{bank}/v1/desk/accounts/{account}/customer", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id"), Look),
    security(("operator" = [])),
    responses((status = 200, description = "the claims, by name", body = Object), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 410, description = "erased", body = ProblemBody)))]
pub(super) async fn customer(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
    look: Result<Query<Look>, QueryRejection>,
) -> Result<Json<Map<String, Value>>, Problem> {
    let bank = named(&banks, &bank)?;
    let operator = bank.operator.authenticate(&headers)?;
    let Query(look) = look.map_err(|rejection| Problem::malformed(rejection.body_text()))?;
    let account = bank.records.account(account.parse().map_err(Problem::malformed)?).await?;
    let customer = account.customer.ok_or_else(|| Problem::not_found("customer file"))?;
    let access = look.access(operator.name, bank.now());
    Ok(Json(bank.records.customer_claims(customer, access).await?))
}

impl super::Bank {
    /// Nothing leaves a counter wallet but by its card and PIN, and nothing an account that its holder had frozen.
    async fn no_card_bypassed(&self, exchange: &Exchange) -> Result<(), Problem> {
        use ExchangeDirection::{DigitalToDeposit, DigitalToPaper};
        let leaves = matches!(exchange.direction, DigitalToDeposit | DigitalToPaper);
        let id = exchange.account.as_deref().and_then(|id| id.parse::<AccountId>().ok());
        let Some(id) = id.filter(|_| leaves) else { return Ok(()) };
        match self.records.account(id).await {
            Ok(account) if account.wallet_key.is_empty() => {
                let detail =
                    "a card operates this wallet: its holder types card and PIN at a terminal";
                Err(Problem::refused("account.card_needed", detail))
            }
            Ok(account) => self.must_not_be_frozen(account.id).await,
            _ => Ok(()),
        }
    }
}

impl Exchange {
    fn direction(&self) -> Result<Direction, Problem> {
        use ExchangeDirection as Wire;
        let wallet = self.account.as_deref().map(str::parse::<AccountId>).transpose();
        let wallet = wallet.map_err(Problem::malformed)?;
        match (self.direction, wallet) {
            (Wire::PaperToDigital, Some(wallet)) => Ok(Direction::PaperToDigital(wallet)),
            (Wire::DigitalToPaper, Some(wallet)) => Ok(Direction::DigitalToPaper(wallet)),
            (Wire::DepositToDigital, Some(wallet)) => Ok(Direction::DepositToDigital(wallet)),
            (Wire::DigitalToDeposit, Some(wallet)) => Ok(Direction::DigitalToDeposit(wallet)),
            (Wire::PaperToDeposit, None) => Ok(Direction::PaperToDeposit),
            (Wire::DepositToPaper, None) => Ok(Direction::DepositToPaper),
            (_, Some(_)) => Err(Problem::malformed(
                "no wallet takes part in an exchange between paper and deposit: leave account out",
            )),
            (_, None) => Err(Problem::malformed("name the wallet that takes part as account")),
        }
    }
}

/// Whether two submissions carry the same order; their signatures differ by nature.
fn same_order(kept: &[u8], new: &[u8]) -> Result<bool, Problem> {
    let order = |bytes: &[u8]| {
        borsh::from_slice::<yufu_machine::Submission>(bytes)
            .map(|s| s.order)
            .map_err(Problem::internal)
    };
    Ok(order(kept)? == order(new)?)
}
