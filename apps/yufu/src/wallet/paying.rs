//! Payments: signed orders, and the step-up that lifts a limit.

use super::contents::{StoredAccount, StoredKey};
use super::freezing::is_frozen;
use super::history::{Entry, Event};
use super::holder::{Awaited, Decide, Holder};
use crate::words::text;
use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use yufu_api::bank::{AccountState, PaymentDone, PaymentRequest};
use yufu_api::http::{ClientError, ProblemBody};
use yufu_base::{AccountId, Amount, CommandId, Timestamp};
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_openid4vc::presentation::{Payment, TransactionData};
use yufu_payment::{PaymentOrder, RequestToken};

use super::showing::Shown;

/// How long an order may be taken, in seconds.
const ORDER_SECONDS: u64 = 600;
/// The id that banks give the one credential query.
pub(super) const QUERY: &str = "pid";

/// What is to be paid.
#[derive(Clone, Debug)]
pub struct Bill {
    /// The payee's account.
    pub payee: AccountId,
    /// The payee's name, as it will stand in the order.
    pub payee_name: String,
    /// How much.
    pub amount: Amount,
    /// The order's id: fresh for a new payment, the same to repeat one.
    pub id: CommandId,
}

/// What became of an order.
#[derive(Debug)]
pub enum Paid {
    /// Paid.
    Done(PaymentDone),
    /// Refused by a rule; nothing moved.
    Refused(Box<ProblemBody>),
}

impl Paid {
    /// The presentation request that would lift the refusal, if one would.
    #[must_use]
    pub fn step_up(&self) -> Option<&str> {
        let Self::Refused(problem) = self else { return None };
        problem.more.get("step_up")?.get("authorization_request").and_then(Value::as_str)
    }
}

impl Holder {
    /// Keeps an account that a branch opened for this wallet's key.
    ///
    /// # Errors
    /// If the wallet cannot be saved.
    pub fn keep_account(
        &mut self,
        bank: &str,
        account: &str,
        class: &str,
        key: &SoftwareKey,
    ) -> Result<()> {
        let country = self.country();
        self.keep(StoredAccount {
            bank: bank.to_owned(),
            country,
            account: account.to_owned(),
            class: class.to_owned(),
            key: StoredKey::of(key)?,
        });
        Ok(self.file.save()?)
    }

    /// The first account, as (bank, account).
    #[must_use]
    pub fn first_account(&self) -> Option<(&str, &str)> {
        self.accounts_here().next().map(|a| (a.bank.as_str(), a.account.as_str()))
    }

    /// The accounts as their banks have them, without those that their holder had frozen: of them nothing is said.
    ///
    /// # Errors
    /// If a bank does not answer.
    pub async fn accounts(&self) -> Result<Vec<AccountState>> {
        let mut states = Vec::new();
        for account in self.accounts_here() {
            let path = format!("/banks/{}/v1/accounts/{}", account.bank, account.account);
            match self.get_as_holder(account, path).await {
                Err(error) if is_frozen(&error) => {}
                state => states.push(state?),
            }
        }
        Ok(states)
    }

    /// GETs what only the account's holder may see.
    pub(super) async fn get_as_holder<T: DeserializeOwned>(
        &self,
        account: &StoredAccount,
        path: String,
    ) -> Result<T> {
        let url = format!("{}{path}", self.address(&account.bank));
        let bearer = self.request_token(account, "GET", path)?;
        Ok(self.client.get(&url, Some(&bearer)).await?)
    }

    /// The same with a query, which the proof is not over.
    pub(super) async fn query_as_holder<T: DeserializeOwned>(
        &self,
        account: &StoredAccount,
        path: String,
        query: &str,
    ) -> Result<T> {
        let url = format!("{}{path}?{query}", self.address(&account.bank));
        let bearer = self.request_token(account, "GET", path)?;
        Ok(self.client.get(&url, Some(&bearer)).await?)
    }

