//! Remote account opening: the bank asks for an identity, the wallet answers, an account is opened
//! under the key that the holder's signature named.

use super::presentation::{Answer, Purpose, QUERY};
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
use yufu_base::{AccountId, Digest};
use yufu_jose::Jwk;
use yufu_keys::random;
use yufu_machine::{Action, ClassId};
use yufu_onboarding::{Account, AccountState, Enrolment, NewCustomer};
use yufu_openid4vc::presentation::{AccountOpening, TransactionData};
use yufu_profile::ForeignIdentity;
use yufu_verifier::VerifiedCredential;

/// The claim that names a resident.
pub(super) const NUMBER: &str = "personal_administrative_number";
/// The claim of the date of birth.
pub(super) const BIRTHDATE: &str = "birthdate";

/// A wish to open an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningRequest {
    /// The wallet class wanted.
    #[schema(example = "named")]
    pub class: String,
    /// The key that is to give orders: a P-256 JWK. The holder's signature will name it.
    #[schema(value_type = Object)]
    pub wallet_key: Jwk,
}

/// An opening that waits for the wallet's answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Opening {
    /// Its id.
    pub opening: String,
    /// The presentation request: `openid4vp://...`, for the wallet.
    pub authorization_request: String,
}

/// Where an opening stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OpeningStatus {
    /// `waiting`, `opening`, `open` or `refused`.
    pub state: String,
    /// The account, once there is one.
    pub account: Option<String>,
    /// The bank's signed receipt of the presentation, a JWS, once answered.
    pub receipt: Option<String>,
}

/// What the records keep of an opening until it is answered.
#[derive(Serialize, Deserialize)]
pub(super) struct Subject {
    class: String,
    wallet_key: Jwk,
    account: String,
    #[serde(default)]
    provider: Option<String>,
}

/// Begin to open an account, from a wallet of the bank's own or of a wallet provider (see `onboarding`).
#[utoipa::path(post, path = "/banks/{bank}/v1/openings", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = OpeningRequest,
    responses((status = 201, body = Opening), (status = 400, body = ProblemBody), (status = 403, description = "the wallet attestation is refused, or its provider does not onboard for this bank", body = ProblemBody), (status = 422, description = "no such class, or not remotely", body = ProblemBody)))]
pub(super) async fn open(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<OpeningRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Opening>), Problem> {
    let bank = named(&banks, &bank)?;
    let Json(request) = request?;
    let provider = bank.comes_through(&headers, &request.wallet_key).await?;
    let opening = bank.start_opening(request, Purpose::OpenAccount, provider).await?;
    Ok((StatusCode::CREATED, Json(opening)))
}

/// Where an opening stands. Its id is known to the wallet that began it alone.
#[utoipa::path(get, path = "/banks/{bank}/v1/openings/{opening}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("opening" = String, Path, description = "the opening's id")),
    responses((status = 200, body = OpeningStatus), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(banks): State<Arc<Banks>>,
    Path((bank, opening)): Path<(String, String)>,
) -> Result<Json<OpeningStatus>, Problem> {
    Ok(Json(named(&banks, &bank)?.opening_status(&opening).await?))
}

impl Bank {
    pub(super) async fn start_opening(
        &self,
        request: OpeningRequest,
        purpose: Purpose,
        provider: Option<String>,
    ) -> Result<Opening, Problem> {
        if !self.wallet_rules.opening.remote() {
            let detail =
                "wallets with an identity are opened in person only, by policy: go to a branch";
            return Err(Problem::refused("account.remote_closed", detail));
        }
        if !self.remote_classes.contains_key(&request.class) {
            let classes: Vec<&str> = self.remote_classes.keys().map(String::as_str).collect();
            let detail = format!(
                "class {:?} is not opened remotely here: choose one of {}",
                request.class,
                classes.join(", ")
            );
            return Err(Problem::refused("account.class_not_remote", detail));
        }
        let transaction = TransactionData::AccountOpening(AccountOpening {
            credential_ids: vec![QUERY.to_owned()],
            bank: self.id.to_string(),
            class: request.class.clone(),
            wallet_key_thumbprint: request.wallet_key.thumbprint_base64url(),
        });
        let account = AccountId::new(u128::from_be_bytes(random())).to_string();
        let subject =
            Subject { class: request.class, wallet_key: request.wallet_key, account, provider };
        let subject = serde_json::to_string(&subject).map_err(Problem::internal)?;
        let (opening, authorization_request) = self.ask(purpose, subject, transaction).await?;
        Ok(Opening { opening, authorization_request })
    }

