//! One payment at the agency's bank: ordered through the bank's public interface with the account's
//! key, and what its answer means. An order that can be taken no more is asked about, never repeated
//! under another id on a guess.

use super::Agency;
use super::desk::RunStop;
use super::life::DAY;
use crate::account_key::OwnBank;
use crate::bank::{AccountState, PaymentDone, PaymentRequest};
use crate::http::{ClientError, Problem, ProblemBody};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use yufu_base::{AccountId, Amount, CommandId, Signer, Timestamp};
use yufu_payment::{PaymentOrder, RequestToken};
use yufu_programmes::{Envelope, Item, Outcome, Reason};

/// What the bank says while it has no answer from the ledger.
const TAKEN: &str = "taken";
/// Refusals that say nothing of whether an order was carried out before.
const TELLS_NOTHING: [&str; 3] = ["command.id_expired", "command.id_reused", "order.id_reused"];
/// Refusals because of the payee's account, but for one that is closed: that may be either.
const OF_PAYEE: [(&str, Reason); 3] = [
    ("account.unknown", Reason::AccountClosed),
    ("transfer.payee_full", Reason::AccountFull),
    ("transfer.same_account", Reason::AccountRefused),
];
const CLOSED: &str = "account.closed";

/// What became of an order, and whether the run had better stop.
pub(super) struct Settled {
    pub(super) outcome: Outcome,
    pub(super) stop: Option<RunStop>,
}

/// What a bank's refusal means for an item.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// The payee's account, for this reason: nothing moved.
    OfPayee(Reason),
    /// A closed account, which may be the payee's or the agency's own: nothing moved.
    SomeAccountClosed,
    /// The agency's own account or its bank: nothing moved, and the next order would fare no better.
    OfAgency,
    /// It says nothing of whether the order was carried out.
    TellsNothing,
    /// The bank did not take it now; under the same id it may yet.
    NotNow,
}

impl Agency {
    /// What stands in orders, for whoever reads them at the agency's bank.
    pub(super) fn words(&self, envelope: &Envelope) -> Result<String, Problem> {
        let programme = self.programme(&envelope.programme)?;
        Ok(format!("{} {}", programme.name.en(), envelope.month))
    }

    /// Until when an order may be taken: a day before the ledger forgets its id, so that one taken at
    /// the last moment still gets there.
    fn expiry(&self, command: CommandId) -> Timestamp {
        let kept = u64::from(self.id_retention_days).saturating_mul(DAY);
        let expires = command.created().plus_seconds(kept.saturating_sub(DAY).max(600));
        // Whole seconds, as the order carries them: a repeat is the same order.
        Timestamp::from_seconds(expires.seconds())
    }

    /// Orders an item that was written down as sent, or asks about it.
    pub(super) async fn order(
        &self,
        account: AccountId,
        item: &Item,
        words: &str,
    ) -> Result<Settled, Problem> {
        let now = self.now();
        if self.expiry(item.command) <= now {
            return self.ask(account, item).await;
        }
        let payee = item.payee.as_deref().unwrap_or_default();
        let order = PaymentOrder {
            ledger: self.ledger.0.to_string(),
            id: item.command,
            payer: account,
            payee: payee.parse().map_err(Problem::internal)?,
            payee_name: words.to_owned(),
            amount: Amount::new(self.ledger.1, item.amount_minor),
            expires: self.expiry(item.command),
        };
        let key = self.account_key.held().await;
        let order = order.sign(&*key).map_err(Problem::internal)?;
        let url = format!("{}/banks/{}/v1/payments", self.bank.1, self.bank.0);
        let taken = self.client.post(&url, None, &PaymentRequest { order }).await;
        drop(key);
        match taken {
            Ok(PaymentDone { .. }) => Ok(settled(Outcome::Paid)),
            Err(ClientError::Refused(body)) => self.refused(&body).await,
            // Whether it was carried out is unknown: the same order, again, will tell.
            Err(error) => Ok(unknown(error.into())),
        }
    }

    /// Asks about an order that can be taken no more.
    async fn ask(&self, account: AccountId, item: &Item) -> Result<Settled, Problem> {
        let path = format!("/banks/{}/v1/payments/{}", self.bank.0, item.command);
        let done: Result<PaymentDone, ClientError> = self.asked(account, &path).await?;
        match done {
            Ok(done) => match (done.state.as_str(), done.refusal) {
                ("settled", _) => Ok(settled(Outcome::Paid)),
                (_, Some(code)) => {
                    let problem = Problem::refused(&code, "the bank refused this order earlier");
                    self.refused(&problem.into_body()).await
                }
                // The bank will have the ledger's answer itself.
                _ => Ok(settled(Outcome::Unknown { code: TAKEN.to_owned() })),
            },
            // Only from a bank that knows this account: it never took the order, and never will.
            Err(ClientError::Refused(body)) if body.status == 404 => {
                self.own_account().await?;
                let code = String::new();
                Ok(settled(Outcome::Anew { command: self.fresh(), code }))
            }
            Err(error) => Ok(unknown(error.into())),
        }
    }

