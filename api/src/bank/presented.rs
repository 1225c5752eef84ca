//! Payments by a payment credential that a relying party asked for, and forwarded. The bank learns
//! who asked and what is paid; of what else the wallet showed there, nothing (decision 8).

use super::issuing::PAYMENT;
use super::payment::action;
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, CommandId, Digest};
use yufu_credential::{Expected, verify_presentation};
use yufu_jose::Unverified;
use yufu_machine::Authorisation;
use yufu_onboarding::{Order, OrderState};
use yufu_openid4vc::presentation::{Payment, REQUEST_TYPE, RequestObject, TransactionData};
use yufu_payment::PaymentOrder;
use yufu_trust::{LEEWAY_SECONDS, Role};

/// What a relying party forwards: its own signed request, and the payment credential out of the
/// wallet's answer. Nothing else of that answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresentedPayment {
    /// The request object (OpenID4VP 1.0), signed with the relying party's access certificate.
    pub request_object: String,
    /// The presentation of the payment credential: an SD-JWT with key binding.
    pub presentation: String,
}

/// A presented payment that was made. Says nothing of the account that paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresentedPaymentDone {
    /// The payee's order.
    pub order: String,
    /// The payment's name at this bank: for a refund.
    pub payment: String,
    /// When, in milliseconds since the epoch.
    pub at: u64,
}

/// Pay with a payment credential that was presented to a relying party.
///
/// Repeating it pays once and gives the first answer.
#[utoipa::path(post, path = "/banks/{bank}/v1/presented-payments", tag = "bank",
    params(("bank" = String, Path, description = "the bank that issued the credential")), request_body = PresentedPayment,
    responses(
        (status = 200, description = "paid, durably", body = PresentedPaymentDone),
        (status = 400, description = "the request is not for one payment, or the presentation is not an answer to it", body = ProblemBody),
        (status = 401, description = "the request is not from a registered relying party", body = ProblemBody),
        (status = 404, description = "no credential of this bank", body = ProblemBody),
        (status = 409, description = "the order was paid otherwise before", body = ProblemBody),
        (status = 410, description = "expired", body = ProblemBody),
        (status = 422, description = "refused by a rule; nothing moved", body = ProblemBody)))]
pub(super) async fn pay(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    request: Result<Json<PresentedPayment>, JsonRejection>,
) -> Result<Json<PresentedPaymentDone>, Problem> {
    Ok(Json(named(&banks, &bank)?.pay_presented(&request?.0).await?))
}

impl Bank {
    async fn pay_presented(
        &self,
        forwarded: &PresentedPayment,
    ) -> Result<PresentedPaymentDone, Problem> {
        let request = self.relying_party_request(&forwarded.request_object).await?;
        let payment = only_payment(&request)?;
        let order: CommandId = payment.order_id.parse().map_err(Problem::malformed)?;
        let id = payment_id(&request.client_id, order);
        let kept = serde_json::to_string(forwarded).map_err(Problem::internal)?;
        if self.records.outbox(id).await?.is_some() {
            if self.records.order(id).await?.signed != kept {
                let detail =
                    "another presentation paid, or tried to pay, this order: make a new one";
                return Err(Problem::conflict("order.id_reused", detail));
            }
        } else {
            let (payer, key) =
                self.presented_account(&request, payment, &forwarded.presentation).await?;
            self.may_act(&self.records.account(payer).await?).await?;
            let paid = self.order_for(payment, order, payer);
            let evidence = Digest::derive("yufu.presented-payment.v1", kept.as_bytes());
            let action = action(&paid, evidence, Authorisation::Ordinary);
            let entry = self.entry(id, format!("order:{id}"), action)?;
            let row = Order {
                id,
                account: payer,
                signed: kept,
                state: OrderState::Taken,
                verification: None,
            };
            self.records.take_order_by(&key, &row, &entry, self.now()).await?;
        }
        let CommandDone { at, .. } = self.submit(id).await?;
        Ok(PresentedPaymentDone { order: order.to_string(), payment: id.to_string(), at })
    }

