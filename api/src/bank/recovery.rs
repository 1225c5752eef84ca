//! An account recovered: whoever lost the phone, or the wallet, shows an identity, and what the
//! presentation signs names the account, the bank and the new key.

use super::opening::presented;
use super::presentation::{Answer, Purpose, QUERY, not_the_holder};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::relying_party::not_valid;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, Timestamp};
use yufu_jose::Jwk;
use yufu_onboarding::{Account, AccountState, Answered, KeyChange, KeyWay};
use yufu_openid4vc::presentation::{KeyChangeOf, TransactionData};
use yufu_verifier::Verified;

/// A wish to command an account with another key.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRequest {
    /// The account, if it is known.
    pub account: Option<String>,
    /// Its class, if the account is not known: then it is the holder's one account of this class.
    #[schema(example = "named")]
    pub class: Option<String>,
    /// The key that is to command it: a P-256 JWK. The holder's signature will name it.
    #[schema(value_type = Object)]
    pub wallet_key: Jwk,
}

/// A recovery that waits for the wallet's answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Recovery {
    /// Its id.
    pub recovery: String,
    /// The presentation request: `openid4vp://...`, for the wallet.
    pub authorization_request: String,
}

/// Where a recovery stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RecoveryStatus {
    /// `waiting` or `recovered`.
    pub state: String,
    /// The account, once recovered.
    pub account: Option<String>,
    /// Its class.
    pub class: Option<String>,
}

/// What the records keep of a recovery until it is answered.
#[derive(Serialize, Deserialize)]
struct Subject {
    account: Option<String>,
    class: Option<String>,
    wallet_key: Jwk,
    begun_millis: u64,
    provider: Option<String>,
}

/// Begin to recover an account that is in the asker's name: for a lost phone, or a lost wallet.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the new key, for this address. The old
/// key is not needed; it stops when the presentation is verified, and payment credentials that were
/// issued to it are revoked.
#[utoipa::path(post, path = "/banks/{bank}/v1/key-recoveries", tag = "bank",
    params(("bank" = String, Path, description = "the bank")), request_body = RecoveryRequest,
    security(("request" = [])),
    responses(
        (status = 201, body = Recovery),
        (status = 400, body = ProblemBody),
        (status = 401, description = "the new key is not proven", body = ProblemBody),
        (status = 403, description = "the wallet attestation is refused", body = ProblemBody)))]
pub(super) async fn begin(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<RecoveryRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Recovery>), Problem> {
    let bank = named(&banks, &bank)?;
    Ok((StatusCode::CREATED, Json(bank.begin_recovery(&headers, request?.0).await?)))
}

/// Where a recovery stands. Its id is known to the wallet that began it alone.
#[utoipa::path(get, path = "/banks/{bank}/v1/key-recoveries/{recovery}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("recovery" = String, Path, description = "the recovery's id")),
    responses((status = 200, body = RecoveryStatus), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(banks): State<Arc<Banks>>,
    Path((bank, recovery)): Path<(String, String)>,
) -> Result<Json<RecoveryStatus>, Problem> {
    Ok(Json(named(&banks, &bank)?.recovery_status(&recovery).await?))
}

impl Bank {
    async fn begin_recovery(
        &self,
        headers: &HeaderMap,
        request: RecoveryRequest,
    ) -> Result<Recovery, Problem> {
        self.prove(&request.wallet_key, headers, &format!("/banks/{}/v1/key-recoveries", self.id))?;
        let provider = self.comes_through(headers, &request.wallet_key).await?;
        let account = request.account.as_deref().map(str::parse::<AccountId>).transpose();
        let account = account.map_err(Problem::malformed)?;
        let of = match (account, &request.class) {
            (Some(id), None) => KeyChangeOf::Account(id),
            (None, Some(class)) => KeyChangeOf::Class(class.clone()),
            _ => return Err(Problem::malformed("give either an account or a class")),
        };
        let transaction = TransactionData::KeyChange(yufu_openid4vc::presentation::KeyChange {
            credential_ids: vec![QUERY.to_owned()],
            bank: self.id.to_string(),
            account: of,
            wallet_key_thumbprint: request.wallet_key.thumbprint_base64url(),
        });
        let subject = Subject {
            account: account.map(|id| id.to_string()),
            class: request.class,
            wallet_key: request.wallet_key,
            begun_millis: self.now().millis(),
            provider,
        };
        let subject = serde_json::to_string(&subject).map_err(Problem::internal)?;
        let (recovery, authorization_request) =
            self.ask(Purpose::ChangeKey, subject, transaction).await?;
        Ok(Recovery { recovery, authorization_request })
    }