    async fn refused(&self, body: &ProblemBody) -> Result<Settled, Problem> {
        let code = body.code.clone();
        let stop = || Some(RunStop { code: code.clone(), detail: body.detail.clone() });
        let anew = || Outcome::Anew { command: self.fresh(), code: code.clone() };
        Ok(match meaning(body.status, &body.code) {
            Meaning::OfPayee(reason) => settled(Outcome::Returned { reason, code }),
            Meaning::SomeAccountClosed => match self.own_account().await {
                Ok(_) => settled(Outcome::Returned { reason: Reason::AccountClosed, code }),
                Err(own) => Settled { outcome: anew(), stop: Some(own.into()) },
            },
            Meaning::OfAgency => Settled { outcome: anew(), stop: stop() },
            Meaning::TellsNothing => settled(Outcome::Unknown { code }),
            Meaning::NotNow => {
                Settled { outcome: Outcome::Unknown { code: code.clone() }, stop: stop() }
            }
        })
    }

    /// The agency's account, once its bank says that it can pay.
    pub(super) async fn own_account(&self) -> Result<AccountId, Problem> {
        let account: AccountId =
            self.records.account().await?.parse().map_err(Problem::internal)?;
        let path = format!("/banks/{}/v1/accounts/{account}", self.bank.0);
        let state: AccountState = self.asked(account, &path).await??;
        if state.wallet.standing == "open" {
            return Ok(account);
        }
        let detail = format!(
            "the agency's own account is {}: nothing is paid; have its bank reopen it, or name another one",
            state.wallet.standing
        );
        Err(Problem::unavailable("party.account_unusable", detail))
    }

    /// Asks the bank, by the account's key.
    async fn asked<T: DeserializeOwned>(
        &self,
        account: AccountId,
        path: &str,
    ) -> Result<Result<T, ClientError>, Problem> {
        let key = self.account_key.held().await;
        let token = RequestToken {
            iss: account.to_string(),
            aud: self.bank.0.to_string(),
            htm: "GET".to_owned(),
            htu: path.to_owned(),
            iat: self.now(),
        };
        let bearer = token.sign(&*key).map_err(Problem::internal)?;
        let url = format!("{}{path}", self.bank.1);
        Ok(self.client.get(&url, Some(&bearer)).await)
    }

    /// Has `next` command the agency's account from now on.
    ///
    /// # Errors
    /// If its bank cannot be told; then the former key stays in use.
    pub async fn command_account_with(&self, next: Arc<dyn Signer>) -> Result<(), Problem> {
        let own = OwnBank { client: &self.client, bank: &self.bank, now: self.now() };
        self.account_key.hand_over(next, self.records.named_account().await?, own).await
    }
}

/// What a refusal by status and code means.
fn meaning(status: u16, code: &str) -> Meaning {
    if TELLS_NOTHING.contains(&code) {
        return Meaning::TellsNothing;
    }
    // 422 is the ledger's word, and final. An unknown rule of it stops the run: whom it is about, an
    // officer has to see.
    if status != 422 {
        return Meaning::NotNow;
    }
    let of_payee = OF_PAYEE.iter().find(|(known, _)| *known == code);
    match of_payee {
        Some((_, reason)) => Meaning::OfPayee(*reason),
        None if code == CLOSED => Meaning::SomeAccountClosed,
        None => Meaning::OfAgency,
    }
}

const fn settled(outcome: Outcome) -> Settled {
    Settled { outcome, stop: None }
}

fn unknown(problem: Problem) -> Settled {
    let stop = RunStop::from(problem);
    Settled { outcome: Outcome::Unknown { code: stop.code.clone() }, stop: Some(stop) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_payees_the_agencys_or_says_nothing_of_what_was_done() {
        let rows = [
            (422, "account.unknown", Meaning::OfPayee(Reason::AccountClosed)),
            (422, "account.closed", Meaning::SomeAccountClosed),
            (422, "transfer.payee_full", Meaning::OfPayee(Reason::AccountFull)),
            (422, "transfer.same_account", Meaning::OfPayee(Reason::AccountRefused)),
            (422, "transfer.insufficient_funds", Meaning::OfAgency),
            (422, "transfer.limit_exceeded.daily", Meaning::OfAgency),
            (422, "account.dormant", Meaning::OfAgency),
            (422, "command.id_from_future", Meaning::OfAgency),
            (422, "a rule that is not known", Meaning::OfAgency),
            (422, "command.id_expired", Meaning::TellsNothing),
            (422, "command.id_reused", Meaning::TellsNothing),
            (409, "order.id_reused", Meaning::TellsNothing),
            (409, "account.not_open", Meaning::NotNow),
            (401, "request.unauthenticated", Meaning::NotNow),
            (404, "request.not_found", Meaning::NotNow),
            (429, "ledger.overloaded", Meaning::NotNow),
            (503, "institution.unreachable", Meaning::NotNow),
            (500, "server.internal", Meaning::NotNow),
        ];
        for (status, code, expected) in rows {
            assert_eq!(meaning(status, code), expected, "{status} {code}");
        }
    }
}
