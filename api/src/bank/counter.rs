//! Counter wallets, for people without a telephone: an officer identifies the person in person, and
//! a card with a PIN operates the wallet at the bank's terminals. The bank holds what moves the
//! money: that is custody, and is said so in docs/threats.md.

use super::branch::{officer, seen};
use super::opening::{BIRTHDATE, NUMBER};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use yufu_base::AccountId;
use yufu_keys::random;
use yufu_machine::{Action, ClassId};
use yufu_onboarding::{
    Account, AccountState, CardNumber, CardStep, CounterEnrolment, NewCustomer, OnboardingError,
};

/// The purpose whose registration says for how long an identity is kept.
const KEPT_AS: &str = "open-account";
const DAY: u64 = 86_400;

/// A person who stands at the counter, as their card says.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCounterWallet {
    /// The wallet class: one that a branch gives.
    pub class: String,
    /// The resident number.
    pub number: String,
    /// The family name.
    pub family_name: String,
    /// The given name.
    pub given_name: String,
    /// The date of birth, `YYYY-MM-DD`.
    pub birthdate: String,
    /// What the officer saw, and where it is filed: no personal data.
    #[schema(example = "ID card and portrait compared, form 2026-118")]
    pub evidence: String,
}

/// A counter wallet that was opened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CounterWallet {
    /// The wallet.
    pub account: String,
    /// `open`, or on its way: `opening`.
    pub state: String,
    /// The number to be printed on its card; the bank keeps only a keyed digest of it. A PIN is to
    /// be set at a terminal.
    pub card: String,
}

/// What is done about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardChange {
    /// Nothing is done with it until it is unblocked.
    Block,
    /// Wrong PINs are forgotten; the person sets a PIN at a terminal.
    Unblock,
    /// Another card, which waits for its PIN; the former number is dead at once.
    Replace,
}

/// A step about a card, after its holder was identified in person.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardStepRequest {
    /// The wallet's class.
    pub class: String,
    /// The holder's resident number, as the card they show says.
    pub number: String,
    /// What is done.
    pub step: CardChange,
    /// What the officer saw, and where it is filed: no personal data.
    pub evidence: String,
}

/// A step that was done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CardStepDone {
    /// The wallet.
    pub account: String,
    /// The number of the new card, if there is one.
    pub card: Option<String>,
}

/// Open a counter wallet for a person whom the named officer identified.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/counter-wallets", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = NewCounterWallet,
    security(("operator" = [])),
    responses((status = 201, body = CounterWallet), (status = 400, description = "no officer or evidence is named, or something is mistyped", body = ProblemBody), (status = 401, body = ProblemBody), (status = 422, description = "too young, too many, or no class of a branch", body = ProblemBody)))]
pub(super) async fn open(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<NewCounterWallet>, JsonRejection>,
) -> Result<(StatusCode, Json<CounterWallet>), Problem> {
    let bank = named(&banks, &bank)?;
    let officer = officer(bank.operator.authenticate(&headers)?)?;
    Ok((StatusCode::CREATED, Json(bank.open_counter_wallet(officer, request?.0).await?)))
}

/// Block, unblock or replace a card, after its holder was identified in person.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/counter-wallets/steps", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = CardStepRequest,
    security(("operator" = [])),
    responses((status = 200, body = CardStepDone), (status = 400, description = "no officer or evidence is named", body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "no counter wallet of this person and class", body = ProblemBody)))]
pub(super) async fn step(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<CardStepRequest>, JsonRejection>,
) -> Result<Json<CardStepDone>, Problem> {
    let bank = named(&banks, &bank)?;
    let officer = officer(bank.operator.authenticate(&headers)?)?;
    Ok(Json(bank.card_step(officer, request?.0).await?))
}

