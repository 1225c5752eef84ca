//! Payments: orders that a wallet signed, and the step-up that lets one through which is above
//! the ordinary limit.

use super::keys::resting;
use super::opening::commitment;
use super::presentation::{Answer, Purpose, QUERY};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{CommandId, Digest};
use yufu_machine::{Action, Authorisation};
use yufu_onboarding::{AccountState, OnboardingError, Order, OrderState};
use yufu_openid4vc::presentation::{Payment, TransactionData};
use yufu_payment::{PaymentOrder, SignedOrder};

/// A payment order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// A JWS of type `yufu-payment-order+jwt`, signed by the payer's wallet key.
    pub order: String,
}

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentDone {
    /// The order's id.
    pub order: String,
    /// `settled`, `refused` or `taken`.
    pub state: String,
    /// When, in milliseconds since the epoch, if settled.
    pub at: Option<u64>,
    /// The record of the log that carries it, if settled.
    pub seq: Option<u64>,
    /// The payer's balance afterwards, in minor units, if settled.
    pub balance_minor: Option<u64>,
    /// The code of the rule that refused it, if refused.
    #[serde(default)]
    pub refusal: Option<String>,
}

/// Pay.
///
/// Repeating an order with its id pays once and gives the first answer. A refusal that a
/// presentation would lift (`step_up.kind` is `presentation`) carries the request for it.
#[utoipa::path(post, path = "/banks/{bank}/v1/payments", tag = "bank",
    params(("bank" = String, Path, description = "the payer's bank")), request_body = PaymentRequest,
    responses(
        (status = 200, description = "paid, durably", body = PaymentDone),
        (status = 401, description = "not signed by the account's key, expired, or for another ledger", body = ProblemBody),
        (status = 403, description = "another key commands the account now", body = ProblemBody),
        (status = 404, description = "no such account", body = ProblemBody),
        (status = 409, description = "the id was used for another order", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing moved", body = ProblemBody),
        (status = 503, description = "the ledger does not answer: repeat with the same id", body = ProblemBody)))]
pub(super) async fn pay(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Json<PaymentRequest>, JsonRejection>,
) -> Result<Json<PaymentDone>, Problem> {
    let bank = named(&banks, &bank)?;
    Ok(Json(bank.pay(&request?.order).await?))
}

