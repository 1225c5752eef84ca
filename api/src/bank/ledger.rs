//! A bank's way to the ledger: from the outbox to the central bank, and the answer back into the records.

use super::Bank;
use crate::central_bank::WalletState;
use crate::http::{ClientError, Problem, ProblemBody};
use crate::ledger::{self, CommandDone, CommandRequest};
use serde::{Deserialize, Serialize};
use yufu_base::{AccountId, CommandId};
use yufu_machine::Action;
use yufu_onboarding::OutboxEntry;
use yufu_payment::RequestToken;

/// Refusals of the bank itself, not of the command: the ledger does not know it, or its key.
const CURABLE: [&str; 3] =
    ["command.key_not_current", "command.submitter_unknown", "ledger.not_open"];

/// The ledger's answer as the outbox keeps it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(CommandDone),
    Refused(Box<ProblemBody>),
}

impl Bank {
    /// An outbox entry for a command of this bank: signed, encoded, not yet sent.
    pub(super) fn entry(
        &self,
        id: CommandId,
        subject: String,
        action: Action,
    ) -> Result<OutboxEntry, Problem> {
        let submission =
            ledger::sign(&self.id, &*self.signer, id, action).map_err(Problem::internal)?;
        let submission = ledger::encode(&submission)?;
        Ok(OutboxEntry { command: id, subject, submission, outcome: None })
    }

    /// Submits what is in the outbox under `id`, or gives the answer that it had before.
    pub(super) async fn submit(&self, id: CommandId) -> Result<CommandDone, Problem> {
        let entry = self.records.outbox(id).await?;
        let entry = entry.ok_or_else(|| Problem::not_found("command"))?;
        let answer = match &entry.outcome {
            Some(known) => serde_json::from_str(known).map_err(Problem::internal)?,
            None => self.send(&entry).await?,
        };
        match answer {
            Answer::Done(done) => Ok(done),
            Answer::Refused(body) => Err(Problem::passed_on(*body)),
        }
    }

    /// Submits again everything that has no answer: at start, and after the ledger was unreachable.
    /// How many commands got their answer.
    ///
    /// # Errors
    /// The first that still has none stays, with those after it.
    pub async fn submit_pending(&self) -> Result<usize, Problem> {
        let pending = self.records.pending().await?;
        for entry in &pending {
            self.send(entry).await?;
        }
        Ok(pending.len())
    }

    async fn send(&self, entry: &OutboxEntry) -> Result<Answer, Problem> {
        let url = format!("{}/v1/commands", self.central_bank.1);
        let request = CommandRequest::new(&entry.submission);
        let answer = match self.client.post(&url, None, &request).await {
            Ok(done) => Answer::Done(done),
            // Given before the command was admitted, and cured by the bank's operator: it stays.
            Err(ClientError::Refused(body)) if CURABLE.contains(&body.code.as_str()) => {
                return Err(Problem::unavailable(&body.code, &body.detail));
            }
            // 422 is the machine's word. Anything else says nothing about the command: it stays.
            Err(ClientError::Refused(body)) if body.status == 422 => {
                Answer::Refused(Box::new(body.unworded()))
            }
            Err(error) => return Err(error.into()),
        };
        let text = serde_json::to_string(&answer).map_err(Problem::internal)?;
        let accepted = matches!(answer, Answer::Done(_));
        let first = self.records.record_outcome(entry.command, &text, accepted).await?;
        serde_json::from_str(&first).map_err(Problem::internal)
    }

    /// A wallet of this bank as the ledger has it.
    pub(super) async fn wallet(&self, account: AccountId) -> Result<WalletState, Problem> {
        let path = format!("/central-bank/v1/accounts/{account}");
        let token = RequestToken {
            iss: self.id.to_string(),
            aud: self.central_bank.0.to_string(),
            htm: "GET".to_owned(),
            htu: path,
            iat: self.now(),
        };
        let bearer = token.sign(&*self.signer).map_err(Problem::internal)?;
        let url = format!("{}/v1/accounts/{account}", self.central_bank.1);
        Ok(self.client.get(&url, Some(&bearer)).await?)
    }
}
