//! A bank's way to the ledger: from the outbox to the central bank, and the answer back into the records.

use super::Bank;
use crate::central_bank::WalletState;
use crate::http::{ClientError, Problem, ProblemBody};
use crate::ledger::{self, CommandDone, CommandRequest, KEY_NOT_CURRENT};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yufu_base::{AccountId, CommandId, Signer};
use yufu_machine::{Action, Submission};
use yufu_onboarding::OutboxEntry;
use yufu_payment::RequestToken;

/// Refusals of the bank itself, not of the command: the ledger does not know it, or its key.
const CURABLE: [&str; 3] = [KEY_NOT_CURRENT, "command.submitter_unknown", "ledger.not_open"];

/// The ledger's answer as the outbox keeps it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(CommandDone),
    Refused(Box<ProblemBody>),
}

/// The commands that this process is submitting just now: whoever sends again what has no answer yet
/// leaves them alone. After a restart there are none, and all are sent.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<BTreeSet<CommandId>>>);

/// Lets go of a command, however its submission ends.
struct Flying {
    all: InFlight,
    id: CommandId,
}

impl InFlight {
    fn ids(&self) -> MutexGuard<'_, BTreeSet<CommandId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` if somebody else is submitting it.
    fn begin(&self, id: CommandId) -> Option<Flying> {
        self.ids().insert(id).then(|| Flying { all: self.clone(), id })
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        self.all.ids().remove(&self.id);
    }
}

impl Bank {
    /// An outbox entry for a command of this bank: signed, encoded, not yet sent.
    pub(super) fn entry(
        &self,
        id: CommandId,
        subject: String,
        action: Action,
    ) -> Result<OutboxEntry, Problem> {
        let key = self.commands.get();
        let submission = ledger::sign(&self.id, &*key, id, action).map_err(Problem::internal)?;
        let submission = ledger::encode(&submission)?;
        Ok(OutboxEntry { command: id, subject, submission, outcome: None })
    }

    /// Submits what is in the outbox under `id`, or gives the answer that it had before.
    pub(super) async fn submit(&self, id: CommandId) -> Result<CommandDone, Problem> {
        // A repeat at the same time is sent as well: the ledger gives both the first answer.
        let _flying = self.in_flight.begin(id);
        match self.answer(id).await? {
            Answer::Done(done) => Ok(done),
            Answer::Refused(body) => Err(Problem::passed_on(*body)),
        }
    }

    /// The ledger's answer to what is in the outbox under `id`: the one it gave, or else it is asked.
    async fn answer(&self, id: CommandId) -> Result<Answer, Problem> {
        let entry = self.records.outbox(id).await?;
        let entry = entry.ok_or_else(|| Problem::not_found("command"))?;
        match &entry.outcome {
            Some(known) => serde_json::from_str(known).map_err(Problem::internal),
            None => self.send(&entry).await,
        }
    }

    /// Submits again everything that has no answer and is not being submitted: at start, and after the ledger was unreachable.
    /// How many commands got their answer.
    ///
    /// # Errors
    /// The first that still has none stays, with those after it.
    pub async fn submit_pending(&self) -> Result<usize, Problem> {
        let mut sent = 0_usize;
        for entry in self.records.pending().await? {
            let Some(_flying) = self.in_flight.begin(entry.command) else { continue };
            // Read anew: it may have been answered meanwhile.
            self.answer(entry.command).await?;
            sent = sent.saturating_add(1);
        }
        Ok(sent)
    }

    async fn send(&self, entry: &OutboxEntry) -> Result<Answer, Problem> {
        let submission = borsh::from_slice(&entry.submission).map_err(Problem::internal)?;
        let answer = match self.say(submission).await? {
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

    /// Puts a submission before the ledger, by the key in use, which is held until the answer is there.
    pub(super) async fn say(
        &self,
        submission: Submission,
    ) -> Result<Result<CommandDone, ClientError>, Problem> {
        let key = self.commands.held().await;
        let submission = ledger::signed_anew(submission, &*key).map_err(Problem::internal)?;
        let request = CommandRequest::new(&ledger::encode(&submission)?);
        let url = format!("{}/v1/commands", self.central_bank.1);
        Ok(self.client.post(&url, None, &request).await)
    }

    /// Has `next` command from now on: the ledger is told by the key in use, and takes that one's word no more. What is
    /// on its way is waited for; what waits in the outbox is signed anew when it is sent.
    ///
    /// # Errors
    /// If the ledger cannot be told; then the former key stays in use.
    pub async fn command_with(&self, next: Arc<dyn Signer>) -> Result<(), Problem> {
        let url = format!("{}/v1/commands", self.central_bank.1);
        let told = |former: Arc<dyn Signer>, next: Arc<dyn Signer>| async move {
            let say = |submission: Submission| {
                let (client, url) = (&self.client, &url);
                async move {
                    let request = CommandRequest::new(&ledger::encode(&submission)?);
                    Ok(client.post(url, None, &request).await?)
                }
            };
            ledger::replace_key(&self.id, (&*former, &*next), self.now(), say).await
        };
        self.commands.change(next, told).await
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
        let key = self.commands.held().await;
        let bearer = token.sign(&*key).map_err(Problem::internal)?;
        let url = format!("{}/v1/accounts/{account}", self.central_bank.1);
        Ok(self.client.get(&url, Some(&bearer)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_taken_up_by_one_at_a_time_and_let_go_of_at_the_end() {
        let at = yufu_base::Timestamp::from_seconds(1);
        let (flights, id) = (InFlight::default(), CommandId::at(at, 7));
        let first = flights.begin(id);
        assert!(first.is_some());
        assert!(flights.begin(id).is_none());
        assert!(flights.begin(CommandId::at(at, 8)).is_some());
        drop(first);
        assert!(flights.begin(id).is_some());
    }
}