    /// A verified presentation puts the new key in command of the one account it is about.
    pub(super) async fn recovered(&self, answer: Answer) -> Result<(), Problem> {
        let subject: Subject =
            serde_json::from_str(&answer.verification.subject).map_err(Problem::internal)?;
        let person = self.party.get().identity.person(presented(&answer)?)?;
        let account = self.to_recover(&subject, &person.number).await?;
        self.may_take_over(&account).await?;
        self.may_free(&account, &answer.verified).await?;
        let change = KeyChange {
            id: answer.verification.id,
            account: account.id,
            way: KeyWay::Recovered,
            evidence: String::new(),
            former_key: account.wallet_key,
            new_key: serde_json::to_string(&subject.wallet_key).map_err(Problem::internal)?,
            provider: subject.provider,
        };
        let answered = Answered {
            receipt: answer.receipt,
            retained_until: answer.verified.receipt.retained_until.unwrap_or_else(|| self.now()),
            begun: Timestamp::from_millis(subject.begun_millis),
        };
        self.records.recover(&change, &answered, self.now()).await?;
        self.finish_key_changes().await?;
        Ok(())
    }

    /// Refuses to free an account that its holder had frozen by an identity that was frozen with it. The lists at hand may be of
    /// before that, so the newest are asked for.
    async fn may_free(&self, account: &Account, shown: &Verified) -> Result<(), Problem> {
        if self.records.frozen_since(account.id).await?.is_none() {
            return Ok(());
        }
        let lists = self.trust.lists_anew(shown.lists(), self.now()).await?;
        shown.must_stand(&lists, self.now()).map_err(not_valid)
    }

    /// The account that a recovery is about, if it is in the name of whoever has this number.
    async fn to_recover(&self, subject: &Subject, number: &str) -> Result<Account, Problem> {
        let mut own = self.records.accounts_of(number).await?;
        if let Some(id) = &subject.account {
            let id: AccountId = id.parse().map_err(Problem::internal)?;
            if let Some(found) = own.iter().position(|account| account.id == id) {
                return Ok(own.swap_remove(found));
            }
            return Err(not_recoverable(&self.records.account(id).await?));
        }
        let class = subject.class.as_deref().unwrap_or_default();
        own.retain(|account| account.class == class);
        if own.len() > 1 {
            let detail = format!("you have several accounts of class {class} here: name the one");
            return Err(Problem::refused("account.recovery_ambiguous", detail));
        }
        own.pop().ok_or_else(|| {
            let detail = format!(
                "no open account of class {class} is in your name here: name another class or bank; an account without a name is handed over by its own key only"
            );
            Problem::refused("account.none_to_recover", detail)
        })
    }

    async fn recovery_status(&self, id: &str) -> Result<RecoveryStatus, Problem> {
        let verification = self.records.verification(id).await?;
        if verification.purpose != Purpose::ChangeKey.name() {
            return Err(Problem::not_found("recovery"));
        }
        let Some((account, ..)) = self.records.key_change(id).await? else {
            return Ok(RecoveryStatus { state: "waiting".to_owned(), account: None, class: None });
        };
        let class = Some(self.records.account(account).await?.class);
        let (state, account) = ("recovered".to_owned(), Some(account.to_string()));
        Ok(RecoveryStatus { state, account, class })
    }
}

/// Why an account is not recovered by this identity.
fn not_recoverable(account: &Account) -> Problem {
    if account.customer.is_none() {
        let detail = "nobody has shown an identity for this account, so none recovers it: it is handed over by its own key only";
        return Problem::refused("account.no_customer", detail);
    }
    if account.state != AccountState::Open {
        let detail = format!("the account is {}", account.state.as_str());
        return Problem::conflict("account.not_open", detail);
    }
    not_the_holder()
}