impl Bank {
    async fn open_counter_wallet(
        &self,
        officer: String,
        request: NewCounterWallet,
    ) -> Result<CounterWallet, Problem> {
        seen(&request.evidence)?;
        let claims = self.typed(&request)?;
        self.wallet_rules.ages.alone(&request.birthdate, self.now())?;
        let at_most = self.given_at_branch(&request.class)?;
        let class = ClassId::new(&request.class).map_err(Problem::malformed)?;
        let account = AccountId::new(u128::from_be_bytes(random()));
        let command = self.fresh_command_id();
        let action = Action::OpenWallet { account, class };
        let card = CardNumber::drawn(u64::from_be_bytes(random()));
        let evidence = request.evidence;
        let enrolment = CounterEnrolment {
            customer: NewCustomer {
                id: Uuid::new_v4(),
                number: request.number,
                claims,
                retained_until: self.now().plus_seconds(self.kept_seconds()),
            },
            account: Account {
                id: account,
                customer: None,
                class: request.class,
                wallet_key: String::new(),
                state: AccountState::Opening,
            },
            at_most,
            command: self.entry(command, format!("account:{account}"), action)?,
            card: card.clone(),
            step: self.card_step_of(account, "open", officer, evidence),
        };
        self.records.enrol_at_counter(enrolment).await?;
        self.submit(command).await?;
        let state = self.records.account(account).await?.state.as_str().to_owned();
        Ok(CounterWallet { account: account.to_string(), state, card: card.as_str().to_owned() })
    }

    async fn card_step(
        &self,
        officer: String,
        request: CardStepRequest,
    ) -> Result<CardStepDone, Problem> {
        seen(&request.evidence)?;
        let account = self.records.counter_wallet(&request.number, &request.class).await?;
        let done = |card| CardStepDone { account: account.to_string(), card };
        let of = |what| self.card_step_of(account, what, officer, request.evidence);
        match request.step {
            CardChange::Block => self.records.block_card(&of("block")).await?,
            CardChange::Unblock => self.records.unblock_card(&of("unblock")).await?,
            CardChange::Replace => {
                let card = CardNumber::drawn(u64::from_be_bytes(random()));
                self.records.replace_card(&of("replace"), &card).await?;
                return Ok(done(Some(card.as_str().to_owned())));
            }
        }
        Ok(done(None))
    }

    pub(super) fn card_step_of(
        &self,
        account: AccountId,
        step: &str,
        officer: String,
        evidence: String,
    ) -> CardStep {
        CardStep { account, step: step.to_owned(), officer, evidence, at: self.now() }
    }

    /// What the officer typed, checked as far as it can be.
    fn typed(&self, request: &NewCounterWallet) -> Result<Map<String, Value>, Problem> {
        let number = self.wallet_rules.numbers.parse(&request.number);
        let number = number.map_err(|e| Problem::malformed(format!("number: {e}")))?;
        let says = self.wallet_rules.numbers.facts(&number).birth_date;
        if says.is_some_and(|date| date.to_string() != request.birthdate) {
            let detail = "birthdate differs from the one in number: compare both with the card";
            return Err(Problem::malformed(detail));
        }
        let texts = [
            (NUMBER, &request.number),
            ("family_name", &request.family_name),
            ("given_name", &request.given_name),
            (BIRTHDATE, &request.birthdate),
        ];
        if texts.iter().any(|(_, text)| text.trim().is_empty() || text.len() > 200) {
            let detail = "number, names and birthdate are to be typed as the card has them";
            return Err(Problem::malformed(detail));
        }
        Ok(texts.map(|(name, text)| (name.to_owned(), text.as_str().into())).into_iter().collect())
    }

    /// For how long an identity is kept, in seconds: as one that was shown remotely.
    pub(super) fn kept_seconds(&self) -> u64 {
        let party = self.party.get();
        let registered = party.verifiers.get(KEPT_AS);
        let days = registered.map_or(0, |verifier| verifier.certificate().retention_days);
        u64::from(days).saturating_mul(DAY)
    }

    /// Whether the number of whoever was identified is that of the account's holder.
    pub(super) async fn must_hold(&self, account: AccountId, number: &str) -> Result<(), Problem> {
        let customer = self.records.account(account).await?.customer;
        let customer = customer.ok_or(OnboardingError::Damaged("card's holder"))?;
        if self.records.is_customer(customer, number).await? {
            return Ok(());
        }
        let detail = "the person identified is not the card's holder";
        Err(Problem::forbidden("presentation.not_the_holder", detail))
    }
}