    /// The request, if a relying party that the trust list vouches for signed it as itself.
    async fn relying_party_request(&self, text: &str) -> Result<RequestObject, Problem> {
        let untrusted = |error: String| {
            let detail = format!("the request is not from a registered relying party: {error}");
            Problem::new(StatusCode::UNAUTHORIZED, "payment.request_untrusted", detail)
        };
        let token = Unverified::parse(text).and_then(|token| token.expect_type(REQUEST_TYPE));
        let token = token.map_err(|e| untrusted(e.to_string()))?;
        let chain = token.header().chain().map_err(|e| untrusted(e.to_string()))?;
        let now = self.now();
        let trust = self.trust.list(now).await?;
        let party = trust.identify(Role::AccessCa, &chain, now);
        let party = party.map_err(|e| untrusted(e.to_string()))?;
        let verified = token.verify(&party.leaf.public_key);
        let verified = verified.map_err(|e| untrusted(e.to_string()))?;
        let request = RequestObject::from_json(&verified.payload).map_err(Problem::malformed)?;
        if request.client_id != format!("x509_hash:{}", party.leaf.sha256_base64url()) {
            return Err(untrusted("it names another client than its certificate".to_owned()));
        }
        Ok(request)
    }

    /// The account that the presentation pays from, and the key that commands it: the relying party's audience and nonce, exactly
    /// this payment, a credential of this bank that is still valid.
    async fn presented_account(
        &self,
        request: &RequestObject,
        payment: &Payment,
        presentation: &str,
    ) -> Result<(AccountId, String), Problem> {
        let now = self.now();
        if now >= request.expires_at || now >= payment.expires {
            let detail = "the request or the payment has expired: ask the wallet again";
            return Err(Problem::new(StatusCode::GONE, "payment.expired", detail));
        }
        let ours = payment.ledger == self.central_bank.0.as_str()
            && payment.amount.currency() == self.currency;
        if !ours {
            let detail = "the payment is for another ledger or currency than this bank's";
            return Err(Problem::refused("payment.other_ledger", detail));
        }
        let transactions: Vec<String> =
            request.transaction_data.iter().map(|entry| entry.text().to_owned()).collect();
        let issued_at = request.issued_at.unwrap_or(now).seconds();
        let expected = Expected {
            audience: &request.client_id,
            nonce: &request.nonce,
            now,
            leeway_seconds: LEEWAY_SECONDS,
            max_age_seconds: now.seconds().saturating_sub(issued_at),
            transaction_data: &transactions,
        };
        // Credentials of before a rotation count until they end.
        let keys = self.issuer.signing.get().keys();
        let mut tried =
            keys.iter().map(|key| verify_presentation(presentation, &key.key, &expected));
        let first = tried.next().ok_or_else(|| Problem::internal("no key signs here"))?;
        let found = first
            .or_else(|error| tried.find_map(Result::ok).ok_or(error))
            .map_err(|e| Problem::new(StatusCode::BAD_REQUEST, "presentation.rejected", e))?;
        if !self.issuer.credentials.iter().any(|k| k.id == PAYMENT && k.vct == found.vct) {
            return Err(Problem::malformed("the credential presented is no payment credential"));
        }
        let subject = self.issuer.subject_of(found.status.as_ref()).await?;
        let account = AccountId::new(subject.as_u128());
        let key = self.records.account(account).await?.wallet_key;
        // What was issued to a key before this one is revoked by now: then it is refused here.
        self.finish_key_changes().await?;
        self.issuer.subject_of(found.status.as_ref()).await?;
        Ok((account, key))
    }

    fn order_for(&self, payment: &Payment, id: CommandId, payer: AccountId) -> PaymentOrder {
        PaymentOrder {
            ledger: payment.ledger.clone(),
            id,
            payer,
            payee: payment.payee_account,
            payee_name: payment.payee_name.clone(),
            amount: payment.amount,
            expires: payment.expires,
        }
    }
}

/// The one payment that a request is for, to be signed by the payment credential and no other.
pub(super) fn only_payment(request: &RequestObject) -> Result<&Payment, Problem> {
    match request.transaction_data.as_slice() {
        [one] => match one.data() {
            TransactionData::Payment(payment) if payment.credential_ids == [PAYMENT] => Ok(payment),
            _ => Err(Problem::malformed("the transaction data are no payment by `payment`")),
        },
        _ => Err(Problem::malformed("the request must be for exactly one payment")),
    }
}

/// The command that pays a relying party's order: determined by both, so that an order is paid once.
fn payment_id(client_id: &str, order: CommandId) -> CommandId {
    let named = format!("{client_id}\0{order}");
    let digest = Digest::derive("yufu.presented-payment-id.v1", named.as_bytes());
    let random = digest.0.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    CommandId::at(order.created(), random)
}