    /// Posts to the acting account's bank, as its holder, below the account's address.
    pub(super) async fn post_as_holder<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        below: &str,
        content: &B,
    ) -> Result<T> {
        let account = self.acting()?;
        let path = format!("/banks/{}/v1/accounts/{}/{below}", account.bank, account.account);
        let url = format!("{}{path}", self.address(&account.bank));
        let bearer = self.request_token(account, "POST", path)?;
        Ok(self.client.post(&url, Some(&bearer), content).await?)
    }

    /// Proves to an account's bank that its holder asks.
    pub(super) fn request_token(
        &self,
        account: &StoredAccount,
        method: &str,
        path: String,
    ) -> Result<String> {
        let token = RequestToken {
            iss: account.account.clone(),
            aud: account.bank.clone(),
            htm: method.to_owned(),
            htu: path,
            iat: self.now(),
        };
        Ok(token.sign(&account.key.key()?)?)
    }

    /// The acting account as its bank has it.
    ///
    /// # Errors
    /// If there is no account, or the bank does not answer.
    pub async fn acting_state(&self) -> Result<AccountState> {
        let account = self.acting()?;
        let path = format!("/banks/{}/v1/accounts/{}", account.bank, account.account);
        self.get_as_holder(account, path).await
    }

    /// A fresh order id.
    #[must_use]
    pub fn fresh_order_id(&self) -> CommandId {
        CommandId::at(self.now(), u128::from_be_bytes(random()))
    }

    /// Pays from the acting account.
    ///
    /// # Errors
    /// If there is no account, or no answer: then repeat with the same id.
    pub async fn pay(&mut self, bill: &Bill) -> Result<Paid> {
        let (account, order) = self.sign(bill).await?;
        let url = format!("{}/banks/{}/v1/payments", self.address(&account.bank), account.bank);
        match self.client.post(&url, None, &PaymentRequest { order }).await {
            Ok(done) => {
                self.note_payment(bill, false)?;
                Ok(Paid::Done(done))
            }
            Err(ClientError::Refused(problem)) if problem.status == 422 => {
                self.note(Event::PaymentRefused {
                    payee: bill.payee_name.clone(),
                    amount_minor: bill.amount.minor(),
                    currency: bill.amount.currency().to_string(),
                    order: bill.id.to_string(),
                    code: problem.code.clone(),
                })?;
                Ok(Paid::Refused(problem))
            }
            Err(error @ ClientError::Refused(_)) => Err(error.into()),
            Err(error) => Err(error).with_context(|| {
                text!("whether it was paid is not known: repeat with --id {id}", id = bill.id)
            }),
        }
    }

    /// Lifts a refusal by showing an identity: the request must be for exactly this payment.
    ///
    /// # Errors
    /// Whatever either side refused.
    pub async fn step_up(&mut self, bill: &Bill, link: &str, decide: Decide<'_>) -> Result<Shown> {
        let (account, order) = self.unsigned(bill).await?;
        let awaited = TransactionData::Payment(Payment {
            credential_ids: vec![QUERY.to_owned()],
            ledger: order.ledger,
            amount: bill.amount,
            payee_account: bill.payee,
            payee_name: bill.payee_name.clone(),
            order_id: bill.id.to_string(),
            expires: order.expires,
        });
        drop(account);
        let awaited = Awaited::Transaction(Box::new(awaited));
        let shown = self.present_for(link, &awaited, decide).await?;
        self.bring_back(link, &shown).await?;
        self.note_payment(bill, true)?;
        Ok(shown)
    }

    pub(super) fn note_payment(&mut self, bill: &Bill, stepped_up: bool) -> Result<()> {
        let id = bill.id.to_string();
        let known =
            |entry: &Entry| matches!(&entry.event, Event::Paid { order, .. } if *order == id);
        if self.history().iter().any(known) {
            return Ok(());
        }
        self.note(Event::Paid {
            payee: bill.payee_name.clone(),
            account: bill.payee.to_string(),
            amount_minor: bill.amount.minor(),
            currency: Some(bill.amount.currency().to_string()),
            order: id,
            stepped_up,
        })?;
        Ok(())
    }

    /// The signed order. Its expiry follows from its id, so that a repeat is the same order.
    async fn sign(&mut self, bill: &Bill) -> Result<(StoredAccount, String)> {
        let (account, order) = self.unsigned(bill).await?;
        let signed = order.sign(&account.key.key()?)?;
        Ok((account, signed))
    }

    async fn unsigned(&mut self, bill: &Bill) -> Result<(StoredAccount, PaymentOrder)> {
        let account = self.acting()?.clone();
        let order = PaymentOrder {
            ledger: self.ledger().await?,
            id: bill.id,
            payer: account.account.parse()?,
            payee: bill.payee,
            payee_name: bill.payee_name.clone(),
            amount: bill.amount,
            // Whole seconds, as the order carries them.
            expires: Timestamp::from_seconds(
                bill.id.created().plus_seconds(ORDER_SECONDS).seconds(),
            ),
        };
        Ok((account, order))
    }
}