/// Where an order stands.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the payer's wallet key, for this address.
#[utoipa::path(get, path = "/banks/{bank}/v1/payments/{order}", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("order" = String, Path, description = "the order's id")),
    security(("request" = [])),
    responses((status = 200, body = PaymentDone), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn status(
    State(banks): State<Arc<Banks>>,
    Path((bank, order)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<PaymentDone>, Problem> {
    let bank = named(&banks, &bank)?;
    let id: CommandId = order.parse().map_err(Problem::malformed)?;
    let known = bank.records.order(id).await?;
    let path = format!("/banks/{}/v1/payments/{order}", bank.id);
    bank.authenticate(known.account, &headers, "GET", &path).await?;
    Ok(Json(bank.payment_status(&known).await?))
}

impl Bank {
    async fn pay(&self, text: &str) -> Result<PaymentDone, Problem> {
        let (order, commitment, key) = self.verified_order(text).await?;
        let action = action(&order, commitment, Authorisation::Ordinary);
        let entry = self.entry(order.id, format!("order:{}", order.id), action)?;
        let row = Order {
            id: order.id,
            account: order.payer,
            signed: text.to_owned(),
            state: OrderState::Taken,
            verification: None,
        };
        match self.records.take_order_by(&key, &row, &entry, self.now()).await {
            // Signed anew it may be another text, and is the same order if it says the same.
            Err(OnboardingError::OrderIdReused) => self.was_taken(&order).await?,
            taken => taken?,
        }
        match self.submit(order.id).await {
            Ok(done) => Ok(settled(&order, done)),
            Err(refusal) if lifted_by_presentation(&refusal) => self.step_up(&order, refusal).await,
            Err(refusal) => Err(refusal),
        }
    }

    /// Checks that what was taken under the order's id is this very order.
    async fn was_taken(&self, order: &PaymentOrder) -> Result<(), Problem> {
        let known = self.records.order(order.id).await?;
        let known = SignedOrder::parse(&known.signed).map_err(Problem::internal)?;
        if known.unverified() == order {
            Ok(())
        } else {
            Err(OnboardingError::OrderIdReused.into())
        }
    }

    /// The order, once it is known to be its account's own; its commitment, and the key that signed.
    pub(super) async fn verified_order(
        &self,
        text: &str,
    ) -> Result<(PaymentOrder, Digest, String), Problem> {
        let signed = SignedOrder::parse(text).map_err(Problem::malformed)?;
        let account = self.records.account(signed.unverified().payer).await?;
        if account.state == AccountState::Closed {
            let detail = "the account is closed: pay from another one";
            return Err(Problem::refused("account.closed", detail));
        }
        if account.state != AccountState::Open {
            let detail =
                format!("the account is {}: wait until it is open", account.state.as_str());
            return Err(Problem::conflict("account.not_open", detail));
        }
        let commitment = signed.commitment();
        let ledger = self.central_bank.0.as_str();
        let read = |key: &_| SignedOrder::parse(text)?.verify(key, ledger, self.now());
        let order = self.signed_for(&account, read).await?;
        Ok((order, commitment, account.wallet_key))
    }

    /// Asks for the presentation that lifts the limit, or, if the order was paid that way
    /// before, gives that answer.
    async fn step_up(
        &self,
        order: &PaymentOrder,
        refusal: Problem,
    ) -> Result<PaymentDone, Problem> {
        if self.records.outbox(order.stepped_up_id()).await?.is_some() {
            return Ok(settled(order, self.submit(order.stepped_up_id()).await?));
        }
        let account = self.records.account(order.payer).await?;
        if self.records.has_guardian(account.id).await? {
            // Only the holder's own identity would lift it, and that is a minor's.
            return Err(refusal.with("step_up", Value::Null));
        }
        if let Some(until) = self.rests_until(&account).await? {
            return Err(resting(until));
        }
        let transaction = TransactionData::Payment(Payment {
            credential_ids: vec![QUERY.to_owned()],
            ledger: order.ledger.clone(),
            amount: order.amount,
            payee_account: order.payee,
            payee_name: order.payee_name.clone(),
            order_id: order.id.to_string(),
            expires: order.expires,
        });
        let (id, link) =
            self.ask(Purpose::ConfirmPayment, order.id.to_string(), transaction).await?;
        self.records.await_step_up(order.id, &id).await?;
        let step_up = json!({
            "kind": "presentation",
            "authorization_request": link,
            "expires": order.expires.seconds(),
        });
        Err(refusal.with("step_up", step_up))
    }

    /// A verified presentation lets its order through: this one, once.
    pub(super) async fn confirmed(&self, answer: Answer) -> Result<(), Problem> {
        let id: CommandId = answer.verification.subject.parse().map_err(Problem::internal)?;
        let row = self.records.order(id).await?;
        let (order, order_commitment, key) = self.verified_order(&row.signed).await?;
        let account = self.records.account(order.payer).await?;
        self.must_be_shown_by_holder(&account, &answer).await?;
        let presentation = commitment(&answer)?;
        let action = action(&order, order_commitment, Authorisation::SteppedUp { presentation });
        let entry = self.entry(order.stepped_up_id(), format!("order:{id}"), action)?;
        let retained_until = answer.verified.receipt.retained_until.unwrap_or_else(|| self.now());
        let verification = answer.verification.id;
        self.records
            .step_up(
                (order.payer, &key),
                &verification,
                &answer.receipt,
                &entry,
                self.now(),
                retained_until,
            )
            .await?;
        self.submit(order.stepped_up_id()).await?;
        Ok(())
    }

    async fn payment_status(&self, order: &Order) -> Result<PaymentDone, Problem> {
        let state = order.state.as_str().to_owned();
        let mut status = PaymentDone {
            order: order.id.to_string(),
            state,
            at: None,
            seq: None,
            balance_minor: None,
            refusal: None,
        };
        if order.state == OrderState::Refused
            && let Err(refusal) = self.submit(order.id).await
        {
            status.refusal = Some(refusal.code().to_owned());
        }
        if order.state == OrderState::Settled {
            // An order by a payment credential, or a refund, has no step-up.
            let stepped_up = SignedOrder::parse(&order.signed).ok();
            let stepped_up = stepped_up.map(|signed| signed.unverified().stepped_up_id());
            let through = match stepped_up {
                Some(id) if self.records.outbox(id).await?.is_some() => id,
                _ => order.id,
            };
            let done = self.submit(through).await?;
            status.at = Some(done.at);
            status.seq = Some(done.seq);
            status.balance_minor = done.balance_minor;
        }
        Ok(status)
    }
}

pub(super) fn action(
    order: &PaymentOrder,
    commitment: Digest,
    authorisation: Authorisation,
) -> Action {
    Action::Pay {
        payer: order.payer,
        payee: order.payee,
        amount: order.amount,
        order: commitment,
        authorisation,
    }
}

fn settled(order: &PaymentOrder, done: CommandDone) -> PaymentDone {
    PaymentDone {
        order: order.id.to_string(),
        state: OrderState::Settled.as_str().to_owned(),
        at: Some(done.at),
        seq: Some(done.seq),
        balance_minor: done.balance_minor,
        refusal: None,
    }
}

/// Whether an identity would lift the refusal.
pub(super) fn lifted_by_presentation(refusal: &Problem) -> bool {
    refusal.member("step_up").and_then(|s| s.get("kind")).is_some_and(|kind| kind == "presentation")
}