    /// A verified presentation opens the account: customer, account, receipt and ledger command
    /// are written together, then the command is submitted.
    pub(super) async fn opened(&self, answer: Answer) -> Result<(), Problem> {
        let person = self.party.get().identity.person(presented(&answer)?)?;
        if let Some(country) = &person.country
            && self.wallet_rules.foreign_identity == ForeignIdentity::Refuse
        {
            let detail = format!(
                "accounts are not opened with an identity of {country} here, by policy: open a purse without identity, or show an identity of this country"
            );
            return Err(Problem::refused("account.foreign_identity", detail));
        }
        self.wallet_rules.ages.alone(text(&person.claims, BIRTHDATE)?, self.now())?;
        let enrolment = self.enrolment(answer, person.number, person.claims)?;
        let command = enrolment.command.command;
        self.records.enrol(enrolment, self.now()).await?;
        self.submit(command).await?;
        Ok(())
    }

    /// What opening an account for the holder of `claims` writes.
    pub(super) fn enrolment(
        &self,
        answer: Answer,
        number: String,
        claims: Map<String, Value>,
    ) -> Result<Enrolment, Problem> {
        let subject: Subject =
            serde_json::from_str(&answer.verification.subject).map_err(Problem::internal)?;
        let class = ClassId::new(&subject.class).map_err(Problem::internal)?;
        let account: AccountId = subject.account.parse().map_err(Problem::internal)?;
        let action = Action::OpenWallet { account, class };
        let wallet_key = serde_json::to_string(&subject.wallet_key).map_err(Problem::internal)?;
        let retained_until = answer.verified.receipt.retained_until.unwrap_or_else(|| self.now());
        let at_most = self.remote_classes.get(&subject.class).copied().unwrap_or(1);
        Ok(Enrolment {
            customer: NewCustomer { id: Uuid::new_v4(), number, claims, retained_until },
            account: Account {
                id: account,
                customer: None,
                class: subject.class,
                wallet_key,
                state: AccountState::Opening,
            },
            at_most,
            command: self.entry(self.fresh_command_id(), format!("account:{account}"), action)?,
            verification: answer.verification.id,
            receipt: answer.receipt,
            provider: subject.provider,
        })
    }

    async fn opening_status(&self, id: &str) -> Result<OpeningStatus, Problem> {
        let verification = self.records.verification(id).await?;
        let openings = [Purpose::OpenAccount.name(), Purpose::OpenForWard.name()];
        if !openings.contains(&verification.purpose.as_str()) {
            return Err(Problem::not_found("opening"));
        }
        if !verification.answered {
            return Ok(OpeningStatus { state: "waiting".to_owned(), account: None, receipt: None });
        }
        let subject: Subject =
            serde_json::from_str(&verification.subject).map_err(Problem::internal)?;
        let account_id: AccountId = subject.account.parse().map_err(Problem::internal)?;
        let account = self.records.account(account_id).await?;
        Ok(OpeningStatus {
            state: account.state.as_str().to_owned(),
            account: Some(subject.account),
            receipt: Some(self.records.receipt(id).await?),
        })
    }
}

/// The identity that was presented.
pub(super) fn presented(answer: &Answer) -> Result<&VerifiedCredential, Problem> {
    credential(answer, QUERY)
}

/// The credential that was presented to a query.
pub(super) fn credential<'a>(
    answer: &'a Answer,
    query: &str,
) -> Result<&'a VerifiedCredential, Problem> {
    let found = answer.verified.credentials.get(query).and_then(|found| found.first());
    found.ok_or_else(|| {
        Problem::internal("a verified answer lacks the credential that was asked for")
    })
}

/// A claim that is a text.
pub(super) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    claims.get(name).and_then(Value::as_str).ok_or_else(|| {
        let detail = format!("the claim {name} is not a text");
        Problem::new(StatusCode::BAD_REQUEST, "presentation.rejected", detail)
    })
}

/// A commitment to what was presented, for the ledger: says nothing of its contents.
pub(super) fn commitment(answer: &Answer) -> Result<Digest, Problem> {
    let evidence = serde_json::to_vec(&answer.verified.evidence).map_err(Problem::internal)?;
    Ok(Digest::derive("yufu.presentation.v1", &evidence))
}
