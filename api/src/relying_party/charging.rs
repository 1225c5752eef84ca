//! Being paid by a payment credential: what is asked for, what is forwarded to the payer's bank, and
//! what the bank says. The relying party learns which bank it is, and that it was paid; no account.

use super::RelyingParty;
use super::presentation::Answer;
use crate::bank::{PAYMENT, PresentedPayment, PresentedPaymentDone};
use crate::http::{ClientError, Problem};
use yufu_base::{Amount, CommandId, Timestamp};
use yufu_keys::random;
use yufu_openid4vc::presentation::{Payment, TransactionData};
use yufu_services::{Charge, ChargeState};

/// For how long a payment may be made, in seconds.
const PAYMENT_SECONDS: u64 = 600;

/// What came of a payment.
pub(super) enum Collected {
    /// Nothing yet: the wallet has not answered.
    Waiting,
    /// Paid, for good.
    Paid,
    /// Refused by the bank, with its code; nothing moved.
    Refused(Problem),
}

impl RelyingParty {
    /// A fresh order id.
    pub(super) fn fresh_order(&self) -> CommandId {
        CommandId::at(self.now(), u128::from_be_bytes(random()))
    }

    /// The payment that a wallet is to agree to.
    pub(super) async fn bill(
        &self,
        order: CommandId,
        amount_minor: u64,
    ) -> Result<TransactionData, Problem> {
        let account = self.records.account().await?;
        let expires = self.now().plus_seconds(PAYMENT_SECONDS).seconds();
        Ok(TransactionData::Payment(Payment {
            credential_ids: vec![PAYMENT.to_owned()],
            ledger: self.ledger.0.to_string(),
            amount: Amount::new(self.ledger.1, amount_minor),
            payee_account: account.parse().map_err(Problem::internal)?,
            payee_name: self.name.clone(),
            order_id: order.to_string(),
            expires: Timestamp::from_seconds(expires),
        }))
    }

    /// What of an answer goes to the payer's bank: its address, and the payment credential with the
    /// request that it answers. Nothing else of the answer.
    pub(super) fn forwarded(answer: &Answer) -> Result<(String, String), Problem> {
        let missing = || Problem::internal("a verified answer lacks the payment credential");
        let credential = answer.verified.credentials.get(PAYMENT).and_then(|found| found.first());
        let evidence = &answer.verified.evidence;
        let presentation = evidence.presentations.get(PAYMENT).and_then(|found| found.first());
        let forwarded = PresentedPayment {
            request_object: evidence.request_object.clone(),
            presentation: presentation.ok_or_else(missing)?.clone(),
        };
        let bank = credential.ok_or_else(missing)?.issuer.identifier.clone();
        Ok((bank, serde_json::to_string(&forwarded).map_err(Problem::internal)?))
    }

    /// Asks the payer's bank, unless it has answered before. Safe to repeat: it pays once.
    pub(super) async fn collect(&self, subject: &str) -> Result<Collected, Problem> {
        let charge = self.records.charge(subject).await?;
        match charge.state {
            ChargeState::Waiting => Ok(Collected::Waiting),
            ChargeState::Paid => Ok(Collected::Paid),
            ChargeState::Refused => {
                let detail = "the payer's bank refused the payment: nothing moved";
                Ok(Collected::Refused(Problem::refused(&charge.detail, detail)))
            }
            ChargeState::Forwarded => self.forward(&charge).await,
        }
    }

    async fn forward(&self, charge: &Charge) -> Result<Collected, Problem> {
        let forwarded: PresentedPayment =
            serde_json::from_str(&charge.forwarded).map_err(Problem::internal)?;
        let url = format!("{}/v1/presented-payments", charge.bank);
        let answer: Result<PresentedPaymentDone, ClientError> =
            self.client.post(&url, None, &forwarded).await;
        match answer {
            Ok(done) => {
                self.records.charged(&charge.subject, Ok(&done.payment)).await?;
                Ok(Collected::Paid)
            }
            // A bank that cannot answer now may still have paid: only its word ends the matter.
            Err(ClientError::Refused(body)) if is_final(body.status) => {
                self.records.charged(&charge.subject, Err(&body.code)).await?;
                Ok(Collected::Refused(Problem::passed_on(*body)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a refusal with this status is the bank's last word: not if it was merely busy.
fn is_final(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 429)
}
