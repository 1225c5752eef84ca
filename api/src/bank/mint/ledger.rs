//! The mint's way to the ledger: orders that are not in the outbox, because what they come to is found
//! again in the ledger itself, and questions about its own notes.

use super::{Bank, MintRefusal};
use crate::central_bank::{NotesAsked, NotesKnown, PromisedOutput};
use crate::http::Problem;
use crate::ledger::{self, CommandDone};
use yufu_base::CommandId;
use yufu_ecash::Point;
use yufu_ecash::message::{BlindedMessage, ErrorCode};
use yufu_machine::{Action, Order, Orders, Submission};
use yufu_payment::RequestToken;

impl Bank {
    /// Orders something under a fresh id.
    pub(super) async fn order(&self, action: Action) -> Result<CommandDone, Problem> {
        self.put_before_ledger(self.signed(action)?).await
    }

    /// Several orders under one signature: the bank's one attestation for all notes in them.
    pub(super) fn list(&self, actions: Vec<Action>) -> Result<Action, Problem> {
        let order = |action| Order { id: self.fresh_command_id(), action };
        let orders = Orders::new(actions.into_iter().map(order).collect());
        Ok(Action::Each { orders: orders.map_err(Problem::internal)? })
    }

    /// A signed submission under a fresh id.
    pub(super) fn signed(&self, action: Action) -> Result<Submission, Problem> {
        let id: CommandId = self.fresh_command_id();
        ledger::sign(&self.id, &*self.commands.get(), id, action).map_err(Problem::internal)
    }

    /// Has the ledger do what is in the outbox under `command`, or have done it. `refused` is the number of a refusal by a rule
    /// of the ledger's that has none of its own in the protocol.
    pub(super) async fn carry_out(
        &self,
        command: CommandId,
        refused: ErrorCode,
    ) -> Result<(), MintRefusal> {
        let done = self.submit(command).await;
        done.map(drop).map_err(|problem| MintRefusal::of_step(problem, refused))
    }

    pub(super) async fn put_before_ledger(
        &self,
        submission: Submission,
    ) -> Result<CommandDone, Problem> {
        Ok(self.say(submission).await??)
    }

    /// What the ledger knows of own notes.
    pub(super) async fn ask_notes(
        &self,
        spent: impl Iterator<Item = Point>,
        promised: impl Iterator<Item = Point>,
    ) -> Result<NotesKnown, MintRefusal> {
        let hex = |point: Point| point.to_hex();
        let asked =
            NotesAsked { spent: spent.map(hex).collect(), promised: promised.map(hex).collect() };
        let token = RequestToken {
            iss: self.id.to_string(),
            aud: self.central_bank.0.to_string(),
            htm: "POST".to_owned(),
            htu: "/central-bank/v1/notes/state".to_owned(),
            iat: self.now(),
        };
        let key = self.commands.held().await;
        let bearer = token.sign(&*key).map_err(MintRefusal::internal)?;
        let url = format!("{}/v1/notes/state", self.central_bank.1);
        let known: NotesKnown = self.client.post(&url, Some(&bearer), &asked).await?;
        let fits =
            (known.spent.len(), known.promised.len()) == (asked.spent.len(), asked.promised.len());
        if fits { Ok(known) } else { Err(MintRefusal::internal("the ledger answered less")) }
    }
}

impl NotesKnown {
    /// Whether each of these outputs was promised as it is asked for now, by the numbers of its keysets.
    pub(super) fn promises(
        &self,
        outputs: &[BlindedMessage],
        number: impl Fn(&BlindedMessage) -> Option<u32>,
    ) -> bool {
        let same = |(output, promised): (&BlindedMessage, &Vec<_>)| {
            let number = number(output);
            promised.iter().any(|one: &PromisedOutput| {
                Some(one.keyset) == number && one.amount == output.amount
            })
        };
        self.promised.len() == outputs.len() && outputs.iter().zip(&self.promised).all(same)
    }
}
