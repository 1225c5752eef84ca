//! The central bank's own key is followed by the next one: other ledgers are told first, then its own. What it said to
//! others by hand it says again by the former key: which one follows.

use super::CentralBank;
use crate::http::{Client, Problem};
use crate::ledger::{self, CommandRequest};
use std::sync::Arc;
use yufu_base::Signer;
use yufu_machine::{Machine, Submission};

impl CentralBank {
    /// Has `next` command from now on, here and at every ledger that this one is registered at. `words` says to others
    /// which key followed which, the newest included.
    ///
    /// # Errors
    /// If a ledger cannot be told; then the former key stays in use, and saying it again is harmless.
    pub async fn command_with(
        &self,
        next: Arc<dyn Signer>,
        words: Vec<String>,
        client: &Client,
    ) -> Result<(), Problem> {
        let addresses = |machine: &Machine| {
            machine.peers().into_iter().map(|peer| peer.terms.address).collect::<Vec<_>>()
        };
        let (addresses, now) = self.read(|machine, now| (addresses(machine), now)).await?;
        let told = |former: Arc<dyn Signer>, next: Arc<dyn Signer>| async move {
            for address in addresses {
                let url = format!("{address}/central-bank/v1/commands");
                let say = |submission: Submission| {
                    let url = &url;
                    async move {
                        let request = CommandRequest::new(&ledger::encode(&submission)?);
                        Ok(client.post(url, None, &request).await?)
                    }
                };
                let said = ledger::replace_key(&self.id, (&*former, &*next), now, say).await;
                match said {
                    // It is a peer here, and this one is none there: nobody to be told.
                    Err(problem) if problem.code() == "command.submitter_unknown" => {}
                    other => other?,
                }
            }
            let say = |submission: Submission| async move {
                let id = submission.order.id;
                ledger::answer(id, self.ledger.submit(submission).await)
            };
            ledger::replace_key(&self.id, (&*former, &*next), now, say).await
        };
        self.commands.change(next, told).await?;
        self.succession.turn(Arc::new(words));
        Ok(())
    }
}
