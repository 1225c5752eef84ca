//! Steps at a branch that an officer answers for: tokens for purses, another class, rest and its
//! end, closing. Each is recorded with the officer's name and what was seen.

use super::{Bank, Banks, named};
use crate::http::{Operator, Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_base::{AccountId, Digest};
use yufu_keys::random_text;
use yufu_machine::{Action, ClassId};
use yufu_onboarding::BranchStep;
use yufu_profile::{AccountOpening, ForeignIdentity};

use super::codes::CodeDelivery;

/// For how long a token from a counter is good, in seconds: thirty days.
const TOKEN_SECONDS: u64 = 30 * 86_400;

/// What the profile says of opening wallets, and how codes are delivered.
pub struct WalletRules {
    /// Classes that need no identity, and how many of them one number may have.
    pub anonymous: BTreeMap<String, u32>,
    /// Classes that a step at a branch gives, and how many of them one person may have.
    pub in_person: BTreeMap<String, u32>,
    /// Classes that a linked bank account gives, and how many of them one person may have.
    pub linked: BTreeMap<String, u32>,
    /// Where wallets that need an identity may be opened.
    pub opening: AccountOpening,
    /// For how long an account whose key was recovered keeps to its ordinary limits, in seconds.
    pub key_rest_seconds: u64,
    /// Whether an identity of a recognised country opens one.
    pub foreign_identity: ForeignIdentity,
    /// How many digits a code has.
    pub code_digits: u8,
    /// How codes reach a telephone.
    pub codes: Box<dyn CodeDelivery>,
}

/// A wish for a token.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The class of the purse it opens.
    #[schema(example = "pocket")]
    pub class: String,
}

/// A token for one purse.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CounterToken {
    /// To be handed over; the bank keeps only a keyed digest of it.
    pub token: String,
    /// Until when it is good, in seconds since the epoch.
    pub expires: u64,
}

/// What is done to a wallet at a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "step", deny_unknown_fields)]
pub enum StepKind {
    /// Gives it another class.
    SetClass {
        /// Which.
        class: String,
    },
    /// Closes it for good; a purse's telephone number is erased with it.
    Close,
    /// Flags it dormant.
    FlagDormant,
    /// Its holder came forward.
    Reactivate,
}

/// A step at a branch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// What is done.
    #[serde(flatten)]
    pub kind: StepKind,
    /// What the officer saw, and where it is filed: no personal data.
    #[schema(example = "ID card seen, form 2026-117")]
    pub evidence: String,
}

/// Give out a token for one purse without identity.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/tokens", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = TokenRequest,
    security(("operator" = [])),
    responses((status = 201, body = CounterToken), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn token(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<TokenRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<CounterToken>), Problem> {
    let bank = named(&banks, &bank)?;
    let officer = officer(bank.operator.authenticate(&headers)?)?;
    let class = request?.0.class;
    bank.anonymous_at_most(&class)?;
    let (token, now) = (random_text(), bank.now());
    let expires = now.plus_seconds(TOKEN_SECONDS);
    bank.records.issue_token(&token, &class, &officer, (now, expires)).await?;
    Ok((StatusCode::CREATED, Json(CounterToken { token, expires: expires.seconds() })))
}

/// Do something to a wallet at a branch. The `Operator` header names the officer.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/accounts/{account}/steps", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank"), ("account" = String, Path, description = "the account's id")),
    request_body = Step, security(("operator" = [])),
    responses((status = 200, body = CommandDone), (status = 400, description = "no officer or evidence is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn step(
    State(banks): State<Arc<Banks>>,
    Path((bank, account)): Path<(String, String)>,
    headers: HeaderMap,
    request: Result<Json<Step>, JsonRejection>,
) -> Result<Json<CommandDone>, Problem> {
    let bank = named(&banks, &bank)?;
    let officer = officer(bank.operator.authenticate(&headers)?)?;
    let account: AccountId = account.parse().map_err(Problem::malformed)?;
    Ok(Json(bank.branch_step(account, officer, request?.0).await?))
}

impl Bank {
    async fn branch_step(
        &self,
        account: AccountId,
        officer: String,
        request: Step,
    ) -> Result<CommandDone, Problem> {
        if request.evidence.trim().is_empty() || request.evidence.len() > 200 {
            return Err(Problem::malformed(
                "evidence is to be 1 to 200 bytes: what was seen, where it is filed",
            ));
        }
        let known = self.records.account(account).await?;
        let (step, subject, action, into) = match &request.kind {
            StepKind::SetClass { class } => {
                let into = self.class_at_branch(known.customer, class)?;
                let id = ClassId::new(class).map_err(Problem::malformed)?;
                let action = Action::SetClass { account, class: id };
                (format!("class {class}"), format!("class:{account}:{class}"), action, into)
            }
            StepKind::Close => {
                let action = Action::CloseWallet { account };
                ("close".to_owned(), format!("close:{account}"), action, None)
            }
            StepKind::FlagDormant => {
                let action = Action::FlagDormant { account };
                ("dormant".to_owned(), format!("desk:{account}"), action, None)
            }
            StepKind::Reactivate => {
                let evidence = Digest::derive("yufu.branch-step.v1", request.evidence.as_bytes());
                let action = Action::Reactivate { account, evidence };
                ("reactivate".to_owned(), format!("desk:{account}"), action, None)
            }
        };
        let entry = self.entry(self.fresh_command_id(), subject, action)?;
        let at = self.now();
        let noted = BranchStep { account, step, officer, evidence: request.evidence, at };
        let into = into.as_ref().map(|(who, class, at_most)| (*who, class.as_str(), *at_most));
        self.records.branch_step(&noted, into, &entry).await?;
        let done = self.submit(entry.command).await?;
        if request.kind == StepKind::Close {
            self.records.erase_number(account).await?;
        }
        Ok(done)
    }

    /// Whether a branch may give a wallet this class, and what of it is counted: nothing for a
    /// class without identity, else how many of it the customer may have.
    fn class_at_branch(
        &self,
        customer: Option<Uuid>,
        class: &str,
    ) -> Result<Option<(Uuid, String, u32)>, Problem> {
        let rules = &self.wallet_rules;
        if rules.anonymous.contains_key(class) {
            return Ok(None);
        }
        if !rules.opening.in_person() {
            let detail =
                "wallets with an identity are opened remotely only, by policy: use the wallet";
            return Err(Problem::refused("account.in_person_closed", detail));
        }
        let at_most = rules.in_person.get(class).copied().ok_or_else(|| {
            let names: Vec<&str> = rules.in_person.keys().map(String::as_str).collect();
            let detail = format!(
                "class {class:?} is not given at a branch: choose one of {}",
                names.join(", ")
            );
            Problem::refused("account.class_not_in_person", detail)
        })?;
        let customer = customer.ok_or_else(|| {
            let detail =
                "nobody has shown an identity for this account: open one that is in a name";
            Problem::refused("account.no_customer", detail)
        })?;
        Ok(Some((customer, class.to_owned(), at_most)))
    }
}

/// The acting officer, who has to be named.
pub(super) fn officer(operator: Operator) -> Result<String, Problem> {
    operator.officer()
}
