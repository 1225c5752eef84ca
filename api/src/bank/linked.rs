//! A class that needs an identity and a bank account: the bank of the account states that its
//! depositor holds the wallet's key, and the wallet's bank takes its word.

use super::accounts::wallet_key;
use super::branch::officer;
use super::{Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use crate::signing::unsigned;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::AccountId;
use yufu_machine::{Action, ClassId};
use yufu_onboarding::{Account, AccountState, Link};
use yufu_payment::{AccountStatement, SignedStatement};
use yufu_trust::Role;

/// For how long a statement may be used, in seconds.
const STATEMENT_SECONDS: u64 = 86_400;

/// A depositor's wish to have an account linked elsewhere, taken at a branch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementRequest {
    /// The depositor's account, by a reference chosen for this: no account number.
    #[schema(example = "link-2026-0042")]
    pub reference: String,
    /// The bank that is to be told: its id.
    pub audience: String,
    /// The thumbprint (RFC 7638, base64url) that the depositor's wallet shows.
    pub wallet_key_thumbprint: String,
}

/// A bank's signed word on a depositor's account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// A JWS of type `yufu-account-statement+jwt`, good for a day.
    pub statement: String,
}

/// A wish for a class that needs a linked account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// The class wanted.
    #[schema(example = "linked")]
    pub class: String,
    /// The other bank's statement.
    pub statement: String,
}

/// State that a depositor, identified at the counter by the named officer, holds a wallet's key.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/statements", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = StatementRequest,
    security(("operator" = [])),
    responses((status = 201, body = Statement), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, body = ProblemBody)))]
pub(super) async fn state(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<StatementRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Statement>), Problem> {
    let bank = named(&banks, &bank)?;
    officer(bank.operator.authenticate(&headers)?)?;
    let Json(request) = request?;
    let statement = AccountStatement {
        iss: bank.issuer.metadata.credential_issuer.to_string(),
        aud: request.audience,
        reference: request.reference,
        wallet_key_thumbprint: request.wallet_key_thumbprint,
        exp: bank.now().plus_seconds(STATEMENT_SECONDS),
    };
    let key = bank.issuer.signing.get();
    let signed = statement.sign(&key.chain, &*key.signer);
    let statement = signed.map_err(|error| unsigned(&*key.signer, error))?;
    Ok((StatusCode::CREATED, Json(Statement { statement })))
}

/// Link a bank account to a wallet that was opened with an identity, and get its class for it.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the account's wallet key, for this address.
#[utoipa::path(post, path = "/banks/{bank}/v1/accounts/{account}/linked-account", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    request_body = LinkRequest, security(("request" = [])),
    responses(
        (status = 200, body = CommandDone),
        (status = 401, description = "not the account's key", body = ProblemBody),
        (status = 403, description = "the statement is not trusted", body = ProblemBody),
        (status = 409, description = "the deposit is linked to another wallet", body = ProblemBody),
        (status = 422, description = "refused by a rule", body = ProblemBody)))]
pub(super) async fn link(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
    request: Result<Json<LinkRequest>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/linked-account", bank.id);
    let known = bank.authenticate(id, &headers, "POST", &path).await?;
    Ok(Json(bank.link(known, request?.0).await?))
}

impl super::Bank {
    async fn link(&self, account: Account, request: LinkRequest) -> Result<CommandDone, Problem> {
        if !self.wallet_rules.opening.remote() {
            let detail = "classes are changed in person only, by policy: go to a branch";
            return Err(Problem::refused("account.remote_closed", detail));
        }
        let at_most = self.wallet_rules.linked.get(&request.class).copied().ok_or_else(|| {
            let detail = format!("class {:?} is not given for a linked account", request.class);
            Problem::refused("account.class_not_by_link", detail)
        })?;
        if account.state != AccountState::Open {
            return Err(Problem::conflict("account.not_open", "wait until the account is open"));
        }
        if let Some(until) = self.rests_until(&account).await? {
            return Err(super::keys::resting(until));
        }
        let customer = account.customer.ok_or_else(|| {
            let detail =
                "nobody has shown an identity for this account: open one that is in a name";
            Problem::refused("account.no_customer", detail)
        })?;
        self.no_higher_for_wards(account.id).await?;
        let stated = self.stated(&account, &request.statement).await?;
        let class = ClassId::new(&request.class).map_err(Problem::malformed)?;
        let action = Action::SetClass { account: account.id, class };
        let subject = format!("class:{}:{}", account.id, request.class);
        let entry = self.entry(self.fresh_command_id(), subject, action)?;
        let link = Link {
            account: account.id,
            customer,
            bank: stated.iss,
            reference: stated.reference,
            statement: request.statement,
        };
        let into = (request.class.as_str(), at_most);
        self.records.link(&link, into, &entry, self.now()).await?;
        self.submit(entry.command).await
    }

    /// What a bank that the trust list names has stated about this wallet.
    async fn stated(&self, account: &Account, text: &str) -> Result<AccountStatement, Problem> {
        let refused =
            |error: &dyn std::fmt::Display| Problem::forbidden("statement.refused", error);
        let statement = SignedStatement::parse(text).map_err(|e| refused(&e))?;
        let chain = statement.chain().map_err(|e| refused(&e))?;
        let now = self.now();
        let trust = self.trust.list(now).await?;
        let by = trust.identify(Role::BankIssuer, &chain, now).map_err(|e| refused(&e))?;
        let thumbprint = wallet_key(account)?.thumbprint_base64url();
        let signer = (by.entry.identifier.as_str(), &by.leaf.public_key);
        statement.verify(signer, self.id.as_str(), &thumbprint, now).map_err(|e| refused(&e))
    }
}
