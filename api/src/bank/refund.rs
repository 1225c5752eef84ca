//! Refunds: a payee gives a payment back without learning to whom. Its bank asks the payer's bank
//! which account it was; neither payee nor identity is in that question.

use super::presented::{PresentedPayment, only_payment};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody, bearer};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, Amount, CommandId, Currency, Digest, Timestamp};
use yufu_jose::{Header, Unverified, numeric_date};
use yufu_machine::{Action, Authorisation};
use yufu_onboarding::{Order, OrderState};
use yufu_openid4vc::presentation::RequestObject;
use yufu_trust::Role;

/// The `typ` of a bank's question to another.
const TYPE: &str = "yufu-payment-origin+jwt";
/// How long a question may be used, in seconds.
const WINDOW: u64 = 60;

/// A bank's question to the payer's bank.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OriginRequest {
    /// A JWS of type `yufu-payment-origin+jwt` with the asking bank's chain: aud, payment, iat.
    pub question: String,
}

/// Where a presented payment came from: opaque to all but the payer's bank.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// The account that paid.
    pub account: String,
    /// The account that was paid.
    pub payee: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// The currency.
    pub currency: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    aud: String,
    payment: String,
    #[serde(with = "numeric_date")]
    iat: Timestamp,
}

/// Ask where a presented payment came from, as the bank of its payee.
#[utoipa::path(post, path = "/banks/{bank}/v1/payment-origins", tag = "bank",
    params(("bank" = String, Path, description = "the payer's bank")), request_body = OriginRequest,
    responses((status = 200, body = Origin), (status = 401, description = "not a bank on the trust list, or for another bank, or too old", body = ProblemBody), (status = 404, description = "no such payment, or not settled", body = ProblemBody)))]
pub(super) async fn origin(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Json<OriginRequest>, JsonRejection>,
) -> Result<Json<Origin>, Problem> {
    Ok(Json(named(&banks, &bank)?.origin_of(&request?.question).await?))
}

/// Give a presented payment back, in full.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the payee account's wallet key, for this
/// address, which names the payment. Repeating it pays back once.
#[utoipa::path(post, path = "/banks/{bank}/v1/accounts/{account}/refunds/{payer_bank}/{payment}", tag = "bank",
    params(("bank" = String, Path, description = "the payee's bank"), ("account" = String, Path, description = "the payee's account"), ("payer_bank" = String, Path, description = "the bank that made the payment"), ("payment" = String, Path, description = "the payment's name there")),
    security(("request" = [])),
    responses((status = 200, body = CommandDone), (status = 401, body = ProblemBody), (status = 403, description = "the payment was to another account", body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, description = "refused by a rule; nothing moved", body = ProblemBody)))]
pub(super) async fn refund(
    State(banks): State<Arc<Banks>>,
    Path((bank, account, payer_bank, payment)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Result<Json<CommandDone>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: AccountId = account.parse().map_err(Problem::malformed)?;
    let payment: CommandId = payment.parse().map_err(Problem::malformed)?;
    let path = format!("/banks/{}/v1/accounts/{account}/refunds/{payer_bank}/{payment}", bank.id);
    bank.authenticate(id, &headers, "POST", &path).await?;
    let token = bearer(&headers).unwrap_or_default();
    Ok(Json(bank.refund(id, &payer_bank, payment, token).await?))
}

impl Bank {
    async fn origin_of(&self, text: &str) -> Result<Origin, Problem> {
        let now = self.now();
        let trust = self.trust.list(now).await?;
        let token = Unverified::parse(text).and_then(|token| token.expect_type(TYPE));
        let token = token.map_err(Problem::unauthenticated)?;
        let chain = token.header().chain().map_err(Problem::unauthenticated)?;
        let asker = trust.identify(Role::BankIssuer, &chain, now);
        let asker = asker.map_err(Problem::unauthenticated)?;
        let verified = token.verify(&asker.leaf.public_key).map_err(Problem::unauthenticated)?;
        let question: Question = verified.claims().map_err(Problem::unauthenticated)?;
        let age = now.seconds().abs_diff(question.iat.seconds());
        if question.aud != self.id.as_str() || age > WINDOW {
            let detail = "the question is for another bank, or too old: sign a new one";
            return Err(Problem::unauthenticated(detail));
        }
        let payment: CommandId = question.payment.parse().map_err(Problem::malformed)?;
        let order = self.records.order(payment).await?;
        if order.state != OrderState::Settled {
            return Err(Problem::not_found("settled payment"));
        }
        let forwarded: PresentedPayment = serde_json::from_str(&order.signed)
            .map_err(|_| Problem::not_found("presented payment"))?;
        let request = Unverified::parse(&forwarded.request_object).map_err(Problem::internal)?;
        let request =
            RequestObject::from_json(request.unverified_payload()).map_err(Problem::internal)?;
        let paid = only_payment(&request)?;
        Ok(Origin {
            account: order.account.to_string(),
            payee: paid.payee_account.to_string(),
            amount_minor: paid.amount.minor(),
            currency: paid.amount.currency().code().to_owned(),
        })
    }

    async fn refund(
        &self,
        account: AccountId,
        payer_bank: &str,
        payment: CommandId,
        token: &str,
    ) -> Result<CommandDone, Problem> {
        let id = refund_id(payment);
        if self.records.outbox(id).await?.is_none() {
            let origin = self.ask_origin(payer_bank, payment).await?;
            if origin.payee != account.to_string() {
                let detail = "the payment was made to another account: refund from that one";
                return Err(Problem::forbidden("refund.not_the_payee", detail));
            }
            let currency = Currency::new(&origin.currency).map_err(Problem::internal)?;
            let action = Action::Pay {
                payer: account,
                payee: origin.account.parse().map_err(Problem::internal)?,
                amount: Amount::new(currency, origin.amount_minor),
                order: Digest::derive("yufu.refund.v1", token.as_bytes()),
                authorisation: Authorisation::Ordinary,
            };
            let entry = self.entry(id, format!("order:{id}"), action)?;
            let row = Order {
                id,
                account,
                signed: token.to_owned(),
                state: OrderState::Taken,
                verification: None,
            };
            self.records.take_order(&row, &entry, self.now()).await?;
        }
        self.submit(id).await
    }

    async fn ask_origin(&self, payer_bank: &str, payment: CommandId) -> Result<Origin, Problem> {
        let question =
            Question { aud: payer_bank.to_owned(), payment: payment.to_string(), iat: self.now() };
        let json = serde_json::to_vec(&question).map_err(Problem::internal)?;
        let key = self.issuer.signing.get();
        let header = Header::typed(TYPE).with_chain(&key.chain);
        let question = yufu_jose::sign(&header, &json, &*key.signer);
        let question = question.map_err(Problem::internal)?;
        let trust = self.trust.list(self.now()).await?;
        let named = format!("/banks/{payer_bank}");
        let found = trust
            .entries
            .iter()
            .find(|entry| entry.role == Role::BankIssuer && entry.identifier.ends_with(&named));
        let found = found.ok_or_else(|| Problem::not_found("bank on the trust list"))?;
        let url = format!("{}/v1/payment-origins", found.identifier);
        Ok(self.client.post(&url, None, &OriginRequest { question }).await?)
    }
}

/// The command that gives a payment back: determined by it, so that it comes back once.
fn refund_id(payment: CommandId) -> CommandId {
    let digest = Digest::derive("yufu.refund-id.v1", &payment.bits().to_be_bytes());
    let random = digest.0.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    CommandId::at(payment.created(), random)
}
